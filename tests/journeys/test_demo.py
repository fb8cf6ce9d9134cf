"""The demo acted out: desk, HTTP, faults, read-back; every planted fault is found and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from motcua.accounts.models import Post


@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the demo is an embedded home; it runs in the SQLite suite")
def test_the_demo_finds_what_was_planted_and_nothing_else(tmp_path: Path) -> None:
    env = {**os.environ, "MOTCUA_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "motcua.cli"]
    done = subprocess.run(
        [*command, "demo", "--dossiers", "300", "--seed", "7", "--no-serve", "--json"],
        env=env, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    document = json.loads(done.stdout)
    planted = document["planted"]
    assert planted["found"] == planted["planted"] and not planted["wrong"] and not planted["unexpected"]
    assert {cause["cause"] for cause in document["bridge"]["causes"]} >= {"update_not_sent", "late_entry"}
    assert {person["role"] for person in document["sign_in"]["people"]} == set(Post.Role.values)
    assert {walk["walk"] for walk in document["walks"]} >= {1, 5, 6, 9, 12}
    assert all(walk["dossier"] for walk in document["walks"] if walk["walk"] in (5, 6, 9))
    proved = subprocess.run([*command, "verify", "--json"], env=env, capture_output=True, text=True, timeout=120)
    assert json.loads(proved.stdout)["ok"] is True
