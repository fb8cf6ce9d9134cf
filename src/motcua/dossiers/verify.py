"""Proves or disproves: the chain of every dossier, the gap-free positions, the heads, the projection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motcua.dossiers import log
from motcua.dossiers.models import DossierRow
from motcua.ledger import seals
from motcua.ledger.chain import GENESIS, event_hash
from motcua.ledger.models import EventRow, Head
from motcua.rules.instants import to_microseconds


def verify_log(keys: Path, heads: Mapping[int, str] | None = None) -> dict[str, Any]:
    """Recomputes every hash and head. `heads`: size → root (hex) as somebody outside was given them."""
    faults: list[str] = []
    last: dict[str, tuple[int, bytes]] = {}
    tree = seals.Tree()
    known = {head.size: head for head in Head.objects.all()}
    outside = dict(heads or {})
    expected = 1
    for row in EventRow.objects.order_by("position").iterator(chunk_size=5_000):
        if row.position != expected:
            faults.append(f"position {expected} is missing")
            expected = row.position
        expected += 1
        seq, previous = last.get(row.dossier, (0, GENESIS))
        if row.seq != seq + 1 or bytes(row.previous_hash) != previous:
            faults.append(f"position {row.position}: {row.dossier} does not follow its event {seq}")
        digest = event_hash(
            bytes(row.previous_hash), dossier=row.dossier, seq=row.seq, kind=row.kind, at=to_microseconds(row.at),
            recorded_at=to_microseconds(row.recorded_at), stored_at=to_microseconds(row.stored_at), actor=row.actor,
            unit=row.unit, step=row.step, body=row.body, origin=row.origin,
        )  # fmt: skip
        if digest != bytes(row.hash):
            faults.append(f"position {row.position}: {row.dossier} event {row.seq} was altered")
        last[row.dossier] = (row.seq, bytes(row.hash))
        tree.add(bytes(row.hash))
        head = known.get(tree.size)
        if head is not None and (bytes(head.root) != tree.root() or not seals.signed_by(head, keys)):
            faults.append(f"the head over {head.size} events does not fit")
        if tree.size in outside and outside.pop(tree.size) != tree.root().hex():
            faults.append(f"the head over {tree.size} events that was given away does not fit")
    faults += [f"a head over {size} events was given away, the log is shorter" for size in outside]
    return {"events": tree.size, "dossiers": len(last), "heads": len(known), "root": tree.root().hex(),
            "faults": faults[:100], "ok": not faults}  # fmt: skip


def verify_projection() -> dict[str, Any]:
    """Compares every dossier row with the replay of its events."""
    faults: list[str] = []
    count = 0
    rows = DossierRow.objects.order_by("code").iterator(chunk_size=5_000)
    row = next(rows, None)
    for dossier, position, last_hash in log.replayed():
        count += 1
        while row is not None and row.code < dossier.code:
            faults.append(f"{row.code}: a row without events")
            row = next(rows, None)
        if row is None or row.code != dossier.code:
            faults.append(f"{dossier.code}: events without a row")
            continue
        if log.as_value(row) != dossier or row.position != position or bytes(row.last_hash) != last_hash:
            faults.append(f"{row.code}: the row is not what its events leave")
        row = next(rows, None)
    while row is not None:
        faults.append(f"{row.code}: a row without events")
        row = next(rows, None)
    return {"dossiers": count, "faults": faults[:100], "ok": not faults}
