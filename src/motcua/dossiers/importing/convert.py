"""An office's list, by the columns and words that a person confirmed, as the rows that the importers take.

Each row is taken, counted as repeated, or refused with a code for its reason; the doors have the words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from motcua.catalogue.folding import fold
from motcua.dossiers.importing import guess
from motcua.dossiers.importing.canonical import DOSSIER_COLUMNS, EVENT_COLUMNS
from motcua.dossiers.importing.guess import Kind
from motcua.rules.instants import Unreadable, iso, local_day
from motcua.wire.codes import agency_of_dossier

#: Why a row is refused.
REASONS = (
    "no_code", "bad_code", "bad_instant", "no_receipt", "no_instant", "no_activity", "unknown_word",
    "ended_without_day", "no_unit", "no_name", "unknown_dossier", "not_taken",
    "no_petition", "before_receipt", "to_come",
)  # fmt: skip
#: The code of a procedure that a list does not name.
NO_PROCEDURE = "unknown"
#: Columns of the rows of a published list.
PUBLISHED_COLUMNS = ("code", "late", "received_at", "due_at", "finished_at", "unit")
AGENCY_COLUMNS = ("code", "name", "parent")
#: What may happen to a petition, in the order of the columns of its rows.
PETITION_ACTS = ("refused_at", "asked_at", "answered_at", "published_at", "transferred_at")
PETITION_COLUMNS = ("code", "agency", "received_at", *PETITION_ACTS)
_ENDS = frozenset({"finished", "returned", "withdrawn", "stopped", "refused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a list is read: which column holds what, what the words of its columns mean, which unit is which agency."""

    kind: Kind
    columns: Mapping[str, int]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)  # name → agency's code
    procedures: Mapping[str, str] = field(default_factory=dict)  # folded name → code
    resolve: Callable[[str], str] = lambda name: ""
    given_at: datetime | None = None  # when the list was given: nothing in it can be later


class Taken(NamedTuple):
    """A row that goes in: its line, its own values, and the event it states, if any."""

    line: int
    values: tuple[str, ...]
    event: tuple[str, ...] | None = None


class Refused(NamedTuple):
    """A row that does not: its line, the column, the code of the reason, and what stands there."""

    line: int
    column: str
    reason: str
    value: str


class Repeated(NamedTuple):
    """A row whose dossier stood above."""

    line: int


class _Refusal(Exception):
    def __init__(self, column: str, reason: str, value: str = "") -> None:
        self.column, self.reason, self.value = column, reason, value


def converted(
    rows: Iterable[tuple[int, Sequence[str]]], plan: Plan
) -> Iterator[tuple[Taken | Refused | Repeated, Sequence[str]]]:
    """Each row of the list with what becomes of it; empty lines, sums and signatures are passed over."""
    make = _MAKERS[plan.kind]
    seen: set[str] = set()
    once = plan.kind is not Kind.STEPS
    for line, cells in rows:
        try:
            made = make(_Line(line, cells, plan))
        except _Refusal as refusal:
            yield Refused(line, refusal.column, refusal.reason, refusal.value), cells
            continue
        if made is None:
            continue
        if once:
            if made.values[0] in seen:
                yield Repeated(line), cells
                continue
            seen.add(made.values[0])
        yield made, cells


@dataclass(slots=True)
class _Line:
    line: int
    cells: Sequence[str]
    plan: Plan

    def text(self, name: str) -> str:
        at = self.plan.columns.get(name)
        return self.cells[at].strip() if at is not None and at < len(self.cells) else ""

    def code(self) -> str:
        """The dossier's code; empty for a line that is none: a sum, a signature, the numbers of the columns."""
        code = guess.code_as_written(self.text("code"))
        if guess.is_code(code):
            return code
        if guess.is_sum(self.cells):
            return ""
        others = [cell for cell in self.cells if cell.strip()]
        if not code and (len(others) < 3 or not any(self.text(n) for n in guess.INSTANTS & set(self.plan.columns))):
            return ""
        if not code:
            raise _Refusal("code", "no_code")
        if not any(sign.isdigit() for sign in code) or (code.isdigit() and len(others) < 4):
            return ""
        raise _Refusal("code", "bad_code", self.text("code"))

    def when(self, name: str) -> datetime | None:
        text = self.text(name)
        try:
            return guess.instant(text, closing=name == "due_at")
        except Unreadable:
            raise _Refusal(name, "bad_instant", text) from None

    def instant(self, name: str) -> str:
        at = self.when(name)
        return iso(at) if at else ""

    def meant(self, name: str) -> str:
        """What the word of a column means, as confirmed, else as guessed."""
        text = " ".join(self.text(name).split())
        if not text:
            return ""
        found = self.plan.values.get(name, {}).get(text) or guess.meaning(name, text)
        if not found:
            raise _Refusal(name, "unknown_word", text)
        return found

    def unit(self, code: str) -> str:
        """The agency's code: as matched by name, else as the dossier's code says."""
        name = " ".join(self.text("unit").split())
        by_code = agency_of_dossier(code)
        return self.plan.units.get(name) or (name and self.plan.resolve(name)) or self.plan.resolve(by_code) or by_code

    def procedure(self) -> str:
        given = self.text("procedure")
        if given:
            return given[:64]
        return procedure_of(self.text("procedure_name"), self.plan.procedures)


def procedure_of(name: str, known: Mapping[str, str]) -> str:
    """The code of a procedure by its name; a name that nobody knows gets a code of its own."""
    text = fold(name)
    if not text:
        return NO_PROCEDURE
    return known.get(text) or "ten-" + hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def _published(row: _Line) -> Taken | None:
    code = row.code()
    if not code:
        return None
    late = row.meant("verdict") != "on_time"  # a list without a word is a list of late dossiers
    instants = [row.instant(name) for name in ("received_at", "due_at", "finished_at")]
    return Taken(row.line, (code, "1" if late else "0", *instants, row.text("unit")[:300]))


def _dossier(row: _Line) -> Taken | None:
    code = row.code()
    if not code:
        return None
    received, submitted = row.instant("received_at"), row.instant("submitted_at")
    if not received and not submitted:
        raise _Refusal("received_at", "no_receipt")
    agency = row.unit(code)
    if not agency:
        raise _Refusal("unit", "no_unit", row.text("unit"))
    state, finished = row.meant("state"), row.instant("finished_at")
    kind = state if state in _ENDS else "finished"
    if state in _ENDS and not finished:
        raise _Refusal("finished_at", "ended_without_day", row.text("state"))
    values = {
        "dossier": code, "procedure": row.procedure(), "agency": agency, "channel": row.meant("channel") or "desk",
        "applicant": row.text("applicant"), "submitted_at": submitted, "received_at": received, "allotted": "",
        "due_at": row.instant("due_at"),
    }  # fmt: skip
    event = None
    if finished and state != "open":
        event = _event(dossier=code, kind=kind, at=finished, unit=agency)
    return Taken(row.line, tuple(values[name] for name in DOSSIER_COLUMNS), event)


def _step(row: _Line) -> Taken | None:
    code = row.code()
    if not code:
        return None
    activity, at = row.text("activity"), row.instant("at")
    if not activity:
        raise _Refusal("activity", "no_activity")
    if not at:
        raise _Refusal("at", "no_instant")
    kind = row.meant("activity")
    step = activity if kind.startswith("step_") else ""
    event = _event(dossier=code, kind=kind, at=at, unit=row.text("unit")[:200], actor=row.text("actor")[:200],
                   step=step[:500], note="" if step else activity)  # fmt: skip
    return Taken(row.line, (code,), event)


def _event(**values: str) -> tuple[str, ...]:
    return tuple(values.get(name, "") for name in EVENT_COLUMNS)


def _agency(row: _Line) -> Taken | None:
    code, name = row.text("agency_code").upper().replace(" ", ""), " ".join(row.text("agency_name").split())
    if not code and not name:
        return None
    if not code or len(code) > 64 or not any(sign.isdigit() for sign in code):
        if not code or len([cell for cell in row.cells if cell.strip()]) < 2:
            return None
        raise _Refusal("agency_code", "bad_code", code)
    if not name:
        raise _Refusal("agency_name", "no_name", code)
    return Taken(row.line, (code, name[:300], row.text("parent").upper()[:64]))


def _petition(row: _Line) -> Taken | None:
    code, unit = row.text("petition"), " ".join(row.text("unit").split())
    if guess.is_sum(row.cells) or not any(sign.isdigit() for sign in code + row.text("received_at")):
        return None
    if not code or len(code) > 100:
        raise _Refusal("petition", "no_petition", code)
    agency = row.plan.units.get(unit) or (unit and row.plan.resolve(unit))
    if not agency:
        raise _Refusal("unit", "no_unit", unit)
    received = row.when("received_at")
    if received is None:
        raise _Refusal("received_at", "no_receipt")
    acts = {name: row.when(name) for name in PETITION_ACTS}
    for name, at in {"received_at": received, **acts}.items():
        # Lists write days without times: an answer on the day of the receipt is none before it.
        if at is not None and local_day(at) < local_day(received):
            raise _Refusal(name, "before_receipt", row.text(name))
        if at is not None and row.plan.given_at is not None and at > row.plan.given_at:
            raise _Refusal(name, "to_come", row.text(name))
    return Taken(row.line, (code, agency, iso(received), *(iso(at) if at else "" for at in acts.values())))


_MAKERS: Mapping[Kind, Callable[[_Line], Taken | None]] = {
    Kind.PUBLISHED: _published, Kind.DOSSIERS: _dossier, Kind.STEPS: _step, Kind.AGENCIES: _agency,
    Kind.PETITIONS: _petition,
}  # fmt: skip
