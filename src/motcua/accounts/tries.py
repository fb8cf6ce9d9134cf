"""How often something may be tried in vain: counted in one table, so that all workers count together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from motcua.accounts.models import Tries
from motcua.accounts.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in so long a time; then the person waits until the time is over."""

    name: str
    count: int
    span: timedelta


#: A person mistypes; a program guesses. By account and address, by account from anywhere, by address for any account
#: (a whole office may sit behind one).
PASSWORD = Limit("password", 5, timedelta(minutes=5))
PASSWORD_ANYWHERE = Limit("password-anywhere", 30, timedelta(hours=1))
PASSWORD_ADDRESS = Limit("password-address", 200, timedelta(hours=1))
SECOND = Limit("second", 5, timedelta(minutes=5))
CODE = Limit("code", 10, timedelta(hours=1))


def _key(limit: Limit, subject: str) -> str:
    return hashlib.sha256(f"{limit.name}\n{subject}".encode()).hexdigest()


def check(limit: Limit, subject: str, *, at: datetime) -> None:
    """Raises `Refusal` (tries.wait, until) where the limit is reached."""
    row = Tries.objects.filter(key=_key(limit, subject)).first()
    if row is not None and row.count >= limit.count and at < row.since + limit.span:
        raise Refusal("tries.wait", until=row.since + limit.span, minutes=_minutes(row.since + limit.span - at))


def _minutes(left: timedelta) -> int:
    return max(-(-int(left.total_seconds()) // 60), 1)


@transaction.atomic
def failed(limit: Limit, subject: str, *, at: datetime) -> None:
    """Counts a try in vain."""
    key = _key(limit, subject)
    Tries.objects.filter(key=key, since__lte=at - limit.span).delete()
    Tries.objects.bulk_create([Tries(key=key, since=at, count=0)], ignore_conflicts=True)
    Tries.objects.filter(key=key).update(count=F("count") + 1)


def succeeded(limit: Limit, subject: str) -> None:
    """Forgets the tries in vain."""
    Tries.objects.filter(key=_key(limit, subject)).delete()


def forget(*, at: datetime) -> int:
    """Removes what is older than the longest span; returns how many."""
    return Tries.objects.filter(since__lt=at - timedelta(days=1)).delete()[0]
