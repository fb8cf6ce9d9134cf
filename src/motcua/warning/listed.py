"""The list of warnings of the newest scan: by how long it can still be helped, then by code; keyset pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from motcua.warning.models import Scan, Warned


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which warnings: of an agency, of agencies that a person sees (None: all), from a chance on, those past help."""

    agency: str = ""
    scope: frozenset[str] | None = None
    least: float = 0.0
    past_help: bool = False


def newest() -> Scan | None:
    """The newest scan that came to its end; None: nothing was looked at yet."""
    return Scan.objects.filter(done=True).order_by("-pk").select_related("learned").first()


def every() -> QuerySet[Warned]:
    """The warnings of the newest scan."""
    scan = newest()
    return Warned.objects.none() if scan is None else Warned.objects.filter(scan=scan.pk)


def _found(chosen: Chosen) -> QuerySet[Warned]:
    found = every().filter(helped_until__isnull=chosen.past_help)
    if chosen.agency:
        found = found.filter(agency=chosen.agency)
    if chosen.scope is not None:
        found = found.filter(agency__in=sorted(chosen.scope))
    if chosen.least > 0:
        found = found.filter(share__gte=chosen.least)
    return found


def count(chosen: Chosen) -> int:
    """How many there are."""
    return _found(chosen).count()


def rows(chosen: Chosen, *, limit: int, after: tuple[datetime, str] | None = None) -> list[Warned]:
    """Those after a place in the order; where help is past, by due instant."""
    order = "due_at" if chosen.past_help else "helped_until"
    found = _found(chosen)
    if after is not None:
        at, code = after
        found = found.filter(Q(**{f"{order}__gt": at}) | Q(**{order: at, "dossier__gt": code}))
    return list(found.order_by(order, "dossier")[:limit])
