"""The first administrator of a house, made while there is none."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from motcua.accounts.models import Post, User
from motcua.ledger import audit
from motcua.rules.instants import Unreadable

SHORTEST_PASSWORD = 10
#: The posts of the first administrator, for the whole province: to run the house, and to bring everybody else in.
_FIRST_POSTS = (Post.Role.OPERATOR, Post.Role.ADMINISTRATOR)


def is_there_an_administrator() -> bool:
    """Whether somebody runs the house: an operator or administrator of the whole province, locked or not."""
    runs = Q(posts__role__in=[str(role) for role in _FIRST_POSTS], posts__agency="")
    return User.objects.filter(runs | Q(is_superuser=True)).exists()


@transaction.atomic
def first_administrator(*, name: str, full_name: str, password: str, at: datetime) -> User:
    """Makes the first administrator. Raises `Unreadable` naming what cannot be: exists, name, password."""
    if is_there_an_administrator():
        raise Unreadable("exists")
    person = User(username=name, full_name=full_name)
    try:
        person.clean_fields(exclude=["password"])
    except ValidationError:
        raise Unreadable("name") from None
    if User.objects.filter(username__iexact=name).exists():
        raise Unreadable("name")
    if len(password) < SHORTEST_PASSWORD:
        raise Unreadable("password")
    person.set_password(password)
    person.save()
    for role in _FIRST_POSTS:
        Post.objects.create(user=person, role=role)
    audit.record(
        at=at, actor="first run", table="accounts_user", key=person.username, before=None,
        after={"full_name": full_name, "active": True, "posts": [str(role) for role in _FIRST_POSTS]},
    )  # fmt: skip
    return person
