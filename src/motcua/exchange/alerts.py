"""What a person is to look at: raised once, told again only when it was over in between, acknowledged by name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min

from motcua.exchange import breaker, remedies, senders, tickets
from motcua.exchange.models import Alert, Delivery
from motcua.jobs import lease
from motcua.rules.instants import Unreadable

Kind = Alert.Kind
_LIMIT_MINUTES = 60
#: (kind, subject) and the facts of it.
Condition = tuple[tuple[str, str], dict[str, Any]]


def limit() -> timedelta:
    """How long a message may wait before it is an alert. Raises `Unreadable`."""
    value = os.environ.get("MOTCUA_OLDEST_WAITING_MINUTES", str(_LIMIT_MINUTES))
    if not value.isdigit() or not int(value):
        raise Unreadable(f"MOTCUA_OLDEST_WAITING_MINUTES {value!r}: write a number of minutes, 1 or more")
    return timedelta(minutes=int(value))


def evaluate(*, now: datetime) -> int:
    """Raises what is new, goes on with what lasts, ends what is over. Returns how many last."""
    conditions = dict(_conditions(now))
    with transaction.atomic():
        standing = {(row.kind, row.subject): row for row in Alert.objects.select_for_update().filter(over_at=None)}
        for (kind, subject), facts in conditions.items():
            row = standing.pop((kind, subject), None)
            if row is None:
                Alert.objects.create(kind=kind, subject=subject, facts=facts, first_at=now, last_at=now)
            else:
                row.facts, row.last_at = facts, now
                row.save(update_fields=["facts", "last_at"])
        for row in standing.values():
            row.over_at = now
            row.save(update_fields=["over_at"])
    return len(conditions)


def _conditions(now: datetime) -> Iterator[Condition]:
    """What is wrong now; spans in seconds."""
    for endpoint in breaker.in_use().filter(retry_at__isnull=False):
        answered_at = endpoint.answered_at
        yield (
            (Kind.BREAKER_OPEN, endpoint.url),
            {"answered_at": answered_at and answered_at.isoformat(), "error": endpoint.error[:300]},
        )
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    oldest = waiting.aggregate(m=Min("at"))["m"]
    if oldest is not None and now - oldest > limit():
        yield (Kind.OLDEST_WAITING, ""), {"age_s": int((now - oldest).total_seconds()), "count": waiting.count()}
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).values_list("error", flat=True)
    for words, count in Counter(map(remedies.plain, dead)).items():  # what is refused otherwise is a new alert
        yield (Kind.DEAD_LETTERS, words[:500]), {"count": count}
    for source in senders.listed(now=now):
        if source["silent"]:
            yield (
                (Kind.SILENT_SENDER, source["sender"]),
                {"name": source["name"], "silence_s": source["silence_s"], "usual_per_hour": source["usual_per_hour"]},
            )
    for job in lease.health(now=now):
        if job["silent"]:
            yield (Kind.SILENT_JOB, job["name"]), {"age_s": job["heartbeat_age_s"]}
    for ticket in tickets.overdue(now=now):
        yield (
            (Kind.TICKET_OVERDUE, str(ticket["ticket"])),
            {"due_at": ticket["due_at"].isoformat(), "left": ticket["left"], "owner": ticket["owner"]},
        )


def listed() -> list[dict[str, Any]]:
    """Alerts that last, those that nobody has acknowledged first, the oldest of them first."""
    found = [
        {
            "alert": row.pk, "kind": row.kind, "subject": row.subject, "facts": row.facts, "first_at": row.first_at,
            "last_at": row.last_at, "acknowledged_at": row.acknowledged_at, "acknowledged_by": row.acknowledged_by,
        }
        for row in Alert.objects.filter(over_at=None).order_by("first_at", "pk")
    ]  # fmt: skip
    return sorted(found, key=lambda row: row["acknowledged_at"] is not None)


@transaction.atomic
def acknowledge(number: int, *, by: str, at: datetime) -> Alert:
    """Somebody knows. Raises `Unreadable`."""
    row = Alert.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise Unreadable(f"no alert {number}")
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = at, by
        row.save(update_fields=["acknowledged_at", "acknowledged_by"])
    return row
