"""Pairs: both sides of a dossier side by side, built in a scratch DuckDB database until they are written.

A row of `pairs` is a code that either side has. A record of the portal under a code of its own may belong to a
dossier of ours (`links`): it keeps its row, which says so in `linked_to` and is counted no more; the first of them
becomes the record of a dossier that has none, the others are its `duplicates` there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from motcua.catalogue import names
from motcua.inspection import acts, ours, theirs
from motcua.inspection.columns import MISSING, Columns, masked
from motcua.inspection.ours import Catalogue
from motcua.mirror import profiles
from motcua.oversight import reading, reference
from motcua.oversight.links import Link
from motcua.oversight.reading import Choice
from motcua.rules.instants import to_microseconds
from motcua.wire.codes import agency_of_dossier

#: Codes read at once where they come as a list: databases limit the parameters of a query.
CHUNK_OF_CODES = 5_000
#: The tables of the facts, each with the column by which a newer row replaces an older one.
TABLES = {"pairs": "dossier", "steps": "dossier", "deliveries": "dossier", "documents": "dossier",
          "duplicates": "record"}  # fmt: skip

_TYPES = {
    **dict.fromkeys(ours.TEXTS, "VARCHAR"),
    **dict.fromkeys((*ours.INSTANTS, *ours.NUMBERS), "BIGINT"),
    **dict.fromkeys(ours.FLAGS, "BOOLEAN"),
    **dict.fromkeys(theirs.TEXTS, "VARCHAR"),
    **dict.fromkeys((*theirs.INSTANTS, *theirs.NUMBERS), "BIGINT"),
    **dict.fromkeys(theirs.FLAGS, "BOOLEAN"),
}
#: Columns of the pairs beyond the two sides.
_EXTRA = {
    "exists_here": "BOOLEAN", "exists_there": "BOOLEAN", "month": "VARCHAR", "delivery": "VARCHAR",
    "delivery_message": "VARCHAR", "answer_delivery": "VARCHAR", "any_delivery": "VARCHAR",
    "t_duplicates": "BIGINT", "linked_to": "VARCHAR", "code_on": "BIGINT", "code_series": "VARCHAR",
    "code_serial": "BIGINT", "paid_amount": "BIGINT",
    "paid_online": "BOOLEAN", "paid_at": "BIGINT", "paid_known_at": "BIGINT",
}  # fmt: skip
#: What a step carries beyond who did what when; the portal's steps carry only their instant and, where they came
#: over the wire before our eyes, when (`recorded_at`).
_STEP_COLUMNS = {
    "dossier": "VARCHAR", "month": "VARCHAR", "side": "VARCHAR", "seq": "BIGINT", "kind": "VARCHAR", "at": "BIGINT",
    "recorded_at": "BIGINT", "stored_at": "BIGINT", "actor": "VARCHAR", "unit": "VARCHAR", "step": "VARCHAR",
    **acts.TYPES,
}  # fmt: skip
_DOCUMENT_COLUMNS = {
    "dossier": "VARCHAR", "role": "VARCHAR", "component": "VARCHAR", "title": "VARCHAR", "file": "VARCHAR",
    "digitised": "BOOLEAN", "reused": "BOOLEAN",
}  # fmt: skip
_TERMINAL = {"finished": 9, "returned": 10, "refused": 3, "stopped": 8, "withdrawn": 7}
_OF_THEIRS = (*theirs.TEXTS, *theirs.INSTANTS, *theirs.NUMBERS, *theirs.FLAGS)
_OF_OURS = (*ours.TEXTS, *ours.INSTANTS, *ours.NUMBERS, *ours.FLAGS)
#: What the facts are made of: facts of another shape are made anew, and no figure reads them.
#: A column that comes to mean something else has another version here. 2: `t_stored_at` is the last arrival, of a
#: step too.
#: 3: `recorded_at` of the portal's steps is when they came over the wire.
_MEANING = 3
_SHAPES = (_TYPES, _EXTRA, _MEANING, _STEP_COLUMNS, _DOCUMENT_COLUMNS, reference.TABLES)
SHAPE = hashlib.blake2b(repr(_SHAPES).encode(), digest_size=6).hexdigest()
#: Columns of ours that a row of the portal alone fills too.
_FILLED = ("dossier", "procedure", "core", "field", "agency", "source")


class Builder:
    """Rows of the facts in a scratch DuckDB database, until they are written."""

    def __init__(self, path: Path | None, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.side = reading.their_side()
        if path is not None:
            path.unlink(missing_ok=True)
        self.db = duckdb.connect(
            str(path) if path else ":memory:",
            config={"autoinstall_known_extensions": False, "preserve_insertion_order": False, "memory_limit": "1GB"},
        )
        of_theirs = ", ".join(f'"{name}" {_TYPES[name]}' for name in _OF_THEIRS)
        of_ours = ", ".join(f'"{name}" {_TYPES[name]}' for name in _OF_OURS)
        extra = ", ".join(f"{name} {kind}" for name, kind in _EXTRA.items())
        self.db.execute(f"CREATE TABLE pairs ({of_ours}, {of_theirs}, {extra})")
        self.db.execute(f"CREATE TABLE duplicates (of_dossier VARCHAR, record VARCHAR, {of_theirs})")
        for table, columns in (("steps", _STEP_COLUMNS), ("documents", _DOCUMENT_COLUMNS)):
            shaped = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            self.db.execute(f"CREATE TABLE {table} ({shaped})")
        self.db.execute("CREATE TABLE deliveries (dossier VARCHAR, seq BIGINT, status BIGINT, state VARCHAR,"
                        " message VARCHAR, done_at BIGINT)")  # fmt: skip

    def add(
        self,
        choice: Choice,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        with_steps: bool = True,
    ) -> int:
        """Reads and computes both sides of a choice of dossiers. Returns how many codes that were."""
        headers, events = reading.our_rows(choice)
        mine = ours.ours(headers, events, self.catalogue, as_of=as_of, known_at=known_at)
        records, log = reading.their_rows(choice, self.side, known_at)
        his = theirs.theirs(records, log, self.catalogue, as_of=as_of, rule=profiles.current().rule)
        delivered = reading.deliveries(choice, known_at)
        self._insert_pairs(mine, his, delivered, reading.paid(choice, as_of, known_at))
        if with_steps:
            self._insert_steps(headers, events, records, log)
            self._insert_documents(headers, events, records)
        return len(set(headers.code) | set(records.code))

    def add_codes(
        self,
        codes: Iterable[str],
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        with_steps: bool = True,
    ) -> None:
        """The same for a list of codes of any length."""
        listed = sorted(codes)
        for start in range(0, len(listed), CHUNK_OF_CODES):
            chosen = Choice(codes=listed[start : start + CHUNK_OF_CODES])
            self.add(chosen, as_of=as_of, known_at=known_at, with_steps=with_steps)

    def _insert_pairs(
        self, mine: Columns, his: Columns, delivered: Sequence[tuple[Any, ...]], paid: Sequence[reading.Paid]
    ) -> None:
        db = self.db
        money: list[tuple[Any, ...]] = list(zip(*paid, strict=True)) if paid else [()] * 5
        kinds = {"code": object, "amount": np.int64, "online": bool, "last_at": np.int64, "known_at": np.int64}
        db.register(
            "paid", {name: np.array(column, kind) for (name, kind), column in zip(kinds.items(), money, strict=True)}
        )
        db.execute("CREATE OR REPLACE TEMP TABLE p AS SELECT * REPLACE (code::VARCHAR AS code) FROM paid")
        db.unregister("paid")
        columns = list(zip(*delivered, strict=True)) if delivered else [()] * 7
        given = {
            "dossier": np.array(columns[0], object),
            "seq": np.array(columns[1], np.int64),
            "status": np.array(columns[2], np.int64),
            "state": np.array(columns[3], object),
            "message": np.array(columns[4], object),
            "at": masked(np.array([MISSING if at is None else at for at in columns[5]], np.int64)),
            "done_at": masked(np.array([MISSING if at is None else at for at in columns[6]], np.int64)),
        }
        db.register("mine", mine)
        db.register("his", his)
        db.register("given", given)
        ends = ", ".join(f"('{kind}', {status})" for kind, status in _TERMINAL.items())
        names = [*(f'm."{n}"' for n in _OF_OURS if n not in _FILLED), *(f'h."{n}"' for n in _OF_THEIRS)]
        plain = [n for n in _OF_OURS if n not in _FILLED] + list(_OF_THEIRS)
        db.execute("CREATE OR REPLACE TEMP TABLE g AS SELECT dossier::VARCHAR dossier, seq, status,"
                   ' state::VARCHAR state, message::VARCHAR message, "at", done_at FROM given')  # fmt: skip
        db.execute("INSERT INTO deliveries SELECT dossier, seq, status, state, message, done_at FROM g")
        db.execute(
            f"""
            WITH terminal(kind, status) AS (VALUES {ends}),
            m AS (SELECT mine.*, coalesce(terminal.status, 0) AS end_status FROM mine
                  LEFT JOIN terminal ON terminal.kind = mine.finish_kind::VARCHAR),
            d AS (SELECT m.dossier::VARCHAR AS code,
                         max_by(g.state, (g.status, g.seq)) AS state, max_by(g.message, (g.status, g.seq)) AS message
                  FROM m JOIN g ON g.dossier = m.dossier::VARCHAR
                       AND ((g.seq = m.finish_seq AND m.finish_seq > 0)
                            OR (g.seq = 0 AND g.status = m.end_status AND m.end_status > 0)
                            OR (g.seq = 0 AND g.status = {reading.UNKNOWN_STATUS} AND m.end_status > 0
                                AND coalesce(g."at", m.finish_at) >= m.finish_at))
                  GROUP BY 1),
            e AS (SELECT dossier AS code, CASE WHEN bool_or(state = 'delivered') THEN 'delivered'
                         WHEN bool_or(state IN ('dead', 'unmapped')) THEN 'dead' ELSE 'waiting' END AS state,
                         max_by(message, seq) FILTER (state = 'dead') AS message
                  FROM g GROUP BY 1),
            a AS (SELECT m.dossier::VARCHAR AS code, max_by(g.state, g.seq) AS state
                  FROM m JOIN g ON g.dossier = m.dossier::VARCHAR
                       AND ((g.seq = m.answer_seq AND m.answer_seq > 0) OR (g.seq = 0 AND g.status IN (2, 3, 5)))
                  GROUP BY 1)
            INSERT INTO pairs BY NAME
            SELECT {", ".join(f"{q} AS {n}" for q, n in zip(names, plain, strict=True))},
                   coalesce(m.dossier::VARCHAR, h.t_code::VARCHAR) AS dossier,
                   coalesce(m.procedure::VARCHAR, h.t_procedure::VARCHAR) AS procedure,
                   coalesce(m.core::VARCHAR, h.t_core::VARCHAR) AS core,
                   coalesce(m.field::VARCHAR, '') AS field,
                   coalesce(m.agency::VARCHAR, '') AS agency,
                   coalesce(m.source::VARCHAR, '') AS source,
                   m.dossier IS NOT NULL AS exists_here,
                   h.t_code IS NOT NULL AS exists_there,
                   strftime(to_timestamp(coalesce(m.received_at, m.submitted_at, h.t_received_at, 0) + 25200)
                            AT TIME ZONE 'UTC', '%Y-%m') AS month,
                   d.state AS delivery, coalesce(d.message, e.message) AS delivery_message,
                   a.state AS answer_delivery, e.state AS any_delivery,
                   0 AS t_duplicates, '' AS linked_to,
                   date_diff('day', DATE '1970-01-01',
                             try_strptime(regexp_extract(coalesce(m.dossier::VARCHAR, h.t_code::VARCHAR),
                                                         '-([0-9]{{6}})-', 1), '%y%m%d')::DATE)
                       AS code_on,
                   regexp_extract(coalesce(m.dossier::VARCHAR, h.t_code::VARCHAR), '^(.*-[0-9]{{6}})-[0-9]{{4,}}$', 1)
                       AS code_series,
                   try_cast(regexp_extract(coalesce(m.dossier::VARCHAR, h.t_code::VARCHAR),
                                           '-[0-9]{{6}}-([0-9]{{4,9}})$', 1) AS BIGINT) AS code_serial,
                   p.amount AS paid_amount, p.online AS paid_online, p.last_at AS paid_at,
                   p.known_at AS paid_known_at
            FROM m FULL OUTER JOIN his h ON h.t_code::VARCHAR = m.dossier::VARCHAR
            LEFT JOIN d ON d.code = m.dossier::VARCHAR LEFT JOIN a ON a.code = m.dossier::VARCHAR
            LEFT JOIN e ON e.code = m.dossier::VARCHAR LEFT JOIN p ON p.code = m.dossier::VARCHAR
            """
        )
        for name in ("mine", "his", "given"):
            db.unregister(name)

    def _insert_steps(self, headers: Any, events: Any, records: Any, log: Any) -> None:
        names = np.array(events.names, object)
        if len(events):
            codes = np.array(headers.code, object)
            mine = {
                "dossier": codes[events.dossier],
                "seq": events.seq.astype(np.int64),
                "kind": np.array(ours.KIND_NAMES, object)[events.kind],
                "at": events.at // 1_000_000,
                "recorded_at": events.recorded_at // 1_000_000,
                "stored_at": events.stored_at // 1_000_000,
                "actor": names[events.actor],
                "unit": names[events.unit],
                "step": names[events.step],
                "month": np.full(len(events), "", object),
                "side": np.full(len(events), "ours", object),
                **acts.columns(events),
            }
            self.db.register("mine", mine)
            taken = ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind in _STEP_COLUMNS.items())
            self.db.execute(f"INSERT INTO steps BY NAME SELECT {taken} FROM mine")
            self.db.unregister("mine")
        if len(log.at):
            seconds = np.where(log.at == np.iinfo(np.int64).min, log.at, log.at // 1_000_000)
            arrived = np.where(log.arrived_at == MISSING, MISSING, log.arrived_at // 1_000_000)
            his = {"dossier": np.array(records.code, object)[log.record], "status": log.status, "at": masked(seconds),
                   "arrived_at": masked(arrived)}  # fmt: skip
            self.db.register("his", his)
            self.db.execute(
                "INSERT INTO steps BY NAME SELECT dossier::VARCHAR AS dossier, '' AS month, 'theirs' AS side, 0 AS seq,"
                " status::VARCHAR AS kind, \"at\", arrived_at AS recorded_at, '' AS actor, '' AS unit,"
                " '' AS step FROM his"
            )
            self.db.unregister("his")

    def add_documents(self, codes: Iterable[str], *, as_of: datetime, known_at: datetime | None) -> None:
        """The papers alone of a list of codes of any length, as they were stated by `as_of` and known by `known_at`.

        Without `known_at`: of the portal's record the version of then, where one had arrived.
        """
        listed = sorted(codes)
        for start in range(0, len(listed), CHUNK_OF_CODES):
            chosen = Choice(codes=listed[start : start + CHUNK_OF_CODES])
            headers, events = reading.our_rows(chosen)
            records, _ = reading.their_rows(chosen, self.side, known_at or as_of, or_newest=known_at is None)
            self._insert_documents(headers, events, records, as_of=as_of, known_at=known_at)

    def _insert_documents(
        self, headers: Any, events: Any, records: Any, *, as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> None:  # fmt: skip
        """The papers of each dossier: those that the portal's copy names, else those that our own acts enclose."""
        rows = [(records.code[paper.record], *paper[1:]) for paper in records.papers]
        told = {row[0] for row in rows}
        until, known = (None if at is None else to_microseconds(at) for at in (as_of, known_at))
        ours_ = acts.papers(events, headers.code, as_of=until, known_at=known)
        rows += [(code, *paper) for code, *paper in ours_ if code not in told]
        if not rows:
            return
        columns = zip(_DOCUMENT_COLUMNS, zip(*rows, strict=True), strict=True)
        self.db.register(
            "papers",
            {name: np.array(values, bool if name in ("digitised", "reused") else object) for name, values in columns},
        )
        taken = ", ".join(f"{name}::{kind} AS {name}" for name, kind in _DOCUMENT_COLUMNS.items())
        self.db.execute(f"INSERT INTO documents BY NAME SELECT {taken} FROM papers")
        self.db.unregister("papers")

    def file_strangers(self) -> None:
        """Files records that only the portal has under an agency: that of their code, else their unit's or sender's."""
        self._file("NOT exists_here")
        self.db.execute("UPDATE pairs SET t_limit_due_at = limit_due_at WHERE t_limit_due_at IS NULL"
                        " AND exists_there AND core = t_core")  # fmt: skip

    def _file(self, which: str) -> None:
        resolve = names.resolver()
        rows = self.db.execute(f"SELECT dossier, t_sender, t_unit FROM pairs WHERE {which}").fetchall()
        filed = {}
        for code, sender, unit in rows:
            part = agency_of_dossier(code)
            filed[code] = resolve(part) or part or unit or sender or ""
        if filed:
            self.db.register("filed", {"dossier": np.array(list(filed), object),
                                       "agency": np.array(list(filed.values()), object)})  # fmt: skip
            self.db.execute("UPDATE pairs SET agency = filed.agency::VARCHAR FROM filed"
                            " WHERE pairs.dossier = filed.dossier::VARCHAR")  # fmt: skip
            self.db.unregister("filed")

    def link(self, found: Sequence[Link]) -> None:
        """Gives linked records to their dossiers; both must be among the pairs, else nothing happens to the link.

        The first record, by code, becomes that of a dossier that has none; all others are its duplicates there.
        """
        db = self.db
        of_theirs = ", ".join(f'"{name}"' for name in _OF_THEIRS)
        sets = ", ".join(f'"{name}" = taken."{name}"' for name in _OF_THEIRS)
        db.register("given", {"record": np.array([record for record, _ in found], object),
                              "dossier": np.array([dossier for _, dossier in found], object)})  # fmt: skip
        db.execute(
            """
            CREATE OR REPLACE TEMP TABLE link AS
            SELECT g.record::VARCHAR AS record, g.dossier::VARCHAR AS of_dossier,
                   NOT d.exists_there AND row_number() OVER (PARTITION BY g.dossier ORDER BY g.record) = 1 AS first
            FROM given g JOIN pairs r ON r.dossier = g.record::VARCHAR JOIN pairs d ON d.dossier = g.dossier::VARCHAR
            """
        )
        db.unregister("given")
        records = f"SELECT of_dossier, dossier AS record, {of_theirs} FROM link JOIN pairs ON dossier = record"
        db.execute(f"INSERT INTO duplicates BY NAME {records} WHERE NOT first")
        db.execute(f"CREATE OR REPLACE TEMP TABLE taken AS {records} WHERE first")
        db.execute(f"UPDATE pairs SET {sets}, exists_there = true FROM taken WHERE pairs.dossier = taken.of_dossier")
        db.execute("UPDATE pairs SET t_duplicates = t_duplicates + more.n FROM (SELECT of_dossier, count(*) AS n"
                   " FROM link WHERE NOT first GROUP BY 1) more WHERE pairs.dossier = more.of_dossier")  # fmt: skip
        db.execute("UPDATE pairs SET linked_to = link.of_dossier FROM link WHERE pairs.dossier = link.record")

    def add_listed(self) -> None:
        """Rows for codes that only a published list has (table `stated`); the view `known` holds all others."""
        self.db.execute(
            "INSERT INTO pairs BY NAME SELECT dossier, '' AS procedure, '' AS core, '' AS field, '' AS source,"
            " max(unit) AS agency, max(unit_name) AS t_unit_name, max(unit) AS t_unit, false AS exists_here,"
            " false AS exists_there, '' AS linked_to, 0 AS t_duplicates,"
            " strftime(to_timestamp(coalesce(min(received_at), min(due_at), min(stated_at)) + 25200)"
            " AT TIME ZONE 'UTC', '%Y-%m') AS month"
            " FROM stated WHERE dossier NOT IN (SELECT dossier FROM known) GROUP BY dossier"
        )
        self._file("NOT exists_here AND NOT exists_there")

    def columns(self, table: str) -> Columns:
        """A table as columns in memory."""
        found: Columns = self.db.table(table).fetchnumpy()
        return found

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.db.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
