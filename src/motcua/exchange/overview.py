"""How the synchronisation stands, whole: what `status` tells, today, who has fallen silent, read-back, tickets."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from motcua.dossiers.models import ImportRun
from motcua.exchange import alerts, reconcile_figures, senders, status, tickets
from motcua.exchange.models import Delivery
from motcua.rules.instants import VIET_NAM


def report(*, now: datetime) -> dict[str, Any]:
    """All of it; instants as datetimes, spans in seconds, rates as shares or None where nothing was tried."""
    return {
        **status.report(now=now),
        "today": today(now=now),
        "sources": senders.listed(now=now),
        "files": _files(),
        "unmapped_kinds": dict(
            Delivery.objects.filter(state=Delivery.State.UNMAPPED).values_list("kind").annotate(n=Count("position"))
        ),
        "read_back": reconcile_figures.report(now=now),
        "tickets": _tickets(now),
        "alerts": alerts.listed(),
    }


def today(*, now: datetime) -> dict[str, Any]:
    """Messages since midnight on the office wall: taken, refused, tried without an answer; the share taken."""
    midnight = now.astimezone(VIET_NAM).replace(hour=0, minute=0, second=0, microsecond=0)
    ended = Delivery.objects.filter(done_at__gte=midnight)
    taken = ended.filter(state=Delivery.State.DELIVERED).count()
    refused = ended.filter(state=Delivery.State.DEAD).count()
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING, sent_at__gte=midnight)
    in_vain = waiting.exclude(error="").count()
    tried = taken + refused + in_vain
    return {
        "tried": tried, "taken": taken, "refused": refused, "in_vain": in_vain,
        "rate": taken / tried if tried else None,
    }  # fmt: skip


def _files() -> list[dict[str, Any]]:
    """Sources of which only files are known: the newest of each."""
    runs = ImportRun.objects.filter(finished_at__isnull=False).values("source").annotate(last_at=Max("finished_at"))
    return [{"source": row["source"], "last_at": row["last_at"]} for row in runs.order_by("source") if row["source"]]


def _tickets(now: datetime) -> dict[str, Any]:
    """Tickets that are not closed, by who owns the fault."""
    open_ = [row for row in tickets.listed(now=now) if row["state"] != "closed"]
    return {
        "open": len(open_),
        "by_owner": dict(Counter(row["owner_kind"] for row in open_)),
        "overdue": sum(row["overdue"] for row in open_),
        "oldest_s": max((row["age_s"] for row in open_), default=None),
    }
