"""The restore drill, on both databases: a backup under way while others write, and the way back."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
URL = os.environ.get("DATABASE_URL")

#: Appends dossiers of two events each, ten in a transaction, until it is told to stop; says how many it has kept.
_WRITER = """
import sys
from pathlib import Path
from motcua.cli.home import open_home
open_home()
from django.db import transaction
from motcua.dossiers import log
from motcua.rules import events as e
from motcua.rules.instants import parse_instant
at = parse_instant("2026-03-02T08:30")
kept = 0
while not Path(sys.argv[1]).exists():
    entries = []
    for n in range(kept, kept + 10):
        header = dict(procedure="1.000001", agency="H99.12", allotted="5d", accepted_at=at)
        entries.append((f"H99.12-{n:06}", "desk", [
            e.KINDS["registered"](at=at, recorded_at=at, seq=1, **header),
            e.KINDS["finished"](at=at, recorded_at=at, seq=2),
        ]))
    with transaction.atomic():
        log.store_many(entries, stored_at=at)
    kept += 10
    print(kept, flush=True)
"""


def _psql(sql: str) -> None:
    """One statement on the server's own database."""
    import psycopg

    assert URL
    with psycopg.connect(urlsplit(URL)._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(sql)  # type: ignore[call-overload]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[[str], dict[str, str]]]:
    """Makes environments: a home that is not there yet and, on PostgreSQL, two empty databases."""
    made: list[str] = []

    def make(name: str) -> dict[str, str]:
        env = {**os.environ, "MOTCUA_HOME": str(tmp_path / name)}
        env.pop("MIRROR_DATABASE_URL", None)
        if URL:
            database = f"drill_{name}_{uuid.uuid4().hex[:8]}"
            for each in (database, f"{database}_mirror"):
                _psql(f'CREATE DATABASE "{each}"')
                made.append(each)
            env["DATABASE_URL"] = urlsplit(URL)._replace(path=f"/{database}").geturl()
        return env

    yield make
    for each in made:
        _psql(f'DROP DATABASE "{each}" WITH (FORCE)')


def _motcua(env: Mapping[str, str], *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "motcua.cli", *map(str, words)]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)


def _done(env: Mapping[str, str], *words: str | Path) -> dict[str, Any]:
    """What a command answers that must succeed."""
    done = _motcua(env, *words, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _office(env: dict[str, str], folder: Path) -> None:
    """An office with a history: dossiers, a seal, the portal's copy, an account, a calendar."""
    _done(env, "migrate")
    data = ROOT / "examples" / "first-bridge"
    _done(env, "import", data / "dossiers.csv", data / "events.csv", "--create-missing")
    _done(env, "mirror", "load", data / "messages.ndjson")
    assert _motcua(env, "work", "--once").returncode == 0
    secret = folder / "password.txt"
    secret.write_text("một-mật-khẩu-dài")
    _done(env, "user", "add", "an", "--role", "inspector", "--password-file", secret)
    calendar = folder / "lich.toml"
    calendar.write_text('name = "riêng"\n[[days]]\nday = 2026-12-03\nopen = ""\n')
    _done(env, "calendar", "set", calendar, "--yes")


def _standing(env: Mapping[str, str]) -> dict[str, Any]:
    """What must come back as it was: log, seals, accounts, calendars, and every figure."""
    period = ("--period", "2026-03", "--as-of", "2026-04-01")
    return {
        "verify": _done(env, "verify"),
        "users": _done(env, "user", "list"),
        "keys": _done(env, "keys", "list"),
        "calendar": _done(env, "calendar", "show", "riêng"),
        "bridge": {k: v for k, v in _done(env, "bridge", *period).items() if k != "facts_age_s"},
        "findings": _done(env, "inspect", *period)["findings"],
    }


def test_an_office_comes_back_from_its_backup(place: Any, tmp_path: Path) -> None:
    there, archive = place("there"), tmp_path / "office.tar.gz"
    _office(there, tmp_path)
    before = _standing(there)
    assert before["verify"]["log"]["heads"] and before["findings"] and before["verify"]["audit"]["changes"] >= 2
    made = _done(there, "backup", archive)
    assert made["events"] == before["verify"]["log"]["events"] and archive.stat().st_mode & 0o077 == 0

    here = place("here")
    restored = _done(here, "restore", archive)
    assert restored["ok"] and restored["log"]["events"] == made["events"]
    assert _standing(here) == before
    assert not list(Path(here["MOTCUA_HOME"]).glob(".restore-*"))


def test_a_backup_while_others_write_is_of_one_instant(place: Any, tmp_path: Path) -> None:
    there, stop = place("there"), tmp_path / "stop"
    _done(there, "migrate")
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(stop)], env=there, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    try:
        for _ in range(20):
            writer.stdout.readline()
        archive = tmp_path / "busy.tar.gz"
        _done(there, "backup", archive)
        before = writer.stdout.readline()
    finally:
        stop.touch()
        rest, _ = writer.communicate(timeout=60)
    assert writer.returncode == 0 and before and rest, "it wrote before the backup, and after"
    kept = int(rest.split()[-1])

    here = place("here")
    restored = _done(here, "restore", archive)
    events = restored["log"]["events"]
    assert restored["ok"] and 400 <= events < 2 * kept
    assert events % 20 == 0, "a transaction is in the backup whole or not at all"


def _rewritten(archive: Path, target: Path, alter: Callable[[str, bytes], bytes | None]) -> None:
    with tarfile.open(archive) as source, tarfile.open(target, "w:gz") as copy:
        for member in source.getmembers():
            file = source.extractfile(member)
            assert file
            data = alter(member.name, file.read())
            if data is not None:
                member.size = len(data)
                copy.addfile(member, io.BytesIO(data))


def _flip(data: bytes, at: int | None = None) -> bytes:
    place = len(data) // 2 if at is None else at
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _unpacked(data: bytes) -> bytes | None:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return None


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive as packed, of an embedded home; damage is found before any database is asked."""
    folder = tmp_path_factory.mktemp("packed")
    env = {key: value for key, value in os.environ.items() if "DATABASE_URL" not in key}
    env["MOTCUA_HOME"] = str(folder / "home")
    _done(env, "keys", "rotate")
    _done(env, "backup", folder / "whole.tar.gz")
    return folder / "whole.tar.gz"


def _cut(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[:-200])


def _flipped(source: Path, target: Path) -> None:
    """One bit, one that matters: some of a packed file's bits change nothing of what it unpacks to."""
    whole = source.read_bytes()
    flips = (_flip(whole, at) for at in range(len(whole) // 2, len(whole)))
    target.write_bytes(next(flip for flip in flips if _unpacked(flip) != _unpacked(whole)))


def _altered(source: Path, target: Path) -> None:
    _rewritten(source, target, lambda name, data: _flip(data) if name.startswith("databases/default") else data)


def _shortened(source: Path, target: Path) -> None:
    _rewritten(source, target, lambda name, data: None if name.startswith("databases/mirror") else data)


def _without_manifest(source: Path, target: Path) -> None:
    _rewritten(source, target, lambda name, data: None if name == "manifest.json" else data)


def _escaping(source: Path, target: Path) -> None:
    _rewritten(source, target, lambda name, data: data)
    with tarfile.open(target, "w:gz") as copy:
        copy.addfile(tarfile.TarInfo("../escaped"), io.BytesIO())


def _of_the_future(source: Path, target: Path) -> None:
    def newer(name: str, data: bytes) -> bytes:
        return data.replace(b'"ledger.0001_initial"', b'"ledger.9999_later"') if name == "manifest.json" else data

    _rewritten(source, target, newer)


def _no_archive(source: Path, target: Path) -> None:
    target.write_text("dossier,procedure\n")


@pytest.mark.parametrize(
    "damage",
    [_cut, _flipped, _altered, _shortened, _without_manifest, _escaping, _of_the_future, _no_archive],
    ids=lambda damage: damage.__name__.strip("_"),
)
def test_a_damaged_archive_is_refused_and_nothing_is_changed(archive: Path, tmp_path: Path, damage: Any) -> None:
    env = {key: value for key, value in os.environ.items() if "DATABASE_URL" not in key}
    bad = tmp_path / "bad.tar.gz"
    damage(archive, bad)
    for home in (tmp_path / "new", tmp_path / "empty"):
        env["MOTCUA_HOME"] = str(home)
        if home.name == "empty":
            home.mkdir()
        done = _motcua(env, "restore", bad)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
        assert "bad.tar.gz" in done.stderr
        assert home.exists() == (home.name == "empty") and not (home.exists() and any(home.iterdir()))
    assert not (tmp_path / "escaped").exists()


def test_a_target_that_holds_anything_is_refused(place: Any, tmp_path: Path) -> None:
    there, file = place("there"), tmp_path / "one.tar.gz"
    _done(there, "migrate")
    _done(there, "backup", file)
    again = _motcua(there, "restore", file)
    assert again.returncode == 2 and "is not empty" in again.stderr and len(again.stderr.splitlines()) == 1
    if URL:
        elsewhere = {**there, "MOTCUA_HOME": str(tmp_path / "other")}
        again = _motcua(elsewhere, "restore", file)
        assert again.returncode == 2 and "is not empty; make an empty one" in again.stderr
        assert len(again.stderr.splitlines()) == 1 and not (tmp_path / "other").exists()
        nowhere = {**elsewhere, "DATABASE_URL": urlsplit(URL)._replace(path="/nowhere").geturl()}
        again = _motcua(nowhere, "restore", file)
        assert again.returncode == 2 and "createdb nowhere" in again.stderr and len(again.stderr.splitlines()) == 1
    assert _done(there, "verify")["ok"]


@pytest.mark.skipif(URL is None, reason="needs both kinds of database; it runs in the PostgreSQL suite")
def test_an_archive_of_the_other_database_is_refused(archive: Path, place: Any) -> None:
    done = _motcua(place("here"), "restore", archive)
    assert done.returncode == 2 and "sqlite, not of postgresql" in done.stderr


def test_a_backup_is_not_put_where_it_would_do_harm(archive: Path, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if "DATABASE_URL" not in key}
    home = archive.parent / "home"
    env["MOTCUA_HOME"] = str(home)
    for target, told in (
        (archive, "exists already"),
        (home / "in.tar.gz", "lies in the home"),
        (tmp_path / "no" / "x.tar.gz", "there is no folder"),
    ):
        done = _motcua(env, "backup", target)
        assert done.returncode == 2 and told in done.stderr and len(done.stderr.splitlines()) == 1
