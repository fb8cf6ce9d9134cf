"""The estimate: learned from a history up to an instant, chosen against naive forecasts, kept as plain numbers.

Candidates are tried in rounds: learned up to one instant, judged on the months after it. Those rounds also give the
calibration and the margins, so that what is promised was kept outside the data that it was learned from. The answer
is the committee's and the best naive forecast's together; what the committee counts for is the trials' evidence that it
is the better one. Where the intervals of one round missed the next, they are wider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from motcua.inspection.columns import MISSING
from motcua.inspection.forecast import calibration, trees, usual
from motcua.inspection.forecast.calibration import Map
from motcua.inspection.forecast.features import NAMES, Load, Traffic, matrix
from motcua.inspection.forecast.history import (
    Floats,
    History,
    Ints,
    States,
    late,
    open_at,
    remaining,
)
from motcua.inspection.forecast.trees import Trees
from motcua.inspection.forecast.usual import NAIVE, Usual, expit, logit
from motcua.rules.instants import Unreadable

FORMAT = "motcua warning 3"
#: States learned from at most, instants looked at, rounds of trial.
_ROWS, _INSTANTS, _ROUNDS = 12_000, 160, 4
#: Dossiers that must have come due before anything is learned, late and on time.
LEAST, LEAST_OF_EACH = 200, 20
#: Promised: of dossiers, so many end within the interval of their remaining time; of groups of like dossiers, so many
#: have a late share within the interval of their chance.
COVERAGE, GROUP_COVERAGE = 0.8, 0.9
#: Aimed at in the trials, because the months to come differ from them more than they differ among themselves.
_AIM = 0.88
#: Standard deviations of the normal distribution on either side for nine in ten.
_Z = 1.645
_LEVELS = (0.1, 0.5, 0.9)
#: Forecasts that are asked together, and what each counts for before any trial: each errs in its own way.
MEMBERS = {
    "share_by_step": 1 / 7, "days_by_step": 1 / 7, "days_in_step": 1 / 7, "median_by_step": 1 / 7, "logistic": 1 / 7,
    "trees": 2 / 7,
}  # fmt: skip
#: How many dossiers of trial it takes to move those weights: few tell little, and last year's may mislead.
_STEADY = 300.0
#: What chance adds to the best of the naive forecasts by its being chosen as the best: standard errors.
_LUCK = 1.0
STATISTICAL = ("logistic", "trees", "committee")
#: The committee and the naive forecast together, among the trials.
ANSWER = "answer"
#: Scores that are log odds already: calibration on earlier months carries their level into the later ones.
_AS_THEY_STAND = ("committee", ANSWER, "share_uncalibrated", "days_uncalibrated")
#: Groups of later rounds that it takes to judge the intervals by; with fewer they are a third wider than by the normal.
_GROUPS = 10


class Outdated(Unreadable):
    """A model of another version: to be learned anew, without harm."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What one look at a history gives: what is usual, and the statistical parts, if there were enough data."""

    usual: Usual
    mean: Sequence[float] = ()
    spread: Sequence[float] = ()
    weight: Sequence[float] = ()  # of the logistic form; the last one stands alone
    late: Trees | None = None
    quantiles: Sequence[Trees] = ()

    def raw(self, past: History, states: States, load: Load) -> dict[str, Floats]:
        """The raw score of each candidate."""
        found = usual.scores(past, states, self.usual)
        if self.late is not None:
            rows = matrix(past, states, self.usual, load)
            scaled = np.clip((rows - np.array(self.mean)) / np.array(self.spread), -4, 4)
            found["logistic"] = scaled @ np.array(self.weight[:-1]) + self.weight[-1]
            found["trees"] = self.late.predict(rows)
        return found

    def ends(self, past: History, states: States, load: Load) -> Floats:
        """Low, middle and high of log1p(remaining minutes), before margins: states × 3, rising."""
        if self.quantiles:
            rows = matrix(past, states, self.usual, load)
            found = np.column_stack([each.predict(rows) for each in self.quantiles])
        else:
            like = self.usual.like(usual.groups(past, states))
            found = np.column_stack([np.log1p(like.at(level)) for level in _LEVELS])
        return np.sort(found, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model as it is kept: what it learned, which candidate it answers with, its calibration and margins."""

    learned_from: int
    learned_to: int
    dossiers: int
    chosen: str
    learned: Learned
    map: Map
    margins: tuple[float, float]
    beside: str = ""  # the naive forecast that is asked with the committee
    trust: float = 0.0  # what the committee counts for in the answer, from 0 to 1
    reach: float = _Z  # standard deviations from a chance to either end of its interval
    trials: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # candidate → measures in the rounds
    maps: Mapping[str, Map] = field(default_factory=dict)  # of every candidate
    weights: Sequence[float] = tuple(MEMBERS.values())  # of the members

    @property
    def is_statistical(self) -> bool:
        """Whether anything was learned beyond counting: such a model asks how busy the units are."""
        return self.learned.late is not None or bool(self.learned.quantiles)

    def estimate(self, past: History, states: States, load: Load | None = None) -> Estimate:
        """What the model says of these states."""
        load = load or Load.of(past, int(states.at.max(initial=0)))
        score = self.answer(self.learned.raw(past, states, load))
        low, high = self.map.interval(score, self.reach)
        ends = self.learned.ends(past, states, load)
        return Estimate(
            share=self.map.shares(score),
            low=low,
            high=high,
            least=np.expm1(np.maximum(ends[:, 0] - self.margins[0], 0)),
            middle=np.expm1(np.maximum(ends[:, 1], 0)),
            most=np.expm1(np.minimum(ends[:, 2] + self.margins[1], 25)),
        )

    def score(self, raw: Mapping[str, Floats], name: str) -> Floats:
        """The score of a candidate, or of all members together."""
        return _columns(raw, self.maps["median_by_step"]) @ np.array(self.weights) if name == "committee" else raw[name]

    def answer(self, raw: Mapping[str, Floats]) -> Floats:
        """The score that is answered with: log odds of the committee and of the naive forecast, or a candidate's."""
        if not self.beside:
            return self.score(raw, self.chosen)
        shares = {name: self.maps[name].shares(self.score(raw, name)) for name in ("committee", self.beside)}
        return _together(shares["committee"], shares[self.beside], self.trust)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        learned = self.learned
        return {
            "format": FORMAT,
            "features": list(NAMES),
            "learned_from": self.learned_from,
            "learned_to": self.learned_to,
            "dossiers": self.dossiers,
            "chosen": self.chosen,
            "map": _plain(self.map),
            "maps": {name: _plain(self.maps[name]) for name in self._asked()},
            "weights": list(self.weights),
            "beside": self.beside,
            "trust": self.trust,
            "reach": self.reach,
            "margins": list(self.margins),
            "trials": {name: dict(found) for name, found in self.trials.items()},
            "usual": {name: dict(getattr(learned.usual, name)) for name in Usual.__slots__},
            "logistic": {"mean": list(learned.mean), "spread": list(learned.spread), "weight": list(learned.weight)},
            "late": learned.late and learned.late.plain(),
            "quantiles": [each.plain() for each in learned.quantiles],
        }  # fmt: skip

    def _asked(self) -> list[str]:
        """The candidates whose calibration the answer needs."""
        wanted = ("median_by_step", "committee", self.beside) if self.beside else ("median_by_step",)
        return sorted({name for name in wanted if name in self.maps})

    @staticmethod
    def read(document: Mapping[str, Any]) -> Model:
        """From JSON. Raises `Outdated` where another version wrote it, `Unreadable` where it is damaged."""
        try:
            if document["format"] != FORMAT or list(document["features"]) != list(NAMES):
                raise Outdated("the model was made by another version; train it again: motcua warning train")
            of, logistic = document["usual"], document["logistic"]
            learned = Learned(
                Usual(**{name: of[name] for name in Usual.__slots__}),
                logistic["mean"], logistic["spread"], logistic["weight"],
                Trees.read(document["late"]) if document["late"] else None,
                [Trees.read(each) for each in document["quantiles"]],
            )  # fmt: skip
            return Model(
                learned_from=document["learned_from"], learned_to=document["learned_to"],
                dossiers=document["dossiers"], chosen=document["chosen"], learned=learned,
                map=_map(document["map"]), maps={name: _map(each) for name, each in document["maps"].items()},
                weights=document["weights"], beside=document["beside"], trust=document["trust"],
                reach=document["reach"],
                margins=(document["margins"][0], document["margins"][1]), trials=document["trials"],
            )  # fmt: skip
        except (KeyError, TypeError, IndexError) as error:
            raise Unreadable(f"the model is damaged ({error}); train it again: motcua warning train") from None


def _plain(map_: Map) -> dict[str, Any]:
    return {name: getattr(map_, name) for name in Map.__slots__}


def _map(document: Mapping[str, Any]) -> Map:
    return Map(**{name: document[name] for name in Map.__slots__})


def _columns(raw: Mapping[str, Floats], median: Map) -> Floats:
    """The members' log odds, a column each; the median's distance becomes log odds by its calibration."""
    told = {**raw, "median_by_step": logit(median.shares(raw["median_by_step"]))}
    return np.column_stack([np.clip(told[name], -7, 7) for name in MEMBERS])


def _together(committee: Floats, naive: Floats, trust: float) -> Floats:
    """Log odds of two forecasts, the first one counting for so much."""
    return trust * logit(committee) + (1 - trust) * logit(naive)


def _weighed(columns: Floats, is_late: Floats, weight: Floats) -> Floats:
    """What each member counts for: the trials' best, drawn to the weights before any trial, never below 0."""
    start = np.array(list(MEMBERS.values()))
    found, many = start.copy(), weight.sum()
    pace = 0.15 / (float(np.abs(columns).mean()) + 1e-9) ** 2
    for _ in range(400):
        slope = columns.T @ (weight * (expit(columns @ found) - is_late)) / many + _STEADY / many * (found - start)
        found = np.clip(found - pace * slope, 0, None)
        found *= np.clip(found.sum(), 0.75, 1.15) / max(found.sum(), 1e-9)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Of each state: the chance of being late with its interval, and the working minutes to the end with theirs."""

    share: Floats
    low: Floats
    high: Floats
    least: Floats
    middle: Floats
    most: Floats


def train(
    past: History, until: int, *, traffic: Traffic | None = None, statistical: bool = True, seed: int = 7
) -> Model:  # fmt: skip
    """A model of what was known by an instant. Raises `Unreadable` where too little was.

    `statistical`: False where scikit-learn is not there; the best naive forecast is chosen then.
    `traffic`: of all dossiers, where the history holds only every second, third, … one.
    """
    busy = traffic or past
    first = _first(past, until)
    _demand(past, first, until)
    cuts = [int(first + (until - first) * part) for part in np.linspace(0.4, 1, _ROUNDS + 1)]
    trials: list[_Trial] = []
    for low, high in pairwise(cuts):
        one = _tried(past, busy, first, low, high, until, statistical, seed)
        if one is not None:
            trials.append(one)
    learned = _learn(past, busy, first, until, statistical, seed)
    if not trials:
        return _untried(past, first, until, learned)
    pool = _Pool.of(trials)
    weights, pool = pool.with_committee()
    found = {name: pool.shares(name) for name in pool.scores}
    rows = np.flatnonzero(pool.of_late)
    trial = {name: measures(share[rows], pool.late[rows]) for name, share in found.items()}
    naive = min((n for n in NAIVE if n in trial), key=lambda n: trial[n]["log_loss"])
    both = np.zeros(0, np.int64)
    if "committee" in trial:
        both = rows[~np.isnan(pool.scores["committee"][rows])]
    trust = _trust(found["committee"][both], found[naive][both], pool, both) if len(both) else 0.0
    if len(both):
        share = np.full(len(pool.late), np.nan)
        share[both] = _together(found["committee"][both], found[naive][both], trust)
        pool = replace(pool, scores={**pool.scores, ANSWER: share})
        trial[ANSWER] = measures(expit(share[both]), pool.late[both])
    answer = ANSWER if len(both) else naive
    return Model(
        learned_from=first, learned_to=until, dossiers=int(((past.received_at <= until)).sum()),
        chosen="committee" if trust >= 0.5 else naive, learned=learned, map=pool.map(answer), margins=pool.margins(),
        beside=naive if len(both) else "", trust=trust, reach=pool.reach(answer), trials=trial,
        maps={name: pool.map(name) for name in found}, weights=[float(each) for each in weights],
    )  # fmt: skip


def _trust(committee: Floats, naive: Floats, pool: _Pool, rows: Ints) -> float:
    """What the committee counts for beside a naive forecast: the chance, by the trials, that it is the better one.

    By the log loss of dossiers, each counted once: its mean in standard errors, as log odds, less what the naive one
    owes to having been chosen in these very trials. Nothing is switched where little was seen.
    """
    y = pool.late[rows]
    saved = _log_loss(naive, y) - _log_loss(committee, y)
    _, place = np.unique(pool.dossier[rows], return_inverse=True)
    each = np.bincount(place, saved) / np.bincount(place)
    unsure = float(each.std()) / np.sqrt(len(each))
    return float(expit(np.array(np.clip(each.mean() / max(unsure, 1e-9) + _LUCK, -8, 8))))


def _log_loss(share: Floats, is_late: Floats) -> Floats:
    kept = np.clip(share, 0.001, 0.999)
    return -(is_late * np.log(kept) + (1 - is_late) * np.log(1 - kept))


def slack_only(past: History, until: int) -> Model:
    """The rule alone: what is left against what dossiers in such a state still took. No chance is estimated."""
    first = _first(past, until)
    learned = _learn(past, past, first, until, False, 7)
    return Model(
        learned_from=first, learned_to=until, dossiers=int((past.received_at <= until).sum()), chosen="slack",
        learned=learned, map=Map([0.0, 1.0], [0.0, 0.0], 1.0, [1.0, 1.0]), margins=(0.0, 0.0),
    )  # fmt: skip


def _first(past: History, until: int) -> int:
    """Where learning begins: three years back at most, and not before the second receipt in a hundred."""
    received = past.received_at[past.received_at <= until]
    if not len(received):
        return until
    return max(int(np.quantile(received, 0.02)), until - 3 * 366 * 86_400)


def _demand(past: History, first: int, until: int) -> None:
    ripe = (past.received_at >= first) & (past.due_at != MISSING) & (past.due_at <= until)
    finish = np.where(past.finish_known_at > until, MISSING, past.finish_at)
    is_late = (finish == MISSING) | (finish > past.due_at)
    count, much = int(ripe.sum()), int((ripe & is_late).sum())
    if count < LEAST or min(much, count - much) < LEAST_OF_EACH:
        raise Unreadable(
            f"too little history to learn from: {count} dossiers came due, {much} of them late;"
            f" at least {LEAST} are needed, {LEAST_OF_EACH} late and {LEAST_OF_EACH} on time"
        )


def _untried(past: History, first: int, until: int, learned: Learned) -> Model:
    """Without a single trial: the late share alone, with an interval as wide as ignorance."""
    share = learned.usual.rate["\x1f"]
    return Model(
        learned_from=first, learned_to=until, dossiers=int((past.received_at <= until).sum()), chosen="base_rate",
        learned=learned, map=Map([0.0, 1.0], [share, share], 1.0, [20.0, 20.0]), margins=(1.0, 1.0),
    )  # fmt: skip


# ---- one look ---------------------------------------------------------------------------------------------------


def _learn(past: History, busy: History | Traffic, first: int, until: int, statistical: bool, seed: int) -> Learned:
    """What is to be learned of a history up to an instant."""
    states = sampled(past, first, until, _ROWS, seed)
    is_late, decided = late(past, states, until)
    took, done = remaining(past, states, until)
    weight = usual.weights(states, took, done, until, past)
    spans = usual.Spans.known(past, first, until)
    found = usual.learned(past, states, took, weight, is_late, decided, spans)
    fit = decided & (states.left > 0)
    different = len(np.unique(states.dossier[fit]))
    if not statistical or different < 60 or len(np.unique(is_late[fit])) < 2:
        return Learned(found)
    load = Load.of(busy, until)
    rows = _crossed(past, states, took, weight, is_late, decided, load, spans, seed)
    of_dossier = 1 / np.sqrt(np.bincount(states.dossier[fit])[states.dossier[fit]])
    mean, spread, line = _logistic(rows[fit], is_late[fit], of_dossier)
    known = weight > 0
    value = np.log1p(took[known])
    each = 1 / np.sqrt(np.bincount(states.dossier[known])[states.dossier[known]])
    return Learned(
        found, mean.tolist(), spread.tolist(), line.tolist(),
        trees.classifier(rows[fit], is_late[fit].astype(float), of_dossier, seed=seed),
        [trees.quantile(rows[known], value, weight[known] * each, level, seed=seed) for level in _LEVELS],
    )  # fmt: skip


def sampled(past: History, first: int, until: int, rows: int, seed: int) -> States:
    """Open dossiers at instants evenly over a span: of all of them, about so many."""
    instants = usual.instants(first, until, _INSTANTS + 1)[:-1]
    states = open_at(past, instants)
    rows = min(rows, max(8 * len(np.unique(states.dossier)), 2_000))
    if len(states) <= rows:
        return states
    return states[np.sort(np.random.default_rng(seed).choice(len(states), rows, replace=False))]


def _crossed(
    past: History, states: States, took: Floats, weight: Floats, is_late: Any, decided: Any, load: Load,
    spans: usual.Spans, seed: int,
) -> Floats:  # fmt: skip
    """The features, each dossier's usual figures learned from others: it must not be told its own end."""
    turn = np.random.default_rng(seed).integers(0, 4, len(past))
    part = turn[states.dossier]
    out = np.zeros((len(states), len(NAMES)))
    for n in range(4):
        mine, rest = np.flatnonzero(part == n), np.flatnonzero(part != n)
        if len(mine):
            others = usual.learned(
                past, states[rest], took[rest], weight[rest], is_late[rest], decided[rest], spans.without(turn == n)
            )
            out[mine] = matrix(past, states[mine], others, load)
    return out


def _logistic(rows: Floats, is_late: Any, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Logistic regression with a ridge, by Newton's steps: (mean, spread, weights)."""
    mean = np.average(rows, axis=0, weights=weight)
    spread = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight)) + 1e-6
    x = np.column_stack([np.clip((rows - mean) / spread, -4, 4), np.ones(len(rows))])
    ridge = np.full(x.shape[1], max(3.0, 0.003 * weight.sum()))
    ridge[-1] = 1e-6
    line = np.zeros(x.shape[1])
    line[-1] = logit(np.array([np.average(is_late, weights=weight)]))[0]
    y = is_late.astype(float)
    for _ in range(25):
        p = expit(np.clip(x @ line, -30, 30))
        gradient = x.T @ (weight * (p - y)) + ridge * line
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        line = line - step * min(1.0, 3.0 / (float(np.abs(step).max()) + 1e-9))
        if float(np.abs(step).max()) < 1e-6:
            break
    return mean, spread, line


# ---- trials -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Candidates learned up to one instant, and what became of the dossiers open in the months after it."""

    dossier: Ints
    at: Ints
    scores: Mapping[str, Floats]
    late: Floats
    ends: Floats
    took: Floats
    weight: Floats
    of_late: Any  # rows whose lateness is decided
    of_ends: Any  # rows whose end is known


def _tried(
    past: History, busy: History | Traffic, first: int, low: int, high: int, until: int, statistical: bool, seed: int
) -> _Trial | None:
    learned = _learn(past, busy, first, low, statistical, seed)
    states = sampled(past, low, high, _ROWS // 3, seed)
    states = states[states.left > 0]
    is_late, decided = late(past, states, until)
    if len(np.unique(states.dossier[decided])) < 20:
        return None
    load = Load.of(busy, until)
    took, done = remaining(past, states, until)
    weight = usual.weights(states, took, done, until, past)
    return _Trial(
        dossier=states.dossier,
        at=states.at,
        scores=learned.raw(past, states, load),
        late=is_late.astype(float),
        ends=learned.ends(past, states, load),
        took=took,
        weight=weight,
        of_late=decided,
        of_ends=done,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """All trials together; `fold` says of which round a row is."""

    dossier: Ints
    at: Ints
    fold: Ints
    scores: Mapping[str, Floats]
    late: Floats
    ends: Floats
    took: Floats
    weight: Floats
    of_late: Any
    of_ends: Any

    @staticmethod
    def of(trials: Sequence[_Trial]) -> _Pool:
        names = set.union(*(set(trial.scores) for trial in trials))
        absent = [np.full(len(trial.dossier), np.nan) for trial in trials]
        return _Pool(
            dossier=np.concatenate([t.dossier for t in trials]),
            at=np.concatenate([t.at for t in trials]),
            fold=np.concatenate([np.full(len(t.dossier), n) for n, t in enumerate(trials)]),
            scores={
                name: np.concatenate([t.scores.get(name, none) for t, none in zip(trials, absent, strict=True)])
                for name in sorted(names)
            },
            late=np.concatenate([t.late for t in trials]),
            ends=np.concatenate([t.ends for t in trials]),
            took=np.concatenate([t.took for t in trials]),
            weight=np.concatenate([t.weight for t in trials]),
            of_late=np.concatenate([t.of_late for t in trials]),
            of_ends=np.concatenate([t.of_ends for t in trials]),
        )

    def with_committee(self) -> tuple[Floats, _Pool]:
        """The members' weights, and the pool with them asked together, each round by the others' weights."""
        start = np.array(list(MEMBERS.values()))
        if not all(name in self.scores for name in MEMBERS):
            return start, self
        whole = np.all([~np.isnan(self.scores[name]) for name in MEMBERS], axis=0)
        together = np.full(len(self.late), np.nan)
        for n in np.unique(self.fold[whole]):
            mine, rest = whole & (self.fold == n), np.flatnonzero(whole & self.of_late & (self.fold != n))
            median = self.map("median_by_step", int(n) if len(rest) else None)
            columns = _columns({name: self.scores[name] for name in MEMBERS}, median)
            weights = start
            if len(rest):
                weights = _weighed(columns[rest], self.late[rest], _one_each(self.dossier[rest]))
            together[mine] = columns[mine] @ weights
        rows = np.flatnonzero(whole & self.of_late)
        columns = _columns({name: self.scores[name] for name in MEMBERS}, self.map("median_by_step"))
        weights = _weighed(columns[rows], self.late[rows], _one_each(self.dossier[rows]))
        return weights, replace(self, scores={**self.scores, "committee": together})

    def map(self, name: str, without: int | None = None) -> Map:
        """The calibration of a candidate. Of scores that are log odds already only the drift is learned."""
        known = self.of_late & (self.fold != (-1 if without is None else without)) & ~np.isnan(self.scores[name])
        return self._fitted(name, np.flatnonzero(known))

    def _fitted(self, name: str, rows: Ints) -> Map:
        of = calibration.straight if name in _AS_THEY_STAND else calibration.fitted
        return of(*self._told(name, rows))

    def _told(self, name: str, rows: Ints) -> tuple[Floats, Floats, Ints, Ints]:
        return self.scores[name][rows], self.late[rows], self.dossier[rows], self.fold[rows]

    def reach(self, name: str) -> float:
        """How many standard deviations an interval of the chance has to reach: each round's judged on the next one.

        What nine in ten groups of later rounds would have needed, one unseen group counted beyond them all; never less
        than by the normal distribution, because a calm past promises no calm future.
        """
        known = self.of_late & ~np.isnan(self.scores[name])
        needed: list[float] = []
        for n in np.unique(self.fold[known])[1:]:
            before, mine = (np.flatnonzero(known & part) for part in (self.fold < n, self.fold == n))
            needed += calibration.needed(self._fitted(name, before), *self._told(name, mine))
        if len(needed) < _GROUPS:
            return 1.3 * _Z
        return max(calibration.margin(np.array(needed), np.ones(len(needed)), GROUP_COVERAGE), _Z)

    def shares(self, name: str) -> Floats:
        """The forecasts of the trials, each round with the calibration of the others; NaN where there is none."""
        share = np.full(len(self.late), np.nan)
        for n in np.unique(self.fold):
            mine = self.of_late & (self.fold == n)
            others = bool((self.of_late & (self.fold != n)).any())
            share[mine] = self.map(name, int(n) if others else None).shares(self.scores[name][mine])
        return np.where(np.isnan(share) & self.of_late, float(self.late[self.of_late].mean()), share)

    def margins(self) -> tuple[float, float]:
        """Conformal margins below and above: in log1p minutes, so that each side misses a tenth."""
        rows = np.flatnonzero(self.of_ends & (self.weight > 0))
        weight = self.weight[rows] / np.bincount(self.dossier[rows])[self.dossier[rows]]
        took = np.log1p(self.took[rows])
        level = 1 - (1 - _AIM) / 2
        sides = []
        for miss in (self.ends[rows, 0] - took, took - self.ends[rows, 2]):
            by_round = [
                calibration.margin(miss[self.fold[rows] == n], weight[self.fold[rows] == n], level)
                for n in np.unique(self.fold[rows])
                if int((self.fold[rows] == n).sum()) >= 20
            ]
            pooled = calibration.margin(miss, weight, level)
            # Periods differ more than chance: what every round would have needed, not what they needed together.
            sides.append(max([pooled, *by_round]))
        return sides[0], sides[1]


def _one_each(dossier: Ints) -> Floats:
    """Weights by which each dossier counts once, however often it was seen."""
    return 1 / np.bincount(dossier)[dossier]


def measures(share: Floats, is_late: Floats) -> dict[str, float]:
    """Brier score, log loss, area under the curve and calibration error (ten equal groups) of forecasts."""
    if not len(share):
        return {}
    loss = _log_loss(share, is_late)
    order = np.argsort(share, kind="stable")
    error = sum(
        abs(float(share[part].mean() - is_late[part].mean())) * len(part)
        for part in np.array_split(order, 10)
        if len(part)
    )
    return {
        "brier": float(((share - is_late) ** 2).mean()),
        "log_loss": float(loss.mean()),
        "auc": _auc(share, is_late),
        "calibration_error": error / len(share),
    }


def _auc(share: Floats, is_late: Floats) -> float:
    """The chance that of a late and a punctual one the late one has the higher forecast; one kind alone: 0.5."""
    many, few = float((is_late > 0).sum()), float((is_late == 0).sum())
    if not many or not few:
        return 0.5
    _, inverse, counts = np.unique(share, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[is_late > 0].sum() - many * (many + 1) / 2) / (many * few))
