"""A province's history in columns, and its dossiers as they stood at chosen instants.

An act counts from the instant at which it was known: the later of stated and entered. So a state of last March holds
what could be seen last March, and nothing that came afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motcua.inspection import clocks
from motcua.inspection.columns import MISSING, Columns, texts
from motcua.inspection.ours import KIND_CODES, KIND_NAMES, Catalogue, Events, Headers
from motcua.rules.instants import from_microseconds, to_microseconds
from motcua.rules.verdicts import our_facts
from motcua.rules.workdays import WorkCalendar

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Acts that may move the due instant: there the rules are asked what was known.
_MOVING = frozenset(
    KIND_CODES[kind]
    for kind in ("supplement_requested", "supplement_received", "suspended", "resumed", "payment_requested", "paid",
                 "extended", "corrected")
)  # fmt: skip
_PAUSING = frozenset(KIND_CODES[kind] for kind in ("supplement_requested", "suspended", "payment_requested"))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Accepted dossiers, their acts and their due instants in columns; instants int64 seconds, MISSING where absent.

    Acts stand by dossier, then by the instant at which they were known: those of dossier `d` are
    `starts[d]:starts[d + 1]`. `state` is what an act leaves the dossier in, an index into `states`.
    """

    code: NDArray[np.object_]
    procedure: NDArray[np.object_]
    agency: NDArray[np.object_]
    channel: NDArray[np.object_]
    calendar: NDArray[np.object_]  # names
    calendars: Mapping[str, WorkCalendar]
    received_at: Ints
    finish_at: Ints
    finish_known_at: Ints
    due_at: Ints  # the last one
    starts: Ints
    known_at: Ints
    state: NDArray[np.int32]
    pausing: NDArray[np.bool_]
    states: tuple[str, ...]
    due_starts: Ints  # dossier d's due instants are due_known[due_starts[d]:due_starts[d + 1]], by when they were known
    due_known: Ints
    due_value: Ints
    due_paused: Ints  # since when the dossier stands in a pause then; MISSING: it does not

    def __len__(self) -> int:
        return len(self.code)

    @property
    def ends_at(self) -> int:
        """The last instant of which anything is known."""
        return int(self.known_at.max(initial=0))

    def only(self, rows: Ints) -> History:
        """Some of its dossiers, in this order."""
        acts, starts = _spans(self.starts, rows)
        dues, due_starts = _spans(self.due_starts, rows)
        return replace(
            self, code=self.code[rows], procedure=self.procedure[rows], agency=self.agency[rows],
            channel=self.channel[rows], calendar=self.calendar[rows], received_at=self.received_at[rows],
            finish_at=self.finish_at[rows], finish_known_at=self.finish_known_at[rows], due_at=self.due_at[rows],
            starts=starts, known_at=self.known_at[acts], state=self.state[acts], pausing=self.pausing[acts],
            due_starts=due_starts, due_known=self.due_known[dues], due_value=self.due_value[dues],
            due_paused=self.due_paused[dues],
        )  # fmt: skip


def _spans(starts: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """The entries of some dossiers, and where each one's begin among them."""
    counts = starts[rows + 1] - starts[rows]
    upto = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.repeat(starts[rows] - upto[:-1], counts) + np.arange(upto[-1]), upto


def history(headers: Headers, events: Events, facts: Columns, catalogue: Catalogue) -> History:
    """The history that the rows of the house hold; `facts` are those of `ours` for the same rows."""
    row_of = {code: n for n, code in enumerate(facts["dossier"])}
    place = np.array([row_of.get(code, -1) for code in headers.code], np.int64)
    received = _filled(facts["received_at"], place)
    kept = (place >= 0) & (received != MISSING)
    number = np.cumsum(kept) - 1
    rows = np.flatnonzero(kept)
    of = events.dossier
    known = np.maximum(events.at, events.recorded_at) // 1_000_000
    wanted = kept[of] & (events.kind != KIND_CODES["corrected"])
    order = np.lexsort((events.seq[wanted], known[wanted], number[of[wanted]]))
    chosen = np.flatnonzero(wanted)[order]
    dossier = number[of[chosen]]
    state, names = _states(events, chosen)
    moving = np.isin(events.kind, list(_MOVING))
    odd = np.zeros(len(headers.code), bool)
    odd[of[moving]] = True
    due = _filled(facts["due_0"], place)
    dues = _dues(headers, events, catalogue, rows, received, due, odd, known)
    finish_known = _filled(facts["finish_recorded_at"], place)
    finish = _filled(facts["finish_at"], place)
    return History(
        code=np.asarray(headers.code, object)[rows],
        procedure=np.asarray(headers.procedure, object)[rows],
        agency=np.asarray(headers.agency, object)[rows],
        channel=np.asarray(headers.channel, object)[rows],
        calendar=texts([catalogue.calendar_name(headers.agency[row]) for row in rows.tolist()]),
        calendars=catalogue.calendars,
        received_at=received[rows],
        finish_at=finish[rows],
        finish_known_at=np.maximum(finish_known, finish)[rows],
        due_at=due[rows],
        starts=np.searchsorted(dossier, np.arange(len(rows) + 1)),
        known_at=known[chosen],
        state=state,
        pausing=np.isin(events.kind[chosen], list(_PAUSING)),
        states=names,
        **dues,
    )


def _filled(column: NDArray[Any], place: Ints) -> Ints:
    plain = np.ma.filled(column, MISSING).astype(np.int64)
    return np.where(place >= 0, plain[np.maximum(place, 0)], MISSING) if len(plain) else np.full(len(place), MISSING)


def _states(events: Events, chosen: Ints) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """What each act leaves a dossier in: the step that runs, the step that is done, or the act itself."""
    pairs, inverse = np.unique(
        events.kind[chosen].astype(np.int64) * (len(events.names) + 1) + events.step[chosen], return_inverse=True
    )
    names = []
    for pair in pairs.tolist():
        kind, step = divmod(pair, len(events.names) + 1)
        named = events.names[step]
        names.append(f"{KIND_NAMES[kind]}:{named}" if named else KIND_NAMES[kind])
    return inverse.astype(np.int32), tuple(names)


def _dues(
    headers: Headers, events: Events, catalogue: Catalogue, rows: Ints, received: Ints, due: Ints,
    odd: NDArray[np.bool_], known: Ints,
) -> dict[str, Ints]:  # fmt: skip
    """The due instants of each dossier as they were known from time to time."""
    order = np.lexsort((events.seq, events.at, events.dossier))
    ordered = events.dossier[order]
    counts, whens, values, paused = [], [], [], []
    for row in rows.tolist():
        if not odd[row]:
            counts.append(1)
            whens.append(int(received[row]))
            values.append(int(due[row]))
            paused.append(MISSING)
            continue
        low, high = np.searchsorted(ordered, [row, row + 1])
        mine = order[low:high]
        acts = [events.event(int(n)) for n in mine]
        terms = catalogue.terms(headers.procedure[row], headers.agency[row])
        moments = sorted({int(received[row]), *(int(known[n]) for n in mine if int(events.kind[n]) in _MOVING)})
        for at in moments:
            seen = from_microseconds(at * 1_000_000)
            found = our_facts(acts, terms, as_of=seen, known_at=seen)
            then = found.default.recorded
            running = found.default.paused[0]
            since = max((span.from_at for span in found.pauses if span.to_at is None), default=None)
            whens.append(at)
            values.append(MISSING if then is None else to_microseconds(then) // 1_000_000)
            paused.append(to_microseconds(since) // 1_000_000 if running and since is not None else MISSING)
        counts.append(len(moments))
    starts = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return {
        "due_starts": starts,
        "due_known": np.array(whens, np.int64),
        "due_value": np.array(values, np.int64),
        "due_paused": np.array(paused, np.int64),
    }


def as_of(past: History, at: int) -> History:
    """What was known of the finishes at an instant; acts and due instants are cut where states are read."""
    unknown = past.finish_known_at > at
    return replace(
        past,
        finish_at=np.where(unknown, MISSING, past.finish_at),
        finish_known_at=np.where(unknown, MISSING, past.finish_known_at),
    )


# ---- logs that state no end or no limit -------------------------------------------------------------------------


def with_ends(past: History) -> History:
    """A log that never says that a dossier is done: its last act is its end, unless it may still go on.

    It may where the log ends sooner after it than 19 of 20 pauses between two acts of a dossier last.
    """
    if bool((past.finish_at != MISSING).any()) or not len(past.known_at):
        return past
    gaps = np.diff(past.known_at)
    inner = np.ones(len(gaps), bool)
    inner[past.starts[1:-1] - 1] = False
    patience = float(np.quantile(gaps[inner], 0.95)) if bool(inner.any()) else 0.0
    last = past.known_at[np.maximum(past.starts[1:] - 1, 0)]
    done = last + patience <= past.ends_at
    finish = np.where(done, last, MISSING)
    return replace(past, finish_at=finish, finish_known_at=finish)


def with_limits(past: History, at: int, quantile: float = 0.75) -> History:
    """A log without due instants: each procedure gets a limit, as if its law had been written from its practice.

    The limit is this quantile of the working minutes that its dossiers finished before `at` took (of all procedures
    where fewer than 30 are known), counted from receipt. Due instants that are stated stay.
    """
    absent = past.due_at == MISSING
    if not bool(absent.any()):
        return past
    took = minutes(past, np.arange(len(past)), past.received_at, past.finish_at)
    done = (past.finish_at != MISSING) & (past.finish_known_at <= at)
    every = float(np.quantile(took[done], quantile)) if bool(done.any()) else 480.0
    limit = np.full(len(past), every)
    for procedure in set(past.procedure.tolist()):
        mine = past.procedure == procedure
        if int((mine & done).sum()) >= 30:
            limit[mine] = np.quantile(took[mine & done], quantile)
    rows = np.flatnonzero(absent)
    due = past.due_at.copy()
    due[rows] = later(past, rows, past.received_at[rows], np.maximum(np.ceil(limit[rows]), 1).astype(np.int64))
    value = past.due_value.copy()
    of = np.repeat(np.arange(len(past)), np.diff(past.due_starts))
    value = np.where(value == MISSING, due[of], value)
    return replace(past, due_at=due, due_value=value)


# ---- working time of many dossiers ------------------------------------------------------------------------------


def minutes(past: History, rows: Ints, start: Ints, end: Ints) -> Floats:
    """Working minutes between two instants, each by its dossier's calendar; 0 where either is absent."""
    out = np.zeros(len(rows))
    for name in set(past.calendar[rows].tolist()):
        mine = past.calendar[rows] == name
        out[mine] = clocks.minutes_between(start[mine], end[mine], past.calendars[name])
    return out


def later(past: History, rows: Ints, start: Ints, add: Ints) -> Ints:
    """The instants so many working minutes after others; minutes below 1 leave them."""
    out = start.copy()
    for name in set(past.calendar[rows].tolist()):
        mine = past.calendar[rows] == name
        out[mine] = clocks.advance(start[mine], add[mine], past.calendars[name])
    return out


# ---- states -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Open dossiers as they stood at instants: a row a dossier and instant. Minutes are working minutes."""

    dossier: Ints  # index into the history
    at: Ints
    due_at: Ints  # as it was known
    state: NDArray[np.int32]
    acts: Ints
    pauses: Ints
    paused: NDArray[np.bool_]
    elapsed: Floats  # since receipt
    in_state: Floats  # since the last act
    left: Floats  # to the due instant; while a pause runs, from its beginning; below 0: late already
    allotted: Floats  # from receipt to the due instant
    stood: Floats  # since the last act, in minutes of the calendar: some waits run on weekends too
    ahead: Floats  # to the due instant, likewise

    def __len__(self) -> int:
        return len(self.dossier)

    def __getitem__(self, chosen: Any) -> States:
        return States(**{name: getattr(self, name)[chosen] for name in self.__slots__})


def open_at(past: History, instants: Sequence[int] | Ints) -> States:
    """The dossiers that stood open and had a due instant, at each of these instants."""
    parts: list[tuple[Ints, Ints]] = []
    known_end = np.where(past.finish_known_at == MISSING, np.iinfo(np.int64).max, past.finish_known_at)
    for at in np.asarray(instants, np.int64).tolist():
        rows = np.flatnonzero((past.received_at <= at) & (known_end > at))
        parts.append((rows, np.full(len(rows), at)))
    rows = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int64)
    at_ = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0, np.int64)
    last = _last(past.starts, past.known_at, rows, at_)
    due_row = np.maximum(_last(past.due_starts, past.due_known, rows, at_), past.due_starts[rows])
    due, since = past.due_value[due_row], past.due_paused[due_row]
    keep = (due != MISSING) & (last >= past.starts[rows])
    rows, at_, last, due, since = rows[keep], at_[keep], last[keep], due[keep], since[keep]
    paused = since != MISSING
    counted = np.where(paused, np.minimum(since, at_), at_)
    received, known = past.received_at[rows], np.minimum(past.known_at[last], at_)
    pauses = np.concatenate([[0], np.cumsum(past.pausing)])
    return States(
        dossier=rows,
        at=at_,
        due_at=due,
        state=past.state[last],
        acts=last - past.starts[rows] + 1,
        pauses=pauses[last + 1] - pauses[past.starts[rows]],
        paused=paused,
        elapsed=minutes(past, rows, received, at_),
        in_state=minutes(past, rows, known, at_),
        left=minutes(past, rows, counted, due) - ((counted > due) & (counted != at_)),
        allotted=minutes(past, rows, received, due),
        stood=(at_ - known) / 60,
        ahead=(due - counted) / 60,
    )


def _last(starts: Ints, known: Ints, rows: Ints, at: Ints) -> Ints:
    """The last entry of each dossier that was known by an instant; one before its first where none was."""
    if not len(known):
        return starts[rows] - 1
    low = int(min(known.min(), at.min(initial=known.min()))) - 1
    width = int(max(known.max(), at.max(initial=known.max()))) - low + 2
    of = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return np.searchsorted(of * width + (known - low), rows * width + (at - low), side="right") - 1


def late(past: History, states: States, until: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(late, known): whether each state's dossier ended late, and whether that was decided by `until`.

    Decided by the due instant, not by the end: so that slow dossiers are no rarer among the known ones.
    """
    rows = states.dossier
    finish = np.where(past.finish_known_at[rows] > until, MISSING, past.finish_at[rows])
    entry = np.maximum(_last(past.due_starts, past.due_known, rows, np.full(len(rows), until)), past.due_starts[rows])
    due = np.where(past.due_value[entry] == MISSING, states.due_at, past.due_value[entry])
    done = finish != MISSING
    is_late = np.where(done, finish > due, due <= until)
    return is_late, (states.due_at <= until) & (done | (due <= until))


def remaining(past: History, states: States, until: int) -> tuple[Floats, NDArray[np.bool_]]:
    """(working minutes to the end, done): where it was not done by `until`, the minutes to `until`."""
    rows = states.dossier
    done = (past.finish_at[rows] != MISSING) & (past.finish_known_at[rows] <= until)
    end = np.where(done, np.maximum(past.finish_at[rows], states.at), until)
    return minutes(past, rows, states.at, np.maximum(end, states.at)), done
