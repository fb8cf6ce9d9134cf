"""A plan is made once and filled in for every instant; what cannot be filled in is planned anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from motcua.inspection import plans
from motcua.inspection.verdicts import Scope
from motcua.rules.policies import POLICIES

ASKED = Scope(measure="all", policy=POLICIES["default"], as_of=1_772_000_000, start=1_769_000_000, end=1_771_000_000)


class _Planner:
    """Plans by writing the scope's instants down, and counts how often."""

    def __init__(self, name: str, of: Callable[[Scope], str]) -> None:
        self.name, self.of, self.made = name, of, 0

    def sql(self, scope: Scope, *, columns: str = "", rows: str = "rows_7_") -> str | None:
        def build(stood: Scope) -> str:
            self.made += 1
            return f"SELECT * FROM {rows} WHERE {self.of(stood)}"

        return plans.sql(self.name, scope, columns, rows, build)


def test_a_plan_is_made_once_and_filled_in_for_every_instant() -> None:
    planner = _Planner("once", lambda scope: f"at BETWEEN {scope.start} AND {scope.end} OR finish <= {scope.as_of}")
    assert planner.sql(ASKED) == (
        "SELECT * FROM rows_7_ WHERE at BETWEEN 1769000000 AND 1771000000 OR finish <= 1772000000"
    )
    later = replace(ASKED, as_of=1_773_000_000)
    assert planner.sql(later, rows="rows_8_") == (
        "SELECT * FROM rows_8_ WHERE at BETWEEN 1769000000 AND 1771000000 OR finish <= 1773000000"
    )
    assert planner.made == 1


def test_whatever_a_plan_depends_on_makes_another() -> None:
    planner = _Planner("another", lambda scope: f"received < {scope.until}")
    assert planner.sql(ASKED) == "SELECT * FROM rows_7_ WHERE received < 1771000000"
    inside = replace(ASKED, as_of=1_770_000_000)  # the period is not over: its end counts no more
    assert planner.sql(inside) == "SELECT * FROM rows_7_ WHERE received < 1770000000"
    for other in (replace(ASKED, measure="open"), replace(ASKED, last_nine=True), replace(ASKED, start=None),
                  replace(ASKED, as_of=1_771_000_000), replace(ASKED, policy=POLICIES["date"])):  # fmt: skip
        made = planner.made
        planner.sql(other)
        assert planner.made == made + 1, other
    planner.sql(ASKED, columns="other columns")
    assert planner.made == 8


def test_an_instant_that_was_reckoned_with_is_not_filled_in() -> None:
    planner = _Planner("reckoned", lambda scope: f"waits_since < {scope.as_of - 86_400}")
    assert planner.sql(ASKED) is None and planner.sql(replace(ASKED, as_of=1_773_000_000)) is None
    assert planner.made == 1, "that it cannot be kept is kept"
