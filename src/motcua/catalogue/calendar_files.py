"""A calendar as a TOML file, for trying one out or loading an agency's own (docs/reference/calendars.md)."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from motcua.rules.instants import Unreadable
from motcua.rules.workdays import ALWAYS, Day, Hours, WorkCalendar, parse_hours, viet_nam

_WEEKDAYS = {name: n for n, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}


def read(file: Path) -> WorkCalendar:
    """The calendar that a file defines. Raises `Unreadable`, naming the place."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"{file}: cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(f"{file}: {error}") from None
    base = document.get("base", "vn")
    hours: list[Hours] = []
    for index, entry in enumerate(document.get("hours", []), 1):
        where = f"{file}, hours {index}"
        for name in entry.get("weekdays", []):
            if name not in _WEEKDAYS:
                raise Unreadable(f"{where}: {name!r} is no weekday; write mon, tue, … sun")
            hours.append(
                Hours(
                    weekday=_WEEKDAYS[name],
                    intervals=parse_hours(entry.get("open", "")),
                    valid_from=_day(entry, "valid_from", where),
                    known_on=_day(entry, "known_on", where),
                    desk_only=bool(entry.get("desk_only", False)),
                )
            )
    days = list(viet_nam().days) if base == "vn" else []
    for index, entry in enumerate(document.get("days", []), 1):
        where = f"{file}, days {index}"
        if not isinstance(entry.get("day"), date):
            raise Unreadable(f"{where}: day is missing; write day = 2026-09-01")
        text = entry.get("open", "")
        days.append(
            Day(
                day=entry["day"],
                intervals=None if text == "full" else parse_hours(text),
                title=str(entry.get("title", "")),
                known_on=_day(entry, "known_on", where),
                document=str(entry.get("document", "")),
            )
        )
    known = tuple(hours) if hours and base != "vn" else (*viet_nam().hours, *hours)
    return WorkCalendar(document.get("name", file.stem), known, tuple(days))


def _day(entry: dict[str, Any], key: str, where: str) -> date:
    value = entry.get(key, ALWAYS)
    if not isinstance(value, date):
        raise Unreadable(f"{where}: {key} is not a day such as 2026-09-01")
    return value
