"""The audit: who changed what of the catalogue, the posts and the settings, and when. Append-only and chained.

Each change's hash covers its own content and the hash before it, so that none can be altered or taken out of the
middle unseen; the database refuses both (triggers). A change is recorded in the transaction that makes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from motcua.ledger.chain import GENESIS, canonical
from motcua.ledger.models import Change
from motcua.rules.instants import to_microseconds

#: The key of the advisory lock under which changes follow one another.
_LOCK = 0x6D6F7464

Content = Mapping[str, Any] | None


def record(*, at: datetime, actor: str, table: str, key: str, before: Content, after: Content) -> Change | None:
    """Keeps a change inside the caller's transaction; None where nothing is different.

    `before` is None for what is new, `after` for what is gone. Values are texts, integers, booleans, None, and
    lists and mappings of them.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a change is recorded inside the transaction that makes it")
    if before == after:
        return None
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = Change.objects.order_by("-pk").values_list("hash", flat=True).first()
    previous = GENESIS if last is None else bytes(last)
    digest = _hash(previous, at=at, actor=actor, table=table, key=key, before=before, after=after)
    return Change.objects.create(
        at=at, actor=actor, table=table, key=key, before=before, after=after, previous_hash=previous, hash=digest
    )


def _hash(previous: bytes, *, at: datetime, **content: Any) -> bytes:
    return hashlib.sha256(canonical({**content, "at": to_microseconds(at), "previous": previous.hex()})).digest()


def verify() -> dict[str, Any]:
    """Recomputes the chain of changes. Keys: `changes`, `faults` (the first hundred), `ok`."""
    faults: list[str] = []
    previous, count = GENESIS, 0
    for row in Change.objects.order_by("pk").iterator(chunk_size=5_000):
        count += 1
        if bytes(row.previous_hash) != previous:
            faults.append(f"change {row.pk} of {row.table} {row.key} does not follow the one before it")
        digest = _hash(
            bytes(row.previous_hash), at=row.at, actor=row.actor, table=row.table, key=row.key, before=row.before,
            after=row.after,
        )  # fmt: skip
        if digest != bytes(row.hash):
            faults.append(f"change {row.pk} of {row.table} {row.key} was altered")
        previous = bytes(row.hash)
    return {"changes": count, "faults": faults[:100], "ok": not faults}
