"""Which agencies stand below which."""

from __future__ import annotations

from motcua.catalogue.models import Agency


def with_those_below(code: str) -> frozenset[str]:
    """An agency's code with those of all agencies below it, however deep; a circle in the catalogue does no harm."""
    found, newest = {code}, {code}
    while newest:
        newest = set(Agency.objects.filter(parent__in=newest).values_list("code", flat=True)) - found
        found |= newest
    return frozenset(found)
