"""Readers of the log keep a plain cursor: positions are gap-free in commit order, so nothing is missed."""

from __future__ import annotations

from motcua.ledger.models import Cursor, EventRow


def position(reader: str) -> int:
    """How far a reader has come; 0 for a new one."""
    found = Cursor.objects.filter(reader=reader).values_list("position", flat=True).first()
    return found or 0


def read(reader: str, limit: int = 500) -> list[EventRow]:
    """The next events for a reader, in the order of their positions."""
    return list(EventRow.objects.filter(position__gt=position(reader)).order_by("position")[:limit])


def advance(reader: str, to: int) -> None:
    """Moves a reader on, never back. Call it in the transaction that keeps what was made of the events."""
    Cursor.objects.get_or_create(reader=reader)
    Cursor.objects.filter(reader=reader, position__lt=to).update(position=to)


def head() -> int:
    """The position of the newest event; 0 for an empty log."""
    return EventRow.objects.order_by("-position").values_list("position", flat=True).first() or 0
