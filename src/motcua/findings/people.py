"""In which post a person acts on a finding, and which findings a person sees."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from motcua.accounts import powers
from motcua.accounts.models import Post, User
from motcua.findings.models import Finding
from motcua.inspection import life
from motcua.inspection.life import DRAFTERS, INSPECTORS, Life, Person

#: Who works with findings as the one who asks, and as the one who is asked.
ASKING = INSPECTORS | {"leader"}
ASKED = DRAFTERS


def posts(user: Any, *, on: date) -> list[Person]:
    """The post in which a person acts on a day, as the life of a finding reads it; none without a post."""
    name, post = user.get_username(), powers.acting(user, on=on)
    held = [] if post is None else [Person(name=name, role=post.role, agency=post.agency)]
    return [*held, Person(name=name, role="inspector")] if user.is_superuser else held


def acting(user: Any, stands: Life, kind: str, *, on: date) -> Person:
    """The post in which a person does an act: one that allows it, else any (and the rules say why not)."""
    held = posts(user, on=on)
    able = [person for person in held if kind in life.permitted(stands, by=person)]
    of_role = [person for person in held if person.role in life.MOVES[kind].by]
    return next(iter([*able, *of_role, *held]), Person(name=user.get_username(), role="none"))


def permitted(user: Any, stands: Life, *, on: date) -> frozenset[str]:
    """The acts that any of a person's posts allows on a finding."""
    return frozenset().union(*(life.permitted(stands, by=person) for person in posts(user, on=on)))


def asks(user: Any, *, on: date) -> bool:
    """Whether a person is on the side of the inspection."""
    return powers.holds(user, ASKING, on=on)


def visible(user: Any, *, on: date) -> QuerySet[Finding, Finding]:
    """The findings that a person sees: inspectors and leaders those in their scope; a unit's people what was asked of
    their unit; nobody else any."""
    scope = powers.scope(user, on=on)
    if asks(user, on=on):
        return Finding.objects.all() if scope is None else Finding.objects.filter(agency__in=scope)
    units = [person.agency for person in posts(user, on=on) if person.role in ASKED and person.agency]
    return Finding.objects.filter(Q(agency__in=units) & Q(asked__gt=0))


def inspectors(*, on: date) -> list[tuple[str, str]]:
    """(account, name) of everybody to whom a finding can be assigned."""
    return _named(Post.objects.filter(role__in=INSPECTORS), on)


def of_unit(agency: str, *, on: date) -> list[tuple[str, str]]:
    """(account, name) of everybody of a unit who can draft an answer."""
    return _named(Post.objects.filter(role__in=DRAFTERS, agency=agency), on)


def _named(held: QuerySet[Post, Post], on: date) -> list[tuple[str, str]]:
    valid = powers.valid(held, on=on)
    people = User.objects.filter(is_active=True, posts__in=valid).distinct().order_by("full_name", "username")
    return [(person.username, person.full_name or person.username) for person in people]


def names(accounts: set[str]) -> dict[str, str]:
    """The names of accounts."""
    rows = User.objects.filter(username__in=accounts).values_list("username", "full_name")
    return {account: name or account for account, name in rows}
