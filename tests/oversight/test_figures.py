"""Figures as architecture §2 has them: what was known when, what is late where, what is counted once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.story import Case, at

from motcua.catalogue.models import Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.mirror.load import load
from motcua.oversight import extract, figures
from motcua.oversight.figures import Question
from motcua.rules.policies import POLICIES

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T09:00")
CODE = "H99.12-260302-0001"
ON_TIME, LATE = "2026-03-06T15:00", "2026-03-10T10:00"
WIRE_ON_TIME, WIRE_LATE = "20260306150000", "20260310100000"


@pytest.fixture
def known(home: Path, tmp_path: Path) -> Any:
    """Stores a case, at an instant, and brings the facts up to date."""
    Procedure.objects.create(code="1.000001", core="1.000001", name="Thủ tục", allotted="5d")

    def store(case: Case, when: str = "2026-04-01T09:00") -> None:
        folder = tmp_path / when.replace(":", "")
        folder.mkdir()
        dossiers, events, messages = case.write(folder)
        if case.dossiers or case.events:
            import_files(Order(files=(dossiers, events), home=home, at=at(when), create_missing=True))
        load([messages], at=at(when))
        extract.run(home=home, at=NOW)

    return store


def _causes(home: Path, **asked: Any) -> dict[str, str]:
    found = figures.inspect(home, Question(**asked), now=NOW)["findings"]
    return {f["cause"]: f["evidence"].get("sub_cause", "") for f in found}


def test_what_arrived_there_later_was_not_known_before(home: Path, known: Any) -> None:
    """The end came in on the second day of loading: until then the portal showed the dossier open."""
    first, second = Case(), Case()
    first.dossier(CODE)
    first.event(CODE, "finished", ON_TIME)
    first.record(CODE, 2, updating=False)
    first.step(CODE, 2, "20260302083000")
    second.record(CODE, 9)
    second.step(CODE, 9, WIRE_ON_TIME)
    known(first, "2026-03-20T09:00")
    known(second, "2026-03-25T09:00")
    assert _causes(home, known_at=at("2026-03-21T09:00")) == {"update_not_sent": ""}
    assert _causes(home) == {}


def test_an_act_entered_later_was_not_known_before_though_the_file_came_today(home: Path, known: Any) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "finished", ON_TIME, recorded="2026-03-12T08:00")
    known(case)
    for moment, late in (("2026-03-11T08:00", 1), ("2026-03-13T08:00", 0)):
        document = figures.bridge(home, Question(as_of=at("2026-03-10T12:00"), known_at=at(moment)), now=NOW)
        assert (document["population"], document["late_recorded"]) == (1, late)


def test_a_duplicate_that_is_late_there_is_late_in_the_rates_too(home: Path, known: Any) -> None:
    case = Case()
    case.dossier(CODE, applicant="Người trùng")
    case.event(CODE, "finished", ON_TIME)
    case.record(CODE, 9, updating=False, ChuHoSo="Người trùng")
    case.step(CODE, 9, WIRE_ON_TIME)
    case.record("H99.12-260302-54321", 2, updating=False, ChuHoSo="Người trùng")
    known(case)
    total = figures.rates(home, Question(), now=NOW, verdict="shown")["total"]
    assert total["late"] + total["open_overdue"] == figures.bridge(home, Question(), now=NOW)["late_shown"] == 1
    assert total["received"] == total["finished"] + total["open"] == 1


def test_rates_of_the_reception_count_the_reception(home: Path, known: Any) -> None:
    case = Case()
    for n, (submitted, received) in enumerate(
        [("2026-03-02T08:00", "2026-03-02T08:30"), ("2026-03-02T08:00", "2026-03-05T08:30"), ("2026-03-02T08:00", "")],
        1,
    ):
        case.dossier(f"H99.12-260302-{n:04}", received_at=received, submitted_at=submitted, channel="online", due="")
    case.dossier("H99.12-260302-0009")
    known(case)
    document = figures.bridge(home, Question(measure="reception"), now=NOW)
    total = figures.rates(home, Question(measure="reception"), now=NOW)["total"]
    assert (total["received"], total["finished"], total["open"]) == (3, 2, 1)
    assert total["late"] + total["open_overdue"] == document["late_recorded"] == 2


@pytest.mark.parametrize(
    ("story", "cause", "sub_cause"),
    [
        ("refused", "missing_there", "refused"),
        ("another is there", "missing_there", "never_sent"),
        ("nobody looked", "not_enough_data", "record_there"),
    ],
)
def test_a_dossier_that_is_not_there_says_why(home: Path, known: Any, story: str, cause: str, sub_cause: str) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "finished", LATE)
    if story == "refused":
        case.record(CODE, 2, updating=False, NgayHenTra="31/02/2026")
    if story == "another is there":
        case.dossier("H99.12-260302-0002")
        case.record("H99.12-260302-0002", 2, updating=False)
    known(case)
    [finding] = figures.inspect(home, Question(), now=NOW)["findings"]
    assert (finding["dossier"], finding["cause"], finding["evidence"]["sub_cause"]) == (CODE, cause, sub_cause)
    assert ("delivery_message" in finding["evidence"]) == (story == "refused")


def test_an_end_sent_under_a_status_that_does_not_exist_is_unmapped(home: Path, known: Any) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "finished", ON_TIME)
    case.record(CODE, 2, updating=False)
    case.step(CODE, 2, "20260302083000")
    case.record(CODE, 11)
    known(case)
    assert _causes(home) == {"status_unmapped": ""}


def test_a_second_extension_is_one_too_many_whatever_the_first_was(home: Path, known: Any) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "extended", "2026-03-03T10:00", due="2026-03-11T17:00", document="no")
    case.event(CODE, "extended", "2026-03-05T10:00", due="2026-03-16T17:00", document="yes")
    case.event(CODE, "finished", "2026-03-13T10:00")
    known(case)
    assert figures.bridge(home, Question(), now=NOW)["late_true"] == 1


def test_what_is_disputed_does_not_depend_on_the_policy_asked(home: Path, known: Any) -> None:
    case = Case()
    for n, (kind, back, end) in enumerate([("supplement_requested", "supplement_received", LATE),
                                           ("suspended", "resumed", "2026-03-11T09:00")], 1):  # fmt: skip
        code = f"H99.12-260302-{n:04}"
        case.dossier(code)
        case.event(code, kind, "2026-03-03T10:00", document="yes")
        case.event(code, back, "2026-03-05T10:00")
        case.event(code, "finished", end)
    known(case)
    counts = {name: figures.bridge(home, Question(policy=name), now=NOW)["disputed"] for name in POLICIES}
    assert len(set(counts.values())) == 1, counts


def test_a_result_handed_over_later_was_not_there_before(home: Path, known: Any) -> None:
    """9 was never sent, 10 came on the 20th: on the 15th nothing said that the dossier had ended."""
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "finished", ON_TIME)
    case.event(CODE, "returned", "2026-03-20T10:00")
    case.record(CODE, 2, updating=False)
    case.step(CODE, 2, "20260302083000")
    case.record(CODE, 10, NgayTra="20260320100000")
    case.step(CODE, 10, "20260320100000")
    known(case)
    assert _causes(home, as_of=at("2026-03-15T09:00")) == {"update_not_sent": ""}
    assert _causes(home) == {"only_return_sent": ""}


def test_an_agency_is_known_by_the_catalogue_or_by_a_dossier(home: Path, known: Any) -> None:
    case = Case()
    case.dossier(CODE)
    case.record("H99.55-260302-0001", 2, updating=False)
    known(case)
    assert [figures.knows_agency(home, code) for code in ("H99.12", "H99.55", "H99.77")] == [True, True, False]


@pytest.mark.parametrize(
    ("fields", "cause"), [({}, "step_lost"), ({"NgayNopHoSo": ""}, "not_enough_data")], ids=["step", "submission"]
)
def test_the_first_answer_can_be_lost_in_the_log_alone(
    home: Path, known: Any, fields: dict[str, str], cause: str
) -> None:
    late = bool(fields)  # without the submission there, a late answer cannot be late there
    case = Case()
    case.dossier(CODE, submitted_at="2026-02-25T08:00" if late else "2026-03-02T08:00", channel="online")
    case.event(CODE, "finished", ON_TIME)
    told = {"KenhThucHien": "2", "NgayNopHoSo": "20260302080000", **fields}
    case.record(CODE, 2, updating=False, **told)
    if late:
        case.step(CODE, 2, "20260302083000")
    case.record(CODE, 9, **told)
    case.step(CODE, 9, WIRE_ON_TIME)
    known(case)
    assert list(_causes(home, measure="reception")) == [cause]
