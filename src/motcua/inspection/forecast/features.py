"""What the estimate looks at, and nothing else: time, place in the process, what is usual, how busy the unit is.

Nobody who works on the dossier is among them, nor the applicant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motcua.inspection.columns import MISSING
from motcua.inspection.forecast.history import Floats, History, Ints, States
from motcua.inspection.forecast.usual import Usual, groups, logit

#: In words: docs/reference/warning.md.
NAMES = (
    "left", "left_share", "allotted", "elapsed", "in_state", "in_state_to_usual", "acts", "pauses", "paused",
    "online", "usual_quick", "usual", "usual_slow", "slack", "slack_quick", "share_longer", "longer_in_state",
    "longer_at_age", "rate_of_step", "rate_of_procedure", "open_here", "in_against_out", "late_lately",
    "stood", "ahead", "stood_when_due", "longer_standing", "share_ahead",
)  # fmt: skip
_MONTH, _SEASON = 30 * 86_400, 60 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Receipts, ends and due instants of every dossier, in columns: also of those that are not learned from."""

    agency: NDArray[np.object_]
    received_at: Ints
    finish_at: Ints
    finish_known_at: Ints
    due_at: Ints


@dataclass(frozen=True, slots=True)
class Load:
    """How busy each agency is and was: instants of receipt and end, sorted."""

    received: dict[str, Ints]
    ended: dict[str, Ints]
    due: dict[str, Ints]
    due_late: dict[str, Ints]

    @staticmethod
    def of(past: History | Traffic, until: int) -> Load:
        """What was known by an instant."""
        received, ended, due, late = {}, {}, {}, {}
        known = (past.finish_known_at != MISSING) & (past.finish_known_at <= until)
        finish = np.where(known, past.finish_at, MISSING)
        for agency in set(past.agency.tolist()):
            mine = past.agency == agency
            received[agency] = np.sort(past.received_at[mine & (past.received_at <= until)])
            ended[agency] = np.sort(past.finish_known_at[mine & known])
            ripe = mine & (past.due_at != MISSING) & (past.due_at <= until)
            is_late = (finish == MISSING) | (finish > past.due_at)
            due[agency] = np.sort(past.due_at[ripe])
            late[agency] = np.sort(past.due_at[ripe & is_late])
        return Load(received, ended, due, late)

    def columns(self, past: History, states: States) -> tuple[Floats, Floats, Floats]:
        """(open here, received against ended in a month, late of those due in two months), known at each state."""
        busy, flow, lately = (np.zeros(len(states)) for _ in range(3))
        agencies = past.agency[states.dossier]
        for agency in set(agencies.tolist()):
            rows = np.flatnonzero(agencies == agency)
            at = states.at[rows]
            came, went = (_upto(times.get(agency), at) for times in (self.received, self.ended))
            before_came, before_went = (_upto(times.get(agency), at - _MONTH) for times in (self.received, self.ended))
            busy[rows] = np.log1p(np.maximum(came - went, 0))
            flow[rows] = np.log1p(came - before_came) - np.log1p(went - before_went)
            due, late = (
                _upto(times.get(agency), at) - _upto(times.get(agency), at - _SEASON)
                for times in (self.due, self.due_late)
            )
            lately[rows] = logit((late + 2.0) / (due + 10.0))
        return busy, flow, lately


def _upto(times: Ints | None, at: Ints) -> Ints:
    return np.zeros(len(at), np.int64) if times is None else np.searchsorted(times, at, side="right")


def matrix(past: History, states: States, usual: Usual, load: Load) -> Floats:
    """The features: states × NAMES, none absent."""
    by = groups(past, states)
    like = usual.like(by)
    quick, middle, slow = (like.at(level) for level in (0.25, 0.5, 0.8))
    lasts = np.array([usual.in_state.get(name, 480.0) for name in past.states])[states.state]
    busy, flow, lately = load.columns(past, states)
    return np.column_stack(
        [
            _signed_log(states.left),
            states.left / np.maximum(states.allotted, 60.0),
            np.log1p(np.maximum(states.allotted, 0)),
            np.log1p(states.elapsed),
            np.log1p(states.in_state),
            np.log1p(states.in_state) - np.log1p(lasts),
            np.log1p(states.acts),
            states.pauses.astype(float),
            states.paused.astype(float),
            (past.channel[states.dossier] == "online").astype(float),
            np.log1p(quick),
            np.log1p(middle),
            np.log1p(slow),
            _signed_log(states.left - middle),
            _signed_log(states.left - quick),
            logit(like.longer(states.left)),
            logit(usual.longer_in_state([by[0], by[1], by[3]], states)),
            logit(usual.longer_at_age([by[2], by[3]], states)),
            logit(usual.rates([by[0], by[1], by[3]])),
            logit(usual.rates([by[2], by[3]])),
            busy,
            flow,
            lately,
            np.log1p(states.stood),
            np.log1p(np.maximum(states.ahead, 0)),
            np.log1p(np.maximum(states.stood + states.ahead, 0)),
            logit(usual.longer_standing([by[0], by[1], by[3]], states)),
            logit(usual.like_by_calendar(by).longer(states.ahead)),
        ]
    )


def _signed_log(minutes: Floats) -> Floats:
    return np.sign(minutes) * np.log1p(np.abs(minutes))
