"""Any list that an office keeps, as rows of cells: workbooks, web pages saved as workbooks, texts of any delimiter.

What a file is, is told by its first bytes: exports named .xls are web pages as often as workbooks.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from motcua.catalogue.folding import nfc
from motcua.dossiers.importing import sources
from motcua.dossiers.importing.sources import Fault

#: A row of the file: its number there, and its cells as texts.
Row = tuple[int, Sequence[str]]
_LOOKED_AT = 20  # lines by which a delimiter is guessed
_BLOCK = 1 << 16
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def rows(path: Path) -> Iterator[Row]:
    """The rows that are not empty. Raises `Fault` where the file is no list."""
    with sources.open_maybe_gzip(path) as file:
        start = file.read(_BLOCK)
    if not start.strip():
        raise Fault(path.name, 0, "", "the file is empty")
    if start.startswith(_WORKBOOKS):
        return _sheet(path)
    if start.startswith(b"%PDF"):
        raise Fault(path.name, 0, "", "this is a PDF, not a list; ask for the Excel file")
    encoding = _encoding(path, start)
    beginning = start.decode(encoding, errors="ignore").lstrip("\ufeff \t\r\n").lower()
    if beginning.startswith("<") and ("<table" in beginning or "<html" in beginning or "<!doctype" in beginning):
        return _page(path, encoding)
    return _text(path, encoding)


def _sheet(path: Path) -> Iterator[Row]:
    """The first sheet that holds anything; a cell merged over several rows fills them all."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        sheet = next((s for s in map(book.get_sheet_by_name, book.sheet_names) if s.height), None)
        if sheet is None:
            raise Fault(path.name, 0, "", "the workbook is empty")
        first = sheet.start[0] if sheet.start else 0
        merged = _merged_down(sheet.merged_cell_ranges or ())
        filled: dict[int, tuple[int, str]] = {}  # column → last row of the merged cell, its text
        for number, cells in enumerate(sheet.iter_rows(), first):
            texts = [str(sources.as_text(value)) if value != "" else "" for value in cells]
            for column, last in merged.get(number, ()):
                if column < len(texts):
                    filled[column] = (last, texts[column])
            for column, (last, text) in filled.items():
                if number <= last and not texts[column]:
                    texts[column] = text
            if any(text.strip() for text in texts):
                yield number + 1, texts
    except Fault:
        raise
    except (CalamineError, OSError, ValueError) as error:
        raise Fault(path.name, 0, "", f"cannot be read as a workbook: {error}") from None


def _merged_down(ranges: Sequence[Any]) -> dict[int, list[tuple[int, int]]]:
    """First row → (column, last row) of the cells that are merged over rows."""
    found: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, _) in ranges:
        if bottom > top:
            found.setdefault(top, []).append((left, bottom))
    return found


def _page(path: Path, encoding: str) -> Iterator[Row]:
    """The rows of the longest table of a web page."""
    from lxml import etree, html

    try:
        with sources.open_maybe_gzip(path) as file:
            root = html.parse(file, html.HTMLParser(encoding=encoding, huge_tree=True)).getroot()
    except (etree.XMLSyntaxError, OSError) as error:
        raise Fault(path.name, 0, "", f"cannot be read as a web page: {error}") from None
    tables = [] if root is None else root.xpath("//table")
    if not tables:
        raise Fault(path.name, 0, "", "this web page holds no table; was it saved while signed out?")
    table = max(tables, key=lambda one: len(one.xpath(".//tr")))
    below: dict[int, tuple[int, str]] = {}  # column → rows still covered from above, text
    for number, line in enumerate(table.xpath(".//tr"), 1):
        texts: list[str] = []
        for cell in line.xpath("./td|./th"):
            _cover(texts, below)
            text = nfc(" ".join(cell.text_content().split()))
            down, across = _span(cell, "rowspan"), _span(cell, "colspan")
            if down > 1:
                below[len(texts)] = (down - 1, text)
            texts += [text, *[""] * (across - 1)]
        _cover(texts, below)
        if any(len(text) > sources.LONGEST for text in texts):
            raise Fault(path.name, number, "", f"a text of more than {sources.LONGEST:,} characters; shorten it")
        if any(texts):
            yield number, texts


def _cover(texts: list[str], below: dict[int, tuple[int, str]]) -> None:
    while len(texts) in below:
        left, text = below.pop(len(texts))
        if left > 1:
            below[len(texts)] = (left - 1, text)
        texts.append(text)


def _span(cell: Any, name: str) -> int:
    text = str(cell.get(name) or "1")
    return min(max(int(text), 1), 1000) if text.isdigit() else 1


def _encoding(path: Path, start: bytes) -> str:
    """UTF-16 and UTF-8 by their marks and their shape; else what Vietnamese Windows wrote."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    even, odd = start[0:4000:2].count(0), start[1:4000:2].count(0)
    if max(even, odd) > len(start[:4000]) // 8:
        return "utf-16-le" if odd > even else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with sources.open_maybe_gzip(path) as file:
            while block := file.read(1 << 20):
                decoder.decode(block)
    except (UnicodeDecodeError, EOFError, OSError):
        return "cp1258"
    return "utf-8"


def _text(path: Path, encoding: str) -> Iterator[Row]:
    lines = sources.lines(path, encoding)
    head = list(islice(lines, _LOOKED_AT))
    delimiter = max(",;\t|", key=lambda sign: sum(line.count(sign) for line in head))
    reader = csv.reader(chain(head, lines), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise Fault(path.name, reader.line_num, "", sources.remedy(error)) from None
