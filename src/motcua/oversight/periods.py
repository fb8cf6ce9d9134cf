"""Reporting periods: calendar ones, and the reporting regime's, which run from the 15th to the 14th.

Source: law paper §3.1 (index 766: calendar) and §4.1 (Decree 09/2019: the regime).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from motcua.rules.instants import VIET_NAM, Unreadable


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of days, as instants on the office wall."""

    text: str
    start: datetime
    end: datetime


def parse(text: str) -> Period:
    """`2021`, `2021-Q4`, `2021-12`, `2021-12-01/2021-12-15`, `2021-BC-Q4`, `2021-BC-12`, `2021-BC`.

    Raises `Unreadable`. A span of days includes its last day.
    """
    try:
        first, last = _days(text.strip())
    except ValueError:
        raise Unreadable(
            f"{text!r} is not a period; write 2021, 2021-Q4, 2021-12, 2021-12-01/2021-12-15 or 2021-BC-Q4"
        ) from None
    return Period(text, _midnight(first), _midnight(last))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=VIET_NAM)


def _days(text: str) -> tuple[date, date]:
    """First day, and the day after the last."""
    if "/" in text:
        first, last = (date.fromisoformat(part) for part in text.split("/"))
        if last < first:
            raise ValueError
        return first, last + timedelta(days=1)
    match = re.fullmatch(r"(\d{4})(-BC)?(?:-(?:Q([1-4])|(\d{2})))?", text)
    if match is None:
        raise ValueError
    year = int(match[1])
    if match[3]:
        month, months = 3 * int(match[3]) - 2, 3
    elif match[4]:
        month, months = int(match[4]), 1
    else:
        month, months = 1, 12
    first, last = date(year, month, 1), _after(year, month, months)
    if match[2]:
        return _regime(first), _regime(last)
    return first, last


def _after(year: int, month: int, months: int) -> date:
    index = month - 1 + months
    return date(year + index // 12, index % 12 + 1, 1)


def _regime(first_of_month: date) -> date:
    """The 15th of the month before: where the regime's month starts."""
    before = first_of_month - timedelta(days=1)
    return before.replace(day=15)
