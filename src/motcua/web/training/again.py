"""Starting over: the training house is put back to how it stood before the first exercise.

`remember` copies both databases when the house has been made. `start_over` writes the copies back over the live ones
page by page in one transaction each, so that servers and workers need no restart; everybody signs in anew.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from motcua.catalogue import training
from motcua.oversight import extract
from motcua.rules.instants import Unreadable

_FOLDER = "training"
_DATABASES = {"default": "motcua.sqlite3", "mirror": "mirror.sqlite3"}
#: What exercises leave beside the databases; what is made anew by itself is not listed.
_LEFT = ("evidence", "collector")


def remember(home: Path) -> None:
    """Copies the house as it stands now; call it once, when it has been made."""
    folder = home / _FOLDER
    draft = home / f".{_FOLDER}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for name in _DATABASES.values():
        with closing(sqlite3.connect(home / name)) as source, closing(sqlite3.connect(draft / name)) as copy:
            source.backup(copy)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def start_over(home: Path, *, at: datetime) -> None:
    """Puts the house back. Raises `Unreadable` where it is no training house or was never remembered."""
    folder = home / _FOLDER
    if not training.is_on():
        raise Unreadable("this is no training house: nothing was put back")
    if not all((folder / name).exists() for name in _DATABASES.values()):
        raise Unreadable(
            f"{folder} does not hold the house as it was made; motcua demo --training --fresh makes it anew"
        )
    for alias, name in _DATABASES.items():
        connections[alias].close()
        with (
            closing(sqlite3.connect(folder / name)) as source,
            closing(sqlite3.connect(home / name, timeout=30)) as live,
        ):
            source.backup(live)
    for alias in _DATABASES:  # the copy may be of an older version
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    for name in _LEFT:
        shutil.rmtree(home / name, ignore_errors=True)
    extract.run(home=home, at=at, afresh=True)
