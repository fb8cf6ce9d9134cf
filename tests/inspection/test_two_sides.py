"""Both totals and what lies between them always add up, and each figure has exactly its lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motcua.inspection.two_sides import CAUSES, KINDS, Comparison, Kind, Line

_STATES = {"only_ours": ("5d", None), "only_there": (None, "5d"), "differs": ("5d", "7d"), "equal": ("5d", "5d")}


@st.composite
def _comparisons(draw: st.DrawFn) -> Comparison:
    kind: Kind = draw(st.sampled_from(KINDS))
    causes = st.sampled_from([*CAUSES[kind].items(), ("", "equal")])
    lines = [
        Line(key=f"{n}", name="", ours=_STATES[where][0], there=_STATES[where][1], cause=cause)
        for n, (cause, where) in enumerate(draw(st.lists(causes, max_size=40)))
    ]
    return Comparison(kind, lines)


@given(_comparisons())
def test_ours_less_what_is_only_here_and_with_what_is_only_there_is_theirs(found: Comparison) -> None:
    counts = found.counts
    assert counts["ours"] - counts["only_ours"] + counts["only_there"] == counts["there"]
    assert counts["differs"] + counts["equal"] == counts["both"]
    for side in ("only_ours", "only_there", "differs"):
        causes = [cause for cause, place in CAUSES[found.kind].items() if place == side]
        assert sum(counts["causes"][cause] for cause in causes) == counts[side]


@given(_comparisons())
def test_behind_each_figure_are_exactly_as_many_lines(found: Comparison) -> None:
    for side in _STATES:
        assert len(found.chosen(where=side)) == found.counts[side]
    for cause, count in found.counts["causes"].items():
        assert len(found.chosen(cause=cause)) == count


def test_a_line_on_one_side_has_a_cause_that_fits_it() -> None:
    with pytest.raises(ValueError, match="without a cause"):
        Comparison("procedures", [Line(key="1", name="", ours="5d", there=None)])
    with pytest.raises(ValueError, match="does not leave it"):
        Comparison("procedures", [Line(key="1", name="", ours=None, there="5d", cause="abolished")])
