"""A list of people: looked at first, taken whole, the same list again changes nothing, refused rows say why."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from tests.accounts.house import DEPARTMENT, HEAD, NOW, OTHER, TODAY, UNITS, WARD, person, units, workbook

from motcua.accounts import powers, roster
from motcua.accounts.models import Post, Roster, User
from motcua.accounts.people import Within
from motcua.accounts.refusals import Refusal
from motcua.accounts.roster import Told
from motcua.cli.main import run
from motcua.ledger import audit
from motcua.ledger.models import Change
from motcua.web.people import importing, words

pytestmark = pytest.mark.django_db
SIX = (
    ("Trần Thị Mai", "mai.tt@mau.gov.vn", "0905 111 001", "UBND phường Mẫu", "Công chức một cửa"),
    ("Lê Văn Bình", "binh.lv@mau.gov.vn", "0905.111.002", "UBND P. Mẫu", "công chức thụ lý"),
    ("Ngô Thị Lan", "lan.nt@mau.gov.vn", "", "H99.101", "Đầu mối KSTT"),
    ("Ngô Thị Lan", "lan.nt@mau.gov.vn", "", "H99.101", "Văn thư"),
    ("Bùi Văn Sơn", "SON.BV@mau.gov.vn", "", "H99.101 – UBND phường Mẫu", "chủ tịch"),
    ("Hồ Thị Yến", "yen.ht@mau.gov.vn", "", "UBND phường Khác", "focal_point"),
)


@pytest.fixture(autouse=True)
def _province() -> None:
    units()


def _given(rows: Sequence[Sequence[str]], **how: Any) -> Roster:
    return importing.receive("ds.xlsx", workbook(rows, **how), by="quantri")


def _how(within: Within = None) -> dict[str, Any]:
    return {"resolve": importing.resolver(), "titles": words.titles(), "within": within}


def _take(given: Roster, within: Within = None) -> list[Told]:
    return roster.take(given, by="quantri", at=NOW, **_how(within))[0]


def _posts() -> set[tuple[str, str, str]]:
    return set(Post.objects.values_list("user__username", "role", "agency"))


def test_six_rows_are_five_people_known_by_name_code_or_abbreviation() -> None:
    told = _take(_given(SIX, above=("UBND TỈNH MẪU", "DANH SÁCH TÀI KHOẢN")))
    assert [one.verdict for one in told] == ["new", "new", "new", "post", "new", "new"]
    assert _posts() == {
        ("mai.tt", "clerk", WARD), ("binh.lv", "officer", WARD), ("lan.nt", "focal_point", WARD),
        ("lan.nt", "seal_clerk", WARD), ("son.bv", "unit_head", WARD), ("yen.ht", "focal_point", OTHER),
    }  # fmt: skip
    mai = User.objects.get(username="mai.tt")
    assert (mai.phone, mai.email, mai.has_usable_password()) == ("0905111001", "mai.tt@mau.gov.vn", False)
    assert powers.scope(mai, on=TODAY) == {WARD}
    assert audit.verify()["ok"] and set(Change.objects.values_list("actor", flat=True)) == {"quantri"}


def test_the_same_list_again_changes_nothing() -> None:
    _take(_given(SIX))
    before = (_posts(), Change.objects.count())
    told = _take(_given(SIX))
    assert {one.verdict for one in told} == {"same"}
    assert (_posts(), Change.objects.count()) == before
    taken = _given(SIX)
    _take(taken)
    with pytest.raises(Refusal, match=r"^roster\.taken"):
        _take(taken)


def test_a_second_list_adds_posts_and_completes_what_is_known_and_takes_nothing_away() -> None:
    _take(_given(SIX))
    told = _take(_given([
        ("Trần Thị Mai", "mai.tt@mau.gov.vn", "", "H99.101", "clerk"),
        ("Lê Văn Bình", "binh.lv@mau.gov.vn", "0905999888", "H99.101", "officer"),
        ("Bùi Văn Sơn", "son.bv@mau.gov.vn", "", "H99.102", "unit_head"),
    ]))  # fmt: skip
    assert [one.verdict for one in told] == ["same", "corrected", "post"]
    assert User.objects.get(username="mai.tt").phone == "0905111001", "an empty cell takes nothing away"
    assert User.objects.get(username="binh.lv").phone == "0905999888"
    assert ("son.bv", "unit_head", OTHER) in _posts() and ("son.bv", "unit_head", WARD) in _posts()


WRONG = {
    "no name": (("", "a@mau.gov.vn", "", "H99.101", "clerk"), "account.full_name", "full_name"),
    "no e-mail": (("Trần Thị A", "", "", "H99.101", "clerk"), "account.email", "email"),
    "e-mail that is none": (("Trần Thị A", "a@", "", "H99.101", "clerk"), "account.email", "email"),
    "phone that is none": (("Trần Thị A", "a@mau.gov.vn", "12", "H99.101", "clerk"), "account.phone", "phone"),
    "unknown unit": (("Trần Thị A", "a@mau.gov.vn", "", "UBND xã Không Có", "clerk"), "post.unit_unknown", "unit"),
    "unknown role": (("Trần Thị A", "a@mau.gov.vn", "", "H99.101", "bảo vệ"), "post.role", "role"),
    "no unit": (("Trần Thị A", "a@mau.gov.vn", "", "", "clerk"), "post.unit", "unit"),
    "another's e-mail": (("Trần Thị A", "cu@mau.gov.vn", "", "H99.101", "clerk"), "account.known", "email"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_row_is_refused_by_its_reason_and_the_others_are_taken(what: str) -> None:
    person("nguoicu", "clerk", WARD, full_name="Người Cũ", email="cu@mau.gov.vn")
    row, reason, column = WRONG[what]
    told = _take(_given([SIX[0], row]))
    assert [(one.verdict, one.reason, one.column) for one in told] == [("new", "", ""), ("refused", reason, column)]
    assert words.refusal(Refusal(told[1].reason, **told[1].facts))
    assert User.objects.count() == 2


def test_one_e_mail_for_two_people_of_the_list_is_refused() -> None:
    told = _take(_given([SIX[0], ("Lê Văn Khác", "mai.tt@mau.gov.vn", "", "H99.101", "clerk")]))
    assert [one.verdict for one in told] == ["new", "refused"]
    assert "dòng 2" in words.refusal(Refusal(told[1].reason, **told[1].facts))


def test_a_units_administrator_brings_people_into_the_own_unit_and_roles_alone() -> None:
    rows = [*SIX, ("Vũ Thị Hạnh", "hanh.vt@mau.gov.vn", "", "", "Chuyên viên kiểm soát TTHC")]
    told = _take(_given(rows), within=frozenset({WARD}))
    assert [one.reason for one in told if one.verdict == "refused"] == ["post.unit_not_yours", "post.role_not_yours"]
    assert {agency for _, _, agency in _posts()} == {WARD}


def test_nothing_is_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    given = _given(SIX)
    give, calls = roster.posts.give, []

    def breaks(**facts: Any) -> Post:
        calls.append(facts)
        if len(calls) == 4:
            raise RuntimeError("the machine stops here")
        return give(**facts)

    monkeypatch.setattr(roster.posts, "give", breaks)
    with pytest.raises(RuntimeError):
        _take(given)
    assert not User.objects.exists() and not Change.objects.exists()
    monkeypatch.undo()
    assert roster.counts(_take(Roster.objects.get(pk=given.pk)))["refused"] == 0, "and it can be done again"


def test_a_name_that_nobody_knows_is_said_once_for_the_list() -> None:
    given = _given([("Trần Thị A", "a@mau.gov.vn", "", "Phòng một cửa liên thông số ba", "clerk")])
    assert roster.judge(given, on=TODAY, **_how())[0].reason == "post.unit_unknown"
    given.units = {"Phòng một cửa liên thông số ba": WARD}
    given.save()
    assert _take(given)[0].unit == WARD


def test_a_whole_province_goes_in_at_once_in_few_questions(django_assert_max_num_queries: Any) -> None:
    rows = [
        (f"Nguyễn Văn {n}", f"nv{n}@mau.gov.vn", f"09051{n:05}", list(UNITS.values())[n % 3], "Công chức thụ lý")
        for n in range(170)
    ]
    given = _given(rows)
    with django_assert_max_num_queries(12):
        told = roster.judge(given, on=TODAY, **_how())
    assert roster.counts(told)["new"] == 170
    assert roster.counts(_take(given))["new"] == 170
    assert User.objects.count() == Post.objects.count() == 170


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"Ho ten;Email;Vai tro;Don vi\nTran Thi A;a@mau.gov.vn;clerk;H99.101\n", "ds.csv"),
        ("<html><table><tr><th>Họ tên</th><th>Email</th><th>Vai trò</th><th>Đơn vị</th></tr><tr><td>Tran Thi A</td>"
         "<td>a@mau.gov.vn</td><td>clerk</td><td>H99.101</td></tr></table></html>".encode(), "ds.xls"),
    ],
    ids=["csv without marks", "web page saved as xls"],
)  # fmt: skip
def test_other_files_of_offices_are_read_too(content: bytes, name: str) -> None:
    _take(importing.receive(name, content, by="quantri"))
    assert _posts() == {("a", "clerk", WARD)}


@pytest.mark.parametrize(
    ("content", "code"),
    [(workbook([("x", "y")], head=("Một", "Hai")), "roster.none"), (workbook([]), "roster.nothing")],
    ids=["no headings", "nothing below"],
)  # fmt: skip
def test_a_file_that_is_no_list_says_so_and_keeps_nothing(content: bytes, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        importing.receive("ds.xlsx", content, by="quantri")
    assert not Roster.objects.exists()


def test_the_template_has_drop_downs_and_filled_in_it_goes_through() -> None:
    blank = importing.blank(None, sorted(UNITS.items())).getvalue()
    with zipfile.ZipFile(io.BytesIO(blank)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<dataValidation ") == 2 and "$A$2:$A$4" in sheet
    opened = CalamineWorkbook.from_filelike(io.BytesIO(blank))
    head = opened.get_sheet_by_index(0).to_python()[0]
    choices = [row[0] for row in opened.get_sheet_by_index(1).to_python()[1:4]]
    row = ["Trần Thị A", "a@mau.gov.vn", "", choices[1], "Quản trị đơn vị", "", "06/03/2026", "31/12/2026"]
    _take(_given([row], head=[str(cell) for cell in head]))
    post = Post.objects.get()
    assert (post.role, post.agency) == ("administrator", choices[1].split(" ")[0])
    assert (str(post.valid_from), str(post.valid_to)) == ("2026-03-06", "2026-12-31")


def test_refused_rows_come_back_as_they_were_and_corrected_there_go_in() -> None:
    given = _given([SIX[0], ("Trần Thị A", "a@mau.gov.vn", "", "UBND xã Không Có", "clerk")])
    told = _take(given)
    back = CalamineWorkbook.from_filelike(importing.refused(given, told)).get_sheet_by_index(0).to_python()
    assert back[0][:5] == list(HEAD) and back[1][:4] == ["Trần Thị A", "a@mau.gov.vn", "", "UBND xã Không Có"]
    assert back[1][5] == 3 and "Chưa rõ đơn vị" in back[1][6]
    corrected = [*back[1][:3], UNITS[DEPARTMENT], back[1][4]]
    assert _take(_given([[str(cell) for cell in corrected]], head=HEAD))[0].verdict == "new"


@pytest.mark.django_db(transaction=True, databases=["default", "mirror"])
def test_the_command_does_the_same(home: Path, tmp_path: Path, capsys: Any) -> None:
    file, refused, sheets = tmp_path / "ds.xlsx", tmp_path / "tu-choi.xlsx", tmp_path / "phieu.pdf"
    file.write_bytes(workbook([*SIX, ("Trần Thị A", "a@mau.gov.vn", "", "UBND xã Không Có", "clerk")]))
    assert run(["user", "import", str(file), "--check"]) == 1
    assert "checked only" in capsys.readouterr().out and not User.objects.exists()
    assert run(["user", "import", str(file), "--refused", str(refused)]) == 1
    said = capsys.readouterr().out
    assert "5 new, 1 post" in said and "row 8: “UBND xã Không Có” is no known agency" in said
    assert refused.exists() and User.objects.count() == 5
    assert run(["user", "invite", "--address", "https://motcua.example.vn", "--sheets", str(sheets)]) == 0
    assert sheets.read_bytes().startswith(b"%PDF") and "5 sheets" in capsys.readouterr().out
    assert (
        run(["user", "move", "mai.tt", "--role", "clerk", "--agency", WARD, "--to", OTHER, "--on", "2030-01-01"]) == 0
    )
    assert f"clerk {OTHER} 2030-01-01.." in capsys.readouterr().out
    assert run(["user", "end", "mai.tt", "--role", "officer", "--agency", WARD]) == 2
    assert run(["user", "import", str(tmp_path / "nothing.xlsx")]) == 2
