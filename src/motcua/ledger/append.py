"""Appending to the log: gap-free positions in commit order, so that a reader's plain cursor misses nothing.

SQLite has one writer at a time (IMMEDIATE transactions); on PostgreSQL an advisory lock, taken at the append
and held to the commit, gives the same order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction

from motcua.ledger.chain import canonical, commitment, event_hash
from motcua.rules.enclosures import PRIVATE
from motcua.rules.events import ENCLOSING, PERSONAL, Event, to_body
from motcua.rules.instants import to_microseconds

#: The key of the advisory lock under which positions are given.
_LOCK = 0x6D6F7463
_SALT = 16

EVENT_COLUMNS = (
    "position", "dossier", "seq", "kind", "at", "recorded_at", "stored_at", "actor", "unit", "step", "body", "origin",
    "previous_hash", "hash",
)  # fmt: skip


def hold_turn() -> None:
    """Waits for the turn to append and holds it to the commit; what is read after it nobody else can add to.

    On SQLite the transaction, IMMEDIATE, is the turn.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


class Batch:
    """Events on their way into the log, hashed as they are added, written at once by `write`."""

    def __init__(self, stored_at: int) -> None:
        self.stored_at = stored_at
        self.rows: list[tuple[Any, ...]] = []
        self.personal: list[tuple[str, int, str, bytes, str]] = []
        self._salts = b""

    def add(self, dossier: str, origin: str, event: Event, previous: bytes) -> bytes:
        """Adds an event, whose `seq` is set, on top of the hash before it; returns its hash."""
        body = to_body(event)
        if event.kind == "registered":
            for field in PERSONAL & body.keys():
                salt = self._salt()
                self.personal.append((dossier, event.seq, field, salt, body[field]))
                body[field] = {"commitment": commitment(field, body[field], salt)}
        if event.kind in ENCLOSING:
            self._seal(dossier, event, body)
        text = canonical(body).decode() if body else "{}"
        at, recorded_at = to_microseconds(event.at), to_microseconds(event.recorded_at)
        step: str = getattr(event, "step", "")
        digest = event_hash(
            previous, dossier=dossier, seq=event.seq, kind=event.kind, at=at, recorded_at=recorded_at,
            stored_at=self.stored_at, actor=event.actor, unit=event.unit, step=step, body=text, origin=origin,
        )  # fmt: skip
        self.rows.append(
            (dossier, event.seq, event.kind, at, recorded_at, self.stored_at, event.actor, event.unit, step, text,
             origin, previous, digest)
        )  # fmt: skip
        return digest

    def _seal(self, dossier: str, event: Event, body: dict[str, Any]) -> None:
        """Puts commitments in the place of what leads to a person's papers; the values are kept apart."""
        for field in ENCLOSING[event.kind]:
            for n, item in enumerate(body.get(field, ()) if field in PRIVATE else ()):
                private = {name: item.pop(name) for name in PRIVATE[field] if name in item}
                if private:
                    salt, text, place = self._salt(), canonical(private).decode(), f"{field}.{n}"
                    self.personal.append((dossier, event.seq, place, salt, text))
                    item["commitment"] = commitment(place, text, salt)

    def _salt(self) -> bytes:
        if len(self._salts) < _SALT:
            self._salts = os.urandom(_SALT * 1024)
        salt, self._salts = self._salts[:_SALT], self._salts[_SALT:]
        return salt

    def write(self) -> int:
        """Writes the events inside the caller's transaction; returns the position of the last one."""
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("events are appended inside a transaction")
        hold_turn()
        with connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(MAX(position), 0) FROM ledger_event")
            first = cursor.fetchone()[0] + 1
            insert_many(cursor, "ledger_event", EVENT_COLUMNS, ((first + n, *row) for n, row in enumerate(self.rows)))
            if self.personal:
                insert_many(cursor, "ledger_personal", ("dossier", "seq", "field", "salt", "value"), self.personal)
        last: int = first + len(self.rows) - 1
        return last


def insert_many(cursor: Any, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Adds many rows at once: `executemany` on SQLite, COPY on PostgreSQL."""
    names = ", ".join(f'"{column}"' for column in columns)
    if connection.vendor == "postgresql":
        with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join(["?"] * len(columns))
    raw = cursor.cursor if hasattr(cursor, "cursor") else cursor
    _sqlite_many(raw, f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)


def _sqlite_many(cursor: Any, sql: str, rows: Iterable[Sequence[Any]]) -> None:
    import sqlite3

    sqlite3.Cursor.executemany(cursor, sql, rows)
