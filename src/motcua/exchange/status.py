"""How the synchronisation stands: backlog, age, errors, circuits, and what will be shown late because of us."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min

from motcua.exchange import backlog, breaker, remedies
from motcua.exchange.models import Delivery

#: How far ahead dossiers are looked for that become late on the portal only because something waits here.
AHEAD = timedelta(hours=24)


def report(*, now: datetime) -> dict[str, Any]:
    """Counts by state, the age of the oldest undelivered event, errors by message with what helps, each circuit."""
    states = dict(Delivery.objects.values_list("state").annotate(n=Count("position")))
    oldest = Delivery.objects.filter(state=Delivery.State.WAITING).aggregate(m=Min("at"))["m"]
    errors: Counter[str] = Counter()
    for message in Delivery.objects.filter(state=Delivery.State.DEAD).values_list("error", flat=True):
        errors[remedies.plain(message)] += 1
    late = backlog.late_because_of_us(now=now, within=AHEAD)
    return {
        **{state: states.get(state, 0) for state in Delivery.State.values},
        "oldest_waiting_s": int((now - oldest).total_seconds()) if oldest else None,
        "errors": [
            {"message": message, "count": count, "remedy": remedies.remedy(message)}
            for message, count in errors.most_common()
        ],
        "late_because_of_us": [{"dossier": code, "due_at": due_at} for code, due_at in late],
        "circuits": [
            {
                "url": endpoint.url, "state": breaker.state(endpoint, now=now), "answered_at": endpoint.answered_at,
                "retry_at": endpoint.retry_at, "error": endpoint.error,
            }
            for endpoint in breaker.in_use()
        ],
    }  # fmt: skip
