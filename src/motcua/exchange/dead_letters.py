"""Dead letters: what the portal refused, with what was sent, what it said and what helps; and sending them again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from motcua.exchange import remedies
from motcua.exchange.models import Delivery


def select(
    *, dossiers: Iterable[str] = (), positions: Iterable[int] = (), error: str = ""
) -> QuerySet[Delivery, Delivery]:
    """Dead letters of these dossiers and with these numbers (none named: of all), with a text in their error."""
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).order_by("position")
    if codes := list(dossiers):
        dead = dead.filter(dossier__in=codes)
    if numbers := list(positions):
        dead = dead.filter(position__in=numbers)
    return dead.filter(error__icontains=error) if error else dead


def listed(chosen: QuerySet[Delivery, Delivery], limit: int = 1000) -> list[dict[str, Any]]:
    """Each with its request, the portal's reply and the remedy."""
    return [
        {
            "position": letter.position, "dossier": letter.dossier, "kind": letter.kind, "status": letter.status,
            "attempts": letter.attempts, "sent_at": letter.sent_at, "error": letter.error,
            "remedy": remedies.remedy(letter.error), "request": json.loads(letter.request or "null"),
            "reply": letter.reply,
        }
        for letter in chosen[:limit]
    ]  # fmt: skip


def of(dossiers: Iterable[str]) -> list[dict[str, Any]]:
    """Those of these dossiers alone; none named: none."""
    codes = list(dossiers)
    return listed(select(dossiers=codes)) if codes else []


def replay(chosen: QuerySet[Delivery, Delivery], *, at: datetime) -> int:
    """Puts dead letters back to waiting, as if they had never been tried; returns how many."""
    return chosen.order_by().update(
        state=Delivery.State.WAITING, next_at=at, record_done=False, attempts=0, error="", request=""
    )
