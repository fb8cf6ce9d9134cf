"""A map turns the rows of another system's file into canonical ones (docs/reference/mapping.md).

A flat file has one row an event, the case's own values repeated with the prefix `case:` or under any name; an
XES log is read the same way, its trace attributes prefixed with `case:`.
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from motcua.dossiers.importing import sources
from motcua.dossiers.importing.canonical import (
    CHANNELS,
    ENCLOSED,
    EVENT_OPTIONAL,
    KINDS,
    DossierRow,
    EventRow,
    checked_dossier,
    checked_event,
)
from motcua.dossiers.importing.sources import Fault
from motcua.rules.events import ENCLOSING
from motcua.rules.instants import Unreadable, iso, parse_instant


@dataclass(frozen=True, slots=True)
class Value:
    """Where a value comes from: the first of these columns that is filled, through a table, else a constant."""

    columns: tuple[str, ...] = ()
    constant: str = ""
    table: Mapping[str, str] = field(default_factory=dict)

    def of(self, row: Mapping[str, Any], null: frozenset[str], facts: Mapping[str, str]) -> str:
        """The value in a row; the constant (with {source} and {file} filled in) where the row has none."""
        for column in self.columns:
            text = str(row.get(column) or "").strip()
            if text not in null:
                return self.table.get(text, text)
        return self.constant.format_map(facts) if "{" in self.constant else self.constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """How one family of files is read."""

    name: str
    source: str
    create_missing: bool
    zone: timezone
    dates: tuple[str, ...]
    null: frozenset[str]
    reading: Mapping[str, Any]
    case: Mapping[str, Value]
    event: Mapping[str, Value]
    kinds: Mapping[str, str]
    default_kind: str
    received: str  # "first event": the case is received with its first event


_CASE = ("id", "procedure", "agency", "channel", "applicant", "submitter", "submitted_at", "received_at", "allotted",
         "due_at", "finished_at", *ENCLOSED["papers"])  # fmt: skip
_PARTS: Mapping[str, type] = {
    "name": str, "source": str, "create_missing": bool, "timezone": str, "dates": list, "null": list, "received": str,
    "reading": dict, "case": dict, "event": dict, "kinds": dict,
}  # fmt: skip
_READING: Mapping[str, type] = {"delimiter": str, "encoding": str, "sheet": str, "skip_rows": int}
_EVENT = (
    "activity",
    "at",
    "recorded_at",
    "actor",
    "unit",
    "evidence_at",
    "document",
    "due_at",
    "note",
    *EVENT_OPTIONAL,
)


def read(path: Path) -> Map:
    """The map in a TOML file. Raises `Unreadable`, naming the place."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path}: {error}") from None
    for name, entry in document.items():
        if name not in _PARTS:
            raise Unreadable(f"{path}: {name} is none of {', '.join(_PARTS)}")
        if not isinstance(entry, _PARTS[name]):
            raise Unreadable(f"{path}: {name} = {entry!r} is not what is read there (docs/reference/mapping.md)")
    reading = _reading(path, document.get("reading", {}))
    case = _values(path, "case", document.get("case", {}), _CASE)
    event = _values(path, "event", document.get("event", {}), _EVENT)
    for part, needed in ((case, ("id", "procedure", "agency")), (event, ("activity", "at"))):
        for name in needed:
            if name not in part:
                raise Unreadable(f"{path}: [{'case' if part is case else 'event'}] says nothing of {name}")
    kinds = dict(document.get("kinds", {}))
    default_kind = kinds.pop("default", "step_finished")
    for activity, kind in [*kinds.items(), ("default", default_kind)]:
        if kind not in KINDS:
            raise Unreadable(f"{path}: kinds, {activity!r}: {kind!r} is none of {', '.join(KINDS)}")
    for text in case.get("channel", Value()).table.values():
        if text not in CHANNELS:
            raise Unreadable(f"{path}: channel {text!r} is none of {', '.join(CHANNELS)}")
    return Map(
        name=document.get("name", path.stem),
        source=document.get("source", path.stem),
        create_missing=bool(document.get("create_missing", False)),
        zone=_zone(path, document.get("timezone", "+07:00")),
        dates=tuple(document.get("dates", ["iso"])),
        null=frozenset(("", *document.get("null", []))),
        reading=reading,
        case=case,
        event=event,
        kinds=kinds,
        default_kind=default_kind,
        received=document.get("received", "first event"),
    )


def _values(path: Path, part: str, entries: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, entry in entries.items():
        if name not in known:
            raise Unreadable(f"{path}: [{part}] {name} is none of {', '.join(known)}")
        if isinstance(entry, str | list):
            entry = {"column": entry}
        columns = entry.get("column", []) if isinstance(entry, dict) else None
        if isinstance(columns, str):
            columns = [columns]
        table = entry.get("map", {}) if isinstance(entry, dict) else None
        if not isinstance(columns, list) or not isinstance(table, dict):
            raise Unreadable(f"{path}: [{part}] {name} is a column, a list of columns, or {{ column, map, value }}")
        constant = str(entry.get("value", ""))
        try:
            constant.format_map({"source": "", "file": ""})
        except (KeyError, ValueError, IndexError):
            raise Unreadable(f"{path}: [{part}] {name}: {constant!r} may hold {{source}} and {{file}} only") from None
        values[name] = Value(
            columns=tuple(str(column) for column in columns),
            constant=constant,
            table={str(theirs): str(ours) for theirs, ours in table.items()},
        )
    return values


def _reading(path: Path, entries: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, entry in entries.items():
        if name not in _READING:
            raise Unreadable(f"{path}: [reading] {name} is none of {', '.join(_READING)}")
        if not isinstance(entry, _READING[name]) or (name == "delimiter" and len(str(entry)) != 1):
            raise Unreadable(f"{path}: [reading] {name} = {entry!r} cannot be used")
    try:
        codecs.lookup(entries.get("encoding", "utf-8-sig"))
    except LookupError:
        raise Unreadable(f"{path}: [reading] encoding {entries['encoding']!r} is not known") from None
    return entries


def _zone(path: Path, text: str) -> timezone:
    try:
        sign = -1 if text[0] == "-" else 1
        hours, minutes = (int(part) for part in text[1:].split(":"))
        return timezone(sign * timedelta(hours=hours, minutes=minutes))
    except (ValueError, IndexError):
        raise Unreadable(f"{path}: timezone {text!r} is not an offset such as +07:00") from None


class Reader:
    """Reads files through a map. Rows of one case may stand anywhere in a flat file."""

    def __init__(self, rules: Map, source: str = "") -> None:
        self.map = rules
        self.source = source or rules.source
        self.absent: list[str] = []  # what the map names and a file does not have, a sentence each

    def rows(
        self, path: Path, refuse: Callable[[Fault, Mapping[str, Any]], None]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """The file's events as flat rows with their places; what is no event goes to `refuse` with its fault."""
        if ".xes" in (suffix.lower() for suffix in path.suffixes):
            yield from self._traces(path, refuse)
            return
        rows = sources.table(path, **self.map.reading, refuse=refuse)
        for count, (line, row) in enumerate(rows):
            if not count:
                self._know(path, row)
            yield line, row

    def _traces(
        self, path: Path, refuse: Callable[[Fault, Mapping[str, Any]], None]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        at = self.map.event["at"]
        for trace in sources.xes(path):
            prefixed = {f"case:{key}": value for key, value in trace.attributes.items()}
            name = trace.attributes.get("concept:name", str(trace.number))
            if not trace.events:
                reason = f"trace {name!r} has no event; remove it, or leave it out with --keep-going"
                refuse(Fault(path.name, trace.line, "", reason), prefixed)
            for number, (line, attributes) in enumerate(trace.events, 1):
                row = {**prefixed, **attributes}
                if at.of(attributes, self.map.null, {}):
                    yield line, row
                    continue
                reason = f"event {number} of trace {name!r} has no time stamp; add it, or remove the event"
                refuse(Fault(path.name, line, at.columns[0], reason), row)

    def _know(self, path: Path, row: Mapping[str, Any]) -> None:
        """A flat file has the columns without which it says nothing. Raises `Fault`."""
        for value in (self.map.case["id"], self.map.event["activity"], self.map.event["at"]):
            if not value.constant and not any(column in row for column in value.columns):
                wanted = " or ".join(value.columns)
                raise Fault(path.name, 0, wanted, f"there is no such column; the columns are: {', '.join(row)}")
        for part, values in (("case", self.map.case), ("event", self.map.event)):
            for name, value in values.items():
                if value.columns and not value.constant and not any(column in row for column in value.columns):
                    wanted = " or ".join(repr(column) for column in value.columns)
                    near = get_close_matches(value.columns[0], list(row), n=1)
                    meant = f"; did the map mean {near[0]!r}?" if near else ""
                    self.absent.append(f"{path.name}: [{part}] {name} stays empty: no column {wanted}{meant}")

    def event(self, path: Path, line: int, row: Mapping[str, Any]) -> EventRow:
        """One row as a canonical event. Raises `Fault`."""
        rules, null, facts = self.map, self.map.null, self._facts(path)

        def value(name: str) -> str:
            found = rules.event.get(name)
            return found.of(row, null, facts) if found else ""

        code = rules.case["id"].of(row, null, facts)
        if not code:
            raise Fault(path.name, line, rules.case["id"].columns[0], "the row names no case")
        activity = value("activity")
        if not activity:
            raise Fault(path.name, line, rules.event["activity"].columns[0], "the row names no activity")
        kind = rules.kinds.get(activity, rules.default_kind)
        step = activity if kind in ("step_started", "step_finished") else ""
        return checked_event(
            path.name, line, self.source, code, kind, self._at(path, line, "at", value("at")),
            self._at(path, line, "recorded_at", value("recorded_at")), value("unit"), value("actor"), step,
            self._at(path, line, "due_at", value("due_at")) if kind == "extended" else "",
            self._at(path, line, "evidence_at", value("evidence_at"))
            if kind in ("step_finished", "finished", "returned") else "",
            value("document"), value("note") or ("" if step else activity), self._enclosed(kind, value),
        )  # fmt: skip

    def _enclosed(self, kind: str, value: Callable[[str], str]) -> dict[str, str] | None:
        """The columns of what an event of this kind may enclose: a flat row repeats them on every event."""
        columns = [column for name in ENCLOSING.get(kind, ()) for column in ENCLOSED[name] if column in self.map.event]
        return {column: value(column) for column in columns} or None

    def dossier(self, path: Path, line: int, row: Mapping[str, Any], first_at: str) -> DossierRow:
        """A case's own values, from its first row. Raises `Fault`."""
        rules, null, facts = self.map, self.map.null, self._facts(path)
        values = {
            name: rules.case[name].of(row, null, facts)
            for name in _CASE
            if name in rules.case and name not in ("id", "finished_at")
        }
        values["dossier"] = rules.case["id"].of(row, null, facts)
        for name in ("submitted_at", "received_at", "due_at"):
            if values.get(name):
                values[name] = self._at(path, line, name, values[name])
        if not values.get("received_at") and rules.received == "first event":
            values["received_at"] = first_at
        values["source"] = self.source
        return checked_dossier(path.name, line, values, self.source)

    def end(self, path: Path, line: int, row: Mapping[str, Any]) -> EventRow | None:
        """The end of a case where the file states it as an attribute of the case."""
        rules = self.map
        if "finished_at" not in rules.case:
            return None
        text = rules.case["finished_at"].of(row, rules.null, self._facts(path))
        if not text:
            return None
        return checked_event(
            path.name, line, self.source, rules.case["id"].of(row, rules.null, self._facts(path)), "finished",
            self._at(path, line, "finished_at", text), "", "", "", "", "", "", "", "stated by the case",
        )  # fmt: skip

    def _facts(self, path: Path) -> dict[str, str]:
        return {"source": self.source, "file": path.name.split(".")[0]}

    def _at(self, path: Path, line: int, column: str, text: str) -> str:
        """A time stamp as ISO 8601 with offset, tried by each date form of the map."""
        if not text:
            return ""
        for form in self.map.dates:
            try:
                at = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
            except ValueError:
                continue
            return (at if at.tzinfo else at.replace(tzinfo=self.map.zone)).isoformat()
        try:
            return iso(parse_instant(text))
        except Unreadable:
            raise Fault(
                path.name, line, column, f"{text!r} fits none of the map's date forms: {', '.join(self.map.dates)}"
            ) from None
