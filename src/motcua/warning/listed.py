"""The list of warnings of the newest scan, in one of three orders; keyset pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from motcua.warning.models import Scan, Warned

#: By how long it can still be helped (where help is past, by due instant), by the chance, by unit; then by code.
Order = Literal["help", "chance", "unit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which warnings, in which order: of an agency, of agencies that a person sees (None: all), from a chance on,
    those past help."""

    agency: str = ""
    scope: frozenset[str] | None = None
    least: float = 0.0
    past_help: bool = False
    order: Order = "help"

    @property
    def keys(self) -> tuple[str, ...]:
        """What the order goes by; with a minus, the greatest first."""
        until = "due_at" if self.past_help else "helped_until"
        by: dict[Order, tuple[str, ...]] = {"help": (until,), "chance": ("-chance",), "unit": ("agency", until)}
        return *by[self.order], "dossier"


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


def rows(chosen: Chosen, *, limit: int, after: Sequence[Any] = ()) -> list[Warned]:
    """Those after a place in the order."""
    found = _found(chosen).annotate(chance=Coalesce("share", -1.0))
    if after:
        found = found.filter(_beyond(chosen.keys, after))
    return list(found.order_by(*chosen.keys)[:limit])


def place(row: Warned, chosen: Chosen) -> tuple[Any, ...]:
    """The place of a row that `rows` gave, in its order."""
    return tuple(getattr(row, key.removeprefix("-")) for key in chosen.keys)


def _beyond(keys: Sequence[str], after: Sequence[Any]) -> Q:
    name, value = keys[0].removeprefix("-"), after[0]
    further = Q(**{f"{name}__{'lt' if keys[0].startswith('-') else 'gt'}": value})
    return further | Q(**{name: value}) & _beyond(keys[1:], after[1:]) if keys[1:] else further
