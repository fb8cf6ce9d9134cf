"""Dates on the wire: `yyyyMMddHHmmss` on the clock of Viet Nam, without an offset (contract §4.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from motcua.rules.instants import VIET_NAM, Unreadable

FORM = "yyyyMMddHHmmss"


def parse(value: Any) -> datetime | None:
    """The instant; None where absent: a missing key, null, an empty text and an all-zero date are the same.

    Raises `Unreadable`.
    """
    text = "" if value is None else str(value).strip()
    if not text.strip("0"):
        return None
    if len(text) != 14 or not text.isdigit():
        raise Unreadable(f"không đúng định dạng {FORM}")
    try:
        return datetime(
            int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[8:10]), int(text[10:12]), int(text[12:]),
            tzinfo=VIET_NAM,
        )  # fmt: skip
    except ValueError:
        raise Unreadable(f"không đúng định dạng {FORM}") from None


def build(at: datetime | None) -> str:
    """The instant as the wire carries it; absent is the empty text."""
    return "" if at is None else at.astimezone(VIET_NAM).strftime("%Y%m%d%H%M%S")
