"""The steps of the internal process: taken in hand, finished. Two who finish the same step: one wins."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from motcua.dossiers.log import Log
from motcua.rules import moves
from motcua.rules.dossier import Dossier
from motcua.rules.moves import Actor


@transaction.atomic
def start(*, code: str, step: str, by: Actor, at: datetime, now: datetime) -> Dossier:
    """Takes a step in hand. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.start_step(log.dossier, step=step, by=by, at=at, now=now))


@transaction.atomic
def finish(
    *, code: str, step: str, by: Actor, at: datetime, now: datetime, evidence_at: datetime | None = None
) -> Dossier:
    """Finishes the step in hand. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.finish_step(log.dossier, step=step, by=by, at=at, now=now, evidence_at=evidence_at))
