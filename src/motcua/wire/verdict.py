"""The portal's on-time rule (contract §4.5, Decision 766 formula 2.1), as a pure function of its own copy.

1. On time ⇔ finish ≤ NgayHenTra. 2. Finish is the time of the terminal status in the step log: 9 before 10
before 8/3; 7 only for accepted dossiers. 3. None: the reporting instant. 4. One unanswered supplement
request: its time. More than one without a finish: overdue. 5. Finished: the supplement time is subtracted.
6. No NgayHenTra: against the statutory limit. 7. Status 6 is not subtracted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from motcua.wire import dates

Round = tuple[datetime | None, datetime | None]
Logged = tuple[int, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Readings of the rule that nobody has verified."""

    last_nine: bool = False  # which 9 counts if several: the first, or the last
    completed_rounds_count: bool = True  # a round with both dates but without a step 5 is a pause too
    open_until: Literal["as_of", "period_end"] = "as_of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """What the rule reads of a record and its step log."""

    nine_at: datetime | None = None
    nine_last_at: datetime | None = None
    ten_at: datetime | None = None
    closed_at: datetime | None = None  # first of 8 or 3
    withdrawn_at: datetime | None = None
    answer_at: datetime | None = None  # first of 2, 3 or 5
    accepted: bool = False
    requests: int = 0
    request_open_at: datetime | None = None
    supplement_s: int = 0

    def finish(self, rule: Rule) -> datetime | None:
        """The portal's finish."""
        nine = self.nine_last_at if rule.last_nine else self.nine_at
        return nine or self.ten_at or self.closed_at or self.withdrawn_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The portal's verdict on a record."""

    verdict: Literal["on_time", "late", "no_due"]
    state: Literal["open", "finished"]
    finished_at: datetime | None
    due_at: datetime | None
    disputed: bool = False


def supplement_round(row: Mapping[str, Any]) -> Round:
    """(requested, received) of a row of DanhSachHoSoBoSung; unreadable dates count as absent."""
    found: list[datetime | None] = []
    for name in ("NgayBoSung", "NgayTiepNhanBoSung"):
        try:
            found.append(dates.parse(row.get(name)))
        except ValueError:
            found.append(None)
    return found[0], found[1]


def reduce(
    *,
    steps: Iterable[Logged],
    supplements: Sequence[Round] = (),
    received_at: datetime | None = None,
    status: int = 0,
    as_of: datetime | None = None,
    rule: Rule | None = None,
) -> Reduced:
    """What the rule reads, from steps in order of arrival and the supplement rounds of the record.

    `as_of` cuts both by their stated time.
    """
    rule = rule or Rule()
    log = sorted((s for s in steps if as_of is None or s[1] <= as_of), key=lambda step: step[1])

    def first(*statuses: int) -> datetime | None:
        return next((at for number, at in log if number in statuses), None)

    accepted = received_at is not None and (
        status not in (1, 3) or any(number in (2, 4, 5, 6, 9, 10) for number, _ in log)
    )
    requests, pauses, unanswered = 0, timedelta(0), None
    answered_rounds = {
        asked: done for asked, done in supplements if asked and done and (as_of is None or done <= as_of)
    }
    for index, (number, at) in enumerate(log):
        if number != 5:
            continue
        requests += 1
        resumed = answered_rounds.pop(at, None) or next((t for n, t in log[index + 1 :] if n != 5), None)
        if resumed is None:
            unanswered = at
        else:
            pauses += max(resumed - at, timedelta(0))
    if rule.completed_rounds_count:
        for asked, done in answered_rounds.items():
            requests += 1
            pauses += max(done - asked, timedelta(0))
    return Reduced(
        nine_at=first(9),
        nine_last_at=next((at for number, at in reversed(log) if number == 9), None),
        ten_at=first(10),
        closed_at=first(8, 3),
        withdrawn_at=first(7) if accepted else None,
        answer_at=first(2, 3, 5),
        accepted=accepted,
        requests=requests,
        request_open_at=unanswered if requests == 1 else None,
        supplement_s=int(pauses / timedelta(seconds=1)),
    )


def shown(
    reduced: Reduced,
    *,
    due_at: datetime | None,
    as_of: datetime,
    limit_due_at: datetime | None = None,
    rule: Rule | None = None,
) -> Shown:
    """The portal's verdict. `limit_due_at`: what the statutory limit allows, where the record has no due instant."""
    rule = rule or Rule()
    finish = reduced.finish(rule)
    if finish is not None and finish > as_of:
        finish = None
    due = due_at or limit_due_at
    if finish is not None:
        moment = finish - timedelta(seconds=reduced.supplement_s)
    elif reduced.requests == 1 and reduced.request_open_at is not None:
        moment = reduced.request_open_at
    else:
        moment = as_of
    late = (due is not None and moment > due) or (finish is None and reduced.requests > 1)
    verdict: Literal["on_time", "late", "no_due"] = "late" if late else "no_due" if due is None else "on_time"
    disputed = False
    if reduced.nine_at != reduced.nine_last_at and due is not None:
        pause = timedelta(seconds=reduced.supplement_s)
        sides = {at - pause > due for at in (reduced.nine_at, reduced.nine_last_at) if at is not None}
        disputed = len(sides) > 1
    return Shown(
        verdict=verdict, state="open" if finish is None else "finished", finished_at=finish, due_at=due,
        disputed=disputed,
    )  # fmt: skip
