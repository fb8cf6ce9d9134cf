"""The signs of a scan on disk, beside what becomes of them: a province may have hundreds of thousands.

A database without a name: it lies in a temporary file that is gone with it, and only a few pages of it in memory.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Literal, Self

from motcua.inspection.signs import Sign

_TABLES = """
CREATE TABLE sign (n INTEGER PRIMARY KEY, code TEXT, subject TEXT, digest TEXT, body TEXT, met INTEGER DEFAULT 0,
                   UNIQUE (code, subject));
CREATE TABLE noted (kind TEXT, number INTEGER, code TEXT, subject TEXT);
"""


def digest(sign: Sign) -> str:
    """Of what proves a sign: two scans that see the same, by the same parameters of the province, agree on it."""
    told: list[Any] = [sign.agency, sign.evidence]
    if sign.own:
        told.append({name: sign.values[name] for name in sign.own})
    proof = json.dumps(told, sort_keys=True, default=str)
    return hashlib.sha256(proof.encode()).hexdigest()[:32]


class Spool:
    """Signs by check and subject, the first of each; which of them were met by a finding; findings to be worked on."""

    def __init__(self) -> None:
        self.db = sqlite3.connect("", isolation_level=None)
        self.db.executescript(_TABLES)
        self.db.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def __len__(self) -> int:
        return int(self.db.execute("SELECT count(*) FROM sign").fetchone()[0])

    def keep(self, signs: Iterable[Sign]) -> None:
        """Adds signs; one whose check and subject are there already is left out."""
        self.db.executemany(
            "INSERT OR IGNORE INTO sign (code, subject, digest, body) VALUES (?, ?, ?, ?)",
            ((sign.check, sign.subject, digest(sign), json.dumps(asdict(sign), default=str)) for sign in signs),
        )

    def met(self, check: str, subject: str) -> str | None:
        """A finding has met its sign: its digest; None where there is no such sign."""
        row = self.db.execute(
            "UPDATE sign SET met = 1 WHERE code = ? AND subject = ? RETURNING digest", (check, subject)
        ).fetchone()
        return None if row is None else str(row[0])

    def note(self, kind: Literal["gone", "held"], number: int, check: str = "", subject: str = "") -> None:
        """A finding whose sign is gone, or has other facts."""
        self.db.execute("INSERT INTO noted VALUES (?, ?, ?, ?)", (kind, number, check, subject))

    def new(self) -> Iterator[Sign]:
        """The signs that no finding has met, in the order in which they came."""
        for (body,) in self.db.execute("SELECT body FROM sign WHERE NOT met ORDER BY n"):
            yield _sign(body)

    def by_subject(self) -> Iterator[Sign]:
        """All signs, in the order of their subjects, then of the checks."""
        for (body,) in self.db.execute("SELECT body FROM sign ORDER BY subject, code"):
            yield _sign(body)

    def held(self) -> Iterator[tuple[int, Sign]]:
        """The findings whose sign has other facts, with it."""
        found = self.db.execute(
            "SELECT number, body FROM noted JOIN sign USING (code, subject) WHERE kind = 'held' ORDER BY number"
        )
        for number, body in found:
            yield number, _sign(body)

    def gone(self) -> Iterator[int]:
        """The findings whose sign is gone."""
        for (number,) in self.db.execute("SELECT number FROM noted WHERE kind = 'gone' ORDER BY number"):
            yield number


def _sign(body: str) -> Sign:
    told = json.loads(body)
    return Sign(**{**told, "own": tuple(told["own"])})
