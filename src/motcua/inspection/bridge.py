"""The two-legged bridge: late shown → late recorded → late true, in whole dossiers, cause by cause.

For every group:  late_shown − Σ sync (removed − added) = late_recorded
                  late_recorded − Σ record (removed − added) = late_true
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import narwhals as nw

from motcua.inspection import verdicts
from motcua.inspection.causes import RECORD, REST, SYNC, explained
from motcua.inspection.verdicts import NEVER, Scope, flag, instant
from motcua.rules.policies import POLICIES

FORMULA = "late(side) = finish, else as_of, after due; removed = late on the left only, added = on the right only; v1"

#: The dimensions by which any figure is split, each a column of the pairs.
DIMENSIONS = {"agency": "agency", "field": "field", "procedure": "procedure", "month": "month", "source": "source"}


@dataclass(slots=True)
class Leg:
    """What one cause took away from the late dossiers and what it put there."""

    removed: int = 0
    added: int = 0


@dataclass(slots=True)
class Row:
    """One row of the bridge: a group of dossiers, or the whole."""

    population: int = 0
    late_shown: int = 0
    late_recorded: int = 0
    late_true: int = 0
    unproven: int = 0
    disputed: int = 0
    no_due: int = 0
    unknown_documents: int = 0
    stated: int = 0
    differs_from_stated: int = 0
    legs: dict[tuple[str, str], Leg] = field(default_factory=dict)

    def add(self, found: Mapping[str, Any]) -> None:
        """Counts one group of equal dossiers in."""
        self.population += found["population"]
        self.late_shown += found["late_shown"]
        self.late_recorded += found["late_recorded"]
        self.late_true += found["late_true"]
        self.unproven += found["unproven"]
        self.disputed += found["disputed"]
        self.no_due += found["no_due"]
        self.unknown_documents += found["unknown_documents"]
        self.stated += found["stated"]
        self.differs_from_stated += found["differs_from_stated"]
        for leg, cause in (("sync", found["sync_cause"]), ("record", found["record_cause"])):
            if cause:
                entry = self.legs.setdefault((leg, cause), Leg())
                entry.removed += found[f"{leg}_removed"]
                entry.added += found[f"{leg}_added"]

    def causes(self) -> list[dict[str, Any]]:
        """The causes in the order of the repairs; `unexplained` and `not_enough_data` are always rows."""
        listed = [("sync", cause) for cause in (*SYNC, *REST)] + [("record", cause) for cause in (*RECORD, *REST)]
        return [
            {"leg": leg, "cause": str(cause), "removed": entry.removed, "added": entry.added}
            for leg, cause in listed
            if (entry := self.legs.get((leg, cause)) or (Leg() if cause in REST else None)) is not None
        ]

    def as_dict(self) -> dict[str, Any]:
        """The row as the JSON of `motcua bridge` gives it."""
        return {
            "population": self.population,
            "late_shown": self.late_shown,
            "late_recorded": self.late_recorded,
            "late_true": self.late_true,
            "unproven": self.unproven,
            "disputed": self.disputed,
            "no_due": self.no_due,
            "unknown_documents": self.unknown_documents,
            "stated": self.stated,
            "differs_from_stated": self.differs_from_stated,
            "not_enough_data": sum(leg.removed + leg.added for (_, c), leg in self.legs.items() if c == REST[0]),
            "causes": self.causes(),
        }


def judged(pairs: nw.LazyFrame[Any], scope: Scope) -> nw.LazyFrame[Any]:
    """The pairs with verdicts, causes and the marks `unproven`, `disputed`, `no_due`."""
    frame = explained(pairs, scope)
    if scope.measure == "reception":
        return frame.with_columns(
            unproven=nw.lit(value=False), disputed=nw.lit(value=False), no_due=nw.lit(value=False)
        )
    due = verdicts.our_stage(scope, 0).due
    unproven = (
        flag("exists_here")
        & (instant("finish_at") <= instant(due))
        & (instant(due) < nw.col("finish_recorded_at").fill_null(-NEVER))
        & nw.col("evidence_at").is_null()
        & (instant("finish_at") <= scope.as_of)
    )
    readings = [
        verdicts.our_late(other, verdicts.our_stage(other, 3))
        for other in (replace(scope, policy=policy) for policy in POLICIES.values())
    ]
    carried = verdicts.our_facts_there(replace(scope, policy=POLICIES["default"]))
    readings.append(verdicts.their_late(scope, carried))
    first, *others = readings
    disputed = first != others[0]
    for other in others[1:]:
        disputed = disputed | (first != other)
    no_due = flag("exists_here") & nw.col(due).is_null()
    return frame.with_columns(
        unproven=unproven & nw.col("in_population"),
        disputed=disputed & nw.col("in_population"),
        no_due=no_due & nw.col("in_population"),
    )


def _count(condition: nw.Expr) -> nw.Expr:
    return condition.cast(nw.Int64).sum()


def tally(frame: nw.LazyFrame[Any], by: str | None) -> nw.LazyFrame[Any]:
    """Counts per group and pair of causes, from the judged pairs."""
    shown, recorded, true = nw.col("shown"), nw.col("recorded"), nw.col("true")
    counted = ("sync_cause", "record_cause", "in_population", "shown", "recorded", "true", "unproven", "disputed",
               "no_due", "is_stated", "differs_from_stated")  # fmt: skip
    keyed = frame.select(
        *counted,
        key=nw.col(DIMENSIONS[by]).fill_null("") if by else nw.lit(""),
        sync_removed=shown & ~recorded,
        sync_added=~shown & recorded,
        record_removed=recorded & ~true,
        record_added=~recorded & true,
        unknown_documents=nw.col("unknown_documents").fill_null(0),
    )
    return (
        keyed.filter(nw.col("in_population") | (nw.col("sync_cause") != "") | (nw.col("record_cause") != ""))
        .group_by("key", "sync_cause", "record_cause")
        .agg(
            _count(nw.col("in_population")).alias("population"),
            _count(shown).alias("late_shown"),
            _count(recorded).alias("late_recorded"),
            _count(true).alias("late_true"),
            _count(nw.col("unproven")).alias("n_unproven"),
            _count(nw.col("disputed")).alias("n_disputed"),
            _count(nw.col("no_due")).alias("n_no_due"),
            nw.col("unknown_documents").sum().alias("n_unknown_documents"),
            _count(nw.col("is_stated")).alias("n_stated"),
            _count(nw.col("differs_from_stated")).alias("n_differs_from_stated"),
            _count(nw.col("sync_removed")).alias("n_sync_removed"),
            _count(nw.col("sync_added")).alias("n_sync_added"),
            _count(nw.col("record_removed")).alias("n_record_removed"),
            _count(nw.col("record_added")).alias("n_record_added"),
        )
    )


def rows(found: Iterable[Mapping[str, Any]]) -> tuple[Row, dict[str, Row]]:
    """The whole and its groups; the groups sum to the whole."""
    whole = Row()
    groups: dict[str, Row] = {}
    for group in found:
        counts = {
            name.removeprefix("n_"): value if isinstance(value, str) else int(value or 0)
            for name, value in group.items()
        }
        whole.add(counts)
        groups.setdefault(group["key"], Row()).add(counts)
    return whole, groups


def findings(frame: nw.LazyFrame[Any], leg: str | None = None, cause: str | None = None) -> nw.LazyFrame[Any]:
    """The judged pairs that have a cause, in either leg or the one named."""
    sync, record = nw.col("sync_cause"), nw.col("record_cause")
    if leg is None:
        named = (sync != "") | (record != "")
        if cause:
            named = (sync == cause) | (record == cause)
    else:
        column = sync if leg == "sync" else record
        named = column == cause if cause else column != ""
    return frame.filter(named)
