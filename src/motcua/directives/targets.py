"""Targets that the data can measure: what is counted, over which dossiers, and whether a value meets the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from motcua.directives import unanswered
from motcua.inspection.causes import RECORD, SYNC
from motcua.inspection.verdicts import Measure
from motcua.oversight import figures
from motcua.oversight.figures import Filter, Question
from motcua.rules.instants import Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure of the system. `most`: the target is a ceiling; else it is a floor, and the figure a rate.

    `of_findings`: counted out of the acts of the findings, not out of the facts.
    """

    measure: Measure
    chosen: Filter
    most: bool = True
    needs_cause: bool = False
    of_findings: bool = False


METRICS: Mapping[str, Metric] = {
    "not_synchronised": Metric(measure="all", chosen=Filter(flag="unsynchronised")),
    "open_overdue": Metric(measure="open", chosen=Filter(side="true")),
    "shown_overdue": Metric(measure="open", chosen=Filter(side="shown")),
    "late_reception": Metric(measure="reception", chosen=Filter(side="recorded")),
    "late_by_sync": Metric(measure="all", chosen=Filter(leg="sync", direction="removed")),
    "late_by_clicks": Metric(measure="all", chosen=Filter(leg="record", direction="removed")),
    "cause": Metric(measure="all", chosen=Filter(), needs_cause=True),
    "unproven": Metric(measure="all", chosen=Filter(flag="unproven")),
    "unanswered": Metric(measure="all", chosen=Filter(), of_findings=True),
    "on_time_rate": Metric(measure="finished", chosen=Filter(side="true"), most=False),
}


@dataclass(frozen=True, slots=True)
class Value:
    """A figure: so many, or so many out of so many."""

    value: int
    out_of: int | None = None

    def __add__(self, other: Value) -> Value:
        both = self.out_of is not None or other.out_of is not None
        return Value(self.value + other.value, (self.out_of or 0) + (other.out_of or 0) if both else None)


@dataclass(frozen=True, slots=True)
class Measured:
    """The figure of a target at an instant: the whole and each unit's part; the parts sum to the whole."""

    at: datetime
    whole: Value
    parts: Mapping[str, Value]


def chosen(metric: str, cause: str) -> Filter:
    """The dossiers that a metric counts (of a rate: those that spoil it). Raises `Unreadable`."""
    known = METRICS.get(metric)
    if known is None:
        raise Unreadable(f"no target {metric!r}; there are: {', '.join(METRICS)}")
    if not known.needs_cause:
        return known.chosen
    if cause in SYNC:
        return Filter(leg="sync", cause=cause)
    if cause in RECORD:
        return Filter(leg="record", cause=cause)
    raise Unreadable(f"no cause {cause!r}; there are: {', '.join((*SYNC, *RECORD))}")


def question(
    metric: str, period: str, agencies: frozenset[str] | None, at: datetime, *, again: bool = False
) -> Question:
    """What is asked of the figures; `again`: as it was known at that instant."""
    return Question(
        measure=METRICS[metric].measure, period=period or None, as_of=at, known_at=at if again else None,
        scope_of=agencies,
    )  # fmt: skip


def measured(
    home: Path, metric: str, *, cause: str, period: str, agencies: frozenset[str] | None, at: datetime,
    again: bool = False,
) -> Measured:  # fmt: skip
    """The figure at an instant, by the facts as they are (`again`: as they were then). Raises `Unreadable`."""
    wanted = chosen(metric, cause)
    asked = question(metric, period, agencies, at, again=again)
    if METRICS[metric].of_findings:
        waiting = unanswered.counts(period=period, agencies=agencies, at=at)
        parts = {key: Value(count) for key, count in waiting.items()}
        start = Value(0)
    elif METRICS[metric].most:
        counted = figures.counts(home, asked, wanted, by="agency", now=at)
        parts = {key: Value(count) for key, count in counted.items()}
        start = Value(0)
    else:
        rows = figures.rates(home, asked, now=at, by="agency", verdict="true")["rows"]
        parts = {row["key"]: Value(row["early"] + row["on_time"], row["finished"]) for row in rows}
        start = Value(0, 0)
    return Measured(at, sum(parts.values(), start), parts)


def only(metric: str, found: Measured, agencies: frozenset[str]) -> Measured:
    """The parts of some units out of a figure of all."""
    parts = {key: part for key, part in found.parts.items() if key in agencies}
    return Measured(found.at, sum(parts.values(), Value(0) if METRICS[metric].most else Value(0, 0)), parts)


def meets(metric: str, target: int, value: Value) -> bool | None:
    """Whether a value meets the target; None: there is no figure (a rate of nothing)."""
    if METRICS[metric].most:
        return value.value <= target
    return None if not value.out_of else value.value * 1000 >= target * value.out_of


def dossiers(
    home: Path, metric: str, *, cause: str, period: str, agencies: frozenset[str] | None, at: datetime,
    after: str | None = None, limit: int = 50,
) -> dict[str, Any]:  # fmt: skip
    """The dossiers that a figure counts, a page at a time; of a rate, those finished late, which spoil it."""
    if METRICS[metric].of_findings:
        return unanswered.dossiers(home, period=period, agencies=agencies, at=at, after=after, limit=limit)
    asked = question(metric, period, agencies, at)
    return figures.dossiers(home, asked, chosen(metric, cause), now=at, after=after, limit=limit)
