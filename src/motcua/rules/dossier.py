"""A dossier as it stands: the replay of its events, in the order in which they were appended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any, assert_never

from motcua.rules.events import (
    Corrected,
    Event,
    EvidenceAttached,
    Extended,
    Finished,
    LegReturned,
    LegSent,
    Paid,
    PaymentRequested,
    Received,
    Refused,
    Registered,
    Resumed,
    Returned,
    StepFinished,
    StepStarted,
    Stopped,
    SupplementReceived,
    SupplementRequested,
    Suspended,
    Withdrawn,
)


class Status(IntEnum):
    """The ten national statuses of a dossier (contract §4.1)."""

    REGISTERED = 1
    ACCEPTED = 2
    REFUSED = 3
    PROCESSING = 4
    SUPPLEMENT = 5
    PAYMENT = 6
    WITHDRAWN = 7
    STOPPED = 8
    FINISHED = 9
    RETURNED = 10


#: After these no work is done on a dossier (10 may still follow 9).
ENDED = frozenset({Status.REFUSED, Status.WITHDRAWN, Status.STOPPED, Status.FINISHED, Status.RETURNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A dossier as it stands once its events so far have happened."""

    code: str
    procedure: str = ""
    agency: str = ""
    channel: str = "desk"
    source: str = ""
    allotted: str = ""
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    slip_due_at: datetime | None = None
    due_at: datetime | None = None
    status: Status = Status.REGISTERED
    step: str = ""
    unit: str = ""
    holder: str = ""
    suspended_since: datetime | None = None
    supplements: int = 0
    extensions: int = 0
    leg: str = ""
    finished_at: datetime | None = None
    returned_at: datetime | None = None
    ended_at: datetime | None = None
    seq: int = 0

    @property
    def is_suspended(self) -> bool:
        """Whether a supplement, a payment or a suspension is being waited for."""
        return self.suspended_since is not None

    @property
    def has_ended(self) -> bool:
        """Whether no work remains to be done on it."""
        return self.status in ENDED


def apply(dossier: Dossier, event: Event) -> Dossier:
    """The dossier as it stands once `event` has happened.

    Total: an imported log may hold any order, and the state follows it as far as it makes sense (a
    step after the end leaves the dossier ended). What our own desk may do is decided by `moves`.
    """
    seq = event.seq or dossier.seq + 1
    open_ = not dossier.has_ended
    match event:
        case Registered():
            return replace(
                dossier,
                seq=seq,
                procedure=event.procedure,
                agency=event.agency,
                channel=event.channel,
                source=event.source,
                allotted=event.allotted,
                submitted_at=event.submitted_at,
                accepted_at=event.accepted_at,
                slip_due_at=event.due_at,
                due_at=event.due_at,
                unit=event.unit or event.agency,
                status=Status.ACCEPTED if event.accepted_at else Status.REGISTERED,
            )
        case Received():
            return replace(
                dossier,
                seq=seq,
                accepted_at=dossier.accepted_at or event.at,
                slip_due_at=dossier.slip_due_at or event.due_at,
                due_at=dossier.due_at or event.due_at,
                unit=event.unit or dossier.unit,
                status=Status.ACCEPTED if dossier.status is Status.REGISTERED else dossier.status,
            )
        case Refused():
            return replace(dossier, seq=seq, **_end(dossier, event, Status.REFUSED))
        case StepStarted():
            if not open_:
                return replace(dossier, seq=seq)
            return replace(
                dossier,
                seq=seq,
                step=event.step,
                unit=event.unit or dossier.unit,
                holder=event.actor,
                status=_working(dossier),
            )
        case StepFinished():
            if not open_:
                return replace(dossier, seq=seq)
            return replace(
                dossier, seq=seq, step="", holder="", unit=event.unit or dossier.unit, status=_working(dossier)
            )
        case SupplementRequested():
            return replace(
                dossier, seq=seq, supplements=dossier.supplements + 1, **_pause(dossier, event, Status.SUPPLEMENT)
            )
        case PaymentRequested():
            return replace(dossier, seq=seq, **_pause(dossier, event, Status.PAYMENT))
        case Suspended():
            return replace(dossier, seq=seq, **_pause(dossier, event, Status.PROCESSING))
        case SupplementReceived() | Resumed() | Paid():
            return replace(
                dossier, seq=seq, suspended_since=None, status=Status.PROCESSING if open_ else dossier.status
            )
        case LegSent():
            return replace(dossier, seq=seq, leg=event.to or event.unit or "?")
        case LegReturned():
            return replace(dossier, seq=seq, leg="")
        case Extended():
            return replace(dossier, seq=seq, due_at=event.due_at, extensions=dossier.extensions + 1)
        case Withdrawn():
            return replace(dossier, seq=seq, **_end(dossier, event, Status.WITHDRAWN))
        case Stopped():
            return replace(dossier, seq=seq, **_end(dossier, event, Status.STOPPED))
        case Finished():
            return replace(
                dossier,
                seq=seq,
                finished_at=dossier.finished_at or event.at,
                **_end(dossier, event, Status.FINISHED if dossier.status is not Status.RETURNED else Status.RETURNED),
            )
        case Returned():
            return replace(
                dossier,
                seq=seq,
                returned_at=dossier.returned_at or event.at,
                **(
                    _end(dossier, event, Status.RETURNED)
                    if dossier.status not in (Status.REFUSED, Status.WITHDRAWN, Status.STOPPED)
                    else {}
                ),
            )
        case Corrected() | EvidenceAttached():
            return replace(dossier, seq=seq)
        case _:
            assert_never(event)


def leaves_unchanged(dossier: Dossier, event: Event) -> bool:
    """Whether an event changes nothing but the count: a step done where none was in hand (completions only)."""
    return (
        isinstance(event, StepFinished)
        and dossier.status is Status.PROCESSING
        and not dossier.step
        and not dossier.holder
        and (not event.unit or event.unit == dossier.unit)
    )


def replay(code: str, events: Iterable[Event]) -> Dossier:
    """The dossier as its events leave it: corrections are carried back to what they correct."""
    dossier = Dossier(code=code)
    last = 0
    for event in corrected(events):
        dossier = apply(dossier, event)
        last = max(last, event.seq)
    return replace(dossier, seq=max(last, dossier.seq))


def corrected(events: Iterable[Event]) -> list[Event]:
    """The events as they stand after every correction: void ones gone, instants put right."""
    kept = list(events)
    corrections = [event for event in kept if isinstance(event, Corrected)]
    if not corrections:
        return kept
    by_seq = {event.seq: event for event in kept}
    for correction in corrections:
        wrong = by_seq.get(correction.corrects)
        if wrong is None or isinstance(wrong, Corrected):
            continue
        if correction.void:
            del by_seq[correction.corrects]
            continue
        if correction.true_at is not None:
            wrong = replace(wrong, at=correction.true_at)
        if correction.due_at is not None and hasattr(wrong, "due_at"):
            wrong = replace(wrong, due_at=correction.due_at)  # type: ignore[arg-type]
        by_seq[correction.corrects] = wrong
    return [by_seq[event.seq] for event in kept if event.seq in by_seq]


def _working(dossier: Dossier) -> Status:
    return dossier.status if dossier.is_suspended else Status.PROCESSING


def _pause(dossier: Dossier, event: Event, status: Status) -> dict[str, Any]:
    if dossier.has_ended:
        return {}
    return {"suspended_since": dossier.suspended_since or event.at, "status": status}


def _end(dossier: Dossier, event: Event, status: Status) -> dict[str, Any]:
    return {
        "status": status,
        "ended_at": dossier.ended_at or event.at,
        "suspended_since": None,
        "step": "",
        "holder": "",
        "leg": "",
    }
