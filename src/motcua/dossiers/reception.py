"""At the desk: a dossier is submitted, accepted with a receipt slip, or refused."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from motcua.catalogue.models import Procedure
from motcua.catalogue.terms import Terms
from motcua.dossiers.log import Log
from motcua.rules import moves
from motcua.rules.clock import Allotted, due_at
from motcua.rules.dossier import Dossier
from motcua.rules.enclosures import Fee, Paper
from motcua.rules.moves import Actor


@transaction.atomic
def submit(
    *, code: str, procedure: str, agency: str, by: Actor, at: datetime, now: datetime, channel: str = "desk",
    applicant: str = "", submitter: str = "", allotted: str = "", source: str = "", papers: tuple[Paper, ...] = (),
) -> Dossier:  # fmt: skip
    """A dossier comes in with its papers: 1, newly registered. Raises `moves.Refused`."""
    event = moves.submit(
        Dossier(code=code), by=by, at=at, now=now, procedure=procedure, agency=agency, channel=channel, source=source,
        allotted=allotted or _allotted(procedure), applicant=applicant, submitter=submitter, papers=papers,
    )  # fmt: skip
    return Log.opened(code, event, now=now).dossier


@transaction.atomic
def receive(
    *, code: str, by: Actor, at: datetime, now: datetime, due: datetime | None = None, fees: tuple[Fee, ...] = ()
) -> Dossier:
    """The desk accepts the dossier and issues the slip, with the fees due now: 2. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    promised = due or promise(log.dossier, at)
    return log.append(moves.receive(log.dossier, by=by, at=at, now=now, due_at=promised, fees=fees))


@transaction.atomic
def refuse(*, code: str, by: Actor, at: datetime, now: datetime, reason: str) -> Dossier:
    """The dossier is not accepted, or refused after appraisal: 3. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.refuse(log.dossier, by=by, at=at, now=now, reason=reason))


def promise(dossier: Dossier, at: datetime) -> datetime | None:
    """What the slip will say: the due instant of a dossier that is accepted now."""
    if not dossier.allotted:
        return None
    terms = Terms.of_one(dossier.procedure, dossier.agency)
    return due_at(at, Allotted.parse(dossier.allotted), calendar=terms.calendar, mode=terms.mode, cutoff=terms.cutoff)


def _allotted(procedure: str) -> str:
    return Procedure.objects.filter(code=procedure).values_list("allotted", flat=True).first() or ""
