"""A calendar as a TOML file: an agency's own, to try out or to keep (docs/reference/calendars.md)."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from motcua.rules.instants import Unreadable
from motcua.rules.workdays import ALWAYS, Day, Hours, Intervals, WorkCalendar, parse_hours, viet_nam

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KEYS = {"name", "title", "base", "hours", "days"}
_HOURS_KEYS = {"weekdays", "open", "valid_from", "known_on", "desk_only"}
_DAY_KEYS = {"day", "open", "title", "known_on", "document"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a calendar has of its own. `base` is `vn`, whose hours and days it has too, or empty.

    An entry that does not say since when it was known has `known_on` ALWAYS.
    """

    name: str
    title: str = ""
    base: str = "vn"
    hours: tuple[Hours, ...] = ()
    days: tuple[Day, ...] = ()

    def calendar(self, base: WorkCalendar) -> WorkCalendar:
        """The whole calendar, on top of its base. An own day that states no day of notice outdoes the base's."""
        if not self.base:
            return WorkCalendar(self.name, self.hours, self.days)
        notices: dict[date, date] = {}
        for entry in base.days:
            notices[entry.day] = max(entry.known_on, notices.get(entry.day, ALWAYS))
        days = (d if d.known_on > ALWAYS else replace(d, known_on=notices.get(d.day, ALWAYS)) for d in self.days)
        return WorkCalendar(self.name, (*base.hours, *self.hours), (*base.days, *days))


def read(file: Path) -> WorkCalendar:
    """The calendar that a file defines, on top of the built-in one. Raises `Unreadable`, naming the place."""
    return parse(file).calendar(viet_nam())


def parse(file: Path) -> Definition:
    """What a file defines. Raises `Unreadable`, naming the place."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{file}: {error}") from None
    _only(document, _KEYS, str(file))
    name, base = document.get("name", file.stem), document.get("base", "vn")
    if not isinstance(name, str) or not 0 < len(name) <= 64:
        raise Unreadable(f"{file}: name is not a text of at most 64 characters")
    if base not in ("vn", ""):
        raise Unreadable(f'{file}: base {base!r}: write base = "vn", or base = "" for a calendar of its own')
    hours = tuple(h for n, entry in enumerate(_list(document, "hours", file), 1) for h in _hours(entry, file, n))
    days = tuple(_one_day(entry, file, n) for n, entry in enumerate(_list(document, "days", file), 1))
    _once(((_WEEKDAYS[h.weekday], str(h.valid_from), str(h.known_on)) for h in hours), f"{file}, hours")
    _once(((str(d.day), str(d.known_on)) for d in days), f"{file}, days")
    return Definition(name=name, title=str(document.get("title", "")), base=base, hours=hours, days=days)


def _list(document: dict[str, Any], key: str, file: Path) -> list[Any]:
    found = document.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise Unreadable(f"{file}: {key} is not a list; write [[{key}]] before each entry")
    return found


def _only(entry: dict[str, Any], keys: set[str], where: str) -> None:
    if odd := sorted(entry.keys() - keys):
        raise Unreadable(f"{where}: there is no {odd[0]!r} here; there are: {', '.join(sorted(keys))}")


def _once(keys: Iterable[tuple[str, ...]], where: str) -> None:
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise Unreadable(f"{where}: {twice[0][0]} stands there twice; give each its own valid_from or known_on")


def _hours(entry: dict[str, Any], file: Path, number: int) -> list[Hours]:
    where = f"{file}, hours {number}"
    _only(entry, _HOURS_KEYS, where)
    weekdays = entry.get("weekdays", [])
    if not isinstance(weekdays, list) or not weekdays:
        raise Unreadable(f'{where}: weekdays is missing; write weekdays = ["mon", "tue"]')
    for name in weekdays:
        if name not in _WEEKDAYS:
            raise Unreadable(f"{where}: {name!r} is no weekday; write mon, tue, … sun")
    return [
        Hours(
            weekday=_WEEKDAYS.index(name),
            intervals=_open(entry, where),
            valid_from=_date(entry, "valid_from", where),
            known_on=_date(entry, "known_on", where),
            desk_only=entry.get("desk_only", False) is True,
        )
        for name in weekdays
    ]


def _one_day(entry: dict[str, Any], file: Path, number: int) -> Day:
    where = f"{file}, days {number}"
    _only(entry, _DAY_KEYS, where)
    if "day" not in entry:
        raise Unreadable(f"{where}: day is missing; write day = 2026-09-01")
    return Day(
        day=_date(entry, "day", where),
        intervals=None if entry.get("open") == "full" else _open(entry, where),
        title=str(entry.get("title", "")),
        known_on=_date(entry, "known_on", where),
        document=str(entry.get("document", "")),
    )


def _open(entry: dict[str, Any], where: str) -> Intervals:
    if not isinstance(entry.get("open"), str):
        raise Unreadable(f'{where}: open is missing; write open = "07:00-11:30 13:30-17:00", or "" for closed')
    try:
        return parse_hours(entry["open"])
    except Unreadable as error:
        raise Unreadable(f"{where}: {error}") from None


def _date(entry: dict[str, Any], key: str, where: str) -> date:
    value = entry.get(key, ALWAYS)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Unreadable(f"{where}: {key} is not a day such as 2026-09-01")
    return value


# ---- writing one ------------------------------------------------------------------------------------------------


def hours_text(intervals: Intervals | None) -> str:
    """Office hours as files and rows write them: "" closed, "full" a whole working day."""
    if intervals is None:
        return "full"
    return " ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in intervals)


def text(definition: Definition) -> str:
    """The definition as a file, which `parse` reads back as the same."""
    lines = [f"name = {_quoted(definition.name)}"]
    if definition.title:
        lines.append(f"title = {_quoted(definition.title)}")
    lines.append(f"base = {_quoted(definition.base)}")
    for h in definition.hours:
        lines += ["", "[[hours]]", f'weekdays = ["{_WEEKDAYS[h.weekday]}"]', f'open = "{hours_text(h.intervals)}"']
        lines += [f"valid_from = {h.valid_from}"] * (h.valid_from > ALWAYS)
        lines += [f"known_on = {h.known_on}"] * (h.known_on > ALWAYS)
        lines += ["desk_only = true"] * h.desk_only
    for d in definition.days:
        lines += ["", "[[days]]", f"day = {d.day}", f'open = "{hours_text(d.intervals)}"']
        lines += [f"title = {_quoted(d.title)}"] * bool(d.title)
        lines += [f"known_on = {d.known_on}"] * (d.known_on > ALWAYS)
        lines += [f"document = {_quoted(d.document)}"] * bool(d.document)
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'


def entry_text(entry: Hours | Day) -> str:
    """One entry for people: what, when, since when it was known."""
    if isinstance(entry, Hours):
        since = f" from {entry.valid_from}" if entry.valid_from > ALWAYS else ""
        what = f"{_WEEKDAYS[entry.weekday]}{since}"
        note = " (desk only)" if entry.desk_only else ""
    else:
        what, note = str(entry.day), f" {entry.title}" if entry.title else ""
    known = f", known on {entry.known_on}" if entry.known_on > ALWAYS else ""
    return f"{what}: {hours_text(entry.intervals) or 'closed'}{note}{known}"
