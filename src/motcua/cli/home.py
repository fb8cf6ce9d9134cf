"""Opens the home of the embedded database: created and migrated by whatever command comes first."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import shutil
from contextlib import closing
from pathlib import Path


def home() -> Path:
    """Where the embedded database, the facts and the files live."""
    return Path(os.environ.get("MOTCUA_HOME", "var")).resolve()


def open_home() -> Path:
    """Sets Django up; creates or migrates an embedded home (with a copy before). PostgreSQL: only `migrate` does."""
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    set_up()
    if not os.environ.get("DATABASE_URL"):
        _bring_up_to_date(folder)
    from motcua.catalogue import training

    training.shut_if_on()
    return folder


def account() -> str:
    """The account of this machine that acts at the terminal, for the audit."""
    try:
        return f"{getpass.getuser()} (terminal)"
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()} (terminal)"


def set_up() -> None:
    """Reads the settings and the rooms' tables; touches no database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "motcua.web.settings")
    import django

    django.setup()


def _schema() -> str:
    """What the migrations of this version are, as one digest."""
    package = Path(__file__).resolve().parent.parent
    names = sorted(str(file.relative_to(package)) for file in package.glob("*/migrations/0*.py"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _bring_up_to_date(folder: Path) -> None:
    marker, schema = folder / "schema.version", _schema()
    if _stands_at(marker, schema):
        return
    turn = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)  # the web server and the worker may come first together
        if not _stands_at(marker, schema):
            _copy_and_migrate(folder, schema)
            marker.write_text(schema)
    finally:
        os.close(turn)


def _stands_at(marker: Path, schema: str) -> bool:
    return marker.exists() and marker.read_text().strip() == schema


def _copy_and_migrate(folder: Path, schema: str) -> None:
    for name in ("motcua.sqlite3", "mirror.sqlite3"):
        file = folder / name
        if file.exists():
            import sqlite3

            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(f"{file}.before-{schema}")) as copy:
                source.backup(copy)
    migrate()


def migrate() -> None:
    """Migrates both databases and seeds what every home has: the built-in calendar."""
    from django.core.management import call_command

    call_command("migrate", database="default", verbosity=0, interactive=False)
    call_command("migrate", database="mirror", verbosity=0, interactive=False)


def empty(folder: Path) -> None:
    """Removes everything below an embedded home."""
    from django.db import connections

    connections.close_all()
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
