"""Progress by the data: looked at through the day, kept once a day, and computed again to the same number.

A target that is met is not at once done: it has to hold for some days in a row, so that a task cannot be closed by a
lucky hour. A task that is late climbs the ladder of escalation, a rung at a time, by working days after its day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
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
_LONGEST = 90


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
    """Looks at every open task; what several tasks count is counted once. Returns how many were looked at."""
    found = list(Directive.objects.filter(state=State.OPEN).order_by("pk"))
    counted: dict[tuple[str, str, str], Measured] = {}
    for directive in found:
        asked = (directive.metric, directive.cause, directive.period)
        if asked not in counted:
            metric, cause, period = asked
            counted[asked] = targets.measured(home, metric, cause=cause, period=period, agencies=None, at=at)
        _keep(directive.pk, targets.only(directive.metric, counted[asked], units(directive)), at=at)
    return len(found)


def look(home: Path, number: int, *, at: datetime) -> Progress:
    """The figure of an open task now: kept as this day's, met or slipped, closed or escalated where that is due."""
    return _keep(number, measured(home, Directive.objects.get(pk=number), at=at), at=at)


def _keep(number: int, now: Measured, *, at: datetime) -> Progress:
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


def verify(home: Path, number: int, *, last: int | None = None) -> tuple[int, list[str]]:
    """Computes the kept days of a task again as they were known then. Returns how many, and what differs, a line each.

    `last`: of so many days alone, the newest ones.
    """
    directive, faults = Directive.objects.get(pk=number), []
    rows = list(Progress.objects.filter(directive=directive).order_by("-on")[:last])[::-1]
    for row in rows:
        now = measured(home, directive, at=row.at, again=True)
        if (row.value, row.out_of, row.parts) != (now.whole.value, now.whole.out_of, packed(now.parts)):
            faults.append(f"directive {number}, {row.on}: kept {row.value}, computed {now.whole.value}")
    return len(rows), faults


def verified(home: Path, number: int, *, by: str, at: datetime, last: int | None = None) -> Line:
    """The same, written in the history of the task: `days` that were computed again, and the `faults`."""
    days, faults = verify(home, number, last=last)
    return Line.objects.create(
        directive_id=number, act=Act.VERIFIED, actor=by, at=at, facts={"days": days, "faults": faults}
    )


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
    return days_late(directive.due_on, today)


def days_late(due_on: date, today: date) -> int:
    """Working days after a day on which something was due; 0 while it is not late."""
    if today <= due_on:
        return 0
    calendar, day, count = calendars.load("vn"), due_on, 0
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

    if not 1 <= hold_days <= _LONGEST:
        raise Unreadable(f"hold: from 1 to {_LONGEST} days")
    if not rungs or any(rung.role not in Post.Role.values for rung in rungs):
        raise Unreadable(f"rungs: at least one, each with a role: {', '.join(Post.Role.values)}")
    days = [rung.after_days for rung in rungs]
    if days[0] < 1 or days[-1] > _LONGEST or any(after <= before for before, after in pairwise(days)):
        raise Unreadable(f"rungs: each later than the one before, from 1 to {_LONGEST} working days")
    settings.put(HOLD, hold_days, by=by, at=at)
    settings.put(LADDER, [{"after_days": r.after_days, "role": r.role} for r in rungs], by=by, at=at)
