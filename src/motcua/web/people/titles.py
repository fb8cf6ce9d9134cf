"""Posts in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from motcua.catalogue.models import Agency
from motcua.web import labels


def rows(posts: Any) -> list[dict[str, Any]]:
    """Posts with their words."""
    posts = list(posts)
    names = dict(Agency.objects.filter(code__in={post.agency for post in posts}).values_list("code", "name"))
    return [{"post": post, "title": title(post, names)} for post in posts]


def title(post: Any, names: dict[str, str] | None = None) -> str:
    """A post in words: role, unit, and in whose place."""
    if names is None:
        names = dict(Agency.objects.filter(code=post.agency).values_list("code", "name"))
    where = names.get(post.agency, post.agency) if post.agency else gettext("toàn tỉnh")
    if post.role == "administrator" and not post.agency:
        said = gettext("Quản trị tỉnh")
    else:
        said = f"{labels.ROLES[post.role]}, {where}"
    if post.stands_in_for is not None:
        who = post.stands_in_for.user
        said += gettext(" (thay {name})").format(name=who.full_name or who.username)
    return said
