"""After an outage those go first that would become late on the portal because of us; proved minimal on small cases."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motcua.exchange import urgency
from motcua.exchange.urgency import Backlog

waiting = st.lists(st.tuples(st.integers(1, 9), st.one_of(st.none(), st.integers(-3, 30))), min_size=1, max_size=7).map(
    lambda many: [Backlog(f"d{n}", n, messages, late_in) for n, (messages, late_in) in enumerate(many)]
)


@settings(max_examples=300)
@given(waiting)
def test_no_order_at_all_makes_fewer_late_and_none_is_left_out(backlogs: list[Backlog]) -> None:
    ordered = urgency.order(backlogs, message_s=1.0)
    assert sorted(b.position for b in ordered) == [b.position for b in backlogs]
    fewest = min(urgency.late_because_of_us(each, message_s=1.0) for each in permutations(backlogs))
    assert urgency.late_because_of_us(ordered, message_s=1.0) == fewest


@given(st.lists(st.tuples(st.integers(1, 20), st.one_of(st.none(), st.floats(-100, 5000))), max_size=400))
def test_never_more_are_late_than_first_in_first_out(many: list[tuple[int, float | None]]) -> None:
    backlogs = [Backlog(f"d{n}", n, messages, late_in) for n, (messages, late_in) in enumerate(many)]
    ordered = urgency.order(backlogs, message_s=0.7)
    ours, fifo = (urgency.late_because_of_us(each, message_s=0.7) for each in (ordered, backlogs))
    assert ours <= fifo


@pytest.mark.parametrize(
    ("backlogs", "first"),
    [
        ([Backlog("far", 1, 2, 900.0), Backlog("soon", 2, 2, 60.0)], "soon"),
        ([Backlog("late already", 1, 2, -60.0), Backlog("soon", 2, 2, 60.0)], "soon"),
        ([Backlog("new", 1, 2, None), Backlog("late already", 2, 2, -60.0)], "late already"),
        ([Backlog("older", 1, 2, None), Backlog("newer", 2, 2, None)], "older"),
    ],
    ids=["the nearer due instant", "what can still be saved", "what is shown late wrongly", "the older event"],
)
def test_first_goes(backlogs: list[Backlog], first: str) -> None:
    assert urgency.order(backlogs, message_s=0.01)[0].dossier == first
