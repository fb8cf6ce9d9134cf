"""What a sample says of the whole: the true rate, without bias, and an interval that keeps its promise.

The estimate is Horvitz and Thompson's. The interval is a beta distribution's: its mean and spread are those of the
weighted sample *with one more dossier of the largest weight that speaks against the end in question*. For equal
weights that is nearly Clopper and Pearson's interval; with unequal ones it stays honest where nothing, or only what
was likely to be drawn, has been found (after Fay and Feuer 1997 for weighted rates, Korn and Graubard 1998 for
surveys). That it covers the truth at least 95 times in 100 is shown by simulation: docs/reference/sampling.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import lgamma
from typing import Any

import numpy as np

#: An array of floats.
Floats = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """An estimated share of the population, from 0 to 1, and between which bounds it lies."""

    rate: float
    low: float
    high: float
    confidence: float
    drawn: int
    population: int


def rate(
    probabilities: Sequence[float], hits: Sequence[bool | None], *, population: int, least_probability: float,
    confidence: float = 0.95,
) -> Rate:  # fmt: skip
    """The share of the population that has what was found in the sample.

    `hits` says of each drawn dossier whether it has it, None where nobody knows yet: the lower bound then takes it
    for a no, the upper bound for a yes, and the estimate for a no. `least_probability` is the smallest with which any
    dossier of the population could be drawn.
    """
    weights = 1 / np.array(probabilities, float)
    yes = np.array([hit is True for hit in hits], float)
    perhaps = np.array([hit is not False for hit in hits], float)
    bounded = partial(bounds, weights, np.ones((1, len(weights))), population=population, confidence=confidence,
                      largest=np.array(1 / least_probability))  # fmt: skip
    low, _ = bounded(yes[None])
    _, high = bounded(perhaps[None])
    estimate = float(min(max((weights * yes).sum() / population, low[0]), high[0]))
    return Rate(rate=estimate, low=float(low[0]), high=float(high[0]), confidence=confidence, drawn=len(weights),
                population=population)  # fmt: skip


def bounds(
    weights: Floats, drawn: Floats, hits: Floats, *, population: int, largest: Floats, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Lower and upper bounds for many samples at once.

    Columns are cells of equal weight, rows are samples: `drawn` and `hits` (samples × cells) are how many of a cell
    were drawn and have it; `weights` (cells, or samples × cells) are one over the inclusion probabilities; `largest`
    is the greatest weight that the population holds. What was seen bounds as well: a dossier that was read is no
    longer in doubt.
    """
    tail = 1 - (1 - confidence) / 2
    high = _upper(weights, drawn, hits, largest, tail)
    low = 1 - _upper(weights, drawn, drawn - hits, largest, tail)
    seen, against = hits.sum(-1) / population, (drawn - hits).sum(-1) / population
    return np.clip(low, seen, 1 - against), np.clip(high, seen, 1 - against)


def _upper(weights: Floats, drawn: Floats, hits: Floats, largest: Floats, tail: float) -> Floats:
    unseen = 1 - 1 / weights  # a dossier drawn for certain leaves no doubt
    total = (drawn * weights).sum(-1) + largest
    share = ((hits * weights).sum(-1) + largest) / total
    spread = hits * (1 - share)[:, None] ** 2 + (drawn - hits) * share[:, None] ** 2
    variance = ((unseen * weights**2 * spread).sum(-1) + largest**2 * (1 - share) ** 2) / total**2
    certain = (share >= 1) | (variance <= 0)
    like = np.maximum(np.where(certain, 1.0, share * (1 - share) / np.where(certain, 1.0, variance) - 1), 0.05)
    a, b = np.where(certain, 1.0, share * like), np.where(certain, 1.0, (1 - share) * like)
    return np.where(certain, share, beta_quantile(tail, a, b))


# ---- the beta distribution ---------------------------------------------------------------------------------------

_lgamma = np.vectorize(lgamma, otypes=[float])


def beta_quantile(share: float, a: Floats, b: Floats) -> Floats:
    """Below which value this share of a beta distribution lies, by bisection to 2^-45."""
    low, high = np.zeros_like(a), np.ones_like(a)
    for _ in range(45):
        middle = (low + high) / 2
        under = beta_share(a, b, middle) < share
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2


def beta_share(a: Floats, b: Floats, x: Floats) -> Floats:
    """The regularised incomplete beta function, by Lentz's continued fraction."""
    x = np.clip(x, 1e-15, 1 - 1e-15)
    front = np.exp(_lgamma(a + b) - _lgamma(a) - _lgamma(b) + a * np.log(x) + b * np.log1p(-x))
    swap = x > (a + 1) / (a + b + 2)
    first, second, at = np.where(swap, b, a), np.where(swap, a, b), np.where(swap, 1 - x, x)
    value = front * _continued(first, second, at) / first
    return np.where(swap, 1 - value, value)


def _continued(a: Floats, b: Floats, x: Floats) -> Floats:
    def away_from_zero(value: Floats) -> Floats:
        return np.where(np.abs(value) < 1e-300, 1e-300, value)

    c = np.ones_like(x)
    d = 1 / away_from_zero(1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / away_from_zero(1 + term * d)
            c = away_from_zero(1 + term / c)
            value = value * c * d
        if np.all(np.abs(c * d - 1) < 1e-11):
            break
    return value
