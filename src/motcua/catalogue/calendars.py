"""The calendars that agencies work by: `vn` is built in, the rest are rows on top of it.

A change is known from a day on, so that a due instant given out before is judged by the calendar of its day
(V-11). What a change does to dossiers in flight is found by the extract, which compares calendars by content.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import transaction

from motcua.catalogue.calendar_files import Definition, entry_text, hours_text
from motcua.catalogue.models import Agency, Calendar, CalendarDay, CalendarHours
from motcua.ledger import audit
from motcua.rules.instants import Unreadable
from motcua.rules.workdays import ALWAYS, Day, Hours, WorkCalendar, parse_hours, viet_nam

_Entry = TypeVar("_Entry", Hours, Day)


def load(name: str) -> WorkCalendar:
    """The calendar of this name. Raises `Unreadable`, naming those there are."""
    own = definition(name)
    if own is None:
        if name == "vn":
            return viet_nam()
        known = ", ".join(sorted(names()))
        raise Unreadable(f"no calendar {name!r}; there are: {known}")
    return own.calendar(viet_nam() if name == "vn" else load("vn"))


def load_all() -> dict[str, WorkCalendar]:
    """Every calendar by name."""
    return {name: load(name) for name in names()}


def names() -> set[str]:
    """The names there are."""
    return {"vn", *Calendar.objects.values_list("name", flat=True)}


def definition(name: str) -> Definition | None:
    """What a stored calendar has of its own; None where nothing is stored under this name."""
    row = Calendar.objects.filter(name=name).first()
    if row is None:
        return None
    hours = CalendarHours.objects.filter(calendar=row).order_by("pk")
    days = CalendarDay.objects.filter(calendar=row).order_by("pk")
    return Definition(
        name=row.name, title=row.title, base=row.base,
        hours=tuple(
            Hours(weekday=h.weekday, intervals=parse_hours(h.hours), valid_from=h.valid_from, known_on=h.known_on,
                  desk_only=h.desk_only)
            for h in hours
        ),
        days=tuple(
            Day(day=d.day, intervals=None if d.hours == "full" else parse_hours(d.hours), title=d.title,
                known_on=d.known_on, document=d.document)
            for d in days
        ),
    )  # fmt: skip


def agencies_of(name: str) -> list[str]:
    """The agencies whose clock this calendar moves: `vn` moves those of every calendar on top of it too."""
    also = {name}
    if name == "vn":
        also |= set(Calendar.objects.filter(base="vn").values_list("name", flat=True))
    return sorted(Agency.objects.filter(calendar__in=also).values_list("code", flat=True))


# ---- changes ----------------------------------------------------------------------------------------------------


def merged(before: Definition | None, stated: Definition, *, known_on: date) -> Definition:
    """What is to be kept when a file states a calendar anew.

    For a weekday (from a day on) or a day, entries of which one says since when it was known stand as stated.
    One alone that does not say so keeps the day that is stored, if it is stored alike; else it is a change,
    known on `known_on`, and what it replaces stays known until then. What the file leaves out goes.
    """
    return replace(
        stated,
        hours=_merge(before.hours if before else (), stated.hours, known_on),
        days=_merge(before.days if before else (), stated.days, known_on),
    )


def _merge(stored: Iterable[_Entry], stated: Iterable[_Entry], known_on: date) -> tuple[_Entry, ...]:
    there, wanted = _by_key(stored), _by_key(stated)
    kept: list[_Entry] = []
    for key, entries in wanted.items():
        earlier, last = there.get(key, []), entries[-1]
        if last.known_on > ALWAYS:
            kept += entries
        elif earlier and replace(last, known_on=earlier[-1].known_on) == earlier[-1]:
            kept += earlier
        else:
            kept += [e for e in earlier if e.known_on < known_on]
            kept.append(replace(last, known_on=known_on))
    return tuple(kept)


def _by_key(entries: Iterable[_Entry]) -> dict[tuple[Any, ...], list[_Entry]]:
    """The entries of each weekday (from a day on) or day, in the order in which they became known."""
    found: dict[tuple[Any, ...], list[_Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.known_on):
        key = (entry.weekday, entry.valid_from) if isinstance(entry, Hours) else (entry.day,)
        found.setdefault(key, []).append(entry)
    return found


def changes(before: Definition | None, after: Definition) -> list[str]:
    """What is different, a line each: `+` comes, `-` goes."""
    there = before or Definition(name=after.name, title=after.title, base=after.base)
    lines = [
        f"{name}: {old or 'none'} → {new or 'none'}"
        for name, old, new in (("title", there.title, after.title), ("base", there.base, after.base))
        if old != new
    ]
    mine: list[Hours | Day] = [*there.hours, *there.days]
    new: list[Hours | Day] = [*after.hours, *after.days]
    lines += [f"- {entry_text(entry)}" for entry in mine if entry not in new]
    lines += [f"+ {entry_text(entry)}" for entry in new if entry not in mine]
    return lines


@transaction.atomic
def put(
    after: Definition, *, instead_of: Definition | None, agencies: Iterable[str] = (), by: str, at: datetime
) -> None:
    """Keeps a calendar and gives it to agencies; every change goes to the audit.

    Raises `Unreadable` where the stored calendar is not (or no longer) the one it is put in place of.
    """
    Calendar.objects.select_for_update().filter(name=after.name).first()
    if definition(after.name) != instead_of:
        raise Unreadable(f"calendar {after.name!r} was changed meanwhile; look again and repeat")
    if after != instead_of:
        _write(after)
        audit.record(
            at=at, actor=by, table="catalogue_calendar", key=after.name,
            before=_content(instead_of) if instead_of else None, after=_content(after),
        )  # fmt: skip
    for agency in Agency.objects.filter(code__in=list(agencies)).exclude(calendar=after.name).order_by("code"):
        audit.record(
            at=at, actor=by, table="catalogue_agency", key=agency.code, before={"calendar": agency.calendar},
            after={"calendar": after.name},
        )  # fmt: skip
        Agency.objects.filter(pk=agency.pk).update(calendar=after.name)


def _write(kept: Definition) -> None:
    row, _ = Calendar.objects.update_or_create(name=kept.name, defaults={"title": kept.title, "base": kept.base})
    CalendarHours.objects.filter(calendar=row).delete()
    CalendarDay.objects.filter(calendar=row).delete()
    CalendarHours.objects.bulk_create(
        CalendarHours(
            calendar=row, weekday=h.weekday, hours=hours_text(h.intervals), desk_only=h.desk_only,
            valid_from=h.valid_from, known_on=h.known_on,
        )
        for h in kept.hours
    )  # fmt: skip
    CalendarDay.objects.bulk_create(
        CalendarDay(
            calendar=row, day=d.day, hours=hours_text(d.intervals), title=d.title, known_on=d.known_on,
            document=d.document,
        )
        for d in kept.days
    )  # fmt: skip


def _content(kept: Definition) -> dict[str, Any]:
    """A calendar as the audit keeps it."""
    return {
        "title": kept.title,
        "base": kept.base,
        "hours": [entry_text(h) for h in kept.hours],
        "days": [entry_text(d) + (f" [{d.document}]" if d.document else "") for d in kept.days],
    }


# ---- what is wrong ----------------------------------------------------------------------------------------------


def faults(*, on: date) -> list[str]:
    """What would mislead a clock: an agency on a calendar that is not there, one that never opens or lacks holidays."""
    there, found = names(), []
    used = dict(Agency.objects.order_by("code").values_list("code", "calendar"))
    for code, name in used.items():
        if name not in there:
            found.append(f"agency {code} works by calendar {name!r}, which is not there; it is counted by vn")
    for name in sorted(there):
        calendar = load(name)
        try:
            calendar.next_workday(on)
        except Unreadable as error:
            found.append(str(error))
            continue
        if not any(d.day.year == on.year and d.intervals == () for d in calendar.days):
            found.append(f"calendar {name!r} knows no closed day of {on.year}; add its public holidays")
        if name != "vn" and name not in used.values():
            found.append(f"calendar {name!r} is used by no agency")
    return found
