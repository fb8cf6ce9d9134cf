"""Killed with SIGKILL at random points: nothing is lost, nothing sent as something else, nothing doubled."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.served import running
from tests.story import Case

from motcua.cli.demo import free_port
from motcua.cli.mirror import granian

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(int(os.environ.get("CRASH_SEEDS", "1")))
KILLS = int(os.environ.get("CRASH_KILLS", "12"))
pytestmark = pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="each run is an embedded home of its own; it runs in the SQLite suite"
)


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MOTCUA_HOME": str(home), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}


def _killed(what: str, target: str, seed: int, home: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.killed", what, target, str(seed), str(KILLS)]
    done = subprocess.run(command, cwd=ROOT, env=_environment(home), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def _portal(home: Path) -> Iterator[str]:
    """The mirror's server over a home, as a process."""
    _motcua(home, "doctor")
    port = free_port()
    here, command = f"http://127.0.0.1:{port}", granian("motcua.mirror.wsgi:application", "127.0.0.1", port, {})
    with running(command, here, env=_environment(home)):
        yield here


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_delivery_loses_doubles_and_falsifies_nothing(seed: int, tmp_path: Path) -> None:
    with _portal(tmp_path) as url:
        found = _killed("deliver", url, seed, tmp_path)
    assert found["wrong"] == []
    assert sum(found[how] for how in ("line", "any_line", "time")) >= KILLS // 3, found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_read_back_goes_on_and_mends_all_that_the_portal_lost(seed: int, tmp_path: Path) -> None:
    with _portal(tmp_path) as url:
        found = _killed("read_back", url, seed, tmp_path)
    assert found["wrong"] == [] and found["repairs"] >= 6, found
    assert sum(found[how] for how in ("line", "any_line", "time")) >= KILLS // 3, found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_collector_ends_with_what_the_real_portal_holds(seed: int, tmp_path: Path) -> None:
    there, here = tmp_path / "portal", tmp_path / "collector"
    with _portal(there) as url:
        _motcua(here, "doctor")
        found = _killed("collect", url, seed, here)
    assert sum(found[how] for how in ("line", "any_line", "time")) >= KILLS // 3, found
    portal, collector = (_mirror(home) for home in (there, here))
    assert collector["answered"] >= found["messages"]
    assert collector["held"] == portal["held"] and len(portal["held"]) == 24 + 72


def _mirror(home: Path) -> dict[str, Any]:
    """How many messages a mirror has answered, and what it holds."""
    with closing(sqlite3.connect(home / "mirror.sqlite3")) as db:
        [answered] = db.execute("SELECT COUNT(*) FROM mirror_message WHERE http = 200").fetchone()
        records = db.execute("SELECT code, status FROM mirror_record WHERE side = 'held'").fetchall()
        steps = db.execute("SELECT code, status, digest FROM mirror_step WHERE side = 'held'").fetchall()
    return {"answered": answered, "held": sorted(map(repr, [*records, *steps]))}


def _motcua(home: Path, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "motcua.cli", *words, "--json"], cwd=ROOT, env=_environment(home), capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _log(home: Path) -> list[tuple[Any, ...]]:
    """The log without what must differ between two runs: when it was stored, salts and the hashes over them."""
    with closing(sqlite3.connect(home / "motcua.sqlite3")) as db:
        rows = db.execute("SELECT dossier, seq, kind, at, recorded_at, actor, unit, step, body FROM ledger_event")
        plain = [(*row[:-1], {k: v for k, v in json.loads(row[-1]).items() if not isinstance(v, dict)}) for row in rows]
        persons = db.execute("SELECT dossier, seq, field, value FROM ledger_personal").fetchall()
    return sorted(map(repr, [*plain, *persons]))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_import_goes_on_and_ends_as_if_uninterrupted(seed: int, tmp_path: Path) -> None:
    case = Case()
    for n in range(150):
        code = f"H99.12-260302-{n:04}"
        case.dossier(code)
        case.event(code, "step_finished", "2026-03-03T08:00", step="Thẩm định")
        case.event(code, "supplement_requested", "2026-03-04T08:00", document="yes")
        case.event(code, "supplement_received", "2026-03-05T08:00")
        case.event(code, "finished", "2026-03-06T08:00")
    files = case.write(tmp_path)[:2]
    found = _killed("import", str(tmp_path), seed, tmp_path / "killed")
    assert sum(found[how] for how in ("line", "any_line", "time")) >= KILLS // 3, found
    whole = _motcua(tmp_path / "whole", "import", *map(str, files), "--create-missing")
    assert (whole["dossiers"], whole["events"]) == (150, 600)
    assert _log(tmp_path / "killed") == _log(tmp_path / "whole")
    proved = _motcua(tmp_path / "killed", "verify")
    assert proved["ok"] and proved["projection"]["ok"]
    again = _motcua(tmp_path / "killed", "import", *map(str, files), "--create-missing")
    assert (again["dossiers"], again["events"]) == (0, 0)
