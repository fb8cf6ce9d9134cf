"""How well read-back knows the portal: how many it has seen, what differs and why, how long it took to notice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F

from motcua.exchange.models import Difference, Looked, Repair

DAY = timedelta(hours=24)
#: Times to detect are told of what was found within this.
LATELY = timedelta(days=30)


def report(*, now: datetime) -> dict[str, Any]:
    """Seconds for the times to detect, None where nothing was found lately; counts for the rest, `by_why` of dossiers.

    Time to detect runs from our event, or from the last look that found both sides equal (what changes over there
    says not when), to the look that saw the difference. What is on its way and what differed before the first look
    has none.
    """
    open_ = Looked.objects.filter(ended=False, here=True)
    differing = Difference.objects.filter(closed_at=None)
    detected = Difference.objects.filter(first_seen__gt=now - LATELY, arose_at__isnull=False)
    detected = detected.exclude(why=Difference.Why.ON_THE_WAY).annotate(took=F("first_seen") - F("arose_at"))
    count = detected.count()

    def quantile(share: float) -> int | None:
        if not count:
            return None
        took = detected.order_by("took").values_list("took", flat=True)[min(int(share * count), count - 1)]
        return int(took) // 1_000_000

    seen = Looked.objects.exclude(seen_at=None).order_by("seen_at").values_list("seen_at", flat=True)
    repairs = Repair.objects.filter(at__gt=now - LATELY)
    return {
        "known": Looked.objects.count(),
        "open": open_.count(),
        "open_seen_in_a_day": open_.filter(seen_at__gt=now - DAY).count(),
        "never_seen": Looked.objects.filter(seen_at=None).count(),
        "oldest_seen_at": seen.first(),
        "dossiers_differing": Looked.objects.filter(differs=True).count(),
        "differences": differing.count(),
        "by_why": dict(differing.values_list("why").annotate(n=Count("dossier", distinct=True)).order_by("-n", "why")),
        "by_act": dict(differing.values_list("act").annotate(n=Count("pk")).order_by("-n")),
        "detected": count,
        "detect_median_s": quantile(0.5),
        "detect_p95_s": quantile(0.95),
        "repairs": {"made": repairs.count(), "worked": repairs.exclude(worked_at=None).count()},
    }


def dossiers(why: str) -> list[str]:
    """The dossiers of which something differs for this reason: as many as `by_why` counts."""
    rows = Difference.objects.filter(closed_at=None, why=why)
    return list(rows.order_by("dossier").values_list("dossier", flat=True).distinct())


def differences(*, dossiers: tuple[str, ...] = (), why: str = "", limit: int = 1_000) -> list[dict[str, Any]]:
    """What differs now, the newest first, with what is proposed."""
    rows = Difference.objects.filter(closed_at=None).order_by("-first_seen", "dossier", "name")
    if dossiers:
        rows = rows.filter(dossier__in=dossiers)
    if why:
        rows = rows.filter(why=why)
    names = ("dossier", "name", "ours", "there", "why", "words", "act", "arose_at", "first_seen", "last_seen")
    return list(rows.values(*names)[:limit])
