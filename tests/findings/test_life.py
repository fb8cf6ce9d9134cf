"""The life of a finding as laws: what is refused, what any lawful history leaves, and who may do what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.story import at

from motcua.inspection import life
from motcua.inspection.life import MOVES, OPEN, SCAN, Act, Life, Outcome, Person, Reason, State
from motcua.rules.instants import iso
from motcua.rules.moves import REFUSALS, Refused

START = at("2026-04-01T09:00")
MAI = Person(name="mai", role="inspector")
HEAD = Person(name="son", role="unit_head", agency="H99.12")
FOCAL = Person(name="lan", role="focal_point", agency="H99.12")
OFFICER = Person(name="duc", role="officer", agency="H99.12")
NEIGHBOUR = Person(name="yen", role="unit_head", agency="H99.13")
LEADER = Person(name="quang", role="leader")
PEOPLE = (MAI, HEAD, FOCAL, OFFICER, NEIGHBOUR, LEADER, SCAN)
ANSWER = {"reason": "admitted", "text": "Bấm kết thúc muộn một ngày.", "remedy": "Nhắc bấm trong ngày."}
DUE = iso(START + timedelta(days=7))


def _lived(*steps: tuple[str, Person, dict[str, Any]]) -> Life:
    acts = [life.opened(agency="H99.12", at=START, evidence={})]
    for kind, by, body in steps:
        acts.append(life.decide(life.replay(acts), kind, by=by, at=START, body=body))
    return life.replay(acts)


def _refused(stands: Life, kind: str, by: Person, body: dict[str, Any] | None = None) -> str:
    with pytest.raises(Refused) as refusal:
        life.decide(stands, kind, by=by, at=START, body=body)
    return refusal.value.code


SENT = ("sent", MAI, {"due_at": DUE})
TO_CONCLUDE = (SENT, ("drafted", OFFICER, ANSWER), ("submitted", OFFICER, {}), ("answered", HEAD, {}))


def test_a_finding_is_asked_answered_and_concluded_with_a_remedy() -> None:
    stands = _lived(*TO_CONCLUDE)
    assert (stands.state, stands.answer["reason"], stands.officer) == (State.ANSWERED, "admitted", "duc")
    concluded = life.decide(stands, "concluded", by=MAI, at=START, body={
        "outcome": "violation", "note": "đã thừa nhận", "remedy_due_at": DUE})  # fmt: skip
    after = life.apply(stands, concluded)
    assert (after.state, after.outcome) == (State.TO_REMEDY, Outcome.VIOLATION)
    remedied = life.apply(after, life.decide(after, "remedied", by=FOCAL, at=START, body={"note": "đã làm"}))
    assert remedied.remedied_at == START
    closed = life.apply(remedied, life.decide(remedied, "closed", by=MAI, at=START, body={"note": "phúc tra đạt"}))
    assert (closed.state, closed.closed_by_data) == (State.CLOSED, False)


def test_nobody_is_found_at_fault_unheard() -> None:
    verdict = {"outcome": "violation", "note": "rõ ràng"}
    for steps in ((), (SENT,), (SENT, ("drafted", OFFICER, ANSWER))):
        assert _refused(_lived(*steps), "concluded", MAI, verdict) == "finding.not_heard"
    silent = _lived(SENT)
    late = START + timedelta(days=8)
    assert life.decide(silent, "concluded", by=MAI, at=late, body=verdict).kind == "concluded"
    for outcome in ("excused", "overturned"):
        assert life.decide(_lived(), "concluded", by=MAI, at=START, body={"outcome": outcome, "note": "x"})


def test_an_appeal_overturns_a_conclusion() -> None:
    stands = _lived(*TO_CONCLUDE, ("concluded", MAI, {"outcome": "violation", "note": "x"}))
    assert stands.state is State.CONCLUDED
    appealed = life.apply(stands, life.decide(stands, "appealed", by=HEAD, at=START, body={"note": "có văn bản"}))
    assert (appealed.state, appealed.outcome) == (State.ANSWERED, None)
    again = life.decide(appealed, "concluded", by=MAI, at=START, body={"outcome": "overturned", "note": "văn bản đúng"})
    assert life.apply(appealed, again).outcome is Outcome.OVERTURNED


@pytest.mark.parametrize(
    ("steps", "kind", "by", "body", "code"),
    [
        ((SENT,), "drafted", NEIGHBOUR, ANSWER, "finding.not_your_unit"),
        ((SENT,), "concluded", HEAD, {}, "finding.not_your_post"),
        ((), "sent", LEADER, {"due_at": DUE}, "finding.not_your_post"),
        ((), "drafted", OFFICER, ANSWER, "finding.not_in_this_state"),
        ((), "sent", MAI, {"due_at": iso(START)}, "finding.date_has_passed"),
        ((SENT,), "given", FOCAL, {}, "finding.nobody_named"),
        ((SENT, ("drafted", OFFICER, {"reason": "admitted"})), "submitted", OFFICER, {}, "finding.answer_incomplete"),
        ((SENT,), "extension_declined", MAI, {"note": "x"}, "finding.no_extension_asked"),
        ((SENT,), "extension_asked", OFFICER, {"to": DUE, "note": "x"}, "finding.not_your_post"),
        (TO_CONCLUDE, "concluded", MAI, {"outcome": "guilty", "note": "x"}, "finding.no_outcome"),
        (TO_CONCLUDE, "concluded", MAI, {"outcome": "excused"}, "finding.reason_missing"),
        (TO_CONCLUDE[:3], "answered", OFFICER, {}, "finding.not_your_post"),
    ],
)
def test_what_the_rules_refuse(steps: Any, kind: str, by: Person, body: dict[str, Any], code: str) -> None:
    assert _refused(_lived(*steps), kind, by, body) == code


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ({}, "reason"),
        ({"reason": "system", "text": "ngắn"}, "text"),
        ({"reason": "admitted", "text": "Bấm kết thúc muộn."}, "remedy"),
        ({"reason": "other_evidence", "text": "Đã ký trước hạn."}, "evidence"),
        ({"reason": "other_evidence", "text": "Đã ký trước hạn.", "number": "12/GP", "dated_on": "2026-03-06"}, ""),
        ({"reason": "other_evidence", "text": "Đã ký trước hạn.", "attachments": [1]}, ""),
        ({"reason": "other_agency", "text": "Chờ ý kiến Sở Mẫu."}, ""),
        (ANSWER, ""),
    ],
)
def test_an_answer_says_all_that_a_head_signs(answer: dict[str, Any], missing: str) -> None:
    assert life.incomplete(answer) == missing


_BODIES = st.fixed_dictionaries(
    {"note": st.sampled_from(["", "vì có văn bản"]), "to": st.sampled_from(["", "duc"])},
    optional={
        "due_at": st.integers(-2, 20).map(lambda days: iso(START + timedelta(days=days))),
        "remedy_due_at": st.integers(1, 40).map(lambda days: iso(START + timedelta(days=days))),
        "outcome": st.sampled_from([*map(str, Outcome), "guilty"]),
        "reason": st.sampled_from([*map(str, Reason), "", "other"]),
        "text": st.sampled_from(["", "Một lời giải trình đủ dài."]),
        "remedy": st.sampled_from(["", "Đã sửa"]),
        "attachments": st.just([1]),
    },
)
_TRIES = st.lists(
    st.tuples(st.sampled_from(sorted(MOVES)), st.sampled_from(PEOPLE), _BODIES, st.integers(0, 72)), max_size=60
)


@given(_TRIES)
def test_the_state_is_what_the_acts_leave_whatever_lawfully_happens(tries: list[Any]) -> None:
    acts = [life.opened(agency="H99.12", at=START, evidence={})]
    stands, now = life.replay(acts), START
    for kind, by, body, hours in tries:
        now += timedelta(hours=hours)
        if kind == "extension_asked":
            body = {**body, "to": iso(now + timedelta(days=3))}
        before = stands
        try:
            act = life.decide(stands, kind, by=by, at=now, body=body)
        except Refused as refusal:
            assert refusal.code in REFUSALS
            continue
        assert kind in life.permitted(before, by=by)
        acts.append(act)
        stands = life.apply(stands, act)
        assert stands == life.replay(acts), "stored equals replayed"
        assert stands.seq == len(acts)
        assert (stands.state in OPEN) or stands.outcome is not None or stands.closed_at is not None
        assert (stands.closed_at is not None) == (stands.state is State.CLOSED)
        assert (stands.remedy_due_at is not None) <= (stands.outcome is Outcome.VIOLATION)
        if kind == "concluded" and stands.outcome is Outcome.VIOLATION:
            assert before.state is State.ANSWERED or before.overdue(now), "heard, or silent past its date"
        if by.role != "inspector":
            assert kind not in ("concluded", "sent", "closed")
    assert [act.seq for act in acts] == list(range(1, len(acts) + 1))


def test_acts_are_read_in_any_order() -> None:
    acts = [life.opened(agency="a", at=START, evidence={}), Act(kind="noted", at=START, seq=2, by=MAI, body={})]
    assert life.replay(reversed(acts)) == life.replay(acts)
