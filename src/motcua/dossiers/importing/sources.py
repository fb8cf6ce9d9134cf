"""Rows from files of other systems, each with its place, so that a fault can be named."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, cast

from motcua.catalogue.folding import nfc
from motcua.rules.instants import Unreadable

#: Characters of the longest text of a list: what the csv module takes. More is a quote that is not closed.
LONGEST = 131_072


class Fault(Unreadable):
    """A row cannot be taken: file, row (line of the file), column, and what to do."""

    def __init__(self, file: str, row: int, column: str, reason: str) -> None:
        place = f"{file}, row {row}" if row else file
        super().__init__(f"{place}{f', column {column}' if column else ''}: {reason}")
        self.file, self.row, self.column, self.reason = file, row, column, reason


def read_csv(
    path: Path, *, delimiter: str = ",", encoding: str = "utf-8-sig", skip_rows: int = 0,
    refuse: Callable[[Fault, Sequence[str]], None] | None = None,
) -> Iterator[tuple[int, list[str]]]:  # fmt: skip
    """The rows of a CSV file with their line numbers, the header first; texts composed (NFC). Empty rows are passed
    over, and the first `skip_rows` lines.

    A row without all its columns goes to `refuse` with its fault; without `refuse`, and for what is not text or not
    CSV, raises `Fault`.
    """
    reader = csv.reader(lines(path, encoding), delimiter=delimiter, strict=True)
    width = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Fault(path.name, reader.line_num, "", remedy(error)) from None
        if reader.line_num <= skip_rows or not any(map(str.strip, row)):
            continue
        if not width:
            width = len(row)
        elif len(row) != width:
            fault = Fault(
                path.name, reader.line_num, "",
                f"{len(row)} columns where the header has {width}; is the line cut off, or a comma not quoted?",
            )  # fmt: skip
            if refuse is None:
                raise fault
            # A line that breaks off inside a cell ends with half a value.
            refuse(fault, row[:width] if len(row) > width else row[:-1])
            continue
        yield reader.line_num, row


def remedy(error: csv.Error) -> str:
    """What the CSV reader found, and what to do."""
    if "unexpected end" in str(error):
        return "the file ends inside a quoted text; save the file as CSV again"
    if "field limit" in str(error):
        return f"a text of more than {LONGEST:,} characters; is a quote not closed? else shorten it"
    return f"{error}; save the file as CSV again"


def lines(path: Path, encoding: str = "utf-8-sig") -> Iterator[str]:
    """The lines of a text file, plain or gzip, composed (NFC). Raises `Fault`."""
    with open_maybe_gzip(path) as raw:
        text = io.TextIOWrapper(raw, encoding=encoding, newline="")
        number = 0
        try:
            for line in text:
                number += 1
                if "\0" in line:
                    raise Fault(path.name, number, "", "a NUL byte: this is not a text file")
                yield nfc(line)
        except UnicodeDecodeError:
            name = encoding.removesuffix("-sig").upper()
            raise Fault(
                path.name, _undecodable(path, encoding), "", f"not {name} text; save the file as UTF-8"
            ) from None
        except (EOFError, OSError) as error:
            raise Fault(path.name, number + 1, "", f"cannot be read to its end: {error}") from None


def _undecodable(path: Path, encoding: str) -> int:
    """The line that cannot be read in this encoding (the reader tells its block only)."""
    with open_maybe_gzip(path) as raw:
        lines = io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")
        return next((number for number, line in enumerate(lines, 1) if "\N{REPLACEMENT CHARACTER}" in line), 0)


def open_maybe_gzip(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where it is gzip (told by its first bytes)."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}") from None


def table(path: Path, *, delimiter: str = ",", encoding: str = "utf-8-sig", sheet: str = "", skip_rows: int = 0,
          refuse: Callable[[Fault, Mapping[str, Any]], None] | None = None,
          ) -> Iterator[tuple[int, dict[str, Any]]]:  # fmt: skip
    """The rows of a CSV, XLSX, XLS or Parquet file as dictionaries by heading; `refuse` as in `read_csv`."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        yield from _parquet(path)
        return
    names: list[str] = []

    def misfit(fault: Fault, row: Sequence[str]) -> None:
        if refuse is None:
            raise fault
        refuse(fault, dict(zip(names, row, strict=False)))

    rows: Iterator[tuple[int, Sequence[Any]]]
    if kind in (".xlsx", ".xls", ".xlsb", ".ods"):
        rows = sheet_rows(path, sheet, skip_rows)
    else:
        rows = read_csv(path, delimiter=delimiter, encoding=encoding, skip_rows=skip_rows, refuse=misfit)
    first = next(rows, None)
    if first is None:
        raise Fault(path.name, 0, "", "the file has no header row")
    names.extend(str(name).strip() for name in first[1])
    for number, row in rows:
        yield number, dict(zip(names, row, strict=False))


def sheet_rows(path: Path, sheet: str = "", skip_rows: int = 0) -> Iterator[tuple[int, list[Any]]]:
    """The rows of a sheet of a workbook (the first by default) that are not empty, with their numbers."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        if sheet and sheet not in book.sheet_names:
            raise Fault(path.name, 0, "", f"no sheet {sheet!r}; there are: {', '.join(book.sheet_names)}")
        rows = book.get_sheet_by_name(sheet or book.sheet_names[0]).to_python(skip_empty_area=False)
    except Fault:
        raise
    except (CalamineError, OSError, ValueError) as error:
        raise Fault(path.name, 0, "", f"cannot be read as a workbook: {error}") from None
    for number, row in enumerate(rows, 1):
        if number > skip_rows and any(cell != "" for cell in row):
            yield number, [as_text(value) for value in row]


def as_text(value: Any) -> Any:
    """A cell as text, but for dates: whole numbers lose the point that Excel's floats carry."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return nfc(str(value))


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows as texts; whole numbers lose the point of a column that holds them beside gaps."""
    import duckdb

    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        try:
            columns = connection.read_parquet(str(path))
            texts = ", ".join(
                f"regexp_replace({name}::VARCHAR, '\\.0$', '')" if kind in ("DOUBLE", "FLOAT") else f"{name}::VARCHAR"
                for name, kind in (
                    ('"' + name.replace('"', '""') + '"', str(kind))
                    for name, kind in zip(columns.columns, columns.types, strict=True)
                )
            )
            rows = connection.execute(f"SELECT {texts} FROM read_parquet(?)", [str(path)])
        except duckdb.Error as error:
            raise Fault(path.name, 0, "", f"cannot be read as Parquet: {error}") from None
        number = 0
        while chunk := rows.fetchmany(10_000):
            for row in chunk:
                number += 1
                yield number, {name: nfc(text or "") for name, text in zip(columns.columns, row, strict=True)}


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace of an XES log: its attributes, and those of its events in file order."""

    number: int
    line: int
    attributes: Mapping[str, str]
    events: list[tuple[int, dict[str, str]]]  # line of the file, attributes


def xes(path: Path) -> Iterator[Trace]:
    """The traces of an XES log, plain or gzip, streamed: memory holds one trace. Raises `Fault`."""
    from lxml import etree

    number = 0
    with open_maybe_gzip(path) as raw:
        try:
            for _, element in etree.iterparse(
                raw, events=("end",), tag=("{*}trace", "trace"), huge_tree=True, resolve_entities=False, no_network=True
            ):
                number += 1
                yield _trace(number, element)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise Fault(
                path.name, error.lineno or 0, "", f"not well-formed XES after trace {number}: {error.msg}"
            ) from None
        except (EOFError, OSError) as error:
            raise Fault(path.name, 0, "", f"cannot be read to its end after trace {number}: {error}") from None
    if not number:
        raise Fault(path.name, 0, "", "no trace in this file: is it an XES log?")


def _trace(number: int, element: Any) -> Trace:
    attributes: dict[str, str] = {}
    events: list[tuple[int, dict[str, str]]] = []
    for child in element:
        tag = child.tag.rsplit("}", 1)[-1] if isinstance(child.tag, str) else ""
        if tag == "event":
            events.append((child.sourceline or 0, {a.get("key"): nfc(a.get("value") or "") for a in child}))
        elif child.get("key"):
            attributes[child.get("key")] = nfc(child.get("value") or "")
    return Trace(number, element.sourceline or 0, attributes, events)
