"""Proves a status map against the life cycle: every order of acts that the rules allow, shortest first.

The acts are those of `rules.moves`, the states those of `rules.dossier`; nothing of either is told again here.
All acts happen at one instant, since order alone decides a status, so the states are few and the walk ends. Each
break comes with the shortest way to it. Corrections are left out: they put right what was sent wrongly and may
take a dossier anywhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import Any

from motcua.exchange import status_map
from motcua.exchange.status_map import STATES, StatusMap
from motcua.rules import moves
from motcua.rules.dossier import Dossier, Status, apply
from motcua.rules.events import Event, Registered
from motcua.rules.instants import VIET_NAM, Unreadable
from motcua.rules.moves import Actor, Refused
from motcua.wire.transitions import is_lawful, is_terminal

_NOW = datetime(2026, 3, 2, 8, 30, tzinfo=VIET_NAM)
_BY = Actor(name="", unit="")
_ACT: dict[str, Any] = {"by": _BY, "at": _NOW, "now": _NOW}
#: Statuses that say the same of a dossier: in work; ended by the authority without a result.
_SAME = ({Status.ACCEPTED, Status.PROCESSING}, {Status.REFUSED, Status.STOPPED})


class Fault(StrEnum):
    """What can be wrong with a map."""

    UNMAPPED = "unmapped"  # an event carries no status
    ENDED_THERE = "ended_there"  # open here, a terminal status there (5, 6 or 8 sent as 9)
    OPEN_THERE = "open_there"  # ended here, no terminal status there
    SAYS_OTHERWISE = "says_otherwise"  # the status says something else of the dossier
    UNLAWFUL = "unlawful"  # no national status may follow the one before like this


@dataclass(frozen=True, slots=True)
class Act:
    """One act on a way: the event, its step or the source's word, and the status that it carries."""

    kind: str
    named: str
    status: Status | None


@dataclass(frozen=True, slots=True)
class Break:
    """A fault with the shortest way that shows it."""

    fault: Fault
    way: tuple[Act, ...]
    state: str  # what the dossier is then, a name of STATES
    before: Status | None
    after: Status | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What was walked and found."""

    states: int
    moves: int
    breaks: tuple[Break, ...]
    exceptions_used: Mapping[tuple[Status, Status], tuple[Act, ...]]
    without_word: tuple[str, ...] = ()  # reachable states that the source has no word for

    @property
    def holds(self) -> bool:
        """Whether nothing is broken."""
        return not self.breaks


class BrokenMap(Unreadable):
    """A map is refused; `broken` is the break with the shortest way."""

    def __init__(self, name: str, broken: Break) -> None:
        way = " → ".join(act.kind + (f" {act.named!r}" if act.named else "") for act in broken.way)
        statuses = f"{_number(broken.before)} → {_number(broken.after)}"
        super().__init__(
            f"status map {name}: {broken.fault}: {way} ({statuses}, the dossier is {broken.state}); "
            "see motcua exchange status-map check"
        )
        self.broken = broken


def _number(status: Status | None) -> str:
    return "–" if status is None else str(int(status))


def state_of(dossier: Dossier) -> str:
    """The name of a dossier's state in STATES."""
    waits = dossier.status is Status.PROCESSING and dossier.is_suspended
    return "suspended" if waits else dossier.status.name.lower()


def _begun(procedure: str) -> Iterator[Event]:
    """How a dossier comes to be: submitted, or taken over as accepted."""
    new = partial(Registered, at=_NOW, recorded_at=_NOW, procedure=procedure, agency="")
    yield new(submitted_at=_NOW)
    yield new(accepted_at=_NOW, due_at=_NOW)


def _next(dossier: Dossier, steps: Sequence[str]) -> Iterator[Event]:
    """Every act that the rules allow now."""
    due_at = (dossier.due_at or _NOW) + timedelta(days=1)
    tried: tuple[Any, ...] = (
        partial(moves.receive, due_at=_NOW),
        partial(moves.refuse, reason=""),
        *(partial(moves.start_step, step=step) for step in steps),
        partial(moves.finish_step, step=dossier.step),
        partial(moves.request_supplement, document=True, exception=True),
        moves.receive_supplement,
        partial(moves.suspend, reason="", document=True),
        moves.resume,
        partial(moves.request_payment, document=True),
        moves.pay,
        partial(moves.send_leg, to="H99"),
        moves.return_leg,
        partial(moves.extend, due_at=due_at, document=True),
        moves.withdraw,
        partial(moves.stop, reason=""),
        moves.finish,
        partial(moves.return_result, skip_finish=True),
    )
    for act in tried:
        try:
            event: Event = act(dossier, **_ACT)
        except Refused:
            continue
        if event.kind != "step_finished" or dossier.step:
            yield event


def prove(rules: StatusMap, *, procedure: str = "", steps: Sequence[str] = ()) -> Proof:
    """Walks the life cycle of an internal process (its steps, in any order) breadth first under a map."""
    names = tuple(dict.fromkeys(steps)) or ("",)

    def carried(event: Event, after: Dossier) -> list[Act]:
        named = getattr(event, "step", "")
        return [Act(event.kind, named, rules.national(event.kind, after))]

    return _walk(rules, procedure, names, carried, rules.standing)


def audit(rules: StatusMap) -> Proof:
    """Walks the life cycle under the words of another system: each state by each word that means it."""
    by_state: dict[str, list[str]] = {}
    for word, meant in rules.words.items():
        by_state.setdefault(meant.state, []).append(word)

    def carried(event: Event, after: Dossier) -> list[Act]:
        return [Act(event.kind, word, rules.words[word].status) for word in by_state.get(state_of(after), ())]

    found = _walk(rules, "", ("",), carried, lambda dossier: dossier.status)
    missing = tuple(state for state in STATES if state not in by_state)
    return Proof(found.states, found.moves, found.breaks, found.exceptions_used, missing)


def _walk(
    rules: StatusMap, procedure: str, steps: Sequence[str], carried: Callable[[Event, Dossier], list[Act]],
    meant: Callable[[Dossier], Status],
) -> Proof:  # fmt: skip
    """Breadth first over (state, status carried last); no way goes on behind a break."""
    queue: deque[tuple[Dossier | None, Status | None, tuple[Act, ...]]] = deque([(None, None, ())])
    seen: set[tuple[object, ...]] = set()
    breaks: dict[tuple[object, ...], Break] = {}
    used: dict[tuple[Status, Status], tuple[Act, ...]] = {}
    count = 0
    while queue:
        dossier, before, way = queue.popleft()
        for event in _begun(procedure) if dossier is None else _next(dossier, steps):
            after = apply(dossier or Dossier(code=""), event)
            acts = carried(event, after)
            count += len(acts) or 1
            for act in acts:
                along = (*way, act)
                fault = _fault(rules, before, act.status, after, meant(after))
                if fault:
                    key = (fault, act.named or act.kind, before, act.status)
                    breaks.setdefault(key, Break(fault, along, state_of(after), before, act.status))
                elif act.status is not None:
                    if before is not None and not is_lawful(before, act.status):
                        used.setdefault((before, act.status), along)
                    _enqueue(queue, seen, after, act.status, along)
            if not acts:  # the source has no word for this state: it shows nothing, the dossier goes on
                _enqueue(queue, seen, after, before, way)
    return Proof(len(seen), count, tuple(breaks.values()), used)


def _enqueue(
    queue: deque[tuple[Dossier | None, Status | None, tuple[Act, ...]]], seen: set[tuple[object, ...]],
    dossier: Dossier, last: Status | None, way: tuple[Act, ...],
) -> None:  # fmt: skip
    key = (
        dossier.status, dossier.is_suspended, dossier.step, bool(dossier.leg), dossier.accepted_at is None,
        dossier.due_at is None, dossier.finished_at is None, dossier.returned_at is None, last,
    )  # fmt: skip
    if key not in seen:
        seen.add(key)
        queue.append((dossier, last, way))


def _fault(
    rules: StatusMap, before: Status | None, after: Status | None, dossier: Dossier, meant: Status
) -> Fault | None:
    """What is wrong with carrying `after`, `before` having been carried last, for a dossier that stands as `meant`."""
    if after is None:
        return Fault.UNMAPPED
    if is_terminal(after) and not dossier.has_ended:
        return Fault.ENDED_THERE
    if dossier.has_ended and not is_terminal(after):
        return Fault.OPEN_THERE
    if after is not meant and not any({after, meant} <= same for same in _SAME):
        return Fault.SAYS_OTHERWISE
    if not is_lawful(before, after) and (before, after) not in rules.exceptions:
        return Fault.UNLAWFUL
    return None


def load(path: Path) -> StatusMap:
    """The map in a TOML file, proved. Raises `BrokenMap` with the shortest way, `Unreadable`."""
    rules = status_map.read(path)
    _demand(rules, audit(rules) if rules.words else None)
    return rules


@cache
def _built_in() -> StatusMap:
    _demand(status_map.NATIONAL, None)
    return status_map.NATIONAL


def current() -> StatusMap:
    """The map that deliveries go by: the province's own, else the built-in one; proved either way."""
    path = status_map.named()
    return load(path) if path else _built_in()


def proofs(
    rules: StatusMap, processes: Mapping[str, Sequence[str]] | None = None
) -> Iterator[tuple[tuple[str, ...], Proof]]:
    """A proof for each kind of internal process that a map tells apart, with the procedures that it stands for.

    `processes`: the steps of each procedure. Steps that the map does not name are alike, so one of them stands for
    all. Without processes the map's own steps are taken, and "" for any other procedure.
    """
    if not processes:
        own = dict.fromkeys(["", *(procedure for procedure, _ in rules.steps)])
        processes = {of: [*(step for at, step in rules.steps if at in ("", of)), "–"] for of in own}
    alike: dict[tuple[str, ...], list[str]] = {}
    for procedure, steps in processes.items():
        named = tuple(s for s in dict.fromkeys(steps) if (procedure, s) in rules.steps or ("", s) in rules.steps)
        own_steps = any((procedure, step) in rules.steps for step in named)
        alike.setdefault((procedure if own_steps else "", *named), []).append(procedure)
    for (_, *known), procedures in alike.items():
        unnamed = next((step for step in processes[procedures[0]] if step not in known), "–")
        yield tuple(procedures), prove(rules, procedure=procedures[0], steps=[*known, unnamed])


def _demand(rules: StatusMap, audited: Proof | None) -> None:
    for proof in [*(proof for _, proof in proofs(rules) if rules.events), *([audited] if audited else [])]:
        if not proof.holds:
            raise BrokenMap(rules.name, min(proof.breaks, key=lambda broken: len(broken.way)))
