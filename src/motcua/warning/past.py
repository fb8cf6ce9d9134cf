"""Reads the house's history for learning, and its open dossiers for warning; blocks at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import F

from motcua.dossiers.models import DossierRow
from motcua.inspection.forecast.history import History, history
from motcua.inspection.ours import Catalogue, ours
from motcua.oversight import reading
from motcua.oversight.reading import Choice

_BLOCK = 500
#: Dossiers read to learn from at most: of more, every second, third, … one.
MOST = 40_000
_YEARS = timedelta(days=3 * 366)


def learnable(*, now: datetime, advance: Callable[[int], None] = lambda n: None) -> History:
    """Dossiers accepted in the last three years, evenly thinned where they are very many.

    Where the newest is older than that (a log that was loaded to try the method), the three years end with it.
    """
    accepted = DossierRow.objects.filter(accepted_at__isnull=False)
    last = accepted.order_by("-accepted_at").first()
    if last is not None:
        accepted = accepted.filter(accepted_at__gte=min(now, last.accepted_at) - _YEARS)
    every = -(-accepted.count() // MOST)
    if every > 1:
        accepted = accepted.annotate(turn=F("position") % every).filter(turn=0)
    return _read(list(accepted.order_by("code").values_list("code", flat=True)), advance)


def open_now(*, codes: Sequence[str] | None = None) -> Iterable[History]:
    """The open dossiers, in blocks."""
    open_ = DossierRow.objects.filter(accepted_at__isnull=False, finished_at=None, ended_at=None)
    if codes is not None:
        open_ = open_.filter(code__in=codes)
    found = list(open_.order_by("code").values_list("code", flat=True))
    catalogue = reading.catalogue()
    for start in range(0, len(found), 10 * _BLOCK):
        yield _joined([_block(found[at : at + _BLOCK], catalogue)
                       for at in range(start, min(start + 10 * _BLOCK, len(found)), _BLOCK)])  # fmt: skip


def _read(codes: Sequence[str], advance: Callable[[int], None]) -> History:
    catalogue = reading.catalogue()
    parts: list[History] = []
    for start in range(0, max(len(codes), 1), _BLOCK):
        block = codes[start : start + _BLOCK]
        parts.append(_block(block, catalogue))
        advance(len(block))
    return _joined(parts)


def _block(codes: Sequence[str], catalogue: Catalogue) -> History:
    headers, events = reading.our_rows(Choice(codes=codes or [""]))
    return history(headers, events, ours(headers, events, catalogue), catalogue)


_BY_ACT = frozenset({"known_at", "state", "pausing"})
_BY_DUE = frozenset({"due_known", "due_value", "due_paused"})


def _joined(parts: Sequence[History]) -> History:
    """Several histories as one: states under common numbers."""
    numbers: dict[str, int] = {}
    renamed = []
    for part in parts:
        for name in part.states:
            numbers.setdefault(name, len(numbers))
        table = np.array([numbers[name] for name in part.states], np.int32)
        renamed.append(replace(part, state=table[part.state] if len(part.state) else part.state))
    whole: dict[str, Any] = {}
    for each in fields(History):
        columns = [getattr(part, each.name) for part in renamed]
        if each.name == "calendars":
            whole[each.name] = columns[0]
        elif each.name == "states":
            whole[each.name] = tuple(numbers)
        elif each.name in ("starts", "due_starts"):
            counts = np.concatenate([np.diff(column) for column in columns])
            whole[each.name] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        else:
            whole[each.name] = np.concatenate(columns)
    return History(**whole)
