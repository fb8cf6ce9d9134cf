"""New events of our own desk become deliveries; the log is the outbox, the cursor misses nothing."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from django.db import transaction

from motcua.dossiers import log
from motcua.dossiers.models import DossierRow
from motcua.exchange import status_proof
from motcua.exchange.models import Delivery
from motcua.exchange.status_map import INTERNAL, RECORD_ONLY, StatusMap
from motcua.ledger import cursors
from motcua.ledger.models import EventRow
from motcua.rules.dossier import Dossier, apply, replay
from motcua.rules.events import Corrected

READER = "exchange"
_BLOCK = 5_000


def plan(*, unmapped: frozenset[str] = frozenset(), include_imported: bool = False) -> int:
    """Plans a delivery for every new event. Imported dossiers are never sent without the explicit switch.

    Raises `status_proof.BrokenMap` before anything is planned.
    """
    rules = status_proof.current().without(unmapped)
    planned = 0
    while True:
        with transaction.atomic():
            events = cursors.read(READER, _BLOCK)
            if not events:
                return planned
            ours = None if include_imported else _desk({event.dossier for event in events})
            sent = [event for event in events if event.kind not in INTERNAL and (ours is None or event.dossier in ours)]
            left = _left([event for event in sent if rules.needs_standing(event.kind)])
            rows = [_delivery(event, rules, left.get(event.position)) for event in sent]
            Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
            cursors.advance(READER, events[-1].position)
            planned += len(rows)


def _desk(codes: set[str]) -> set[str]:
    found: set[str] = set()
    listed = sorted(codes)
    for start in range(0, len(listed), 500):
        query = DossierRow.objects.filter(code__in=listed[start : start + 500], origin="desk")
        found.update(query.values_list("code", flat=True))
    return found


def _left(events: Sequence[EventRow]) -> dict[int, Dossier]:
    """The dossiers as these events left them, by position."""
    wanted: dict[str, int] = {}  # dossier → the last event that matters
    for event in events:
        wanted[event.dossier] = max(event.seq, wanted.get(event.dossier, 0))
    positions = {event.position for event in events}
    left: dict[int, Dossier] = {}
    codes = sorted(wanted)
    for start in range(0, len(codes), 500):
        rows = EventRow.objects.filter(dossier__in=codes[start : start + 500]).order_by("dossier", "seq")
        for code, acts in groupby(rows.iterator(), key=attrgetter("dossier")):
            left.update(_stood(code, [row for row in acts if row.seq <= wanted[code]], positions))
    return left


def _stood(code: str, rows: Sequence[EventRow], positions: Container[int]) -> Iterator[tuple[int, Dossier]]:
    """How a dossier stood after each of its events that is asked for; a correction reaches back, so it is replayed."""
    acts = [log.as_event(row) for row in rows]
    corrected = any(isinstance(act, Corrected) for act in acts)
    dossier = Dossier(code=code)
    for number, (row, act) in enumerate(zip(rows, acts, strict=True), 1):
        dossier = replay(code, acts[:number]) if corrected else apply(dossier, act)
        if row.position in positions:
            yield row.position, dossier


def _delivery(event: EventRow, rules: StatusMap, after: Dossier | None) -> Delivery:
    status = None if event.kind in RECORD_ONLY else rules.national(event.kind, after)
    lost = status is None and event.kind not in RECORD_ONLY
    return Delivery(
        position=event.position, dossier=event.dossier, seq=event.seq, kind=event.kind,
        status=int(status) if status else None, at=event.at,
        state=Delivery.State.UNMAPPED if lost else Delivery.State.WAITING, next_at=event.stored_at,
    )  # fmt: skip


def waiting() -> int:
    """How many deliveries wait."""
    return Delivery.objects.filter(state=Delivery.State.WAITING).count()
