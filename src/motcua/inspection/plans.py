"""Plans that are made once: the SQL of a question about the facts, with its instants left open.

To plan the judging of the pairs costs DuckDB some thirty bindings of a frame of a hundred columns, as much as to judge
thousands of dossiers. But the questions of a house differ in little more than the instants as of which they are asked.
So a plan is made with instants that stand for the real ones, kept as text, and filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

import narwhals as nw

from motcua.inspection.verdicts import Scope

Frames = Mapping[str, nw.LazyFrame[Any]]
Build = Callable[[Frames, Scope], nw.LazyFrame[Any]]

#: What stands for an instant: seconds that no instant of a province has (the year 248191), one for each place.
_STANDS = 7_770_000_000_000
_ALIKE = re.compile(r"\b77[67]\d{10}\b")
_MOST = 500
#: How the names begin under which a plan reads its rows.
_ROWS = "motcua_rows_of_a_plan_"
_PLANS: dict[Hashable, str] = {}
_FILLING = Lock()


def stands(scope: Scope) -> tuple[Scope, dict[str, int]]:
    """The scope with stand-ins, in the order of the real instants, and what each of them stands for."""
    real = {at for at in (scope.as_of, scope.start, scope.end, scope.portal_as_of) if at is not None}
    places = {at: _STANDS + place for place, at in enumerate(sorted(real))}

    def of(at: int | None) -> int | None:
        return None if at is None else places[at]

    stood = replace(scope, as_of=places[scope.as_of], start=of(scope.start), end=of(scope.end),
                    portal_as_of=of(scope.portal_as_of))  # fmt: skip
    return stood, {str(place): at for at, place in places.items()}


def sql(name: Hashable, scope: Scope, columns: Hashable, rows: str, build: Callable[[Scope], str]) -> str | None:
    """The SQL of a question over rows whose names begin with `rows`; None where its instants cannot be left open.

    `name`: what is asked. `columns`: those of the rows, on which a plan depends. `build` gives the SQL for a scope.
    """
    stood, real = stands(scope)
    key = (name, stood, columns)
    plan = _PLANS.get(key)
    if plan is None:
        plan = build(stood).replace(rows, _ROWS)
        if not set(_ALIKE.findall(plan)) <= set(real):  # an instant was reckoned with: it is not what was filled in
            plan = ""
        with _FILLING:
            if len(_PLANS) >= _MOST:
                _PLANS.clear()
            _PLANS[key] = plan
    if not plan:
        return None
    return _ALIKE.sub(lambda found: str(real[found[0]]), plan).replace(_ROWS, rows)
