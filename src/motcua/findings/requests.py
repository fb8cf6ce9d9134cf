"""Yêu cầu giải trình: findings sent to their agencies, to be answered in working days of each agency's calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from motcua.catalogue import calendars, settings
from motcua.catalogue.models import Agency
from motcua.findings import record
from motcua.findings.models import Finding, Request
from motcua.findings.record import Done
from motcua.inspection.life import ASKED, Person, State
from motcua.ledger import audit
from motcua.rules.instants import Unreadable, iso, local_day
from motcua.rules.moves import Refused
from motcua.rules.workdays import WorkCalendar

#: Working days in which an agency answers, where nobody says otherwise: ours; a province's own order replaces it.
ANSWER_DAYS = 5
SETTING = "findings.answer_days"
MOST_DAYS = 60


def answer_days() -> int:
    """The working days in force."""
    return int(settings.get(SETTING, ANSWER_DAYS))


def due(agency: str, *, at: datetime, days: int, calendar: WorkCalendar | None = None) -> datetime:
    """The closing of the last working day, by the agency's calendar. Raises `Unreadable` for a number out of range."""
    if not 1 <= days <= MOST_DAYS:
        raise Unreadable(f"{days} working days: write 1 to {MOST_DAYS}")
    known = calendar or calendar_of(agency)
    return known.closing(known.add_workdays(local_day(at), days))


def calendar_of(agency: str) -> WorkCalendar:
    """The calendar by which an agency works."""
    name = Agency.objects.filter(code=agency).values_list("calendar", flat=True).first() or "vn"
    return calendars.load(name if name in calendars.names() else "vn")


@dataclass(slots=True)
class Sent:
    """What came of sending: the requests, and the findings that could not be sent."""

    requests: list[Request] = field(default_factory=list)
    refused: list[tuple[int, Refused]] = field(default_factory=list)


@transaction.atomic
def send(numbers: Sequence[int], *, by: Person, at: datetime, days: int | None = None, note: str = "") -> Sent:
    """Sends findings to the agencies that they concern: one request an agency. Raises `Unreadable`.

    A finding without an agency, or that is not new, is refused and told; the rest goes.
    """
    sent = Sent()
    wanted = days if days is not None else answer_days()
    by_agency: dict[str, list[int]] = {}
    for number, agency in _agencies(numbers):
        if agency:
            by_agency.setdefault(agency, []).append(number)
        else:
            sent.refused.append((number, Refused("finding.nobody_named")))
    for agency, members in sorted(by_agency.items()):
        due_at = due(agency, at=at, days=wanted)
        request = Request.objects.create(
            agency=agency, sent_at=at, sent_by=by.name, due_at=due_at, note=note.strip()
        )  # fmt: skip
        body = {"request": request.pk, "due_at": iso(due_at), "note": note.strip()}
        done = record.act_on_all(members, "sent", by=by, at=at, body=body, also={"request": request})
        sent.refused += done.refused
        if done.done:
            sent.requests.append(request)
        else:
            request.delete()
    return sent


def _agencies(numbers: Sequence[int]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    chosen = sorted(set(numbers))
    for start in range(0, len(chosen), record.AT_ONCE):
        part = Finding.objects.filter(pk__in=chosen[start : start + record.AT_ONCE]).order_by("pk")
        found += part.values_list("pk", "agency")
    return found


def ask_again(numbers: Sequence[int], *, by: Person, at: datetime, note: str, days: int | None = None) -> Done:
    """The answer does not suffice: asked again, with a new answer date."""
    known: dict[str, str] = {}

    def body(row: Finding) -> Mapping[str, Any]:
        if row.agency not in known:
            known[row.agency] = iso(due(row.agency, at=at, days=days if days is not None else answer_days()))
        return {"due_at": known[row.agency], "note": note.strip()}

    return record.act_on_all(numbers, "asked_again", by=by, at=at, body=body)


def extend(numbers: Sequence[int], *, by: Person, at: datetime, due_at: datetime, note: str = "") -> Done:
    """A later answer date, asked for or not."""
    body = {"due_at": iso(due_at), "note": note.strip()}
    return record.act_on_all(numbers, "extended", by=by, at=at, body=body)


def ask_extension(request: int, *, by: Person, at: datetime, days: int, note: str) -> Done:
    """The agency asks for more time for all of a request that waits for its answer."""
    row = Request.objects.get(pk=request)
    waiting = list(row.findings.filter(state__in=[str(s) for s in ASKED]).values_list("pk", "due_at"))
    dues: list[Any] = [due_at for _, due_at in waiting if due_at]
    wanted = due(row.agency, at=max([row.due_at, *dues, at]), days=days)
    return record.act_on_all(
        [number for number, _ in waiting], "extension_asked", by=by, at=at, body={"to": iso(wanted), "note": note}
    )


@transaction.atomic
def typed_back(number: int, *, document: str, dated_on: date, by: str, at: datetime) -> Request:
    """Number and date of the signed letter, as the document system gave them. Raises `Unreadable`."""
    row = Request.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise Unreadable(f"no request {number}")
    if not document.strip():
        raise Unreadable("the number of the letter is empty")
    before = {"number": row.number, "dated_on": row.dated_on and row.dated_on.isoformat()}
    row.number, row.dated_on = document.strip()[:100], dated_on
    row.save(update_fields=["number", "dated_on"])
    after = {"number": row.number, "dated_on": dated_on.isoformat()}
    audit.record(at=at, actor=by, table="findings_request", key=str(number), before=before, after=after)
    return row


def listed(visible: QuerySet[Finding, Finding], *, now: datetime, open_only: bool = False) -> list[dict[str, Any]]:
    """Requests with their counts, those that still wait first, then by answer date."""
    asked = [str(state) for state in ASKED]
    rows = (
        visible.exclude(request=None)
        .values("request", "agency")
        .annotate(
            findings=Count("pk"),
            dossiers=Count("subject", distinct=True),
            waiting=Count("pk", filter=Q(state__in=asked)),
            to_approve=Count("pk", filter=Q(state=str(State.TO_APPROVE))),
            overdue=Count("pk", filter=Q(state__in=asked, due_at__lt=now)),
            answered=Count("pk", filter=Q(state=str(State.ANSWERED))),
            to_remedy=Count("pk", filter=Q(state=str(State.TO_REMEDY))),
        )
    )
    heads = Request.objects.in_bulk([row["request"] for row in rows])
    names = dict(Agency.objects.values_list("code", "name"))
    found = [
        {**row, "head": heads[row["request"]], "agency_name": names.get(row["agency"], row["agency"])}
        for row in rows
        if not open_only or row["waiting"] or row["to_remedy"]
    ]
    return sorted(found, key=lambda row: (not row["waiting"], row["head"].due_at, row["request"]))
