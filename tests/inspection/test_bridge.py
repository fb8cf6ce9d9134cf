"""A law of nature: both legs of the bridge add up for any population, and causes stand only where sides differ."""

from __future__ import annotations

from collections import Counter
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motcua.inspection import bridge, ours, theirs
from motcua.inspection.engines import Polars
from motcua.inspection.verdicts import MEASURES, Scope
from motcua.rules.policies import POLICIES

AS_OF = 1_000_000
_INSTANT = st.one_of(st.none(), st.integers(0, 1_400_000).map(lambda n: n - n % 25_200))
_LISTED = ("l_received_at", "l_due_at", "l_finished_at")
_MARKS = ("exists_here", "exists_there", "t_duplicate_late", "l_late", "l_has_due", "l_has_finish", "l_alone")
_KINDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys((*ours.TEXTS, *theirs.TEXTS), st.sampled_from(["", "a"])),
    **dict.fromkeys((*ours.INSTANTS, *theirs.INSTANTS, *_LISTED), _INSTANT),
    **dict.fromkeys((*ours.NUMBERS, *theirs.NUMBERS), st.integers(0, 3)),
    **dict.fromkeys((*ours.FLAGS, *theirs.FLAGS, *_MARKS), st.booleans()),
    "l_late": st.sampled_from([None, None, True, False]),
    "agency": st.sampled_from(["A", "B"]),
    "channel": st.sampled_from(["online", "desk"]),
    "t_channel": st.sampled_from(["1", "2"]),
    "finish_kind": st.sampled_from(["", "finished", "returned", "stopped"]),
    "t_status": st.integers(1, 10),
    "delivery": st.sampled_from([None, "delivered", "dead", "unmapped", "waiting"]),
    "answer_delivery": st.sampled_from([None, "delivered", "dead"]),
    "any_delivery": st.sampled_from([None, "delivered", "dead", "waiting"]),
    "month": st.just("2026-03"),
}
_TYPES = {
    name: pl.Boolean
    if name in (*ours.FLAGS, *theirs.FLAGS, *_MARKS)
    else pl.Int64
    if name in (*ours.INSTANTS, *theirs.INSTANTS, *_LISTED, *ours.NUMBERS, *theirs.NUMBERS)
    else pl.String
    for name in _KINDS
}
populations = st.lists(st.fixed_dictionaries(_KINDS), min_size=1, max_size=12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=15, deadline=None)
@given(populations, st.one_of(st.none(), st.integers(0, 900_000)))
def test_both_legs_add_up_for_any_population(measure: Any, name: str, rows: list[Any], start: int | None) -> None:
    for row in rows:  # a record without ours, or ours without a record, has no facts of the other side
        row["exists_here"] = row["exists_here"] or not (row["exists_there"] or row["l_late"] is not None)
    frame = nw.from_native(pl.DataFrame(rows, schema=_TYPES).lazy())
    scope = Scope(measure=measure, policy=POLICIES[name], as_of=AS_OF, start=start)
    whole, groups = bridge.rows(Polars().collect(bridge.tally(bridge.judged(frame, scope), "agency")))
    for row in (whole, *groups.values()):
        net: Counter[str] = Counter()
        for (leg, _), count in row.legs.items():
            net[leg] += count.removed - count.added
        assert row.late_shown - net["sync"] == row.late_recorded
        assert row.late_recorded - net["record"] == row.late_true
    judged = Polars().collect(bridge.judged(frame, scope))
    for row in judged:
        assert bool(row["sync_cause"]) == (row["shown"] != row["recorded"])
        assert bool(row["record_cause"]) == (row["recorded"] != row["true"])
