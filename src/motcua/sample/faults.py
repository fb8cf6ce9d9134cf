"""Faults planted at known dossiers: what happens at the desk, on the wire or at a client, and how it must be found.

Every cause of both legs is here, in each direction that exists. How a fault comes about is named by its kind: the
demo makes it really happen (a lost delivery is lost on the wire, not written into a table).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from motcua.rules.verdicts import RECEPTION_MINUTES
from motcua.sample.acts import Act, Direction, Fault, Leg, Measure, Planned
from motcua.sample.honest import Desk


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: how it must be found, how often it comes in 4,000 dossiers, and which limits it needs."""

    leg: Leg
    cause: str
    direction: Direction
    share: int
    sub_cause: str = ""
    days: tuple[int, int] = (3, 10)
    pays: bool = False
    measure: Measure = "all"
    #: What else the same acts are found as: (leg, cause, direction).
    also: tuple[tuple[Leg, str, Direction], ...] = ()


def _sync(cause: str, direction: Direction, share: int, **more: Any) -> Kind:
    return Kind("sync", cause, direction, share, **more)


def _answer(cause: str, direction: Direction, share: int, **more: Any) -> Kind:
    """Of the desk's first answer to what was submitted online."""
    return Kind("sync", cause, direction, share, measure="reception", **more)


def _record(cause: str, direction: Direction, share: int, **more: Any) -> Kind:
    return Kind("record", cause, direction, share, **more)


KINDS: dict[str, Kind] = {
    "update_not_sent": _sync("update_not_sent", "removed", 48),
    "stops_after_request": _sync("update_not_sent", "added", 3, days=(3, 5)),
    "update_refused": _sync("update_refused", "removed", 14),
    "accepted_not_shown": _sync("accepted_not_shown", "removed", 10),
    "step_lost": _sync("step_lost", "removed", 12),
    "only_return_sent": _sync("only_return_sent", "removed", 16),
    "status_unmapped": _sync("status_unmapped", "removed", 8),
    "clock_7_fast": _sync("clock_shift", "removed", 5),
    "clock_12_fast": _sync("clock_shift", "removed", 3),
    "clock_7_slow": _sync("clock_shift", "added", 4),
    "clock_12_slow": _sync("clock_shift", "added", 3),
    "closed_early_there": _sync("closed_early_there", "added", 8),
    "finish_differs": _sync("finish_differs", "removed", 6),
    "pause_not_carried": _sync("pause_not_carried", "removed", 26),
    "due_not_carried": _sync("due_not_carried", "removed", 14),
    "correction_not_carried": _sync("due_not_carried", "added", 3),
    "asked_twice_open": _sync(
        "rule_differs", "removed", 3, sub_cause="supplement", also=(("record", "pause_unlawful", "added"),)
    ),
    "wait_credited_twice": _sync("rule_differs", "added", 4, sub_cause="supplement", days=(3, 5)),
    "payment_open": _sync("rule_differs", "removed", 4, sub_cause="payment", pays=True),
    "suspension_open": _sync("pause_not_carried", "removed", 3),
    "missing_there": _sync("missing_there", "added", 8, sub_cause="accepted_absent"),
    "missing_here": _sync("missing_here", "removed", 6),
    "duplicate_there": _sync("duplicate_there", "removed", 6),
    "misplaced_shorter": _sync("misplaced_there", "removed", 5),
    "misplaced_longer": _sync("misplaced_there", "added", 3, days=(3, 7)),
    "answer_not_sent": _answer("update_not_sent", "removed", 12),
    "answer_refused": _answer("update_refused", "removed", 4),
    "answer_not_shown": _answer("accepted_not_shown", "removed", 4),
    "answer_step_lost": _answer("step_lost", "removed", 4),
    "answer_12_fast": _answer("clock_shift", "removed", 3),
    "answer_dated_early": _answer("closed_early_there", "added", 4),
    "answer_differs": _answer("finish_differs", "removed", 4),
    "submission_overwritten": _answer("due_not_carried", "added", 5),
    "late_answer_not_there": _answer("missing_there", "added", 3, sub_cause="accepted_absent"),
    "late_entry": _record("late_entry", "removed", 60),
    "step_skipped": _record("step_skipped", "removed", 24),
    "step_skipped_handed_over": _record("step_skipped", "removed", 8),
    "step_skipped_back_dated": _record("step_skipped", "added", 3),
    "back_dated": _record("back_dated", "added", 8),
    "due_moved_late": _record("due_moved", "added", 4),
    "due_moved_no_letter": _record("due_moved", "added", 4),
    "due_moved_again": _record("due_moved", "added", 4),
    "pause_unlawful_no_document": _record("pause_unlawful", "added", 4),
    "pause_unlawful_late": _record("pause_unlawful", "added", 4, days=(5, 10)),
    "pause_unlawful_again": _record("pause_unlawful", "added", 4),
}
#: Procedures that are named by mistake: a shorter limit, a longer one.
SHORTER, LONGER = "9.990099", "9.990098"
#: Working days before the plan's end in which no fault begins, so that it plays out.
_SPARE = 45


@dataclass(slots=True)
class _Case:
    """A dossier on its way to a fault: its usual instants and the acts so far."""

    desk: Desk
    dossier: Planned
    received: datetime
    due: datetime
    on_time: datetime
    late: datetime
    acts: list[Act] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def do(self, verb: str, at: datetime, **facts: Any) -> None:
        self.acts.append(self.desk.act(verb, at, **facts))

    def finish(self, at: datetime, **facts: Any) -> None:
        self.do("finish", at, **facts)

    def later(self, at: datetime, minutes: int) -> datetime:
        return self.desk.calendar.advance(at, minutes)


def plant(desk: Desk, how: str) -> tuple[Planned, tuple[Fault, ...]]:
    """A dossier with a fault of this kind, and how it must be found."""
    kind = KINDS[how]
    for _ in range(1000):
        dossier = desk.start(days=kind.days, spare_days=_SPARE, pays=kind.pays)
        dossier = _submitted(desk, dossier, how if kind.measure == "reception" else "")
        due = dossier.due_at
        case = _Case(
            desk, dossier, dossier.acts[0].at, due, desk.between(dossier, 0.4, 0.8),
            desk.calendar.advance(due, desk.draw.randint(500, 900)),
        )  # fmt: skip
        changed = _STORIES[how](case)
        planned = desk.whole(changed or dossier, case.acts) if case.acts else None
        if planned is not None and _holds(how, case):
            break
    else:
        raise ValueError(f"a plan this short leaves no room for {how}")
    found = Fault(
        dossier=planned.code, leg=kind.leg, cause=kind.cause, direction=kind.direction, how=how,
        measure=kind.measure, sub_cause=kind.sub_cause, facts=case.facts,
    )  # fmt: skip
    also = (Fault(dossier=planned.code, leg=leg, cause=c, direction=d) for leg, c, d in kind.also)
    return planned, (found, *also)


#: Really answered late: more than the eight working hours lie between submission and answer.
_ANSWERED_LATE = frozenset({"answer_dated_early", "submission_overwritten", "late_answer_not_there"})


def _submitted(desk: Desk, dossier: Planned, how: str) -> Planned:
    """Answered within the eight hours, unless the fault is about the answer: then submitted when the fault needs it."""
    received = dossier.acts[0].at
    if how in _ANSWERED_LATE:
        submitted = received - timedelta(minutes=desk.draw.randint(4 * 1440, 6 * 1440))
    else:
        submitted = received - timedelta(minutes=desk.draw.randint(2, 20))
    return replace(dossier, channel="online" if how else dossier.channel,
                   submitted_at=submitted if how or dossier.channel == "online" else received)  # fmt: skip


def lonely(desk: Desk, count: int) -> Iterator[Fault]:
    """Dossiers that clients send though they were never entered here."""
    kind = KINDS["missing_here"]
    for number in range(count):
        code = f"H99.01-{desk.days[0]:%y%m%d}-{9000 + number}"
        yield Fault(dossier=code, leg=kind.leg, cause=kind.cause, direction=kind.direction, how="missing_here")


def _holds(how: str, case: _Case) -> bool:
    """Whether the drawn instants make the fault; redrawn where not (a long closure came between)."""
    if how == "answer_12_fast":  # eight working hours must be over twelve hours later
        submitted, answered = case.dossier.submitted_at, case.received
        limit = case.desk.calendar.advance(case.desk.calendar.opening_at_or_after(submitted), RECEPTION_MINUTES)
        return answered + timedelta(hours=12) > limit
    if how in _ANSWERED_LATE and case.dossier.submitted_at is not None:
        return case.desk.calendar.minutes_between(case.dossier.submitted_at, case.received) > RECEPTION_MINUTES
    if how != "wait_credited_twice":
        return True
    asked, answered, finished = (act.at for act in case.acts)
    return finished - case.facts["moved"] < answered - asked


# ---- what happens -----------------------------------------------------------------------------------------------


def _done_on_time(case: _Case) -> None:
    case.acts += case.desk.steps(case.dossier, case.received, case.on_time)
    case.finish(case.on_time)


def _done_late(case: _Case) -> None:
    case.acts += case.desk.steps(case.dossier, case.received, case.late)
    case.finish(case.late)


def _stops_after_request(case: _Case) -> None:
    case.acts, moved = case.desk.supplement(case.dossier)
    asked, answered = (act.at for act in case.acts)
    case.finish(case.later(moved + (answered - asked), 200))


def _only_return_sent(case: _Case) -> None:
    case.finish(case.on_time)
    case.do("return_result", case.late)


def _status_unmapped(case: _Case) -> None:
    case.do("stop", case.on_time, reason="có văn bản")


def _clock(hours: int) -> Callable[[_Case], None]:
    def story(case: _Case) -> None:
        case.finish(case.due - timedelta(hours=1) if hours > 0 else case.due + timedelta(hours=2))
        case.facts["hours"] = hours

    return story


def _finish_differs(case: _Case) -> None:
    case.finish(case.on_time)
    case.facts["there"] = case.late


def _misplaced(procedure: str, *, late: bool) -> Callable[[_Case], None]:
    def story(case: _Case) -> None:
        closing = case.desk.calendar.closing(case.desk.calendar.opening_at_or_after(case.due).date())
        at = case.later(closing, 400) if late else case.desk.between(case.dossier, 0.8, 0.95)
        case.finish(at)
        case.facts["procedure"] = procedure

    return story


def _pause_not_carried(case: _Case) -> None:
    case.acts, moved = case.desk.supplement(case.dossier)
    case.finish(case.later(max(case.due, case.acts[-1].at), 20))
    if case.acts[-1].at >= moved:  # the answer came so soon that the round moved nothing
        case.acts = []


def _due_not_carried(case: _Case) -> None:
    said = case.desk.between(case.dossier, 0.2, 0.4)
    case.do("extend", said, due_at=case.desk.days_later(case.due, 5), document=True)
    case.finish(case.late)


def _correction_not_carried(case: _Case) -> Planned:
    """The slip was printed with three days too many and put right the same day."""
    wrong = case.desk.days_later(case.due, 3)
    case.do("correct", case.later(case.received, 60), corrects=2, due_at=case.due)
    case.finish(case.desk.part(case.due, wrong, 0.3, 0.7))
    return replace(case.dossier, due_at=wrong)


def _asked_twice_open(case: _Case) -> None:
    case.acts, _ = case.desk.supplement(case.dossier)
    again = case.desk.after(case.acts[-1].at, 60, 200)
    case.do("request_supplement", again, document=True, exception=True)


def _wait_credited_twice(case: _Case) -> None:
    case.acts, moved = case.desk.supplement(case.dossier, wait=(2000, 2600))
    case.finish(case.later(moved, 60))
    case.facts["moved"] = moved


def _payment_open(case: _Case) -> None:
    case.do("request_payment", case.desk.between(case.dossier, 0.3, 0.6), document=True)


def _suspension_open(case: _Case) -> None:
    case.do("suspend", case.desk.between(case.dossier, 0.3, 0.6), reason="chờ kết luận của tòa án", document=True)


def _late_entry(case: _Case) -> None:
    case.acts += case.desk.steps(case.dossier, case.received, case.on_time)
    case.finish(case.late, evidence_at=case.on_time)


def _step_skipped(case: _Case) -> None:
    case.do("start_step", case.later(case.received, 30), step="Trình ký")
    case.do("finish_step", case.on_time, step="Trình ký", evidence_at=case.on_time)


def _handed_over(case: _Case) -> None:
    case.do("return_result", case.late, skip_finish=True, evidence_at=case.on_time)


def _handed_over_back_dated(case: _Case) -> None:
    case.do("return_result", case.on_time, recorded_at=case.late, skip_finish=True, evidence_at=case.late)


def _back_dated(case: _Case) -> None:
    case.finish(case.on_time, recorded_at=case.late, evidence_at=case.late)


def _due_moved_late(case: _Case) -> None:
    said = case.due - timedelta(minutes=30)
    case.do("extend", said, due_at=case.desk.days_later(case.due, 5), document=True)
    case.finish(case.late)


def _due_moved_no_letter(case: _Case) -> None:
    case.do("extend", case.on_time, due_at=case.desk.days_later(case.due, 5), document=False)
    case.finish(case.late)


def _due_moved_again(case: _Case) -> None:
    middle = case.desk.days_later(case.due, 1)
    case.do("extend", case.desk.between(case.dossier, 0.1, 0.3), due_at=middle, document=True)
    case.do("extend", case.on_time, due_at=case.desk.days_later(case.due, 5), document=True)
    case.finish(case.later(middle, case.desk.draw.randint(200, 700)))


def _unlawful_no_document(case: _Case) -> None:
    begin = case.desk.after(case.received, 60, 300)
    over = case.later(begin, 600)
    case.do("suspend", begin, reason="chờ xác minh", document=False)
    case.do("resume", over)
    case.finish(case.later(max(case.due, over), 20))


def _unlawful_late(case: _Case) -> None:
    asked = case.later(case.desk.asked_by(case.received), 30)
    over = case.later(asked, 900)
    case.do("request_supplement", asked, document=True)
    case.do("receive_supplement", over)
    case.finish(case.later(max(case.due, over), 20))


def _unlawful_again(case: _Case) -> None:
    """The first round is lawful and starts the limit anew; the second earns nothing."""
    first = case.later(case.received, 20)
    back = case.later(first, 30)
    again = case.later(back, 200)
    over = case.later(again, 900)
    case.do("request_supplement", first, document=True)
    case.do("receive_supplement", back)
    case.do("request_supplement", again, document=True, exception=True)
    case.do("receive_supplement", over)
    due = max(case.due, case.desk.due(back, case.dossier.procedure))
    case.finish(case.later(max(due, over), 20))


_STORIES: dict[str, Callable[[_Case], Planned | None]] = {
    "update_not_sent": _done_on_time,
    "stops_after_request": _stops_after_request,
    "update_refused": _done_on_time,
    "accepted_not_shown": _done_on_time,
    "step_lost": _done_on_time,
    "only_return_sent": _only_return_sent,
    "status_unmapped": _status_unmapped,
    "clock_7_fast": _clock(7),
    "clock_12_fast": _clock(12),
    "clock_7_slow": _clock(-7),
    "clock_12_slow": _clock(-12),
    "closed_early_there": _done_late,
    "finish_differs": _finish_differs,
    "pause_not_carried": _pause_not_carried,
    "due_not_carried": _due_not_carried,
    "correction_not_carried": _correction_not_carried,
    "asked_twice_open": _asked_twice_open,
    "wait_credited_twice": _wait_credited_twice,
    "payment_open": _payment_open,
    "suspension_open": _suspension_open,
    "missing_there": _done_late,
    "duplicate_there": _done_on_time,
    "misplaced_shorter": _misplaced(SHORTER, late=False),
    "misplaced_longer": _misplaced(LONGER, late=True),
    "answer_not_sent": _done_on_time,
    "answer_refused": _done_on_time,
    "answer_not_shown": _done_on_time,
    "answer_step_lost": _done_on_time,
    "answer_12_fast": _done_on_time,
    "answer_dated_early": _done_on_time,
    "answer_differs": _done_on_time,
    "submission_overwritten": _done_on_time,
    "late_answer_not_there": _done_on_time,
    "late_entry": _late_entry,
    "step_skipped": _step_skipped,
    "step_skipped_handed_over": _handed_over,
    "step_skipped_back_dated": _handed_over_back_dated,
    "back_dated": _back_dated,
    "due_moved_late": _due_moved_late,
    "due_moved_no_letter": _due_moved_no_letter,
    "due_moved_again": _due_moved_again,
    "pause_unlawful_no_document": _unlawful_no_document,
    "pause_unlawful_late": _unlawful_late,
    "pause_unlawful_again": _unlawful_again,
}
