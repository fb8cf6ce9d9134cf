"""Which units a leader is shown: those later than luck explains, and no small one."""

from __future__ import annotations

import random

from motcua.directives.units_to_note import SMALLEST, noted


def _row(key: str, late: int, population: int) -> dict[str, object]:
    return {"key": key, "name": key, "late_true": late, "population": population}


def test_a_unit_that_is_really_later_is_noted_with_what_the_others_would_give() -> None:
    rows = [_row(f"u{n:02}", 10, 200) for n in range(30)] + [_row("late", 60, 200)]
    (found,) = noted(rows)
    assert (found.agency, found.late, found.population) == ("late", 60, 200)
    assert abs(found.expected - 10) < 0.2


def test_small_units_are_never_noted_and_nobody_is_where_none_or_all_are_late() -> None:
    calm = [_row(f"u{n:02}", 1, 300) for n in range(10)]
    assert noted([*calm, _row("small", SMALLEST - 1, SMALLEST - 1)]) == []
    assert noted([_row("a", 0, 50), _row("b", 0, 50)]) == []
    assert noted([_row("a", 50, 50), _row("b", 50, 50)]) == []
    assert noted([]) == []


def test_equal_units_are_seldom_noted_whatever_their_number() -> None:
    dice, wrong, trials = random.Random(7), 0, 300
    for _ in range(trials):
        rows = []
        for n in range(60):
            population = dice.randint(20, 120)
            rows.append(_row(f"u{n:02}", sum(dice.random() < 0.05 for _ in range(population)), population))
        wrong += bool(noted(rows))
    assert wrong / trials <= 0.1, "of equal units, one is noted in at most one province of ten"


def test_at_most_five_are_shown_the_greatest_excess_first() -> None:
    rows = [_row(f"u{n:02}", 5, 500) for n in range(40)] + [_row(f"late{n}", 100 + 10 * n, 500) for n in range(8)]
    assert [one.agency for one in noted(rows)] == ["late7", "late6", "late5", "late4", "late3"]
