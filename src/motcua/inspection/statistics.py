"""Statistics for groups that differ in size: exact limits, overdispersion, and how sure one may be among many groups.

Small offices are not shamed by luck: a group is held against the exact tail of the binomial with the rate of its
peers, that tail is widened where all groups scatter more than chance explains, and among all groups looked at the
expected share of wrong marks is bounded.

Sources: D. J. Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in Medicine 24 (2005)
1185-1202 (limits, winsorised overdispersion); Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate",
J. R. Statist. Soc. B 57 (1995) 289-300; the tails by continued fractions, Abramowitz and Stegun 6.1.40, 26.5.8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Shares of the smallest and of the largest scores that are pulled in before the scatter is measured.
_WINSORISED = 0.1
_TINY = 1e-300


def log_gamma(x: Floats) -> Floats:
    """ln Γ(x) for x > 0, by Stirling's series from 8 on and the recurrence below."""
    x = np.asarray(x, np.float64)
    shift = np.zeros_like(x)
    z = x.copy()
    for _ in range(8):
        small = z < 8
        shift = np.where(small, shift + np.log(np.where(small, z, 1.0)), shift)
        z = np.where(small, z + 1, z)
    w = 1 / (z * z)
    series = (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w * (1 / 1188))))) / z
    return (z - 0.5) * np.log(z) - z + 0.5 * np.log(2 * np.pi) + series - shift


def _beta_fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    """The continued fraction of the incomplete beta function, by Lentz; converges fast for x < (a+1)/(a+b+2)."""
    c = np.ones_like(x)
    d = 1 / _kept(1 - (a + b) * x / (a + 1))
    h = d.copy()
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _kept(1 + even * d)
        c = _kept(1 + even / c)
        h *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _kept(1 + odd * d)
        c = _kept(1 + odd / c)
        step = d * c
        h *= step
        if bool(np.all(np.abs(step - 1) < 1e-14)):
            break
    return h


def _kept(x: Floats) -> Floats:
    return np.where(np.abs(x) < _TINY, _TINY, x)


def _incomplete_beta(a: Floats, b: Floats, x: Floats) -> Floats:
    """I_x(a, b) for a, b > 0 and 0 < x < 1."""
    front = np.exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * np.log(x) + b * np.log1p(-x))
    direct = x < (a + 1) / (a + b + 2)
    p, q, y = np.where(direct, a, b), np.where(direct, b, a), np.where(direct, x, 1 - x)
    part = front * _beta_fraction(p, q, y) / p
    return np.where(direct, part, 1 - part)


def binomial_tail(events: Floats, out_of: Floats, rate: Floats) -> Floats:
    """P(X ≥ events) for X binomial(out_of, rate), exactly; arrays of one shape."""
    k, n, p = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (events, out_of, rate)))
    inside = (k > 0) & (k <= n) & (p > 0) & (p < 1)
    tail = _incomplete_beta(np.where(inside, k, 1.0), np.where(inside, n - k + 1, 1.0), np.where(inside, p, 0.5))
    certain = (k <= 0) | ((p >= 1) & (k <= n))
    return np.clip(np.where(inside, tail, np.where(certain, 1.0, 0.0)), 0, 1)


def none_of(expected: Floats) -> Floats:
    """P(X = 0) for X Poisson with this mean: how likely silence is."""
    return np.exp(-np.asarray(expected, np.float64))


def normal_quantile(p: Floats) -> Floats:
    """The standard normal quantile: P. J. Acklam's rational approximation (relative error below 1.2e-9)."""
    p = np.clip(np.asarray(p, np.float64), _TINY, 1 - 1e-16)
    a = (-3.969683028665376e01, 2.209460984245205e02, -2.759285104469687e02, 1.383577518672690e02,
         -3.066479806614716e01, 2.506628277459239e00)  # fmt: skip
    b = (-5.447609879822406e01, 1.615858368580409e02, -1.556989798598866e02, 6.680131188771972e01,
         -1.328068155288572e01, 1.0)  # fmt: skip
    c = (-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e00, -2.549732539343734e00,
         4.374664141464968e00, 2.938163982698783e00)  # fmt: skip
    d = (7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00, 1.0)
    q = p - 0.5
    r = q * q
    middle = np.polyval(a, r) * q / np.polyval(b, r)
    t = np.sqrt(-2 * np.log(np.minimum(p, 1 - p)))
    outer = np.polyval(c, t) / np.polyval(d, t)
    return np.where(p < 0.02425, outer, np.where(p > 1 - 0.02425, -outer, middle))


def normal_tail(z: Floats) -> Floats:
    """P(Z ≥ z) for Z standard normal, by the complementary error function's continued fraction and series."""
    z = np.asarray(z, np.float64)
    x = np.minimum(np.abs(z), 38.0)  # beyond, nothing is left that a number can hold
    density = np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
    fraction = x.copy()
    for k in range(60, 0, -1):
        fraction = x + k / _kept(fraction)
    far = density / _kept(fraction)
    close = np.minimum(x, 2.5)
    term, total = close.copy(), close.copy()
    for k in range(1, 60):
        term = term * close * close / (2 * k + 1)
        total = total + term
    near = 0.5 - density * total
    upper = np.where(x > 2.5, far, near)
    return np.where(z >= 0, upper, 1 - upper)


def dispersion(events: Floats, out_of: Floats, rate: Floats) -> float:
    """The standard deviation of the groups' own rates beyond chance; 0 where chance explains their scatter.

    The additive model of Spiegelhalter's paper, the variance between groups by moments (Hedges and Olkin's over all
    groups alike, DerSimonian and Laird's by weight; the larger counts). So a large group is not named for what all do.
    """
    variance = rate * (1 - rate) / np.maximum(out_of, 1)
    usable = (variance > 0) & (out_of > 0)
    if int(usable.sum()) < _LEAST_GROUPS:
        return 0.0
    residual, variance = events[usable] / out_of[usable] - rate[usable], variance[usable]
    # By the many small groups: how far rates scatter beyond the mean of what chance explains.
    by_all = _mean_square(residual) - float(variance.mean())
    # By the few large ones: their scores weigh most.
    weight = 1 / variance
    excess = len(weight) * _mean_square(residual / np.sqrt(variance)) - (len(weight) - 1)
    by_large = excess / max(float(weight.sum() - (weight**2).sum() / weight.sum()), _TINY)
    return float(np.sqrt(max(by_all, by_large, 0.0)))


def _mean_square(values: Floats) -> float:
    """The mean square about 0 with its tails pulled in, so that outliers do not hide themselves; without its bias."""
    low, high = np.quantile(values, [_WINSORISED, 1 - _WINSORISED])
    return float(np.mean(np.clip(values, low, high) ** 2)) / _PULLED_IN


#: The mean square of a standard normal whose outer tenths are pulled in to its deciles.
_PULLED_IN = 0.67865
#: Fewer groups do not tell how much groups scatter.
_LEAST_GROUPS = 10


def _narrowed(out_of: Floats, rate: Floats, scatter: float) -> Floats:
    """By how much a score shrinks once the scatter between groups is counted with chance."""
    variance = rate * (1 - rate) / np.maximum(out_of, 1)
    return np.sqrt(variance / np.maximum(variance + scatter * scatter, _TINY))


def false_discovery(p: Floats) -> Floats:
    """Benjamini and Hochberg's q of each p: mark all with q ≤ level, and at most that share of marks is expected wrong.

    Where nothing differs at all, the chance of any mark is at most the level.
    """
    n = len(p)
    if not n:
        return np.zeros(0)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * n / np.arange(1, n + 1)
    q = np.empty(n)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


@dataclass(frozen=True, slots=True)
class Compared:
    """Groups held against their peers, in the order given. `q` is 1 where a group is too small to be judged."""

    p: Floats
    q: Floats
    upper: Floats  # the highest rate that chance explains (one in five hundred exceeds it), widened by the scatter
    scatter: float  # the standard deviation of the groups' own rates beyond chance
    judged: NDArray[np.bool_]


#: Funnel limits: one group in five hundred lies above by chance.
_BEYOND = 0.002


def compare(events: Floats, out_of: Floats, rate: Floats, *, least: int) -> Compared:
    """Holds each group's events against the rate of its peers, one-sided: more than chance explains.

    `rate`: what peers with the same mix of work would have, per group. Groups of fewer than `least` are not judged.
    """
    events, out_of = np.asarray(events, np.float64), np.asarray(out_of, np.float64)
    rate = np.clip(np.broadcast_to(np.asarray(rate, np.float64), events.shape), 0, 1)
    weighed = weigh(binomial_tail(events, out_of, rate), events, out_of, rate, least=least)
    return Compared(weighed.p, weighed.q, upper_limit(out_of, rate, weighed.scatter), weighed.scatter, weighed.judged)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Tails widened by the common scatter, and their q among the groups that are large enough."""

    p: Floats
    q: Floats
    scatter: float
    judged: NDArray[np.bool_]


def weigh(tail: Floats, events: Floats, out_of: Floats, rate: Floats, *, least: int) -> Weighed:
    """From exact tails to marks: see `compare`."""
    judged = out_of >= least
    scatter = dispersion(events[judged], out_of[judged], rate[judged])
    p = tail
    if scatter > 0:
        p = np.maximum(normal_tail(-normal_quantile(p) * _narrowed(out_of, rate, scatter)), p)
    q = np.ones(len(p))
    q[judged] = false_discovery(p[judged])
    return Weighed(p, q, scatter, judged)


def upper_limit(out_of: Floats, rate: Floats, scatter: float = 0.0, beyond: float = _BEYOND) -> Floats:
    """The funnel's upper limit: the highest rate that is exceeded with a chance of at most `beyond`."""
    n = np.asarray(out_of, np.float64)
    allowed = np.full(n.shape, beyond)
    if scatter > 0:
        allowed = normal_tail(-normal_quantile(allowed) / np.maximum(_narrowed(n, rate, scatter), 1e-3))
    low, high = np.zeros(n.shape), n.copy() + 1
    for _ in range(int(np.ceil(np.log2(float(n.max(initial=1)) + 2))) + 1):
        middle = np.floor((low + high) / 2)
        beyond_it = binomial_tail(middle, n, rate) <= allowed
        high = np.where(beyond_it, middle, high)
        low = np.where(beyond_it, low, middle)
    return np.where(n > 0, np.maximum(high - 1, 0) / np.maximum(n, 1), 1.0)


def least_share(events: Floats, out_of: Floats, z: float = 1.96) -> Floats:
    """Wilson's lower bound of a share."""
    n = np.maximum(np.asarray(out_of, np.float64), 1)
    share = np.asarray(events, np.float64) / n
    centre = share + z * z / (2 * n)
    spread = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.maximum((centre - spread) / (1 + z * z / n), 0)
