"""What is usual: how long dossiers in a state still took, and how many of a kind end late. Rules of thumb, counted.

Also the naive forecasts that a statistical one has to beat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motcua.inspection.columns import MISSING
from motcua.inspection.forecast.history import Floats, History, Ints, States, minutes

#: A group of fewer different dossiers tells too little: the next wider one is asked.
ENOUGH = 20
#: How many dossiers the wider group's rate weighs against the group's own.
_WEIGHT = 20.0
#: Remaining times kept of a group: as many quantiles.
_KEPT = 41
_LEVELS = np.linspace(0, 1, _KEPT)


@dataclass(frozen=True, slots=True)
class Groups:
    """One way to group states: the names of the groups, and which each state is in."""

    names: Sequence[str]
    of: Ints


def groups(past: History, states: States) -> list[Groups]:
    """The groups of states from the narrowest to the widest: procedure and state, state, procedure, all."""
    procedures, of = np.unique(past.procedure.astype(str), return_inverse=True)
    procedure = of[states.dossier]
    width = len(past.states) + 1
    both, of_both = np.unique(procedure * width + states.state, return_inverse=True)
    one, of_one = np.unique(states.state, return_inverse=True)
    other, of_other = np.unique(procedure, return_inverse=True)
    return [
        Groups([f"{procedures[n // width]}\x1f{past.states[n % width]}" for n in both.tolist()], of_both),
        Groups([f"\x1f{past.states[n]}" for n in one.tolist()], of_one),
        Groups([f"{procedures[n]}\x1f" for n in other.tolist()], of_other),
        Groups(["\x1f"], np.zeros(len(states), np.int64)),
    ]


@dataclass(frozen=True, slots=True)
class Like:
    """The dossiers like each state: quantiles of their remaining minutes, a row a kind, and which kind each is."""

    quantiles: Floats
    of: Ints

    def at(self, level: float) -> Floats:
        """One quantile of the remaining minutes of each state's like."""
        return np.array([np.interp(level, _LEVELS, row) for row in self.quantiles])[self.of]

    def longer(self, left: Floats) -> Floats:
        """The share of its like that took longer than what each state has left."""
        out = np.zeros(len(left))
        order = np.argsort(self.of, kind="stable")
        bounds = np.searchsorted(self.of[order], np.arange(len(self.quantiles) + 1))
        for n, row in enumerate(self.quantiles):
            mine = order[bounds[n] : bounds[n + 1]]
            out[mine] = 1 - np.interp(left[mine], row, _LEVELS)
        return out


@dataclass(frozen=True, slots=True)
class Usual:
    """Tables by group. `remaining`: quantiles of working minutes to the end; `rate`: share that ended late."""

    remaining: Mapping[str, Sequence[float]]
    rate: Mapping[str, float]
    in_state: Mapping[str, float] = field(default_factory=dict)  # median minutes that a state lasts, over acts
    lasting: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)  # from a state's beginning on
    whole: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)  # from receipt to the end
    standing: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)  # `lasting` by the calendar
    ahead: Mapping[str, Sequence[float]] = field(default_factory=dict)  # `remaining` by the calendar

    def longer_in_state(self, by: Sequence[Groups], states: States) -> Floats:
        """The chance of a late end from how long the state has lasted."""
        return self._beyond(self.lasting, by, states.in_state, states.left)

    def longer_standing(self, by: Sequence[Groups], states: States) -> Floats:
        """The same by the calendar: what is posted for fifteen days, or closed after thirty, knows no weekend."""
        return self._beyond(self.standing, by, states.stood, states.ahead)

    def longer_at_age(self, by: Sequence[Groups], states: States) -> Floats:
        """The chance of a late end from the age of the dossier."""
        return self._beyond(self.whole, by, states.elapsed, states.left)

    def _beyond(self, table: Mapping[str, Any], by: Sequence[Groups], age: Floats, left: Floats) -> Floats:
        names, of = _narrowest(by, table)
        out = np.zeros(len(of))
        prior = self.rate["\x1f"]
        for n, name in enumerate(names):
            mine = of == n
            [count], times, open_ = table[name]
            little = 3.0 / count  # so that the last few of a group do not speak for all
            end = age[mine] + np.maximum(left[mine], 0)
            then, now = (np.interp(np.log1p(at), times, open_) for at in (end, age[mine]))
            out[mine] = (then + little * prior) / (now + little)
        return np.minimum(out, 1.0)

    def like(self, by: Sequence[Groups]) -> Like:
        """The narrowest known group of each state."""
        return _like(by, self.remaining)

    def like_by_calendar(self, by: Sequence[Groups]) -> Like:
        """The same in minutes of the calendar."""
        return _like(by, self.ahead)

    def rates(self, by: Sequence[Groups]) -> Floats:
        """The late share of the narrowest known group of each state."""
        names, of = _narrowest(by, self.rate)
        return np.array([self.rate[name] for name in names], float)[of]


def _like(by: Sequence[Groups], table: Mapping[str, Sequence[float]]) -> Like:
    names, of = _narrowest(by, table)
    return Like(np.array([table[name] for name in names], float).reshape(-1, _KEPT), of)


def _narrowest(by: Sequence[Groups], known: Mapping[str, Any]) -> tuple[list[str], Ints]:
    """Names, and for each state which of them is its narrowest known group."""
    names: list[str] = []
    of = np.full(len(by[0].of), -1, np.int64)
    for level in by:
        place = np.array([len(names) + n if name in known else -1 for n, name in enumerate(level.names)], np.int64)
        of = np.where(of >= 0, of, place[level.of] if len(place) else of)
        names += level.names
    used, short = np.unique(of, return_inverse=True)
    return [names[n] for n in used.tolist()], short


def learned(
    past: History, states: States, took: Floats, weight: Floats, is_late: NDArray[np.bool_],
    decided: NDArray[np.bool_], spans: Spans,
) -> Usual:  # fmt: skip
    """The tables of a history. `took`: remaining minutes with `weight` (0 where not yet known)."""
    by = groups(past, states)
    remaining: dict[str, Sequence[float]] = {}
    ahead: dict[str, Sequence[float]] = {}
    finish = past.finish_at[states.dossier]
    calendar = np.maximum(np.where(weight > 0, finish, states.at) - states.at, 0) / 60
    rate: dict[str, float] = {"\x1f": float(np.average(is_late[decided])) if bool(decided.any()) else 0.5}
    for narrow, wide in ((by[3], None), (by[2], by[3]), (by[1], by[3]), (by[0], by[1])):
        order = np.argsort(narrow.of, kind="stable")
        bounds = np.searchsorted(narrow.of[order], np.arange(len(narrow.names) + 1))
        for n, name in enumerate(narrow.names):
            rows = order[bounds[n] : bounds[n + 1]]
            own = rows[weight[rows] > 0]
            if wide is None or len(np.unique(states.dossier[own])) >= ENOUGH:
                remaining[name] = _quantiles(took[own], weight[own])
                ahead[name] = _quantiles(calendar[own], weight[own])
            own = rows[decided[rows]]
            different = len(np.unique(states.dossier[own]))
            if wide is not None and different:
                before = rate.get(wide.names[wide.of[rows[0]]], rate["\x1f"])
                rate[name] = (different * float(is_late[own].mean()) + _WEIGHT * before) / (different + _WEIGHT)
    return Usual(remaining, rate, spans.in_state, *spans.tables(), ahead)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """How long it took from each act, and from each receipt, to the end; censored where the end is not known."""

    past: History
    act: Ints  # index into the acts
    of: Ints  # its dossier
    took: Floats
    stood: Floats  # the same by the calendar
    done: NDArray[np.bool_]
    dossier: Ints
    whole: Floats
    whole_done: NDArray[np.bool_]
    in_state: Mapping[str, float]

    @staticmethod
    def known(past: History, first: int, until: int) -> Spans:
        """What was known by an instant of dossiers received since another."""
        mine = (past.received_at >= first) & (past.received_at <= until)
        of = np.repeat(np.arange(len(past)), np.diff(past.starts))
        act = np.flatnonzero(mine[of] & (past.known_at <= until))
        ended = (past.finish_at != MISSING) & (past.finish_known_at <= until)
        end = np.where(ended, past.finish_at, until)
        before = past.known_at[act] < np.maximum(end[of[act]], 1)
        act = act[before]
        dossier = np.flatnonzero(mine)
        return Spans(
            past=past, act=act, of=of[act], took=minutes(past, of[act], past.known_at[act], end[of[act]]),
            stood=(end[of[act]] - past.known_at[act]) / 60, done=ended[of[act]], dossier=dossier,
            whole=minutes(past, dossier, past.received_at[dossier], np.maximum(end, past.received_at)[dossier]),
            whole_done=ended[dossier], in_state=_in_state(past, until),
        )  # fmt: skip

    def without(self, dossiers: NDArray[np.bool_]) -> Spans:
        """The same without some dossiers."""
        act, whole = ~dossiers[self.of], ~dossiers[self.dossier]
        return Spans(
            past=self.past, act=self.act[act], of=self.of[act], took=self.took[act], stood=self.stood[act],
            done=self.done[act], dossier=self.dossier[whole], whole=self.whole[whole],
            whole_done=self.whole_done[whole], in_state=self.in_state,
        )  # fmt: skip

    def tables(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Shares still open after log1p(minutes): by procedure and state, by procedure; the first by the calendar."""
        past = self.past
        procedures, code = np.unique(past.procedure.astype(str), return_inverse=True)
        width = len(past.states) + 1
        every = {"\x1f": np.arange(len(self.act))}
        for n, rows in _rows_by(past.state[self.act].astype(np.int64)):
            every[f"\x1f{past.states[n]}"] = rows
        for n, rows in _rows_by(code[self.of] * width + past.state[self.act]):
            every[f"{procedures[n // width]}\x1f{past.states[n % width]}"] = rows
        known = {name: r for name, r in every.items() if name == "\x1f" or len(np.unique(self.of[r])) >= ENOUGH}
        lasting = {name: _open_after(self.took[rows], self.done[rows]) for name, rows in known.items()}
        standing = {name: _open_after(self.stood[rows], self.done[rows]) for name, rows in known.items()}
        whole = {"\x1f": _open_after(self.whole, self.whole_done)}
        for n, rows in _rows_by(code[self.dossier]):
            if len(rows) >= ENOUGH:
                whole[f"{procedures[n]}\x1f"] = _open_after(self.whole[rows], self.whole_done[rows])
        return lasting, whole, standing


def _rows_by(number: Ints) -> list[tuple[int, Ints]]:
    order = np.argsort(number, kind="stable")
    values, firsts = np.unique(number[order], return_index=True)
    return [(int(n), order[a:b]) for n, a, b in zip(values, firsts, [*firsts[1:], len(order)], strict=True)]


def _open_after(took: Floats, done: NDArray[np.bool_]) -> list[list[float]]:
    """Kaplan and Meier's share still open: [count], log1p minutes, shares; at most _KEPT knots."""
    if not len(took):
        return [[1.0], [0.0, 12.0], [1.0, 0.0]]
    order = np.lexsort((~done, took))
    risk = len(took) - np.arange(len(took))
    open_ = np.cumprod(1 - done[order] / risk)
    place = np.unique(np.linspace(0, len(took) - 1, _KEPT).astype(int))
    times = np.log1p(took[order][place])
    return [[float(len(took))], [0.0, *times.tolist()], [1.0, *open_[place].tolist()]]


def _quantiles(values: Floats, weight: Floats) -> list[float]:
    """Weighted quantiles; of nothing, a working day."""
    if not len(values):
        return [480.0] * _KEPT
    order = np.argsort(values)
    upto = np.cumsum(weight[order]) - weight[order] / 2
    return [float(v) for v in np.interp(_LEVELS * weight.sum(), upto, values[order])]


def _in_state(past: History, until: int) -> dict[str, float]:
    """The median working minutes from one act to the next, by the state in between, known by an instant."""
    if len(past.known_at) < 2:
        return {}
    of = np.repeat(np.arange(len(past)), np.diff(past.starts))
    rows = np.flatnonzero((np.diff(of) == 0) & (past.known_at[1:] <= until))
    of = of[rows]
    lasted = minutes(past, of, past.known_at[rows], past.known_at[rows + 1])
    found: dict[str, float] = {}
    order = np.argsort(past.state[rows], kind="stable")
    bounds = np.searchsorted(past.state[rows][order], np.arange(len(past.states) + 1))
    for n, name in enumerate(past.states):
        mine = lasted[order[bounds[n] : bounds[n + 1]]]
        if len(mine) >= ENOUGH:
            found[name] = float(np.median(mine))
    return found


# ---- naive forecasts --------------------------------------------------------------------------------------------

#: Names of the naive forecasts, from the simplest on.
NAIVE = (
    "base_rate", "slack_only", "rate_by_procedure", "rate_by_step", "median_by_step", "share_by_step",
    "share_uncalibrated", "days_by_step", "days_uncalibrated",
)  # fmt: skip


def scores(past: History, states: States, usual: Usual) -> dict[str, Floats]:
    """Raw scores of the naive forecasts: the higher, the more likely late; to be calibrated, or as named."""
    by = groups(past, states)
    like, days = usual.like(by), logit(usual.like_by_calendar(by).longer(states.ahead))
    scale = np.maximum(states.allotted, 60.0)
    return {
        "base_rate": np.zeros(len(states)),
        "slack_only": -np.sign(states.left) * np.log1p(np.abs(states.left)),
        "rate_by_procedure": logit(usual.rates([by[2], by[3]])),
        "rate_by_step": logit(usual.rates([by[0], by[1], by[3]])),
        "median_by_step": (like.at(0.5) - states.left) / scale,
        "share_by_step": logit(like.longer(states.left)),
        "share_uncalibrated": logit(like.longer(states.left)),
        "days_by_step": days,
        "days_uncalibrated": days,
        "time_in_step": logit(usual.longer_in_state([by[0], by[1], by[3]], states)),
        "days_in_step": logit(usual.longer_standing([by[0], by[1], by[3]], states)),
        "age": logit(usual.longer_at_age([by[2], by[3]], states)),
    }


def logit(share: Floats) -> Floats:
    """Log odds, kept within what a thousand dossiers could tell."""
    kept = np.clip(share, 0.001, 0.999)
    return np.log(kept / (1 - kept))


def expit(odds: Floats) -> Floats:
    """The share of log odds."""
    return 1 / (1 + np.exp(-odds))


def weights(states: States, took: Floats, done: NDArray[np.bool_], until: int, past: History) -> Floats:
    """What a known remaining time counts for: those that a cut at `until` hides more often count for more.

    Inverse probability of censoring: a state seen shortly before the cut shows only quick ends, so the slow ends of
    older states stand for its slow ones. Capped at 10.
    """
    seen = np.sort(minutes(past, states.dossier, states.at, np.full(len(states), until)))
    share = 1 - np.searchsorted(seen, took, side="left") / max(len(seen), 1)
    return np.where(done, 1 / np.maximum(share, 0.1), 0.0)


def instants(low: int, high: int, count: int) -> Ints:
    """So many instants evenly over a span, its beginning left out."""
    return np.linspace(low, high, count + 1)[1:].astype(np.int64)
