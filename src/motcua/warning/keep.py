"""Models as files of numbers: written whole, read only where the digest is the one that was written down."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from motcua.inspection.forecast import history, model
from motcua.inspection.forecast.features import Traffic
from motcua.inspection.forecast.history import History
from motcua.inspection.forecast.model import Model, Outdated
from motcua.rules.instants import Unreadable, from_microseconds, to_microseconds
from motcua.warning import past
from motcua.warning.models import Learned

#: Kept beside the newest: what yesterday's warnings rest on.
_KEPT = 5


def learn(home: Path, *, at: datetime, by: str, advance: Callable[[int], None] = lambda n: None) -> Learned | None:
    """Learns a model of the house's own history, and keeps it; None: nothing was ever accepted."""
    known = past.learnable(now=at, advance=advance)
    return train(home, known, at=at, by=by, busy=past.traffic(home, at=at)) if len(known) else None


def train(home: Path, known: History, *, at: datetime, by: str, busy: Traffic | None = None) -> Learned:
    """Learns a model of a history as known at an instant, and keeps it. The rule alone where that is not possible.

    Raises `Unreadable` where nothing at all was ever finished.
    """
    until = min(to_microseconds(at) // 1_000_000, known.ends_at)
    known = history.with_ends(known)
    note = ""
    if find_spec("sklearn") is None:
        note = "no_extra"
    else:
        try:
            return _kept(home, model.train(known, until, traffic=busy), note, at=at, by=by)
        except Unreadable as error:
            note = f"too_little: {error}"
    return _kept(home, model.slack_only(known, until), note[:300], at=at, by=by)


def _kept(home: Path, made: Model, note: str, *, at: datetime, by: str) -> Learned:
    data = json.dumps(made.plain(), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    digest = hashlib.sha256(data).hexdigest()
    folder = home / "models"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{digest}.{os.getpid()}"
    draft.write_bytes(data)
    draft.replace(folder / f"warning-{digest[:16]}.json")
    found = Learned.objects.create(
        made_at=at, made_by=by, digest=digest, learned_from=from_microseconds(made.learned_from * 1_000_000),
        learned_to=from_microseconds(made.learned_to * 1_000_000), dossiers=made.dossiers, chosen=made.chosen,
        beside=made.beside, trust=made.trust, note=note,
        trials={name: dict(found) for name, found in made.trials.items()},
    )  # fmt: skip
    kept = set(Learned.objects.order_by("-pk").values_list("digest", flat=True)[:_KEPT])
    for file in folder.glob("warning-*.json"):
        if file.stem.removeprefix("warning-") not in {each[:16] for each in kept}:
            file.unlink(missing_ok=True)
    return found


def newest() -> Learned | None:
    """The newest model's row."""
    return Learned.objects.order_by("-pk").first()


def read(home: Path, row: Learned) -> Model:
    """The model of a row. Raises `Unreadable` where its file is gone or another one, `Outdated` of another version."""
    file = home / "models" / f"warning-{row.digest[:16]}.json"
    try:
        data = file.read_bytes()
    except OSError:
        raise Unreadable(f"{file} is not there; train it again: motcua warning train") from None
    if hashlib.sha256(data).hexdigest() != row.digest:
        raise Unreadable(f"{file} is not the model that was kept; train it again: motcua warning train")
    try:
        return Model.read(json.loads(data))
    except Outdated:
        raise
    except ValueError as error:
        raise Unreadable(f"{file}: {error}") from None
