"""The circuit breaker of an address: closed, open, half open with one probe. It lives in the database, so that what
one process learns of an outage holds for all of them."""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet

from motcua.exchange.models import Endpoint

#: Failures in a row, each of another dossier or without any connection, that open the circuit.
THRESHOLD = 3
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=5)
#: A probe that has said nothing for so long was killed.
PROBE = timedelta(minutes=2)
#: How often a good answer of a healthy portal is noted.
_NOTED_EVERY = timedelta(seconds=10)


class Permit(StrEnum):
    """What the breaker lets through now."""

    ALL = "all"
    PROBE = "probe"
    NONE = "none"


class Breaker:
    """The breaker of one address, as one process uses it. `seed` makes its jitter repeatable."""

    def __init__(self, url: str, *, seed: int | None = None) -> None:
        self.url, self.random = url, random.Random(seed)
        self._noted_at: datetime | None = None  # when we last wrote that it answers

    def permits(self, at: datetime) -> Permit:
        """Whether to send: everything, one probe (which is then ours alone), or nothing."""
        row = Endpoint.objects.filter(url=self.url).values_list("retry_at", "probe_until").first()
        if row is None or row[0] is None:
            return Permit.ALL
        with transaction.atomic():
            endpoint = Endpoint.objects.select_for_update().get(url=self.url)
            if endpoint.retry_at is None:
                return Permit.ALL
            probed = endpoint.probe_until is not None and at < endpoint.probe_until
            if at < endpoint.retry_at or probed:
                return Permit.NONE
            endpoint.probe_until = at + PROBE
            endpoint.save(update_fields=["probe_until"])
            return Permit.PROBE

    def is_open(self) -> bool:
        """Whether the circuit is open or half open."""
        return Endpoint.objects.filter(url=self.url, retry_at__isnull=False).exists()

    def answered(self, at: datetime, *, message_us: int = 0) -> None:
        """The portal answered: the circuit closes. `message_us`: what the message took, in microseconds."""
        if self._noted_at is not None and abs(at - self._noted_at) < _NOTED_EVERY:
            return
        with transaction.atomic():
            Endpoint.objects.get_or_create(url=self.url)
            endpoint = Endpoint.objects.select_for_update().get(url=self.url)
            endpoint.failures, endpoint.suspect, endpoint.openings, endpoint.error = 0, "", 0, ""
            endpoint.retry_at = endpoint.probe_until = None
            endpoint.answered_at = self._noted_at = at
            if message_us:
                known = endpoint.message_us or message_us
                endpoint.message_us = (3 * known + message_us) // 4
            endpoint.save()

    def failed(self, at: datetime, error: str, *, dossier: str, connected: bool) -> bool:
        """No answer. A dossier that fails again and again counts once: it may be its own fault.

        Returns whether the circuit is open now.
        """
        self._noted_at = None
        with transaction.atomic():
            Endpoint.objects.get_or_create(url=self.url)
            endpoint = Endpoint.objects.select_for_update().get(url=self.url)
            if not connected or dossier != endpoint.suspect:
                endpoint.failures += 1
            endpoint.suspect, endpoint.error = dossier[:200], error
            was_probe = endpoint.probe_until is not None
            endpoint.probe_until = None
            if was_probe or endpoint.failures >= THRESHOLD:
                pause = min(FIRST_PAUSE * 2 ** min(endpoint.openings, 10), LONGEST_PAUSE)
                endpoint.retry_at = at + pause * self.random.uniform(0.5, 1.0)
                endpoint.openings += 1
            endpoint.save()
            return endpoint.retry_at is not None


def state(endpoint: Endpoint, *, now: datetime) -> str:
    """`closed`, `open` or `half_open`."""
    if endpoint.retry_at is None:
        return "closed"
    return "half_open" if endpoint.probe_until is not None and now < endpoint.probe_until else "open"


def in_use() -> QuerySet[Endpoint, Endpoint]:
    """The circuit of the address that the settings name; all that were tried where it is not among them.

    An address that was given up stays as it was last seen: what it did not answer is no alert any more.
    """
    tried = Endpoint.objects.order_by("url")
    named = tried.filter(url=os.environ.get("NATIONAL_PORTAL_URL", "").rstrip("/"))
    return named if named.exists() else tried
