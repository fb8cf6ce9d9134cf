"""Checked rows on disk between the two passes of an import: sorted by dossier, memory stays small."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from motcua.dossiers.importing.canonical import DossierRow, EventRow

_BLOCK = 20_000


class Staging:
    """A scratch database of one import."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536; PRAGMA temp_store=FILE;"
            "CREATE TABLE d(n INTEGER PRIMARY KEY, file TEXT, line INTEGER, code TEXT, procedure TEXT, agency TEXT,"
            " channel TEXT, applicant TEXT, submitted_at INTEGER, received_at INTEGER, allotted TEXT, due_at INTEGER,"
            " source TEXT, submitter TEXT, digest BLOB, enclosed TEXT);"
            "CREATE TABLE e(d INTEGER, file TEXT, line INTEGER, kind TEXT, at INTEGER, recorded_at INTEGER, unit TEXT,"
            " actor TEXT, step TEXT, due_at INTEGER, evidence_at INTEGER, document INTEGER, note TEXT, digest BLOB,"
            " enclosed TEXT);"
            "BEGIN"
        )
        self.numbers: dict[str, int] = {}  # dossier code → n
        self.headed: set[int] = set()
        self.events = 0
        self._dossiers: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []
        self._last = -1
        self.sorted = True

    def number(self, code: str) -> int:
        """The number of a dossier, given at its first mention."""
        found = self.numbers.get(code)
        if found is None:
            found = self.numbers[code] = len(self.numbers) + 1
        return found

    def dossier(self, file: str, line: int, row: DossierRow) -> bool:
        """Keeps a dossier's row; False where its code stood there before."""
        n = self.number(row.dossier)
        if n in self.headed:
            return False
        self.headed.add(n)
        self._dossiers.append((n, file, line, *row))
        if len(self._dossiers) >= _BLOCK:
            self._flush()
        return True

    def event(self, file: str, line: int, row: EventRow) -> None:
        """Keeps an event's row, in the order of the file."""
        n = self.number(row[0])
        if n < self._last:
            self.sorted = False
        self._last = n
        self._events.append((n, file, line, *row[1:]))
        self.events += 1
        if len(self._events) >= _BLOCK:
            self._flush()

    def _flush(self) -> None:
        self.db.executemany(f"INSERT INTO d VALUES ({','.join('?' * 16)})", self._dossiers)
        self.db.executemany(f"INSERT INTO e VALUES ({','.join('?' * 15)})", self._events)
        self._dossiers.clear()
        self._events.clear()

    def done(self) -> None:
        """Ends the first pass."""
        self._flush()
        self.db.execute("COMMIT")

    def groups(self) -> Iterator[tuple[str, tuple[Any, ...] | None, list[tuple[Any, ...]]]]:
        """Each dossier once: its code, its row if the files have one, its events in the order of the file.

        Rows as stored: (n, file, line, …) and (d, file, line, kind, …).
        """
        codes = {n: code for code, n in self.numbers.items()}
        order = "rowid" if self.sorted else "d, rowid"
        dossiers = iter(self.db.execute("SELECT * FROM d ORDER BY n"))
        events = iter(self.db.execute(f"SELECT * FROM e ORDER BY {order}"))
        header, event = next(dossiers, None), next(events, None)
        while header is not None or event is not None:
            n = min(row[0] for row in (header, event) if row is not None)
            own, header = (header, next(dossiers, None)) if header is not None and header[0] == n else (None, header)
            acts: list[tuple[Any, ...]] = []
            while event is not None and event[0] == n:
                acts.append(event)
                event = next(events, None)
            yield codes[n], own, acts

    def close(self) -> None:
        """Removes the scratch database."""
        self.db.close()
        self.path.unlink(missing_ok=True)
