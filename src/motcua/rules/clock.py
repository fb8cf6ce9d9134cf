"""The clock: when a dossier is due, and why on that day.

Three defensible readings of a time limit in working days, chosen per procedure (law paper §2.4):
keep-clock (the hour of the start on the N-th working day), day-end (closing time of that day) and hours
(N times eight opening hours).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from motcua.rules.instants import VIET_NAM, Unreadable, at_clock, local_day
from motcua.rules.workdays import WEEKDAYS, WorkCalendar

VERSION = "clock/1"
#: law: unit-2, eight working hours are one working day
WORKDAY_MINUTES = 8 * 60


class Mode(StrEnum):
    """How a limit in days is read."""

    KEEP_CLOCK = "keep-clock"
    DAY_END = "day-end"
    HOURS = "hours"


def cutoff_minutes(text: str) -> int | None:
    """A cut-off such as 15:00 as minutes after midnight; None for an empty text. Raises `Unreadable`."""
    if not text:
        return None
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    if match is None:
        raise Unreadable(f"{text!r} is not a time of day such as 15:00")
    return int(match[1]) * 60 + int(match[2])


class Allotted(NamedTuple):
    """A time limit: `unit` same-day, workdays, minutes (of opening time) or calendar days, and how many."""

    unit: Literal["same_day", "workdays", "minutes", "calendar_days"]
    amount: int = 0

    @staticmethod
    def parse(text: str) -> Allotted:
        """`sd`, `5d`, `0.5d`, `12h`, `90m`, `10cd`. Raises `Unreadable`."""
        return _parse(text)

    def __str__(self) -> str:
        return {
            "same_day": "sd",
            "workdays": f"{self.amount}d",
            "minutes": f"{self.amount}m",
            "calendar_days": f"{self.amount}cd",
        }[self.unit]

    def words(self, say: Callable[[str], str] = str) -> str:
        """The limit as people say it, in Vietnamese or as `say` translates it."""
        if self.unit == "same_day":
            return say("trong ngày")
        if self.unit == "workdays":
            return say("1 ngày làm việc") if self.amount == 1 else say("{n} ngày làm việc").format(n=self.amount)
        if self.unit == "calendar_days":
            return say("{n} ngày, tính cả ngày nghỉ").format(n=self.amount)
        hours, rest = divmod(self.amount, 60)
        if not rest:
            return say("1 giờ làm việc") if hours == 1 else say("{n} giờ làm việc").format(n=hours)
        if not hours:
            return say("{n} phút làm việc").format(n=rest)
        return say("{h} giờ {m} phút làm việc").format(h=hours, m=rest)


_SHAPE = re.compile(r"^(\d{1,4}(?:[.,]\d{1,4})?)(cd|d|h|m)$")


@lru_cache(maxsize=1024)
def _parse(text: str) -> Allotted:
    cleaned = text.strip().lower()
    if cleaned == "sd":
        return Allotted("same_day")
    match = _SHAPE.match(cleaned)
    if match is None:
        raise Unreadable(f"{text!r} is not a time limit; write sd, 5d, 12h, 90m or 10cd")
    amount, unit = float(match[1].replace(",", ".")), match[2]
    if unit == "d":
        if amount == int(amount):
            return Allotted("workdays", int(amount)) if amount else Allotted("same_day")
        return Allotted("minutes", round(amount * WORKDAY_MINUTES))
    if unit == "cd":
        if amount != int(amount):
            raise Unreadable(f"{text!r}: calendar days are whole days")
        return Allotted("calendar_days", int(amount))
    return Allotted("minutes", round(amount * (60 if unit == "h" else 1)))


def due_at(
    start: datetime,
    allotted: Allotted,
    *,
    calendar: WorkCalendar,
    mode: Mode = Mode.KEEP_CLOCK,
    cutoff: int | None = None,
) -> datetime:
    """The due instant of a limit that starts at `start` (law paper §2.4, §2.14). law: due-1

    `cutoff`: minutes after midnight; a start after it counts from the next working day's opening.
    """
    s = calendar.normalise(start, cutoff)
    match allotted.unit:
        case "same_day":
            return calendar.closing(local_day(s))
        case "minutes":
            return calendar.advance(s, allotted.amount)
        case "workdays" if mode is Mode.HOURS:
            return calendar.advance(s, allotted.amount * WORKDAY_MINUTES)
        case "workdays":
            return _on(calendar.add_workdays(local_day(s), allotted.amount), s, calendar, mode)
        case "calendar_days":
            day = local_day(s) + timedelta(days=allotted.amount)
            if not calendar.is_workday(day):
                day = calendar.next_workday(day)  # law: start-8, a last day on a rest day moves on
            return _on(day, s, calendar, mode)


def _on(day: date, start: datetime, calendar: WorkCalendar, mode: Mode) -> datetime:
    """The due instant on its day: closing time, or the hour of the start within that day's opening hours."""
    if mode is Mode.DAY_END:
        return calendar.closing(day)
    since_midnight = start - at_clock(local_day(start), 0)
    return min(max(at_clock(day, 0) + since_midnight, calendar.opening(day)), calendar.closing(day))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A time that does not count: subtracted, or after which the limit starts anew. law: pause-1, supplement-2"""

    from_at: datetime
    to_at: datetime
    restart: bool = False


def due_after(
    start: datetime,
    allotted: Allotted,
    pauses: Sequence[Pause],
    *,
    calendar: WorkCalendar,
    mode: Mode = Mode.KEEP_CLOCK,
    cutoff: int | None = None,
) -> datetime:
    """The due instant moved by pauses, in time order; overlapping ones count once, a restart never shortens."""
    due = due_at(start, allotted, calendar=calendar, mode=mode, cutoff=cutoff)
    credited_to: datetime | None = None
    for pause in sorted(pauses, key=lambda p: (p.to_at, p.from_at)):
        if pause.to_at < pause.from_at:
            raise Unreadable(f"a pause ends before it starts: {pause.from_at} / {pause.to_at}")
        begin = max(pause.from_at, credited_to or start)  # what was before the start was not running yet
        credited_to = max(pause.to_at, credited_to) if credited_to else pause.to_at
        if pause.restart:
            due = max(due, due_at(pause.to_at, allotted, calendar=calendar, mode=mode, cutoff=cutoff))
        elif pause.to_at > begin:
            due = calendar.advance(due, calendar.minutes_between(begin, pause.to_at))
    return due


class CertificateLine(NamedTuple):
    """One day of a deadline certificate."""

    day: date
    worked_minutes: int
    why: str
    number: int = 0  # which day of the limit it is; 0: none
    paused_minutes: int = 0
    notable: bool = True  # False: an ordinary counted, closed or wholly paused day, which a summary may fold
    holiday: str = ""  # the name of a closed day, where nothing else happened on it


def certificate(
    start: datetime,
    due: datetime,
    *,
    calendar: WorkCalendar,
    allotted: Allotted | None = None,
    mode: Mode = Mode.KEEP_CLOCK,
    cutoff: int | None = None,
    pauses: Sequence[Pause] = (),
    extensions: Sequence[tuple[datetime, datetime]] = (),
    say: Callable[[str], str] = str,
) -> list[CertificateLine]:
    """Why the due instant is this one, day by day from the start to it, in Vietnamese or as `say` translates it.

    `worked_minutes` are the minutes of the day that count: opening hours from the start to the due instant,
    less the pauses.
    """
    s = calendar.normalise(start, cutoff)
    restarts = [p.to_at for p in pauses if p.restart and p.to_at > start]
    again = max((at for at in restarts if _restarts(at, start, allotted, calendar, mode, cutoff)), default=None)
    counted_from = s if again is None else calendar.normalise(again, cutoff)
    calendar_days = allotted is not None and allotted.unit == "calendar_days"
    by_minutes = mode is Mode.HOURS or (allotted is not None and allotted.unit in ("minutes", "same_day"))
    lines: list[CertificateLine] = []
    day, last, number = local_day(start), max(local_day(due), local_day(start)), 0
    while day <= last:
        begin, end = max(at_clock(day, 0), s), min(at_clock(day, 1440), due)
        worked = calendar.minutes_between(begin, end) if end > begin else 0
        events: list[str] = []
        if day == local_day(start):
            events.append(_start_note(start, s, by_minutes, say))
        if day == local_day(s) > local_day(start) and not by_minutes:
            events.append(say("ngày đầu không tính"))
        for at in restarts:
            if at != again and local_day(at) == day:
                events.append(say("hồ sơ bổ sung đủ lúc {at}, hẹn cũ muộn hơn nên giữ nguyên").format(at=_hm(at)))
        if day == local_day(counted_from) and counted_from > s:
            events.append(say("hồ sơ bổ sung đủ, thời hạn tính lại từ đầu lúc {at}").format(at=_hm(counted_from)))
            number = 0
        stopped = _paused_minutes(day, pauses, calendar, begin, end)
        worked -= stopped
        open_ = calendar.is_workday(day)
        later = day > local_day(counted_from) and (open_ or calendar_days)
        counts = later and not by_minutes and not stopped  # a day cut by a pause is told in minutes
        number += counts
        for at, new_due in extensions:
            if local_day(at) == day:
                events.append(say("xin lỗi và hẹn lại đến {at}").format(at=_hm_day(new_due)))
        if day == local_day(due):
            limit = say(", thời hạn {limit}").format(limit=allotted.words(say)) if allotted else ""
            events.append(say("hẹn trả lúc {at}").format(at=_hm(due)) + limit)
        notes = []
        if counts:
            notes.append(say("ngày thứ {n}" if calendar_days else "ngày làm việc thứ {n}").format(n=number))
        elif later and not stopped:
            notes.append(say("ngày làm việc"))
        reason = calendar.why(day)
        if reason:
            notes.append(say(reason) if open_ or counts else say("{reason}: không tính").format(reason=say(reason)))
        if stopped:
            notes.append(say("tạm dừng cả ngày") if not worked else say("tạm dừng {n} phút").format(n=stopped))
        weekend = not open_ and reason == WEEKDAYS[day.weekday()]
        notable = bool(events) or bool(reason and not weekend) or bool(stopped and worked)
        holiday = say(reason) if not (open_ or weekend or events or counts) else ""
        why = "; ".join(notes + events)
        lines.append(CertificateLine(day, worked, why, number if counts else 0, stopped, notable, holiday))
        day += timedelta(days=1)
    return lines


def _restarts(
    at: datetime, start: datetime, allotted: Allotted | None, calendar: WorkCalendar, mode: Mode, cutoff: int | None
) -> bool:
    """Whether the whole limit from `at` on ends later than from the start."""
    if allotted is None:
        return True
    first, again = (due_at(a, allotted, calendar=calendar, mode=mode, cutoff=cutoff) for a in (start, at))
    return again > first


def _start_note(start: datetime, s: datetime, by_minutes: bool, say: Callable[[str], str]) -> str:
    if s == start and by_minutes:
        return say("tiếp nhận lúc {at}, tính từ lúc ấy").format(at=_hm(start))
    if s == start:
        return say("tiếp nhận lúc {at}, ngày đầu không tính").format(at=_hm(start))
    counted = _hm(s) if local_day(s) == local_day(start) else _hm_day(s)
    return say("tiếp nhận lúc {at}, tính từ {counted}").format(at=_hm(start), counted=counted)


def _paused_minutes(day: date, pauses: Sequence[Pause], calendar: WorkCalendar, begin: datetime, end: datetime) -> int:
    total, credited_to = 0, begin
    for pause in sorted(pauses, key=lambda p: p.from_at):
        from_at = max(pause.from_at, at_clock(day, 0), credited_to)
        to_at = min(pause.to_at, at_clock(day, 1440), end)
        if to_at > from_at:
            total += calendar.minutes_between(from_at, to_at)
            credited_to = to_at
    return total


def _hm(at: datetime) -> str:
    return f"{at.astimezone(VIET_NAM):%H:%M}"


def _hm_day(at: datetime) -> str:
    return f"{at.astimezone(VIET_NAM):%H:%M %d/%m/%Y}"
