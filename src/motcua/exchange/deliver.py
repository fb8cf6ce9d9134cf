"""Delivers: in order per dossier, at least once, with idempotent effect.

The state of a delivery is written after each answer, so a process killed at any point sends again and loses
nothing: a create that is there already becomes an update, a step that is there already is dropped by the portal
as an exact duplicate. A refusal (a functional error) is a dead letter at once, visible and replayable; it does
not poison the dossier's later events. An unreachable portal is tried again with growing, jittered pauses.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from motcua.catalogue.terms import Terms
from motcua.dossiers import log
from motcua.exchange import messages
from motcua.exchange.messages import Names
from motcua.exchange.models import Delivery
from motcua.ledger.models import EventRow
from motcua.mirror.client import PortalUnreachable, Reply
from motcua.rules.dossier import Status, replay
from motcua.rules.events import Event

RECORDS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
#: Dossiers taken in hand at once.
_ROUND = 2_000
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)


class NationalPortal(Protocol):
    """What delivery asks of the portal."""

    def call(self, service: str, **arguments: Any) -> Reply:
        """One call. Raises `PortalUnreachable`."""
        ...


@dataclass(slots=True)
class Report:
    """What a run did."""

    delivered: int = 0
    dead: int = 0
    postponed: int = 0
    calls: int = 0


class Deliverer:
    """One run over what is due; `batch` dossiers go in one call where the portal promises per-item replies."""

    def __init__(self, portal: NationalPortal, *, batch: int = 1, seed: int | None = None) -> None:
        self.portal, self.batch = portal, batch
        self.random = random.Random(seed)
        self.names, self.terms = Names.load(), Terms.load()
        self.report = Report()
        self.created: set[str] = set()

    def run(self, *, at: datetime, limit: int = 1_000_000) -> Report:
        """Delivers everything that is due at `at`, round by round: one event of each dossier in a round."""
        tried = 0
        while tried < limit:
            due = self._next(at)
            if not due:
                break
            for start in range(0, len(due), self.batch):
                if not self._send(due[start : start + self.batch], at):
                    return self.report
                tried += self.batch
        return self.report

    def _next(self, at: datetime) -> list[Delivery]:
        """For each dossier its first waiting delivery, if it is due; one that must wait holds up no other."""
        waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
        before = waiting.filter(dossier=OuterRef("dossier"), position__lt=OuterRef("position"))
        due = waiting.filter(Q(next_at__isnull=True) | Q(next_at__lte=at))
        return list(due.filter(~Exists(before)).order_by("position")[:_ROUND])

    def _send(self, due: Sequence[Delivery], at: datetime) -> bool:
        """Sends one event of each of these dossiers; False where the portal cannot be reached."""
        history = _events([delivery.dossier for delivery in due])
        owners = messages.owners([delivery.dossier for delivery in due])
        before = self._acknowledged([delivery.dossier for delivery in due])
        created = [d for d in due if d.dossier not in before and not d.record_done]
        known = [d for d in due if d.dossier in before and not d.record_done]
        try:
            for group, updating in ((created, False), (known, True)):
                if group:
                    self._records(group, updating, history, owners, at)
            ready = [d for d in due if d.record_done and d.state == Delivery.State.WAITING]
            self._steps(ready, history, at)
        except PortalUnreachable as error:
            for delivery in due:
                if delivery.state == Delivery.State.WAITING:
                    self._postpone(delivery, at, str(error))
            self._save(due)
            return False
        self._save(due)
        return True

    def _acknowledged(self, codes: Sequence[str]) -> set[str]:
        """Dossiers that the portal has: one of their records was acknowledged."""
        fresh = [code for code in codes if code not in self.created]
        if fresh:
            self.created.update(
                Delivery.objects.filter(dossier__in=fresh, record_done=True).values_list("dossier", flat=True)
            )
        return self.created

    def _records(
        self, group: Sequence[Delivery], updating: bool, history: dict[str, list[Event]], owners: dict[str, str],
        at: datetime,
    ) -> None:  # fmt: skip
        data = [
            messages.record(
                d.dossier, [e for e in history[d.dossier] if e.seq <= d.seq], self._status(d, history), self.names,
                self.terms, owners.get(d.dossier, ""),
            )
            for d in group
        ]  # fmt: skip
        answers = self._call(RECORDS, group, data, at, isUpdating=str(updating))
        again: list[int] = []
        for index, (delivery, (code, message)) in enumerate(zip(group, answers, strict=True)):
            if code == 0:
                self._record_done(delivery, at)
            elif not updating and "đã tồn tại" in message:
                again.append(index)
            else:
                self._refused(delivery, at, message)
        if again:  # it is there already: the answer to an earlier sending was lost
            retry = [group[index] for index in again]
            answers = self._call(RECORDS, retry, [data[index] for index in again], at, isUpdating="True")
            for delivery, (code, message) in zip(retry, answers, strict=True):
                if code == 0:
                    self._record_done(delivery, at)
                else:
                    self._refused(delivery, at, message)

    def _record_done(self, delivery: Delivery, at: datetime) -> None:
        delivery.record_done = True
        self.created.add(delivery.dossier)
        if delivery.status is None:  # a correction is carried by the record alone
            self._done(delivery, at)

    def _steps(self, group: Sequence[Delivery], history: dict[str, list[Event]], at: datetime) -> None:
        group = [d for d in group if d.status is not None]
        if not group:
            return
        data = [
            messages.step(d.dossier, next(e for e in history[d.dossier] if e.seq == d.seq), Status(d.status or 4))
            for d in group
        ]
        for delivery, (code, message) in zip(group, self._call(STEPS, group, data, at), strict=True):
            if code == 0:
                self._done(delivery, at)
            else:
                self._refused(delivery, at, message)

    def _status(self, delivery: Delivery, history: dict[str, list[Event]]) -> Status:
        if delivery.status is not None:
            return Status(delivery.status)
        return replay(delivery.dossier, history[delivery.dossier]).status

    def _call(
        self, service: str, group: Sequence[Delivery], data: list[dict[str, Any]], at: datetime, **more: str
    ) -> list[tuple[int, str]]:
        """(error_code, message) for each item."""
        for delivery in group:
            delivery.attempts += 1
            delivery.sent_at = at
        self.report.calls += 1
        if len(group) == 1:
            group[0].request = json.dumps({"service": service, **more, "data": data}, ensure_ascii=False)
        reply = self.portal.call(service, data=data, **more)
        for delivery in group:
            delivery.reply = reply.raw[:2000]
        if len(data) == 1 or not reply.items:
            return [(reply.error_code, reply.message)] * len(data)
        return [(code, message) for _, code, message in reply.items]

    def _done(self, delivery: Delivery, at: datetime) -> None:
        delivery.state, delivery.done_at, delivery.error = Delivery.State.DELIVERED, at, ""
        self.report.delivered += 1

    def _refused(self, delivery: Delivery, at: datetime, message: str) -> None:
        delivery.state, delivery.done_at, delivery.error = Delivery.State.DEAD, at, message
        self.report.dead += 1

    def _postpone(self, delivery: Delivery, at: datetime, error: str) -> None:
        """Full jitter: somewhere between now and a pause that doubles with every attempt."""
        pause = min(FIRST_PAUSE * 2 ** min(delivery.attempts, 10), LONGEST_PAUSE)
        delivery.next_at = at + pause * self.random.uniform(0.5, 1.0)
        delivery.error = error
        self.report.postponed += 1

    def _save(self, group: Sequence[Delivery]) -> None:
        """Writes what became of these deliveries, in one transaction and without a query a row."""
        fields = ("state", "record_done", "attempts", "next_at", "sent_at", "done_at", "request", "reply", "error")
        meta: list[Any] = [Delivery._meta.get_field(name) for name in fields]
        rows = [[*(f.get_db_prep_save(getattr(d, f.attname), connection) for f in meta), d.position] for d in group]
        sets = ", ".join(f"{name} = %s" for name in fields)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(f"UPDATE exchange_delivery SET {sets} WHERE position = %s", rows)


def _events(codes: Sequence[str]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {code: [] for code in codes}
    for start in range(0, len(codes), 500):
        rows = EventRow.objects.filter(dossier__in=codes[start : start + 500]).order_by("dossier", "seq")
        for row in rows:
            found[row.dossier].append(log.as_event(row))
    return found


def replay_dead(*, at: datetime, dossier: str | None = None) -> int:
    """Puts dead letters back to waiting: one dossier's, or all."""
    dead = Delivery.objects.filter(state=Delivery.State.DEAD)
    if dossier is not None:
        dead = dead.filter(dossier=dossier)
    return dead.update(state=Delivery.State.WAITING, next_at=at, record_done=False)
