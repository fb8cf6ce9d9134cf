"""Data findings: the two sides differ, or a record is doubtful, without a changed verdict; listed apart from causes.

Each is an expression over the judged pairs. Source: architecture §2 (a difference that changes no verdict is a data
finding; a slip beyond the published limit is V-11; unknown documents are counted and listed).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from motcua.inspection import verdicts
from motcua.inspection.verdicts import NEVER, Scope, flag, instant, our_stage


@dataclass(frozen=True, slots=True)
class DataCheck:
    """One check: where it holds, how grave it is (law paper §6.6), and the columns that prove it."""

    holds: nw.Expr
    severity: str
    evidence: tuple[str, ...]


def checks(scope: Scope) -> dict[str, DataCheck]:
    """The checks by code, for the judged pairs of a scope (not of the measure of reception)."""
    both = flag("exists_here") & flag("exists_there")
    quiet = both & (nw.col("sync_cause") == "")
    ours, theirs = instant(our_stage(scope, 0).finish), verdicts.their_finish(scope)
    ended_here, ended_there = ours <= scope.as_of, theirs <= scope.as_of

    def text(name: str) -> nw.Expr:
        return nw.col(name).fill_null("")

    where = {
        "over_promised": flag("over_promised"),
        "evidence_before_receipt": instant("evidence_at") < nw.col("received_at").fill_null(0),
        "document_unknown": nw.col("unknown_documents").fill_null(0) > 0,
        "unit_unresolved": both & (text("t_unit") == "") & (text("t_unit_name") != ""),
        "unit_differs": both & (text("t_unit") != "") & (text("t_unit") != text("agency")),
        "procedure_differs": quiet & (text("core") != text("t_core")),
        "receipt_differs": quiet & (instant("received_at") != instant("t_received_at")),
        "due_differs": quiet & (instant("t_due_at") < NEVER) & (instant("due_0") != instant("t_due_at")),
        "end_differs": quiet & ended_here & ended_there & (ours != theirs),
        "end_not_there": quiet & ended_here & ~ended_there,
        "end_only_there": quiet & ended_there & ~ended_here,
        "further_record_there": both
        & (nw.col("t_duplicates").fill_null(0) > 0)
        & (nw.col("sync_cause") != "duplicate_there"),
    }
    return {code: DataCheck(holds, *SHAPES[code]) for code, holds in where.items()}


#: Code → how grave it is, and the columns that prove it.
SHAPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "over_promised": ("B", ("slip_due_at", "limit_due_at")),
    "evidence_before_receipt": ("C", ("evidence_at", "received_at")),
    "document_unknown": ("C", ("unknown_documents",)),
    "unit_unresolved": ("C", ("t_unit_name",)),
    "unit_differs": ("C", ("t_unit", "t_unit_name")),
    "procedure_differs": ("C", ("procedure", "t_procedure")),
    "receipt_differs": ("C", ("received_at", "t_received_at")),
    "due_differs": ("C", ("due_0", "t_due_at")),
    "end_differs": ("C", ("finish_at", "t_nine_at", "t_nine_last_at", "t_ten_at", "t_closed_at", "t_withdrawn_at")),
    "end_not_there": ("C", ("finish_at", "t_status", "delivery")),
    "end_only_there": ("C", ("t_nine_at", "t_ten_at", "t_closed_at", "t_withdrawn_at")),
    "further_record_there": ("C", ("t_duplicates",)),
}
CODES = tuple(SHAPES)


def found(frame: nw.LazyFrame[Any], scope: Scope, codes: tuple[str, ...] = CODES) -> nw.LazyFrame[Any]:
    """The judged pairs of the population with a Boolean column for each check; only rows on which one holds."""
    asked = checks(scope)
    marked = frame.filter(nw.col("in_population")).with_columns(**{code: asked[code].holds for code in codes})
    return marked.filter(nw.any_horizontal(*(nw.col(code) for code in codes), ignore_nulls=True))
