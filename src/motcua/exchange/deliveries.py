"""New events of our own desk become deliveries; the log is the outbox, the cursor misses nothing."""

from __future__ import annotations

from django.db import transaction

from motcua.dossiers.models import DossierRow
from motcua.exchange.models import Delivery
from motcua.exchange.status_map import RECORD_ONLY, national
from motcua.ledger import cursors
from motcua.ledger.models import EventRow

READER = "exchange"
_BLOCK = 5_000


def plan(*, unmapped: frozenset[str] = frozenset(), include_imported: bool = False) -> int:
    """Plans a delivery for every new event. Imported dossiers are never sent without the explicit switch."""
    planned = 0
    while True:
        with transaction.atomic():
            events = cursors.read(READER, _BLOCK)
            if not events:
                return planned
            ours = None if include_imported else _desk({event.dossier for event in events})
            rows = [_delivery(event, unmapped) for event in events if ours is None or event.dossier in ours]
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


def _delivery(event: EventRow, unmapped: frozenset[str]) -> Delivery:
    status = national(event.kind, unmapped)
    lost = status is None and event.kind not in RECORD_ONLY
    return Delivery(
        position=event.position, dossier=event.dossier, seq=event.seq, kind=event.kind,
        status=int(status) if status else None, at=event.at,
        state=Delivery.State.UNMAPPED if lost else Delivery.State.WAITING, next_at=event.stored_at,
    )  # fmt: skip


def waiting() -> int:
    """How many deliveries wait."""
    return Delivery.objects.filter(state=Delivery.State.WAITING).count()
