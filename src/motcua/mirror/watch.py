"""When the collector ran, and when not: what was not watched is silence, never zero."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from motcua.mirror.models import Watch

#: A running collector gives a sign of life so often; without one for longer it was away.
BEAT = timedelta(seconds=10)
AWAY = timedelta(seconds=45)


class Gap(NamedTuple):
    """A span in which nothing was watched; `until` None: it lasts."""

    since: datetime
    until: datetime | None


def begin(at: datetime) -> int:
    """A process begins to watch; returns its number for `beat`."""
    return int(Watch.objects.create(since=at, until=at).pk)


def beat(number: int, at: datetime) -> None:
    """It still does."""
    Watch.objects.filter(pk=number, until__lt=at).update(until=at)


def gaps(since: datetime, now: datetime) -> list[Gap]:
    """The spans since then in which no process watched, the newest first; empty where none ever did."""
    first = Watch.objects.order_by("since").values_list("since", flat=True).first()
    if first is None:
        return []
    spans: list[tuple[datetime, datetime]] = sorted(
        (row.since, row.until) for row in Watch.objects.filter(until__gte=since - AWAY)
    )
    last = Watch.objects.filter(until__lt=since - AWAY).order_by("-until").first()
    if last is not None:
        spans.insert(0, (last.since, last.until))
    covered: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if covered and start <= covered[-1][1] + AWAY:
            covered[-1] = (covered[-1][0], max(covered[-1][1], end))
        else:
            covered.append((start, end))
    found = [Gap(before[1], after[0]) for before, after in pairwise(covered) if after[0] > since]
    if now - covered[-1][1] > AWAY:
        found.append(Gap(covered[-1][1], None))
    return found[::-1]
