"""Telling people: who is to know what, each thing once, nothing lost where it was muted, handed over where asked.

A notice is kept for the page whatever becomes of its letter. What lasts (an alert) ends when it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from motcua.accounts.models import Post, User
from motcua.catalogue import parts
from motcua.directives.models import Directive, Line
from motcua.exchange import alerts
from motcua.notices import asked, digests, timetable
from motcua.notices.models import Handover, Hook, Mute, Notice, Sending
from motcua.rules.instants import Unreadable, local_day

Kind, Channel = Notice.Kind, Sending.Channel
_HEADS = ("unit_head", "focal_point")
_OFFICIALS = ("clerk", "officer", "seal_clerk")
#: A notice is about something of these days; what is older is not told any more.
_TOLD_DAYS = 7
_AT_ONCE = 500


def holders(roles: Iterable[str], *, on: date) -> list[Post]:
    """The posts of these roles that are held on a day by people who can sign in."""
    held = Q(valid_from=None) | Q(valid_from__lte=on)
    held &= Q(valid_to=None) | Q(valid_to__gte=on)
    found = Post.objects.filter(held, role__in=list(roles), user__is_active=True)
    return list(found.select_related("user").order_by("user_id", "pk"))


def run(home: Path, *, now: datetime) -> int:
    """Tells what is due. Returns how many notices are new."""
    count = _tasks(now) + _asked(now) + _alerts(now)
    waiting = timetable.due(now)
    if not waiting or "oversight" not in parts.on():
        return count
    todo = {kind: about for kind, about in waiting.items() if not _told(kind, about)}
    if not todo:
        return count
    try:
        found = digests.gather(home, now=now)
    except Unreadable as error:
        if "there are no facts" not in str(error):
            raise
        return count  # an empty house has nothing to tell
    day = local_day(now)
    for kind, about in todo.items():
        match kind:
            case Kind.MORNING:
                for post in holders(_HEADS, on=day):
                    if post.agency:
                        count += tell(
                            post.user.username,
                            kind,
                            f"{about}:{post.agency}",
                            agency=post.agency,
                            body=digests.morning(found, post.agency),
                            now=now,
                        )
            case Kind.EVENING:
                for post in holders(_OFFICIALS, on=day):
                    if post.agency:
                        count += tell(
                            post.user.username,
                            kind,
                            f"{about}:{post.agency}",
                            agency=post.agency,
                            body=digests.evening(found, post.agency),
                            now=now,
                        )
            case _:
                body = digests.week(home, found)
                for post in holders(("leader",), on=day):
                    if not post.agency:
                        count += tell(post.user.username, kind, about, agency="", body=body, now=now)
    return count


def _told(kind: str, about: str) -> bool:
    return Notice.objects.filter(kind=kind, key__startswith=about).exists()


def _tasks(now: datetime) -> int:
    """New tasks to the heads of their units; each rung of the ladder to those whom it names."""
    day, count = local_day(now), 0
    since = now - timedelta(days=_TOLD_DAYS)
    given = Directive.objects.filter(given_at__gte=since, state=Directive.State.OPEN)
    heads = holders(_HEADS, on=day) if given else []
    for directive in given:
        units = set(directive.parts.values_list("agency", flat=True))
        for post in heads:
            if post.agency in units:
                count += tell(
                    post.user.username,
                    Kind.TASK_GIVEN,
                    f"task:{directive.pk}",
                    agency=post.agency,
                    body=_of_task(directive),
                    now=now,
                )
    for line in Line.objects.filter(act=Line.Act.ESCALATED, at__gte=since).select_related("directive"):
        units = set(line.directive.parts.values_list("agency", flat=True))
        for post in holders((line.facts["role"],), on=day):
            if not post.agency or post.agency in units:
                body = {**_of_task(line.directive), "late_days": line.facts["late_days"]}
                count += tell(
                    post.user.username, Kind.TASK_LATE, f"line:{line.pk}", agency=post.agency, body=body, now=now
                )
    return count


def _of_task(directive: Directive) -> dict[str, Any]:
    return {"task": directive.pk, "title": directive.title, "due_on": directive.due_on.isoformat()}


def _asked(now: datetime) -> int:
    """What findings and rounds ask, by when, and what came of it; what was told is not looked up person by person."""
    waiting = asked.due(now=now, since=now - timedelta(days=_TOLD_DAYS))
    if not waiting:
        return 0
    day, count = local_day(now), 0
    units, inspectors = holders(_HEADS, on=day), holders(("inspector",), on=day)
    keys = sorted({told.key for told in waiting})
    known: set[tuple[str, str, str]] = set()
    for start in range(0, len(keys), _AT_ONCE):
        rows = Notice.objects.filter(kind__in=asked.KINDS, key__in=keys[start : start + _AT_ONCE])
        known.update(rows.values_list("person", "kind", "key"))
    for told in waiting:
        for person, agency in asked.readers(told, units, inspectors):
            if (person, told.kind, told.key) not in known:
                body = {**told.body, "of": told.agency}
                count += tell(person, told.kind, told.key, agency=agency, body=body, now=now)
    return count


def _alerts(now: datetime) -> int:
    """What the watchers of the house raised, to those who run it; over where it is over there."""
    standing = {f"alert:{row['alert']}": row for row in alerts.listed()}
    lasting = Notice.objects.filter(kind=Kind.ALERT, over_at=None)
    lasting.exclude(key__in=list(standing)).update(over_at=now)
    if not standing:
        return 0
    count = 0
    for post in holders(("operator",), on=local_day(now)):
        for key, row in standing.items():
            body = {"alert": row["alert"], "kind": row["kind"], "subject": row["subject"], "facts": row["facts"]}
            count += tell(post.user.username, Kind.ALERT, key, agency="", body=body, now=now)
    return count


def tell(person: str, kind: str, key: str, *, agency: str, body: Mapping[str, Any], now: datetime) -> int:
    """Tells a person one thing once; 1 where it is new. A colleague to whom the person handed over is told instead."""
    day = local_day(now)
    with transaction.atomic():
        if Notice.objects.filter(person=person, kind=kind, key=key).exists():
            return 0
        muted = Mute.objects.filter(
            Q(key="") | Q(key=key), person=person, kind=kind, lifted_at=None, until__gte=day
        ).exists()
        to = Handover.objects.filter(person=person, lifted_at=None, first_on__lte=day, last_on__gte=day).first()
        notice = Notice.objects.create(
            person=person,
            kind=kind,
            key=key,
            agency=agency,
            body=body,
            at=now,
            muted=muted,
            handed_to=to.to if to else "",
            handed_at=now if to else None,
            note=to.reason if to else "",
        )
        if not muted:
            _plan(notice, to.to if to else person, now)
    return 1


def _plan(notice: Notice, reader: str, now: datetime) -> None:
    """A letter to the reader, where they have an address, and one message to each hook that asks for this kind."""
    address = User.objects.filter(username=reader, is_active=True).values_list("email", flat=True).first()
    if address:
        _once(notice, Channel.MAIL, address, None, f"mail:{address}:{notice.kind}:{notice.key}", now)
    for hook in Hook.objects.filter(on=True):
        if not hook.kinds or notice.kind in hook.kinds:
            _once(notice, Channel.HOOK, hook.url, hook, f"hook:{hook.pk}:{notice.kind}:{notice.key}", now)


def _once(notice: Notice, channel: str, address: str, hook: Hook | None, once: str, now: datetime) -> None:
    Sending.objects.get_or_create(
        once=once[:700],
        defaults={"notice": notice, "channel": channel, "hook": hook, "address": address, "next_at": now},
    )
