"""What a check has earned: its measured precision, whether it only watches, and which findings are worth a look first.

All of it is ours, not law: each figure states its rule, and each rule is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import exp, lgamma, log, log1p
from typing import Final, Literal

Mode = Literal["active", "watch"]
_TAIL: Final = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Of the findings of a check that a person concluded: how many were true signs, with the 95 % interval.

    `share`, `low`, `high` are None where nothing was concluded: no figure is not 0 %.
    """

    concluded: int
    overturned: int

    @property
    def true(self) -> int:
        """Signs that held: a violation, or one for which the unit is not to blame."""
        return self.concluded - self.overturned

    @property
    def share(self) -> float | None:
        """True signs over concluded ones."""
        return self.true / self.concluded if self.concluded else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The exact interval (Clopper and Pearson 1934): it covers the truth at least 95 times in 100, for any n."""
        n, true = self.concluded, self.true
        if not n:
            return None
        low = 0.0 if true == 0 else _root(lambda p: 1 - _at_most(true - 1, n, p) - _TAIL)
        high = 1.0 if true == n else _root(lambda p: _TAIL - _at_most(true, n, p))
        return low, high


def _at_most(k: int, n: int, p: float) -> float:
    """The chance of at most `k` among `n`, each with chance `p` (0 < p < 1)."""
    ways = lgamma(n + 1)
    return sum(exp(ways - lgamma(i + 1) - lgamma(n - i + 1) + i * log(p) + (n - i) * log1p(-p)) for i in range(k + 1))


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function of a share crosses zero."""
    low, high = 1e-12, 1 - 1e-12
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


def beyond(late: int, of: int, *, rate: float, level: float = 0.001) -> Literal["", "more", "fewer"]:
    """Whether a unit's late dossiers lie outside what chance gives at its peers' rate: the limits of a funnel.

    `level`: the chance of lying beyond one limit by luck alone (0.001: one unit in a thousand on each side).
    """
    if not of or not 0 < rate < 1:
        return ""
    if 1 - (_at_most(late - 1, of, rate) if late else 0.0) < level:
        return "more"
    return "fewer" if _at_most(late, of, rate) < level else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRule:
    """When a check only watches: `on` switches the rule, `least` concluded findings are wanted, `below` is the share.

    A check moves to watch when even the upper end of its interval lies below the share: so a few unlucky conclusions
    do not silence it. It comes back when its own figure is at the share again.
    """

    on: bool = True
    least: int = 10
    below: float = 0.7

    def mode(self, precision: Precision, before: Mode = "active") -> Mode:
        """The mode that follows from a measured precision."""
        if not self.on or precision.concluded < self.least or precision.interval is None or precision.share is None:
            return "active"
        if before == "watch":
            return "watch" if precision.share < self.below else "active"
        return "watch" if precision.interval[1] < self.below else "active"


#: Working minutes that a sign is worth where its facts do not say: grave ones first.
_BY_SEVERITY: Final[Mapping[str, int]] = {"A": 960, "B": 480, "C": 120}
_DAY_S, _DAY_MINUTES = 86_400, 480
#: A dossier that has stood late for months weighs no more than one of a month: old dirt must not hide what is fresh.
MOST_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What acting on a sign can still save, from its facts. Instants in seconds UTC, None: not known."""

    severity: str
    removes: bool = False  # a dossier that stops counting as late once this is put right
    open: bool = False  # not finished: every further day counts
    due_s: int | None = None
    end_s: int | None = None  # finish, or the instant of the scan

    def minutes(self) -> int:
        """Avoidable lateness, in working minutes (a calendar day counted as 8 hours: a rank, not a figure).

        Of a dossier that is late and open: a day more for each day it has stood, at least one. Of one that only
        counts as late: its whole lateness goes. Of any other sign: by its severity.
        """
        floor = _BY_SEVERITY.get(self.severity, 120)
        if self.due_s is None or self.end_s is None or not (self.removes or self.open):
            return floor
        days = min(max((self.end_s - self.due_s) / _DAY_S, 0.0), MOST_DAYS)
        return max(floor, round(days * _DAY_MINUTES))


def expected_minutes(*, chance: float, left: int, usual: int) -> int:
    """Avoidable lateness of an open dossier that is not late yet: its chance of being late, times how late its like
    would be, a day at least. In working minutes; like `Stake.minutes` a rank, not a figure."""
    return round(min(max(chance, 0.0), 1.0) * min(max(usual - left, _DAY_MINUTES), MOST_DAYS * _DAY_MINUTES))


def rank(minutes: int, confidence: float) -> int:
    """The place of a finding in the day: avoidable lateness times how sure the check is; the greatest first."""
    return round(minutes * min(max(confidence, 0.0), 1.0))


def budget(ranked: Iterable[tuple[int, int]], *, most: int, done_today: int) -> list[int]:
    """The findings (rank, id) for one person today: at most `most` less those already done, the greatest rank first."""
    left = max(most - done_today, 0)
    return [number for _, number in sorted(ranked, key=lambda item: (-item[0], item[1]))[:left]]
