"""Reads the house's history for learning, and its open dossiers for warning; blocks at a time.

The open dossiers stay in the memory of the process that scans: a later scan reads only those of which something
arrived since. How busy the agencies are comes from the facts, of all dossiers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from django.db.models import F

from motcua.dossiers.models import DossierRow
from motcua.inspection.columns import MISSING
from motcua.inspection.engines import Manifest
from motcua.inspection.forecast.features import Traffic
from motcua.inspection.forecast.history import History, history
from motcua.inspection.ours import Catalogue, ours
from motcua.ledger import cursors
from motcua.ledger.models import EventRow
from motcua.oversight import extract, reading, reference
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


def traffic(home: Path, *, at: datetime, agencies: Iterable[str] | None = None) -> Traffic:
    """Receipts, ends and due instants of every dossier (of some agencies) from the facts, made where there are none."""
    if not extract.is_there(home):
        extract.run(home=home, at=at)
    folder = extract.facts_folder(home)
    where, values = "exists_here AND received_at IS NOT NULL", []
    if agencies is not None:
        values = sorted(set(agencies)) or [""]
        where += f" AND agency IN ({', '.join('?' * len(values))})"
    with duckdb.connect(config={"autoinstall_known_extensions": False, "memory_limit": "1GB"}) as db:
        found = db.execute(
            "SELECT agency, received_at, finish_at, greatest(finish_recorded_at, finish_at) AS finish_known_at,"
            f" due_0 AS due_at FROM ({extract.newest(folder, Manifest.read(folder), 'pairs')}) WHERE {where}",
            values,
        ).fetchnumpy()
    instants = {name: np.ma.filled(column, MISSING).astype(np.int64) for name, column in found.items()
                if name != "agency"}  # fmt: skip
    return Traffic(agency=np.ma.filled(found["agency"], "").astype(object), **instants)


@dataclass(slots=True)
class _Kept:
    """The open dossiers as a process last read them: how far in the log, by which reference data."""

    position: int
    hash: bytes
    reference: str
    parts: list[History]


_OPEN: dict[Path, _Kept] = {}


def open_now(home: Path) -> Iterable[History]:
    """The open dossiers of a home, in blocks; read anew only where something arrived since this process last did."""
    head = cursors.head()  # before the rows: what arrives meanwhile is read once more
    catalogue = reading.catalogue()
    mark = reference.mark(catalogue)
    kept = _OPEN.get(home)
    if kept is None or kept.reference != mark or kept.hash != _hash(kept.position):
        kept = _Kept(0, b"", mark, [])
        changed: set[str] = set()
    else:
        since = EventRow.objects.filter(position__gt=kept.position)
        changed = set(since.values_list("dossier", flat=True).distinct().iterator())
    found = set(_open().values_list("code", flat=True).iterator())
    parts = [_without(part, found - changed) for part in kept.parts]
    parts = [part for part in parts if len(part)]
    known = {code for part in parts for code in part.code}
    parts += _blocks(sorted(found - known), catalogue)
    if len(parts) > 2 * (len(found) // (10 * _BLOCK) + 1):
        parts = _evened(parts)
    _OPEN[home] = _Kept(head, _hash(head), mark, parts)
    return parts


def _hash(position: int) -> bytes:
    """The hash of an event: a log that was restored or made anew has another one there."""
    return bytes(EventRow.objects.filter(position=position).values_list("hash", flat=True).first() or b"")


def _without(part: History, kept: set[str]) -> History:
    rows = np.flatnonzero(np.fromiter((code in kept for code in part.code), bool, len(part)))
    return part if len(rows) == len(part) else part.only(rows)


def _evened(parts: Sequence[History]) -> list[History]:
    """Small parts put together to the size of a block."""
    whole = _joined(parts)
    size = 10 * _BLOCK
    return [whole.only(np.arange(n, min(n + size, len(whole)))) for n in range(0, len(whole), size)]


def one_open(code: str) -> Iterable[History]:
    """One dossier, if it is open."""
    return _blocks(list(_open().filter(code=code).values_list("code", flat=True)), reading.catalogue())


def _open() -> Any:
    return DossierRow.objects.filter(accepted_at__isnull=False, finished_at=None, ended_at=None)


def _blocks(codes: Sequence[str], catalogue: Catalogue) -> Iterator[History]:
    for start in range(0, len(codes), 10 * _BLOCK):
        yield _joined([_block(codes[at : at + _BLOCK], catalogue)
                       for at in range(start, min(start + 10 * _BLOCK, len(codes)), _BLOCK)])  # fmt: skip


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
