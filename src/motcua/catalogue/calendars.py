"""The calendars that agencies work by: `vn` is built in, the rest are rows on top of it."""

from __future__ import annotations

from motcua.catalogue.models import Calendar, CalendarDay, CalendarHours
from motcua.rules.instants import Unreadable
from motcua.rules.workdays import Day, Hours, WorkCalendar, parse_hours, viet_nam


def load(name: str) -> WorkCalendar:
    """The calendar of this name. Raises `Unreadable`, naming those there are."""
    calendar = Calendar.objects.filter(name=name).first()
    if calendar is None and name != "vn":
        known = ", ".join(["vn", *Calendar.objects.values_list("name", flat=True)])
        raise Unreadable(f"no calendar {name!r}; there are: {known}")
    base = viet_nam() if calendar is None or calendar.base == "vn" else WorkCalendar(name, ())
    hours = tuple(
        Hours(
            weekday=row.weekday, intervals=parse_hours(row.hours), valid_from=row.valid_from, known_on=row.known_on,
            desk_only=row.desk_only,
        )
        for row in CalendarHours.objects.filter(calendar=name).order_by("pk")
    )  # fmt: skip
    days = tuple(
        Day(
            day=row.day, intervals=None if row.hours == "full" else parse_hours(row.hours), title=row.title,
            known_on=row.known_on, document=row.document,
        )
        for row in CalendarDay.objects.filter(calendar=name).order_by("pk")
    )  # fmt: skip
    if not hours and not days:
        return base
    return WorkCalendar(name, (*base.hours, *hours), (*base.days, *days))


def load_all() -> dict[str, WorkCalendar]:
    """Every calendar by name; equal ones are one value."""
    names = {"vn", *Calendar.objects.values_list("name", flat=True)}
    return {name: load(name) for name in names}


def store(calendar: WorkCalendar, *, title: str = "") -> None:
    """Keeps an agency's own calendar: what it has beyond `vn`."""
    built_in = viet_nam()
    row, _ = Calendar.objects.update_or_create(
        name=calendar.name,
        defaults={"title": title, "base": "vn" if set(built_in.hours) <= set(calendar.hours) else ""},
    )
    CalendarHours.objects.filter(calendar=row).delete()
    CalendarDay.objects.filter(calendar=row).delete()
    CalendarHours.objects.bulk_create(
        CalendarHours(
            calendar=row, weekday=h.weekday, hours=_text(h.intervals), desk_only=h.desk_only,
            valid_from=h.valid_from, known_on=h.known_on,
        )
        for h in calendar.hours
        if row.base != "vn" or h not in built_in.hours
    )  # fmt: skip
    CalendarDay.objects.bulk_create(
        CalendarDay(
            calendar=row, day=d.day, hours="full" if d.intervals is None else _text(d.intervals), title=d.title,
            known_on=d.known_on, document=d.document,
        )
        for d in calendar.days
        if row.base != "vn" or d not in built_in.days
    )  # fmt: skip


def _text(intervals: tuple[tuple[int, int], ...]) -> str:
    return " ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in intervals)
