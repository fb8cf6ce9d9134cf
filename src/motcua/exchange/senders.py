"""Who sends dossier messages to the collector, how often, and who has fallen silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import connections

from motcua.catalogue import calendars
from motcua.catalogue.models import Agency
from motcua.rules.instants import from_microseconds, to_microseconds
from motcua.rules.workdays import WorkCalendar

#: What is usual of a sender is told from so far back.
LOOK_BACK = timedelta(days=28)
#: A sender of fewer messages has no habit to be held against.
_HABIT = 20
#: Silent: so many messages should have come, in more than an hour of work, and half as long again as its pauses are.
_MISSING, _SHORTEST_MINUTES, _LONGER = 8.0, 60, 1.5
_HOUR_US = 3_600_000_000


class _Hour(NamedTuple):
    """The messages of a sender in an hour: the hour since 1970, how many, the last one."""

    hour: int
    messages: int
    last: int


def listed(*, now: datetime) -> list[dict[str, Any]]:
    """Each sender of dossier messages at the collector: its last one, its usual rate in an hour of work, its silence.

    A sender is silent when enough messages are missing by its own habit, counted in working time; None where it has
    sent too little for a habit.
    """
    since = to_microseconds(now - LOOK_BACK)
    with connections["mirror"].cursor() as cursor:
        cursor.execute(
            f"SELECT sender, received_at / {_HOUR_US}, COUNT(*), MAX(received_at) FROM mirror_message"
            " WHERE received_at >= %s AND received_at <= %s AND sender <> ''"
            " AND service IN ('DongBoHoSoMC', 'CapNhatTienDoHoSoMC') GROUP BY 1, 2 ORDER BY 1, 2",
            [since, to_microseconds(now)],
        )
        hours: dict[str, list[_Hour]] = {}
        for sender, hour, count, last in cursor.fetchall():
            hours.setdefault(sender, []).append(_Hour(int(hour), int(count), int(last)))
    names = dict(Agency.objects.filter(code__in=list(hours)).values_list("code", "name"))
    calendar = calendars.load("vn")
    found = [_source(sender, of, names, calendar, now) for sender, of in hours.items()]
    return sorted(found, key=lambda row: (not row["silent"], row["last_at"]))


def units(*, now: datetime) -> list[dict[str, Any]]:
    """Each unit of whose dossiers something came to the collector, as `listed` tells of senders: a sender may speak
    for a hundred units, and one of them falls silent unseen. Keys as there; `messages` counts dossiers."""
    since = to_microseconds(now - LOOK_BACK)
    with connections["mirror"].cursor() as cursor:
        cursor.execute(
            f"SELECT unit, stored_at / {_HOUR_US}, COUNT(*), MAX(stored_at) FROM mirror_record"
            " WHERE side = 'held' AND stored_at >= %s AND stored_at <= %s AND unit <> '' GROUP BY 1, 2 ORDER BY 1, 2",
            [since, to_microseconds(now)],
        )
        hours: dict[str, list[_Hour]] = {}
        for unit, hour, count, last in cursor.fetchall():
            hours.setdefault(unit, []).append(_Hour(int(hour), int(count), int(last)))
    calendar = calendars.load("vn")
    found = [_source(unit, of, {unit: unit}, calendar, now) for unit, of in hours.items()]
    return sorted(found, key=lambda row: (not row["silent"], row["last_at"]))


def last_hour(*, now: datetime) -> dict[str, int]:
    """Dossier messages of each sender within the last hour."""
    with connections["mirror"].cursor() as cursor:
        cursor.execute(
            "SELECT sender, COUNT(*) FROM mirror_message WHERE received_at > %s AND received_at <= %s"
            " AND service IN ('DongBoHoSoMC', 'CapNhatTienDoHoSoMC') GROUP BY 1",
            [to_microseconds(now - timedelta(hours=1)), to_microseconds(now)],
        )
        return {sender: int(count) for sender, count in cursor.fetchall()}


def _source(
    sender: str, hours: Sequence[_Hour], names: Mapping[str, str], calendar: WorkCalendar, now: datetime
) -> dict[str, Any]:
    last_at = from_microseconds(max(hour.last for hour in hours))
    first_at = from_microseconds(hours[0].hour * _HOUR_US)
    count = sum(hour.messages for hour in hours)
    worked = calendar.minutes_between(last_at, now)
    row: dict[str, Any] = {
        "sender": sender, "name": names.get(sender, ""), "last_at": last_at, "messages": count,
        "silence_s": int((now - last_at).total_seconds()), "silence_worked_minutes": worked,
        "usual_per_hour": None, "silent": None,
    }  # fmt: skip
    if count < _HABIT:
        return row
    usual = 60 * count / max(calendar.minutes_between(first_at, last_at), 60)
    pauses = sorted(
        calendar.minutes_between(from_microseconds(a.last), from_microseconds(b.hour * _HOUR_US))
        for a, b in pairwise(hours)
    )
    pause = pauses[min(int(0.95 * len(pauses)), len(pauses) - 1)] if pauses else 0
    missing = usual * worked / 60
    row["usual_per_hour"] = round(usual, 1)
    row["silent"] = missing >= _MISSING and worked > max(_SHORTEST_MINUTES, _LONGER * pause)
    return row
