"""The second factor: who must have one, an authenticator app's digits, and recovery codes on paper."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings as django_settings
from django.db import transaction

from motcua.accounts import codes, people, powers, totp, tries
from motcua.accounts.models import Factor, Post, RecoveryCode, User
from motcua.accounts.people import Within
from motcua.accounts.refusals import Refusal
from motcua.catalogue import settings, training
from motcua.ledger import audit
from motcua.rules.instants import Unreadable, local_day

_SETTING = "second_factor"
#: Who must have a second factor before anybody chose, and how many days a new account has to set one up.
AT_FIRST: dict[str, Any] = {"roles": ["inspector", "operator", "administrator"], "days": 7}
RECOVERY_CODES, _GROUPS = 8, 3


@dataclass(frozen=True, slots=True)
class Policy:
    """For which roles a second factor is a must, and after how many days."""

    roles: frozenset[str]
    days: int


def policy() -> Policy:
    """What the house demands; nothing in a training house, unless somebody chose."""
    kept = settings.get(_SETTING)
    if kept is None:
        kept = {**AT_FIRST, "roles": []} if training.is_on() else AT_FIRST
    return Policy(frozenset(kept["roles"]), int(kept["days"]))


def demand(roles: Iterable[str], *, days: int, by: str, at: datetime) -> None:
    """Changes what the house demands; no role: nobody must. Raises `Unreadable`."""
    chosen = set(roles)
    if unknown := sorted(chosen - set(Post.Role.values)):
        raise Unreadable(f"no role {unknown[0]!r}; there are: {', '.join(Post.Role.values)}")
    if not 0 <= days <= 90:
        raise Unreadable("a new account has 0 to 90 days to set a second factor up")
    kept = {"roles": [role for role in Post.Role.values if role in chosen], "days": days}
    settings.put(_SETTING, kept, by=by, at=at)


def must_by(user: User, *, on: date) -> date | None:
    """The day from which a person needs a second factor to work on; None: never. Any post counts, not only the one
    acted in: a choice at the top of a page must not get around it."""
    demanded = policy()
    held = {post.role for post in powers.in_force(user, on=on)}
    if not (user.is_superuser or held & demanded.roles) or not demanded.roles:
        return None
    begun = user.activated_at or user.date_joined
    return local_day(begun) + timedelta(days=demanded.days)


def has(user: User) -> bool:
    """Whether a person has set a second factor up."""
    return Factor.objects.filter(user=user).exists()


# ---- the authenticator app --------------------------------------------------------------------------------------


def _cipher() -> Fernet:
    key = sha256(b"motcua.second-factor\n" + django_settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


@transaction.atomic
def add_app(user: User, *, seed: str, code: str, by: str, at: datetime, name: str = "") -> list[str]:
    """Keeps an app once it has shown that it knows the seed. Returns new recovery codes where there were none.

    Raises `Refusal`.
    """
    step = totp.matching_step(seed, _digits(code), at=at)
    if step is None:
        raise Refusal("factor.code")
    secret = _cipher().encrypt(seed.encode()).decode()
    Factor.objects.create(
        user=user, kind=Factor.Kind.APP, name=name.strip()[:64], secret=secret, counter=step, added_at=at
    )
    return added(user, "app", by=by, at=at)


def added(user: User, kind: str, *, by: str, at: datetime) -> list[str]:
    """Records a new factor; the first brings recovery codes."""
    audit.record(at=at, actor=by, table="accounts_factor", key=user.username, before=None, after={"added": kind})
    return [] if user.recovery_codes.filter(used_at=None).exists() else new_recovery_codes(user, by=by, at=at)


def _digits(code: str) -> str:
    return "".join(sign for sign in code if sign.isdigit())


def verify(user: User, code: str, *, at: datetime) -> str:
    """Whether digits of an app, or a recovery code, are right; returns which. Raises `Refusal`.

    Counted: after a few in vain the person waits.
    """
    tries.check(tries.SECOND, str(user.pk), at=at)
    with transaction.atomic():
        which = _used(user, code, at=at)
    if not which:
        tries.failed(tries.SECOND, str(user.pk), at=at)
        raise Refusal("factor.code")
    tries.succeeded(tries.SECOND, str(user.pk))
    return which


def _used(user: User, code: str, *, at: datetime) -> str:
    digits = _digits(code)
    if len(digits) == totp.DIGITS and codes.plain(code) == digits:
        for factor in Factor.objects.select_for_update().filter(user=user, kind=Factor.Kind.APP):
            try:
                seed = _cipher().decrypt(factor.secret.encode()).decode()
            except InvalidToken:  # made under another secret key: an administrator resets it
                continue
            step = totp.matching_step(seed, digits, at=at, after=factor.counter)
            if step is not None:
                factor.counter, factor.used_at = step, at
                factor.save(update_fields=["counter", "used_at"])
                return "app"
        return ""
    unused = RecoveryCode.objects.filter(user=user, digest=codes.keyed("recovery", code), used_at=None)
    if unused.update(used_at=at):
        audit.record(
            at=at, actor=user.username, table="accounts_factor", key=user.username, before=None,
            after={"recovery code": "used"},
        )  # fmt: skip
        return "recovery"
    return ""


@transaction.atomic
def new_recovery_codes(user: User, *, by: str, at: datetime) -> list[str]:
    """New codes on paper; those before work no more."""
    RecoveryCode.objects.filter(user=user).delete()
    found = [codes.new(_GROUPS) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, digest=codes.keyed("recovery", code)) for code in found])
    audit.record(
        at=at, actor=by, table="accounts_factor", key=user.username, before=None,
        after={"recovery codes": len(found)},
    )  # fmt: skip
    return found


@transaction.atomic
def remove(user: User, factor: int, *, by: str, at: datetime) -> None:
    """Takes one of the own factors away. Raises `Refusal`."""
    row = Factor.objects.filter(user=user, pk=factor).first()
    if row is None:
        raise Refusal("factor.none")
    row.delete()
    if not has(user):
        RecoveryCode.objects.filter(user=user).delete()
    audit.record(at=at, actor=by, table="accounts_factor", key=user.username, before={"kind": row.kind}, after=None)


@transaction.atomic
def reset(user: User, *, by: str, at: datetime, within: Within = None) -> None:
    """An administrator takes every factor of a person away, who sets one up anew. Raises `Refusal`."""
    people.must_be_yours(user, within=within, on=local_day(at))
    kinds = sorted(Factor.objects.filter(user=user).values_list("kind", flat=True))
    if not kinds:
        raise Refusal("factor.none")
    Factor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    audit.record(at=at, actor=by, table="accounts_factor", key=user.username, before={"kinds": kinds}, after=None)
