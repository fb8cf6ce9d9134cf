"""What an import keeps though it is out of order (law paper §2.1): listed, never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Codes, with what they mean in English; screens have the Vietnamese.
CODES = {
    "goes_back_in_time": "an event stands in the file after a later one",
    "step_after_end": "work after the dossier had ended",
    "end_before_start": "the end is earlier than the receipt",
    "event_before_receipt": "work before the dossier was received",
    "received_differs": "the receipt event and the dossier's row name different instants",
    "pause_not_open": "a pause ends that was not open",
    "duplicate_row": "a row stands more than once, to the letter",
    "recorded_before_at": "entered before it happened",
    "header_differs": "the dossier is known with other values of its row",
}

_ENDS = frozenset({"finished", "returned", "withdrawn", "stopped", "refused"})
_WORK = frozenset({"step_started", "step_finished", "supplement_requested", "suspended", "payment_requested"})
_OPENS = {"supplement_received": "supplement_requested", "resumed": "suspended", "paid": "payment_requested"}


def find(received_at: int | None, acts: Sequence[tuple[Any, ...]], first_seq: int) -> list[tuple[int, str, str]]:
    """The anomalies of a dossier as (seq, code, detail). `acts` are staged rows: (…, kind at 3, at at 4, …)."""
    found: list[tuple[int, str, str]] = []
    last_at, ended_at, open_ = None, None, set()
    seen: dict[bytes, int] = {}
    accepted = received_at
    for seq, act in enumerate(acts, first_seq):
        kind, at, recorded_at = act[3], act[4], act[5]
        if last_at is not None and at < last_at:
            found.append((seq, "goes_back_in_time", kind))
        last_at = at if last_at is None else max(at, last_at)
        if kind == "received":
            if received_at is not None and at != received_at:
                found.append((seq, "received_differs", ""))
            accepted = accepted if accepted is not None else at
        elif accepted is not None and at < accepted:
            found.append((seq, "end_before_start" if kind in _ENDS else "event_before_receipt", kind))
        if kind in _WORK and ended_at is not None:
            found.append((seq, "step_after_end", kind))
        if kind in _OPENS:
            if _OPENS[kind] not in open_:
                found.append((seq, "pause_not_open", kind))
            open_.discard(_OPENS[kind])
        elif kind in _OPENS.values():
            open_.add(kind)
        if kind in _ENDS and ended_at is None:
            ended_at = at
        if recorded_at < at:
            found.append((seq, "recorded_before_at", kind))
        digest = act[13]
        if digest in seen:
            found.append((seq, "duplicate_row", kind))
        seen[digest] = seq
    return found
