"""Petitions (phản ánh, kiến nghị) from lists of the system that keeps them, as the loads bring them in.

What a list said is kept beside what older ones said of the same petition: the newest counts that had come in by then
and was not withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from motcua.dossiers.importing.convert import PETITION_ACTS
from motcua.inspection import petitions
from motcua.inspection.ours import Catalogue
from motcua.oversight.models import Petition
from motcua.rules.instants import local_day, to_microseconds
from motcua.rules.workdays import WorkCalendar


def keep(rows: Iterable[Sequence[str]], *, file: str, at: datetime) -> None:
    """Keeps the rows of one list (columns: `PETITION_COLUMNS`); those that a killed process kept stay as they are."""
    Petition.objects.bulk_create(
        (
            Petition(
                code=code, agency=agency, received_at=datetime.fromisoformat(received), file=file[:255], stored_at=at,
                **{name: datetime.fromisoformat(text) if text else None
                   for name, text in zip(PETITION_ACTS, acts, strict=True)},
            )
            for code, agency, received, *acts in rows
        ),
        batch_size=500, ignore_conflicts=True,
    )  # fmt: skip


def withdraw(*, stored_at: datetime, at: datetime) -> None:
    """Takes a list out of every figure; what older lists said counts again."""
    Petition.objects.filter(stored_at=to_microseconds(stored_at), withdrawn_at=None).update(withdrawn_at=at)


def known(catalogue: Catalogue, *, as_of: datetime, known_at: datetime | None) -> tuple[petitions.Petition, ...] | None:
    """Every petition as it stood at an instant, by the lists that had come in by another; None: no list had."""
    rows = Petition.objects.filter(withdrawn_at=None)
    if known_at is not None:
        rows = rows.filter(stored_at__lte=known_at)
    newest = {row.code: row for row in rows.order_by("stored_at")}
    if not newest:
        return None
    return tuple(
        _told(row, catalogue.calendars[catalogue.calendar_name(row.agency)], as_of)
        for row in sorted(newest.values(), key=lambda row: (row.agency, row.code))
        if row.received_at <= as_of
    )


def _told(row: Petition, calendar: WorkCalendar, as_of: datetime) -> petitions.Petition:
    received = local_day(row.received_at)
    when = {name.removesuffix("_at"): getattr(row, name) for name in PETITION_ACTS}
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
