"""The story of a dossier: what its acts say together, one row a dossier, so that a check is a plain expression.

Acts are read as they stand after corrections. Working minutes (`w_…`) are those of the agency's calendar up to an
instant; a difference of two is the working time between. Counts are 0 and instants absent where nothing happened.
"""

from __future__ import annotations

import narwhals as nw

from motcua.inspection.checks import downtime
from motcua.inspection.checks.facts import Frame, on_day, worked
from motcua.inspection.verdicts import Scope, flag, local_day

#: Acts after which somebody else is awaited.
PAUSES = ("supplement_requested", "suspended", "payment_requested")
#: Acts that end a dossier, or move its due instant.
DECISIVE = ("finished", "returned", "refused", "stopped", "withdrawn", "extended")
_STEPS = ("step_started", "step_finished")
#: A request written again within so many minutes of the last is the same request.
RESEND_MINUTES = 60
#: A stated instant so many seconds ahead of its entry is a clock that is slightly fast.
FAST_CLOCK_S = 300
#: An act so many seconds after the end was written by the same click: software closes first, then its last step.
SAME_CLICK_S = 300
#: So many receipts of one agency entered within one minute were loaded, not received.
LOADED_AT_ONCE = 20

#: A dossier filed again within so many days of the end of another is its successor.
REFILED_S = 10 * 86_400
#: An owner with more dossiers of one procedure files many; a new one says nothing of an old one.
REFILED_CASES = 4

_COUNTS = ("acts_n", "requests_n", "undocumented_n", "extensions_n", "steps_n", "after_end_n", "impossible_n",
           "legs_n", "legs_back_n", "decided_by_administrator_n", "finished_by_machine_n",
           "receipt_caught_up_n", "steps_caught_up_n", "returned_n", "payments_open_n")  # fmt: skip


def effective(acts: Frame) -> Frame:
    """The acts as they stand: corrected ones by their correction, void ones and the corrections themselves gone."""
    fixes = acts.filter(nw.col("kind") == "corrected")
    newest = fixes.group_by("dossier", "corrects").agg(nw.col("seq").max())
    newest = newest.join(
        fixes.select("dossier", "seq", fix_void="void", fix_at="true_at", fix_due_at="due_at"),
        on=["dossier", "seq"], how="inner",
    ).select("dossier", nw.col("corrects").alias("seq"), "fix_void", "fix_at", "fix_due_at")  # fmt: skip
    names = acts.collect_schema().names()
    return (
        acts.filter(nw.col("kind") != "corrected")
        .join(newest, on=["dossier", "seq"], how="left")
        .filter(~flag("fix_void"))
        .with_columns(at=nw.coalesce("fix_at", "at"), due_at=nw.coalesce("fix_due_at", "due_at"))
        .select(names)
    )


def situated(dossiers: Frame, units: Frame, procedures: Frame, days: Frame, scope: Scope) -> Frame:
    """For each of the judged pairs its calendar, what is known of its procedure, the working minutes of its dates.

    A frame of its own, `dossier` and what is new: a wide frame is planned many times as slowly, so the pairs are
    joined with what is told of them once.
    """
    own = [name for name in _DATES.values() if name != "now_at"]
    frame = (
        dossiers.select("dossier", "agency", "core", "true_finish_at", "due_3", "statutory_3", "subtract_3", *own)
        .join(units.select("agency", "calendar", "level"), on="agency", how="left")
        .with_columns(
            calendar=nw.col("calendar").fill_null("vn"),
            now_at=nw.lit(scope.as_of),
            most_due_at=_latest("due_3", "statutory_3", "subtract_3"),
            best_finish_at=nw.min_horizontal("finish_at", "true_finish_at"),
        )
        .join(procedures.drop("name"), on="core", how="left")
        .drop("agency", "core", "true_finish_at", "due_3", "statutory_3", "subtract_3")
    )
    frame = worked(frame, days, **_DATES)
    frame = on_day(frame, days, "submitted_at", submitted_closing="closing")
    frame = on_day(frame, days, "received_at", received_closing="closing", received_workday="workdays_before")
    return frame.drop(*own)


#: The working minutes that a dossier carries, and up to which of its instants.
_DATES = {
    "w_submitted": "submitted_at", "w_answered": "answered_at", "w_received": "received_at", "w_slip": "slip_due_at",
    "w_due": "due_by_pauses", "w_finish": "finish_at", "w_now": "now_at",
}  # fmt: skip


def _latest(*names: str) -> nw.Expr:
    """The latest of some instants; absent where one is."""
    latest = nw.max_horizontal(*names)
    return nw.when(~nw.any_horizontal(*(nw.col(n).is_null() for n in names), ignore_nulls=True)).then(latest)


#: So many spans in which an account administers have columns of their own.
ADMINISTERS = 3
#: When a machine acts by an account, and when it administers.
_SPANS = (("machine_from", "machine_to"),
          *((f"administers_from{n}", f"administers_to{n}") for n in range(ADMINISTERS)))  # fmt: skip


def dated(
    acts: Frame, dossiers: Frame, placed: Frame, days: Frame, accounts: Frame, outages: Frame | None
) -> Frame:  # fmt: skip
    """The acts with what their dossier says beside them, their working minutes, and the acts before and after each.

    `placed`: as `situated` gives it; `outages`: as `downtime.placed` gives them; None where none is known.
    """
    context = dossiers.select(
        "dossier", "agency", "core", "received_at", "finish_at", "due_by_pauses", "slip_due_at", "in_population"
    ).join(
        placed.select("dossier", "calendar", "w_received", "w_due", "w_slip", "w_now"), on="dossier", how="inner"
    )  # fmt: skip
    frame = acts.drop("month", "side").join(context, on="dossier", how="inner")
    entered = nw.col("recorded_at")
    machine, *administers = (
        ((entered >= nw.col(start)) & (entered < nw.col(end))).fill_null(value=False) for start, end in _SPANS
    )
    frame = frame.join(accounts, on="actor", how="left").with_columns(
        machine=machine, administrator=nw.any_horizontal(*administers, ignore_nulls=True)
    )
    frame = worked(frame.drop(*(edge for span in _SPANS for edge in span)), days, w_at="at", w_recorded="recorded_at")
    frame = downtime.told(frame, outages)
    frame = on_day(frame, days, "at", workday="workdays_before")
    frame = on_day(frame, days, "recorded_at", recorded_works="works", recorded_workday="workdays_before")
    return frame.with_columns(
        before_kind=nw.col("kind").shift(1).over("dossier", order_by=["at", "seq"]),
        before_w=nw.col("w_at").shift(1).over("dossier", order_by=["at", "seq"]),
        next_w=nw.col("w_at").shift(-1).over("dossier", order_by=["at", "seq"]),
    )


def told(dossiers: Frame, acts: Frame, process: Frame) -> Frame:
    """The story of each of the pairs: `dossier` and what is new."""
    told = dossiers.select("dossier")
    parts = (_whole(acts), _requests(acts), _extensions(acts), _steps(acts, process), _entered(acts), _filed(dossiers))
    for part in parts:
        told = told.join(part, on="dossier", how="left")
    return told.with_columns(**{name: nw.col(name).fill_null(0) for name in _COUNTS})


def _is(*kinds: str) -> nw.Expr:
    return nw.col("kind").is_in(list(kinds))


def _number(condition: nw.Expr) -> nw.Expr:
    return condition.fill_null(value=False).cast(nw.Int64)


def _where(condition: nw.Expr, value: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(value)


def _whole(acts: Frame) -> Frame:
    """What all acts say together."""
    at, recorded = nw.col("at"), nw.col("recorded_at")
    accepted = at >= nw.col("received_at")
    waits = _is(*PAUSES) | _is("registered", "withdrawn", "refused", "stopped", "finished", "returned")
    open_end = nw.when(nw.col("finish_at").is_null()).then(nw.col("w_now")).otherwise(nw.col("w_at"))
    silence = _where(accepted & ~waits, nw.coalesce(nw.col("next_w"), open_end) - nw.col("w_at"))
    late = nw.col("w_recorded") - nw.col("w_at") - nw.col("down_w")
    by_administrator = nw.col("administrator") & ~nw.col("machine")
    shift = (recorded - at).is_in([sign * hours * 3600 for hours in (7, 12) for sign in (1, -1)])
    end = at > nw.col("finish_at") + SAME_CLICK_S
    columns = {
        "acts_n": _number(nw.lit(value=True)),
        "silence": silence,
        "entered_late": _where(~shift & ~_is("registered"), late),
        "after_end_n": _number(end & _is(*_STEPS, "supplement_requested", "leg_sent", "finished")
                               & (recorded > nw.col("finish_at"))),
        "impossible_n": _number((at > recorded + FAST_CLOCK_S)
                                | (_is("finished", "returned", "step_finished") & (at < nw.col("received_at")))),
        "legs_n": _number(_is("leg_sent")),
        "legs_back_n": _number(_is("leg_returned")),
        "leg_back_at": _where(_is("leg_returned"), at),
        "decided_by_administrator_n": _number(_is(*DECISIVE) & by_administrator),
        "handled_by_administrator_n": _number(_is(*_STEPS, "received") & nw.col("administrator")),
        "finished_by_machine_n": _number(_is("finished") & nw.col("machine")),
        "receipt_caught_up_n": _number(_is("received", "registered") & nw.col("caught_up")),
        "steps_caught_up_n": _number(_is(*_STEPS) & nw.col("caught_up")),
        "returned_n": _number(_is("returned")),
        "returned_at": _where(_is("returned"), at),
        "returned_workday": _where(_is("returned"), nw.col("workday")),
        "finish_workday": _where(_is("finished", "returned"), nw.col("workday")),
        "refused_length": _where(_is("refused", "stopped"), nw.col("reason_length")),
        "refusal_at": _where(_is("refused") & accepted, at),
        "reason_length": nw.col("reason_length"),
        "seconds": _number(at % 60 != 0),
        "entered_apart": _number(recorded != at),
        "payments_open_n": _number(_is("payment_requested")) - _number(_is("paid")),
        "transferred_w": _where(accepted & _is(*_STEPS, "leg_sent")
                                & nw.col("step").str.to_lowercase().str.contains("chuyển"), nw.col("w_at")),
        "transferred_at": _where(accepted & _is(*_STEPS, "leg_sent")
                                 & nw.col("step").str.to_lowercase().str.contains("chuyển"), at),
        "receipt_recorded_at": _where(_is("received"), recorded),
        "first_recorded_at": recorded,
        "work_recorded_at": _where(_is(*_STEPS), recorded),
    }  # fmt: skip
    frame = acts.select("dossier", **{f"v_{name}": value for name, value in columns.items()})

    def put(name: str, how: str) -> nw.Expr:
        expression: nw.Expr = getattr(nw.col(f"v_{name}"), how)()
        return expression.alias(name)

    sums = ("acts_n", "after_end_n", "impossible_n", "legs_n", "legs_back_n", "decided_by_administrator_n",
            "handled_by_administrator_n", "finished_by_machine_n", "receipt_caught_up_n", "steps_caught_up_n",
            "returned_n", "seconds", "entered_apart", "payments_open_n")  # fmt: skip
    lows = ("returned_at", "returned_workday", "finish_workday", "refused_length", "refusal_at", "transferred_w",
            "transferred_at", "receipt_recorded_at",
            "first_recorded_at")  # fmt: skip
    highs = ("silence", "entered_late", "leg_back_at", "reason_length", "work_recorded_at")
    return frame.group_by("dossier").agg(
        *(put(name, "sum") for name in sums),
        *(put(name, "min") for name in lows),
        *(put(name, "max") for name in highs),
    )


def _requests(acts: Frame) -> Frame:
    """The requests for papers after acceptance, and every pause."""
    pauses = acts.filter(_is(*PAUSES), nw.col("at") >= nw.col("received_at"))
    again = (nw.col("before_kind") == "supplement_requested") & (nw.col("w_at") - nw.col("before_w") < RESEND_MINUTES)
    request = _is("supplement_requested") & ~again.fill_null(value=False)
    # Before the first pause the slip's due date is the one in force; each pause moves it.
    earlier = nw.col("at").shift(1).over("dossier", order_by=["at", "seq"])
    pauses = pauses.with_columns(slack=nw.when(earlier.is_null()).then(nw.col("w_slip") - nw.col("w_at")))
    slack = nw.col("slack")
    written = nw.col("document").fill_null(value=False)
    frame = pauses.select(
        "dossier",
        v_requests=_number(request),
        v_first=_where(request, nw.col("at")),
        v_first_workday=_where(request, nw.col("workday")),
        v_shortest=_where(request & ~written, nw.col("reason_length")),
        v_undocumented=_number(~nw.col("document").fill_null(value=True)),
        v_request_slack=_where(request & (slack >= 0), slack),
        v_pause_slack=_where((slack >= 0), slack),
        v_last=nw.col("at"),
        v_last_w=nw.col("w_at"),
    )
    return frame.group_by("dossier").agg(
        nw.col("v_requests").sum().alias("requests_n"),
        nw.col("v_first").min().alias("first_request_at"),
        nw.col("v_first_workday").min().alias("first_request_workday"),
        nw.col("v_shortest").min().alias("shortest_request"),
        nw.col("v_undocumented").sum().alias("undocumented_n"),
        nw.col("v_request_slack").min().alias("request_slack"),
        nw.col("v_pause_slack").min().alias("pause_slack"),
        nw.col("v_last").max().alias("last_pause_at"),
        nw.col("v_last_w").max().alias("last_pause_w"),
    )


def _extensions(acts: Frame) -> Frame:
    """The new due dates that were said, each against the one in force before it."""
    said = acts.filter(_is("extended"), nw.col("at") >= nw.col("received_at"))
    said = said.with_columns(
        before_at=nw.col("at").shift(1).over("dossier", order_by=["at", "seq"]),
        before_due=nw.col("due_at").shift(1).over("dossier", order_by=["at", "seq"]),
    )
    in_force = nw.coalesce("before_due", "due_by_pauses")
    corrected = (local_day(nw.col("at")) == local_day(nw.col("before_at"))).fill_null(value=False)
    frame = said.select(
        "dossier",
        v_n=_number(~corrected),
        v_said=nw.col("at"),
        v_after=_where((nw.col("recorded_at") > in_force) & (nw.col("due_at") > in_force), nw.col("recorded_at")),
        v_bare=_where(~nw.col("document").fill_null(value=True), nw.col("at")),
    )
    return frame.group_by("dossier").agg(
        nw.col("v_n").sum().alias("extensions_n"),
        nw.col("v_said").min().alias("apology_at"),
        nw.col("v_after").max().alias("due_moved_after_at"),
        nw.col("v_bare").max().alias("bare_extension_at"),
    )


def _steps(acts: Frame, process: Frame) -> Frame:
    """The steps of the internal process against their own limits, and how they were entered."""
    steps = acts.filter(_is(*_STEPS), nw.col("at") >= nw.col("received_at"))
    order = ["at", "seq"]
    steps = steps.with_columns(
        began_w=nw.col("w_at").shift(1).over("dossier", "step", order_by=order),
        began=nw.col("kind").shift(1).over("dossier", "step", order_by=order),
    ).join(process.group_by("core", "step").agg(nw.col("minutes").max()), on=["core", "step"], how="left")
    took = nw.col("w_at") - nw.col("began_w")
    done = (_is("step_finished") & (nw.col("began") == "step_started")).fill_null(value=False)
    frame = steps.select(
        "dossier",
        v_first=nw.col("recorded_at"),
        v_over=_where(done, took - nw.col("minutes")),
        v_limited=_number(done & ~nw.col("minutes").is_null()),
        v_steps=_number(_is("step_finished")),
    )
    return frame.group_by("dossier").agg(
        nw.col("v_steps").sum().alias("steps_n"),
        nw.col("v_first").min().alias("steps_first_at"),
        nw.col("v_first").max().alias("steps_last_at"),
        nw.col("v_over").max().alias("step_over"),
        nw.col("v_limited").sum().alias("limited_steps_n"),
    )


def _entered(acts: Frame) -> Frame:
    """How many receipts of the same agency were entered in the same minute: a load, not a reception."""
    receipts = (
        acts.filter(_is("received") | (_is("registered") & ~nw.col("received_at").is_null()))
        .group_by("dossier", "agency")
        .agg(nw.col("recorded_at").max())
        .with_columns(minute=nw.col("recorded_at") // 60)
    )
    together = receipts.group_by("agency", "minute").agg(nw.len().cast(nw.Int64).alias("entered_together"))
    return receipts.join(together, on=["agency", "minute"], how="inner").select("dossier", "entered_together")


def _filed(dossiers: Frame) -> Frame:
    """Whether the same owner filed for the same procedure again soon after the end, and how many such dossiers are."""
    owned = dossiers.filter(nw.col("owner") != "", ~nw.col("received_at").is_null())
    owned = owned.select("dossier", "owner", "core", "received_at", "finish_at", "finish_kind")
    cases = owned.group_by("owner", "core").agg(nw.len().cast(nw.Int64).alias("owner_cases"))
    gone = owned.filter(nw.col("finish_kind").is_in(["withdrawn", "refused", "stopped"]))
    later = owned.select("owner", "core", later_at="received_at")
    again = (
        gone.join(cases.filter(nw.col("owner_cases") > 1), on=["owner", "core"], how="inner")
        .join(later, on=["owner", "core"], how="inner")
        .filter(nw.col("later_at") >= nw.col("finish_at"), nw.col("later_at") - nw.col("finish_at") <= REFILED_S)
    )
    return again.group_by("dossier", "owner_cases").agg(nw.col("later_at").min().alias("refiled_at"))
