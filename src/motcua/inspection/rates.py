"""On-time figures of one side, with formula and population; an empty group is "no figure"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import narwhals as nw

from motcua.inspection import verdicts
from motcua.inspection.bridge import DIMENSIONS
from motcua.inspection.verdicts import NEVER, Scope, flag, instant

Side = Literal["shown", "recorded", "true"]
SIDES: tuple[Side, ...] = ("shown", "recorded", "true")
FORMULA = "rate = (early + on_time) / finished; rate_766 = (early + on_time + open in time) / received; v1"

COUNTS = ("received", "finished", "early", "on_time", "late", "open", "open_overdue", "no_due")


def classified(pairs: nw.LazyFrame[Any], scope: Scope, side: Side) -> nw.LazyFrame[Any]:
    """The pairs with one Boolean column per count of `COUNTS`. `pairs` carries `t_duplicate_late` etc."""
    if side == "shown":
        theirs = verdicts.their_facts(scope)
        counted, late = verdicts.their_counted(scope, theirs), verdicts.their_late(scope, theirs)
        finish, due = theirs.finish, nw.when(theirs.due < NEVER).then(theirs.due).otherwise(theirs.limit)
        moment = finish - theirs.supplement_s
    else:
        ours = verdicts.our_stage(scope, 0 if side == "recorded" else 3)
        counted, late = verdicts.our_counted(scope, ours), verdicts.our_late(scope, ours)
        finish, due = instant(ours.finish), instant(ours.due)
        moment = finish
    finished = counted & (finish <= scope.as_of)
    open_ = counted & (finish > scope.as_of)
    early = finished & ~late & (due < NEVER) & (verdicts.local_day(moment) < verdicts.local_day(due))
    return pairs.with_columns(
        received=counted,
        finished=finished,
        early=early,
        on_time=finished & ~late & ~early,
        late=finished & late,
        open=open_,
        open_overdue=open_ & late,
        no_due=counted & (due >= NEVER),
    )


def tally(frame: nw.LazyFrame[Any], by: str | None) -> nw.LazyFrame[Any]:
    """The counts per group, from the classified pairs."""
    keyed = frame.with_columns(key=nw.col(DIMENSIONS[by]).fill_null("") if by else nw.lit(""))
    return (
        keyed.filter(flag("received"))
        .group_by("key")
        .agg(*(nw.col(name).cast(nw.Int64).sum().alias(f"n_{name}") for name in COUNTS))
    )


def row(counts: Mapping[str, int]) -> dict[str, Any]:
    """One row as the JSON of `motcua rates` gives it."""
    good = counts["early"] + counts["on_time"]
    in_time = good + counts["open"] - counts["open_overdue"]
    return {
        **{name: counts[name] for name in COUNTS},
        "rate": round(good / counts["finished"], 6) if counts["finished"] else None,
        "rate_766": round(in_time / counts["received"], 6) if counts["received"] else None,
    }


def rows(found: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The whole and its groups."""
    whole = dict.fromkeys(COUNTS, 0)
    groups: dict[str, dict[str, Any]] = {}
    for group in found:
        counts = {name: int(group[f"n_{name}"] or 0) for name in COUNTS}
        for name in COUNTS:
            whole[name] += counts[name]
        groups[group["key"]] = row(counts)
    return row(whole), groups
