"""Rows from files of other systems, each with its place, so that a fault can be named."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, cast

from motcua.catalogue.folding import nfc
from motcua.rules.instants import Unreadable


class Fault(Unreadable):
    """A row cannot be taken: file, row (line of the file), column, and what to do."""

    def __init__(self, file: str, row: int, column: str, reason: str) -> None:
        place = f"{file}, row {row}" if row else file
        super().__init__(f"{place}{f', column {column}' if column else ''}: {reason}")
        self.file, self.row, self.column, self.reason = file, row, column, reason


def read_csv(path: Path, *, delimiter: str = ",", encoding: str = "utf-8-sig") -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with their line numbers, the header first; texts composed (NFC).

    Raises `Fault` for what is not text, not CSV, or cut off.
    """
    reader = csv.reader(_lines(path, encoding), delimiter=delimiter, strict=True)
    width = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = "the file ends inside a quoted text" if "unexpected end" in str(error) else str(error)
            raise Fault(path.name, reader.line_num, "", f"{reason}; save the file as CSV again") from None
        if not row or (len(row) == 1 and not row[0].strip()):
            continue
        if not width:
            width = len(row)
        elif len(row) != width:
            raise Fault(
                path.name, reader.line_num, "",
                f"{len(row)} columns where the header has {width}; is the line cut off, or a comma not quoted?",
            )  # fmt: skip
        yield reader.line_num, row


def _lines(path: Path, encoding: str) -> Iterator[str]:
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
            raise Fault(path.name, number + 1, "", f"not {encoding} text; save the file as UTF-8") from None
        except (EOFError, OSError) as error:
            raise Fault(path.name, number + 1, "", f"cannot be read to its end: {error}") from None


def open_maybe_gzip(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where it is gzip (told by its first bytes)."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}") from None


def table(path: Path, *, delimiter: str = ",", encoding: str = "utf-8-sig", sheet: str = "", skip_rows: int = 0,
          ) -> Iterator[tuple[int, dict[str, Any]]]:  # fmt: skip
    """The rows of a CSV, XLSX, XLS or Parquet file as dictionaries by heading."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        yield from _parquet(path)
        return
    if kind in (".xlsx", ".xls", ".xlsb", ".ods"):
        rows = _sheet(path, sheet)
    else:
        rows = ((number, list(row)) for number, row in read_csv(path, delimiter=delimiter, encoding=encoding))
    for _ in range(skip_rows):
        next(rows, None)
    first = next(rows, None)
    if first is None:
        raise Fault(path.name, 0, "", "the file has no header row")
    names = [str(name).strip() for name in first[1]]
    for number, row in rows:
        yield number, dict(zip(names, row, strict=False))


def _sheet(path: Path, sheet: str) -> Iterator[tuple[int, list[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        name = sheet or book.sheet_names[0]
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise Fault(path.name, 0, "", f"cannot be read as a workbook: {error}") from None
    for number, row in enumerate(rows, 1):
        if any(cell != "" for cell in row):
            yield number, [_cell(cell) for cell in row]


def _cell(value: Any) -> Any:
    """A cell as text, but for dates: whole numbers lose the point that Excel's floats carry."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return nfc(str(value))


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import duckdb

    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        try:
            relation = connection.read_parquet(str(path))
        except duckdb.Error as error:
            raise Fault(path.name, 0, "", f"cannot be read as Parquet: {error}") from None
        names = relation.columns
        number = 0
        while chunk := relation.fetchmany(10_000):  # type: ignore[operator]
            for row in chunk:
                number += 1
                yield (
                    number,
                    {
                        name: ""
                        if value is None
                        else value.isoformat()
                        if isinstance(value, datetime)
                        else nfc(str(value))
                        for name, value in zip(names, row, strict=True)
                    },
                )


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace of an XES log: its attributes, and those of its events in file order."""

    number: int
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
    return Trace(number, attributes, events)
