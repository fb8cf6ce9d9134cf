"""The command line's last word: what cannot be used ends with one line and status 2, never with a trace."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest


def _told(home: Path, *words: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "motcua.cli", *words],
        env={**os.environ, "MOTCUA_HOME": str(home), "DATABASE_URL": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.splitlines()


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "nhà").write_text("x")
    status, lines = _told(tmp_path / "nhà", "bridge")
    assert status == 2
    assert lines == [f"motcua: {tmp_path / 'nhà'}: File exists; MOTCUA_HOME is to be a folder that can be written, "
                     "with room on its disk"]  # fmt: skip


@pytest.mark.parametrize("marked", [False, True], ids=["before its first migration", "in use"])
def test_a_damaged_database_says_so_and_what_helps(marked: bool, tmp_path: Path) -> None:
    home = tmp_path / "nhà của tôi"
    if marked:
        assert _told(home, "doctor")[0] == 0
    home.mkdir(exist_ok=True)
    for name in ("motcua.sqlite3", "motcua.sqlite3-wal", "motcua.sqlite3-shm"):
        (home / name).unlink(missing_ok=True)
    (home / "motcua.sqlite3").write_bytes(b"not a database at all, " * 1000)
    status, lines = _told(home, "verify")
    assert (status, len(lines)) == (2, 1)
    assert lines[0].startswith("motcua: the database is damaged: ") and "motcua restore" in lines[0]


def test_commands_that_come_first_together_make_one_home(tmp_path: Path) -> None:
    home = tmp_path / "mới"
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: _told(home, "doctor"), range(3))) == [(0, [])] * 3
    assert _told(home, "verify")[0] == 0
    assert not [file.name for file in home.iterdir() if file.name.startswith(("secret.", "schema."))
                and file.name not in ("secret.key", "schema.version")]  # fmt: skip
