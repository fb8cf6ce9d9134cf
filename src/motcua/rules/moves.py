"""What our own desk may do: the rules say yes with an event, or no with `Refused`.

An imported log may hold anything and is kept as it is; the desk's own acts are decided here. Source: law
paper §2.1 (legal moves), §2.6, §2.10.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from motcua.rules import enclosures
from motcua.rules import events as e
from motcua.rules.dossier import Dossier, Status
from motcua.rules.enclosures import Enclosed, Fee, Paper, Result


class Refused(Exception):
    """The rules say no, and the person can act on it: a code and the facts of the case, no words."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code, self.facts = code, facts

    def __str__(self) -> str:
        return self.code + "".join(f" {name}={value}" for name, value in self.facts.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: the account and the unit whose post is held."""

    name: str
    unit: str


#: Every code that this room can refuse with; the door has words for each (house test).
REFUSALS = (
    "act.in_the_future", "act.before_the_last", "dossier.already_accepted", "dossier.not_accepted",
    "dossier.has_ended", "dossier.is_suspended", "dossier.not_suspended", "dossier.known", "dossier.unknown",
    "step.already_finished", "step.already_started", "step.unknown", "step.not_your_unit", "supplement.asked_before",
    "extension.not_later", "extension.no_due", "result.not_finished", "result.already_returned", "leg.none",
    "correction.unknown_event", "evidence.before_receipt", "evidence.known", "fee.bad_amount", "fee.unknown_kind",
    "fee.nameless", "enclosure.bad_address", "enclosure.nameless", "paper.unknown_reuse",
    "finding.unknown", "finding.not_your_unit", "finding.not_your_post", "finding.not_in_this_state",
    "finding.before_the_last", "finding.date_has_passed", "finding.no_extension_asked", "finding.nobody_named",
    "finding.answer_incomplete", "finding.no_outcome", "finding.not_heard", "finding.reason_missing",
)  # fmt: skip


def _stamp(by: Actor, at: datetime, now: datetime, note: str = "") -> dict[str, Any]:
    return {"at": at, "recorded_at": now, "actor": by.name, "unit": by.unit, "note": note}


def _may_act(dossier: Dossier, *, at: datetime, now: datetime) -> None:
    """An act is dated by now at the latest, and not before the dossier was accepted. law: moves-1"""
    if at > now + timedelta(minutes=1):
        raise Refused("act.in_the_future", at=at, now=now)
    if dossier.accepted_at is None:
        raise Refused("dossier.not_accepted", dossier=dossier.code)
    if at < dossier.accepted_at:
        raise Refused("act.before_the_last", at=at, last=dossier.accepted_at)


def _may_work(dossier: Dossier, *, at: datetime, now: datetime) -> None:
    _may_act(dossier, at=at, now=now)
    if dossier.has_ended:
        raise Refused("dossier.has_ended", dossier=dossier.code, status=int(dossier.status), at=dossier.ended_at)


def _may_proceed(dossier: Dossier, *, at: datetime, now: datetime) -> None:
    _may_work(dossier, at=at, now=now)
    if dossier.is_suspended:
        raise Refused("dossier.is_suspended", dossier=dossier.code, since=dossier.suspended_since)


def _whole(items: Iterable[Enclosed]) -> None:
    """Refuses what an act encloses and nobody could use: an address that is none, an amount below nothing."""
    for item in items:
        code = enclosures.fault(item)
        if code:
            raise Refused(code, item=getattr(item, "address", "") or item.name, amount=getattr(item, "amount", ""))


def submit(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, papers: tuple[Paper, ...] = (), **header: Any
) -> e.Registered:
    """The dossier exists: 1. `header`: the fields of `Registered`."""
    _whole(papers)
    return e.Registered(**_stamp(by, at, now), submitted_at=at, papers=papers, **header)


def receive(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, due_at: datetime | None, fees: tuple[Fee, ...] = ()
) -> e.Received:
    """The desk accepts the dossier: 1 → 2."""
    _whole(fees)
    if at > now + timedelta(minutes=1):
        raise Refused("act.in_the_future", at=at, now=now)
    if dossier.has_ended:
        raise Refused("dossier.has_ended", dossier=dossier.code, status=int(dossier.status), at=dossier.ended_at)
    if dossier.accepted_at is not None:
        raise Refused("dossier.already_accepted", dossier=dossier.code, at=dossier.accepted_at)
    if dossier.submitted_at is not None and at < dossier.submitted_at:
        raise Refused("act.before_the_last", at=at, last=dossier.submitted_at)
    return e.Received(**_stamp(by, at, now), due_at=due_at, fees=fees)


def refuse(dossier: Dossier, *, by: Actor, at: datetime, now: datetime, reason: str) -> e.Refused:
    """Not accepted at intake (1 → 3), or refused in writing after appraisal."""
    if at > now + timedelta(minutes=1):
        raise Refused("act.in_the_future", at=at, now=now)
    if dossier.has_ended:
        raise Refused("dossier.has_ended", dossier=dossier.code, status=int(dossier.status), at=dossier.ended_at)
    return e.Refused(**_stamp(by, at, now), reason=reason)


def start_step(dossier: Dossier, *, step: str, by: Actor, at: datetime, now: datetime) -> e.StepStarted:
    """Somebody takes a step in hand."""
    _may_proceed(dossier, at=at, now=now)
    if dossier.step:
        raise Refused("step.already_started", step=dossier.step, holder=dossier.holder)
    return e.StepStarted(**_stamp(by, at, now), step=step)


def finish_step(
    dossier: Dossier, *, step: str, by: Actor, at: datetime, now: datetime, evidence_at: datetime | None = None
) -> e.StepFinished:
    """The step in hand is done; whoever comes second is told so."""
    _may_proceed(dossier, at=at, now=now)
    if dossier.step != step:
        raise Refused("step.already_finished", step=step, current=dossier.step)
    if dossier.unit and by.unit != dossier.unit:
        raise Refused("step.not_your_unit", step=step, unit=dossier.unit)
    return e.StepFinished(**_stamp(by, at, now), step=step, evidence_at=evidence_at)


def request_supplement(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, document: bool | None, note: str = "",
    exception: bool = False,
) -> e.SupplementRequested:  # fmt: skip
    """More papers are asked for: once only, unless sector law says otherwise. law: supplement-3"""
    _may_proceed(dossier, at=at, now=now)
    if dossier.supplements and not exception:
        raise Refused("supplement.asked_before", dossier=dossier.code)
    return e.SupplementRequested(**_stamp(by, at, now, note), document=document)


def receive_supplement(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, papers: tuple[Paper, ...] = ()
) -> e.SupplementReceived:
    """The papers came."""
    _whole(papers)
    _may_work(dossier, at=at, now=now)
    if dossier.status is not Status.SUPPLEMENT:
        raise Refused("dossier.not_suspended", dossier=dossier.code)
    return e.SupplementReceived(**_stamp(by, at, now), papers=papers)


def suspend(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, reason: str, document: bool | None
) -> e.Suspended:
    """The dossier waits for somebody else."""
    _may_proceed(dossier, at=at, now=now)
    return e.Suspended(**_stamp(by, at, now), reason=reason, document=document)


def resume(dossier: Dossier, *, by: Actor, at: datetime, now: datetime) -> e.Resumed:
    """The suspension is over."""
    _may_work(dossier, at=at, now=now)
    if not dossier.is_suspended:
        raise Refused("dossier.not_suspended", dossier=dossier.code)
    return e.Resumed(**_stamp(by, at, now))


def request_payment(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, document: bool | None, fees: tuple[Fee, ...] = ()
) -> e.PaymentRequested:
    """A financial duty is asked for."""
    _whole(fees)
    _may_proceed(dossier, at=at, now=now)
    return e.PaymentRequested(**_stamp(by, at, now), document=document, fees=fees)


def pay(dossier: Dossier, *, by: Actor, at: datetime, now: datetime) -> e.Paid:
    """The financial duty is performed."""
    _may_work(dossier, at=at, now=now)
    if dossier.status is not Status.PAYMENT:
        raise Refused("dossier.not_suspended", dossier=dossier.code)
    return e.Paid(**_stamp(by, at, now))


def send_leg(dossier: Dossier, *, by: Actor, at: datetime, now: datetime, to: str) -> e.LegSent:
    """Another agency is asked; the clock goes on. law: pause-4"""
    _may_proceed(dossier, at=at, now=now)
    return e.LegSent(**_stamp(by, at, now), to=to)


def return_leg(dossier: Dossier, *, by: Actor, at: datetime, now: datetime) -> e.LegReturned:
    """The other agency answered."""
    _may_act(dossier, at=at, now=now)
    if not dossier.leg:
        raise Refused("leg.none", dossier=dossier.code)
    return e.LegReturned(**_stamp(by, at, now))


def extend(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, due_at: datetime, document: bool | None
) -> e.Extended:
    """A new due instant with an apology. Whether it is lawful is judged by the verdict, and said at the door."""
    _may_work(dossier, at=at, now=now)
    if dossier.due_at is None:
        raise Refused("extension.no_due", dossier=dossier.code)
    if due_at <= dossier.due_at:
        raise Refused("extension.not_later", due_at=dossier.due_at, asked=due_at)
    return e.Extended(**_stamp(by, at, now), due_at=due_at, document=document)


def withdraw(dossier: Dossier, *, by: Actor, at: datetime, now: datetime) -> e.Withdrawn:
    """The applicant takes the dossier back."""
    _may_work(dossier, at=at, now=now)
    return e.Withdrawn(**_stamp(by, at, now))


def stop(dossier: Dossier, *, by: Actor, at: datetime, now: datetime, reason: str) -> e.Stopped:
    """The authority stops the processing."""
    _may_work(dossier, at=at, now=now)
    return e.Stopped(**_stamp(by, at, now), reason=reason)


def finish(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, evidence_at: datetime | None = None,
    results: tuple[Result, ...] = (),
) -> e.Finished:  # fmt: skip
    """Processing has ended: 4 → 9. `results`: the documents that answer the dossier, as far as they are known."""
    _whole(results)
    _may_proceed(dossier, at=at, now=now)
    return e.Finished(**_stamp(by, at, now), evidence_at=evidence_at, results=results)


def return_result(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, evidence_at: datetime | None = None,
    skip_finish: bool = False, results: tuple[Result, ...] = (),
) -> e.Returned:  # fmt: skip
    """The applicant has the result: 9 → 10. `skip_finish`: handed over though nobody clicked the end."""
    _whole(results)
    _may_act(dossier, at=at, now=now)
    if dossier.returned_at is not None:
        raise Refused("result.already_returned", dossier=dossier.code, at=dossier.returned_at)
    if dossier.finished_at is None and not skip_finish:
        raise Refused("result.not_finished", dossier=dossier.code)
    return e.Returned(**_stamp(by, at, now), evidence_at=evidence_at, results=results)


def correct(
    dossier: Dossier, *, by: Actor, now: datetime, corrects: int, true_at: datetime | None = None,
    due_at: datetime | None = None, void: bool = False, note: str = "",
) -> e.Corrected:  # fmt: skip
    """A mistake is put right by a correcting event, never by rewriting."""
    if not 1 <= corrects <= dossier.seq:
        raise Refused("correction.unknown_event", seq=corrects)
    return e.Corrected(**_stamp(by, now, now, note), corrects=corrects, true_at=true_at, due_at=due_at, void=void)


def attach_evidence(
    dossier: Dossier, *, by: Actor, at: datetime, now: datetime, standing: Literal["fixes", "bounds"], digest: str,
    number: str = "", note: str = "",
) -> e.EvidenceAttached:  # fmt: skip
    """A document fixes or bounds the completion at the instant `at`; never before the receipt, never in the future."""
    if at > now + timedelta(minutes=1):
        raise Refused("act.in_the_future", at=at, now=now)
    if dossier.accepted_at is None:
        raise Refused("dossier.not_accepted", dossier=dossier.code)
    if at < dossier.accepted_at:
        raise Refused("evidence.before_receipt", at=at, received=dossier.accepted_at)
    return e.EvidenceAttached(**_stamp(by, at, now, note), standing=standing, digest=digest, number=number)
