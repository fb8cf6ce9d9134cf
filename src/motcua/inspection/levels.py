"""Data levels: what the facts can tell of a source or a unit, and what the next kind of data would clear.

1 lists · 2 the step log of the one-stop software · 3 messages through the collector · 4 what the portal answers when
it is read back. A level is reached where at least half of the dossiers have its facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from motcua.inspection.causes import REST, Cause
from motcua.inspection.verdicts import flag

LEVELS = (1, 2, 3, 4)
FORMULA = "levels-1"
#: What a list or a plain row of a dossier already says; anything else of ours comes from a step log.
_OF_LISTS = ("registered", "received", "finished", "returned", "refused", "stopped", "withdrawn")
#: The causes that become tellable with each level.
CAUSES: Mapping[int, tuple[Cause, ...]] = {
    1: (
        Cause.MISSING_HERE, Cause.CLOCK_SHIFT, Cause.CLOSED_EARLY_THERE, Cause.FINISH_DIFFERS, Cause.DUE_NOT_CARRIED,
        Cause.RULE_DIFFERS,
    ),
    2: (
        Cause.PAUSE_NOT_CARRIED, Cause.STEP_SKIPPED, Cause.LATE_ENTRY, Cause.BACK_DATED, Cause.DUE_MOVED,
        Cause.PAUSE_UNLAWFUL,
    ),
    3: (
        Cause.MISSING_THERE, Cause.DUPLICATE_THERE, Cause.MISPLACED_THERE, Cause.ONLY_RETURN_SENT,
        Cause.STATUS_UNMAPPED, Cause.UPDATE_REFUSED, Cause.UPDATE_NOT_SENT,
    ),
    4: (Cause.STEP_LOST, Cause.ACCEPTED_NOT_SHOWN),
}  # fmt: skip
#: News of so many days before the newest tells how often news comes.
RHYTHM_DAYS = 28


#: The columns of the pairs that are read beyond those of the verdicts.
READ = ("source", "agency", "last_known_at", "t_stored_at")


def marked(judged: nw.LazyFrame[Any], steps: nw.LazyFrame[Any], *, read_back: bool) -> nw.LazyFrame[Any]:
    """A row a dossier of the population: its source and agency, which levels' facts it has, its newest news.

    `judged` are pairs with their causes; `read_back` says whether the portal's side is what it answered.
    """
    logged = (
        steps.filter((nw.col("side") == "ours") & ~nw.col("kind").is_in(_OF_LISTS))
        .select("dossier", nw.lit(value=True).alias("logged"))
        .unique("dossier")
    )
    unclear = [nw.col(f"{leg}_cause").is_in([str(cause) for cause in REST]) for leg in ("sync", "record")]
    there = flag("exists_there")
    return (
        judged.filter(flag("in_population"))
        .join(logged, on="dossier", how="left")
        .select(
            "source",
            "agency",
            has_2=(flag("exists_here") & flag("logged")).cast(nw.Int64),
            has_3=there.cast(nw.Int64),
            has_4=(there & nw.lit(read_back)).cast(nw.Int64),
            unclear=(unclear[0] | unclear[1]).cast(nw.Int64),
            ours_s=nw.col("last_known_at"),
            theirs_s=nw.col("t_stored_at"),
        )
    )


def counted(marked: nw.LazyFrame[Any], *, by: str | None) -> nw.LazyFrame[Any]:
    """A row a group (column `key`): dossiers, those that have the facts of each level, those without a clear cause.

    Columns `newest_s` and `newest_there_s` are seconds UTC, absent where nothing came.
    """
    frame = marked.with_columns(key=nw.col(by).fill_null("") if by else nw.lit(""))
    return frame.group_by("key").agg(
        nw.len().cast(nw.Int64).alias("dossiers"),
        *(nw.col(name).sum().alias(name) for name in ("has_2", "has_3", "has_4", "unclear")),
        nw.col("ours_s").max().alias("newest_s"),
        nw.col("theirs_s").max().alias("newest_there_s"),
    )


def rhythm(marked: nw.LazyFrame[Any], newest: nw.LazyFrame[Any], *, by: str | None) -> nw.LazyFrame[Any]:
    """A row a group: of how many dossiers news came within the weeks before its newest (`news`)."""
    span = RHYTHM_DAYS * 86_400
    frame = marked.select("ours_s", key=nw.col(by).fill_null("") if by else nw.lit(""))
    return (
        frame.join(newest.select("key", "newest_s"), on="key", how="inner")
        .filter(nw.col("ours_s") > nw.col("newest_s") - span)
        .group_by("key")
        .agg(nw.len().cast(nw.Int64).alias("news"))
    )


def reached(row: Mapping[str, Any]) -> tuple[int, ...]:
    """The levels that a group has reached."""
    count = int(row["dossiers"])
    return tuple(level for level in LEVELS if level == 1 or (count and 2 * int(row[f"has_{level}"]) >= count))
