"""Who may see what: inspectors and leaders the province, everybody else their own agency."""

from __future__ import annotations

from datetime import date
from typing import Any

#: Roles that see the whole province where no agency is named.
PROVINCE = frozenset({"inspector", "leader", "operator"})


def holds(user: Any, roles: frozenset[str], *, on: date) -> bool:
    """Whether a person holds one of these roles on a day."""
    return bool(user.is_superuser) or any(
        post.role in roles
        for post in user.posts.all()
        if not (post.valid_from and post.valid_from > on) and not (post.valid_to and post.valid_to < on)
    )


def scope(user: Any, *, on: date) -> frozenset[str] | None:
    """The agencies whose dossiers a person sees on a day; None: all of them."""
    if user.is_superuser:
        return None
    agencies: set[str] = set()
    for post in user.posts.all():
        if (post.valid_from and post.valid_from > on) or (post.valid_to and post.valid_to < on):
            continue
        if post.role in PROVINCE and not post.agency:
            return None
        agencies.add(post.agency)
    return frozenset(agencies)
