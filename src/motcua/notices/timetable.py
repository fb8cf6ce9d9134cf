"""When people may be told: working days by the calendar, quiet hours, and the hour of each digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from motcua.catalogue import calendars, settings
from motcua.notices.models import Notice
from motcua.rules.instants import VIET_NAM, Unreadable, local_day
from motcua.rules.workdays import WorkCalendar

Kind = Notice.Kind
#: The setting with the first and last minute of the day at which anything is sent.
HOURS = "notices_hours"
_HOURS = ("06:30", "18:00")
#: The evening digest comes so long before closing.
_BEFORE_CLOSING = timedelta(minutes=30)


def hours() -> tuple[str, str]:
    """From when to when anything is sent on a working day."""
    first, last = settings.get(HOURS, list(_HOURS))
    return str(first), str(last)


def choose_hours(first: str, last: str, *, by: str, at: datetime) -> None:
    """Keeps other hours. Raises `Unreadable`."""
    for text in (first, last):
        try:
            datetime.strptime(text, "%H:%M")  # noqa: DTZ007
        except ValueError:
            raise Unreadable(f"hours: {text!r} is no hour; write 06:30") from None
    if first >= last:
        raise Unreadable("hours: the first comes before the last")
    settings.put(HOURS, [first, last], by=by, at=at)


def is_quiet(now: datetime, calendar: WorkCalendar | None = None) -> bool:
    """Whether nothing is sent now: no working day, too early, too late."""
    calendar = calendar or calendars.load("vn")
    first, last = hours()
    return not calendar.is_workday(local_day(now)) or not first <= f"{now.astimezone(VIET_NAM):%H:%M}" < last


def due(now: datetime) -> Mapping[str, str]:
    """The digests that are due now, each with the day or week that it is about."""
    calendar = calendars.load("vn")
    day = local_day(now)
    if not calendar.is_workday(day):
        return {}
    found: dict[str, str] = {}
    if now >= calendar.opening(day):
        found[Kind.MORNING] = day.isoformat()
        if _is_first_of_week(day, calendar):
            found[Kind.WEEK] = f"{day.isocalendar().year}-W{day.isocalendar().week:02}"
    if now >= calendar.closing(day) - _BEFORE_CLOSING:
        found[Kind.EVENING] = day.isoformat()
        found.pop(Kind.MORNING, None)  # a worker that starts at closing time tells no morning
    return found


def _is_first_of_week(day: date, calendar: WorkCalendar) -> bool:
    monday = day - timedelta(days=day.weekday())
    return not any(calendar.is_workday(monday + timedelta(days=n)) for n in range(day.weekday()))
