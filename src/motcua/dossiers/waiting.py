"""What a dossier waits for: papers, a payment, another agency, a named ground."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from motcua.dossiers.log import Log
from motcua.rules import moves
from motcua.rules.dossier import Dossier
from motcua.rules.enclosures import Fee, Paper
from motcua.rules.moves import Actor


@transaction.atomic
def request_supplement(
    *, code: str, by: Actor, at: datetime, now: datetime, document: bool | None, exception: bool = False
) -> Dossier:
    """Asks for more papers; once only, unless sector law makes an exception. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    event = moves.request_supplement(log.dossier, by=by, at=at, now=now, document=document, exception=exception)
    return log.append(event)


@transaction.atomic
def receive_supplement(*, code: str, by: Actor, at: datetime, now: datetime, papers: tuple[Paper, ...] = ()) -> Dossier:
    """The papers came. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.receive_supplement(log.dossier, by=by, at=at, now=now, papers=papers))


@transaction.atomic
def suspend(*, code: str, by: Actor, at: datetime, now: datetime, reason: str, document: bool | None) -> Dossier:
    """The dossier waits, by a named ground. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.suspend(log.dossier, by=by, at=at, now=now, reason=reason, document=document))


@transaction.atomic
def resume(*, code: str, by: Actor, at: datetime, now: datetime) -> Dossier:
    """The suspension is over. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.resume(log.dossier, by=by, at=at, now=now))


@transaction.atomic
def request_payment(
    *, code: str, by: Actor, at: datetime, now: datetime, document: bool | None, fees: tuple[Fee, ...] = ()
) -> Dossier:
    """Asks for a financial duty, made up of these fees. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.request_payment(log.dossier, by=by, at=at, now=now, document=document, fees=fees))


@transaction.atomic
def pay(*, code: str, by: Actor, at: datetime, now: datetime) -> Dossier:
    """The duty is performed. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.pay(log.dossier, by=by, at=at, now=now))


@transaction.atomic
def send_leg(*, code: str, by: Actor, at: datetime, now: datetime, to: str) -> Dossier:
    """Asks another agency; the clock goes on. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.send_leg(log.dossier, by=by, at=at, now=now, to=to))


@transaction.atomic
def return_leg(*, code: str, by: Actor, at: datetime, now: datetime) -> Dossier:
    """The other agency answered. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.return_leg(log.dossier, by=by, at=at, now=now))
