"""What the newest model says of every open dossier, written down as one scan; and of one, with its reasons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection, transaction

from motcua.inspection.columns import MISSING
from motcua.inspection.forecast import usual
from motcua.inspection.forecast.features import Load, Traffic
from motcua.inspection.forecast.history import History, later, open_at
from motcua.inspection.forecast.model import Model, Outdated
from motcua.ledger import cursors
from motcua.ledger.append import insert_many
from motcua.rules.instants import from_microseconds, to_microseconds
from motcua.warning import keep, past
from motcua.warning.models import Learned, Scan, Warned

#: In a state so many times as long as usual, and a working hour at least: that is a reason.
_LONG, _HOUR = 1.5, 60
#: A procedure that ends late so much more often than all do.
_OFTEN = 1.3
#: Scans are remembered so long; their warnings only until the next one.
_KEPT = timedelta(days=400)


def run(home: Path, *, at: datetime) -> Scan:
    """Looks at every open dossier and writes down what is to be said of those that are not late yet.

    Readers see the scan before until this one is whole: its rows are written in blocks of their own transactions, and
    no writer waits long for it. A house that has no model yet learns one first. Raises `Unreadable` where its file is
    damaged.
    """
    row, model = _ready(home, at)
    made = Scan.objects.create(at=at, position=cursors.head(), learned=row)
    if model is not None:
        busy = past.traffic(home, at=at) if model.is_statistical else None
        for looked, block in _told(past.open_now(home), model, at, busy):
            _write(made, block)
            made.looked += looked
            made.warned += len(block)
            made.past_help += sum(each.helped_until is None for each in block)
    made.done = True
    made.save()
    _forget(made)
    return made


_COLUMNS = tuple(field.column for field in Warned._meta.concrete_fields if not field.primary_key)


def _write(made: Scan, block: Sequence[Warned]) -> None:
    """The warnings of a block as rows of the table, past the mapper: it takes longer than the forecast does."""
    for each in block:
        each.scan_id = made.pk
    with transaction.atomic(), connection.cursor() as cursor:
        rows = ([_stored(getattr(each, column)) for column in _COLUMNS] for each in block)
        insert_many(cursor, Warned._meta.db_table, _COLUMNS, rows)


def _stored(value: Any) -> Any:
    match value:
        case datetime():
            return to_microseconds(value)
        case list():
            return json.dumps(value)
    return value


def _forget(newest: Scan) -> None:
    """The rows of scans before, some thousand at a time; and scans of last year."""
    old = Warned.objects.filter(scan_id__lt=newest.pk)
    while numbers := list(old.values_list("pk", flat=True)[:5_000]):
        Warned.objects.filter(pk__in=numbers).delete()
    Scan.objects.filter(at__lt=newest.at - _KEPT).delete()


def one(home: Path, code: str, *, at: datetime) -> Warned | None:
    """What is to be said of one dossier now, not kept; None: not open, without due instant, or late already."""
    _, model = _ready(home, at)
    blocks = list(past.one_open(code)) if model is not None else []
    if model is None or not blocks:
        return None
    busy = past.traffic(home, at=at, agencies=blocks[0].agency) if model.is_statistical else None
    return next((each for _, block in _told(blocks, model, at, busy) for each in block), None)


def _ready(home: Path, at: datetime) -> tuple[Learned | None, Model | None]:
    """The newest model; where there is none, or one of another version, it is learned, if there is any history."""
    row = keep.newest()
    if row is not None:
        try:
            return row, keep.read(home, row)
        except Outdated:
            pass
    row = keep.learn(home, at=at, by="motcua work")
    return (None, None) if row is None else (row, keep.read(home, row))


def _told(
    blocks: Iterable[History], model: Model, at: datetime, busy: Traffic | None
) -> Iterator[tuple[int, list[Warned]]]:
    """Of each block: how many dossiers it holds, and what is to be said of those that are not late yet."""
    seconds = to_microseconds(at) // 1_000_000
    load = None if busy is None else Load.of(busy, seconds)
    for block in blocks:
        yield len(block), list(_warned(block, model, seconds, at, load))


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
