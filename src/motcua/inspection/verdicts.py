"""Verdicts over columns: is a dossier late, on each side and at each repair in between.

Written once as Narwhals expressions, run unchanged on DuckDB, Polars and Spark. The value forms are
`rules.verdicts` (ours) and `wire.verdict` (the portal's rule); property tests hold them equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import narwhals as nw

from motcua.rules.policies import Policy

Measure = Literal["reception", "open", "finished", "all"]
MEASURES: tuple[Measure, ...] = ("reception", "open", "finished", "all")

#: Stands for "never" where an instant is absent: no due instant, no finish.
NEVER = 2**62
_DAY = 86_400
_OFFSET = 7 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The question asked of the facts. Instants are seconds UTC; `start` None: from the beginning."""

    measure: Measure
    policy: Policy
    as_of: int
    start: int | None = None
    end: int | None = None  # the period's end; None: as_of
    last_nine: bool = False  # which of several 9s counts there (unverified, a switch)
    portal_as_of: int | None = None  # the instant by which the portal judges open dossiers; default as_of

    @property
    def until(self) -> int:
        """Received before this instant belongs to the population."""
        return min(self.end, self.as_of) if self.end is not None else self.as_of


def flag(name: str) -> nw.Expr:
    """A Boolean column in which absent means no."""
    return nw.col(name).fill_null(value=False)


def instant(name: str) -> nw.Expr:
    """An instant column in which absent means never."""
    return nw.col(name).fill_null(NEVER)


def local_day(at: nw.Expr) -> nw.Expr:
    """The number of the day on the office wall."""
    return (at + _OFFSET) // _DAY


def _in_hand(scope: Scope, received: nw.Expr, finish: nw.Expr) -> nw.Expr:
    """Received before the period's end, not finished before its start."""
    inside = received < scope.until
    if scope.start is not None:
        inside = inside & ~((finish <= scope.as_of) & (finish < scope.start))
    return inside


def _of_measure(scope: Scope, finished: nw.Expr) -> nw.Expr | None:
    if scope.measure == "finished":
        return finished
    if scope.measure == "open":
        return ~finished
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Names of the columns that hold one stage of our side."""

    received: str = "received_at"
    finish: str
    due: str
    paused: str


def our_stage(scope: Scope, stage: int) -> Ours:
    """The columns of a stage of the recording leg: 0 recorded, 1 finish, 2 extensions, 3 pauses: true."""
    finish = "finish_at" if stage == 0 else "true_finish_at"
    reading = scope.policy.reading
    due = "slip_due_at" if reading == "slip" else f"{'due' if reading == 'default' else reading}_{stage}"
    return Ours(finish=finish, due=due, paused=f"paused_{stage}")


def our_counted(scope: Scope, ours: Ours) -> nw.Expr:
    """Whether a dossier belongs to the population on this side."""
    finish = instant(ours.finish)
    counted = flag("exists_here") & _in_hand(scope, instant(ours.received), finish)
    of_measure = _of_measure(scope, finish <= scope.as_of)
    return counted if of_measure is None else counted & of_measure


def our_late(scope: Scope, ours: Ours) -> nw.Expr:
    """Late by our record at this stage, and counted in this measure."""
    finish, due = instant(ours.finish), instant(ours.due)
    finished = finish <= scope.as_of
    moment = nw.when(finished).then(finish).otherwise(nw.lit(scope.as_of))
    over = local_day(moment) > local_day(due) if scope.policy.basis == "date" else moment > due
    return our_counted(scope, ours) & over & ~(~finished & flag(ours.paused))


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """The portal's facts at one repair, as expressions: its copy, part of it made equal to ours."""

    exists: nw.Expr
    received: nw.Expr
    finish: nw.Expr
    due: nw.Expr
    limit: nw.Expr
    requests: nw.Expr
    request_open: nw.Expr
    supplement_s: nw.Expr

    def with_(self, **changes: nw.Expr) -> Theirs:
        """These facts with some made equal to ours."""
        return replace(self, **changes)

    def named(self, prefix: str) -> dict[str, nw.Expr]:
        """The facts as columns of their own, so that each is computed once."""
        return {f"{prefix}{name}": getattr(self, name) for name in THEIR_NAMES}


THEIR_NAMES = ("exists", "received", "finish", "due", "limit", "requests", "request_open", "supplement_s")


def theirs_named(prefix: str) -> Theirs:
    """The facts from the columns that `Theirs.named` made."""
    return Theirs(**{name: nw.col(f"{prefix}{name}") for name in THEIR_NAMES})


def their_counted(scope: Scope, theirs: Theirs) -> nw.Expr:
    """Whether the portal counts this record in the population."""
    counted = theirs.exists & _in_hand(scope, theirs.received, theirs.finish)
    of_measure = _of_measure(scope, theirs.finish <= scope.as_of)
    return counted if of_measure is None else counted & of_measure


def their_late(scope: Scope, theirs: Theirs) -> nw.Expr:
    """Late by the portal's rule (contract §4.5), and counted in this measure.

    Finished: finish less the supplement time, against the due instant, else against the statutory limit.
    Open: one unanswered request is judged at its instant, more than one is late, else at `as_of`.
    """
    finished = theirs.finish <= scope.as_of
    waiting = (theirs.requests == 1) & (theirs.request_open <= scope.as_of)
    moment = (
        nw.when(finished)
        .then(theirs.finish - theirs.supplement_s)
        .when(waiting)
        .then(theirs.request_open)
        .otherwise(nw.lit(scope.portal_as_of if scope.portal_as_of is not None else scope.as_of))
    )
    due = nw.when(theirs.due < NEVER).then(theirs.due).otherwise(theirs.limit)
    late = (moment > due) | (~finished & (theirs.requests > 1))
    return their_counted(scope, theirs) & late


def stated_only() -> nw.Expr:
    """Whether a published list states the portal's verdict, and no copy of its record is known."""
    return ~flag("exists_there") & ~nw.col("l_late").is_null()


def their_finish(scope: Scope) -> nw.Expr:
    """The portal's finish: 9 before 10 before 8 or 3 before 7 of an accepted dossier; never where none."""
    nine = nw.col("t_nine_last_at" if scope.last_nine else "t_nine_at")
    return nw.coalesce(nine, nw.col("t_ten_at"), nw.col("t_closed_at"), nw.col("t_withdrawn_at")).fill_null(NEVER)


def their_record(scope: Scope) -> Theirs:
    """The portal's facts as its copy has them."""
    return Theirs(
        exists=flag("t_accepted"),
        received=instant("t_received_at"),
        finish=their_finish(scope),
        due=instant("t_due_at"),
        limit=instant("t_limit_due_at"),
        requests=nw.col("t_requests").fill_null(0),
        request_open=instant("t_request_open_at"),
        supplement_s=nw.col("t_supplement_s").fill_null(0),
    )


def their_facts(scope: Scope) -> Theirs:
    """The portal's facts by its copy, else as a published list tells them: what it does not tell is taken as ours."""
    record, stated = their_record(scope), stated_only()
    received = nw.coalesce(nw.col("l_received_at"), nw.col("received_at")).fill_null(0)
    finish = nw.when(flag("l_has_finish")).then(instant("l_finished_at")).otherwise(instant("finish_at"))
    return record.with_(
        exists=record.exists | stated,
        received=nw.when(stated).then(received).otherwise(record.received),
        finish=nw.when(stated).then(finish).otherwise(record.finish),
        due=nw.when(stated).then(instant("l_due_at")).otherwise(record.due),
    )


def our_facts_there(scope: Scope) -> Theirs:
    """Our recorded facts as the portal would hold them had everything been carried.

    No status carries a suspension: while one runs, nothing is due there, as a client would blank the due date.
    """
    due = our_stage(scope, 0).due if scope.policy.reading == "slip" else "due_0"
    suspended = flag("suspension_open")
    return Theirs(
        exists=flag("exists_here") & ~nw.col("received_at").is_null(),
        received=instant("received_at"),
        finish=instant("finish_at"),
        due=nw.when(suspended).then(nw.lit(NEVER)).otherwise(instant(due)),
        limit=nw.when(suspended).then(nw.lit(NEVER)).otherwise(instant("limit_due_at")),
        requests=nw.col("requests").fill_null(0),
        request_open=instant("request_open_at"),
        supplement_s=nw.col("supplement_s").fill_null(0),
    )


def online_here() -> nw.Expr:
    """Submitted online by our record."""
    return flag("exists_here") & (nw.col("channel") == "online").fill_null(value=False)


def online_there() -> nw.Expr:
    """Submitted online by the portal's copy."""
    return flag("exists_there") & (nw.col("t_channel").fill_null("") == "2")


def reception_counted(scope: Scope, submitted: nw.Expr, answered: nw.Expr) -> nw.Expr:
    """Online, submitted before the period's end and unanswered before its start."""
    inside = submitted < scope.until
    if scope.start is not None:
        inside = inside & ~((answered <= scope.as_of) & (answered < scope.start))
    return inside


def reception_late(scope: Scope, submitted: nw.Expr, answered: nw.Expr, due: nw.Expr) -> nw.Expr:
    """Answered after eight working hours, or not at all though they have passed."""
    moment = nw.when(answered <= scope.as_of).then(answered).otherwise(nw.lit(scope.as_of))
    return reception_counted(scope, submitted, answered) & (moment > due)
