"""Petitions (phản ánh, kiến nghị) from a list of the system that keeps them: `motcua import FILE --as petitions`.

A list has a row a petition: `petition, agency, received_at` and, where they happened, `refused_at, asked_at,
answered_at, published_at, transferred_at`. A newer list replaces what an older one said of the same petition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from motcua.catalogue import names
from motcua.dossiers.importing import sources
from motcua.dossiers.importing.sources import Fault
from motcua.inspection import petitions
from motcua.inspection.ours import Catalogue
from motcua.oversight.models import Petition
from motcua.rules.instants import Unreadable, local_day, parse_instant
from motcua.rules.workdays import WorkCalendar

_WANTED = ("petition", "agency", "received_at")
_ACTS = ("refused_at", "asked_at", "answered_at", "published_at", "transferred_at")


@dataclass(slots=True)
class TakenIn:
    """What became of a list: petitions kept, and rows refused (line, reason)."""

    petitions: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def take_in(path: Path, *, at: datetime, keep_going: bool = False) -> TakenIn:
    """Keeps a list.

    A row that cannot be read ends it with `Fault` and nothing kept, or, with `keep_going`, is refused.
    """
    result, resolve = TakenIn(), names.resolver()
    rows: dict[str, Petition] = {}

    def refuse(line: int, reason: str) -> None:
        if not keep_going:
            raise Fault(path.name, line, "", reason)
        result.refused.append((line, reason))

    for line, cells in sources.table(path):
        lacking = [name for name in _WANTED if name not in cells]
        if lacking:
            raise Fault(path.name, 0, lacking[0], f"the header wants {', '.join((*_WANTED, *_ACTS))}")
        try:
            row = _row(cells, resolve(str(cells["agency"] or "").strip()), at)
        except Unreadable as error:
            refuse(line, str(error))
            continue
        row.file, row.stored_at = path.name[:255], at
        rows[row.code] = row
    with transaction.atomic():
        Petition.objects.bulk_create(
            rows.values(), batch_size=500, update_conflicts=True, unique_fields=["code"],
            update_fields=["agency", "received_at", *_ACTS, "file", "stored_at"],
        )  # fmt: skip
    result.petitions = len(rows)
    return result


def _row(cells: Mapping[str, Any], agency: str | None, at: datetime) -> Petition:
    code = str(cells["petition"] or "").strip()
    if not code or len(code) > 100:
        raise Unreadable("a petition has a code of at most 100 letters")
    if not agency:
        raise Unreadable(f"no agency {cells['agency']!r}")
    instants = {name: _instant(cells.get(name)) for name in ("received_at", *_ACTS)}
    received = instants.pop("received_at")
    if received is None:
        raise Unreadable(f"petition {code}: received_at is empty")
    for name, instant in {"received_at": received, **instants}.items():
        if instant is not None and not received <= instant <= at:
            raise Unreadable(f"petition {code}: {name} is before its receipt or still to come")
    return Petition(code=code, agency=agency, received_at=received, **instants)


def _instant(value: Any) -> datetime | None:
    text = str(value or "").strip()
    return parse_instant(text) if text else None


def known(catalogue: Catalogue, *, as_of: datetime, known_at: datetime | None) -> tuple[petitions.Petition, ...] | None:
    """Every petition as it stood at an instant, by the lists that had come in by another; None: no list ever came."""
    rows = Petition.objects.filter(received_at__lte=as_of).order_by("agency", "code")
    if known_at is not None:
        rows = rows.filter(stored_at__lte=known_at)
    if not rows and not Petition.objects.exists():
        return None
    return tuple(_told(row, catalogue.calendars[catalogue.calendar_name(row.agency)], as_of) for row in rows)


def _told(row: Petition, calendar: WorkCalendar, as_of: datetime) -> petitions.Petition:
    received = local_day(row.received_at)
    when = {name.removesuffix("_at"): getattr(row, name) for name in _ACTS}
    days_of = {name: local_day(at) for name, at in when.items() if at is not None and at <= as_of}
    days: dict[str, int] = {}
    if "transferred" not in days_of:
        days = {name: _workdays(calendar, received, day) for name, day in days_of.items() if name != "published"}
        if not days:
            days["waiting"] = _workdays(calendar, received, local_day(as_of))
        if "published" in days_of and "answered" in days_of:
            days["published"] = _workdays(calendar, days_of["answered"], days_of["published"])
    return petitions.Petition(
        code=row.code, agency=row.agency, received_s=int(row.received_at.timestamp()), days=days
    )  # fmt: skip


def _workdays(calendar: WorkCalendar, start: date, end: date) -> int:
    """The working days after a day, up to and with another."""
    span = range(start.toordinal() + 1, end.toordinal() + 1)
    return sum(calendar.is_workday(date.fromordinal(day)) for day in span)
