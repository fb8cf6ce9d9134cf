"""The log of a dossier: the only place that writes events, and the row that projects them.

Take, decide, keep: `Log.locked` takes the dossier, `rules.moves` decides, `append` keeps the event and the
projection in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection

from motcua.dossiers.models import DossierRow
from motcua.ledger.append import Batch, hold_turn, insert_many
from motcua.ledger.chain import GENESIS
from motcua.ledger.models import EventRow
from motcua.rules.dossier import Dossier, Status, apply, leaves_unchanged, replay
from motcua.rules.events import Corrected, Event, Registered, from_body
from motcua.rules.instants import to_microseconds
from motcua.rules.moves import Refused

ROW_COLUMNS = (
    "code", "origin", "procedure", "agency", "channel", "source", "allotted", "submitted_at", "accepted_at",
    "slip_due_at", "due_at", "status", "step", "unit", "holder", "suspended_since", "supplements", "extensions",
    "leg", "finished_at", "returned_at", "ended_at", "seq", "position", "last_hash",
)  # fmt: skip


def project(dossier: Dossier, *, origin: str, position: int, last_hash: bytes) -> tuple[Any, ...]:
    """The dossier row of a dossier, in the order of ROW_COLUMNS."""

    def at(value: datetime | None) -> int | None:
        return None if value is None else to_microseconds(value)

    return (
        dossier.code, origin, dossier.procedure, dossier.agency, dossier.channel, dossier.source, dossier.allotted,
        at(dossier.submitted_at), at(dossier.accepted_at), at(dossier.slip_due_at), at(dossier.due_at),
        int(dossier.status), dossier.step, dossier.unit, dossier.holder, at(dossier.suspended_since),
        dossier.supplements, dossier.extensions, dossier.leg, at(dossier.finished_at), at(dossier.returned_at),
        at(dossier.ended_at), dossier.seq, position, last_hash,
    )  # fmt: skip


def as_value(row: DossierRow) -> Dossier:
    """The dossier that a row projects."""
    return Dossier(
        code=row.code, procedure=row.procedure, agency=row.agency, channel=row.channel, source=row.source,
        allotted=row.allotted, submitted_at=row.submitted_at, accepted_at=row.accepted_at,
        slip_due_at=row.slip_due_at, due_at=row.due_at, status=Status(row.status), step=row.step, unit=row.unit,
        holder=row.holder, suspended_since=row.suspended_since, supplements=row.supplements,
        extensions=row.extensions, leg=row.leg, finished_at=row.finished_at, returned_at=row.returned_at,
        ended_at=row.ended_at, seq=row.seq,
    )  # fmt: skip


def as_event(row: EventRow) -> Event:
    """The event that a row of the log holds; personal fields are their commitments."""
    return from_body(
        row.kind, json.loads(row.body), at=row.at, recorded_at=row.recorded_at, seq=row.seq, actor=row.actor,
        unit=row.unit, step=row.step,
    )  # fmt: skip


def events(code: str) -> list[Event]:
    """The events of a dossier, in the order in which they were appended."""
    return [as_event(row) for row in EventRow.objects.filter(dossier=code).order_by("seq")]


class Log:
    """A dossier taken for writing, inside the caller's transaction."""

    def __init__(self, dossier: Dossier, *, origin: str, last_hash: bytes, stored_at: datetime) -> None:
        self.dossier, self.origin, self.last_hash, self.stored_at = dossier, origin, last_hash, stored_at

    @classmethod
    def locked(cls, code: str, *, now: datetime) -> Log:
        """The dossier as it stands, locked until the transaction ends. Raises `Refused`."""
        row = DossierRow.objects.select_for_update().filter(code=code).first()
        if row is None:
            raise Refused("dossier.unknown", dossier=code)
        return cls(as_value(row), origin=row.origin, last_hash=bytes(row.last_hash), stored_at=now)

    @classmethod
    def opened(cls, code: str, event: Registered, *, now: datetime, origin: str = "desk") -> Log:
        """A new dossier with its first event. Raises `Refused` where the code is known."""
        if DossierRow.objects.filter(code=code).exists():
            raise Refused("dossier.known", dossier=code)
        log = cls(Dossier(code=code), origin=origin, last_hash=GENESIS, stored_at=now)
        log.append(event)
        return log

    def append(self, event: Event) -> Dossier:
        """Keeps an event and the row that projects it; returns the dossier after it."""
        event = replace(event, seq=self.dossier.seq + 1)
        batch = Batch(to_microseconds(self.stored_at))
        self.last_hash = batch.add(self.dossier.code, self.origin, event, self.last_hash)
        position = batch.write()
        if isinstance(event, Corrected):
            self.dossier = replay(self.dossier.code, [*events(self.dossier.code)])
        else:
            self.dossier = apply(self.dossier, event)
        with connection.cursor() as cursor:
            _write_rows(
                cursor,
                [project(self.dossier, origin=self.origin, position=position, last_hash=self.last_hash)],
            )
        return self.dossier


def store_many(dossiers: Iterable[tuple[str, str, list[Event]]], *, stored_at: datetime) -> None:
    """Appends whole batches of (code, origin, events) inside the caller's transaction.

    Dossiers may be new or known; the events' `seq` is given here, after those a dossier has.
    """
    entries = list(dossiers)
    known: dict[str, DossierRow] = {}
    codes = [code for code, _, _ in entries]
    for start in range(0, len(codes), 500):
        for row in DossierRow.objects.filter(code__in=codes[start : start + 500]):
            known[row.code] = row
    corrected = [code for code, _, acts in entries if code in known and any(isinstance(e, Corrected) for e in acts)]
    earlier = _events_of(corrected)
    batch = Batch(to_microseconds(stored_at))
    after: list[tuple[Dossier, str, int, bytes]] = []
    for code, origin, acts in entries:
        there = known.get(code)
        dossier = as_value(there) if there else Dossier(code=code)
        last_hash = bytes(there.last_hash) if there else GENESIS
        correcting = False
        seq = dossier.seq
        for event in acts:
            seq += 1
            if event.seq != seq:
                event = replace(event, seq=seq)
            last_hash = batch.add(code, origin, event, last_hash)
            if leaves_unchanged(dossier, event):
                continue
            dossier = apply(dossier, event)
            correcting = correcting or isinstance(event, Corrected)
        if dossier.seq != seq:
            dossier = replace(dossier, seq=seq)
        if correcting:
            before = earlier.get(code, [])
            dossier = replay(code, [*before, *(replace(e, seq=len(before) + n) for n, e in enumerate(acts, 1))])
        after.append((dossier, origin if there is None else there.origin, len(batch.rows), last_hash))
    first = batch.write() - len(batch.rows)
    with connection.cursor() as cursor:
        _write_rows(
            cursor,
            [
                project(dossier, origin=origin, position=first + count, last_hash=last_hash)
                for dossier, origin, count, last_hash in after
            ],
            new=not known,
        )


def _events_of(codes: list[str]) -> dict[str, list[Event]]:
    """The events of many dossiers, each in the order in which they were appended."""
    found: dict[str, list[Event]] = {}
    for start in range(0, len(codes), 500):
        for row in EventRow.objects.filter(dossier__in=codes[start : start + 500]).order_by("dossier", "seq"):
            found.setdefault(row.dossier, []).append(as_event(row))
    return found


def _write_rows(cursor: Any, rows: list[tuple[Any, ...]], *, new: bool = False) -> None:
    """Writes projections over what stands there."""
    if new:
        insert_many(cursor, "dossiers_dossier", ROW_COLUMNS, rows)
        return
    names = ", ".join(f'"{name}"' for name in ROW_COLUMNS)
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in ROW_COLUMNS if name != "code")
    marks = ", ".join(["%s"] * len(ROW_COLUMNS))
    cursor.executemany(
        f"INSERT INTO dossiers_dossier ({names}) VALUES ({marks}) ON CONFLICT (code) DO UPDATE SET {updates}", rows
    )


def replayed(codes: Iterable[str] | None = None) -> Iterator[tuple[Dossier, int, bytes]]:
    """Every dossier as its events leave it, with the position and hash of the last one; streamed by code."""
    query = EventRow.objects.order_by("dossier", "seq")
    if codes is not None:
        query = query.filter(dossier__in=list(codes))
    current: list[EventRow] = []
    for row in query.iterator(chunk_size=5000):
        if current and current[0].dossier != row.dossier:
            yield _replay_rows(current)
            current = []
        current.append(row)
    if current:
        yield _replay_rows(current)


def _replay_rows(rows: list[EventRow]) -> tuple[Dossier, int, bytes]:
    dossier = replay(rows[0].dossier, [as_event(row) for row in rows])
    last = rows[-1]
    return dossier, last.position, bytes(last.hash)


__all__ = ["ROW_COLUMNS", "Log", "as_event", "as_value", "events", "hold_turn", "project", "replayed", "store_many"]
