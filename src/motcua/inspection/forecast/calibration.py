"""Calibration: scores become shares that come true, with an interval that keeps its promise.

Isotonic regression by pooling neighbours; Venn-Abers (inductive) for the pair of shares that a new dossier could have;
the spread of groups between periods for the interval; conformal margins for remaining times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motcua.inspection.forecast.history import Floats, Ints
from motcua.inspection.forecast.usual import expit, logit

#: No year is like the year before: groups stray at least so far, in log odds.
_LEAST_DRIFT = 0.25
#: Knots of a calibration map: scores in between are interpolated.
_KNOTS = 64


@dataclass(frozen=True, slots=True)
class Map:
    """A calibration map: at these scores, these shares. `drift`: how far groups stray from it between periods."""

    score: Sequence[float]
    share: Sequence[float]
    drift: float = 0.0  # standard deviation in log odds
    size: Sequence[float] = ()  # dossiers around each knot

    def shares(self, scores: Floats) -> Floats:
        """The calibrated shares."""
        return np.interp(scores, self.score, self.share)

    def interval(self, scores: Floats, z: float) -> tuple[Floats, Floats]:
        """The shares between which a group of like dossiers lies, z standard deviations to either side."""
        share = self.shares(scores)
        size = np.maximum(np.interp(scores, self.score, self.size), 1.0)
        odds = logit(share)
        kept = np.clip(share, 0.01, 0.99)
        spread = np.sqrt(self.drift**2 + 1 / (size * kept * (1 - kept)))
        return expit(odds - z * spread), expit(odds + z * spread)


def pooled(scores: Floats, late: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Isotonic regression: (highest score, share) of each pool, rising."""
    x, place = np.unique(scores, return_inverse=True)
    w = np.bincount(place, weight)
    y = np.bincount(place, weight * late) / w
    means: list[float] = []
    sizes: list[float] = []
    firsts: list[int] = []
    for n in range(len(x)):
        means.append(float(y[n]))
        sizes.append(float(w[n]))
        firsts.append(n)
        while len(means) > 1 and means[-2] >= means[-1]:
            total = sizes[-2] + sizes[-1]
            means[-2] = (means[-2] * sizes[-2] + means[-1] * sizes[-1]) / total
            sizes[-2] = total
            means.pop(), sizes.pop(), firsts.pop()
    return x[np.array([*firsts[1:], len(x)]) - 1], np.array(means)


def _binned(scores: Floats, late: Floats, weight: Floats, knots: Floats) -> tuple[Floats, Floats, Floats]:
    """The same told shortly: (scores, shares, weights) around the knots."""
    place = np.searchsorted((knots[1:] + knots[:-1]) / 2, scores)
    total = np.bincount(place, weight, len(knots))
    kept = total > 0
    mean = [np.bincount(place, weight * values, len(knots))[kept] / total[kept] for values in (scores, late)]
    return mean[0], mean[1], np.asarray(total[kept], float)


def venn_abers(scores: Floats, late: Floats, weight: Floats, at: Floats) -> tuple[Floats, Floats]:
    """The shares that new dossiers at these scores would have, were they on time (lower) or late (upper)."""
    low, high = np.zeros(len(at)), np.zeros(len(at))
    for n, score in enumerate(at.tolist()):
        x, w = np.append(scores, score), np.append(weight, 1.0)
        for label, out in ((0.0, low), (1.0, high)):
            highest, share = pooled(x, np.append(late, label), w)
            out[n] = share[np.searchsorted(highest, score)]
    return low, high


def fitted(scores: Floats, late: Floats, dossier: Ints, fold: Ints) -> Map:
    """The map that makes scores shares: by Venn-Abers where much is known, straight log odds where little is.

    Each dossier weighs one, however often it was seen. `fold`: the period of each, for the drift between them.
    """
    weight = 1 / np.bincount(dossier)[dossier]
    many = float(weight.sum())
    if not len(scores) or scores.min() == scores.max():
        same = float(np.average(late, weights=weight)) if len(scores) else 0.5
        found = Map([0.0, 1.0], [same, same], 0.0, [many, many])
        return Map(found.score, found.share, _drift(found, scores, late, dossier, fold), found.size)
    knots = np.unique(np.quantile(scores, np.linspace(0, 1, _KNOTS)))
    a, b = _straight(scores, late.astype(float), weight)
    line = expit(a + b * knots)
    low, high = venn_abers(*_binned(scores, late.astype(float), weight, knots), knots)
    stepped = high / (1 - low + high)
    trust = many / (many + 400.0)  # little data: the straight line; much: the steps
    share = np.clip(np.maximum.accumulate(expit(trust * logit(stepped) + (1 - trust) * logit(line))), 0.002, 0.998)
    near = np.maximum(many / 10, 10.0)
    size = np.full(len(knots), near)
    found = Map(knots.tolist(), share.tolist(), 0.0, size.tolist())
    return Map(found.score, found.share, _drift(found, scores, late, dossier, fold), found.size)


def straight(scores: Floats, late: Floats, dossier: Ints, fold: Ints) -> Map:
    """The map of scores that are log odds already; what is learned is how far groups stray from them."""
    knots = np.linspace(-7, 7, _KNOTS)
    many = len(np.unique(dossier))
    found = Map(knots.tolist(), expit(knots).tolist(), 0.0, [max(many / 10, 10.0)] * _KNOTS)
    return Map(found.score, found.share, _drift(found, scores, late, dossier, fold), found.size)


def _straight(scores: Floats, late: Floats, weight: Floats) -> tuple[float, float]:
    """Log odds as a straight line in the score (Platt), by Newton's steps, the slope kept from turning."""
    centre, spread = float(np.average(scores, weights=weight)), float(scores.std()) or 1.0
    x = (scores - centre) / spread
    target = (late * weight.sum() + 0.5) / (weight.sum() + 1)  # never quite 0 or 1
    a, b = float(logit(np.array([np.average(late, weights=weight)]))[0]), 0.5
    for _ in range(30):
        p = expit(a + b * x)
        g = np.array([((p - target) * weight).sum(), ((p - target) * weight * x).sum() + 0.5 * b])
        v = weight * p * (1 - p)
        h = np.array([[v.sum() + 1e-6, (v * x).sum()], [(v * x).sum(), (v * x * x).sum() + 0.5]])
        step = np.linalg.solve(h, g)
        a, b = a - float(np.clip(step[0], -2, 2)), b - float(np.clip(step[1], -2, 2))
    b = max(b, 0.0)
    return a - b * centre / spread, b / spread


def groups(share: Floats, dossier: Ints, fold: Ints, least: int = 20) -> list[Ints]:
    """Rows in groups of like forecasts within a period, each of at least so many different dossiers."""
    found: list[Ints] = []
    for period in np.unique(fold):
        rows = np.flatnonzero(fold == period)
        rows = rows[np.argsort(share[rows], kind="stable")]
        different = len(np.unique(dossier[rows]))
        if different < least:
            continue
        parts = max(1, min(10, different // least))
        found += [part for part in np.array_split(rows, parts) if len(np.unique(dossier[part])) >= least // 2]
    return found


def _drift(found: Map, scores: Floats, late: Floats, dossier: Ints, fold: Ints) -> float:
    """How far groups stray from the map beyond chance, in log odds: the moment estimate, in the worst period."""
    share = found.shares(scores)
    excess: list[float] = []
    period: list[int] = []
    for rows in groups(share, dossier, fold):
        weight = 1 / np.bincount(dossier[rows])[dossier[rows]]
        n = weight.sum()
        expected, seen = np.average(share[rows], weights=weight), np.average(late[rows], weights=weight)
        kept = min(max(expected, 0.02), 0.98)
        off = logit(np.array([(seen * n + 0.5) / (n + 1)]))[0] - logit(np.array([kept]))[0]
        excess.append(float(off**2 - 1 / (n * kept * (1 - kept))))
        period.append(int(fold[rows[0]]))
    if len(excess) < 2:
        return 0.5
    unsure = float(np.std(excess)) / np.sqrt(len(excess))
    worst = max(float(np.mean([e for e, p in zip(excess, period, strict=True) if p == n])) for n in set(period))
    return float(np.sqrt(max(float(np.mean(excess)) + unsure, worst, _LEAST_DRIFT**2)))


def needed(map_: Map, scores: Floats, late: Floats, dossier: Ints, fold: Ints) -> list[float]:
    """How many standard deviations the intervals of these groups would have had to reach to hold what was seen."""
    share = map_.shares(scores)
    low, high = map_.interval(scores, 1.0)
    found = []
    for rows in groups(share, dossier, fold):
        weight = 1 / np.bincount(dossier[rows])[dossier[rows]]
        n = float(weight.sum())
        seen, middle = (float(np.average(values[rows], weights=weight)) for values in (late, share))
        end = float(np.average((low if seen < middle else high)[rows], weights=weight))
        chance = np.sqrt(max(end * (1 - end), 0.5 / n) / n)
        found.append(abs(seen - middle) / float(np.hypot(end - middle, chance)))
    return found


def margin(scores: Floats, weight: Floats, level: float) -> float:
    """The conformal margin: the weighted quantile of the scores, one unseen dossier counted beyond them all."""
    if not len(scores):
        return 1.0
    order = np.argsort(scores)
    upto = np.cumsum(weight[order])
    wanted = level * (upto[-1] + float(weight.max()))
    place = int(np.searchsorted(upto, wanted))
    return float(scores[order[min(place, len(scores) - 1)]])
