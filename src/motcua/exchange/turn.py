"""One process delivers at a time: two would overtake each other within a dossier.

The turn is a lock that the operating system or the database gives back by itself when its holder is killed.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

_KEY = 0x64656C76


@contextmanager
def taken() -> Iterator[bool]:
    """Whether the turn is ours, for as long as the block runs."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_KEY])
            ours = bool(cursor.fetchone()[0])
        try:
            yield ours
        finally:
            if ours:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [_KEY])
        return
    with (settings.HOME / "deliver.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
