"""How tasks stand, for the board, the unit and the leader: read in a few statements, whatever their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from motcua.catalogue.models import Agency
from motcua.directives import progress, targets
from motcua.directives.models import Directive, Line, Part, Progress
from motcua.directives.targets import Value

State = Directive.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A task with its newest figure. `pace`: met, overdue, soon (three days or fewer), running, or unknown."""

    directive: Directive
    pace: str
    whole: Value | None
    before: Value | None  # the day before the newest
    first: Value | None
    parts: Mapping[str, Value]
    units: tuple[str, ...]
    unseen: int
    on: date | None
    verified: Line | None  # when its kept days were last computed again

    @property
    def left(self) -> int | None:
        """How many dossiers are left above a ceiling; None for a rate."""
        if self.whole is None or not targets.METRICS[self.directive.metric].most:
            return None
        return max(self.whole.value - (0 if self.directive.each else self.directive.target), 0)


_SOON_DAYS = 3


def _pace(directive: Directive, whole: Value | None, today: date) -> str:
    if directive.state != State.OPEN:
        return str(directive.state)
    if directive.met_since is not None:
        return "met"
    if today > directive.due_on:
        return "overdue"
    if whole is None:
        return "unknown"
    return "soon" if (directive.due_on - today).days <= _SOON_DAYS else "running"


def standings(
    *, today: date, scope: frozenset[str] | None, states: Iterable[str] = (State.OPEN,), only: int | None = None
) -> list[Standing]:
    """The tasks that concern the viewer's units (None: all), the overdue first, then by day."""
    found = Directive.objects.filter(state__in=list(states))
    if only is not None:
        found = Directive.objects.filter(pk=only)
    if scope is not None:
        found = found.filter(parts__agency__in=sorted(scope)).distinct()
    directives = list(found.order_by("due_on", "pk"))
    numbers = [one.pk for one in directives]
    parts: dict[int, list[Part]] = {}
    for part in Part.objects.filter(directive__in=numbers).order_by("agency"):
        parts.setdefault(part.directive_id, []).append(part)
    days: dict[int, list[Progress]] = {}
    for row in Progress.objects.filter(directive__in=numbers).order_by("on"):
        days.setdefault(row.directive_id, []).append(row)
    verified = {line.directive_id: line for line in
                Line.objects.filter(directive__in=numbers, act=Line.Act.VERIFIED).order_by("at", "pk")}  # fmt: skip
    made = [_standing(one, parts.get(one.pk, []), days.get(one.pk, []), verified.get(one.pk), today)
            for one in directives]  # fmt: skip
    order = {"overdue": 0, "soon": 1, "running": 2, "unknown": 2, "met": 3}
    return sorted(made, key=lambda s: (order.get(s.pace, 4), s.directive.due_on, s.directive.pk))


def _standing(
    directive: Directive, parts: list[Part], days: list[Progress], verified: Line | None, today: date
) -> Standing:
    last = days[-1] if days else None
    whole = _value(last)
    return Standing(
        directive=directive,
        pace=_pace(directive, whole, today),
        whole=whole,
        before=_value(days[-2]) if len(days) > 1 else None,
        first=_value(days[0]) if days else None,
        parts=progress.unpacked(last.parts) if last else {},
        units=tuple(part.agency for part in parts),
        unseen=sum(part.seen_at is None for part in parts),
        on=last.on if last else None,
        verified=verified,
    )


def _value(row: Progress | None) -> Value | None:
    return None if row is None else Value(row.value, row.out_of)


def counts(*, today: date, scope: frozenset[str] | None) -> dict[str, int]:
    """How many open tasks stand how."""
    return dict(Counter(standing.pace for standing in standings(today=today, scope=scope)))


def units_of(standing: Standing, parts: Iterable[Part]) -> list[dict[str, Any]]:
    """The part of every unit, those that have not met it first, the greatest of them first."""
    directive = standing.directive
    names = dict(Agency.objects.filter(code__in=standing.units).values_list("code", "name"))
    nothing = Value(0) if targets.METRICS[directive.metric].most else Value(0, 0)
    rows = []
    for part in parts:
        value = standing.parts.get(part.agency, nothing)
        own = directive.target if directive.each or directive.target == 0 else None
        rows.append(
            {
                "agency": part.agency,
                "name": names.get(part.agency, part.agency),
                "value": value,
                "met": None if own is None or standing.whole is None else targets.meets(directive.metric, own, value),
                "seen_at": part.seen_at, "seen_by": part.seen_by,
                "answer": part.answer, "answered_at": part.answered_at, "answered_by": part.answered_by,
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row["met"] is not False, -_spoiling(directive, row["value"]), row["agency"]))


def _spoiling(directive: Directive, value: Value) -> int:
    return value.value if targets.METRICS[directive.metric].most else (value.out_of or 0) - value.value


def history(directive: Directive) -> list[Line]:
    """What happened, the newest first."""
    return list(Line.objects.filter(directive=directive).order_by("-at", "-pk"))
