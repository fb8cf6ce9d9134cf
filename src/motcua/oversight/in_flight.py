"""Dossiers in flight: what another calendar would do to their due instants, before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from motcua.dossiers.models import DossierRow
from motcua.inspection.columns import MISSING
from motcua.inspection.ours import Catalogue, ours
from motcua.oversight import reading
from motcua.oversight.reading import Choice
from motcua.rules.instants import from_microseconds
from motcua.rules.workdays import WorkCalendar

_BLOCK = 500


class Moved(NamedTuple):
    """A dossier whose due instant would be another one."""

    dossier: str
    agency: str
    before_at: datetime | None
    after_at: datetime | None


@dataclass(frozen=True, slots=True)
class Effect:
    """How many dossiers in flight were looked at, and those that would move."""

    looked: int
    moved: list[Moved]


def with_calendars(
    catalogue: Catalogue, calendars: Mapping[str, WorkCalendar], agencies: Mapping[str, str]
) -> Catalogue:
    """The catalogue with these calendars in place of those of the same names, given to these agencies too."""
    return replace(
        catalogue,
        calendars={**catalogue.calendars, **calendars},
        agency_calendars={**catalogue.agency_calendars, **agencies},
    )


def effect(before: Catalogue, after: Catalogue, *, advance: Callable[[int], None] = lambda n: None) -> Effect:
    """The due instants by the record (every pause and extension counted) under one catalogue and another.

    In flight: accepted, neither finished nor ended. Only agencies whose calendar differs are read.
    """
    open_ones = DossierRow.objects.filter(accepted_at__isnull=False, finished_at=None, ended_at=None)
    agencies = open_ones.order_by("agency").values_list("agency", flat=True).distinct()
    touched = [agency for agency in agencies if _content(before, agency) != _content(after, agency)]
    codes = list(open_ones.filter(agency__in=touched).order_by("code").values_list("code", flat=True))
    moved: list[Moved] = []
    for start in range(0, len(codes), _BLOCK):
        block = codes[start : start + _BLOCK]
        headers, events = reading.our_rows(Choice(codes=block))
        then, now = (ours(headers, events, catalogue) for catalogue in (before, after))
        old, new = (np.ma.filled(columns["due_0"], MISSING) for columns in (then, now))
        moved += [
            Moved(then["dossier"][row], then["agency"][row], _instant(old[row]), _instant(new[row]))
            for row in (old != new).nonzero()[0].tolist()
        ]
        advance(len(block))
    return Effect(len(codes), moved)


def _content(catalogue: Catalogue, agency: str) -> object:
    return catalogue.calendars[catalogue.calendar_name(agency)].content


def _instant(seconds: int) -> datetime | None:
    return None if seconds == MISSING else from_microseconds(int(seconds) * 1_000_000)
