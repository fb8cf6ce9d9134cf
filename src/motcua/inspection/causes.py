"""Causes are found by repair.

Start from the left side's facts, make one group of facts equal to the right side's at a time, and judge
again. The cause is the repair at which the verdict changes for the last time; a dossier whose verdict is
the same at both ends has none. So each discrepancy has exactly one cause per leg. Source: architecture §2.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import narwhals as nw

from motcua.inspection import verdicts
from motcua.inspection.verdicts import NEVER, Scope, flag, instant, our_late, our_stage, their_late


class Cause(StrEnum):
    """Every cause, in the order of the repairs; the first group is the synchronisation leg."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DUPLICATE_THERE = "duplicate_there"
    MISPLACED_THERE = "misplaced_there"
    STEP_LOST = "step_lost"
    ONLY_RETURN_SENT = "only_return_sent"
    STATUS_UNMAPPED = "status_unmapped"
    UPDATE_REFUSED = "update_refused"
    ACCEPTED_NOT_SHOWN = "accepted_not_shown"
    UPDATE_NOT_SENT = "update_not_sent"
    CLOCK_SHIFT = "clock_shift"
    CLOSED_EARLY_THERE = "closed_early_there"
    FINISH_DIFFERS = "finish_differs"
    PAUSE_NOT_CARRIED = "pause_not_carried"
    DUE_NOT_CARRIED = "due_not_carried"
    RULE_DIFFERS = "rule_differs"
    STEP_SKIPPED = "step_skipped"
    LATE_ENTRY = "late_entry"
    BACK_DATED = "back_dated"
    DUE_MOVED = "due_moved"
    PAUSE_UNLAWFUL = "pause_unlawful"
    NOT_ENOUGH_DATA = "not_enough_data"
    UNEXPLAINED = "unexplained"


_CAUSES = list(Cause)
SYNC: tuple[Cause, ...] = tuple(_CAUSES[: _CAUSES.index(Cause.RULE_DIFFERS) + 1])
RECORD: tuple[Cause, ...] = tuple(_CAUSES[len(SYNC) : _CAUSES.index(Cause.PAUSE_UNLAWFUL) + 1])
REST: tuple[Cause, ...] = (Cause.NOT_ENOUGH_DATA, Cause.UNEXPLAINED)

#: What the delivery of the finishing event tells (facts column `delivery`), when the portal lacks the step.
_BY_DELIVERY = {
    "unmapped": Cause.STATUS_UNMAPPED,
    "dead": Cause.UPDATE_REFUSED,
    "delivered": Cause.ACCEPTED_NOT_SHOWN,
}

_SHIFTS = (7 * 3600, 12 * 3600)


_SHARED = ("dossier", "agency", "field", "procedure", "month", "source", "exists_here", "exists_there", "any_delivery",
           "unknown_documents", "l_late", "l_alone", "t_duplicate_late", "t_status")  # fmt: skip
_OF_HANDLING = (
    "received_at", "finish_at", "finish_kind", "finish_recorded_at", "evidence_at", "true_finish_at", "slip_due_at",
    "limit_due_at", "due_by_pauses", "due_by_extensions", "request_open_at", "requests", "supplement_s",
    "closed_at_intake", "has_pause", "has_extension", "payment_paused", "suspension_open", "delivery",
    *(f"{name}_{stage}" for name in ("due", "statutory", "subtract", "paused") for stage in range(4)),
    "t_accepted", "t_received_at", "t_due_at", "t_nine_at", "t_nine_last_at", "t_ten_at", "t_closed_at",
    "t_withdrawn_at", "t_limit_due_at", "t_requests", "t_request_open_at", "t_supplement_s",
    "l_received_at", "l_due_at", "l_finished_at", "l_has_due", "l_has_finish",
)  # fmt: skip
_OF_RECEPTION = (
    "channel", "submitted_at", "answered_at", "reception_due_at", "answer_delivery", "t_channel", "t_submitted_at",
    "t_answer_at", "t_reception_due_at",
)  # fmt: skip


def reads(scope: Scope) -> frozenset[str]:
    """The columns of the pairs that a measure reads; an engine plans a narrow frame several times as fast."""
    return frozenset(_SHARED + (_OF_RECEPTION if scope.measure == "reception" else _OF_HANDLING))


def explained(pairs: nw.LazyFrame[Any], scope: Scope) -> nw.LazyFrame[Any]:
    """The pairs with their three verdicts and two causes.

    Adds Boolean columns shown, recorded, true (late and counted in the measure), in_population, and texts
    sync_cause, record_cause ("" where there is none) and sub_cause.
    """
    if scope.measure == "reception":
        return _reception(pairs, scope)
    return _handling(pairs, scope)


def _handling(pairs: nw.LazyFrame[Any], scope: Scope) -> nw.LazyFrame[Any]:
    there, here = verdicts.their_facts(scope), verdicts.our_facts_there(scope)
    frame = pairs.with_columns(**there.named("p0_"), **here.named("o_"))
    left, right = verdicts.theirs_named("p0_"), verdicts.theirs_named("o_")
    stated = verdicts.stated_only()
    missing_there = flag("exists_here") & ~flag("exists_there") & ~stated
    missing_here = ~flag("exists_here")
    by_rule = their_late(scope, left)
    by_list = verdicts.their_counted(scope, left) & flag("l_late")

    # 1 existence: a record that only one side has appears, or goes.
    whole = {
        name: nw.when(missing_there).then(getattr(right, name)).otherwise(getattr(left, name))
        for name in verdicts.THEIR_NAMES
    }
    whole["exists"] = nw.when(missing_here).then(nw.lit(value=False)).otherwise(whole["exists"])
    frame = frame.with_columns(**verdicts.Theirs(**whole).named("p1_"))
    left = verdicts.theirs_named("p1_")
    duplicates = flag("t_duplicate_late") & ~missing_here

    # 3 unit and procedure: what the portal allows for our procedure, where it holds no due instant.
    at_3 = left.with_(limit=right.limit)

    # 4 terminal step: it stands there too, at our instant.
    ours_ended = (right.finish <= scope.as_of) | flag("closed_at_intake")
    lacks = flag("exists_here") & ours_ended & (left.finish > scope.as_of)
    only_return = (
        flag("exists_here")
        & nw.col("t_nine_at").is_null()
        & ~nw.col("t_ten_at").is_null()
        & nw.col("t_closed_at").is_null()
        & (nw.col("finish_kind") == "finished").fill_null(value=False)
    )
    frame = frame.with_columns(
        lacks_end=lacks,
        only_return=only_return,
        p4_finish=nw.when(lacks | only_return).then(right.finish).otherwise(left.finish),
        p4_exists=nw.when(lacks & flag("closed_at_intake")).then(right.exists).otherwise(left.exists),
    )
    at_4 = at_3.with_(finish=nw.col("p4_finish"), exists=nw.col("p4_exists"))
    # 5 finish time. 6 pauses, with the due instant that follows from them. 7 due instant. 8 the rule.
    at_5 = at_4.with_(finish=right.finish, exists=right.exists)
    due_by_extensions, due_by_pauses = instant("due_by_extensions"), instant("due_by_pauses")
    carried = (left.due == right.due) | (left.due >= NEVER) | ~flag("has_pause")
    suspended = flag("suspension_open")
    due_6 = (
        nw.when(suspended)
        .then(nw.lit(NEVER))
        .when(carried)
        .then(left.due)
        .when((left.due == due_by_extensions) & flag("has_extension"))
        .then(right.due)
        .otherwise(due_by_pauses)
    )
    frame = frame.with_columns(p6_due=due_6)
    at_6 = at_5.with_(
        due=nw.col("p6_due"),
        limit=nw.when(suspended).then(right.limit).otherwise(at_5.limit),
        requests=right.requests,
        request_open=right.request_open,
        supplement_s=right.supplement_s,
    )
    at_7 = at_6.with_(due=right.due, limit=right.limit, received=right.received)

    sync = [
        nw.when(stated).then(by_list).otherwise(by_rule | flag("t_duplicate_late")),
        their_late(scope, left) | duplicates,
        their_late(scope, left),
        their_late(scope, at_3),
        their_late(scope, at_4),
        their_late(scope, at_5),
        their_late(scope, at_6),
        their_late(scope, at_7),
        our_late(scope, our_stage(scope, 0)),
    ]
    record = [our_late(scope, our_stage(scope, stage)) for stage in range(1, 4)]
    frame = frame.with_columns(
        **{f"s{k}": late for k, late in enumerate(sync)}, **{f"r{k}": late for k, late in enumerate(record, 1)}
    )
    counted = (
        verdicts.their_counted(scope, verdicts.theirs_named("p0_"))
        | verdicts.our_counted(scope, our_stage(scope, 0))
        | verdicts.our_counted(scope, our_stage(scope, 3))
        | flag("t_duplicate_late")
    )
    changed = [nw.col(f"s{k}") != nw.col(f"s{k - 1}") for k in range(1, 9)]
    differs = nw.col("s0") != nw.col("s8")
    shifted = (nw.col("o_finish") < NEVER) & _shifted(nw.col("p0_finish") - nw.col("o_finish"))
    # A list that tells too little of a dossier, or a verdict that its own figures do not bear, leaves facts missing.
    told = flag("l_has_due") & flag("l_has_finish") & (nw.col("s1") == nw.col("s0"))
    lacks_facts = stated & ~missing_here & (~told | changed[3])
    sync_cause = (
        nw.when(~differs)
        .then(nw.lit(""))
        .when(lacks_facts)
        .then(nw.lit(Cause.NOT_ENOUGH_DATA))
        .when(changed[7])
        .then(nw.lit(Cause.RULE_DIFFERS))
        .when(changed[6])
        .then(nw.lit(Cause.DUE_NOT_CARRIED))
        .when(changed[5])
        .then(nw.lit(Cause.PAUSE_NOT_CARRIED))
        .when(changed[4] & shifted)
        .then(nw.lit(Cause.CLOCK_SHIFT))
        .when(changed[4] & (nw.col("p4_finish") < nw.col("o_finish")))
        .then(nw.lit(Cause.CLOSED_EARLY_THERE))
        .when(changed[4] & (nw.col("p4_finish") > nw.col("o_finish")))
        .then(nw.lit(Cause.FINISH_DIFFERS))
        .when(changed[4])
        .then(nw.lit(Cause.UNEXPLAINED))
        .when(changed[3])
        .then(_terminal_step())
        .when(changed[2])
        .then(nw.lit(Cause.MISPLACED_THERE))
        .when(changed[1])
        .then(nw.lit(Cause.DUPLICATE_THERE))
        .when(missing_here)
        .then(nw.lit(Cause.MISSING_HERE))
        .when(flag("l_alone"))
        .then(nw.lit(Cause.NOT_ENOUGH_DATA))
        .otherwise(nw.lit(Cause.MISSING_THERE))
    )
    record_cause = (
        nw.when(nw.col("s8") == nw.col("r3"))
        .then(nw.lit(""))
        .when(nw.col("r3") != nw.col("r2"))
        .then(nw.lit(Cause.PAUSE_UNLAWFUL))
        .when(nw.col("r2") != nw.col("r1"))
        .then(nw.lit(Cause.DUE_MOVED))
        .when(nw.col("finish_kind") != "finished")
        .then(nw.lit(Cause.STEP_SKIPPED))
        .when(nw.col("true_finish_at") < nw.col("finish_at"))
        .then(nw.lit(Cause.LATE_ENTRY))
        .otherwise(nw.lit(Cause.BACK_DATED))
    )
    sub_cause = (
        nw.when(sync_cause == Cause.MISSING_THERE)
        .then(_never_there())
        .when(differs & lacks_facts & told)
        .then(nw.lit("step_log_there"))
        .when(sync_cause == Cause.NOT_ENOUGH_DATA)
        .then(nw.lit("record_there"))
        .when(differs & changed[7] & (nw.col("o_requests") > 0))
        .then(nw.lit("supplement"))
        .when(differs & changed[7] & flag("payment_paused"))
        .then(nw.lit("payment"))
        .when(differs & changed[7] & nw.lit(scope.policy.basis == "date"))
        .then(nw.lit("day"))
        .when(differs & changed[7])
        .then(nw.lit("instant"))
        .otherwise(nw.lit(""))
    )
    return frame.with_columns(
        in_population=counted,
        is_stated=stated & counted,
        differs_from_stated=flag("exists_there") & ~nw.col("l_late").is_null() & (by_rule != flag("l_late")) & counted,
        shown=nw.col("s0"),
        recorded=nw.col("s8"),
        true=nw.col("r3"),
        sync_cause=sync_cause,
        record_cause=record_cause,
        sub_cause=sub_cause,
    )


def _shifted(difference: nw.Expr) -> nw.Expr:
    """Whether two instants differ by exactly a time zone or half a clock, either way."""
    return difference.is_in([sign * hours for hours in _SHIFTS for sign in (1, -1)])


def _never_there() -> nw.Expr:
    """Why no record is there, by the deliveries of the dossier: never sent, refused, or accepted and yet absent."""
    sent = nw.col("any_delivery").fill_null("")
    return (
        nw.when(sent == "delivered")
        .then(nw.lit("accepted_absent"))
        .when(sent == "dead")
        .then(nw.lit("refused"))
        .otherwise(nw.lit("never_sent"))
    )


def _terminal_step() -> nw.Expr:
    """Why the finishing step is not there: by what stands there, then by its delivery."""
    named = (
        nw.when(nw.col("only_return"))
        .then(nw.lit(Cause.ONLY_RETURN_SENT))
        .when(nw.col("t_status").fill_null(0).is_in([7, 8, 9, 10]))
        .then(nw.lit(Cause.STEP_LOST))
    )
    delivery = nw.col("delivery").fill_null("")
    for state, cause in _BY_DELIVERY.items():
        named = named.when(delivery == state).then(nw.lit(cause))
    return named.otherwise(nw.lit(Cause.UPDATE_NOT_SENT))


def _reception(pairs: nw.LazyFrame[Any], scope: Scope) -> nw.LazyFrame[Any]:
    """The same, for the desk's first answer to an online dossier."""
    online_here, online_there = verdicts.online_here(), verdicts.online_there()
    stated = verdicts.stated_only()
    missing_there, missing_here = online_here & ~flag("exists_there") & ~stated, ~flag("exists_here")

    def where(condition: nw.Expr, name: str) -> nw.Expr:
        return nw.when(condition).then(instant(name)).otherwise(nw.lit(NEVER))

    frame = pairs.with_columns(
        o_submitted=where(online_here, "submitted_at"),
        o_answer=where(online_here, "answered_at"),
        o_due=where(online_here, "reception_due_at"),
        p_submitted=where(online_there, "t_submitted_at"),
        p_answer=where(online_there, "t_answer_at"),
        p_due=where(online_there, "t_reception_due_at"),
    )
    o = [nw.col(f"o_{name}") for name in ("submitted", "answer", "due")]
    p = [nw.col(f"p_{name}") for name in ("submitted", "answer", "due")]
    lacks = flag("exists_here") & (o[1] <= scope.as_of) & (p[1] > scope.as_of)
    one = [
        nw.when(missing_here).then(nw.lit(NEVER)).when(missing_there).then(ours).otherwise(theirs)
        for ours, theirs in zip(o, p, strict=True)
    ]
    frame = frame.with_columns(lacks_end=lacks, q_submitted=one[0], q_answer=one[1], q_due=one[2])
    q = [nw.col(f"q_{name}") for name in ("submitted", "answer", "due")]
    answered = nw.when(lacks).then(o[1]).otherwise(q[1])
    here = ~missing_here
    by_rule = verdicts.reception_late(scope, *p)
    stages = [
        nw.when(stated).then(flag("l_late")).otherwise(by_rule),
        verdicts.reception_late(scope, *q),
        verdicts.reception_late(scope, q[0], answered, q[2]),
        verdicts.reception_late(scope, q[0], o[1], q[2]) & here,
        verdicts.reception_late(scope, *o),
    ]
    frame = frame.with_columns(**{f"s{k}": late for k, late in enumerate(stages)})
    changed = [nw.col(f"s{k}") != nw.col(f"s{k - 1}") for k in range(1, 5)]
    shifted = _shifted(nw.col("p_answer") - nw.col("o_answer"))
    delivery = nw.col("answer_delivery").fill_null("")
    cause: Any = (
        nw.when(nw.col("s0") == nw.col("s4"))
        .then(nw.lit(""))
        .when(stated & ~missing_here)
        .then(nw.lit(Cause.NOT_ENOUGH_DATA))
        .when(changed[3] & flag("exists_there") & nw.col("t_submitted_at").is_null())
        .then(nw.lit(Cause.NOT_ENOUGH_DATA))
        .when(changed[3])
        .then(nw.lit(Cause.DUE_NOT_CARRIED))
    )
    cause = (
        cause.when(changed[2] & shifted)
        .then(nw.lit(Cause.CLOCK_SHIFT))
        .when(changed[2] & (nw.col("q_answer") < nw.col("o_answer")))
        .then(nw.lit(Cause.CLOSED_EARLY_THERE))
        .when(changed[2])
        .then(nw.lit(Cause.FINISH_DIFFERS))
    )
    accepted_there = nw.col("t_status").fill_null(0).is_in([2, 4, 5, 6, 7, 8, 9, 10])
    for state, name in _BY_DELIVERY.items():
        if state == "delivered":  # the record says accepted, its log lacks the step
            cause = cause.when(changed[1] & accepted_there).then(nw.lit(Cause.STEP_LOST))
        cause = cause.when(changed[1] & (delivery == state)).then(nw.lit(name))
    cause = cause.when(changed[1]).then(nw.lit(Cause.UPDATE_NOT_SENT))
    cause = cause.when(missing_here).then(nw.lit(Cause.MISSING_HERE))
    cause = cause.when(flag("l_alone")).then(nw.lit(Cause.NOT_ENOUGH_DATA)).otherwise(nw.lit(Cause.MISSING_THERE))
    counted = verdicts.reception_counted(scope, p[0], p[1]) | verdicts.reception_counted(scope, o[0], o[1]) | stated
    differs = ~nw.col("l_late").is_null() & (by_rule != flag("l_late"))
    return frame.with_columns(
        in_population=counted,
        is_stated=stated,
        differs_from_stated=flag("exists_there") & differs & counted,
        shown=nw.col("s0"),
        recorded=nw.col("s4"),
        true=nw.col("s4"),
        sync_cause=cause,
        record_cause=nw.lit(""),
        sub_cause=nw.when(cause == Cause.MISSING_THERE)
        .then(_never_there())
        .when((cause == Cause.NOT_ENOUGH_DATA) & (stated | flag("l_alone")))
        .then(nw.lit("record_there"))
        .when(cause == Cause.NOT_ENOUGH_DATA)
        .then(nw.lit("submission_there"))
        .otherwise(nw.lit("")),
    )
