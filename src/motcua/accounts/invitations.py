"""How a person comes to a password of the own: a code that works once and expires, by e-mail or on paper."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from motcua.accounts import codes, passwords, people
from motcua.accounts.models import Invitation, SignedIn, User
from motcua.accounts.people import Within
from motcua.accounts.refusals import Refusal
from motcua.ledger import audit
from motcua.rules.instants import local_day

GROUPS = 4  # of four letters: eighty bits
DAYS = 14  # for which a code works


@transaction.atomic
def issue(people_: Iterable[User], *, by: str, at: datetime, within: Within = None) -> list[tuple[User, str, datetime]]:
    """New codes, a person each, with the instant at which they expire; codes given before work no more.

    Raises `Refusal` where one of them is not for this administrator to invite.
    """
    found = []
    expires = at + timedelta(days=DAYS)
    for person in people_:
        people.must_be_yours(person, within=within, on=local_day(at))
        person.invitations.filter(used_at=None, expires_at__gt=at).update(expires_at=at)
        code = codes.new(GROUPS)
        Invitation.objects.create(user=person, digest=codes.digest(code), made_at=at, made_by=by, expires_at=expires)
        audit.record(
            at=at, actor=by, table="accounts_invitation", key=person.username, before=None,
            after={"invited": True, "expires": expires.isoformat()},
        )  # fmt: skip
        found.append((person, code, expires))
    return found


def find(code: str, *, at: datetime) -> Invitation:
    """The invitation that a code opens. Raises `Refusal`: unknown, used, replaced or expired look alike."""
    found = Invitation.objects.select_related("user").filter(
        digest=codes.digest(code), used_at=None, expires_at__gt=at, user__is_active=True
    )
    invitation = found.first()
    if invitation is None:
        raise Refusal("invitation.dead")
    return invitation


@transaction.atomic
def use(code: str, *, password: str, again: str, at: datetime) -> User:
    """Sets the password; the code is used up, open sessions end. Raises `Refusal`."""
    invitation = Invitation.objects.select_for_update().get(pk=find(code, at=at).pk)
    if invitation.used_at is not None:  # two at once: one wins
        raise Refusal("invitation.dead")
    person = invitation.user
    set_password(person, password=password, again=again, by=person.username, at=at)
    invitation.used_at = at
    invitation.save(update_fields=["used_at"])
    return person


@transaction.atomic
def set_password(person: User, *, password: str, again: str, by: str, at: datetime) -> None:
    """A new password; every session of the old one ends. Raises `Refusal`."""
    if password != again:
        raise Refusal("password.again")
    passwords.check(password, person=person)
    person.set_password(password)
    person.activated_at = person.activated_at or at
    person.save(update_fields=["password", "activated_at"])
    SignedIn.objects.filter(user=person).delete()
    audit.record(
        at=at, actor=by, table="accounts_user", key=person.username, before=None, after={"password": "set anew"}
    )
