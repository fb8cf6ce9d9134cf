"""Every event body ever written stays readable, and stands in the chain as it stood. Golden files are only added to."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from motcua.ledger.chain import GENESIS, canonical, event_hash
from motcua.rules import events as e
from motcua.rules.instants import from_microseconds

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "events"
_COLUMNS = ("at", "recorded_at", "seq", "actor", "unit", "step")


def _kept() -> list[Any]:
    return [
        pytest.param(kind, row, id=f"{kind} {number}")
        for kind in e.KINDS
        for number, row in enumerate(json.loads((GOLDEN / f"{kind}.json").read_text(encoding="utf-8")), 1)
    ]


def _read(kind: str, row: dict[str, Any]) -> e.Event:
    at, recorded_at = from_microseconds(row["at"]), from_microseconds(row["recorded_at"])
    rest = {name: row[name] for name in ("seq", "actor", "unit", "step")}
    return e.from_body(kind, json.loads(row["body"]), at=at, recorded_at=recorded_at, **rest)


def _told(event: e.Event) -> dict[str, Any]:
    """What an event says beyond its columns, defaults left out, as the golden files write it."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        return [dataclasses.asdict(item) for item in value] if isinstance(value, tuple) else value

    values = ((f.name, getattr(event, f.name), f.default) for f in dataclasses.fields(event))
    return {name: plain(value) for name, value, default in values if value != default and name not in _COLUMNS}


@pytest.mark.parametrize(("kind", "row"), _kept())
def test_a_body_that_was_written_once_reads_as_it_did(kind: str, row: dict[str, Any]) -> None:
    assert _told(_read(kind, row)) == row["reads"]


@pytest.mark.parametrize(("kind", "row"), _kept())
def test_its_hash_is_what_it_was(kind: str, row: dict[str, Any]) -> None:
    columns = {name: row[name] for name in _COLUMNS}
    digest = event_hash(GENESIS, dossier="H99.12-260302-0001", kind=kind, stored_at=row["recorded_at"],
                        body=row["body"], origin="desk", **columns)  # fmt: skip
    assert digest.hex() == row["hash"]


@pytest.mark.parametrize(("kind", "row"), _kept())
def test_it_would_be_written_the_same_way_today(kind: str, row: dict[str, Any]) -> None:
    body = e.to_body(_read(kind, row))
    again = canonical(body).decode() if body else "{}"
    wanted = json.loads(row["body"])
    for name in e.ENCLOSING.get(kind, ()):  # a commitment is made by the log, from values that the body has not
        for item in wanted.get(name, ()):
            item.pop("commitment", None)
    assert json.loads(again) == wanted
