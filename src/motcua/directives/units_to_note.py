"""Which units a leader should look at: those later than luck explains. Small units are not shamed.

A unit is noted when its late dossiers exceed what the rate of the others would give it by more than chance: the
binomial tail, held against all units at once (Benjamini and Hochberg), so that of noted units at most one in ten is
noted by luck. Units below `SMALLEST` dossiers are told apart, never ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Any

SMALLEST = 30
_FALSE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Noted:
    """A unit to note: so many late in truth, of how many, where the province's rate would give `expected`."""

    agency: str
    name: str
    late: int
    population: int
    expected: float


def noted(rows: Sequence[Mapping[str, Any]], *, most: int = 5) -> list[Noted]:
    """The units to note, the greatest excess first. `rows` as a bridge by agency has them."""
    whole = sum(row["population"] for row in rows)
    late = sum(row["late_true"] for row in rows)
    large = [row for row in rows if row["population"] >= SMALLEST]
    if not late or late >= whole:
        return []
    judged = []
    for row in large:
        rest = whole - row["population"]  # a unit is held against the others, not against itself
        rate = (late - row["late_true"] + 0.5) / (rest + 1) if rest else late / whole
        judged.append((_at_least(row["late_true"], row["population"], min(rate, 1.0)), row, rate))
    judged.sort(key=lambda one: (one[0], one[1]["key"]))
    last = max((n for n, one in enumerate(judged, 1) if one[0] <= _FALSE_SHARE * n / len(judged)), default=0)
    found = [
        Noted(row["key"], row["name"], row["late_true"], row["population"], row["population"] * rate)
        for _, row, rate in judged[:last]
    ]
    return sorted(found, key=lambda one: (one.expected - one.late, one.agency))[:most]


def _at_least(count: int, of: int, rate: float) -> float:
    """The chance of `count` or more among `of`, each with the chance `rate`."""
    if count <= 0:
        return 1.0
    if rate <= 0:
        return 0.0
    if rate >= 1:
        return 1.0
    start = lgamma(of + 1)
    terms = (
        exp(start - lgamma(k + 1) - lgamma(of - k + 1) + k * log(rate) + (of - k) * log(1 - rate))
        for k in range(count, of + 1)
    )
    total, largest = 0.0, 0.0
    for term in terms:
        total += term
        largest = max(largest, term)
        if term < largest * 1e-12:
            break
    return min(total, 1.0)
