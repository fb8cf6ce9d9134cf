"""What a check has earned: precision with its interval, the rule of watching, and the day's budget."""

from __future__ import annotations

import random

import pytest

from motcua.inspection.standing import Precision, Stake, WatchRule, beyond, budget, rank


def test_nothing_concluded_is_no_figure() -> None:
    assert Precision(concluded=0, overturned=0).share is None
    assert Precision(concluded=0, overturned=0).interval is None


def test_the_interval_is_the_exact_one() -> None:
    low, high = Precision(concluded=10, overturned=2).interval or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.444, 0.975)  # tables of Clopper and Pearson: 8 of 10
    low, high = Precision(concluded=5, overturned=0).interval or (0, 0)
    assert (round(low, 3), high) == (0.478, 1.0)


@pytest.mark.parametrize("truth", [0.5, 0.8, 0.95, 0.99])
def test_the_interval_keeps_its_coverage(truth: float) -> None:
    draw, held = random.Random(7), 0
    known = {wrong: Precision(concluded=40, overturned=wrong).interval or (0, 0) for wrong in range(41)}
    for _ in range(2_000):
        low, high = known[sum(draw.random() >= truth for _ in range(40))]
        held += low <= truth <= high
    assert held / 2_000 >= 0.94


def test_a_check_moves_to_watch_when_even_its_best_case_is_poor_and_comes_back_when_its_figure_is_good() -> None:
    rule = WatchRule()
    assert rule.mode(Precision(concluded=9, overturned=9)) == "active", "too few to say"
    assert rule.mode(Precision(concluded=10, overturned=5)) == "active", "bad luck may do that"
    assert rule.mode(Precision(concluded=20, overturned=15)) == "watch"
    assert rule.mode(Precision(concluded=40, overturned=15), "watch") == "watch"
    assert rule.mode(Precision(concluded=60, overturned=15), "watch") == "active"
    assert WatchRule(on=False).mode(Precision(concluded=20, overturned=20)) == "active"


def test_the_stake_is_what_can_still_be_saved() -> None:
    day = 86_400
    assert Stake(severity="C").minutes() == 120
    assert Stake(severity="C", removes=True, due_s=0, end_s=5 * day).minutes() == 2400
    assert Stake(severity="A", removes=True, due_s=0, end_s=3600).minutes() == 960, "grave ones weigh at least so much"
    assert Stake(severity="C", removes=True, due_s=0, end_s=900 * day).minutes() == 30 * 480
    assert rank(2400, 0.5) == 1200


def test_a_day_has_its_budget() -> None:
    ranked = [(5, 1), (9, 2), (9, 3), (1, 4)]
    assert budget(ranked, most=3, done_today=0) == [2, 3, 1]
    assert budget(ranked, most=3, done_today=2) == [2]
    assert budget(ranked, most=3, done_today=7) == []


def test_a_small_unit_is_not_shamed_by_luck() -> None:
    assert beyond(1, 3, rate=0.1) == "" and beyond(3, 30, rate=0.1) == ""
    assert beyond(60, 300, rate=0.1) == "more"
    assert beyond(5, 300, rate=0.1) == "fewer"
    assert beyond(0, 5, rate=0.1) == "" and beyond(0, 0, rate=0.1) == "" and beyond(3, 3, rate=0.0) == ""


def test_equal_units_are_named_no_more_often_than_promised() -> None:
    draw = random.Random(3)
    named = sum(beyond(sum(draw.random() < 0.1 for _ in range(60)), 60, rate=0.1) == "more" for _ in range(5_000))
    assert named <= 12, "promised: one in a thousand"
