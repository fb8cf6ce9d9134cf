"""Who may see and do what: decided here alone, by the post in which a person acts on that day.

A person may hold several posts and acts in one of them: the one chosen at the top of the page, else the first by
`RANK`. A substitute holds a post of the same role in the same unit, from day to day; powers need to know no more.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from motcua.catalogue import units
from motcua.rules.moves import Actor

#: Roles that see the whole province where no agency is named.
PROVINCE = frozenset({"inspector", "leader", "operator"})
#: Roles that may be held without an agency.
WITHOUT_AGENCY = PROVINCE | {"administrator"}
#: Roles of a unit: its administrator may give them.
OF_A_UNIT = frozenset({"clerk", "officer", "seal_clerk", "focal_point", "unit_head", "administrator"})
#: In which post a person acts who has not chosen.
RANK = (
    "leader", "inspector", "operator", "unit_head", "focal_point", "clerk", "officer", "seal_clerk", "administrator",
)  # fmt: skip


def in_force(user: Any, *, on: date) -> list[Any]:
    """The posts that a person holds on a day, by `RANK`."""
    held = [
        post
        for post in user.posts.all()
        if not post.proposed
        and not (post.valid_from and post.valid_from > on)
        and not (post.valid_to and post.valid_to < on)
    ]
    return sorted(held, key=lambda post: (RANK.index(post.role), post.agency, post.pk))


def valid(held: QuerySet[Any, Any], *, on: date) -> QuerySet[Any, Any]:
    """Of these posts those that are in force on a day."""
    begun = held.filter(Q(valid_from=None) | Q(valid_from__lte=on), proposed=False)
    return begun.filter(Q(valid_to=None) | Q(valid_to__gte=on))


def acting(user: Any, *, on: date) -> Any | None:
    """The post in which a person acts on a day; None: no post, no power."""
    held = in_force(user, on=on)
    chosen = user.chosen_post_id
    return next((post for post in held if post.pk == chosen), held[0] if held else None)


def holds(user: Any, roles: frozenset[str], *, on: date) -> bool:
    """Whether a person acts in one of these roles on a day."""
    if user.is_superuser:
        return True
    post = acting(user, on=on)
    return post is not None and post.role in roles


def scope(user: Any, *, on: date) -> frozenset[str] | None:
    """The agencies whose dossiers a person sees on a day; None: all of them."""
    if user.is_superuser:
        return None
    post = acting(user, on=on)
    if post is None:
        return frozenset()
    if post.role in PROVINCE and not post.agency:
        return None
    return frozenset({post.agency})


def manages(user: Any, *, on: date) -> frozenset[str] | None:
    """The agencies whose accounts a person administers on a day, the own one and those below it; None: all of them."""
    if user.is_superuser:
        return None
    post = acting(user, on=on)
    if post is None or post.role != "administrator":
        return frozenset()
    return units.with_those_below(post.agency) if post.agency else None


def actor(user: Any, *, on: date) -> Actor:
    """Who acts, and in which unit, as an event keeps it for good."""
    post = acting(user, on=on)
    return Actor(name=user.get_username(), unit=post.agency if post is not None else "")


def stands_in_for(user: Any, *, on: date) -> frozenset[str]:
    """The accounts in whose place a person acts on a day: their open work is the substitute's too."""
    post = acting(user, on=on)
    if post is None or post.stands_in_for is None:
        return frozenset()
    return frozenset({post.stands_in_for.user.get_username()})
