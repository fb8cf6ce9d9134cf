"""What a list is, which column holds what, what its words mean: guessed from lists as offices write them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from motcua.dossiers.importing import grids, guess
from motcua.dossiers.importing.guess import Kind
from motcua.dossiers.importing.sources import LONGEST, Fault
from motcua.rules.instants import Unreadable, iso

TABLE = (
    "Mã hồ sơ;Ngày tiếp nhận;Ngày hẹn trả;Đơn vị xử lý;Chủ hồ sơ\nH99.12-260302-0001;02/03/2026;;Sở Mẫu;Trần Thị Tú\n"
)


def _rows(path: Path) -> list[list[str]]:
    return [list(cells) for _, cells in grids.rows(path)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"], ids=["semicolon", "comma", "tab", "bar"])
def test_a_text_is_read_in_any_encoding_and_delimiter(tmp_path: Path, encoding: str, delimiter: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(TABLE.replace(";", delimiter).encode(encoding))
    assert _rows(file) == [line.split(";") for line in TABLE.splitlines()]


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "Mã hồ sơ;Chủ hồ sơ\nA;{}"), ("a.xls", "<html><table><tr><td>A<td>{}</table>")]
)
def test_a_text_too_long_for_any_list_is_refused_with_its_place(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text.format("x" * (LONGEST + 1)))
    with pytest.raises(Fault, match=r"row \d: a text of more than 131,072 characters"):
        _rows(file)
    file.write_text(text.format("x" * LONGEST))
    assert _rows(file)[-1][-1] == "x" * LONGEST


def test_what_vietnamese_windows_wrote_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    # windows-1258 writes the tone after its letter
    file.write_bytes("Ma\u0303 hô\u0300 sơ;Đơn vi\u0323\nH99.12-260302-0001;Sơ\u0309 Mâ\u0303u".encode("cp1258"))
    assert _rows(file) == [["Mã hồ sơ", "Đơn vị"], ["H99.12-260302-0001", "Sở Mẫu"]]


def test_a_web_page_named_xls_is_a_list(tmp_path: Path) -> None:
    file = tmp_path / "a.xls"
    file.write_text(
        "<html><meta charset=utf-8><table><tr><td>x</td></tr></table><table><tr><td colspan=3>DANH SÁCH</td></tr>"
        "<tr><th>TT</th><th>Mã hồ sơ</th><th>Đơn vị</th></tr>"
        "<tr><td>1</td><td>H99.12-260302-0001</td><td rowspan=2>Sở&nbsp;Mẫu</td></tr>"
        "<tr><td>2</td><td>H99.12-260302-0002</td></tr></table></html>",
        encoding="utf-8",
    )
    rows = _rows(file)
    assert rows[1:] == [["TT", "Mã hồ sơ", "Đơn vị"], ["1", "H99.12-260302-0001", "Sở Mẫu"],
                        ["2", "H99.12-260302-0002", "Sở Mẫu"]]  # fmt: skip
    assert guess.sheet(rows).start == 2


def test_a_cell_merged_over_rows_fills_them_and_titles_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(file))
    book.add_worksheet("Trống")
    sheet = book.add_worksheet("Danh sách")
    sheet.merge_range(0, 0, 0, 3, "DANH SÁCH HỒ SƠ ĐƠN VỊ XỬ LÝ QUÁ HẠN")
    sheet.write_row(3, 0, ("TT", "Đơn vị", "Số hồ sơ", "Thời gian"))
    sheet.write_row(4, 3, ("Ngày hẹn trả",))
    sheet.write_row(5, 0, ("(1)", "(2)", "(3)", "(4)"))
    sheet.merge_range(6, 1, 7, 1, "Sở Mẫu")
    for n in (6, 7):
        sheet.write(n, 0, n)
        sheet.write(n, 2, f"H99.12-260302-000{n}")
        sheet.write(n, 3, "05/03/2026")
    book.close()
    rows = _rows(file)
    found = guess.sheet(rows)
    assert found.kind is Kind.PUBLISHED and found.columns == {"code": 2, "due_at": 3, "unit": 1}
    assert [row[1] for row in rows[found.start :]] == ["Sở Mẫu", "Sở Mẫu"]


@pytest.mark.parametrize(
    ("text", "reason"), [(b"", "empty"), (b"%PDF-1.4", "PDF"), (b"<html><body>no</body></html>", "no table")],
    ids=["empty", "a PDF", "a page without a table"],
)  # fmt: skip
def test_what_is_no_list_is_told(tmp_path: Path, text: bytes, reason: str) -> None:
    (tmp_path / "a.xls").write_bytes(text)
    with pytest.raises(Fault, match=reason):
        _rows(tmp_path / "a.xls")


@pytest.mark.parametrize(
    ("headings", "row", "kind"),
    [
        (("Mã hồ sơ", "Tình trạng"), ("H99.12-260302-0001", "Quá hạn"), Kind.PUBLISHED),
        (("Số hồ sơ", "Tên thủ tục", "Ngày tiếp nhận", "Chủ hồ sơ"), ("H99.12-260302-0001", "A", "02/03/2026", "B"),
         Kind.DOSSIERS),
        (("Mã hồ sơ", "Tên bước", "Thời gian"), ("H99.12-260302-0001", "Thẩm định", "02/03/2026"), Kind.STEPS),
        (("Mã định danh", "Tên đơn vị"), ("H99.12", "Sở Mẫu"), Kind.AGENCIES),
        (("Mã số", "Tên", "Cơ quan thực hiện"), ("1.115155", "Đề nghị", "Bộ"), Kind.PROCEDURES),
        (("A", "B"), ("x", "y"), Kind.UNKNOWN),
    ],
)  # fmt: skip
def test_a_list_is_known_by_its_columns(headings: tuple[str, ...], row: tuple[str, ...], kind: Kind) -> None:
    assert guess.sheet([headings, row]).kind is kind


def test_a_bare_list_of_codes_is_a_published_one() -> None:
    found = guess.sheet([["Kính gửi ông"], ["1", "H99.12-260302-0001"], ["2", "H99.12-260302-0002"]])
    assert (found.kind, found.start, found.columns) == (Kind.PUBLISHED, 1, {"code": 1})


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("05/03/2026 17:00", "2026-03-05T17:00:00+07:00"), ("17h30 05-03-2026", "2026-03-05T17:30:00+07:00"),
        ("5.3.2026", "2026-03-05T17:00:00+07:00"), ("46086", "2026-03-05T17:00:00+07:00"),
        ("2026-03-05 00:00:00", "2026-03-05T17:00:00+07:00"), ("08/03/2026", "2026-03-08T00:00:00+07:00"),
        ("2026-03-05T09:30:00+07:00", "2026-03-05T09:30:00+07:00"),
    ],
)  # fmt: skip
def test_a_due_day_as_lists_write_it(text: str, instant: str) -> None:
    found = guess.instant(text, closing=True)
    assert found is not None and iso(found) == instant


@pytest.mark.parametrize("text", ["31/02/2026", "hôm qua", "5/2026", "2026-13-01"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        guess.instant(text)


def test_a_name_is_matched_where_only_one_agency_is_near() -> None:
    known = {guess.plain_name(name): name for name in ("Phường Mẫu 5", "Phường Mẫu 15", "Sở Tài nguyên và Môi trường")}
    assert guess.nearest("UBND P. Mẫu 5", known) == "Phường Mẫu 5"
    assert guess.nearest("Sở TNMT", known) == "Sở Tài nguyên và Môi trường"
    assert guess.nearest("Phường Mẫu 25", known) == ""
    assert guess.nearest("Xã Khác", known) == ""


@given(st.integers(0, 9999999), st.integers(0, 40), st.sampled_from(["swap", "drop", "double", "change"]))
def test_one_slip_of_the_finger_is_found_again(number: int, at: int, slip: str) -> None:
    code = f"H99.12-260302-{number:07}"
    at %= len(code) - 1
    wrong = {
        "swap": code[:at] + code[at + 1] + code[at] + code[at + 2 :], "drop": code[:at] + code[at + 1 :],
        "double": code[:at] + code[at] + code[at:],
        "change": code[:at] + ("7" if code[at].isdigit() else code[at]) + code[at + 1 :],
    }[slip]  # fmt: skip
    if guess.is_code(wrong) and wrong != code and (slip != "drop" or code[at].isdigit()):
        assert code in guess.variants(wrong)


@pytest.mark.parametrize("suffix", ["xls", "ods", "html", "xlsx"])
def test_what_libreoffice_saves_is_the_same_list(tmp_path: Path, suffix: str) -> None:
    office = shutil.which("soffice")
    if office is None or not (Path(office).resolve().parent / "libsclo.so").exists():
        pytest.skip("LibreOffice Calc is not on this machine")
    rows = [
        ["DANH SÁCH HỒ SƠ", "", ""],
        ["", "", ""],
        ["STT", "Mã hồ sơ", "Ngày tiếp nhận"],
        ["1", "H99.12-260302-0001", "02/03/2026 08:00"],
        ["2", "H99.12-260302-0002", "03/03/2026 09:30"],
    ]
    made = tmp_path / "danh-sach.xlsx"
    with xlsxwriter.Workbook(str(made)) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 2, rows[0][0])
        for line, row in enumerate(rows[2:], 2):
            sheet.write_row(line, 0, row)
    saved = tmp_path / "saved"
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(
        [office, profile, "--headless", "--convert-to", suffix, "--outdir", str(saved), str(made)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    file = saved / f"danh-sach.{suffix}"
    file = file.rename(file.with_suffix(".xls")) if suffix == "html" else file
    found = _rows(file)
    assert guess.sheet(found).columns == {"code": 1, "received_at": 2}
    told = [row[1:3] for row in found if row and row[0] in ("1", "2")]
    assert told == [row[1:] for row in rows[3:]]
