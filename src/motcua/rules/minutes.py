"""Whose minutes: owners partition the working minutes of a dossier, and the late ones among them.

From submission, else receipt, to the true finish or `as_of`, by the calendar of the receiving agency. Every
working minute has exactly one owner; they sum to the whole. Source: architecture §2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from motcua.rules.events import (
    Event,
    LegReturned,
    LegSent,
    Paid,
    PaymentRequested,
    Registered,
    Resumed,
    StepFinished,
    StepStarted,
    SupplementReceived,
    SupplementRequested,
    Suspended,
)
from motcua.rules.workdays import WorkCalendar

Owner = Literal["reception", "step", "assignment", "applicant", "other_agency", "payment", "suspension", "outage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The minutes of one owner; `late_minutes` are those after the due instant."""

    owner: Owner
    unit: str = ""
    actor: str = ""
    step: str = ""
    minutes: int = 0
    late_minutes: int = 0


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime
    owner: Owner
    unit: str = ""
    actor: str = ""
    step: str = ""


def shares(
    events: Sequence[Event],
    *,
    accepted_at: datetime | None,
    until: datetime,
    due_at: datetime | None,
    calendar: WorkCalendar,
) -> list[Share]:
    """The owners in the order in which they first held the dossier. `events` in the order of their instants."""
    totals: dict[tuple[Owner, str, str, str], list[int]] = {}
    for span in _spans(events, accepted_at, until):
        end = min(span.end, until)
        if end <= span.start:
            continue
        minutes = calendar.minutes_between(span.start, end)
        late = calendar.minutes_between(max(span.start, due_at), end) if due_at is not None and end > due_at else 0
        entry = totals.setdefault((span.owner, span.unit, span.actor, span.step), [0, 0])
        entry[0] += minutes
        entry[1] += late
    return [
        Share(owner=owner, unit=unit, actor=actor, step=step, minutes=minutes, late_minutes=late)
        for (owner, unit, actor, step), (minutes, late) in totals.items()
    ]


def _spans(events: Sequence[Event], accepted_at: datetime | None, until: datetime) -> list[_Span]:
    """Adjoining spans from the first instant to `until`, each with its owner."""
    header = next((event for event in events if isinstance(event, Registered)), None)
    start = header.submitted_at if header and header.submitted_at else accepted_at
    if start is None:
        start = events[0].at if events else until
    spans: list[_Span] = []
    cursor = start
    waiting: dict[str, _Span] = {}
    working: StepStarted | None = None
    accepted = accepted_at is not None and accepted_at <= start

    def close(at: datetime, finished: StepFinished | None = None) -> None:
        """Ends the span from the cursor to here and gives it its owner."""
        nonlocal cursor
        at = min(max(at, cursor), until)
        if at > cursor:
            spans.append(_owner(cursor, at, waiting, working, accepted, finished, accepted_at))
            cursor = at

    for event in events:
        if accepted_at is not None and not accepted and event.at >= accepted_at:
            close(accepted_at)
            accepted = True
        match event:
            case StepStarted():
                close(event.at)
                working = event
            case StepFinished():
                close(event.at, event)
                working = None
            case SupplementRequested():
                close(event.at)
                waiting["supplement"] = _Span(event.at, until, "applicant")
            case PaymentRequested():
                close(event.at)
                waiting["payment"] = _Span(event.at, until, "payment")
            case Suspended():
                close(event.at)
                waiting["suspension"] = _Span(event.at, until, _suspended_by(event), unit=event.unit)
            case LegSent():
                close(event.at)
                waiting["leg"] = _Span(event.at, until, "other_agency", unit=event.to)
            case SupplementReceived() | Paid() | Resumed() | LegReturned():
                close(event.at)
                waiting.pop(_ENDS[event.kind], None)
            case Registered():
                pass
            case _:
                close(event.at)
    if accepted_at is not None and not accepted and accepted_at < until:
        close(accepted_at)
        accepted = True
    close(until)
    return spans


_ENDS = {"supplement_received": "supplement", "paid": "payment", "resumed": "suspension", "leg_returned": "leg"}


def _suspended_by(event: Suspended) -> Owner:
    reason = (event.reason or event.note).lower()
    if "outage" in reason or "sự cố" in reason:
        return "outage"
    if "agency" in reason or "cơ quan" in reason or "đơn vị" in reason:
        return "other_agency"
    return "suspension"


def _owner(
    start: datetime,
    end: datetime,
    waiting: dict[str, _Span],
    working: StepStarted | None,
    accepted: bool,
    finished: StepFinished | None,
    accepted_at: datetime | None,
) -> _Span:
    """Who held the dossier: whoever it waited for, else the step in hand, else nobody yet.

    Where only completions are recorded, a step began at the end of what came before it.
    """
    for key in ("supplement", "payment", "suspension", "leg"):
        if key in waiting:
            held = waiting[key]
            return _Span(start, end, held.owner, unit=held.unit)
    if not accepted and (accepted_at is None or start < accepted_at):
        return _Span(start, end, "reception")
    if working is not None:
        return _Span(start, end, "step", working.unit, working.actor, working.step)
    if finished is not None:
        return _Span(start, end, "step", finished.unit, finished.actor, finished.step)
    return _Span(start, end, "assignment")
