"""The first day: two lists and no messages. What a list states is shown, and what it cannot tell is said."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from tests.story import Case, at

from motcua.catalogue.models import Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.dossiers.importing.sources import Fault
from motcua.mirror.load import load
from motcua.oversight import extract, figures, published
from motcua.oversight.figures import Filter, Question
from motcua.oversight.published import Head
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T09:00")
ON_TIME, LATE = "2026-03-06T15:00", "2026-03-10T10:00"


@pytest.fixture
def province(home: Path, tmp_path: Path) -> Path:
    """Six dossiers of the one-stop list: three on time, one of them by evidence only; one open; two late."""
    Procedure.objects.create(code="1.000001", core="1.000001", name="Thủ tục", allotted="5d")
    case = Case()
    for n in range(1, 7):
        case.dossier(_code(n), applicant=f"Người {n}")
    for n in (1, 2):
        case.event(_code(n), "finished", ON_TIME)
    case.event(_code(3), "finished", LATE, evidence=ON_TIME)
    for n in (4, 5):
        case.event(_code(n), "finished", LATE)
    dossiers, events, _ = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    return home


def _code(n: int) -> str:
    return f"H99.12-260302-{n:04}"


def _listed(home: Path, tmp_path: Path, text: str, *, keep_going: bool = False, **head: Any) -> published.TakenIn:
    file = tmp_path / f"list{len(list(tmp_path.iterdir()))}.csv"
    file.write_text(text, encoding="utf-8")
    taken = published.take_in(file, Head(**{"dated_at": NOW, **head}), at=NOW, keep_going=keep_going)
    extract.run(home=home, at=NOW)
    return taken


def _bridge(home: Path, as_of: datetime = NOW, measure: str = "all") -> dict[str, Any]:
    document = figures.bridge(home, Question(as_of=as_of, measure=measure), now=NOW, by="agency")  # type: ignore[arg-type]
    for row in [document, *document["rows"]]:
        net = Counter()
        for cause in row["causes"]:
            net[cause["leg"]] += cause["removed"] - cause["added"]
        assert row["late_shown"] - net["sync"] == row["late_recorded"]
        assert row["late_recorded"] - net["record"] == row["late_true"]
    return document


def _causes(document: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {c["cause"]: (c["removed"], c["added"]) for c in document["causes"] if c["removed"] or c["added"]}


def test_codes_alone_are_stated_late_and_their_cause_needs_more(province: Path, tmp_path: Path) -> None:
    _listed(province, tmp_path, "\n".join([_code(1), _code(3), _code(4), _code(6), "H99.12-260302-0099"]))
    document = _bridge(province)
    assert (document["late_shown"], document["late_recorded"], document["late_true"]) == (5, 4, 3)
    assert document["stated"] == 5 and document["not_enough_data"] == 2
    assert _causes(document) == {"not_enough_data": (1, 1), "missing_here": (1, 0), "late_entry": (1, 0)}
    found = figures.inspect(province, Question(as_of=NOW), now=NOW, checks=("not_enough_data",))["findings"]
    told = [(f["dossier"], f["evidence"]["sub_cause"]) for f in found]
    assert told == [(_code(1), "record_there"), (_code(5), "record_there")]


def test_what_a_list_does_not_name_is_missing_there_only_where_records_of_its_source_are_known(
    province: Path, tmp_path: Path
) -> None:
    """A list of late dossiers does not tell whether the portal has the others, on time or not at all."""
    _listed(province, tmp_path, _code(4))
    assert _causes(_bridge(province)) == {"not_enough_data": (0, 3), "late_entry": (1, 0)}
    case = Case()
    case.record(_code(1), 9, updating=False)
    case.step(_code(1), 9, "20260306150000")
    folder = tmp_path / "wire"
    folder.mkdir()
    load([case.write(folder)[2]], at=NOW)
    assert _causes(_bridge_after(province)) == {"missing_there": (0, 3), "late_entry": (1, 0)}


def test_a_list_that_tells_due_and_end_tells_the_cause_too(province: Path, tmp_path: Path) -> None:
    text = "\n".join(
        [
            "BÁO CÁO HỒ SƠ QUÁ HẠN;;;;",
            "Stt;Mã hồ sơ;Ngày hẹn trả;Ngày kết thúc;Đơn vị xử lý",
            f"1;{_code(1)};09/03/2026 17:00;11/03/2026 09:00;Phường Mẫu",  # ended later there
            f"2; {_code(2).lower()} ;05/03/2026 17:00;06/03/2026 15:00;Phường Mẫu",  # another due date there
            f"3;{_code(4)};09/03/2026 17:00;10/03/2026 10:00;Phường Mẫu",  # late on both sides
            "Tổng cộng: ;;;;",
        ]
    )
    taken = _listed(province, tmp_path, text, measure="finished")
    assert (taken.rows, taken.late) == (3, 3)
    assert _causes(_bridge(province, measure="finished")) == {
        "finish_differs": (1, 0), "due_not_carried": (1, 0), "not_enough_data": (0, 2), "late_entry": (1, 0)
    }  # fmt: skip


def test_the_end_that_a_list_lacks_asks_for_the_step_log(province: Path, tmp_path: Path) -> None:
    """Shown open and overdue while the record has an end: who lost the step, a list cannot tell."""
    text = f"Mã hồ sơ,Hạn trả\n{_code(1)},09/03/2026\n"
    _listed(province, tmp_path, text, measure="open")
    found = figures.inspect(province, Question(as_of=NOW), now=NOW, checks=("not_enough_data",))["findings"]
    assert ("step_log_there", _code(1)) in [(f["evidence"]["sub_cause"], f["dossier"]) for f in found]


def test_words_of_a_verdict_decide_and_an_unknown_word_is_refused(province: Path, tmp_path: Path) -> None:
    rows = [f"{_code(1)},Đúng hạn", f"{_code(2)},QUÁ HẠN 2 ngày", f"{_code(3)},Trễ hẹn", f"{_code(4)},Sắp đến hạn"]
    taken = _listed(province, tmp_path, "\n".join(["Mã hồ sơ,Tình trạng", *rows]))
    assert (taken.rows, taken.late) == (4, 2)
    with pytest.raises(Fault, match=r"list.*row 2: 'chưa rõ' is not a verdict"):
        _listed(province, tmp_path, f"Mã hồ sơ,Tình trạng\n{_code(1)},chưa rõ\n")
    taken = _listed(province, tmp_path, f"Mã hồ sơ,Tình trạng\n{_code(1)},chưa rõ\n{_code(2)},trễ\n"
                    f"{_code(3)},Trễ hạn\n", keep_going=True)  # fmt: skip
    assert taken.rows == 1 and [row for row, _ in taken.refused] == [2, 3]


def test_the_newest_list_speaks_and_only_from_its_day_on(province: Path, tmp_path: Path) -> None:
    _listed(province, tmp_path, f"{_code(1)}\n{_code(2)}", dated_at=at("2026-03-12T23:59"))
    _listed(province, tmp_path, _code(1), dated_at=at("2026-03-19T23:59"))
    late = {moment: _bridge(province, at(moment))["late_shown"] for moment in
            ("2026-03-11T09:00", "2026-03-13T09:00", "2026-03-20T09:00")}  # fmt: skip
    assert late == {"2026-03-11T09:00": 0, "2026-03-13T09:00": 2, "2026-03-20T09:00": 1}


def test_where_a_copy_exists_the_copy_is_shown_and_the_difference_listed(province: Path, tmp_path: Path) -> None:
    case = Case()
    for n in (1, 4):
        case.record(_code(n), 9, updating=False)
        case.step(_code(n), 9, "20260306150000" if n == 1 else "20260310100000")
    folder = tmp_path / "wire"
    folder.mkdir()
    load([case.write(folder)[2]], at=NOW)
    _listed(province, tmp_path, f"{_code(1)}\n{_code(4)}")
    document = _bridge(province)
    assert (document["stated"], document["differs_from_stated"]) == (0, 1)
    listed = figures.dossiers(province, Question(as_of=NOW), Filter(flag="differs_from_stated"), now=NOW)
    assert [row["dossier"] for row in listed["rows"]] == [_code(1)]


def test_a_list_withdrawn_is_kept_and_out_of_every_figure(province: Path, tmp_path: Path) -> None:
    before = _bridge_after(province)
    taken = _listed(province, tmp_path, f"{_code(1)}\nH99.12-260302-0099")
    assert _bridge(province)["late_shown"] == 2
    published.withdraw(taken.list_id, at=NOW)
    assert _bridge_after(province) == before
    assert [one["rows"] for one in published.in_force()] == [2]
    with pytest.raises(Unreadable):
        published.withdraw(taken.list_id, at=NOW)


def _bridge_after(home: Path) -> dict[str, Any]:
    extract.run(home=home, at=NOW)
    return _bridge(home)


def test_the_same_list_again_changes_nothing(province: Path, tmp_path: Path) -> None:
    first = _listed(province, tmp_path, f"{_code(1)}\n{_code(1)}\n{_code(2)}")
    assert (first.rows, first.repeated) == (2, 1)
    again = _listed(province, tmp_path, f"{_code(1)}\n{_code(1)}\n{_code(2)}")
    assert again.already and again.list_id == first.list_id


def test_a_code_in_the_other_form_finds_its_dossier(province: Path, tmp_path: Path) -> None:
    _listed(province, tmp_path, "000.00.12.H99-260302-0001")
    assert _causes(_bridge(province))["not_enough_data"] == (1, 4)


def test_a_workbook_with_titles_and_real_dates_is_read(province: Path, tmp_path: Path) -> None:
    file = tmp_path / "phu luc.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet.merge_range(0, 0, 0, 3, "Phụ lục. Danh sách hồ sơ quá hạn")
        sheet.write_row(2, 0, ["STT", "Mã hồ sơ", "Ngày hẹn trả", "Ngày kết thúc"])
        sheet.write_row(3, 0, [1, _code(1)])
        sheet.write_datetime(3, 2, datetime(2026, 3, 9, 17), day)  # noqa: DTZ001
        sheet.write_datetime(3, 3, datetime(2026, 3, 11, 9), day)  # noqa: DTZ001
    published.take_in(file, Head(dated_at=NOW, measure="finished"), at=NOW)
    extract.run(home=province, at=NOW)
    assert _causes(_bridge(province, measure="finished"))["finish_differs"] == (1, 0)


def test_a_file_without_codes_is_unusable_and_keeps_nothing(province: Path, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="no column holds dossier codes"):
        _listed(province, tmp_path, "Họ tên,Ngày\nNguyễn Văn A,01/03/2026\n")
    assert published.in_force() == []


def test_reception_lists_speak_of_reception_alone(province: Path, tmp_path: Path) -> None:
    _listed(province, tmp_path, _code(1), measure="reception")
    assert _bridge(province)["late_shown"] == 0
    document = _bridge(province, measure="reception")
    assert document["late_shown"] == 1 and _causes(document) == {"not_enough_data": (1, 0)}


def test_a_list_of_today_speaks_at_once_and_one_of_tomorrow_is_refused(province: Path, tmp_path: Path) -> None:
    _listed(province, tmp_path, _code(1), dated_at=at("2026-04-01T23:59:59"))
    assert _bridge(province)["late_shown"] == 1
    with pytest.raises(Unreadable, match="02/04/2026, a day that is still to come"):
        _listed(province, tmp_path, _code(2), dated_at=at("2026-04-02T23:59:59"))
