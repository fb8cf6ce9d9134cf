"""Reads back through TraCuuHoSo what the portal holds of our dossiers: the copy `seen`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from motcua.dossiers.models import DossierRow
from motcua.exchange.deliver import NationalPortal
from motcua.mirror import seen

_BLOCK = 200


def run(
    *, portal: NationalPortal, at: datetime, codes: Iterable[str] | None = None, limit: int = 1_000_000
) -> tuple[int, int]:
    """Looks dossiers up, those due soonest first. Returns (looked up, found there)."""
    if codes is None:
        ours = DossierRow.objects.filter(origin="desk").order_by("ended_at", "due_at", "code")
        codes = ours.values_list("code", flat=True)[:limit]
    looked = found = 0
    block: list[tuple[str, dict[str, Any] | None]] = []
    for code in codes:
        reply = portal.call("TraCuuHoSo", mahoso=code)
        if not reply.ok:
            continue
        block.append((code, reply.result[0] if reply.result else None))
        looked += 1
        if len(block) >= _BLOCK:
            found += seen.store(block, at=at)
            block = []
    found += seen.store(block, at=at)
    return looked, found


def status(*, now: datetime) -> dict[str, Any]:
    """Backlog, age of the oldest undelivered event, errors by message."""
    from django.db.models import Count, Min

    from motcua.exchange.models import Delivery

    states = dict(Delivery.objects.values_list("state").annotate(n=Count("position")))
    oldest = Delivery.objects.filter(state=Delivery.State.WAITING).aggregate(m=Min("at"))["m"]
    errors = Delivery.objects.filter(state=Delivery.State.DEAD).values_list("error").annotate(n=Count("position"))
    return {
        **{state: states.get(state, 0) for state in Delivery.State.values},
        "oldest_waiting_s": int((now - oldest).total_seconds()) if oldest else None,
        "errors": [{"message": message, "count": count} for message, count in errors.order_by("-n")],
    }
