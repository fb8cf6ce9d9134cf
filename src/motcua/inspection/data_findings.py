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

    return {
        "over_promised": DataCheck(flag("over_promised"), "B", ("slip_due_at", "limit_due_at")),
        "evidence_before_receipt": DataCheck(
            instant("evidence_at") < nw.col("received_at").fill_null(0), "C", ("evidence_at", "received_at")
        ),
        "document_unknown": DataCheck(nw.col("unknown_documents").fill_null(0) > 0, "C", ("unknown_documents",)),
        "unit_unresolved": DataCheck(
            both & (text("t_unit") == "") & (text("t_unit_name") != ""), "C", ("t_unit_name",)
        ),
        "unit_differs": DataCheck(
            both & (text("t_unit") != "") & (text("t_unit") != text("agency")), "C", ("t_unit", "t_unit_name")
        ),
        "procedure_differs": DataCheck(quiet & (text("core") != text("t_core")), "C", ("procedure", "t_procedure")),
        "receipt_differs": DataCheck(
            quiet & (instant("received_at") != instant("t_received_at")), "C", ("received_at", "t_received_at")
        ),
        "due_differs": DataCheck(
            quiet & (instant("t_due_at") < NEVER) & (instant("due_0") != instant("t_due_at")),
            "C",
            ("due_0", "t_due_at"),
        ),
        "end_differs": DataCheck(
            quiet & ended_here & ended_there & (ours != theirs),
            "C",
            ("finish_at", "t_nine_at", "t_nine_last_at", "t_ten_at", "t_closed_at", "t_withdrawn_at"),
        ),
        "end_not_there": DataCheck(quiet & ended_here & ~ended_there, "C", ("finish_at", "t_status", "delivery")),
        "end_only_there": DataCheck(
            quiet & ended_there & ~ended_here, "C", ("t_nine_at", "t_ten_at", "t_closed_at", "t_withdrawn_at")
        ),
        "further_record_there": DataCheck(
            both & (nw.col("t_duplicates").fill_null(0) > 0) & (nw.col("sync_cause") != "duplicate_there"),
            "C",
            ("t_duplicates",),
        ),
    }


CODES = ("over_promised", "evidence_before_receipt", "document_unknown", "unit_unresolved", "unit_differs",
         "procedure_differs", "receipt_differs", "due_differs", "end_differs", "end_not_there", "end_only_there",
         "further_record_there")  # fmt: skip


def found(frame: nw.LazyFrame[Any], scope: Scope, codes: tuple[str, ...] = CODES) -> nw.LazyFrame[Any]:
    """The judged pairs of the population with a Boolean column for each check; only rows on which one holds."""
    asked = checks(scope)
    marked = frame.filter(nw.col("in_population")).with_columns(**{code: asked[code].holds for code in codes})
    return marked.filter(nw.any_horizontal(*(nw.col(code) for code in codes), ignore_nulls=True))
