"""Sends again what the portal lacks: by itself where that is safe, else when a person asks for it.

Safe is what we sent, the portal acknowledged and does not show: a record is told as of the newest event that was
acknowledged, a step that is there already is dropped. What changed over there since it was equal, what was refused
and what another software sent waits for a person. Each repair is kept with what differed and why.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from django.db import transaction

from motcua.exchange.models import Delivery, Difference, Repair, Standing
from motcua.exchange.reconcile import Found, Ours
from motcua.rules.instants import Unreadable

#: Tried so many times without the dossier becoming equal, a repair is for people.
PATIENCE = 5
Switch = Literal["off", "ours", "all"]
_SWITCHES: tuple[Switch, ...] = ("off", "ours", "all")


def switch() -> Switch:
    """Whose dossiers are repaired by themselves: nobody's, those of our desk, the imported ones too.

    Raises `Unreadable`.
    """
    value = os.environ.get("MOTCUA_REPAIR", "ours")
    for known in _SWITCHES:
        if value == known:
            return known
    raise Unreadable(f"MOTCUA_REPAIR {value!r}: write one of {', '.join(_SWITCHES)}")


def safe(ours: Ours, found: Sequence[Found], *, tried: int, allowed: Switch) -> list[Found]:
    """Those of the differences that may be repaired without asking anybody."""
    if allowed == "off" or tried >= PATIENCE or (ours.imported and allowed != "all"):
        return []
    return [each for each in found if each.why == Difference.Why.NOT_SHOWN and each.seq]


def send_again(code: str, found: Sequence[Found], *, at: datetime, reason: str) -> int:
    """Puts the events behind these differences back to waiting, and keeps that it did. Returns how many go again."""
    absent = any(each.name == "dossier" for each in found)
    record = any(not each.name.startswith("step") for each in found)
    with transaction.atomic():
        chosen = Delivery.objects.select_for_update().filter(dossier=code, state=Delivery.State.DELIVERED)
        states = dict(chosen.order_by("seq").values_list("seq", "state"))
        wanted = set(states) if absent else {each.seq for each in found if each.name.startswith("step -")} & set(states)
        if record and states:
            wanted.add(max(states))
        if not wanted:
            return 0
        if absent:
            Standing.objects.filter(dossier=code).delete()
        Repair.objects.create(
            dossier=code, at=at, reason=reason, before={each.name: [each.ours, each.there] for each in found},
            after={str(seq): states[seq] for seq in sorted(wanted)},
        )  # fmt: skip
        return Delivery.objects.filter(dossier=code, seq__in=wanted).update(
            state=Delivery.State.WAITING, record_done=False, next_at=at, attempts=0, done_at=None
        )
