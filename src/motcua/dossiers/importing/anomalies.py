"""What an import keeps though it is out of order (law paper §2.1): listed, never dropped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

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
_WORK = frozenset({"step_started", "step_finished", "supplement_requested", "suspended", "payment_requested",
                   "leg_sent"})  # fmt: skip
_OPENS = {"supplement_received": "supplement_requested", "resumed": "suspended", "paid": "payment_requested"}


class Before(NamedTuple):
    """An act that the log holds already: its kind, and when, in microseconds."""

    kind: str
    at: int


def find(
    received_at: int | None,
    acts: Sequence[tuple[Any, ...]],
    first_seq: int,
    *,
    before: Sequence[Before] = (),
    rows: Collection[bytes] = (),
) -> list[tuple[int, str, str]]:
    """The anomalies of a dossier as (seq, code, detail). `acts` are staged rows: (…, kind at 3, at at 4, …).

    `before` and `rows` are what earlier imports brought: a pause that they opened ends in order here.
    """
    found: list[tuple[int, str, str]] = []
    seen = set(rows)
    history = _History(received_at)
    for earlier in before:
        history.add(earlier.kind, earlier.at)
    for seq, act in enumerate(acts, first_seq):
        kind, at, recorded_at, digest = act[3], act[4], act[5], act[13]
        found += [(seq, code, detail) for code, detail in history.add(kind, at)]
        if recorded_at < at:
            found.append((seq, "recorded_before_at", kind))
        if digest in seen:
            found.append((seq, "duplicate_row", kind))
        seen.add(digest)
    return found


class _History:
    """A dossier's acts as they stand in the log so far."""

    def __init__(self, received_at: int | None) -> None:
        self.received_at = self.accepted = received_at
        self.last_at: int | None = None
        self.ended = False
        self.open: set[str] = set()

    def add(self, kind: str, at: int) -> list[tuple[str, str]]:
        """What is out of order in the next act, as (code, detail)."""
        odd: list[tuple[str, str]] = []
        if self.last_at is not None and at < self.last_at:
            odd.append(("goes_back_in_time", kind))
        self.last_at = at if self.last_at is None else max(at, self.last_at)
        if kind == "received":
            if self.received_at is not None and at != self.received_at:
                odd.append(("received_differs", ""))
            self.accepted = self.accepted if self.accepted is not None else at
        elif self.accepted is not None and at < self.accepted:
            odd.append(("end_before_start" if kind in _ENDS else "event_before_receipt", kind))
        if kind in _WORK and self.ended:
            odd.append(("step_after_end", kind))
        if kind in _OPENS:
            if _OPENS[kind] not in self.open:
                odd.append(("pause_not_open", kind))
            self.open.discard(_OPENS[kind])
        elif kind in _OPENS.values():
            self.open.add(kind)
        self.ended = self.ended or kind in _ENDS
        return odd
