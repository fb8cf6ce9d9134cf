"""A backup: both databases, the files, the heads and the keys as one archive, which says what it holds.

The archive is a gzipped tar. `databases/default.*` and `databases/mirror.*` are copies of the databases (a file
of SQLite, or a dump of `pg_dump`), `files/` is the home without its facts, which are made anew, `heads.txt` the
signed heads as `motcua verify --heads` reads them. `manifest.json` comes last and names every file with its
size and SHA-256: an archive that was cut off has none.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from motcua.cli.output import fail
from motcua.rules.instants import VIET_NAM

T = TypeVar("T")

FORMAT = "motcua backup 1"
ALIASES = ("default", "mirror")
EMBEDDED = {"default": "motcua.sqlite3", "mirror": "mirror.sqlite3"}
_MANIFEST, _HEADS = "manifest.json", "heads.txt"
_SUFFIX = {"sqlite": ".sqlite3", "postgresql": ".dump"}
#: What a home holds beside its files: the databases, which are copied in their own way, and what is made anew.
_NOT_FILES = {"facts", "lost+found", *EMBEDDED.values()}


class _Hashed:
    """A file being read into the archive, hashed on the way."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.hash = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.hash.update(data)
        return data


class _Writer:
    """An archive being written, and what it holds so far."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self.archive = archive
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, source: Path, name: str) -> None:
        """Adds a file as it is now: one that grows meanwhile is taken as far as it had come."""
        with source.open("rb") as file:
            about = self.archive.gettarinfo(arcname=name, fileobj=file)
            hashed = _Hashed(file)
            self.archive.addfile(about, hashed)
        self.files[name] = {"bytes": about.size, "sha256": hashed.hash.hexdigest()}

    def close(self, manifest: dict[str, Any]) -> None:
        """Adds the manifest, the last file."""
        text = json.dumps({**manifest, "files": self.files}, indent=1).encode()
        about = tarfile.TarInfo(_MANIFEST)
        about.size = len(text)
        self.archive.addfile(about, io.BytesIO(text))


def name(at: datetime) -> str:
    """The file name of a backup made at an instant, as `thin` and `age_s` know it: in Vietnamese time, sorts by age."""
    return f"motcua-{at.astimezone(VIET_NAM):%Y%m%d-%H%M%S}.tar.gz"


def kept(folder: Path) -> list[Path]:
    """The backups of a folder that were named by `name`, the newest first."""
    return sorted(folder.glob(f"motcua-{'[0-9]' * 8}-{'[0-9]' * 6}.tar.gz"), reverse=True)


def thin(folder: Path, keep: int) -> list[Path]:
    """Removes all but the newest ones of these; returns what was removed."""
    older = kept(folder)[keep:]
    for file in older:
        file.unlink()
    return older


def age_s(folder: Path, now: datetime) -> int | None:
    """The age of the newest backup in a folder, whatever its name; None: there is none."""
    try:
        newest = max((file.stat().st_mtime for file in folder.glob("*.tar.gz")), default=None)
    except OSError:
        return None
    return None if newest is None else max(int(now.timestamp() - newest), 0)


def pack(home: Path, target: Path, *, at: datetime) -> dict[str, Any]:
    """Writes the archive and returns its manifest, consistent also while others write.

    The order matters: heads before the log that they seal; our database before the portal's copy, so that no
    delivery stands as arrived whose record the copy lacks; the files last, for a key is written before the head
    that it signs.
    """
    draft = target.with_name(target.name + ".part")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch, _removed_on_failure(draft):
        heads = Path(scratch) / _HEADS
        manifest = _describe(heads, at)
        suffix = _SUFFIX[manifest["engine"]]
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as archive:
                writer = _Writer(archive)
                writer.add(heads, _HEADS)
                for alias in ALIASES:
                    copy = Path(scratch) / f"{alias}{suffix}"
                    _copy_database(alias, home, copy)
                    writer.add(copy, f"databases/{copy.name}")
                    copy.unlink()
                for file in _files(home):
                    writer.add(file, f"files/{file.relative_to(home)}")
                writer.close(manifest)
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(target)
    return {**manifest, "bytes": target.stat().st_size, "files": len(writer.files)}


@contextmanager
def _removed_on_failure(draft: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        draft.unlink(missing_ok=True)
        fail(f"{draft}: cannot be written: {error.strerror or error}")
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _describe(heads: Path, at: datetime) -> dict[str, Any]:
    """Writes the heads so far and says what the archive is made of."""
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    from motcua.ledger import cursors
    from motcua.ledger.models import Head

    pairs = Head.objects.order_by("size").values_list("size", "root")
    heads.write_text("".join(f"{size} {bytes(root).hex()}\n" for size, root in pairs))
    return {
        "format": FORMAT,
        "made_at": at.isoformat(),
        "engine": connections["default"].vendor,
        "events": cursors.head(),
        "heads": len(pairs),
        "migrations": {
            alias: sorted(".".join(name) for name in MigrationRecorder(connections[alias]).applied_migrations())
            for alias in ALIASES
        },
    }


def _files(home: Path) -> Iterator[Path]:
    """The files of a home, in order."""
    for entry in sorted(home.iterdir()):
        beside = entry.name.endswith(("-wal", "-shm")) or ".before-" in entry.name
        if entry.name in _NOT_FILES or beside:
            continue
        for file in [entry] if entry.is_file() else sorted(entry.rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield file


def _copy_database(alias: str, home: Path, target: Path) -> None:
    """A copy as of one instant; those who write meanwhile are not held up."""
    if target.suffix == ".dump":
        _postgres("pg_dump", alias, "--format=custom", "--compress=0", "--no-owner", "--no-privileges", "-f", target)
        return
    with closing(sqlite3.connect(home / EMBEDDED[alias])) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _postgres(program: str, alias: str, *arguments: str | Path) -> None:
    """Runs a client program of PostgreSQL on a database; the password travels where `ps` does not show it."""
    from django.db import connections

    about = connections[alias].settings_dict
    names = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "HOST": "PGHOST", "PORT": "PGPORT"}
    told = {variable: about[key] for key, variable in names.items() if about[key]}
    told |= {f"PG{option.upper()}": value for option, value in about["OPTIONS"].items()}
    env = {**os.environ, **{variable: str(value) for variable, value in told.items()}}
    try:
        done = subprocess.run([program, *map(str, arguments)], env=env, capture_output=True, text=True)
    except FileNotFoundError:
        fail(f"{program} is missing: apt-get install postgresql-client")
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        fail(f"{program}, database {about['NAME']}: {reason[0] if reason else f'status {done.returncode}'}")


# ---- the way back -----------------------------------------------------------------------------------------------


def _unpack_one(packed: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Writes one plain file below the target, whatever its name says (the filters of tarfile need a Python 3.11.4)."""
    path = (target / member.name).resolve()
    if member.isdir() and path.is_relative_to(target.resolve()):
        path.mkdir(parents=True, exist_ok=True)
        return
    content = packed.extractfile(member) if member.isfile() and path.is_relative_to(target.resolve()) else None
    if content is None:
        raise tarfile.TarError(f"{member.name} is no plain file of a backup")
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)


def unpack(archive: Path, target: Path) -> dict[str, Any]:
    """Unpacks into an empty folder and returns the manifest; every byte is checked. Raises `Unusable`."""
    refused = f"{archive}: not a backup of motcua, or damaged"
    try:
        with tarfile.open(archive, "r:gz") as packed:
            for member in packed:
                _unpack_one(packed, member, target)
        manifest: dict[str, Any] = json.loads((target / _MANIFEST).read_text())
        named: dict[str, dict[str, Any]] = manifest["files"]
        if manifest["format"] != FORMAT:
            fail(f"{archive}: its format is {manifest['format']!r}, this version reads {FORMAT!r}")
        (target / _MANIFEST).unlink()
        there = {str(file.relative_to(target)) for file in target.rglob("*") if file.is_file()}
        if odd := sorted(there ^ named.keys()):
            fail(f"{refused}: {odd[0]} is not both listed and there")
        for name, about in named.items():
            with (target / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != about["sha256"]:
                    fail(f"{refused}: {name} is not what was packed")
    except FileNotFoundError:
        fail(f"{refused}: it has no manifest")
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        fail(f"{refused}: {error}")
    return manifest


def restore(archive: Path, home: Path, prove: Callable[[Path, Path], T]) -> T:
    """Restores into an empty home and empty databases; returns what `prove(home, heads)` found of them.

    Everything is unpacked and checked beside where it belongs, and moves into the home last, each entry by a
    rename. Raises `Unusable`; then home and databases are as they were found.
    """
    if home.exists() and any(entry.name != "lost+found" for entry in home.iterdir()):
        fail(f"{home} is not empty; set MOTCUA_HOME to an empty folder")
    made = not home.exists()
    home.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=home, prefix=".restore-"))
    try:
        manifest = unpack(archive, staging)
        files = staging / "files"
        files.mkdir(exist_ok=True)
        os.environ["MOTCUA_HOME"] = str(files)  # for this process the home is there until it is whole
        _open(archive, manifest, staging)
        found = prove(files, staging / _HEADS)
        from django.db import connections

        connections.close_all()
        for entry in sorted(files.iterdir()):
            entry.rename(home / entry.name)
        made = False
        return found
    finally:
        os.environ["MOTCUA_HOME"] = str(home)
        shutil.rmtree(home if made else staging, ignore_errors=True)


def _open(archive: Path, manifest: dict[str, Any], staging: Path) -> None:
    """Fills the databases from the unpacked archive and brings them to this version."""
    from motcua.cli import home

    wanted = "postgresql" if os.environ.get("DATABASE_URL") else "sqlite"
    if manifest["engine"] != wanted:
        remedy = "unset DATABASE_URL" if wanted == "postgresql" else "set DATABASE_URL to an empty database"
        fail(f"{archive}: holds databases of {manifest['engine']}, not of {wanted}; {remedy}")
    home.set_up()
    from django.db.migrations.loader import MigrationLoader

    known = {".".join(name) for name in MigrationLoader(None).disk_migrations}
    if newer := {name for names in manifest["migrations"].values() for name in names} - known:
        fail(f"{archive}: was made by a newer version, which has {min(newer)}; install that version first")
    if wanted == "sqlite":
        for alias, name in EMBEDDED.items():
            (staging / "databases" / f"{alias}.sqlite3").rename(staging / "files" / name)
        home.open_home()
        return
    for alias in ALIASES:
        _check_empty(alias)
    for alias in ALIASES:
        dump = staging / "databases" / f"{alias}.dump"
        options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
        _postgres("pg_restore", alias, *options, "--dbname", _name(alias), dump)
    home.migrate()


def _name(alias: str) -> str:
    from django.db import connections

    return str(connections[alias].settings_dict["NAME"])


def _check_empty(alias: str) -> None:
    """Refuses a database that is not there, or that holds any table of anyone. Raises `Unusable`."""
    from django.db import OperationalError, connections

    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^(pg_|information_schema$)'"
            )
            held = cursor.fetchone()[0]
    except OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        fail(f"the database {_name(alias)} cannot be reached: {reason}; make an empty one: createdb {_name(alias)}")
    if held:
        fail(f"the database {_name(alias)} is not empty; make an empty one and name it in DATABASE_URL")
