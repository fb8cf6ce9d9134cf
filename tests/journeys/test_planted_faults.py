"""From canonical files and messages to the bridge: planted faults are found with their cause, nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.story import Case, at

from motcua.catalogue.models import Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.mirror.load import load
from motcua.oversight import explain, extract, figures
from motcua.oversight.figures import Filter, Question

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])

NOW = at("2026-04-01T09:00")
ON_TIME, LATE = "2026-03-06T15:00", "2026-03-10T10:00"
WIRE_ON_TIME, WIRE_LATE = "20260306150000", "20260310100000"


def _done(case: Case, code: str, wire: str = WIRE_ON_TIME, **fields: str) -> None:
    """The portal's side of a dossier whose every message arrived."""
    case.record(code, 2, updating=False, **fields)
    case.step(code, 2, "20260302083000")
    case.record(code, 9, **fields)
    case.step(code, 9, wire)


def _planted() -> tuple[Case, dict[str, tuple[str, str]]]:
    """One dossier per fault, honest ones between, and what must be found of each."""
    case, wanted = Case(), {}

    def dossier(name: str, cause: str = "", leg: str = "", **facts: Any) -> str:
        code = f"H99.12-260302-{len(case.dossiers) + 1:04}"
        case.dossier(code, **{"applicant": f"Người {name}", **facts})
        if cause:
            wanted[code] = (leg, cause)
        return code

    for n in range(5):
        code = dossier(f"đúng hạn {n}")
        case.event(code, "finished", ON_TIME)
        _done(case, code)
    code = dossier("trễ thật")
    case.event(code, "finished", LATE)
    _done(case, code, WIRE_LATE)

    code = dossier("chưa gửi", "update_not_sent", "sync")
    case.event(code, "finished", ON_TIME)
    case.record(code, 2, updating=False)
    case.step(code, 2, "20260302083000")

    code = dossier("bị từ chối", "update_refused", "sync")
    case.event(code, "finished", ON_TIME)
    case.record(code, 2, updating=False)
    case.step(code, 2, "20260302083000")
    case.record(code, 9, GhiChu="x" * 2001)

    code = dossier("mất bước", "step_lost", "sync")
    case.event(code, "finished", ON_TIME)
    case.record(code, 2, updating=False)
    case.step(code, 2, "20260302083000")
    case.record(code, 9)

    code = dossier("chỉ trả", "only_return_sent", "sync")
    case.event(code, "finished", ON_TIME)
    case.event(code, "returned", LATE)
    case.record(code, 2, updating=False)
    case.step(code, 2, "20260302083000")
    case.record(code, 10)
    case.step(code, 10, WIRE_LATE)

    code = dossier("lệch giờ", "clock_shift", "sync", due="2026-03-06T17:00")
    case.event(code, "finished", ON_TIME)
    _done(case, code, "20260306220000", NgayHenTra="20260306170000")

    code = dossier("gửi sớm", "closed_early_there", "sync")
    case.event(code, "finished", LATE)
    _done(case, code, "20260302083000")

    code = dossier("lệch kết thúc", "finish_differs", "sync")
    case.event(code, "finished", ON_TIME)
    _done(case, code, "20260311090000")

    code = dossier("chưa gửi tạm dừng", "pause_not_carried", "sync")
    case.event(code, "supplement_requested", "2026-03-03T10:00", document="yes")
    case.event(code, "supplement_received", "2026-03-05T10:00")
    case.event(code, "finished", LATE)
    _done(case, code, WIRE_LATE)

    code = dossier("lệch hạn", "due_not_carried", "sync")
    case.event(code, "extended", "2026-03-05T10:00", due="2026-03-12T17:00", document="yes")
    case.event(code, "finished", LATE)
    _done(case, code, WIRE_LATE)

    code = dossier("chưa có bên Cổng", "missing_there", "sync")
    case.event(code, "finished", LATE)

    case.record("H99.12-260302-9001", 2, updating=False, ChuHoSo="Người lạ")
    wanted["H99.12-260302-9001"] = ("sync", "missing_here")

    code = dossier("trùng", "duplicate_there", "sync")
    case.event(code, "finished", ON_TIME)
    _done(case, code, ChuHoSo="Người trùng")
    case.record("H99.12-260302-54321", 2, updating=False, ChuHoSo="Người trùng")

    code = dossier("sai thủ tục", "misplaced_there", "sync")
    case.event(code, "finished", ON_TIME)
    _done(case, code, MaTTHC="1.000002", NgayHenTra="")

    code = dossier("khác cách tính", "rule_differs", "sync", due="2026-04-10T17:00")
    case.event(code, "supplement_requested", "2026-03-03T10:00", document="yes")
    case.event(code, "supplement_received", "2026-03-05T10:00")
    case.event(code, "supplement_requested", "2026-03-12T10:00", document="yes")
    case.record(code, 5, updating=False, NgayHenTra="20260410170000")
    for status, when in ((2, "20260302083000"), (5, "20260303100000"), (4, "20260305100000"), (5, "20260312100000")):
        case.step(code, status, when)

    code = dossier("chậm thao tác", "late_entry", "record")
    case.event(code, "finished", LATE, evidence=ON_TIME)
    _done(case, code, WIRE_LATE)

    code = dossier("lùi ngày", "back_dated", "record")
    case.event(code, "finished", ON_TIME, evidence=LATE)
    _done(case, code)

    code = dossier("thiếu bước", "step_skipped", "record")
    case.event(code, "step_finished", ON_TIME, step="ký", evidence=ON_TIME)
    case.record(code, 4, updating=False)
    case.step(code, 4, WIRE_ON_TIME)

    code = dossier("sửa hạn", "due_moved", "record")
    case.event(code, "extended", "2026-03-09T10:00", due="2026-03-12T17:00", document="yes")
    case.event(code, "finished", LATE)
    _done(case, code, WIRE_LATE, NgayHenTra="20260312170000")

    code = dossier("tạm dừng không căn cứ", "pause_unlawful", "record")
    case.event(code, "suspended", "2026-03-04T08:00", document="no")
    case.event(code, "resumed", "2026-03-06T08:00")
    case.event(code, "finished", LATE)
    _done(case, code, WIRE_LATE, NgayHenTra="20260311170000")
    return case, wanted


@pytest.fixture
def inspected(home: Path, tmp_path: Path) -> dict[str, tuple[str, str]]:
    """The planted province, imported, loaded and extracted."""
    for code, allotted in (("1.000001", "5d"), ("1.000002", "1d")):
        Procedure.objects.create(code=code, core=code, name=f"Thủ tục {code}", allotted=allotted)
    case, wanted = _planted()
    dossiers, events, messages = case.write(tmp_path)
    result = import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    assert result.dossiers == len(case.dossiers)
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)
    return wanted


def _assert_identities(row: dict[str, Any]) -> None:
    net = Counter()
    for cause in row["causes"]:
        net[cause["leg"]] += cause["removed"] - cause["added"]
    assert row["late_shown"] - net["sync"] == row["late_recorded"]
    assert row["late_recorded"] - net["record"] == row["late_true"]


def test_every_planted_fault_is_found_with_its_cause_and_nothing_else(inspected: Any, home: Path) -> None:
    found = figures.inspect(home, Question(), now=NOW)["findings"]
    assert {f["dossier"]: (f["leg"], f["cause"]) for f in found} == inspected
    assert len(found) == len(inspected)


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
@pytest.mark.parametrize("measure", ["reception", "open", "finished", "all"])
def test_both_legs_add_up_in_every_row_on_every_engine(inspected: Any, home: Path, engine: str, measure: str) -> None:
    question = Question(measure=measure, engine=engine)  # type: ignore[arg-type]
    document = figures.bridge(home, question, now=NOW, by="agency")
    for row in [document, *document["rows"]]:
        _assert_identities(row)
    assert sum(row["late_shown"] for row in document["rows"]) == document["late_shown"]
    assert document == figures.bridge(home, Question(measure=measure), now=NOW, by="agency")  # type: ignore[arg-type]


def test_every_number_opens_a_list_of_exactly_so_many_dossiers(inspected: Any, home: Path) -> None:
    document = figures.bridge(home, Question(), now=NOW)
    for side in ("shown", "recorded", "true"):
        listed = figures.dossiers(home, Question(), Filter(side=side), now=NOW, limit=500)
        assert listed["total"] == len(listed["rows"]) == document[f"late_{side}"]
    for cause in document["causes"]:
        for direction in ("removed", "added"):
            chosen = Filter(leg=cause["leg"], cause=cause["cause"], direction=direction)
            assert figures.dossiers(home, Question(), chosen, now=NOW)["total"] == cause[direction]


def test_the_late_of_the_rates_are_the_late_of_the_bridge(inspected: Any, home: Path) -> None:
    document = figures.bridge(home, Question(), now=NOW)
    for side in ("recorded", "true"):
        total = figures.rates(home, Question(), now=NOW, verdict=side)["total"]
        assert total["late"] + total["open_overdue"] == document[f"late_{side}"]
        assert total["received"] == total["finished"] + total["open"]
        assert total["finished"] == total["early"] + total["on_time"] + total["late"]


@pytest.mark.parametrize("as_of", ["2026-03-03T12:00", "2026-03-07T00:00", "2026-03-10T12:00"])
def test_a_figure_of_an_earlier_instant_adds_up_too(inspected: Any, home: Path, as_of: str) -> None:
    document = figures.bridge(home, Question(as_of=at(as_of)), now=NOW, by="procedure")
    for row in [document, *document["rows"]]:
        _assert_identities(row)


def test_a_switch_of_the_portals_rule_changes_what_is_shown(
    inspected: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of several 9s counts there is unverified: by the last, an end sent early no longer hides a late one."""
    case = Case()
    code = next(code for code, found in inspected.items() if found[1] == "closed_early_there")
    case.step(code, 9, WIRE_LATE)
    load([case.write(tmp_path)[2]], at=NOW)
    extract.run(home=home, at=NOW)
    chosen = Filter(leg="sync", cause="closed_early_there")
    assert figures.dossiers(home, Question(), chosen, now=NOW)["total"] == 1
    profile = tmp_path / "profile.toml"
    profile.write_text("[rule]\nlast_nine = true\n")
    monkeypatch.setenv("MOTCUA_MIRROR_PROFILE", str(profile))
    assert figures.dossiers(home, Question(), chosen, now=NOW)["total"] == 0
    asked = Question(period="2026-03", as_of=at("2026-03-05T09:00"), measure="open")
    by_then = figures.bridge(home, asked, now=NOW)["late_shown"]
    assert by_then == 1  # the misplaced one, whose procedure there allows a day
    profile.write_text('[rule]\nopen_until = "period_end"\n')
    assert figures.bridge(home, asked, now=NOW)["late_shown"] > by_then


def test_one_dossier_is_explained_with_all_its_minutes(inspected: Any, home: Path) -> None:
    code = next(code for code, found in inspected.items() if found[1] == "late_entry")
    story = explain.dossier(home, code, now=NOW)
    assert story is not None
    assert story["recorded"]["verdict"] == "late" and story["true"]["verdict"] == "on_time"
    assert story["causes"] == {"sync": None, "record": "late_entry"}
    assert sum(share["minutes"] for share in story["minutes"]) == 390 + 3 * 480 + 360


def test_facts_brought_up_to_date_equal_facts_made_anew(inspected: Any, home: Path, tmp_path: Path) -> None:
    case = Case()
    case.event("H99.12-260302-0001", "returned", "2026-03-12T10:00")
    case.dossier("H99.12-260401-0001", received_at="2026-03-20T08:00", due="2026-03-25T17:00")
    folder = tmp_path / "more"
    folder.mkdir()
    dossiers, events, _ = case.write(folder)
    import_files(Order(files=(dossiers, events), home=home, at=NOW))
    report = extract.run(home=home, at=NOW)
    assert not report.full and report.dossiers == 2
    brought = figures.bridge(home, Question(), now=NOW, by="agency")
    extract.run(home=home, at=NOW, full=True)
    assert brought == figures.bridge(home, Question(), now=NOW, by="agency")
