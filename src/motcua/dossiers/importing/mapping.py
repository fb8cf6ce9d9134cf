"""A map turns the rows of another system's file into canonical ones (docs/reference/mapping.md).

A flat file has one row an event, the case's own values repeated with the prefix `case:` or under any name; an
XES log is read the same way, its trace attributes prefixed with `case:`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from motcua.dossiers.importing import sources
from motcua.dossiers.importing.canonical import (
    CHANNELS,
    KINDS,
    DossierRow,
    EventRow,
    checked_dossier,
    checked_event,
)
from motcua.dossiers.importing.sources import Fault
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
         "due_at", "finished_at")  # fmt: skip
_EVENT = ("activity", "at", "recorded_at", "actor", "unit", "evidence_at", "document", "due_at", "note")


def read(path: Path) -> Map:
    """The map in a TOML file. Raises `Unreadable`, naming the place."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path}: {error}") from None
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
        reading=document.get("reading", {}),
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
        if isinstance(entry, str):
            entry = {"column": entry}
        if isinstance(entry, list):
            entry = {"column": entry}
        columns = entry.get("column", [])
        values[name] = Value(
            columns=(columns,) if isinstance(columns, str) else tuple(columns),
            constant=str(entry.get("value", "")),
            table=dict(entry.get("map", {})),
        )
    return values


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

    def rows(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """The file's events as flat rows with their places."""
        suffixes = [suffix.lower() for suffix in path.suffixes]
        if ".xes" in suffixes:
            for trace in sources.xes(path):
                prefixed = {f"case:{key}": value for key, value in trace.attributes.items()}
                if not trace.events:
                    raise Fault(path.name, 0, "", f"trace {trace.number} has no event")
                for number, (line, attributes) in enumerate(trace.events, 1):
                    at = self.map.event["at"]
                    if not at.of(attributes, self.map.null, {}):
                        name = trace.attributes.get("concept:name", str(trace.number))
                        raise Fault(
                            path.name, line, at.columns[0],
                            f"event {number} of trace {name!r} has no time stamp; add it, or remove the event",
                        )  # fmt: skip
                    yield line, {**prefixed, **attributes}
            return
        yield from sources.table(path, **self.map.reading)

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
            value("document"), value("note") or ("" if step else activity),
        )  # fmt: skip

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
