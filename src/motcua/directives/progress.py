"""Progress by the data: looked at through the day, kept once a day, and computed again to the same number.

A target that is met is not at once done: it has to hold for some days in a row, so that a task cannot be closed by a
lucky hour. A task that is late climbs the ladder of escalation, a rung at a time, by working days after its day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.db import transaction

from motcua.catalogue import calendars, settings
from motcua.directives import targets
from motcua.directives.models import Directive, Line, Part, Progress
from motcua.directives.targets import Measured, Value
from motcua.rules.instants import Unreadable, local_day

Act, State = Line.Act, Directive.State
#: The settings that hold how long a met target has to hold, and the ladder.
HOLD, LADDER = "directives_hold_days", "directives_ladder"
_HELD_DAYS = 3


@dataclass(frozen=True, slots=True)
class Rung:
    """Who is told when a task is so many working days late."""

    after_days: int
    role: str


_LADDER = (Rung(1, "unit_head"), Rung(3, "inspector"), Rung(5, "leader"))


def held_days() -> int:
    """For how many days in a row a target is to be met until the data close the task."""
    return int(settings.get(HOLD, _HELD_DAYS))


def ladder() -> tuple[Rung, ...]:
    """The rungs, the first of them first."""
    kept = settings.get(LADDER)
    return tuple(Rung(int(rung["after_days"]), str(rung["role"])) for rung in kept) if kept else _LADDER


def look_at_all(home: Path, *, at: datetime) -> int:
    """Looks at every open task. Returns how many were looked at."""
    numbers = list(Directive.objects.filter(state=State.OPEN).order_by("pk").values_list("pk", flat=True))
    for number in numbers:
        look(home, number, at=at)
    return len(numbers)


def look(home: Path, number: int, *, at: datetime) -> Progress:
    """The figure of an open task now: kept as this day's, met or slipped, closed or escalated where that is due."""
    directive = Directive.objects.get(pk=number)
    now = measured(home, directive, at=at)
    with transaction.atomic():
        directive = Directive.objects.select_for_update().get(pk=number)
        row, _ = Progress.objects.update_or_create(
            directive=directive, on=local_day(at),
            defaults={"at": at, "value": now.whole.value, "out_of": now.whole.out_of, "parts": packed(now.parts)},
        )  # fmt: skip
        if directive.state == State.OPEN:
            _met_or_not(directive, now, at=at)
            _escalate(directive, at=at)
    return row


def measured(home: Path, directive: Directive, *, at: datetime, again: bool = False) -> Measured:
    """The figure of a task at an instant, over its units; `again`: as the data were known then."""
    return targets.measured(
        home, directive.metric, cause=directive.cause, period=directive.period, agencies=units(directive), at=at,
        again=again,
    )  # fmt: skip


def units(directive: Directive) -> frozenset[str]:
    """The units that a task concerns."""
    return frozenset(Part.objects.filter(directive=directive).values_list("agency", flat=True))


def is_met(directive: Directive, whole: Value, parts: Mapping[str, Value], agencies: Sequence[str]) -> bool:
    """Whether a figure meets the task: the whole, or each of its units."""
    if not directive.each:
        return targets.meets(directive.metric, directive.target, whole) is True
    nothing = Value(0) if targets.METRICS[directive.metric].most else Value(0, 0)
    found = [targets.meets(directive.metric, directive.target, parts.get(agency, nothing)) for agency in agencies]
    return any(met is True for met in found) and all(met is not False for met in found)


def packed(parts: Mapping[str, Value]) -> dict[str, list[int | None]]:
    """Parts as JSON keeps them."""
    return {key: [part.value, part.out_of] for key, part in sorted(parts.items())}


def unpacked(kept: Mapping[str, Sequence[int | None]]) -> dict[str, Value]:
    """Parts as they were kept."""
    return {key: Value(int(value or 0), out_of) for key, (value, out_of) in kept.items()}


def verify(home: Path, number: int) -> list[str]:
    """Computes every kept day of a task again as it was known then. Returns what differs, a line each."""
    directive, faults = Directive.objects.get(pk=number), []
    for row in Progress.objects.filter(directive=directive).order_by("on"):
        now = measured(home, directive, at=row.at, again=True)
        if (row.value, row.out_of, row.parts) != (now.whole.value, now.whole.out_of, packed(now.parts)):
            faults.append(f"directive {number}, {row.on}: kept {row.value}, computed {now.whole.value}")
    return faults


def _met_or_not(directive: Directive, now: Measured, *, at: datetime) -> None:
    today = local_day(at)
    met = is_met(directive, now.whole, now.parts, sorted(units(directive)))
    if met and directive.met_since is None:
        directive.met_since = today
        directive.save(update_fields=["met_since"])
        Line.objects.create(directive=directive, act=Act.MET, at=at, facts={"value": now.whole.value})
    elif not met and directive.met_since is not None:
        directive.met_since = None
        directive.save(update_fields=["met_since"])
        Line.objects.create(directive=directive, act=Act.SLIPPED, at=at, facts={"value": now.whole.value})
    if directive.met_since is not None and _held(directive.met_since, today):
        directive.state, directive.closed_at, directive.closed_by = State.DONE, at, ""
        directive.save(update_fields=["state", "closed_at", "closed_by"])
        Line.objects.create(directive=directive, act=Act.CLOSED_BY_DATA, at=at, facts={"value": now.whole.value})


def _held(since: date, today: date) -> bool:
    return (today - since).days + 1 >= held_days()


def late_days(directive: Directive, today: date) -> int:
    """Working days after the day of a task; 0 while it is not late."""
    if today <= directive.due_on:
        return 0
    calendar, day, count = calendars.load("vn"), directive.due_on, 0
    while (day := calendar.next_workday(day)) <= today:
        count += 1
    return count


def _escalate(directive: Directive, *, at: datetime) -> None:
    """Tells the next rungs, each once, unless the target is met."""
    if directive.state != State.OPEN or directive.met_since is not None:
        return
    late = late_days(directive, local_day(at))
    due = [rung for rung in ladder()[directive.escalated :] if late >= rung.after_days]
    for rung in due:
        directive.escalated += 1
        Line.objects.create(directive=directive, act=Act.ESCALATED, at=at, facts={"role": rung.role, "late_days": late})
    if due:
        directive.save(update_fields=["escalated"])


def choose_rules(*, hold_days: int, rungs: Sequence[Rung], by: str, at: datetime) -> None:
    """Keeps how long a met target has to hold, and the ladder. Raises `Unreadable`."""
    from motcua.accounts.models import Post

    if hold_days < 1 or any(rung.after_days < 1 or rung.role not in Post.Role.values for rung in rungs):
        raise Unreadable("days are 1 or more, and a rung names a role")
    settings.put(HOLD, hold_days, by=by, at=at)
    settings.put(LADDER, [{"after_days": r.after_days, "role": r.role} for r in rungs], by=by, at=at)
