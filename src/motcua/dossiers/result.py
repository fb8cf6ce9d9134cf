"""How a dossier ends: extended with an apology, finished, returned, withdrawn, stopped; and corrected."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db import transaction

from motcua.dossiers.log import Log, events
from motcua.rules import moves
from motcua.rules.dossier import Dossier, corrected
from motcua.rules.enclosures import Result
from motcua.rules.events import EvidenceAttached
from motcua.rules.moves import Actor


@transaction.atomic
def extend(*, code: str, by: Actor, at: datetime, now: datetime, due_at: datetime, document: bool | None) -> Dossier:
    """Apologises and names a new due instant. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.extend(log.dossier, by=by, at=at, now=now, due_at=due_at, document=document))


@transaction.atomic
def finish(
    *, code: str, by: Actor, at: datetime, now: datetime, evidence_at: datetime | None = None,
    results: tuple[Result, ...] = (),
) -> Dossier:  # fmt: skip
    """Processing has ended, with these results: 9. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.finish(log.dossier, by=by, at=at, now=now, evidence_at=evidence_at, results=results))


@transaction.atomic
def return_result(
    *, code: str, by: Actor, at: datetime, now: datetime, evidence_at: datetime | None = None,
    skip_finish: bool = False, results: tuple[Result, ...] = (),
) -> Dossier:  # fmt: skip
    """The applicant has the result: 10. `results`: those not named at the end. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    event = moves.return_result(
        log.dossier, by=by, at=at, now=now, evidence_at=evidence_at, skip_finish=skip_finish, results=results
    )
    return log.append(event)


@transaction.atomic
def withdraw(*, code: str, by: Actor, at: datetime, now: datetime) -> Dossier:
    """The applicant takes the dossier back: 7. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.withdraw(log.dossier, by=by, at=at, now=now))


@transaction.atomic
def stop(*, code: str, by: Actor, at: datetime, now: datetime, reason: str) -> Dossier:
    """The authority stops: 8. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    return log.append(moves.stop(log.dossier, by=by, at=at, now=now, reason=reason))


@transaction.atomic
def correct(
    *, code: str, by: Actor, now: datetime, corrects: int, true_at: datetime | None = None,
    due_at: datetime | None = None, void: bool = False, note: str = "",
) -> Dossier:  # fmt: skip
    """Puts an earlier event right by a new one, never by rewriting. Raises `moves.Refused`."""
    log = Log.locked(code, now=now)
    event = moves.correct(
        log.dossier, by=by, now=now, corrects=corrects, true_at=true_at, due_at=due_at, void=void, note=note
    )
    return log.append(event)


@transaction.atomic
def attach_evidence(
    *, code: str, by: Actor, at: datetime, now: datetime, standing: Literal["fixes", "bounds"], digest: str,
    number: str = "", note: str = "",
) -> Dossier:  # fmt: skip
    """A document says when processing was complete. Raises `moves.Refused`, also where the record has it already."""
    log = Log.locked(code, now=now)
    event = moves.attach_evidence(
        log.dossier, by=by, at=at, now=now, standing=standing, digest=digest, number=number, note=note
    )
    for known in corrected(events(code)):
        if isinstance(known, EvidenceAttached) and (known.digest, known.at) == (digest, at):
            raise moves.Refused("evidence.known", dossier=code, at=at)
    return log.append(event)
