"""Instants and days: storage is UTC, the law counts the days on the office wall.

Instants are aware `datetime` values; in tables they are integers, microseconds since 1970 in UTC.
A text without an offset is Viet Nam time, which has been +07:00 without summer time since 1975.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

VIET_NAM = timezone(timedelta(hours=7), "+07:00")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_HERE = _EPOCH.astimezone(VIET_NAM)
_SHAPE = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?(Z|z|[+-]\d{2}:?\d{2})?)?$")


class Unreadable(ValueError):
    """What came in cannot be understood; the text says what, and what would be understood."""


def local_day(at: datetime) -> date:
    """The day on the office wall at this instant."""
    return at.astimezone(VIET_NAM).date()


def at_clock(day: date, minute_of_day: int) -> datetime:
    """The instant of a wall clock (minutes after midnight, 0..1440) on a day."""
    return datetime(day.year, day.month, day.day, tzinfo=VIET_NAM) + timedelta(minutes=minute_of_day)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant; without an offset it is Viet Nam time, a bare day is its midnight.

    Raises `Unreadable`.
    """
    text = text.strip()
    if not _SHAPE.match(text):
        raise Unreadable(f"{text!r} is not an ISO 8601 instant such as 2026-03-02T08:30:00+07:00")
    try:
        at = datetime.fromisoformat(text.replace(",", ".").upper().replace(" +", "+").replace(" -", "-"))
    except ValueError as error:
        raise Unreadable(f"{text!r} is not an instant: {error}") from None
    return at if at.tzinfo else at.replace(tzinfo=VIET_NAM)


def iso(at: datetime) -> str:
    """ISO 8601 with the offset of Viet Nam, the form of every JSON answer."""
    return at.astimezone(VIET_NAM).isoformat()


def to_microseconds(at: datetime) -> int:
    """Microseconds since 1970 in UTC, the form in which tables keep an instant."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_microseconds(value: int) -> datetime:
    """The instant of a stored number, on the clock of Viet Nam."""
    return _EPOCH_HERE + timedelta(microseconds=value)
