"""Lists in which the national portal states its own verdicts: its export, or the annex of a letter that quotes it.

On its first day a province has Excel lists, not messages. A list is kept as it came, row by row; what it says of a
dossier is the *stated* verdict, `shown` where no copy of the portal's record is known. Source: architecture §2.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max
from numpy.typing import NDArray

from motcua.catalogue import names
from motcua.catalogue.folding import fold
from motcua.dossiers.importing import sources
from motcua.dossiers.importing.sources import Fault
from motcua.inspection.columns import MISSING, masked, texts
from motcua.oversight.models import PublishedList, PublishedRow
from motcua.rules.instants import VIET_NAM, Unreadable, iso, parse_instant, to_microseconds
from motcua.rules.workdays import viet_nam
from motcua.wire.codes import agency_forms, agency_of_dossier

#: Headings of the columns as they are met in exports and annexes, folded.
HEADINGS: dict[str, frozenset[str]] = {
    "code": frozenset({"dossier", "ma ho so", "ma so ho so", "so ho so", "ma hs", "mahoso", "ma ho so tthc"}),
    "verdict": frozenset({"verdict", "tinh trang", "trang thai", "ket qua", "danh gia", "tien do", "tinh trang xu ly",
                          "tinh trang han", "ket qua giai quyet", "ket qua xu ly"}),
    "received_at": frozenset({"received_at", "ngay tiep nhan", "ngay nhan", "thoi gian tiep nhan", "ngay nhan ho so",
                              "thoi diem tiep nhan"}),
    "due_at": frozenset({"due_at", "ngay hen tra", "hen tra", "han tra", "han xu ly", "han giai quyet", "ngay hen",
                         "thoi han giai quyet", "ngay hen tra ket qua"}),
    "finished_at": frozenset({"finished_at", "ngay ket thuc", "ngay ket thuc xu ly", "ngay hoan thanh", "ngay tra",
                              "ngay co ket qua", "ngay xu ly xong", "ngay tra ket qua"}),
    "unit": frozenset({"unit", "agency", "don vi", "co quan", "don vi xu ly", "don vi tiep nhan", "co quan thuc hien",
                       "co quan giai quyet", "don vi giai quyet", "ten don vi"}),
}  # fmt: skip
#: Words of a verdict, folded: the first that a cell contains decides.
_WORDS = (
    (True, ("qua han", "tre han", "tre hen", "cham han", "cham tiep nhan", "late", "overdue")),
    (False, ("dung han", "truoc han", "som han", "trong han", "con han", "chua den han", "on_time", "early", "in_time",
             "sap den han")),
)  # fmt: skip
#: The heading is looked for in so many first rows: titles stand above it.
_TITLE_ROWS = 20
_CODE = re.compile(r"^[0-9A-ZĐ][0-9A-ZĐ.]*-\d{6,8}-\d{1,7}$")
_DAY = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$")
_DAY_TIME = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})[ ,]+(\d{1,2})[:h](\d{2})(?::(\d{2}))?$")
_TIME_DAY = re.compile(r"^(\d{1,2})[:h](\d{2})(?::(\d{2}))?[ ,]+(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the letter or export says of itself."""

    dated_at: datetime
    document: str = ""
    unit: str = ""
    measure: str = PublishedList.Measure.ALL
    stated_count: int | None = None
    source: str = ""


@dataclass(slots=True)
class TakenIn:
    """What became of a list: rows kept and refused (line, reason), and whether it was here before."""

    list_id: int = 0
    rows: int = 0
    late: int = 0
    repeated: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    already: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    code: str
    late: bool
    instants: Mapping[str, datetime | None]
    unit: str
    raw: str


def code_as_written(text: str) -> str:
    """A dossier code as people paste it: without blanks and invisible signs, in capitals."""
    return re.sub(r"[\s\u200b\u200c\u200d\ufeff]+", "", text).strip(".,;'\"").upper()


def take_in(path: Path, head: Head, *, at: datetime, keep_going: bool = False) -> TakenIn:
    """Keeps a list whole; the same file under the same head again changes nothing.

    A row that cannot be read ends it with `Fault` and nothing kept, or, with `keep_going`, is refused with its reason.
    Raises `Unreadable` where no column holds dossier codes.
    """
    if head.measure not in PublishedList.Measure.values:
        raise Unreadable(f"no measure {head.measure!r}; there are: {', '.join(PublishedList.Measure.values)}")
    digest = hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()
    same: dict[str, Any] = {"digest": digest, "measure": head.measure, "unit": head.unit, "dated_at": head.dated_at}
    known = PublishedList.objects.filter(**same, withdrawn_at=None).first()
    if known is not None:
        return TakenIn(known.pk, rows=known.rows.count(), already=True)
    result = TakenIn()
    rows: dict[str, _Row] = {}
    for row in _read(path, result.refused if keep_going else None):
        result.repeated += row.code in rows
        rows.setdefault(row.code, row)
    if not rows:
        raise Fault(path.name, 0, "", "no dossier in this list")
    with transaction.atomic():
        kept = PublishedList.objects.create(
            document=head.document, dated_at=head.dated_at, unit=head.unit, measure=head.measure,
            stated_count=head.stated_count, source=head.source, file=path.name, digest=digest, stored_at=at,
        )  # fmt: skip
        PublishedRow.objects.bulk_create(
            (
                PublishedRow(list=kept, row=row.line, code=row.code, late=row.late, unit=row.unit[:300], raw=row.raw,
                             **row.instants)
                for row in rows.values()
            ),
            batch_size=2_000,
        )  # fmt: skip
    result.list_id, result.rows, result.late = kept.pk, len(rows), sum(row.late for row in rows.values())
    return result


def withdraw(list_id: int, *, at: datetime) -> PublishedList:
    """Takes a list out of every figure; it stays kept. Raises `Unreadable` where there is none in force."""
    kept = PublishedList.objects.filter(pk=list_id, withdrawn_at=None).first()
    if kept is None:
        raise Unreadable(f"no list {list_id} in force")
    kept.withdrawn_at = at
    kept.save(update_fields=["withdrawn_at"])
    return kept


# ---- reading ----------------------------------------------------------------------------------------------------


def _read(path: Path, refused: list[tuple[int, str]] | None) -> Iterator[_Row]:
    rows = _cells(path)
    first: list[tuple[int, Sequence[Any]]] = []
    found: dict[str, int] = {}
    headings: list[str] = []
    for line, cells in rows:
        found = _columns(cells)
        if "code" in found:
            headings = [str(cell).strip() for cell in cells]
            break
        first.append((line, cells))
        if len(first) > _TITLE_ROWS:
            break
    if "code" not in found:  # no heading: a bare list of codes
        number = next((n for _, cells in first for n, cell in enumerate(cells) if _is_code(cell)), None)
        if number is None:
            raise Fault(path.name, 0, "", "no column holds dossier codes; name one “Mã hồ sơ”")
        found = {"code": number}
        first = [(line, cells) for line, cells in first if len(cells) > number and _is_code(cells[number])]
        source: Iterator[tuple[int, Sequence[Any]]] = _chained(first, rows)
    else:
        source = rows
    for line, cells in source:
        try:
            row = _row(line, cells, found, headings)
        except Unreadable as error:
            if refused is None:
                raise Fault(path.name, line, "", str(error)) from None
            refused.append((line, str(error)))
            continue
        if row is not None:
            yield row


def _chained(
    first: Sequence[tuple[int, Sequence[Any]]], rest: Iterator[tuple[int, Sequence[Any]]]
) -> Iterator[tuple[int, Sequence[Any]]]:
    yield from first
    yield from rest


def _cells(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows of a workbook or a text file, whatever their width."""
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsb", ".ods"):
        yield from sources.sheet_rows(path)
        return
    lines = sources.lines(path)
    head = [line for _, line in zip(range(_TITLE_ROWS), lines, strict=False)]
    delimiter = max(",;\t|", key=lambda sign: sum(line.count(sign) for line in head))
    reader = csv.reader(_both(head, lines), delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise Fault(path.name, reader.line_num, "", f"{error}; save the list as CSV again") from None


def _both(head: Sequence[str], rest: Iterator[str]) -> Iterator[str]:
    yield from head
    yield from rest


def _columns(cells: Sequence[Any]) -> dict[str, int]:
    """Which column holds what, by the headings; the first of each kind."""
    found: dict[str, int] = {}
    for number, cell in enumerate(cells):
        heading = fold(str(cell)).strip(" .:*()")
        for name, known in HEADINGS.items():
            if heading in known:
                found.setdefault(name, number)
    return found


def _is_code(cell: Any) -> bool:
    return bool(_CODE.match(code_as_written(str(cell))))


def _row(line: int, cells: Sequence[Any], places: Mapping[str, int], headings: Sequence[str]) -> _Row | None:
    """A row; None for one without a code that holds no text but a sum or a signature. Raises `Unreadable`."""

    def cell(name: str) -> str:
        number = places.get(name)
        return str(cells[number]).strip() if number is not None and number < len(cells) else ""

    code = code_as_written(cell("code"))
    if not _CODE.match(code):
        if not any(character.isdigit() for character in code):
            return None  # an empty line, a total, the signature below the table
        raise Unreadable(f"{cell('code')!r} is not a dossier code such as H99.12-260302-0001")
    instants = {name: _instant(cell(name), name) for name in ("received_at", "due_at", "finished_at")}
    raw = dict(zip(headings, map(str, cells), strict=False)) if headings else {"": [str(value) for value in cells]}
    return _Row(line, code, _late(cell("verdict")), instants, cell("unit"), json.dumps(raw, ensure_ascii=False))


def _late(text: str) -> bool:
    """The verdict in words; a list without a word is a list of late dossiers."""
    words = fold(text)
    if not words:
        return True
    for late, known in _WORDS:
        if any(word in words for word in known):
            return late
    raise Unreadable(f"{text!r} is not a verdict such as “Quá hạn” or “Đúng hạn”")


def _instant(text: str, name: str) -> datetime | None:
    """An instant as lists write it. A due day without a time is due when offices close on it. Raises `Unreadable`."""
    if not text or text in ("-", "0"):
        return None
    try:
        if found := _DAY.match(text):
            at = datetime(int(found[3]), int(found[2]), int(found[1]), tzinfo=VIET_NAM)
            return _closing(at) if name == "due_at" else at
        if found := _DAY_TIME.match(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=VIET_NAM)
        if found := _TIME_DAY.match(text):
            hour, minute, second, day, month, year = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=VIET_NAM)
        at = parse_instant(text)
    except ValueError:
        raise Unreadable(f"{text!r} is not a day such as 05/03/2026 or 05/03/2026 17:00") from None
    return _closing(at) if name == "due_at" and len(text) <= len("2026-03-05") else at


def _closing(day: datetime) -> datetime:
    calendar = viet_nam()
    return calendar.closing(day.date()) if calendar.is_workday(day.date()) else day


# ---- what is in force -------------------------------------------------------------------------------------------


def in_force() -> list[dict[str, Any]]:
    """Every list with its numbers, the newest first."""
    from django.db.models import Count, Q

    lists = PublishedList.objects.annotate(n=Count("rows"), late=Count("rows", filter=Q(rows__late=True)))
    return [
        {
            "list": kept.pk, "document": kept.document, "dated_at": iso(kept.dated_at), "unit": kept.unit,
            "measure": kept.measure, "stated_count": kept.stated_count, "file": kept.file, "rows": kept.n,
            "late": kept.late, "withdrawn_at": iso(kept.withdrawn_at) if kept.withdrawn_at else None,
        }
        for kept in lists.order_by("-dated_at", "-pk")
    ]  # fmt: skip


def columns() -> dict[str, NDArray[Any]]:
    """Every row of the lists in force, as columns: instants in seconds UTC, masked where absent.

    `other` is the code under the other generation's agency form: lists and records need not write the same one.
    `has_due`, `has_finish`: whether the list tells these of its dossiers at all; where it does, absent means none.
    """
    lists = {kept.pk: kept for kept in PublishedList.objects.filter(withdrawn_at=None)}
    tells = {
        row["list"]: row
        for row in PublishedRow.objects.filter(list__in=lists)
        .values("list")
        .annotate(due=Max("due_at"), finish=Max("finished_at"))
    }
    rows: list[tuple[Any, ...]] = list(
        PublishedRow.objects.filter(list__in=lists)
        .order_by("list", "row")
        .values_list("list", "code", "late", "received_at", "due_at", "finished_at", "unit")
    )
    resolve = names.resolver()

    def seconds(number: int) -> Any:
        values = (MISSING if row[number] is None else to_microseconds(row[number]) // 1_000_000 for row in rows)
        return masked(np.fromiter(values, np.int64, len(rows)))

    def of_list(value: Callable[[PublishedList], Any]) -> list[Any]:
        known = {key: value(kept) for key, kept in lists.items()}
        return [known[row[0]] for row in rows]

    return {
        "code": texts([row[1] for row in rows]),
        "other": texts([_other_form(row[1]) for row in rows]),
        "list": np.array([row[0] for row in rows], np.int64),
        "measure": texts(of_list(lambda kept: kept.measure)),
        "about": texts(of_list(lambda kept: kept.unit)),
        "stated_at": np.array(of_list(lambda kept: int(kept.dated_at.timestamp())), np.int64),
        "late": np.array([row[2] for row in rows], bool),
        "received_at": seconds(3),
        "due_at": seconds(4),
        "finished_at": seconds(5),
        "has_due": np.array([tells[row[0]]["due"] is not None for row in rows], bool),
        "has_finish": np.array(
            [lists[row[0]].measure == "open" or tells[row[0]]["finish"] is not None for row in rows], bool
        ),
        "unit_name": texts([row[6] for row in rows]),
        "unit": texts([resolve(row[6]) if row[6] else "" for row in rows]),
    }


def mark() -> str:
    """Changes with every list that comes or goes."""
    kept = PublishedList.objects.order_by("pk").values_list("pk", "withdrawn_at")
    return hashlib.blake2b(repr(list(kept)).encode(), digest_size=8).hexdigest()


def _other_form(code: str) -> str:
    agency = agency_of_dossier(code)
    other = next((form for form in agency_forms(agency) if form != agency), agency)
    return other + code.removeprefix(agency)
