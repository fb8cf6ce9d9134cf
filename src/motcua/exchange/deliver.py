"""Delivers: in order per dossier, at least once, with idempotent effect.

The state of a delivery is written after each answer, so a process killed at any point sends again and loses
nothing: a create that is there already becomes an update, a step that is there already is dropped by the portal
as an exact duplicate. A refusal is a dead letter, visible and replayable; it does not hold up the dossier's later
events. Where no answer comes the message is tried again with growing, jittered pauses, and a dossier that alone
gets none holds up nobody else; when the portal as a whole is silent, the circuit breaker opens.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import connection, transaction
from django.db.models import Q

from motcua.catalogue.terms import Terms
from motcua.dossiers import log
from motcua.exchange import backlog, messages, remedies, take_in, turn
from motcua.exchange.breaker import Breaker, Permit
from motcua.exchange.messages import Limits, Names, Told
from motcua.exchange.models import Delivery, Endpoint, Standing
from motcua.ledger.models import EventRow
from motcua.mirror.client import PortalUnreachable, Reply
from motcua.payments import carried
from motcua.rules.dossier import Status, replay
from motcua.rules.events import Event
from motcua.rules.instants import to_microseconds
from motcua.wire.profile import Profile

RECORDS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
#: Dossiers whose events are read at once.
_CHUNK = 200
#: A text that the portal finds too long is halved so many times before it is a dead letter.
_SHORTER = 3
#: A refusal in words that may pass is tried so many times.
_PATIENCE = 3
#: A message that gets no answer so many times, while others do, is a dead letter.
_GIVE_UP = 10


class NationalPortal(Protocol):
    """What delivery asks of the portal."""

    @property
    def url(self) -> str:
        """The address, by which its circuit breaker is known."""
        ...

    def call(self, service: str, **arguments: Any) -> Reply:
        """One call. Raises `PortalUnreachable`."""
        ...


@dataclass(slots=True)
class Report:
    """What was done. `busy`: another process delivers; `silent`: the portal does not answer."""

    delivered: int = 0
    dead: int = 0
    postponed: int = 0
    calls: int = 0
    busy: bool = False
    silent: bool = False


@dataclass(slots=True)
class _Work:
    """A dossier in hand: what waits of it, what happened to it, what the portal knows of it."""

    dossier: str
    waiting: list[Delivery]
    history: list[Event] = field(default_factory=list)
    owner: str = ""
    filed: Mapping[str, Any] | None = None  # as the portal sent it, where it was filed there
    payments: Sequence[carried.Entry] = ()
    standing: Standing | None = None
    limits: Limits = field(default_factory=Limits)
    told: Told | None = None
    sent: tuple[str, dict[str, str], dict[str, Any]] = ("", {}, {})  # service, arguments and item of the last call
    tried_at: datetime | None = None  # the last call before this run

    def current(self, at: datetime) -> Delivery | None:
        """The delivery that is next; None where nothing may be sent now."""
        while self.waiting and self.waiting[0].state != Delivery.State.WAITING:
            self.waiting.pop(0)
        if not self.waiting:
            return None
        first = self.waiting[0]
        return first if first.next_at is None or first.next_at <= at else None

    def until(self, seq: int) -> list[Event]:
        return [event for event in self.history if event.seq <= seq]


class Deliverer:
    """Runs over what is due; `batch` dossiers go in one call where the portal promises per-item replies."""

    def __init__(
        self, portal: NationalPortal, *, batch: int = 1, seed: int | None = None, profile: Profile | None = None
    ) -> None:
        self.portal, self.batch = portal, batch
        self.limits = Limits.of(profile or Profile())
        self.random = random.Random(seed)
        self.breaker = Breaker(portal.url, seed=seed)
        self.names, self.terms = Names.load(), Terms.load()
        self.report = Report()

    def run(self, *, at: datetime, limit: int = 1_000_000, only: str | None = None) -> Report:
        """Delivers what is due at `at`, the dossiers first that would become late on the portal because of us.

        `limit` deliveries are tried; call again for the rest, with the clock as it is then. `only`: one dossier.
        """
        self.report.busy = self.report.silent = False
        with turn.taken() as ours:
            if not ours:
                self.report.busy = True
                return self.report
            plan = [code for code in backlog.plan(self.portal.url, at=at) if only in (None, code)]
            permit = self.breaker.permits(at) if plan else Permit.ALL
            self.report.silent = permit is Permit.NONE
            if permit is Permit.PROBE:
                self._probe(plan, at)
            if not self.report.silent:
                self._deliver(plan, at, limit)
        return self.report

    # ---- sending -----------------------------------------------------------------------------------------------

    def _probe(self, plan: list[str], at: datetime) -> None:
        """Sends one message to see whether the portal is back: of a dossier that is not itself suspect."""
        tried = dict(
            Delivery.objects.filter(Q(next_at=None) | Q(next_at__lte=at), state=Delivery.State.WAITING)
            .order_by("-position")
            .values_list("dossier", "attempts")
        )
        chosen = min(plan, key=lambda dossier: tried.get(dossier, 0))
        self._round(self._load([chosen]), at)

    def _deliver(self, plan: Sequence[str], at: datetime, limit: int) -> None:
        tried = 0
        for start in range(0, len(plan), _CHUNK):
            chunk = self._load(plan[start : start + _CHUNK])
            for first in range(0, len(chunk), self.batch):
                group = chunk[first : first + self.batch]
                while ready := [work for work in group if work.current(at) is not None]:
                    if tried >= limit or self.report.silent:
                        return
                    # one that got no answer goes alone: it may be what the portal stumbles over
                    suspect = [work for work in ready if work.waiting[0].error]
                    together = [work for work in ready if not work.waiting[0].error]
                    for part in [*([together] if together else []), *([work] for work in suspect)]:
                        if self.report.silent:
                            return
                        self._round(part, at)
                        tried += len(part)

    def _load(self, dossiers: Sequence[str]) -> list[_Work]:
        """What waits of these dossiers, with all that their messages are made of."""
        works = {code: _Work(code, [], limits=self.limits) for code in dossiers}
        for delivery in Delivery.objects.filter(dossier__in=dossiers, state=Delivery.State.WAITING).order_by(
            "position"
        ):
            works[delivery.dossier].waiting.append(delivery)
        for row in EventRow.objects.filter(dossier__in=dossiers).order_by("dossier", "seq"):
            works[row.dossier].history.append(log.as_event(row))
        for code, values in messages.private(dossiers).items():
            works[code].history = messages.opened(works[code].history, values)
        for code, owner in messages.owners(dossiers).items():
            works[code].owner = owner
        for code, body in take_in.as_filed(dossiers).items():
            works[code].filed = body
        for code, payments in carried.entries(dossiers).items():
            works[code].payments = payments
        for standing in Standing.objects.filter(dossier__in=dossiers):
            works[standing.dossier].standing = standing
        for work in works.values():
            work.tried_at = work.waiting[0].sent_at if work.waiting else None
        return list(works.values())

    def _round(self, works: Sequence[_Work], at: datetime) -> None:
        """Sends one event of each of these dossiers: its record, then its step; and writes what became of it."""
        started = time.perf_counter()
        before = self.report.calls
        group = [(work, work.waiting[0]) for work in works]
        try:
            for updating in (False, True):
                part = [(w, d) for w, d in group if not d.record_done and (w.standing is not None) is updating]
                if part:
                    self._records(part, updating, at)
            self._steps([(w, d) for w, d in group if d.record_done and d.state == Delivery.State.WAITING], at)
        except PortalUnreachable as error:
            for work, delivery in group:
                if work.current(at) is delivery:
                    self._unanswered(work, delivery, at, str(error))
            silent = self.breaker.failed(at, str(error), dossier=group[0][0].dossier, connected=error.connected)
            self.report.silent = silent
        else:
            calls = max(self.report.calls - before, 1)
            took = (time.perf_counter() - started) / calls / len(group)
            self.breaker.answered(at, message_us=int(took * 1e6))
            self.report.silent = False
        finally:
            self._save(group)

    def _records(self, group: Sequence[tuple[_Work, Delivery]], updating: bool, at: datetime) -> None:
        for work, delivery in group:
            work.told = self._told(work, delivery)
        answers = self._call(RECORDS, group, [work.told.body for work, _ in group if work.told], at, updating)
        again: list[tuple[_Work, Delivery]] = []
        for (work, delivery), (code, message) in zip(group, answers, strict=True):
            there = "đã tồn tại" in message
            if not updating and there:  # the answer to an earlier sending was lost
                again.append((work, delivery))
            elif updating and "không tìm thấy hồ sơ" in message.lower():  # what was acknowledged is gone there
                work.standing = None
                self._refused(work, delivery, at, message)
            elif code == 0 or ("quá dài" in message.lower() and self._shortened(work, delivery, updating, at)):
                self._acknowledged(work, delivery, at)
            else:
                self._refused(work, delivery, at, message)
        if again:
            self._records(again, True, at)

    def _told(self, work: _Work, delivery: Delivery) -> Told:
        """The record as of an event; one that comes late is told as of the newest that the portal has.

        A dead letter that is replayed must not take the record back to where it stood then.
        """
        seq, known = delivery.seq, work.standing
        status = Status(delivery.status) if delivery.status is not None else None
        if known is not None and known.seq > seq:
            seq, status = known.seq, Status(known.status)
        events = work.until(seq)
        status = status or replay(work.dossier, events).status
        return messages.record(
            work.dossier, events, status, self.names, self.terms, work.owner, work.limits, work.filed, work.payments
        )

    def _shortened(self, work: _Work, delivery: Delivery, updating: bool, at: datetime) -> bool:
        """Tries again with shorter texts, each visibly cut."""
        for _ in range(_SHORTER):
            work.limits = work.limits.tighter()
            work.told = self._told(work, delivery)
            [(code, message)] = self._call(RECORDS, [(work, delivery)], [work.told.body], at, updating)
            if code == 0:
                return True
            if "quá dài" not in message.lower():
                return False
        return False

    def _acknowledged(self, work: _Work, delivery: Delivery, at: datetime) -> None:
        """The portal has the record; where no step belongs to it, the event is delivered."""
        assert work.told is not None
        delivery.record_done = True
        told = work.told
        seq = max(delivery.seq, work.standing.seq if work.standing else 0)
        work.standing = Standing(dossier=work.dossier, seq=seq, status=int(told.status), due_at=told.due_at)
        events = work.until(delivery.seq)
        after = told.after if seq == delivery.seq else replay(work.dossier, events)
        if delivery.status is None or not messages.is_step(events[-1], after):
            self._done(delivery, at)

    def _steps(self, group: Sequence[tuple[_Work, Delivery]], at: datetime) -> None:
        if not group:
            return
        answers = self._call(STEPS, group, [self._step(*each) for each in group], at)
        for (work, delivery), (code, message) in zip(group, answers, strict=True):
            if code == 0:
                self._done(delivery, at)
            elif "không tìm thấy hồ sơ" in message.lower():  # the record was acknowledged and is not there
                work.standing, delivery.record_done = None, False
                self._refused(work, delivery, at, message)
            elif "quá dài" in message.lower() and self._step_shortened(work, delivery, at):
                self._done(delivery, at)
            else:
                self._refused(work, delivery, at, message)

    def _step(self, work: _Work, delivery: Delivery) -> dict[str, Any]:
        assert delivery.status is not None
        events = work.until(delivery.seq)
        return messages.step(work.dossier, events, Status(delivery.status), self.names, work.limits)

    def _step_shortened(self, work: _Work, delivery: Delivery, at: datetime) -> bool:
        for _ in range(_SHORTER):
            work.limits = work.limits.tighter()
            [(code, message)] = self._call(STEPS, [(work, delivery)], [self._step(work, delivery)], at)
            if code == 0 or "quá dài" not in message.lower():
                return code == 0
        return False

    def _call(
        self, service: str, group: Sequence[tuple[_Work, Delivery]], data: list[dict[str, Any]], at: datetime,
        updating: bool | None = None,
    ) -> list[tuple[int, str]]:  # fmt: skip
        """(error_code, message) for each item. What is sent is kept at hand for a dead letter."""
        more = {} if updating is None else {"isUpdating": str(updating)}
        for (work, delivery), item in zip(group, data, strict=True):
            delivery.attempts += 1
            delivery.sent_at = at
            work.sent = (service, more, item)
        self.report.calls += 1
        reply = self.portal.call(service, data=data, **more)
        for _, delivery in group:
            delivery.reply = reply.raw[:2000]
        if len(data) == 1 or not reply.items:
            return [(reply.error_code, reply.message)] * len(data)
        if len(reply.items) != len(data):
            raise PortalUnreachable(f"{self.portal.url}: {len(reply.items)} answers to {len(data)} items")
        return [(code, message) for _, code, message in reply.items]

    # ---- what became of it -------------------------------------------------------------------------------------

    def _done(self, delivery: Delivery, at: datetime) -> None:
        delivery.state, delivery.done_at, delivery.error, delivery.request = Delivery.State.DELIVERED, at, "", ""
        self.report.delivered += 1

    def _refused(self, work: _Work, delivery: Delivery, at: datetime, message: str) -> None:
        """A dead letter, at once or after some patience where the portal's words may pass."""
        delivery.error = message
        if remedies.may_pass(message) and delivery.attempts < 2 * _PATIENCE:
            self._postpone(delivery, at)
        else:
            self._dead(work, delivery, at)

    def _unanswered(self, work: _Work, delivery: Delivery, at: datetime, error: str) -> None:
        """Tries again later; a message that alone stays without answer is a dead letter in the end."""
        known = Endpoint.objects.filter(url=self.portal.url).first()
        answered_at: datetime | None = known.answered_at if known else None
        alone = answered_at is not None and work.tried_at is not None and answered_at > work.tried_at
        delivery.error = error
        if alone and delivery.attempts >= _GIVE_UP:
            delivery.error = f"Cổng không trả lời riêng bản tin này ({delivery.attempts} lần): {error}"
            self._dead(work, delivery, at)
        else:
            self._postpone(delivery, at)

    def _dead(self, work: _Work, delivery: Delivery, at: datetime) -> None:
        delivery.state, delivery.done_at = Delivery.State.DEAD, at
        service, more, item = work.sent
        delivery.request = json.dumps({"service": service, **more, "data": [item]}, ensure_ascii=False)
        self.report.dead += 1

    def _postpone(self, delivery: Delivery, at: datetime) -> None:
        """Somewhere in the second half of a pause that doubles with every attempt."""
        pause = min(FIRST_PAUSE * 2 ** min(delivery.attempts, 10), LONGEST_PAUSE)
        delivery.next_at = at + pause * self.random.uniform(0.5, 1.0)
        self.report.postponed += 1

    def _save(self, group: Sequence[tuple[_Work, Delivery]]) -> None:
        """Writes what became of these deliveries, in one transaction and without a query a row."""
        fields = ("state", "record_done", "attempts", "next_at", "sent_at", "done_at", "request", "reply", "error")
        meta: list[Any] = [Delivery._meta.get_field(name) for name in fields]
        rows = [[*(f.get_db_prep_save(getattr(d, f.attname), connection) for f in meta), d.position] for _, d in group]
        sets = ", ".join(f"{name} = %s" for name in fields)
        known = [
            (s.dossier, s.seq, s.status, None if s.due_at is None else to_microseconds(s.due_at))
            for s in (work.standing for work, _ in group)
            if s is not None
        ]
        lost = [work.dossier for work, _ in group if work.standing is None]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(f"UPDATE exchange_delivery SET {sets} WHERE position = %s", rows)
            cursor.executemany(
                "INSERT INTO exchange_standing (dossier, seq, status, due_at) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (dossier) DO UPDATE SET seq = excluded.seq, status = excluded.status,"
                " due_at = excluded.due_at",
                known,
            )
            if lost:
                Standing.objects.filter(dossier__in=lost).delete()
