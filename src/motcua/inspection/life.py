"""The life of a finding: what can happen to it, who may do it when, and the state that its acts leave.

A sign that a check saw becomes a *finding*; the agency that it concerns is asked to explain (yêu cầu giải trình), an
inspector concludes. The state is a fold of the acts, as a dossier is of its events; a stored state is always equal to
the replay. Only a person concludes, and nobody is found at fault unheard. Source: experience paper §1, §2 (states and
words), law paper §6.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from motcua.rules.moves import Refused


class State(StrEnum):
    """Where a finding stands. Being past its answer date is no state: it follows from the clock (`Life.overdue`)."""

    NEW = "new"
    SENT = "sent"
    DRAFTING = "drafting"
    TO_APPROVE = "to_approve"
    ANSWERED = "answered"
    CONCLUDED = "concluded"
    TO_REMEDY = "to_remedy"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What an inspector concluded: a violation; a true sign for which the unit is not to blame; no true sign."""

    VIOLATION = "violation"
    EXCUSED = "excused"
    OVERTURNED = "overturned"


class Reason(StrEnum):
    """How an agency answers."""

    ADMITTED = "admitted"
    OTHER_EVIDENCE = "other_evidence"
    SYSTEM = "system"
    OTHER_AGENCY = "other_agency"


#: The scan itself: it opens, closes and reopens; no person has this role.
DATA: Final = "data"
INSPECTORS: Final = frozenset({"inspector"})
HEADS: Final = frozenset({"unit_head"})
GIVERS: Final = frozenset({"unit_head", "focal_point"})
DRAFTERS: Final = frozenset({"unit_head", "focal_point", "officer", "clerk", "seal_clerk"})
#: Waiting for the agency.
ASKED: Final = frozenset({State.SENT, State.DRAFTING, State.TO_APPROVE})
#: Neither concluded nor closed: what "open" means in every count.
OPEN: Final = frozenset({State.NEW, *ASKED, State.ANSWERED, State.TO_REMEDY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts, in which post: the role and the agency in which it is held (empty: the whole province)."""

    name: str
    role: str
    agency: str = ""


SCAN: Final = Person(name="", role=DATA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that happened to a finding. `body` holds JSON values; instants there are ISO 8601 texts."""

    kind: str
    at: datetime
    seq: int
    by: Person
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How a finding stands after its acts."""

    agency: str = ""
    state: State | None = None
    seq: int = 0
    inspector: str = ""
    officer: str = ""
    due_at: datetime | None = None
    asked: int = 0
    extension_to: datetime | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    remedy_due_at: datetime | None = None
    remedied_at: datetime | None = None
    concluded_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by_data: bool = False
    reopened: int = 0
    last_at: datetime | None = None

    def overdue(self, now: datetime) -> bool:
        """Quá hạn giải trình: asked, not answered, and the answer date has passed."""
        return self.state in ASKED and self.due_at is not None and self.due_at < now


@dataclass(frozen=True, slots=True)
class Move:
    """Who may do an act, and in which states; `to` is the state it leaves, None: the same."""

    by: frozenset[str]
    when: frozenset[State]
    to: State | None = None


_ANY: Final = frozenset(State)
_ALIVE: Final = _ANY - {State.CLOSED}
_SCAN: Final = frozenset({DATA})

MOVES: Final[Mapping[str, Move]] = {
    # the scan
    "changed": Move(_SCAN, _ANY),
    "closed_by_data": Move(_SCAN, OPEN, State.CLOSED),
    "reopened_by_data": Move(_SCAN, frozenset({State.CLOSED}), State.NEW),
    # inspectors
    "assigned": Move(INSPECTORS, _ALIVE),
    "sent": Move(INSPECTORS, frozenset({State.NEW}), State.SENT),
    "recalled": Move(INSPECTORS, ASKED, State.NEW),
    "extended": Move(INSPECTORS, ASKED),
    "extension_declined": Move(INSPECTORS, ASKED),
    "asked_again": Move(INSPECTORS, frozenset({State.ANSWERED}), State.SENT),
    "concluded": Move(INSPECTORS, frozenset({State.NEW, *ASKED, State.ANSWERED})),
    "reconsidered": Move(INSPECTORS, frozenset({State.CONCLUDED, State.TO_REMEDY, State.CLOSED}), State.ANSWERED),
    "evidence_verified": Move(INSPECTORS, _ALIVE),
    "evidence_rejected": Move(INSPECTORS, _ALIVE),
    "closed": Move(INSPECTORS, _ALIVE, State.CLOSED),
    # the agency
    "given": Move(GIVERS, frozenset({State.SENT, State.DRAFTING})),
    "drafted": Move(DRAFTERS, frozenset({State.SENT, State.DRAFTING}), State.DRAFTING),
    "submitted": Move(DRAFTERS, frozenset({State.DRAFTING}), State.TO_APPROVE),
    "returned": Move(HEADS, frozenset({State.TO_APPROVE}), State.DRAFTING),
    "answered": Move(HEADS, frozenset({State.DRAFTING, State.TO_APPROVE}), State.ANSWERED),
    "extension_asked": Move(GIVERS, ASKED),
    "remedied": Move(DRAFTERS, frozenset({State.TO_REMEDY})),
    "appealed": Move(HEADS, frozenset({State.CONCLUDED, State.TO_REMEDY}), State.ANSWERED),
    # both
    "noted": Move(INSPECTORS | DRAFTERS, _ANY),
    "evidence_added": Move(INSPECTORS | DRAFTERS, ASKED | {State.ANSWERED, State.NEW}),
}  # fmt: skip

#: Acts that leave a state, whichever it was before, and those of them that leave the finding waiting for the agency:
#: the newest act of these says whether it waits, so that "waiting as of an instant" needs no replay.
TURNING: Final = frozenset({"opened", "concluded"} | {kind for kind, move in MOVES.items() if move.to is not None})
AWAITING: Final = frozenset(kind for kind, move in MOVES.items() if move.to in ASKED)
#: Every kind of act, the first of a life before all others.
KINDS: Final = ("opened", *MOVES)
_OF_THE_PROVINCE: Final = frozenset({"inspector", DATA})


def permitted(life: Life, *, by: Person) -> frozenset[str]:
    """The acts for which this person has the post and the finding the state; some want more (`decide`)."""
    return frozenset(
        kind for kind, move in MOVES.items()
        if by.role in move.by and life.state in move.when and _concerns(life, by)
    )  # fmt: skip


def _concerns(life: Life, by: Person) -> bool:
    """A unit's people act on what is asked of their unit; an inspector of part of the province on that part."""
    if by.role in _OF_THE_PROVINCE and not by.agency:
        return True
    return bool(by.agency) and by.agency == life.agency


def opened(
    *, agency: str, at: datetime, evidence: Mapping[str, Any], parameters: Mapping[str, Any] | None = None,
    by: Person = SCAN,
) -> Act:  # fmt: skip
    """The first act of a life; `parameters`: of the check that saw it."""
    body: dict[str, Any] = {"agency": agency, "evidence": dict(evidence)}
    if parameters:
        body["parameters"] = dict(parameters)
    return Act(kind="opened", at=at, seq=1, by=by, body=body)


def decide(life: Life, kind: str, *, by: Person, at: datetime, body: Mapping[str, Any] | None = None) -> Act:
    """The act, where the rules allow it. Raises `Refused` with the code and the facts that the person can act on."""
    move = MOVES[kind]
    said = dict(body or {})
    if by.role not in move.by:
        raise Refused("finding.not_your_post", act=kind, role=by.role)
    if not _concerns(life, by):
        raise Refused("finding.not_your_unit", agency=life.agency)
    if life.state not in move.when:
        raise Refused("finding.not_in_this_state", act=kind, state=str(life.state))
    if life.last_at is not None and at < life.last_at:
        raise Refused("finding.before_the_last", at=at, last=life.last_at)
    match kind:
        case "sent" | "asked_again" | "extended":
            _later(said.get("due_at"), at)
        case "extension_asked":
            _later(said.get("to"), at)
            _reasoned(said)
        case "extension_declined" if life.extension_to is None:
            raise Refused("finding.no_extension_asked")
        case "assigned" | "given" if not said.get("to"):
            raise Refused("finding.nobody_named")
        case "drafted" if said.get("reason") not in (None, "", *Reason):
            raise Refused("finding.answer_incomplete", missing="reason")
        case "submitted" | "answered":
            if missing := incomplete(life.answer):
                raise Refused("finding.answer_incomplete", missing=missing)
        case "concluded":
            _conclusion(life, said, at)
        case "returned" | "closed" | "reconsidered" | "appealed" | "recalled" | "evidence_rejected" | "noted":
            _reasoned(said)
    return Act(kind=kind, at=at, seq=life.seq + 1, by=by, body=said)


def incomplete(answer: Mapping[str, Any]) -> str:
    """What an answer lacks before a head can sign it; empty where nothing."""
    if answer.get("reason") not in [str(reason) for reason in Reason]:
        return "reason"
    if len(str(answer.get("text", "")).strip()) < 10:
        return "text"
    if answer["reason"] == Reason.ADMITTED and not str(answer.get("remedy", "")).strip():
        return "remedy"
    documented = answer.get("attachments") or (answer.get("number") and answer.get("dated_on"))
    if answer["reason"] == Reason.OTHER_EVIDENCE and not documented:
        return "evidence"
    return ""


def _conclusion(life: Life, said: Mapping[str, Any], at: datetime) -> None:
    if said.get("outcome") not in [str(outcome) for outcome in Outcome]:
        raise Refused("finding.no_outcome")
    _reasoned(said)
    if said["outcome"] == Outcome.VIOLATION and life.state is not State.ANSWERED and not life.overdue(at):
        raise Refused("finding.not_heard")
    if said.get("remedy_due_at"):
        _later(said["remedy_due_at"], at)


def _later(text: Any, at: datetime) -> None:
    if not text or datetime.fromisoformat(str(text)) <= at:
        raise Refused("finding.date_has_passed", at=at)


def _reasoned(said: Mapping[str, Any]) -> None:
    if not str(said.get("note", "")).strip():
        raise Refused("finding.reason_missing")


def apply(life: Life, act: Act) -> Life:
    """How the finding stands once `act` has happened. Acts are taken as they come: what was legal was decided then."""
    body = act.body
    if act.kind == "opened":
        return Life(agency=body["agency"], state=State.NEW, seq=act.seq, last_at=act.at)
    to = MOVES[act.kind].to
    life = replace(life, seq=act.seq, last_at=act.at, state=life.state if to is None else to)
    match act.kind:
        case "assigned":
            return replace(life, inspector=body["to"])
        case "sent":
            return replace(life, due_at=_at(body["due_at"]), asked=life.asked + 1, answer={}, officer="")
        case "asked_again":
            return replace(life, due_at=_at(body["due_at"]), asked=life.asked + 1)
        case "recalled":
            return replace(life, due_at=None, officer="", extension_to=None, answer={})
        case "extension_asked":
            return replace(life, extension_to=_at(body["to"]))
        case "extended":
            return replace(life, due_at=_at(body["due_at"]), extension_to=None)
        case "extension_declined" | "answered":
            return replace(life, extension_to=None)
        case "given":
            return replace(life, officer=body["to"])
        case "drafted":
            return replace(life, answer=body, officer=life.officer or act.by.name)
        case "concluded":
            outcome = Outcome(body["outcome"])
            remedy = _at(body["remedy_due_at"]) if body.get("remedy_due_at") else None
            wanted = outcome is Outcome.VIOLATION and remedy is not None
            return replace(
                life, state=State.TO_REMEDY if wanted else State.CONCLUDED, outcome=outcome, concluded_at=act.at,
                remedy_due_at=remedy if wanted else None, remedied_at=None, extension_to=None,
            )  # fmt: skip
        case "remedied":
            return replace(life, remedied_at=act.at)
        case "appealed" | "reconsidered":
            return replace(
                life, outcome=None, concluded_at=None, remedy_due_at=None, remedied_at=None, closed_at=None,
                closed_by_data=False, reopened=life.reopened + (act.kind == "reconsidered"),
            )  # fmt: skip
        case "closed" | "closed_by_data":
            return replace(life, closed_at=act.at, closed_by_data=act.kind == "closed_by_data", extension_to=None)
        case "reopened_by_data":
            return Life(
                agency=life.agency, state=State.NEW, seq=act.seq, inspector=life.inspector, last_at=act.at,
                reopened=life.reopened + 1,
            )  # fmt: skip
    return life


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def replay(acts: Iterable[Act]) -> Life:
    """The finding as its acts leave it."""
    life = Life()
    for act in sorted(acts, key=lambda act: act.seq):
        life = apply(life, act)
    return life
