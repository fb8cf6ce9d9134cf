"""Which national status each of our events carries, declared as data (contract §4.1)."""

from __future__ import annotations

from motcua.rules.dossier import Status
from motcua.rules.events import KINDS

#: Event kind → national status. A kind that is missing here is unmapped: shown as such, never dropped.
NATIONAL: dict[str, Status] = {
    "registered": Status.REGISTERED,
    "received": Status.ACCEPTED,
    "refused": Status.REFUSED,
    "step_started": Status.PROCESSING,
    "step_finished": Status.PROCESSING,
    "supplement_requested": Status.SUPPLEMENT,
    "supplement_received": Status.PROCESSING,
    "suspended": Status.PROCESSING,
    "resumed": Status.PROCESSING,
    "payment_requested": Status.PAYMENT,
    "paid": Status.PROCESSING,
    "leg_sent": Status.PROCESSING,
    "leg_returned": Status.PROCESSING,
    "extended": Status.PROCESSING,
    "withdrawn": Status.WITHDRAWN,
    "stopped": Status.STOPPED,
    "finished": Status.FINISHED,
    "returned": Status.RETURNED,
}

#: Events that change the record but are no step of the processing.
RECORD_ONLY = frozenset({"corrected"})

assert set(NATIONAL) | RECORD_ONLY == set(KINDS)


def national(kind: str, unmapped: frozenset[str] = frozenset()) -> Status | None:
    """The national status of an event; None where the map (a province's own gaps included) has none."""
    return None if kind in unmapped else NATIONAL.get(kind)
