"""A person's notices, and what they do with them: acknowledge, mute with a reason, hand over to a colleague."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from motcua.accounts.models import Post, User
from motcua.notices.models import Handover, Mute, Notice
from motcua.rules.instants import Unreadable, local_day

#: Muting ends by itself after so long.
LONGEST = timedelta(days=90)


def of(person: str) -> QuerySet[Notice]:
    """What a person is to read: their own, but for those handed over, and those handed to them."""
    own = Q(person=person, handed_to="") | Q(handed_to=person)
    return Notice.objects.filter(own).order_by("-at", "-pk")


def unread(person: str) -> int:
    """How many nobody acknowledged, of those that last and are not muted."""
    return of(person).filter(acknowledged_at=None, over_at=None, muted=False).count()


@transaction.atomic
def acknowledge(number: int, *, by: str, at: datetime) -> Notice:
    """Somebody knows. A second time changes nothing. Raises `Unreadable` for one that is not theirs."""
    notice = _mine(number, by)
    if notice.acknowledged_at is None:
        notice.acknowledged_at, notice.acknowledged_by = at, by
        notice.save(update_fields=["acknowledged_at", "acknowledged_by"])
    return notice


@transaction.atomic
def acknowledge_all(*, by: str, at: datetime) -> int:
    """Everything that waits. Returns how many."""
    waiting = list(of(by).filter(acknowledged_at=None).values_list("pk", flat=True))
    return Notice.objects.filter(pk__in=waiting).update(acknowledged_at=at, acknowledged_by=by)


@transaction.atomic
def acknowledge_about(key: str, *, by: str, at: datetime) -> int:
    """Everything of a person that is about one thing. Returns how many."""
    waiting = list(of(by).filter(key=key, acknowledged_at=None).values_list("pk", flat=True))
    return Notice.objects.filter(pk__in=waiting).update(acknowledged_at=at, acknowledged_by=by)


@transaction.atomic
def hand_over(number: int, *, to: str, note: str, by: str, at: datetime) -> Notice:
    """A colleague takes one notice. Raises `Unreadable`: to (nobody who may see it), note."""
    notice = _mine(number, by)
    if not note.strip():
        raise Unreadable("note: say why")
    if to not in colleagues(by, on=local_day(at)):
        raise Unreadable("to: choose a colleague")
    notice.handed_to, notice.handed_at, notice.note = to, at, note.strip()[:300]
    notice.acknowledged_at, notice.acknowledged_by = None, ""
    notice.save()
    return notice


@transaction.atomic
def hand_over_days(*, to: str, first_on: date, last_on: date, reason: str, by: str, at: datetime) -> Handover:
    """A colleague reads everything from a day to a day. Raises `Unreadable`: to, note, days."""
    if not reason.strip():
        raise Unreadable("note: say why")
    if last_on < first_on or last_on < local_day(at) or last_on - first_on > LONGEST:
        raise Unreadable("days: from a day to a later one, within 90 days")
    if to not in colleagues(by, on=local_day(at)):
        raise Unreadable("to: choose a colleague")
    Handover.objects.filter(person=by, lifted_at=None).update(lifted_at=at)
    return Handover.objects.create(
        person=by, to=to, reason=reason.strip()[:300], first_on=first_on, last_on=last_on, at=at
    )


@transaction.atomic
def mute(kind: str, key: str, *, reason: str, until: date, by: str, at: datetime) -> Mute:
    """Sends no more of a kind (or of one thing) until a day. It stays on the page. Raises `Unreadable`."""
    if kind not in Notice.Kind.values:
        raise Unreadable(f"kind: {kind!r}")
    if not reason.strip():
        raise Unreadable("note: say why")
    if not local_day(at) <= until <= local_day(at) + LONGEST:
        raise Unreadable("days: until a day within 90 days")
    return Mute.objects.create(person=by, kind=kind, key=key, reason=reason.strip()[:300], at=at, until=until)


@transaction.atomic
def lift(*, mute_id: int | None = None, handover: bool = False, by: str, at: datetime) -> None:
    """Ends a mute, or the handover, before its day."""
    if mute_id is not None:
        Mute.objects.filter(pk=mute_id, person=by, lifted_at=None).update(lifted_at=at)
    if handover:
        Handover.objects.filter(person=by, lifted_at=None).update(lifted_at=at)


def mutes(person: str, *, on: date) -> QuerySet[Mute]:
    """What a person mutes on a day."""
    return Mute.objects.filter(person=person, lifted_at=None, until__gte=on).order_by("until")


def handover(person: str, *, on: date) -> Handover | None:
    """To whom a person hands over, now or soon."""
    return Handover.objects.filter(person=person, lifted_at=None, last_on__gte=on).order_by("-at").first()


def colleagues(person: str, *, on: date) -> dict[str, str]:
    """Who may read a person's notices: those with a post in one of the same units; for posts over the whole province,
    those in the same role. The name of each."""
    held = Q(valid_from=None) | Q(valid_from__lte=on)
    held &= Q(valid_to=None) | Q(valid_to__gte=on)
    own = list(Post.objects.filter(held, user__username=person).values_list("agency", "role"))
    units = [agency for agency, _ in own if agency]
    roles = [role for agency, role in own if not agency]
    near = Post.objects.filter(held).filter(Q(agency__in=units) | Q(agency="", role__in=roles))
    found = User.objects.filter(posts__in=near, is_active=True).exclude(username=person).distinct()
    return {user.username: user.full_name or user.username for user in found.order_by("full_name", "username")}


def _mine(number: int, person: str) -> Notice:
    notice = of(person).filter(pk=number).first()
    if notice is None:
        raise Unreadable(f"notice: there is no {number} of {person}")
    return notice
