"""Accounts: the first administrator of a house, everybody after, and how the audit keeps a person."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from motcua.accounts import passwords, powers
from motcua.accounts.models import Post, User
from motcua.accounts.refusals import Refusal
from motcua.catalogue.folding import fold, nfc
from motcua.ledger import audit
from motcua.rules.instants import Unreadable, local_day

#: The posts of the first administrator, for the whole province: to run the house, and to bring everybody else in.
_FIRST_POSTS = (Post.Role.OPERATOR, Post.Role.ADMINISTRATOR)
#: The agencies whose accounts somebody administers; None: all of them.
Within = frozenset[str] | None
_NAME = re.compile(r"[^a-z0-9@.+_-]+")


def is_there_an_administrator() -> bool:
    """Whether somebody runs the house: an operator or administrator of the whole province, locked or not."""
    runs = Q(posts__role__in=[str(role) for role in _FIRST_POSTS], posts__agency="")
    return User.objects.filter(runs | Q(is_superuser=True)).exists()


@transaction.atomic
def first_administrator(*, name: str, full_name: str, password: str, at: datetime) -> User:
    """Makes the first administrator. Raises `Unreadable` naming what cannot be: exists, name; `Refusal`: password."""
    if is_there_an_administrator():
        raise Unreadable("exists")
    person = User(username=name, full_name=full_name)
    try:
        person.clean_fields(exclude=["password"])
    except ValidationError:
        raise Unreadable("name") from None
    if User.objects.filter(username__iexact=name).exists():
        raise Unreadable("name")
    passwords.check(password, person=person)
    person.set_password(password)
    person.activated_at = at
    person.save()
    for role in _FIRST_POSTS:
        Post.objects.create(user=person, role=role)
    audit.record(
        at=at, actor="first run", table="accounts_user", key=person.username, before=None, after=content(person)
    )
    return person


def content(person: User) -> dict[str, Any]:
    """An account as the audit keeps it: nothing that must be erasable one day."""
    posts = person.posts.order_by("pk").select_related("stands_in_for__user")
    return {
        "full_name": person.full_name, "email": person.email, "active": person.is_active,
        "posts": [told(post) for post in posts],
    }  # fmt: skip


def told(post: Post) -> str:
    """A post in one line: role, agency, days, and in whose place."""
    days = f"{post.valid_from or ''}..{post.valid_to or ''}" if post.valid_from or post.valid_to else ""
    deputy = f"for {post.stands_in_for.user.username}" if post.stands_in_for else ""
    return " ".join(part for part in (post.role, post.agency, days, deputy, "proposed" * post.proposed) if part)


def changed(person: User, before: dict[str, Any] | None, *, by: str, at: datetime) -> bool:
    """Records what became of an account; whether anything did. Inside the transaction that changes it."""
    after = content(person)
    return bool(audit.record(at=at, actor=by, table="accounts_user", key=person.username, before=before, after=after))


# ---- one person -------------------------------------------------------------------------------------------------


@transaction.atomic
def add(*, full_name: str, email: str, phone: str, by: str, at: datetime, username: str = "",
        national_id: str = "") -> User:  # fmt: skip
    """An account without a password and without a post. Raises `Refusal`."""
    checked = details(full_name=full_name, email=email, phone=phone, national_id=national_id)
    name = username.strip() or free_name(checked["email"] or fold(full_name).replace(" ", "."))
    person = User(username=name, **checked)
    try:
        person.clean_fields(exclude=["password"])
    except ValidationError:
        raise Refusal("account.name", name=name) from None
    if User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).exists():
        raise Refusal("account.name_taken", name=name)
    _must_be_free(checked, person)
    person.set_unusable_password()
    person.save()
    changed(person, None, by=by, at=at)
    return person


@transaction.atomic
def correct(person: User, *, full_name: str, email: str, phone: str, by: str, at: datetime,
            national_id: str | None = None, within: Within = None) -> bool:  # fmt: skip
    """Corrects what is known of a person; whether anything was different. Raises `Refusal`."""
    must_be_yours(person, within=within, on=local_day(at))
    checked = details(full_name=full_name, email=email, phone=phone, national_id=national_id or "")
    if national_id is None:
        checked["national_id"] = person.national_id
    _must_be_free(checked, person)
    before = content(person)
    different = [name for name, value in checked.items() if getattr(person, name) != value]
    for name in different:
        setattr(person, name, checked[name])
    if different:
        person.save(update_fields=different)
        if not changed(person, before, by=by, at=at):  # phone, national id: that they changed, not what they are
            audit.record(
                at=at, actor=by, table="accounts_user", key=person.username, before=None,
                after={"corrected": sorted(different)},
            )  # fmt: skip
    return bool(different)


@transaction.atomic
def set_active(person: User, active: bool, *, by: str, at: datetime, within: Within = None) -> None:
    """Locks an account or opens it again. Raises `Refusal`."""
    must_be_yours(person, within=within, on=local_day(at))
    before = content(person)
    person.is_active = active
    person.save(update_fields=["is_active"])
    changed(person, before, by=by, at=at)


def details(*, full_name: str, email: str, phone: str, national_id: str = "") -> dict[str, str]:
    """What is known of a person, cleaned. Raises `Refusal` naming what cannot be."""
    full_name = " ".join(nfc(full_name).split())
    if not 2 <= len(full_name) <= 200 or not any(letter.isalpha() for letter in full_name):
        raise Refusal("account.full_name")
    email = email.strip().lower()
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Refusal("account.email", email=email) from None
    phone = re.sub(r"[\s.\-()]", "", phone.strip())
    if phone and not re.fullmatch(r"\+?\d{8,15}", phone):
        raise Refusal("account.phone", phone=phone)
    national_id = re.sub(r"[\s.]", "", national_id)
    if national_id and not re.fullmatch(r"\d{9}|\d{12}", national_id):
        raise Refusal("account.national_id")
    return {"full_name": full_name, "email": email, "phone": phone, "national_id": national_id}


def _must_be_free(checked: dict[str, str], person: User) -> None:
    others = User.objects.exclude(pk=person.pk)
    email, number = checked["email"], checked["national_id"]
    if email and others.filter(Q(email__iexact=email) | Q(username__iexact=email)).exists():
        raise Refusal("account.email_taken", email=email)
    if number and others.filter(national_id=number).exists():
        raise Refusal("account.national_id_taken")


def free_name(wish: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """An account name that nobody has: the part before the @, else the whole, else with a number."""
    whole = _NAME.sub("", fold(wish))[:140]
    start = whole.partition("@")[0] or "nguoi"
    for name in (start, whole, *(f"{start}{n}" for n in range(2, 1000))):
        if name and name not in taken and not User.objects.filter(username__iexact=name).exists():
            return name
    raise Refusal("account.name_taken", name=start)


# ---- whose ------------------------------------------------------------------------------------------------------


def of(within: Within, *, on: date) -> Any:
    """The people of these units: with a post there that is held, to come, proposed, or ended within a year."""
    people = User.objects.all()
    if within is None:
        return people
    recent = Q(posts__valid_to=None) | Q(posts__valid_to__gte=on.replace(year=on.year - 1, day=min(on.day, 28)))
    return people.filter(recent, posts__agency__in=within).distinct()


def is_yours(person: User, *, within: Within, on: date) -> bool:
    """Whether an administrator may touch the account itself: not only must the person be of the unit, no post that
    is held or to come may lie outside, or a new password would open powers that the administrator does not have."""
    if within is None:
        return True
    if person.is_superuser:
        return False
    now = [post for post in person.posts.all() if not (post.valid_to and post.valid_to < on)]
    had = [post for post in person.posts.all() if post.agency in within]
    return bool(had) and all(post.agency in within and post.role in powers.OF_A_UNIT for post in now)


def must_be_yours(person: User, *, within: Within, on: date) -> None:
    """Raises `Refusal` where an administrator may not touch the account."""
    if not is_yours(person, within=within, on=on):
        raise Refusal("account.not_yours", name=person.username)
