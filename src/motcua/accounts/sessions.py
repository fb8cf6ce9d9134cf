"""In which browsers a person is signed in, and how to end that from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import transaction

from motcua.accounts.models import SignedIn, User
from motcua.ledger import audit

_SEEN_EVERY = timedelta(minutes=5)  # how exact "last seen" is: a write on every request would be too many


def seen(user: User, session: str, *, address: str, browser: str, at: datetime) -> None:
    """Keeps that a person is signed in here; writes at most every few minutes."""
    row = SignedIn.objects.filter(session=session).first()
    if row is None or row.user_id != user.pk:
        SignedIn.objects.update_or_create(
            session=session,
            defaults={"user": user, "since": at, "seen_at": at, "address": address[:64], "browser": browser[:300]},
        )
    elif at - row.seen_at >= _SEEN_EVERY:
        SignedIn.objects.filter(session=session).update(seen_at=at, address=address[:64])


def of(user: User, *, at: datetime) -> Sequence[SignedIn]:
    """Where a person is signed in now, the newest first."""
    rows = list(user.signed_in.order_by("-seen_at"))
    alive = set(
        Session.objects.filter(pk__in=[row.session for row in rows], expire_date__gt=at).values_list("pk", flat=True)
    )
    return [row for row in rows if row.session in alive]


@transaction.atomic
def end(user: User, *, by: str, at: datetime, but: str = "", only: str = "") -> int:
    """Signs a person out everywhere (`but` this session), or in one browser (`only`); returns in how many."""
    rows = user.signed_in.exclude(session=but)
    if only:
        rows = rows.filter(session=only)
    keys = list(rows.values_list("session", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    SignedIn.objects.filter(session__in=keys).delete()
    if keys:
        audit.record(
            at=at, actor=by, table="accounts_user", key=user.username, before=None, after={"signed out": len(keys)}
        )
    return len(keys)


def forget(*, at: datetime) -> int:
    """Removes what is kept of sessions that are over; returns how many."""
    Session.objects.filter(expire_date__lte=at).delete()
    return SignedIn.objects.exclude(session__in=Session.objects.values("pk")).delete()[0]
