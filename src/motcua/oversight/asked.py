"""What agencies were asked to explain: kept further down the river, told to the scan from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from motcua.inspection.asked import Asked

#: Whoever keeps requests for explanations adds a function here when it is ready: as of an instant, every agency that
#: was asked by then.
KEEPERS: list[Callable[[datetime], Iterable[Asked]]] = []


def of(as_of: datetime) -> tuple[Asked, ...] | None:
    """Every agency that was asked by an instant; None where nobody keeps that."""
    return tuple(one for keeper in KEEPERS for one in keeper(as_of)) if KEEPERS else None
