"""What a person asks for of single dossiers: send first, send again, fetch what the portal shows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Q

from motcua.catalogue import training
from motcua.exchange import dead_letters, looked_up, remedies, repair
from motcua.exchange.models import Delivery, Looked
from motcua.exchange.reconcile import Found
from motcua.mirror.client import Portal
from motcua.rules.instants import Unreadable

#: So many dossiers are fetched while a person waits; more are left to the worker.
AT_ONCE = 20
_MANY = 500


@dataclass(slots=True)
class Outcome:
    """What was done, in dossiers; each dossier counts once."""

    replayed: int = 0  # its dead letters wait again
    again: int = 0  # acknowledged, not shown: it goes again
    first: int = 0  # it waited and goes now
    equal: int = 0  # nothing to send
    not_ours: int = 0  # another software sends it


def send_first(codes: Iterable[str], *, at: datetime) -> int:
    """What waits of these dossiers goes with the next run, whatever pause it was in. Returns the dossiers."""
    wanted, moved = list(dict.fromkeys(codes)), 0
    for start in range(0, len(wanted), _MANY):
        waiting = Delivery.objects.filter(dossier__in=wanted[start : start + _MANY], state=Delivery.State.WAITING)
        moved += waiting.values("dossier").distinct().count()
        waiting.filter(Q(next_at=None) | Q(next_at__gt=at)).update(next_at=at)
    return moved


def send_again(codes: Iterable[str], *, at: datetime) -> Outcome:
    """Sends again what the portal refused or lacks of these dossiers."""
    outcome = Outcome()
    for line in looked_up.compare(dict.fromkeys(codes)):
        with transaction.atomic():
            _again(line, outcome, at)
    return outcome


def _again(line: looked_up.Line, outcome: Outcome, at: datetime) -> None:
    dead = dead_letters.select(dossiers=[line.dossier])
    if dead_letters.replay(dead, at=at):
        outcome.replayed += 1
    elif not line.ours:
        outcome.not_ours += 1
    elif send_first([line.dossier], at=at):
        outcome.first += 1
    elif line.verdict is looked_up.Verdict.DIFFERS and _lacks(line.dossier, line.found, at):
        outcome.again += 1
    else:
        outcome.equal += 1


def _lacks(dossier: str, found: Sequence[Found], at: datetime) -> int:
    return repair.send_again(dossier, found, at=at, reason=found[0].why)


def of_error(words: str) -> list[str]:
    """The dossiers with a dead letter that the portal refused in these words, without what names the dossier."""
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).values_list("dossier", "error")
    return sorted({dossier for dossier, error in dead if remedies.plain(error) == words})


def replay_error(words: str, *, at: datetime) -> int:
    """Puts all dead letters with these words back to waiting. Returns how many messages."""
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).values_list("position", "error")
    positions = [position for position, error in dead if remedies.plain(error) == words]
    replayed = 0
    for start in range(0, len(positions), _MANY):
        replayed += dead_letters.replay(dead_letters.select(positions=positions[start : start + _MANY]), at=at)
    return replayed


def look_soon(codes: Iterable[str], *, at: datetime) -> int:
    """These dossiers are the next that the worker looks up on the portal. Returns how many."""
    wanted = list(dict.fromkeys(codes))
    rows = [Looked(dossier=code, fresh=True, changed_at=at) for code in wanted]
    Looked.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["dossier"], update_fields=["fresh", "changed_at"], batch_size=_MANY
    )
    return len(wanted)


def is_named() -> bool:
    """Whether the settings name a national portal."""
    return bool(os.environ.get("NATIONAL_PORTAL_URL") and os.environ.get("NATIONAL_PORTAL_PASSWORD_FILE"))


def portal(*, timeout_s: float = 30.0) -> Portal | None:
    """The national portal of the settings; None where none is configured. Raises `Unreadable`."""
    if not is_named():
        return None
    url, file = os.environ["NATIONAL_PORTAL_URL"], os.environ["NATIONAL_PORTAL_PASSWORD_FILE"]
    try:
        password = Path(file).read_text().strip()
    except OSError as error:
        raise Unreadable(f"NATIONAL_PORTAL_PASSWORD_FILE {file}: cannot be read: {error.strerror}") from None
    training.check(url)
    user = os.environ.get("NATIONAL_PORTAL_USER", "")
    return Portal(url, user, password, os.environ.get("NATIONAL_PORTAL_UNIT", user), timeout_s=timeout_s)
