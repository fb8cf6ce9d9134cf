"""Lists in which the national portal states its own verdicts: its export, or the annex of a letter that quotes it.

On its first day a province has Excel lists, not messages. A list is kept as it came, row by row; what it says of a
dossier is the *stated* verdict, `shown` where no copy of the portal's record is known. Source: architecture §2.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max
from numpy.typing import NDArray

from motcua.catalogue import names
from motcua.dossiers.importing import grids, guess
from motcua.dossiers.importing.guess import Kind
from motcua.dossiers.importing.sources import Fault
from motcua.inspection.columns import MISSING, masked, texts
from motcua.oversight.models import PublishedList, PublishedRow
from motcua.rules.instants import Unreadable, iso, local_day, to_microseconds
from motcua.wire.codes import agency_forms, agency_of_dossier


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
class Row:
    """A row of a list: its line in the file, the dossier, whether it is late, what else it tells."""

    line: int
    code: str
    late: bool
    instants: Mapping[str, datetime | None]
    unit: str
    raw: str


def take_in(path: Path, head: Head, *, at: datetime, keep_going: bool = False) -> TakenIn:
    """Keeps a list whole; the same file under the same head again changes nothing.

    A row that cannot be read ends it with `Fault` and nothing kept, or, with `keep_going`, is refused with its reason.
    Raises `Unreadable` where no column holds dossier codes.
    """
    if head.measure not in PublishedList.Measure.values:
        raise Unreadable(f"no measure {head.measure!r}; there are: {', '.join(PublishedList.Measure.values)}")
    if local_day(head.dated_at) > local_day(at):
        raise Unreadable(f"the list speaks of {local_day(head.dated_at):%d/%m/%Y}, a day that is still to come")
    digest = hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()
    same: dict[str, Any] = {"digest": digest, "measure": head.measure, "unit": head.unit, "dated_at": head.dated_at}
    known = PublishedList.objects.filter(**same, withdrawn_at=None).first()
    if known is not None:
        return TakenIn(known.pk, rows=known.rows.count(), already=True)
    result = TakenIn()
    rows: dict[str, Row] = {}
    for row in _read(path, result.refused if keep_going else None):
        result.repeated += row.code in rows
        rows.setdefault(row.code, row)
    if not rows:
        raise Fault(path.name, 0, "", "no dossier in this list")
    with transaction.atomic():
        kept = open_list(head, file=path.name, digest=digest, at=at)
        add_rows(kept, list(rows.values()))
        put_in_force(kept)
    result.list_id, result.rows, result.late = kept, len(rows), sum(row.late for row in rows.values())
    return result


def open_list(head: Head, *, file: str, digest: str, at: datetime) -> int:
    """A list without rows, in no figure yet: `add_rows`, then `put_in_force`. Returns its number."""
    return PublishedList.objects.create(
        document=head.document, dated_at=head.dated_at, unit=head.unit, measure=head.measure,
        stated_count=head.stated_count, source=head.source, file=file, digest=digest, stored_at=at, withdrawn_at=at,
    ).pk  # fmt: skip


def add_rows(list_id: int, rows: Sequence[Row]) -> None:
    """Adds rows to a list that is not in force yet, all or none."""
    with transaction.atomic():
        PublishedRow.objects.bulk_create(
            (
                PublishedRow(list_id=list_id, row=row.line, code=row.code, late=row.late, unit=row.unit[:300],
                             raw=row.raw, **row.instants)
                for row in rows
            ),
            batch_size=2_000,
        )  # fmt: skip


def last_row(list_id: int) -> int:
    """The last line of the file that a list holds; 0 where it holds none."""
    return PublishedRow.objects.filter(list=list_id).aggregate(last=Max("row"))["last"] or 0


def put_in_force(list_id: int) -> int:
    """Puts a whole list in force. Returns the number of the list that is: where the same one came in meanwhile, that
    one, and this one stays out."""
    with transaction.atomic():
        kept = PublishedList.objects.select_for_update().get(pk=list_id)
        same: dict[str, Any] = {"digest": kept.digest, "measure": kept.measure, "unit": kept.unit,
                                "dated_at": kept.dated_at}  # fmt: skip
        other = PublishedList.objects.filter(**same, withdrawn_at=None).exclude(pk=list_id).first()
        if other is not None:
            return other.pk
        kept.withdrawn_at = None
        kept.save(update_fields=["withdrawn_at"])
        return kept.pk


def withdraw(list_id: int, *, at: datetime) -> PublishedList:
    """Takes a list out of every figure; it stays kept. Raises `Unreadable` where there is none in force."""
    kept = PublishedList.objects.filter(pk=list_id, withdrawn_at=None).first()
    if kept is None:
        raise Unreadable(f"no list {list_id} in force")
    kept.withdrawn_at = at
    kept.save(update_fields=["withdrawn_at"])
    return kept


# ---- reading ----------------------------------------------------------------------------------------------------


def _read(path: Path, refused: list[tuple[int, str]] | None) -> Iterator[Row]:
    rows = grids.rows(path)
    first = list(islice(rows, guess.TITLE_ROWS + 1))
    sheet = guess.sheet([cells for _, cells in first], Kind.PUBLISHED)
    if "code" not in sheet.columns:
        raise Fault(path.name, 0, "", "no column holds dossier codes; name one “Mã hồ sơ”")
    for line, cells in chain(first[sheet.start :], rows):
        try:
            row = _row(line, cells, sheet.columns, sheet.headings)
        except Unreadable as error:
            if refused is None:
                raise Fault(path.name, line, "", str(error)) from None
            refused.append((line, str(error)))
            continue
        if row is not None:
            yield row


def _row(line: int, cells: Sequence[Any], places: Mapping[str, int], headings: Sequence[str]) -> Row | None:
    """A row; None for one without a code that holds no text but a sum or a signature. Raises `Unreadable`."""

    def cell(name: str) -> str:
        number = places.get(name)
        return str(cells[number]).strip() if number is not None and number < len(cells) else ""

    code = guess.code_as_written(cell("code"))
    if not guess.is_code(code):
        if not any(character.isdigit() for character in code) or guess.is_sum([str(text) for text in cells]):
            return None  # an empty line, a total, the signature below the table
        raise Unreadable(f"{cell('code')!r} is not a dossier code such as H99.12-260302-0001")
    instants = {
        name: guess.instant(cell(name), closing=name == "due_at") for name in ("received_at", "due_at", "finished_at")
    }
    raw = dict(zip(headings, map(str, cells), strict=False)) if headings else {"": [str(value) for value in cells]}
    return Row(line, code, _late(cell("verdict")), instants, cell("unit"), json.dumps(raw, ensure_ascii=False))


def _late(text: str) -> bool:
    """The verdict in words; a list without a word is a list of late dossiers."""
    if not text:
        return True
    meant = guess.meaning("verdict", text)
    if not meant:
        raise Unreadable(f"{text!r} is not a verdict such as “Quá hạn” or “Đúng hạn”")
    return meant == "late"


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
        "stated_at": np.array(of_list(lambda kept: int(kept.speaks_from.timestamp())), np.int64),
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
