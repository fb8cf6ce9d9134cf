"""What checks look at: every fact of the question, as frames of one engine, and the clock over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from motcua.inspection.asked import Asked
from motcua.inspection.petitions import Petition
from motcua.inspection.verdicts import NEVER, Scope, local_day

Frame = nw.LazyFrame[Any]
#: So many openings a day have columns of their own in the table of days.
OPENINGS = 4
_OFFSET = 7 * 3600


@dataclass(frozen=True, slots=True)
class Facts:
    """The judged pairs with their story, our acts as they stand after corrections, and what is known beside them.

    `outages`: as `downtime.placed` gives them, None where none is known; `questions`: those that wait past their date,
    None where nobody keeps them; `petitions`: None where none was ever loaded. `collect` gives the rows of a frame as
    dictionaries, absent as None.
    """

    dossiers: Frame
    acts: Frame
    scope: Scope
    collect: Callable[[Frame], list[dict[str, Any]]]
    units: Frame
    procedures: Frame
    days: Frame
    accounts: Frame
    outages: Frame | None
    questions: Sequence[Asked] | None
    petitions: Sequence[Petition] | None

    def count(self, frame: Frame) -> int:
        """How many rows a frame has."""
        return int(self.collect(frame.select(nw.len().cast(nw.Int64).alias("n")))[0]["n"])


def minute_of_day(at: nw.Expr) -> nw.Expr:
    """The minute on the office clock, 0 to 1439."""
    return ((at + _OFFSET) % 86_400) // 60


def worked(frame: Frame, days: Frame, **columns: str) -> Frame:
    """Adds for each `name=instant` a column `name`: the working minutes of the frame's `calendar` up to the instant.

    The difference of two of them is the working time between, as `rules.workdays` counts it. Absent for an absent
    instant and for one outside the table of days.
    """
    for name, at in columns.items():
        frame = _worked(frame, days, name, at)
    return frame


def _worked(frame: Frame, days: Frame, name: str, at: str) -> Frame:
    edges = [f"{edge}{n}" for n in range(OPENINGS) for edge in ("from", "to")]
    table = days.select(
        nw.col("calendar"), nw.col("day").alias("_day"), nw.col("minutes_before").alias("_before"),
        *(nw.col(edge).alias(f"_{edge}") for edge in edges),
    )  # fmt: skip
    names = frame.collect_schema().names()
    instant = nw.when(nw.col(at) < NEVER).then(nw.col(at))
    frame = frame.with_columns(_at=instant).with_columns(_day=local_day(nw.col("_at")))
    frame = frame.join(table, on=["calendar", "_day"], how="left")
    minute = minute_of_day(nw.col("_at"))
    total = nw.col("_before")
    for n in range(OPENINGS):
        start, end = nw.col(f"_from{n}"), nw.col(f"_to{n}")
        inside = nw.when(minute >= end).then(end - start).when(minute > start).then(minute - start).otherwise(nw.lit(0))
        total = total + inside
    kept = [column for column in names if column != name]
    return frame.select(*kept, nw.when(~nw.col("_at").is_null()).then(total).alias(name))


def on_day(frame: Frame, days: Frame, at: str, **columns: str) -> Frame:
    """Adds for each `name=column` that column of the table of days, for the day of the instant."""
    names = frame.collect_schema().names()
    table = days.select(
        nw.col("calendar"), nw.col("day").alias("_day"), *(nw.col(c).alias(n) for n, c in columns.items())
    )
    kept = [column for column in names if column not in columns]
    frame = frame.select(*kept).with_columns(_day=local_day(nw.col(at)))
    return frame.join(table, on=["calendar", "_day"], how="left").select(*kept, *columns)
