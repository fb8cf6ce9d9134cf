"""What can happen to a dossier: one small frozen value per kind of act.

Every act carries `at` (when it is stated to have happened) and `recorded_at` (when it was entered
in the system of record); the gap between the two is what this project exists for. State replays by
`seq`; verdicts order by (`at`, `seq`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, ClassVar, get_type_hints

from motcua.rules import enclosures
from motcua.rules.enclosures import Fee, Paper, Result
from motcua.rules.instants import from_microseconds, to_microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """An act: who, where, when it is stated to have happened, and when it was entered."""

    kind: ClassVar[str]

    at: datetime
    recorded_at: datetime
    seq: int = 0
    actor: str = ""
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(_Event):
    """The dossier exists: submitted by the applicant, or taken over from another system.

    `accepted_at` is set where the source states the acceptance with the dossier itself (an import's
    `received_at`); at our own desk acceptance is a `Received` of its own.
    """

    kind: ClassVar[str] = "registered"
    procedure: str
    agency: str
    channel: str = "desk"
    source: str = ""
    allotted: str = ""
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    due_at: datetime | None = None
    applicant: str = ""
    submitter: str = ""
    papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(_Event):
    """The desk accepts a complete dossier and issues the receipt slip; fees due at acceptance are on it."""

    kind: ClassVar[str] = "received"
    due_at: datetime | None = None
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(_Event):
    """Not accepted at intake, or refused in writing after appraisal."""

    kind: ClassVar[str] = "refused"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(_Event):
    """Somebody takes a step of the internal process in hand."""

    kind: ClassVar[str] = "step_started"
    step: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(_Event):
    """A step of the internal process is done."""

    kind: ClassVar[str] = "step_finished"
    step: str = ""
    evidence_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementRequested(_Event):
    """The applicant is asked for more papers: the clock waits."""

    kind: ClassVar[str] = "supplement_requested"
    document: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementReceived(_Event):
    """The papers came: the clock goes on."""

    kind: ClassVar[str] = "supplement_received"
    papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended(_Event):
    """The dossier waits for somebody else, by a named ground."""

    kind: ClassVar[str] = "suspended"
    reason: str = ""
    document: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(_Event):
    """The suspension is over."""

    kind: ClassVar[str] = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequested(_Event):
    """A financial duty is asked for; it pauses the clock only where the procedure says so."""

    kind: ClassVar[str] = "payment_requested"
    document: bool | None = None
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(_Event):
    """The financial duty is performed."""

    kind: ClassVar[str] = "paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSent(_Event):
    """Passed to another agency, `to`, which has its own part of the time limit: no pause."""

    kind: ClassVar[str] = "leg_sent"
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegReturned(_Event):
    """The other agency answered."""

    kind: ClassVar[str] = "leg_returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended(_Event):
    """A new due instant, announced with an apology letter."""

    kind: ClassVar[str] = "extended"
    due_at: datetime
    document: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(_Event):
    """The applicant takes the dossier back."""

    kind: ClassVar[str] = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(_Event):
    """The authority stops the processing."""

    kind: ClassVar[str] = "stopped"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(_Event):
    """Processing has ended: the result is signed and with the desk."""

    kind: ClassVar[str] = "finished"
    evidence_at: datetime | None = None
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned(_Event):
    """The applicant has the result."""

    kind: ClassVar[str] = "returned"
    evidence_at: datetime | None = None
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(_Event):
    """An earlier event, `corrects`, was wrong: it is void, or its instants are these."""

    kind: ClassVar[str] = "corrected"
    corrects: int = 0
    void: bool = False
    true_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAttached(_Event):
    """A document says when processing was complete: `at` is the instant that it fixes or bounds.

    It *fixes* completion (a trusted time stamp, the registered issue time of the result) or only *bounds* it
    (completed by then). `digest` is the document's SHA-256, `number` its registered number. Source: architecture §2.
    """

    kind: ClassVar[str] = "evidence_attached"
    standing: str = "fixes"
    digest: str = ""
    number: str = ""


Event = (
    Registered
    | Received
    | Refused
    | StepStarted
    | StepFinished
    | SupplementRequested
    | SupplementReceived
    | Suspended
    | Resumed
    | PaymentRequested
    | Paid
    | LegSent
    | LegReturned
    | Extended
    | Withdrawn
    | Stopped
    | Finished
    | Returned
    | Corrected
    | EvidenceAttached
)

KINDS: dict[str, type[Event]] = {
    kind.kind: kind
    for kind in (
        Registered,
        Received,
        Refused,
        StepStarted,
        StepFinished,
        SupplementRequested,
        SupplementReceived,
        Suspended,
        Resumed,
        PaymentRequested,
        Paid,
        LegSent,
        LegReturned,
        Extended,
        Withdrawn,
        Stopped,
        Finished,
        Returned,
        Corrected,
        EvidenceAttached,
    )
}

#: What the log keeps in columns of its own; the rest of an event is its body.
COLUMNS = ("at", "recorded_at", "seq", "actor", "unit", "step")

#: Fields of a person: they enter the hash chain as salted commitments and live in an erasable table.
PERSONAL = frozenset({"applicant", "submitter"})

_INSTANTS: dict[str, frozenset[str]] = {
    name: frozenset(
        field
        for field, hint in get_type_hints(cls, include_extras=False).items()
        if hint in (datetime, datetime | None) and field not in COLUMNS
    )
    for name, cls in KINDS.items()
}
_BODY: dict[str, tuple[tuple[str, Any], ...]] = {
    name: tuple((f.name, f.default) for f in fields(cls) if f.name not in COLUMNS) for name, cls in KINDS.items()
}
#: The kinds that may enclose something, with the names of their lists.
ENCLOSING: dict[str, tuple[str, ...]] = {
    name: lists for name, known in _BODY.items() if (lists := tuple(f for f, _ in known if f in enclosures.LISTS))
}


def to_body(event: Event) -> dict[str, Any]:
    """What the log keeps of an event beside its columns: JSON values, defaults left out.

    Instants become integers (microseconds, UTC).
    """
    instants = _INSTANTS[event.kind]
    body: dict[str, Any] = {}
    for name, default in _BODY[event.kind]:
        value = getattr(event, name)
        if value != default:
            if name in enclosures.LISTS:
                value = [enclosures.to_values(item) for item in value]
            body[name] = to_microseconds(value) if name in instants else value
    return body


def from_body(
    kind: str,
    body: Mapping[str, Any],
    *,
    at: datetime,
    recorded_at: datetime,
    seq: int,
    actor: str = "",
    unit: str = "",
    step: str = "",
) -> Event:
    """The event again, from its columns and its body. Unknown keys of a newer writer are passed over."""
    instants = _INSTANTS[kind]
    known = {name for name, _ in _BODY[kind]}
    values: dict[str, Any] = {
        name: from_microseconds(value) if name in instants and value is not None else value
        for name, value in body.items()
        if name in known
    }
    for name in ENCLOSING.get(kind, ()):
        if name in values:
            made = enclosures.LISTS[name]
            values[name] = tuple(enclosures.from_values(made, item) for item in values[name])
    if kind in ("step_started", "step_finished"):
        values["step"] = step
    return KINDS[kind](at=at, recorded_at=recorded_at, seq=seq, actor=actor, unit=unit, **values)


def opened(event: Event, private: Mapping[str, Mapping[str, Any]]) -> Event:
    """The event with the names and addresses of what it encloses, given as "results.0" → values.

    Read from the log alone an event has none of them; what was erased stays empty.
    """
    changes: dict[str, Any] = {
        name: enclosures.opened(items, name, private)
        for name in ENCLOSING.get(event.kind, ())
        if (items := getattr(event, name))
    }
    return replace(event, **changes) if changes else event
