"""What waits, dossier by dossier: the order in which it goes, and what will be shown late because it waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from motcua.exchange import urgency
from motcua.exchange.models import Endpoint
from motcua.exchange.urgency import Backlog
from motcua.rules.dossier import ENDED, Status
from motcua.rules.instants import from_microseconds, to_microseconds

#: What a message takes as long as nothing has been measured, in microseconds.
_MESSAGE_US = 3_000
_ENDS = frozenset({"finished", "returned", "refused", "withdrawn", "stopped"})
_MOVES_DUE = frozenset({"extended", "supplement_requested", "supplement_received", "resumed", "paid", "corrected"})


class _Waiting(NamedTuple):
    """A delivery that waits, and what the portal has acknowledged of its dossier; instants in microseconds."""

    dossier: str
    position: int
    kind: str
    at: int
    next_at: int | None
    status_there: int | None
    due_there: int | None


def _waiting() -> dict[str, list[_Waiting]]:
    """All that waits, by dossier, in order."""
    found: dict[str, list[_Waiting]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.dossier, d.position, d.kind, d.at, d.next_at, s.status, s.due_at FROM exchange_delivery d"
            " LEFT JOIN exchange_standing s ON s.dossier = d.dossier WHERE d.state = 'waiting' ORDER BY d.position"
        )
        for row in map(_Waiting._make, cursor.fetchall()):
            found.setdefault(row.dossier, []).append(row)
    return found


def backlogs(*, at: datetime) -> list[Backlog]:
    """What is due at `at`, dossier by dossier, in the order of the first event that waits."""
    now = to_microseconds(at)
    found = []
    for dossier, rows in _waiting().items():
        due = 0
        while due < len(rows) and (rows[due].next_at or 0) <= now:
            due += 1
        if due:
            late_at = _late_at(rows[:due])
            late_in_s = None if late_at is None else (late_at - now) / 1e6
            found.append(Backlog(dossier, rows[0].position, 2 * due, late_in_s))
    return found


def plan(url: str, *, at: datetime) -> list[str]:
    """The dossiers of which something is due at `at`, in the order in which they go."""
    message_us = Endpoint.objects.filter(url=url).values_list("message_us", flat=True).first()
    ordered = urgency.order(backlogs(at=at), message_s=(message_us or _MESSAGE_US) / 1e6)
    return [backlog.dossier for backlog in ordered]


def late_because_of_us(*, now: datetime, within: timedelta) -> list[tuple[str, datetime]]:
    """Dossiers that the portal shows late by then only because something waits here, with their due instants."""
    until = to_microseconds(now + within)
    late = [(at, code) for code, rows in _waiting().items() if (at := _late_at(rows)) is not None and at <= until]
    return [(code, from_microseconds(at)) for at, code in sorted(late)]


def _late_at(rows: Sequence[_Waiting]) -> int | None:
    """When the portal calls a dossier late that what waits would save; None where no delivery changes that."""
    status, due = rows[0].status_there, rows[0].due_there
    if status is None or due is None or status in ENDED or status == Status.SUPPLEMENT:
        return None  # absent, without due instant, ended or waiting there: time alone makes it late no more
    saved = any((row.kind in _ENDS and row.at <= due) or row.kind in _MOVES_DUE for row in rows)
    return due if saved else None
