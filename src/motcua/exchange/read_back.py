"""Reads back through TraCuuHoSo what the portal holds of our dossiers: the copy `seen`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from motcua.dossiers.models import DossierRow
from motcua.exchange.deliver import NationalPortal
from motcua.mirror import seen

_BLOCK = 200


def run(
    *, portal: NationalPortal, at: datetime, codes: Iterable[str] | None = None, limit: int = 1_000_000
) -> tuple[int, int]:
    """Looks dossiers up, those due soonest first. Returns (looked up, found there)."""
    if codes is None:
        ours = DossierRow.objects.filter(origin="desk").order_by("ended_at", "due_at", "code")
        codes = ours.values_list("code", flat=True)[:limit]
    looked = found = 0
    block: list[tuple[str, dict[str, Any] | None]] = []
    for code in codes:
        reply = portal.call("TraCuuHoSo", mahoso=code)
        if not reply.ok:
            continue
        block.append((code, reply.result[0] if reply.result else None))
        looked += 1
        if len(block) >= _BLOCK:
            found += seen.store(block, at=at)
            block = []
    found += seen.store(block, at=at)
    return looked, found
