"""The collector's traffic: how much of what came from whom, what failed with which words, and each raw message.

Messages are listed newest first, page by page from a place in that order, so that a page costs the same on a day of
thirty messages and in a year of sixteen million.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from motcua.mirror.models import About, Message, Orphan
from motcua.rules.instants import VIET_NAM, Unreadable, from_microseconds, to_microseconds
from motcua.wire.messages import read_json

#: How a message went: taken, refused, the real portal silent, no answer kept (killed, or the sandbox lost it).
OUTCOMES = ("ok", "error", "silent", "open")
#: Failures of a day that are read for their words; beyond that the newest stand for all.
_READ = 20_000
#: A count that goes no further.
MOST = 100_000
_FAILED = Q(error_code__isnull=False) & ~Q(error_code=0)
_WHICH: dict[str, Q] = {
    "ok": Q(error_code=0),
    "error": _FAILED,
    "silent": Q(forward_http=None, http=504) & ~Q(forwarded_to=""),
    "open": Q(http=None, error_code=None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which messages are meant; empty fields are open. `words`: in the answer; `day` None: any day."""

    day: date | None = None
    sender: str | None = None
    service: str = ""
    outcome: str = ""
    code: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """What one sender sent of one service: how many messages, how many failed, when the last came."""

    sender: str
    service: str
    messages: int
    failed: int
    silent: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Failures of equal words: how many, the last one."""

    words: str
    service: str
    count: int
    last_at: datetime


def day_of(day: date) -> tuple[datetime, datetime]:
    """A day of Viet Nam: from its beginning, up to but not including its end."""
    start = datetime.combine(day, time(), VIET_NAM)
    return start, start + timedelta(days=1)


def _on(day: date) -> QuerySet[Message, Message]:
    start, end = day_of(day)
    return Message.objects.filter(received_at__gte=start, received_at__lt=end)


def flows(day: date) -> list[Flow]:
    """A day's traffic by sender and service, the most first."""
    rows = (
        _on(day).order_by().values_list("sender", "service")
        .annotate(n=Count("pk"), failed=Count("pk", filter=_FAILED), silent=Count("pk", filter=_WHICH["silent"]),
                  last=Max("received_at"))
    )  # fmt: skip
    return sorted((Flow(*row) for row in rows), key=lambda flow: (-flow.messages, flow.sender, flow.service))


def failures(day: date, *, plain: Any) -> tuple[list[Failure], bool]:
    """A day's failures by their words (`plain` takes the dossier out of them), and whether they are only the newest."""
    rows = _on(day).filter(_FAILED).order_by("-received_at").values_list("service", "reply", "received_at")[:_READ]
    counted: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], datetime] = {}
    read = 0
    for service, reply, at in rows:
        assert isinstance(at, datetime)
        key = (plain(words_of(reply)), service)
        counted[key] += 1
        last.setdefault(key, at)
        read += 1
    found = [Failure(words, service, n, last[words, service]) for (words, service), n in counted.most_common()]
    return found, read == _READ


def words_of(reply: str) -> str:
    """The message of an answer; the answer itself where it is none of the contract's, cut short."""
    try:
        document = read_json(reply.encode())
    except (Unreadable, UnicodeEncodeError):
        return " ".join(reply.split())[:200]
    return str(document.get("message") or "") if isinstance(document, dict) else ""


def orphans(limit: int) -> tuple[list[tuple[str, int, datetime]], int]:
    """Steps of dossiers that are not here yet, (code, steps, the newest), the longest waiting first; and how many."""
    rows = Orphan.objects.filter(linked_at=None)
    listed = rows.values_list("code").annotate(n=Count("pk"), last=Max("stored_at")).order_by("last")[:limit]
    return [(code, n, last) for code, n, last in listed], rows.count()


# ---- messages --------------------------------------------------------------------------------------------------------


def chosen(asked: Filter) -> QuerySet[Message, Message]:
    """The messages that are meant, newest first. Raises `Unreadable`."""
    rows = Message.objects.all() if asked.day is None else _on(asked.day)
    if asked.sender is not None:
        rows = rows.filter(sender=asked.sender)
    if asked.service:
        rows = rows.filter(service=asked.service)
    if asked.outcome:
        if asked.outcome not in OUTCOMES:
            raise Unreadable(f"outcome {asked.outcome!r} is none of {', '.join(OUTCOMES)}")
        rows = rows.filter(_WHICH[asked.outcome])
    if asked.words:
        written = {json.dumps(asked.words, ensure_ascii=ascii)[1:-1] for ascii in (False, True)}  # as JSON has it
        rows = rows.filter(reduce(or_, (Q(reply__contains=text) for text in written)))
    if asked.code:
        rows = rows.filter(pk__in=About.objects.filter(code=asked.code).values("message"))
    return rows.order_by("-received_at", "-pk")


def count(asked: Filter) -> int:
    """How many are meant; MOST stands for that many or more."""
    return chosen(asked)[:MOST].count()


def page(asked: Filter, *, after: str = "", limit: int) -> tuple[list[Message], str]:
    """A page of messages without their bodies, and the place of the next one (empty: none). Raises `Unreadable`."""
    rows = chosen(asked).defer("body")
    if after:
        at, number = _place(after)
        rows = rows.filter(Q(received_at__lt=at) | Q(received_at=at, pk__lt=number))
    found = list(rows[: limit + 1])
    more = found[limit - 1] if len(found) > limit else None
    return found[:limit], "" if more is None else f"{to_microseconds(more.received_at)}-{more.pk}"


def _place(text: str) -> tuple[datetime, int]:
    at, _, number = text.partition("-")
    if not (at.isdigit() and number.isdigit() and len(at) <= 17 and len(number) <= 18):
        raise Unreadable(f"after {text!r} is no place in the list")
    return from_microseconds(int(at)), int(number)


def about(numbers: Iterable[int]) -> dict[int, list[str]]:
    """The dossiers that these messages are about, by message."""
    found: dict[int, list[str]] = {}
    wanted = list(numbers)
    for first in range(0, len(wanted), 500):
        rows = About.objects.filter(message__in=wanted[first : first + 500]).order_by("message", "pk")
        for number, code in rows.values_list("message", "code"):
            found.setdefault(number, []).append(code)
    return found


def outcome(message: Message) -> str:
    """How a message went, of OUTCOMES."""
    if message.error_code is not None:
        return "ok" if message.error_code == 0 else "error"
    if message.http is None:
        return "open"
    return "silent" if message.forwarded_to and message.forward_http is None else "error"


def forwards_to() -> str:
    """Where the newest message went on to; empty where it was answered here."""
    return Message.objects.order_by("-received_at", "-pk").values_list("forwarded_to", flat=True).first() or ""


def senders(day: date) -> Sequence[str]:
    """Who sent something on a day."""
    return list(_on(day).order_by("sender").values_list("sender", flat=True).distinct())
