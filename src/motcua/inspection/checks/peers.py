"""Comparing groups with their peers: the shape that every statistical check of units or officials shares.

A group is held against what peers with the same mix of procedures have (indirect standardisation), by
`inspection.statistics`. A sign's confidence is 1 - q: among the signs of one scan at most a share `level` is expected
to be chance, and where nobody differs the chance of any sign is at most `level`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import narwhals as nw
import numpy as np

from motcua.inspection import statistics
from motcua.inspection.checks.check import Found, Given, Parameter
from motcua.inspection.checks.facts import Facts, Frame
from motcua.inspection.signs import Sign, Subject

EVIDENCE = ("events", "out_of", "rate", "peers_rate", "upper_rate", "q_value", "scatter")


def parameters(*, least: int = 30, level: float = 0.05) -> tuple[Parameter, ...]:
    """What every such check can be set to."""
    return (
        Parameter(name="least", default=least, law=False, least=1, title="số trường hợp tối thiểu để xét"),
        Parameter(name="level", default=level, law=False, title="tỷ lệ dấu hiệu sai được phép"),
        Parameter(name="least_events", default=5, law=False, least=1, title="số lần tối thiểu để nêu"),
    )


PARAMETERS = parameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A unit or an official: so many events out of so many cases, and the rate of its peers."""

    subject: str
    agency: str
    unit: str = ""
    events: int
    out_of: int
    rate: float


def compare(check: str, frame: Frame, facts: Facts, given: Given, *, kind: Subject) -> Found:
    """Compares the groups of a frame of cases: columns subject, agency, stratum, event (Boolean), maybe unit."""
    names = frame.collect_schema().names()
    keys = ["subject", "agency", "stratum", *(["unit"] if "unit" in names else [])]
    rows = facts.collect(
        frame.with_columns(hit=nw.col("event").fill_null(value=False).cast(nw.Int64))
        .group_by(*keys)
        .agg(nw.len().cast(nw.Int64).alias("n"), nw.col("hit").sum().alias("x"))
    )
    if not rows:
        return Found((), 0)
    rows.sort(key=lambda row: tuple(str(row[key]) for key in keys))
    n = np.array([int(row["n"]) for row in rows], np.float64)
    x = np.array([int(row["x"]) for row in rows], np.float64)
    _, stratum = np.unique([str(row["stratum"]) for row in rows], return_inverse=True)
    rate_of = np.bincount(stratum, weights=x) / np.bincount(stratum, weights=n)
    found: dict[str, list[float]] = {}
    of: dict[str, tuple[str, str]] = {}
    for row, cases, events, expected in zip(rows, n, x, n * rate_of[stratum], strict=True):
        sums = found.setdefault(row["subject"], [0.0, 0.0, 0.0])
        of[row["subject"]] = row["agency"] or "", row.get("unit") or ""
        for place, value in enumerate((events, cases, expected)):
            sums[place] += value
    groups = [
        Group(subject=subject, agency=of[subject][0], unit=of[subject][1], events=round(sums[0]),
              out_of=round(sums[1]), rate=sums[2] / sums[1])
        for subject, sums in sorted(found.items())
    ]  # fmt: skip
    return judged(check, groups, given, kind=kind)


def judged(check: str, groups: Sequence[Group], given: Given, *, kind: Subject, least_rate: float = 0.0) -> Found:
    """The signs of the groups that differ from their peers by more than chance; how many were large enough."""
    events = np.array([group.events for group in groups], np.float64)
    out_of = np.array([group.out_of for group in groups], np.float64)
    rate = np.array([group.rate for group in groups], np.float64)
    result = statistics.compare(events, out_of, rate, least=given.number("least"))
    level, least_events = given.share("level"), given.number("least_events")
    signs = [
        Sign(
            check=check, subject=group.subject, kind=kind, agency=group.agency, unit=group.unit,
            confidence=round(1 - float(result.q[n]), 6),
            evidence={
                "events": group.events, "out_of": group.out_of, "rate": round(group.events / group.out_of, 4),
                "peers_rate": round(float(group.rate), 4), "upper_rate": round(float(result.upper[n]), 4),
                "q_value": float(f"{result.q[n]:.3g}"), "scatter": round(result.scatter, 4),
            },
        )
        for n, group in enumerate(groups)
        if result.judged[n] and result.q[n] <= level and group.events >= least_events
        and group.events / group.out_of >= least_rate
    ]  # fmt: skip
    small = len(groups) - int(result.judged.sum())
    return Found(signs, int(result.judged.sum()), {"enough_cases": small} if small else {})
