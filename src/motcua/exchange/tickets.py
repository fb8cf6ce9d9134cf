"""Phiếu xử lý đồng bộ: dossiers that differ for one cause go to whoever owns the fault; the data closes and reopens.

A dossier agrees when both sides are compared and equal, and only one that was seen to differ before can be said to
agree by that: what no comparison shows is closed by a person. A ticket whose dossiers all agree closes itself; one
whose dossiers differ again opens itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from motcua.catalogue import calendars
from motcua.exchange import looked_up
from motcua.exchange.looked_up import Verdict
from motcua.exchange.models import Ticket, TicketItem, TicketLine
from motcua.rules.instants import Unreadable, local_day

#: Working days in which whoever got a ticket is to answer it, where nobody says otherwise.
ALLOTTED_DAYS = 5
#: A closed ticket is watched so long for dossiers that differ again.
WATCHED = timedelta(days=30)
_MANY = 5_000
Act = TicketLine.Act


def open_(
    *, codes: Iterable[str], owner_kind: str, owner: str, cause: str, by: str, at: datetime, days: int = ALLOTTED_DAYS
) -> Ticket:
    """A new ticket over these dossiers, with the evidence of today. Raises `Unreadable`, naming what is missing."""
    lines = looked_up.compare(dict.fromkeys(codes))
    known = {line.dossier: line for line in lines if line.verdict is not Verdict.NOWHERE}
    if not known:
        raise Unreadable("none of these codes is known here or on the portal")
    if len(known) > _MANY:
        raise Unreadable(f"{len(known)} dossiers; a ticket holds {_MANY} at most")
    if owner_kind not in Ticket.Owner.values:
        raise Unreadable(f"owner {owner_kind!r} is none of {', '.join(Ticket.Owner.values)}")
    if not cause.strip():
        raise Unreadable("the cause is empty")
    if not 1 <= days <= 60:
        raise Unreadable(f"{days} working days: write 1 to 60")
    calendar = calendars.load("vn")
    due_at = calendar.closing(calendar.add_workdays(local_day(at), days))
    with transaction.atomic():
        ticket = Ticket.objects.create(
            owner_kind=owner_kind, owner=owner.strip()[:200], cause=cause.strip()[:200], opened_at=at, opened_by=by,
            due_at=due_at,
        )  # fmt: skip
        TicketItem.objects.bulk_create(
            [TicketItem(ticket=ticket, dossier=code, evidence=line.evidence(),
                        differed=_differs(line.verdict) or bool(line.found))
             for code, line in known.items()],
            batch_size=500,
        )  # fmt: skip
        _line(ticket, Act.OPENED, at=at, by=by, count=len(known))
    return ticket


def _differs(verdict: Verdict) -> bool:
    return verdict in (Verdict.DIFFERS, Verdict.ONLY_THERE)


def _line(ticket: Ticket, act: str, *, at: datetime, by: str = "", count: int = 0, note: str = "") -> None:
    TicketLine.objects.create(ticket=ticket, at=at, actor=by, act=act, count=count, note=note.strip())


def _locked(number: int) -> Ticket:
    ticket = Ticket.objects.select_for_update().filter(pk=number).first()
    if ticket is None:
        raise Unreadable(f"no ticket {number}")
    return ticket


@transaction.atomic
def send(number: int, *, by: str, at: datetime, note: str = "") -> Ticket:
    """Notes that a ticket went out to its owner. Raises `Unreadable`."""
    ticket = _locked(number)
    if ticket.state != Ticket.State.OPEN:
        raise Unreadable(f"ticket {number} is {ticket.state}, not open")
    ticket.state = Ticket.State.SENT
    ticket.save(update_fields=["state"])
    _line(ticket, Act.SENT, at=at, by=by, note=note)
    return ticket


@transaction.atomic
def note(number: int, text: str, *, by: str, at: datetime) -> Ticket:
    """Writes a line into the history. Raises `Unreadable`."""
    ticket = _locked(number)
    if not text.strip():
        raise Unreadable("the note is empty")
    _line(ticket, Act.NOTED, at=at, by=by, note=text)
    return ticket


@transaction.atomic
def close(number: int, *, by: str, at: datetime, note: str = "") -> Ticket:
    """Closes a ticket though the data does not. Raises `Unreadable`."""
    ticket = _locked(number)
    if ticket.state == Ticket.State.CLOSED:
        raise Unreadable(f"ticket {number} is closed already")
    ticket.state, ticket.closed_at = Ticket.State.CLOSED, at
    ticket.save(update_fields=["state", "closed_at"])
    _line(ticket, Act.CLOSED, at=at, by=by, note=note, count=ticket.items.filter(agrees_at=None).count())
    return ticket


@transaction.atomic
def reopen(number: int, *, by: str, at: datetime, note: str = "") -> Ticket:
    """Takes back a closing. Raises `Unreadable`."""
    ticket = _locked(number)
    if ticket.state != Ticket.State.CLOSED:
        raise Unreadable(f"ticket {number} is not closed")
    ticket.state, ticket.closed_at = Ticket.State.OPEN, None
    ticket.save(update_fields=["state", "closed_at"])
    _line(ticket, Act.REOPENED, at=at, by=by, note=note)
    return ticket


# ---- what the data says --------------------------------------------------------------------------------------------


def settle(*, at: datetime) -> int:
    """Holds every ticket that is open, or was closed by data lately, against the data. Returns how many changed.

    One that a person closed is left to people.
    """
    by_people = TicketLine.objects.filter(act__in=(Act.CLOSED, Act.CLOSED_BY_DATA)).order_by("at", "pk")
    closed_as = dict(by_people.values_list("ticket", "act"))
    watched = Ticket.objects.filter(~Q(state=Ticket.State.CLOSED) | Q(closed_at__gt=at - WATCHED))
    changed = 0
    for number, state in watched.order_by("pk").values_list("pk", "state"):
        if state == Ticket.State.CLOSED and closed_as.get(number) != Act.CLOSED_BY_DATA:
            continue
        changed += _settle(number, at)
    return changed


def _settle(number: int, at: datetime) -> bool:
    """One ticket; returns whether anything of it changed."""
    codes = list(TicketItem.objects.filter(ticket=number).values_list("dossier", flat=True))
    verdicts = {line.dossier: line.verdict for line in looked_up.compare(codes)}
    with transaction.atomic():
        ticket = _locked(number)
        agreed, differed, touched = [], [], []
        for item in ticket.items.select_for_update():
            verdict = verdicts.get(item.dossier)
            if verdict is Verdict.EQUAL and item.differed and item.agrees_at is None:
                item.agrees_at = at
                agreed.append(item)
            elif verdict is not None and _differs(verdict):
                if item.agrees_at is not None:
                    differed.append(item)
                elif item.differed:
                    continue
                item.agrees_at, item.differed = None, True
                touched.append(item)
        TicketItem.objects.bulk_update([*agreed, *touched], ["agrees_at", "differed"], batch_size=500)
        if agreed:
            _line(ticket, Act.AGREED, at=at, count=len(agreed))
        if differed:
            _line(ticket, Act.DIFFERED, at=at, count=len(differed))
        left = ticket.items.filter(agrees_at=None).count()
        if not left and ticket.state != Ticket.State.CLOSED:
            ticket.state, ticket.closed_at = Ticket.State.CLOSED, at
            _line(ticket, Act.CLOSED_BY_DATA, at=at, count=len(codes))
        elif left and ticket.state == Ticket.State.CLOSED:
            ticket.state, ticket.closed_at = Ticket.State.OPEN, None
            _line(ticket, Act.REOPENED_BY_DATA, at=at, count=left)
        ticket.save(update_fields=["state", "closed_at"])
    return bool(agreed or differed)


# ---- what there is -------------------------------------------------------------------------------------------------


def listed(*, now: datetime, state: str = "", limit: int = 1_000) -> list[dict[str, Any]]:
    """Tickets with their counts, those that are not closed first, the oldest of them first."""
    rows: QuerySet[Ticket, Ticket] = Ticket.objects.annotate(
        dossiers=Count("items"), left=Count("items", filter=Q(items__agrees_at=None))
    )
    if state:
        rows = rows.filter(state=state)
    ordered = sorted(rows, key=lambda row: (row.state == Ticket.State.CLOSED, row.opened_at))
    return [_told(row, now) for row in ordered[:limit]]


def _told(ticket: Any, now: datetime) -> dict[str, Any]:
    open_ = ticket.state != Ticket.State.CLOSED
    return {
        "ticket": ticket.pk, "state": ticket.state, "owner_kind": ticket.owner_kind, "owner": ticket.owner,
        "cause": ticket.cause, "dossiers": ticket.dossiers, "left": ticket.left, "opened_at": ticket.opened_at,
        "opened_by": ticket.opened_by, "due_at": ticket.due_at, "closed_at": ticket.closed_at,
        "age_s": int(((ticket.closed_at or now) - ticket.opened_at).total_seconds()),
        "overdue": open_ and ticket.due_at < now,
    }  # fmt: skip


def shown(number: int, *, now: datetime) -> dict[str, Any]:
    """A ticket with its dossiers and its history. Raises `Unreadable`."""
    ticket = Ticket.objects.filter(pk=number).annotate(
        dossiers=Count("items"), left=Count("items", filter=Q(items__agrees_at=None))
    ).first()  # fmt: skip
    if ticket is None:
        raise Unreadable(f"no ticket {number}")
    return {
        **_told(ticket, now),
        "items": [
            {"dossier": item.dossier, "agrees_at": item.agrees_at, "evidence": item.evidence}
            for item in ticket.items.order_by("dossier")
        ],
        "history": [
            {"at": line.at, "by": line.actor, "act": line.act, "count": line.count, "note": line.note}
            for line in ticket.lines.order_by("at", "pk")
        ],
    }  # fmt: skip


def overdue(*, now: datetime) -> list[dict[str, Any]]:
    """Tickets that nobody has settled in time."""
    return [row for row in listed(now=now) if row["overdue"]]
