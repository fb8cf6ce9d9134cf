"""Looks at raw messages: they tell of people, so who looked, when and why is kept beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from motcua.exchange.models import Look

#: A reason of fewer letters is none.
SHORTEST = 8


class NoReason(Exception):
    """Nobody sees a message whole without saying why."""


def keep(*, message: int, actor: str, at: datetime, reason: str) -> Look:
    """Keeps that somebody is about to see a message whole. Raises `NoReason`."""
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST:
        raise NoReason
    return Look.objects.create(message=message, actor=actor, at=at, reason=reason[:500])


def of(message: int) -> Sequence[Look]:
    """Who looked at a message, the newest first."""
    return list(Look.objects.filter(message=message).order_by("-pk"))
