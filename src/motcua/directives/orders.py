"""Giving a task and what people do with it: seen, answered, extended, closed, withdrawn, given again.

A task is closed by the data (`progress`) or by whoever gives tasks. Each act is a line of its history.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from motcua.catalogue.models import Agency
from motcua.directives import targets
from motcua.directives.models import Directive, Line, Part
from motcua.oversight import periods
from motcua.rules.instants import Unreadable, local_day

Act, State = Line.Act, Directive.State
_HIGHEST_RATE = 1000


def units_concerned(home: Path, metric: str, *, cause: str, period: str, at: datetime) -> targets.Measured:
    """Which units have anything of a figure now: what the form offers before a task is given. Raises `Unreadable`."""
    return targets.measured(home, metric, cause=cause, period=period, agencies=None, at=at)


@transaction.atomic
def give(
    *, title: str, metric: str, cause: str = "", period: str = "", target: int, each: bool = False,
    agencies: Sequence[str], due_on: date, note: str = "", by: str, at: datetime,
) -> Directive:  # fmt: skip
    """Gives a task to these units. Raises `Unreadable` naming what cannot be: title, target, agencies, due."""
    targets.chosen(metric, cause)
    if not title.strip():
        raise Unreadable("title: say in a line what is to be reached")
    if target < 0 or (not targets.METRICS[metric].most and target > _HIGHEST_RATE):
        raise Unreadable("target: a number of dossiers, or a rate from 0 to 100 %")
    if due_on < local_day(at):
        raise Unreadable("due: the day is past")
    if period:
        periods.parse(period)
    wanted = sorted(set(agencies))
    known = set(Agency.objects.filter(code__in=wanted).values_list("code", flat=True))
    if not wanted or known != set(wanted):
        raise Unreadable(f"agencies: {', '.join(sorted(set(wanted) - known)) or 'name at least one'}")
    directive = Directive.objects.create(
        title=title.strip(), note=note.strip(), metric=metric, cause=cause if metric == "cause" else "", period=period,
        target=target, each=each, due_on=due_on, first_due_on=due_on, given_at=at, given_by=by,
    )  # fmt: skip
    Part.objects.bulk_create(Part(directive=directive, agency=agency) for agency in wanted)
    _line(directive, Act.GIVEN, by=by, at=at, note=note.strip())
    return directive


@transaction.atomic
def see(number: int, *, agency: str, by: str, at: datetime) -> None:
    """A unit knows of its part. A second time changes nothing."""
    part = _part(number, agency)
    if part.seen_at is None:
        part.seen_at, part.seen_by = at, by
        part.save(update_fields=["seen_at", "seen_by"])
        _line(part.directive, Act.SEEN, by=by, at=at, agency=agency)


@transaction.atomic
def answer(number: int, *, agency: str, text: str, by: str, at: datetime) -> None:
    """What a unit says of its part; the data go on saying what they say. Raises `Unreadable`."""
    if not text.strip():
        raise Unreadable("answer: nothing is written")
    see(number, agency=agency, by=by, at=at)
    part = _part(number, agency)
    part.answer, part.answered_at, part.answered_by = text.strip(), at, by
    part.save(update_fields=["answer", "answered_at", "answered_by"])
    _line(part.directive, Act.ANSWERED, by=by, at=at, agency=agency, note=text.strip())


@transaction.atomic
def extend(number: int, *, due_on: date, reason: str, by: str, at: datetime) -> Directive:
    """A later day, with a reason; who was told of the delay is told anew if it is late again. Raises `Unreadable`."""
    directive = _open(number)
    if due_on <= directive.due_on or due_on < local_day(at):
        raise Unreadable("due: an extension leads to a later day")
    if not reason.strip():
        raise Unreadable("reason: say why")
    before, directive.due_on, directive.escalated = directive.due_on, due_on, 0
    directive.save(update_fields=["due_on", "escalated"])
    _line(directive, Act.EXTENDED, by=by, at=at, note=reason.strip(),
          facts={"before": before.isoformat(), "after": due_on.isoformat()})  # fmt: skip
    return directive


@transaction.atomic
def close(number: int, *, reason: str, by: str, at: datetime) -> Directive:
    """Ends a task by hand: done where the data say that the target is met, else closed. Raises `Unreadable`."""
    directive = _open(number)
    if not reason.strip():
        raise Unreadable("reason: say why")
    directive.state = State.DONE if directive.met_since else State.CLOSED
    directive.closed_at, directive.closed_by = at, by
    directive.save(update_fields=["state", "closed_at", "closed_by"])
    _line(directive, Act.CLOSED, by=by, at=at, note=reason.strip())
    return directive


@transaction.atomic
def withdraw(number: int, *, reason: str, by: str, at: datetime) -> Directive:
    """Takes a task back: it was given by mistake. It stays in the history. Raises `Unreadable`."""
    directive = _open(number)
    if not reason.strip():
        raise Unreadable("reason: say why")
    directive.state, directive.closed_at, directive.closed_by = State.WITHDRAWN, at, by
    directive.save(update_fields=["state", "closed_at", "closed_by"])
    _line(directive, Act.WITHDRAWN, by=by, at=at, note=reason.strip())
    return directive


@transaction.atomic
def reopen(number: int, *, due_on: date, reason: str, by: str, at: datetime) -> Directive:
    """Gives an ended task again. Raises `Unreadable`."""
    directive = Directive.objects.select_for_update().filter(pk=number).exclude(state=State.OPEN).first()
    if directive is None:
        raise Unreadable(f"directive {number} has not ended")
    if due_on < local_day(at):
        raise Unreadable("due: the day is past")
    if not reason.strip():
        raise Unreadable("reason: say why")
    directive.state, directive.due_on, directive.escalated = State.OPEN, due_on, 0
    directive.met_since, directive.closed_at, directive.closed_by = None, None, ""
    directive.save()
    _line(directive, Act.REOPENED, by=by, at=at, note=reason.strip(), facts={"after": due_on.isoformat()})
    return directive


def _open(number: int) -> Directive:
    directive = Directive.objects.select_for_update().filter(pk=number, state=State.OPEN).first()
    if directive is None:
        raise Unreadable(f"directive {number} is not open")
    return directive


def _part(number: int, agency: str) -> Part:
    part = Part.objects.select_for_update().filter(directive=number, agency=agency).first()
    if part is None:
        raise Unreadable(f"{agency} has no part in directive {number}")
    return part


def _line(directive: Directive, act: str, *, by: str, at: datetime, **more: Any) -> None:
    Line.objects.create(directive=directive, act=act, actor=by, at=at, **more)
