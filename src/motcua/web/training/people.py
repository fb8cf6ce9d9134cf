"""Who signs in to a training house."""

from __future__ import annotations

from typing import Any

from motcua.accounts.models import User
from motcua.catalogue import training

#: Invented people are few; those whom exercises add come last.
_SHOWN = 40


def house() -> dict[str, Any]:
    """The accounts with their posts, in the order in which they were made, and the password of them all."""
    people = User.objects.filter(is_active=True).prefetch_related("posts").order_by("pk")[:_SHOWN]
    return {
        "password": training.password(),
        "people": [
            {"name": user.get_username(), "full_name": user.full_name, "posts": list(user.posts.all())}
            for user in people
        ],
    }
