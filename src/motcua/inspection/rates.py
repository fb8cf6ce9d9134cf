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
    """The pairs with one Boolean column per count of `COUNTS`; late + open_overdue are the late of the bridge.

    `pairs` carries `t_duplicate_late` and what published lists state. Of the measure of reception, *finished* is
    answered and *open* still waits for the first answer.
    """
    stated = verdicts.stated_only()
    by_list = nw.lit(value=False)
    if scope.measure == "reception":
        shown = side == "shown"
        online = verdicts.online_there() if shown else verdicts.online_here()
        names = ("t_submitted_at", "t_answer_at", "t_reception_due_at") if shown else (
            "submitted_at", "answered_at", "reception_due_at")  # fmt: skip
        submitted, finish, due = (nw.when(online).then(instant(name)).otherwise(nw.lit(NEVER)) for name in names)
        counted = verdicts.reception_counted(scope, submitted, finish)
        late, moment = verdicts.reception_late(scope, submitted, finish, due), finish
        if shown:
            counted, by_list = counted | stated, stated
    elif side == "shown":
        theirs = verdicts.their_facts(scope)
        counted, late = verdicts.their_counted(scope, theirs), verdicts.their_late(scope, theirs)
        finish, due = theirs.finish, nw.when(theirs.due < NEVER).then(theirs.due).otherwise(theirs.limit)
        moment, by_list = finish - theirs.supplement_s, stated
    else:
        ours = verdicts.our_stage(scope, 0 if side == "recorded" else 3)
        counted, late = verdicts.our_counted(scope, ours), verdicts.our_late(scope, ours)
        finish, due = instant(ours.finish), instant(ours.due)
        moment = finish
    if side == "shown":
        late = nw.when(by_list).then(counted & flag("l_late")).otherwise(late)
    # A further record there that is late keeps the dossier open and overdue, whatever became of the first.
    further = flag("t_duplicate_late") & ~late if side == "shown" else nw.lit(value=False)
    counted = counted | further
    finished = counted & (finish <= scope.as_of) & ~further
    open_ = counted & ~finished
    early = finished & ~late & (due < NEVER) & (verdicts.local_day(moment) < verdicts.local_day(due))
    return pairs.with_columns(
        received=counted,
        finished=finished,
        early=early,
        on_time=finished & ~late & ~early,
        late=finished & late,
        open=open_,
        open_overdue=open_ & (late | further),
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
