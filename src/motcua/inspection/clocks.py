"""The clock over columns: `rules.clock` for millions of dossiers, right to the minute.

A direct table over the minutes of the calendar's days: `worked[m]` counts the working minutes before minute
`m`, `minute_of[k]` is its inverse. Tables are shared by calendar content. Instants are int64 seconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from motcua.inspection.columns import MISSING
from motcua.rules.clock import WORKDAY_MINUTES, Allotted, Mode
from motcua.rules.instants import Unreadable
from motcua.rules.workdays import WorkCalendar

Seconds = NDArray[np.int64]

_OFFSET = 7 * 3600
_EPOCH_DAY = date(1970, 1, 1)
#: A table reaches this many days before and after the instants asked for, so that limits stay inside it.
_MARGIN_DAYS = 120
_MAX_YEARS = 120


@dataclass(frozen=True, slots=True)
class _Table:
    """The minutes of the days [first, last] of one calendar; minute 0 is the first day's midnight."""

    first_day: int  # days since 1970, local
    worked: NDArray[np.int32]  # working minutes before each minute; one more than there are minutes
    minute_of: NDArray[np.int32]  # the minute in which each working minute lies
    opening: NDArray[np.int32]  # per day: first working minute, or -1
    closing: NDArray[np.int32]  # per day: end of the last working minute, or -1
    workday_number: NDArray[np.int32]  # per day: how many working days lie before it
    day_of: NDArray[np.int32]  # the day of each working day's number

    @property
    def days(self) -> int:
        return len(self.opening)


@lru_cache(maxsize=64)
def _build(content: object, calendar: WorkCalendar, first: int, last: int) -> _Table:
    n = last - first + 1
    open_ = np.zeros(n * 1440, bool)
    opening, closing = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    for index in range(n):
        intervals = calendar.intervals(_EPOCH_DAY + timedelta(days=first + index))
        for start, end in intervals:
            open_[index * 1440 + start : index * 1440 + end] = True
        if intervals:
            opening[index], closing[index] = intervals[0][0], intervals[-1][1]
    worked = np.zeros(n * 1440 + 1, np.int32)
    np.cumsum(open_, out=worked[1:])
    works = opening >= 0
    number = np.zeros(n + 1, np.int32)
    np.cumsum(works, out=number[1:])
    return _Table(
        first,
        worked,
        np.flatnonzero(open_).astype(np.int32),
        opening,
        closing,
        number,
        np.flatnonzero(works).astype(np.int32),
    )


def _table(calendar: WorkCalendar, low: int, high: int) -> _Table:
    """A table that covers these local days, rounded to whole years so that it is shared."""
    first_year = _EPOCH_DAY + timedelta(days=int(low) - _MARGIN_DAYS)
    last_year = _EPOCH_DAY + timedelta(days=int(high) + _MARGIN_DAYS)
    if last_year.year - first_year.year > _MAX_YEARS:
        raise Unreadable(f"instants from {first_year} to {last_year}: more than {_MAX_YEARS} years in one column")
    first = (date(first_year.year, 1, 1) - _EPOCH_DAY).days
    last = (date(last_year.year, 12, 31) - _EPOCH_DAY).days
    return _build(calendar.content, calendar, first, last)


def _span(*columns: Seconds) -> tuple[int, int] | None:
    lows, highs = [], []
    for column in columns:
        if len(column):
            low = int(column.min())
            if low == MISSING:
                known = column[column != MISSING]
                if not len(known):
                    continue
                low = int(known.min())
            lows.append(low)
            highs.append(int(column.max()))
    if not lows:
        return None
    return (min(lows) + _OFFSET) // 86_400, (max(highs) + _OFFSET) // 86_400


def due_at(
    start: Seconds,
    allotted: Allotted,
    calendar: WorkCalendar,
    *,
    mode: Mode = Mode.KEEP_CLOCK,
    cutoff: int | None = None,
) -> Seconds:
    """The due instant of one limit for a column of starts; MISSING stays MISSING. See `rules.clock.due_at`."""
    span = _span(start)
    if span is None:
        return np.full(len(start), MISSING)
    if len(start) >= _DIRECT_ROWS:
        return _direct(start, span, allotted, calendar, mode, cutoff)
    table = _table(calendar, span[0], span[1] + _reach(allotted))
    missing = start == MISSING if bool((start == MISSING).any()) else None
    if missing is not None:
        start = np.where(missing, (span[0] * 86_400) - _OFFSET, start)
    try:
        due = _due(table, start, allotted, mode, cutoff)
    except IndexError:
        raise Unreadable(f"calendar {calendar.name!r} has too few working days for a limit of {allotted}") from None
    if missing is not None:
        due[missing] = MISSING
    return due


#: From so many rows on, the answer for every start minute is tabled once and looked up.
_DIRECT_ROWS = 100_000
#: Rows worked on at once, so that they stay in the processor's cache.
_BLOCK = 32_768


@dataclass(frozen=True, slots=True)
class _Direct:
    """For every minute of some years the due minute of a start in it: on the minute (even), later (odd)."""

    base: int  # seconds since 1970 of minute 0
    due: NDArray[np.int32]
    keeps_seconds: NDArray[np.uint8]


@lru_cache(maxsize=64)
def _tabled(
    content: object, calendar: WorkCalendar, first: int, last: int, allotted: Allotted, mode: Mode, cutoff: int | None
) -> _Direct:
    table = _table(calendar, first, last + _reach(allotted))
    base = first * 86_400 - _OFFSET
    minutes = base + np.arange((last - first + 1) * 1440, dtype=np.int64) * 60
    exact = _due(table, minutes, allotted, mode, cutoff) - base
    later = _due(table, minutes + 1, allotted, mode, cutoff) - base
    due = np.empty(2 * len(minutes), np.int32)
    due[0::2], due[1::2] = exact // 60, later // 60
    return _Direct(base, due, (later % 60).astype(np.uint8))


def _direct(
    start: Seconds, span: tuple[int, int], allotted: Allotted, calendar: WorkCalendar, mode: Mode, cutoff: int | None
) -> Seconds:
    first = (date((_EPOCH_DAY + timedelta(days=span[0])).year, 1, 1) - _EPOCH_DAY).days
    last = (date((_EPOCH_DAY + timedelta(days=span[1])).year, 12, 31) - _EPOCH_DAY).days
    if last - first > _MAX_YEARS * 366:
        raise Unreadable(f"instants spread over more than {_MAX_YEARS} years in one column")
    try:
        tabled = _tabled(calendar.content, calendar, first, last, allotted, mode, cutoff)
    except IndexError:
        raise Unreadable(f"calendar {calendar.name!r} has too few working days for a limit of {allotted}") from None
    result = np.empty(len(start), np.int64)
    absent = bool((start == MISSING).any())
    for at in range(0, len(start), _BLOCK):
        block = start[at : at + _BLOCK]
        missing = block == MISSING if absent else None
        since = ((block if missing is None else np.where(missing, tabled.base, block)) - tabled.base).astype(np.uint32)
        minute = since // np.uint32(60)
        second = since - minute * np.uint32(60)
        due = tabled.due.take((minute << np.uint32(1)) + (second > 0))
        second *= tabled.keeps_seconds.take(minute)
        out = result[at : at + _BLOCK]
        np.multiply(due, 60, out=out, dtype=np.int64)
        out += second
        out += tabled.base
        if missing is not None:
            out[missing] = MISSING
    return result


def _reach(allotted: Allotted) -> int:
    """How many days ahead a limit may reach at most, generously."""
    per_day = {"same_day": 0, "workdays": 3, "calendar_days": 1, "minutes": 3 / 120}
    return int(allotted.amount * per_day[allotted.unit]) + 60


def _due(table: _Table, start: Seconds, allotted: Allotted, mode: Mode, cutoff: int | None) -> Seconds:
    base = table.first_day * 86_400 - _OFFSET
    minute, second = np.divmod(start - base, 60)
    minute = minute.astype(np.int32)
    second = second.astype(np.int32)
    worked = table.worked
    k = worked[minute]  # working minutes before the start's minute
    closed = worked[minute + 1] == k
    if cutoff is not None:
        of_day = minute % 1440
        late = (of_day > cutoff) | ((of_day == cutoff) & (second > 0))
        day = minute // 1440
        late &= table.opening[day] >= 0
        k = np.where(late, worked[(day + 1) * 1440], k)
        closed |= late
    if bool(closed.any()):
        second = np.where(closed, 0, second)
        s = np.where(closed, table.minute_of[k], minute)
    else:
        s = minute
    if allotted.unit == "minutes" or (allotted.unit == "workdays" and mode is Mode.HOURS):
        add = allotted.amount * (WORKDAY_MINUTES if allotted.unit == "workdays" else 1)
        return base + _advance(table, k, s, second, add) if add else base + s.astype(np.int64) * 60 + second
    day = s // 1440
    if allotted.unit == "same_day":
        return base + (day.astype(np.int64) * 1440 + table.closing[day]) * 60
    if allotted.unit == "workdays":
        target = table.day_of[table.workday_number[day] + allotted.amount]
    else:
        target = table.day_of[table.workday_number[day + allotted.amount]]
    if mode is Mode.DAY_END:
        return base + (target.astype(np.int64) * 1440 + table.closing[target]) * 60
    clock = (s - day * 1440).astype(np.int64) * 60 + second
    clock = np.clip(clock, table.opening[target].astype(np.int64) * 60, table.closing[target].astype(np.int64) * 60)
    return base + target.astype(np.int64) * 86_400 + clock


def _advance(table: _Table, k: NDArray[np.int32], s: NDArray[np.int32], second: NDArray[np.int32],
             add: int | NDArray[np.int64]) -> Seconds:  # fmt: skip
    """Seconds from the table's start of the earliest instant with `add` more working minutes."""
    whole = second == 0
    index = k + add - whole
    return (table.minute_of[index].astype(np.int64) + whole) * 60 + second


def advance(at: Seconds, minutes: NDArray[np.int64], calendar: WorkCalendar) -> Seconds:
    """`WorkCalendar.advance` over columns of one length."""
    span = _span(at)
    if span is None:
        return np.full(len(at), MISSING)
    table = _table(calendar, span[0], span[1] + int(minutes.max(initial=0)) // 40 + 60)
    base = table.first_day * 86_400 - _OFFSET
    minute, second = np.divmod(np.where(at == MISSING, base, at) - base, 60)
    k = table.worked[minute]
    open_ = table.worked[minute + 1] > k
    second = np.where(open_, second, 0)
    moved = base + _advance(table, k, minute, second, np.maximum(minutes, 1))
    return np.where((minutes <= 0) | (at == MISSING), at, moved)


def minutes_between(start: Seconds, end: Seconds, calendar: WorkCalendar) -> NDArray[np.int64]:
    """`WorkCalendar.minutes_between` over columns of one length; 0 where either is absent."""
    span = _span(start, end)
    if span is None:
        return np.zeros(len(start), np.int64)
    table = _table(calendar, *span)
    base = table.first_day * 86_400 - _OFFSET
    absent = (start == MISSING) | (end == MISSING)
    first = (np.where(absent, base, start) - base) // 60
    last = (np.where(absent, base, end) - base) // 60
    return table.worked[last].astype(np.int64) - table.worked[first]


def is_workday(at: Seconds, calendar: WorkCalendar) -> NDArray[np.bool_]:
    """Whether the day of each instant is a working day; True where the instant is absent."""
    span = _span(at)
    if span is None:
        return np.ones(len(at), bool)
    table = _table(calendar, *span)
    days = (np.where(at == MISSING, table.first_day * 86_400, at) + _OFFSET) // 86_400 - table.first_day
    return (table.opening[days] >= 0) | (at == MISSING)


def to_seconds(at: datetime) -> int:
    """An instant as the facts hold it: whole seconds since 1970, UTC."""
    return int((at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1))
