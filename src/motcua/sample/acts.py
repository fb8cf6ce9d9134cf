"""What a plan is made of: acts at the desk, dossiers, and faults at known dossiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from motcua.sample.province import Agency, Procedure, Province

Leg = Literal["sync", "record"]
Direction = Literal["removed", "added"]
Measure = Literal["all", "reception"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act at the desk: a verb of `rules.moves`, when it is stated to have happened, when it was entered."""

    verb: str
    at: datetime
    recorded_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A dossier and what is going to happen to it. `due_at` is what its slip will say."""

    code: str
    procedure: Procedure
    agency: Agency
    channel: str
    applicant: str
    official: str
    submitted_at: datetime
    due_at: datetime
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A planted fault: where, as what it must be found, and `how` it really comes about.

    `removed`: late only on the left side of its leg; `added`: late only on the right side. `measure`: where.
    """

    dossier: str
    leg: Leg
    cause: str
    direction: Direction
    how: str = ""
    measure: Measure = "all"
    sub_cause: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole province's months."""

    province: Province
    dossiers: tuple[Planned, ...]
    faults: tuple[Fault, ...]
    since: datetime
    until: datetime
