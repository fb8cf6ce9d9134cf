"""The fault campaign in small: a week through a hostile network, and everything has arrived, equal, and once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="the campaign is an embedded home of its own; it runs in the SQLite suite"
)
def test_a_hostile_week_loses_doubles_and_falsifies_nothing(tmp_path: Path) -> None:
    size = {"CAMPAIGN_DOSSIERS": "24", "CAMPAIGN_RATE": "0.15", "CAMPAIGN_BATCH": "5", "CAMPAIGN_SEED": "7"}
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, "-m", "bench.campaign"], cwd=tmp_path, env={**os.environ, **size, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    told = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert (told["lost"], told["differing"], told["doubled"]) == ("0", "0", "0")
    assert int(told["delivered"]) == int(told["events"]) > 100
    assert told["network"].count(":") >= 8, "many kinds of faults were played"
