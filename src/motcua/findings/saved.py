"""Saved filters of the list of findings: a name for conditions, its owner's alone or also their unit's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from motcua.findings.listed import Narrowed
from motcua.findings.models import SavedFilter
from motcua.rules.instants import Unreadable

MOST = 50  # of one person
LONGEST = 80  # characters of a name


def visible(person: str, unit: str | None) -> QuerySet[SavedFilter, SavedFilter]:
    """A person's own filters and those that colleagues of their unit share.

    `unit`: of the post in which they act, empty for the office of the province; None: they hold no post.
    """
    theirs = Q(owner=person) if unit is None else Q(owner=person) | Q(unit=unit)
    return SavedFilter.objects.filter(theirs).order_by("name", "owner")


@transaction.atomic
def save(person: str, name: str, query: Mapping[str, str], *, at: datetime) -> SavedFilter:
    """Keeps conditions under a name; a name of one's own is written over. Raises `Unreadable`."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST:
        raise Unreadable("filter_name")
    kept = Narrowed.read(query).query()
    if not kept:
        raise Unreadable("filter_empty")
    own = SavedFilter.objects.filter(owner=person)
    if own.count() >= MOST and not own.filter(name=name).exists():
        raise Unreadable("filter_many")
    row, _ = SavedFilter.objects.update_or_create(owner=person, name=name, defaults={"query": kept, "saved_at": at})
    return row


def share(person: str, number: int, unit: str | None) -> None:
    """Shares one's own filter with a unit; None takes it back. Whoever's it is not changes nothing."""
    SavedFilter.objects.filter(owner=person, pk=number).update(unit=unit)


def forget(person: str, number: int) -> None:
    """One's own filter goes."""
    SavedFilter.objects.filter(owner=person, pk=number).delete()
