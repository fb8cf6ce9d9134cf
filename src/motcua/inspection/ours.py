"""Our side in columns: from events to one row of facts a dossier.

`rules.verdicts.our_facts` is the meaning. Most dossiers have neither pause nor extension nor anything out
of the ordinary; for those the same answer is computed over columns, and the rest goes through the rules
one by one. A property test holds the two equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motcua.inspection import clocks
from motcua.inspection.columns import MISSING, Columns, masked, texts
from motcua.rules.clock import Allotted, Mode
from motcua.rules.events import KINDS, Event, from_body
from motcua.rules.instants import from_microseconds, to_microseconds
from motcua.rules.verdicts import RECEPTION_MINUTES, OurFacts, Stages, Terms, our_facts
from motcua.rules.workdays import WorkCalendar

KIND_CODES: dict[str, int] = {kind: code for code, kind in enumerate(KINDS)}
KIND_NAMES: tuple[str, ...] = tuple(KINDS)

#: A dossier with one of these goes through the rules one by one.
_ORDINARY = frozenset({"registered", "received", "step_started", "step_finished", "finished", "returned",
                       "leg_sent", "leg_returned"})  # fmt: skip
_EXTRAORDINARY = np.array([kind not in _ORDINARY for kind in KIND_NAMES])

READINGS = ("due", "statutory", "subtract")
TEXTS = ("dossier", "procedure", "core", "field", "agency", "source", "channel", "origin", "owner", "submitter",
         "finish_kind", "evidence_kind", "pause_fault", "extension_fault")  # fmt: skip
INSTANTS = (
    "submitted_at", "answered_at", "reception_due_at", "received_at", "slip_due_at", "limit_due_at", "finish_at",
    "finish_recorded_at", "evidence_at", "true_finish_at",
    *(f"{reading}_{stage}" for reading in READINGS for stage in range(4)),
    "due_by_pauses", "due_by_extensions", "request_open_at",
)  # fmt: skip
NUMBERS = ("status", "finish_seq", "answer_seq", "requests", "supplement_s", "unknown_documents",
           "last_at", "last_known_at", "last_seq")  # fmt: skip
FLAGS = ("paused_0", "paused_1", "paused_2", "paused_3", "has_pause", "has_extension", "payment_paused",
         "suspension_open", "over_promised", "closed_at_intake", "slip_stated")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureFacts:
    """What the clock and the rows need of a procedure."""

    code: str
    core: str
    field: str = ""
    name: str = ""
    limit: str = ""
    mode: Mode = Mode.KEEP_CLOCK
    cutoff: int | None = None
    payment_pauses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Reference data as the facts read it. `calendars` is by name; agencies without one use `vn`."""

    procedures: Mapping[str, ProcedureFacts]
    agency_calendars: Mapping[str, str]
    calendars: Mapping[str, WorkCalendar]

    def procedure(self, code: str) -> ProcedureFacts:
        """The procedure, or an empty one of that code where the catalogue lacks it."""
        return self.procedures.get(code) or ProcedureFacts(code=code, core=code)

    def calendar_name(self, agency: str) -> str:
        """The name of the calendar that an agency works by."""
        name = self.agency_calendars.get(agency, "vn")
        return name if name in self.calendars else "vn"

    def terms(self, procedure: str, agency: str) -> Terms:
        """What the clock of a dossier of this procedure and agency needs."""
        known = self.procedure(procedure)
        return Terms(
            calendar=self.calendars[self.calendar_name(agency)],
            mode=known.mode,
            cutoff=known.cutoff,
            limit=known.limit,
            payment_pauses=known.payment_pauses,
        )


@dataclass(slots=True, kw_only=True)
class Events:
    """Events in columns, any order. Instants are int64 microseconds UTC; `bodies` holds non-empty ones by row."""

    dossier: NDArray[np.int32]  # index into Headers
    seq: NDArray[np.int32]
    kind: NDArray[np.int8]  # index into KIND_NAMES
    at: NDArray[np.int64]
    recorded_at: NDArray[np.int64]
    stored_at: NDArray[np.int64]
    actor: NDArray[np.int32]  # index into names
    unit: NDArray[np.int32]
    step: NDArray[np.int32]
    names: Sequence[str]
    bodies: dict[int, str]

    def __len__(self) -> int:
        return len(self.dossier)

    def event(self, row: int) -> Event:
        """One event as a value."""
        body: dict[str, Any] = json.loads(self.bodies[row]) if row in self.bodies else {}
        return from_body(
            KIND_NAMES[self.kind[row]],
            body,
            at=from_microseconds(int(self.at[row])),
            recorded_at=from_microseconds(int(self.recorded_at[row])),
            seq=int(self.seq[row]),
            actor=self.names[self.actor[row]],
            unit=self.names[self.unit[row]],
            step=self.names[self.step[row]],
        )


@dataclass(slots=True, kw_only=True)
class Headers:
    """One row a dossier, from the projection. Instants int64 microseconds, MISSING where absent."""

    code: Sequence[str]
    procedure: Sequence[str]
    agency: Sequence[str]
    source: Sequence[str]
    channel: Sequence[str]
    origin: Sequence[str]
    owner: Sequence[str]
    allotted: Sequence[str]
    status: NDArray[np.int64]
    submitted_at: NDArray[np.int64]
    accepted_at: NDArray[np.int64]
    slip_due_at: NDArray[np.int64]
    submitter: Sequence[str] = ()  # empty: nobody filed for another


def ours(
    headers: Headers,
    events: Events,
    catalogue: Catalogue,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    by_rules: bool = False,
) -> Columns:
    """Our facts: a row a dossier that existed by then. `by_rules` sends every dossier through the rules.

    Result columns: TEXTS (object), INSTANTS (int64 seconds, masked where absent), NUMBERS, FLAGS.
    """
    builder = _Builder(headers, events, catalogue, as_of, known_at)
    slow = np.ones(len(headers.code), bool) if by_rules or as_of or known_at else builder.extraordinary()
    builder.fast(~slow)
    builder.slow(np.flatnonzero(slow))
    return builder.columns()


class _Builder:
    def __init__(
        self,
        headers: Headers,
        events: Events,
        catalogue: Catalogue,
        as_of: datetime | None,
        known_at: datetime | None,
    ) -> None:
        self.headers, self.events, self.catalogue = headers, events, catalogue
        self.as_of, self.known_at = as_of, known_at
        self.n = len(headers.code)
        self.exists = np.ones(self.n, bool)
        self.numbers: dict[str, NDArray[np.int64]] = {name: np.zeros(self.n, np.int64) for name in NUMBERS}
        self.instants: dict[str, NDArray[np.int64]] = {name: np.full(self.n, MISSING) for name in INSTANTS}
        self.flags: dict[str, NDArray[np.bool_]] = {name: np.zeros(self.n, bool) for name in FLAGS}
        self.flags["slip_stated"] = headers.slip_due_at != MISSING
        self.texts: dict[str, NDArray[np.object_]] = {
            name: np.full(self.n, "", dtype=object)
            for name in ("finish_kind", "evidence_kind", "pause_fault", "extension_fault")
        }
        order = np.lexsort((events.seq, events.at, events.dossier))
        self.order = order
        self.dossier = events.dossier[order]
        self.kind = events.kind[order]
        self.starts = np.searchsorted(self.dossier, np.arange(self.n + 1))
        if len(events):
            filled = self.starts[1:] > self.starts[:-1]
            last = np.full(self.n, MISSING)
            last[filled] = _seconds(events.at[order])[self.starts[1:][filled] - 1]
            known = np.zeros(self.n, np.int64)
            np.maximum.at(known, events.dossier, _seconds(events.recorded_at))
            np.maximum.at(self.numbers["last_seq"], events.dossier, events.seq)
            self.numbers["last_at"], self.numbers["last_known_at"] = last, known
        self.numbers["status"] = np.asarray(headers.status, np.int64)

    def extraordinary(self) -> NDArray[np.bool_]:
        """Which dossiers need the rules one by one."""
        odd = np.zeros(self.n, bool)
        np.logical_or.at(odd, self.events.dossier, _EXTRAORDINARY[self.events.kind])
        received = np.bincount(self.events.dossier[self.events.kind == KIND_CODES["received"]], minlength=self.n)
        return odd | (received > 1)

    # ---- over columns ------------------------------------------------------------------------------------------

    def fast(self, chosen: NDArray[np.bool_]) -> None:
        """Ordinary dossiers: no pause, no extension, no refusal, nothing corrected."""
        headers, i, n = self.headers, self.instants, self.numbers
        index = np.flatnonzero(chosen)
        if not len(index):
            return
        i["submitted_at"][index] = _seconds(headers.submitted_at[index])
        accepted = _seconds(headers.accepted_at[index])
        i["received_at"][index] = accepted
        i["answered_at"][index] = accepted
        received = self._first("received", chosen)
        n["answer_seq"][index] = np.where(received[index] >= 0, self.events.seq[received[index]], 1)
        n["answer_seq"][index] = np.where(accepted == MISSING, 0, n["answer_seq"][index])
        index = index[accepted != MISSING]
        chosen = np.zeros(self.n, bool)
        chosen[index] = True
        self._finish(index, chosen)
        self._dues(index)

    def _first(self, kind: str, chosen: NDArray[np.bool_], where: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        """For each dossier the row of its first event of this kind by (at, seq), -1 where there is none."""
        mask = (self.kind == KIND_CODES[kind]) & chosen[self.dossier]
        if where is not None:
            mask &= where
        rows = np.flatnonzero(mask)
        dossiers, first = np.unique(self.dossier[rows], return_index=True)
        found = np.full(self.n, -1, np.intp)
        found[dossiers] = self.order[rows[first]]
        return found

    def _finish(self, index: NDArray[np.intp], chosen: NDArray[np.bool_]) -> None:
        events, i, n = self.events, self.instants, self.numbers
        finished, returned = self._first("finished", chosen), self._first("returned", chosen)
        finish = np.where(finished >= 0, finished, returned)[index]
        has = finish >= 0
        at, rows = index[has], finish[has]
        i["finish_at"][at] = _seconds(events.at[rows])
        i["finish_recorded_at"][at] = _seconds(events.recorded_at[rows])
        n["finish_seq"][at] = events.seq[rows]
        self.texts["finish_kind"][at] = np.array(KIND_NAMES, object)[events.kind[rows]]

        evidence = np.full(len(events), MISSING)
        for row, body in events.bodies.items():
            if '"evidence_at"' in body:
                evidence[row] = json.loads(body)["evidence_at"] or MISSING
        in_order = evidence[self.order]
        carries = in_order != MISSING
        step = (self.kind == KIND_CODES["step_started"]) | (self.kind == KIND_CODES["step_finished"])
        rows_of_steps = np.flatnonzero(step & chosen[self.dossier])
        last_step = np.full(self.n, -1, np.intp)
        last_step[self.dossier[rows_of_steps]] = rows_of_steps  # the last write wins: rows are in time order
        by_step = np.full(self.n, MISSING)
        has_step = last_step >= 0
        done = has_step.copy()
        done[has_step] = self.kind[last_step[has_step]] == KIND_CODES["step_finished"]
        by_step[done] = in_order[last_step[done]]
        best, kind = by_step, np.where(by_step != MISSING, "step_finished", "").astype(object)
        for name in ("returned", "finished"):
            first = self._first(name, chosen, carries)
            found = first >= 0
            best[found] = evidence[first[found]]
            kind[found] = name
        i["evidence_at"][index] = _seconds(best[index])
        self.texts["evidence_kind"][index] = kind[index]
        i["true_finish_at"][index] = np.where(best[index] != MISSING, _seconds(best[index]), i["finish_at"][index])

    def _dues(self, index: NDArray[np.intp]) -> None:
        """The slip's due instant, else the computed one; what the published limit allows at the latest."""
        headers, i = self.headers, self.instants
        groups: dict[tuple[str, str, str], list[int]] = {}
        for row in index.tolist():
            groups.setdefault((headers.procedure[row], headers.agency[row], headers.allotted[row]), []).append(row)
        merged: dict[tuple[str, str, Mode, int | None, str], list[int]] = {}
        for (procedure, agency, allotted), group in groups.items():
            known = self.catalogue.procedure(procedure)
            key = (self.catalogue.calendar_name(agency), allotted or known.limit, known.mode, known.cutoff,
                   known.limit or allotted)  # fmt: skip
            merged.setdefault(key, []).extend(group)
        odd: list[int] = []
        for (calendar_name, allotted, mode, cutoff, limit), members in merged.items():
            rows = np.array(members)
            calendar = self.catalogue.calendars[calendar_name]
            accepted = i["received_at"][rows]
            slip = _seconds(headers.slip_due_at[rows])
            stated = slip != MISSING
            if allotted:
                computed = clocks.due_at(accepted, Allotted.parse(allotted), calendar, mode=mode, cutoff=cutoff)
                slip = np.where(stated, slip, computed)
            latest = slip
            if limit:
                latest = clocks.due_at(accepted, Allotted.parse(limit), calendar, mode=Mode.DAY_END, cutoff=cutoff)
                i["limit_due_at"][rows] = latest
            suspicious = stated & (slip > latest) if limit else np.zeros(len(rows), bool)
            closed = stated & ~clocks.is_workday(slip, calendar)
            odd.extend(rows[suspicious | closed].tolist())
            i["slip_due_at"][rows] = slip
            for stage in range(4):
                i[f"due_{stage}"][rows] = slip
                i[f"subtract_{stage}"][rows] = slip
                i[f"statutory_{stage}"][rows] = latest
            i["due_by_pauses"][rows] = slip
            i["due_by_extensions"][rows] = slip
        self.slow(np.array(odd, np.intp))

    # ---- by the rules ------------------------------------------------------------------------------------------

    def slow(self, index: NDArray[np.intp]) -> None:
        """Dossiers one by one, through `rules.verdicts.our_facts`."""
        for row in index.tolist():
            rows = self.order[self.starts[row] : self.starts[row + 1]]
            values = [self.events.event(int(r)) for r in rows]
            terms = self.catalogue.terms(self.headers.procedure[row], self.headers.agency[row])
            facts = our_facts(values, terms, as_of=self.as_of, known_at=self.known_at)
            self._put(row, facts)
            self.exists[row] = any(
                (self.as_of is None or value.at <= self.as_of)
                and (self.known_at is None or value.recorded_at <= self.known_at)
                for value in values
            )

    def _put(self, row: int, facts: OurFacts) -> None:
        i, n, f = self.instants, self.numbers, self.flags

        def put(name: str, at: datetime | None) -> None:
            i[name][row] = MISSING if at is None else to_microseconds(at) // 1_000_000

        put("submitted_at", facts.submitted_at)
        put("answered_at", facts.answered_at)
        put("received_at", facts.accepted_at)
        put("slip_due_at", facts.slip_due_at)
        put("finish_at", facts.finish_at)
        put("finish_recorded_at", facts.finish_recorded_at)
        put("evidence_at", facts.evidence_at)
        put("true_finish_at", facts.true_finish_at)
        put("due_by_pauses", facts.due_by_pauses_at)
        put("due_by_extensions", facts.due_by_extensions_at)
        put("request_open_at", facts.request_open_at)
        readings: tuple[tuple[str, Stages], ...] = (
            ("due", facts.default), ("statutory", facts.statutory), ("subtract", facts.subtract)
        )  # fmt: skip
        for reading, stages in readings:
            for stage in range(4):
                put(f"{reading}_{stage}", stages[stage])  # type: ignore[arg-type]
        for stage in range(4):
            f[f"paused_{stage}"][row] = facts.default.paused[stage]
        self.texts["finish_kind"][row] = facts.finish_kind
        self.texts["evidence_kind"][row] = facts.evidence_kind
        self.texts["pause_fault"][row] = next((p.fault for p in facts.pauses if p.fault), "")
        self.texts["extension_fault"][row] = next((e.fault for e in facts.extensions if e.fault), "")
        n["finish_seq"][row] = facts.finish_seq
        n["answer_seq"][row] = facts.answer_seq
        n["requests"][row] = facts.requests
        n["supplement_s"][row] = facts.supplement_s
        n["unknown_documents"][row] = facts.unknown_documents
        f["has_pause"][row] = facts.has_pause
        f["has_extension"][row] = facts.has_extension
        f["payment_paused"][row] = facts.payment_paused
        f["suspension_open"][row] = facts.suspension_open
        f["over_promised"][row] = facts.over_promised
        f["closed_at_intake"][row] = facts.closed_at_intake
        terms = self.catalogue.terms(self.headers.procedure[row], self.headers.agency[row])
        limit = terms.limit or self.headers.allotted[row]
        if facts.accepted_at is not None and limit:
            i["limit_due_at"][row] = clocks.due_at(
                np.array([to_microseconds(facts.accepted_at) // 1_000_000]),
                Allotted.parse(limit),
                terms.calendar,
                mode=Mode.DAY_END,
                cutoff=terms.cutoff,
            )[0]

    # ---- the result --------------------------------------------------------------------------------------------

    def columns(self) -> Columns:
        headers, catalogue = self.headers, self.catalogue
        calendars = np.array([catalogue.calendar_name(agency) for agency in headers.agency], object)
        submitted = self.instants["submitted_at"]
        for name in set(calendars.tolist()):
            rows = np.flatnonzero((calendars == name) & (submitted != MISSING))
            if len(rows):
                self.instants["reception_due_at"][rows] = clocks.due_at(
                    submitted[rows], Allotted.parse(f"{RECEPTION_MINUTES}m"), catalogue.calendars[name],
                    mode=Mode.HOURS,
                )  # fmt: skip
        procedures = {code: catalogue.procedure(code) for code in set(headers.procedure)}
        result: Columns = {
            "dossier": texts(headers.code),
            "procedure": texts(headers.procedure),
            "core": texts([procedures[code].core for code in headers.procedure]),
            "field": texts([procedures[code].field for code in headers.procedure]),
            "agency": texts(headers.agency),
            "source": texts(headers.source),
            "channel": texts(headers.channel),
            "origin": texts(headers.origin),
            "owner": texts(headers.owner),
            "submitter": texts(headers.submitter or [""] * self.n),
            **self.texts,
            **{name: masked(values) for name, values in self.instants.items()},
            **self.numbers,
            **self.flags,
        }
        if self.exists.all():
            return result
        return {name: values[self.exists] for name, values in result.items()}


def _seconds(microseconds: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(microseconds == MISSING, MISSING, microseconds // 1_000_000)
