"""What the newest model says of every open dossier, written down at once; and of one, with its reasons."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction

from motcua.inspection.columns import MISSING
from motcua.inspection.forecast import usual
from motcua.inspection.forecast.features import Load
from motcua.inspection.forecast.history import History, later, open_at
from motcua.inspection.forecast.model import Model
from motcua.rules.instants import from_microseconds, to_microseconds
from motcua.warning import keep, past
from motcua.warning.models import Learned, Warned

#: In a state so many times as long as usual, and a working hour at least: that is a reason.
_LONG, _HOUR = 1.5, 60
#: A procedure that ends late so much more often than all do.
_OFTEN = 1.3


def run(home: Path, *, at: datetime) -> int:
    """Writes down what is to be said of each open dossier that is not late yet; returns how many there are.

    A house that has no model yet learns one first. Raises `Unreadable` where its file is damaged.
    """
    row = _model(home, at)
    if row is None:
        return 0
    model = keep.read(home, row)
    rows = [each for block in _told(row, model, at, None) for each in block]
    with transaction.atomic():
        Warned.objects.all().delete()
        Warned.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def one(home: Path, code: str, *, at: datetime) -> Warned | None:
    """What is to be said of one dossier now, not kept; None: not open, without due instant, or late already."""
    row = _model(home, at)
    found = [each for block in _told(row, keep.read(home, row), at, [code]) for each in block] if row else []
    return found[0] if found else None


def _model(home: Path, at: datetime) -> Learned | None:
    """The newest model; a house that has none learns one, if it has any history."""
    row = keep.newest()
    if row is None:
        known = past.learnable(now=at)
        row = keep.train(home, known, at=at, by="motcua work") if len(known) else None
    return row


def _told(row: Learned, model: Model, at: datetime, codes: list[str] | None) -> Iterator[list[Warned]]:
    seconds = to_microseconds(at) // 1_000_000
    busy = Load.of(past.learnable(now=at), seconds) if row.chosen not in ("slack", *usual.NAIVE) else None
    for block in past.open_now(codes=codes):
        yield list(_warned(block, model, seconds, at, busy))


def _warned(block: History, model: Model, seconds: int, at: datetime, busy: Load | None) -> Iterator[Warned]:
    states = open_at(block, [seconds])
    states = states[(states.left > 0) & ((states.due_at > seconds) | states.paused)]
    if not len(states):
        return
    by = usual.groups(block, states)
    like = model.learned.usual.like(by)
    quick, middle = like.at(0.25), like.at(0.5)
    late = model.learned.usual.rates([by[2], by[3]])
    overall = model.learned.usual.rate["\x1f"]
    estimate = model.estimate(block, states, busy) if model.chosen != "slack" else None
    spare = np.floor(states.left - quick).astype(np.int64)
    helped = np.where(spare > 0, later(block, states.dossier, states.at, np.maximum(spare, 1)), MISSING)
    if estimate is not None:
        ends = [
            later(block, states.dossier, states.at, np.maximum(np.ceil(np.minimum(each, 2e6)), 1).astype(np.int64))
            for each in (estimate.least, estimate.most)
        ]
    for n in range(len(states)):
        dossier = int(states.dossier[n])
        state = block.states[states.state[n]]
        usually = model.learned.usual.in_state.get(state)
        reasons = []
        if states.paused[n]:
            reasons.append("paused")
        if usually is not None and states.in_state[n] >= max(_LONG * usually, _HOUR):
            reasons.append("long_in_state")
        if states.left[n] < middle[n]:
            reasons.append("little_left")
        if late[n] >= _OFTEN * overall and late[n] >= 0.05:
            reasons.append("often_late")
        yield Warned(
            dossier=block.code[dossier], procedure=block.procedure[dossier], agency=block.agency[dossier], at=at,
            due_at=_instant(states.due_at[n]), state=state[:500], paused=bool(states.paused[n]),
            left=int(states.left[n]), in_state=int(states.in_state[n]),
            usual_in_state=None if usually is None else int(usually), quick=int(quick[n]), usual=int(middle[n]),
            helped_until=_instant(helped[n]), procedure_late=float(late[n]), reasons=reasons,
            **({} if estimate is None else {
                "share": float(estimate.share[n]), "low": float(estimate.low[n]), "high": float(estimate.high[n]),
                "least_at": _instant(ends[0][n]), "most_at": _instant(ends[1][n]),
            }),
        )  # fmt: skip


def _instant(seconds: Any) -> datetime | None:
    return None if seconds == MISSING else from_microseconds(int(seconds) * 1_000_000)


def facts(row: Warned) -> dict[str, Any]:
    """A warning as JSON."""
    names = ("dossier", "procedure", "agency", "state", "paused", "left", "in_state", "usual_in_state", "quick",
             "usual", "share", "low", "high", "procedure_late", "reasons")  # fmt: skip
    moments = ("at", "due_at", "helped_until", "least_at", "most_at")
    told = {name: getattr(row, name) for name in names}
    return told | {name: None if (v := getattr(row, name)) is None else v.isoformat() for name in moments}
