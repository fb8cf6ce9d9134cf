"""A home as one archive: consistent copies of both databases, files, heads and keys; the facts are made anew."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tarfile
import tempfile
from pathlib import Path

from motcua.cli.output import fail

_SKIPPED = {"facts", "motcua.sqlite3", "mirror.sqlite3"}


def pack(home: Path, target: Path) -> int:
    """Writes the archive; returns its size."""
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        draft = target.with_name(target.name + ".part")
        with tarfile.open(draft, "w:gz", compresslevel=3) as archive:
            if url := os.environ.get("DATABASE_URL"):
                dump = Path(scratch) / "postgresql.dump"
                done = subprocess.run(["pg_dump", "-Fc", "-f", str(dump), url], capture_output=True, text=True)
                if done.returncode:
                    fail(f"pg_dump: {done.stderr.strip()}")
                archive.add(dump, arcname=dump.name)
            else:
                for name in ("motcua.sqlite3", "mirror.sqlite3"):
                    copy = Path(scratch) / name
                    source, there = sqlite3.connect(home / name), sqlite3.connect(copy)
                    source.backup(there)
                    source.close()
                    there.close()
                    archive.add(copy, arcname=name)
            for entry in sorted(home.iterdir()):
                beside = entry.name.endswith(("-wal", "-shm")) or ".before-" in entry.name
                if entry.name not in _SKIPPED and entry != Path(scratch) and not beside and entry != draft:
                    archive.add(entry, arcname=entry.name)
        draft.replace(target)
    return target.stat().st_size


def unpack(archive: Path, home: Path) -> None:
    """Unpacks into an empty home; nothing outside it can be written."""
    home.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(home, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        fail(f"{archive}: not an archive of motcua, or cut off: {error}")
    if not (home / "motcua.sqlite3").exists():
        fail(f"{archive}: holds no embedded database")
