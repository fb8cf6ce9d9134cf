"""Who gives tasks, and what a person sees of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from motcua.accounts import powers
from motcua.accounts.models import User

#: Who gives tasks: the chairman's side, for the whole province.
GIVERS = frozenset({"leader", "inspector"})
#: Who speaks for a unit.
SPEAKERS = frozenset({"unit_head", "focal_point", "officer", "clerk", "seal_clerk"})


def gives(user: Any, *, on: date) -> bool:
    """Whether a person gives tasks on a day."""
    return powers.scope(user, on=on) is None and powers.holds(user, GIVERS, on=on)


def is_leader(user: Any, *, on: date) -> bool:
    """Whether a person is a leader of the province and nothing technical."""
    whole = powers.scope(user, on=on) is None
    return whole and not user.is_superuser and powers.holds(user, frozenset({"leader"}), on=on)


def speaks_for(user: Any, agencies: Iterable[str], *, on: date) -> list[str]:
    """The units among these for which a person answers."""
    post = powers.acting(user, on=on)
    return [agency for agency in agencies if post is not None and post.role in SPEAKERS and agency == post.agency]


def named(username: str) -> str:
    """The full name of an account, else the account."""
    return User.objects.filter(username=username).values_list("full_name", flat=True).first() or username
