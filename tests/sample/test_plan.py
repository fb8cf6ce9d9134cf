"""The plan of a province: honest dossiers are honest on all three sides, and each fault is what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

import pytest
from tests.story import at

from motcua.inspection.causes import RECORD, SYNC
from motcua.rules import events, moves
from motcua.rules.dossier import Dossier, apply
from motcua.rules.verdicts import OurFacts, Terms, our_facts
from motcua.rules.workdays import viet_nam
from motcua.sample.acts import Fault, Plan, Planned
from motcua.sample.plan import plan, stream
from motcua.sample.province import province
from motcua.wire import verdict
from motcua.wire.codes import agency_of_dossier

#: A morning in November; a Sunday within Tết; just after Tết; Saturday night; the day after a long holiday.
MOMENTS = ("2026-11-23T09:21", "2026-02-15T10:00", "2026-02-24T06:00", "2026-03-07T23:00", "2025-05-04T12:00")
_STATUS = {"received": 2, "supplement_requested": 5, "payment_requested": 6, "refused": 3, "withdrawn": 7,
           "stopped": 8, "finished": 9, "returned": 10}  # fmt: skip


def _planned(seed: int, until: datetime, count: int = 900) -> Plan:
    return plan(province(seed), count=count, seed=seed, since=until - timedelta(days=150), until=until)


def _events(dossier: Planned) -> list[events.Event]:
    """The events that the desk's rules make of the acts; a plan that breaks them is refused."""
    by = moves.Actor(name=dossier.official, unit=dossier.agency.code)
    found: list[events.Event] = [
        events.Registered(
            at=dossier.submitted_at, recorded_at=dossier.submitted_at, seq=1, procedure=dossier.procedure.code,
            agency=dossier.agency.code, allotted=dossier.procedure.allotted, submitted_at=dossier.submitted_at,
        )
    ]  # fmt: skip
    state = apply(Dossier(code=dossier.code), found[0])
    for act in dossier.acts:
        facts = dict(act.facts) | ({} if act.verb == "correct" else {"at": act.at})
        if act.verb == "receive":
            facts["due_at"] = dossier.due_at
        event = getattr(moves, act.verb)(state, by=by, now=act.recorded_at, **facts)
        state = apply(state, event)
        found.append(replace(event, seq=len(found) + 1))
    return found


def _ours(dossier: Planned, kept: list[events.Event], as_of: datetime) -> OurFacts:
    procedure = dossier.procedure
    terms = Terms(
        calendar=viet_nam(), mode=procedure.mode, limit=procedure.allotted, payment_pauses=procedure.payment_pauses
    )
    return our_facts(kept, terms, as_of=as_of)


def _late(finish: datetime | None, due: datetime | None, paused: bool, as_of: datetime) -> bool:
    return due is not None and (finish or as_of) > due and not (finish is None and paused)


def _verdicts(dossier: Planned, as_of: datetime) -> tuple[bool, bool, bool]:
    """Late as shown, recorded and true, had every message of the record arrived."""
    kept = _events(dossier)
    facts = _ours(dossier, kept, as_of)
    due = facts.default
    reduced = verdict.reduce(
        steps=[(_STATUS.get(event.kind, 4), event.at) for event in kept[1:] if event.kind != "corrected"],
        received_at=facts.accepted_at, status=4, as_of=as_of,
    )  # fmt: skip
    shown = verdict.shown(reduced, due_at=due.recorded, as_of=as_of)
    return (
        shown.verdict == "late",
        _late(facts.finish_at, due.recorded, due.paused[0], as_of),
        _late(facts.true_finish_at, due.true, due.paused[3], as_of),
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_honest_dossiers_are_the_same_on_all_three_sides(moment: str) -> None:
    until = at(moment)
    planned = _planned(len(moment) + int(moment[5:7]), until)
    faulty = {fault.dossier for fault in planned.faults}
    honest = [dossier for dossier in planned.dossiers if dossier.code not in faulty]
    assert len(honest) > 700
    assert [d.code for d in honest if len(set(_verdicts(d, until))) != 1] == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_fault_of_the_desk_lies_between_record_and_truth(moment: str) -> None:
    until = at(moment)
    planned = _planned(int(moment[5:7]), until)
    by_code = {dossier.code: dossier for dossier in planned.dossiers}
    for fault in planned.faults:
        if fault.leg == "record":
            shown, recorded, true = _verdicts(by_code[fault.dossier], until)
            assert (recorded, true) == ((True, False) if fault.direction == "removed" else (False, True)), fault
            assert shown == recorded or fault.how == "", fault


def test_nothing_happens_after_the_plan_ends() -> None:
    until = at(MOMENTS[0])
    for dossier in _planned(3, until).dossiers:
        assert dossier.submitted_at <= until
        assert all(act.at <= until and act.recorded_at <= until for act in dossier.acts)


def test_every_cause_of_both_legs_is_planted_in_every_direction_that_exists() -> None:
    planned = _planned(1, at(MOMENTS[0]))
    assert {fault.cause for fault in planned.faults} == {*SYNC, *RECORD}
    handled = [fault for fault in planned.faults if fault.measure == "all"]
    both = {fault.cause for fault in handled if _directions(handled, fault.cause) == 2}
    assert both == {
        "update_not_sent", "clock_shift", "due_not_carried", "misplaced_there", "rule_differs", "step_skipped"
    }  # fmt: skip
    assert {fault.sub_cause for fault in planned.faults} == {"", "supplement", "payment", "accepted_absent"}
    assert len({(fault.dossier, fault.leg) for fault in planned.faults}) == len(planned.faults)


def test_the_desks_first_answer_has_faults_of_its_own() -> None:
    planned = _planned(1, at(MOMENTS[0]))
    answers = {(f.cause, f.direction) for f in planned.faults if f.measure == "reception"}
    assert answers == {
        ("update_not_sent", "removed"), ("update_refused", "removed"), ("accepted_not_shown", "removed"),
        ("clock_shift", "removed"), ("finish_differs", "removed"), ("closed_early_there", "added"),
        ("due_not_carried", "added"), ("missing_there", "added"), ("step_lost", "removed"),
    }  # fmt: skip


def _directions(faults: Iterable[Fault], cause: str) -> int:
    return len({fault.direction for fault in faults if fault.cause == cause})


def test_a_plan_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    until = at(MOMENTS[0])
    assert _planned(5, until, 200) == _planned(5, until, 200)
    assert _planned(5, until, 200) != _planned(6, until, 200)


def test_codes_are_unique_and_of_the_national_form() -> None:
    dossiers = _planned(2, at(MOMENTS[0])).dossiers
    assert len({dossier.code for dossier in dossiers}) == len(dossiers)
    assert all(agency_of_dossier(dossier.code) == dossier.agency.code for dossier in dossiers)


def test_a_province_of_any_size_comes_dossier_by_dossier() -> None:
    until = at(MOMENTS[0])
    many = stream(province(1), count=2_000_000, seed=1, since=until - timedelta(days=365), until=until)
    assert len(list(islice(many, 500))) == 500


def test_arrivals_are_lifelike() -> None:
    until = at("2026-04-01T09:00")  # Tết closed 16 to 20 February 2026
    received = [d.acts[0].at for d in _planned(4, until, 4000).dossiers if d.acts]
    by_weekday = Counter(moment.weekday() for moment in received)
    assert by_weekday[0] > by_weekday[4]
    by_day = Counter(moment.date() for moment in received)
    near = [n for day, n in by_day.items() if at("2026-02-05").date() <= day <= at("2026-02-28").date()]
    usual = [n for day, n in by_day.items() if day <= at("2026-01-20").date()]
    assert sum(near) / len(near) < 0.75 * sum(usual) / len(usual)
    by_agency = Counter(dossier.agency.code for dossier in _planned(4, until, 4000).dossiers)
    assert max(by_agency.values()) > 20 * min(by_agency.values())
