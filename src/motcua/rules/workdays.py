"""Working calendars: which minutes of which day count, and since when that was known.

Office hours differ by agency, weekday and year; holidays and swap days are issued administratively. Each
change carries the day from which it was known, so that a due date printed before a notice can be judged by
the calendar of its day. Source: law paper §2.4, §2.5, §2.8; docs/law/clock.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from motcua.rules.instants import VIET_NAM, Unreadable, at_clock, local_day

Intervals = tuple[tuple[int, int], ...]

#: A change without a day of its own was always known.
ALWAYS = date.min
WEEKDAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")
#: How far a search for the next open day goes before the calendar counts as closed for good.
_FAR = 400


def parse_hours(text: str) -> Intervals:
    """Office hours such as "07:00-11:30 13:30-17:00" as minutes of the day. Raises `Unreadable`."""
    intervals: list[tuple[int, int]] = []
    for part in text.replace("–", "-").split():
        try:
            start, end = (int(h) * 60 + int(m) for h, m in (clock.split(":") for clock in part.split("-")))
        except ValueError:
            raise Unreadable(f"{part!r} is not a span of office hours such as 07:00-11:30") from None
        if not 0 <= start < end <= 1440 or (intervals and start < intervals[-1][1]):
            raise Unreadable(f"office hours {text!r} do not follow each other within a day")
        intervals.append((start, end))
    return tuple(intervals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Office hours of a weekday (Monday is 0) from a day on. `desk_only`: the desk receives, the clock stands."""

    weekday: int
    intervals: Intervals
    valid_from: date = ALWAYS
    known_on: date = ALWAYS
    desk_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day that differs from its weekday. `intervals` None: a full working day (a make-up Saturday)."""

    day: date
    intervals: Intervals | None
    title: str
    known_on: date = ALWAYS
    document: str = ""


@dataclass(frozen=True)
class WorkCalendar:
    """When an agency works. Equal calendars are equal values and share their tables."""

    name: str
    hours: tuple[Hours, ...]
    days: tuple[Day, ...] = ()
    _cache: dict[date, tuple[Intervals, str]] = field(
        default_factory=dict, init=False, repr=False, compare=False, hash=False
    )

    @property
    def content(self) -> tuple[tuple[Hours, ...], tuple[Day, ...]]:
        """What two calendars must share to give the same answers; hashable."""
        return (self.hours, self.days)

    def known_at(self, day: date) -> WorkCalendar:
        """The calendar as far as it had been made known by the end of this day."""
        return _known_at(self, day)

    # ---- single days -------------------------------------------------------------------------------------------

    def intervals(self, day: date) -> Intervals:
        """The working minutes of a day, as half-open spans of minutes after midnight; empty: closed."""
        return self._look(day)[0]

    def is_workday(self, day: date) -> bool:
        """Whether the day counts as a working day (a half day does)."""
        return bool(self._look(day)[0])

    def why(self, day: date) -> str:
        """Why the day is closed or differs, in Vietnamese; empty for an ordinary working day."""
        return self._look(day)[1]

    def _look(self, day: date) -> tuple[Intervals, str]:
        found = self._cache.get(day)
        if found is None:
            found = self._cache[day] = self._compute(day)
        return found

    def _compute(self, day: date) -> tuple[Intervals, str]:
        special = self._special().get(day)
        weekday = day.weekday()
        if special is not None:
            if special.intervals is None:
                return self._full_day(day), special.title
            return special.intervals, special.title
        hours = self._weekly(weekday, day)
        if hours is None or hours.desk_only or not hours.intervals:
            return (), WEEKDAYS[weekday]
        return hours.intervals, ""

    def _special(self) -> dict[date, Day]:
        return _special_days(self.days)

    def _weekly(self, weekday: int, day: date) -> Hours | None:
        best: Hours | None = None
        for hours in self.hours:
            if hours.weekday == weekday and hours.valid_from <= day:
                key = (hours.valid_from, hours.known_on)
                if best is None or key >= (best.valid_from, best.known_on):
                    best = hours
        return best

    def _full_day(self, day: date) -> Intervals:
        """The hours of a full working day: those of the fullest weekday then."""
        candidates = [self._weekly(weekday, day) for weekday in range(5)]
        spans = [h.intervals for h in candidates if h is not None and not h.desk_only]
        return max(spans, key=lambda s: sum(end - start for start, end in s), default=())

    def opening(self, day: date) -> datetime:
        """The first working instant of a working day."""
        return at_clock(day, self.intervals(day)[0][0])

    def closing(self, day: date) -> datetime:
        """The closing time of a working day."""
        return at_clock(day, self.intervals(day)[-1][1])

    def next_workday(self, day: date) -> date:
        """The first working day after this one. Raises `Unreadable` where the calendar is closed for good."""
        for ahead in range(1, _FAR):
            if self.is_workday(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        raise Unreadable(f"calendar {self.name!r} has no working day in the {_FAR} days after {day}")

    def add_workdays(self, day: date, count: int) -> date:
        """The `count`-th working day after a day (0: the day itself)."""
        for _ in range(count):
            day = self.next_workday(day)
        return day

    # ---- instants ----------------------------------------------------------------------------------------------

    def opening_at_or_after(self, at: datetime) -> datetime:
        """The instant itself within opening hours, else the next opening."""
        day = local_day(at)
        for start, end in self.intervals(day):
            if at < at_clock(day, start):
                return at_clock(day, start)
            if at < at_clock(day, end):
                return at.astimezone(VIET_NAM)
        return self.opening(self.next_workday(day))

    def normalise(self, at: datetime, cutoff: int | None = None) -> datetime:
        """`s` of law paper §2.4: the start moved into opening hours; after the cut-off, to the next day's opening.

        `cutoff` is in minutes after midnight; exactly at the cut-off is not after it. law: start-5
        """
        day = local_day(at)
        if cutoff is not None and self.is_workday(day) and at > at_clock(day, cutoff):
            return self.opening(self.next_workday(day))
        return self.opening_at_or_after(at)

    def advance(self, at: datetime, minutes: int) -> datetime:
        """The earliest instant with so many working minutes after `at`; nothing moves for none.

        Seconds within a minute are kept: opening and closing times are whole minutes.
        """
        if minutes <= 0:
            return at.astimezone(VIET_NAM)
        left = timedelta(minutes=minutes)
        at = at.astimezone(VIET_NAM)
        day = at.date()
        while True:
            for start, end in self.intervals(day):
                begin = max(at, at_clock(day, start))
                span = at_clock(day, end) - begin
                if span <= timedelta(0):
                    continue
                if left <= span:
                    return begin + left
                left -= span
            day = self.next_workday(day)

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Working minutes from one instant to another, each floored to its minute; negative backwards.

        Additive: the minutes of adjoining spans sum to those of the whole.
        """
        if end < start:
            return -self.minutes_between(end, start)
        first, last = local_day(start), local_day(end)
        if first == last:
            return self._worked(first, end) - self._worked(first, start)
        total = self._length(first) - self._worked(first, start) + self._worked(last, end)
        day = first
        for _ in range((last - first).days - 1):
            day += timedelta(days=1)
            total += self._length(day)
        return total

    def _length(self, day: date) -> int:
        return sum(end - start for start, end in self.intervals(day))

    def _worked(self, day: date, at: datetime) -> int:
        """Working minutes of the day before the instant's minute."""
        minute = int((at.astimezone(VIET_NAM) - at_clock(day, 0)).total_seconds() // 60)
        return sum(min(max(minute - start, 0), end - start) for start, end in self.intervals(day))


@lru_cache(maxsize=4096)
def _known_at(calendar: WorkCalendar, day: date) -> WorkCalendar:
    if all(h.known_on <= day for h in calendar.hours) and all(d.known_on <= day for d in calendar.days):
        return calendar
    return _shared(
        calendar.name,
        tuple(h for h in calendar.hours if h.known_on <= day),
        tuple(d for d in calendar.days if d.known_on <= day),
    )


@lru_cache(maxsize=512)
def _shared(name: str, hours: tuple[Hours, ...], days: tuple[Day, ...]) -> WorkCalendar:
    return WorkCalendar(name, hours, days)


@lru_cache(maxsize=512)
def _special_days(days: tuple[Day, ...]) -> dict[date, Day]:
    """For each day the exception that was made known last."""
    found: dict[date, Day] = {}
    for day in sorted(days, key=lambda d: d.known_on):
        found[day.day] = day
    return found


def weekly(text: str, weekdays: Sequence[int] = range(5)) -> tuple[Hours, ...]:
    """The same office hours on these weekdays, always known."""
    intervals = parse_hours(text)
    return tuple(Hours(weekday=weekday, intervals=intervals) for weekday in weekdays)


#: What most offices keep (law paper §2.5); an agency's own hours come from the catalogue.
OFFICE_HOURS = "07:00-11:30 13:30-17:00"


@lru_cache(maxsize=1)
def viet_nam() -> WorkCalendar:
    """The built-in calendar `vn`: Monday to Friday, national holidays and official swap days."""
    from motcua.rules.public_holidays import DAYS

    return WorkCalendar("vn", weekly(OFFICE_HOURS), DAYS)


__all__ = [
    "ALWAYS", "OFFICE_HOURS", "WEEKDAYS", "Day", "Hours", "Intervals", "WorkCalendar", "parse_hours",
    "viet_nam", "weekly",
]  # fmt: skip
