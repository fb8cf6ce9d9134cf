"""Brings the facts up to date: both sides of every dossier, side by side, as Parquet.

Incremental: dossiers whose log, record, steps or deliveries changed since the last run are read anew into a
delta file that wins over the base; a delta that has grown is folded into the base. Partitioned by month of
receipt. A run is seen whole or not at all: the manifest is replaced last.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from django.db import connections
from django.db.models import Max

from motcua.dossiers.models import DossierRow
from motcua.exchange.models import Delivery
from motcua.inspection import ours, theirs
from motcua.inspection.columns import Columns, masked
from motcua.inspection.engines import Manifest, Table
from motcua.inspection.ours import Catalogue
from motcua.ledger import cursors
from motcua.mirror import profiles
from motcua.mirror.models import Record, Refusal, Step
from motcua.oversight import reading
from motcua.oversight.models import Extract
from motcua.oversight.reading import Choice
from motcua.rules.instants import Unreadable, to_microseconds

#: Dossiers worked on at once.
CHUNK = 100_000
#: A delta of more than this share of the base is folded into it.
FOLD_AT = 0.05

_TYPES = {
    **dict.fromkeys(ours.TEXTS, "VARCHAR"),
    **dict.fromkeys((*ours.INSTANTS, *ours.NUMBERS), "BIGINT"),
    **dict.fromkeys(ours.FLAGS, "BOOLEAN"),
    **dict.fromkeys(theirs.TEXTS, "VARCHAR"),
    **dict.fromkeys((*theirs.INSTANTS, *theirs.NUMBERS), "BIGINT"),
    **dict.fromkeys(theirs.FLAGS, "BOOLEAN"),
}
#: Columns of the pairs beyond the two sides.
_EXTRA = ("exists_here", "exists_there", "month", "delivery", "delivery_message", "answer_delivery",
          "t_duplicates")  # fmt: skip
_TERMINAL = {"finished": 9, "returned": 10, "refused": 3, "stopped": 8, "withdrawn": 7}
_OF_THEIRS = (*theirs.TEXTS, *theirs.INSTANTS, *theirs.NUMBERS, *theirs.FLAGS)
_OF_OURS = (*ours.TEXTS, *ours.INSTANTS, *ours.NUMBERS, *ours.FLAGS)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    dossiers: int
    rows: int
    full: bool
    position: int


def facts_folder(home: Path) -> Path:
    """Where the facts lie."""
    return home / "facts"


def run(*, home: Path, at: datetime, full: bool = False, advance: Callable[[int], None] = lambda n: None) -> Report:
    """Extracts what changed since the last run, or everything. Returns what was written."""
    folder = facts_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        manifest = None if full else Manifest.read(folder)
    except Unreadable:
        manifest = None
    marks = _marks()
    position = cursors.head()
    if manifest is not None and not _intact(folder, manifest):
        manifest = None
    if manifest is None:
        report = _full(folder, 1 + _generation(folder), position, marks, at, advance)
    else:
        report = _incremental(folder, manifest, position, marks, at)
    Extract.objects.create(at=at, position=position, rows=report.rows, full=report.full)
    return report


def _generation(folder: Path) -> int:
    try:
        return Manifest.read(folder).generation
    except Unreadable:
        return 0


def _intact(folder: Path, manifest: Manifest) -> bool:
    return all((folder / file.split("*")[0]).exists() for t in manifest.tables.values() for file in t.base + t.delta)


def _marks() -> dict[str, int]:
    """How far every source has come; read before the rows, so that nothing falls between two runs."""

    def newest(query: Any, column: str) -> int:
        value = query.aggregate(m=Max(column))["m"]
        return to_microseconds(value) if isinstance(value, datetime) else int(value or 0)

    side = reading.their_side()
    return {
        "record": newest(Record.objects.filter(side=side), "message" if side == "held" else "stored_at"),
        "step": newest(Step.objects, "id"),
        "refusal": newest(Refusal.objects, "id"),
        "sent": newest(Delivery.objects, "sent_at"),
        "done": newest(Delivery.objects, "done_at"),
    }


def _changed(manifest: Manifest) -> set[str]:
    """The codes whose facts may differ from those of the last run."""
    marks, side = manifest.marks, reading.their_side()
    by_record = "message" if side == "held" else "stored_at"

    def codes(alias: str, sql: str, *values: Any) -> Iterable[str]:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql, values)
            return [row[0] for row in cursor.fetchall()]

    return {
        *codes("default", "SELECT DISTINCT dossier FROM ledger_event WHERE position > %s", manifest.position),
        *codes("mirror", f"SELECT code FROM mirror_record WHERE side = %s AND {by_record} > %s", side, marks["record"]),
        *codes("mirror", "SELECT DISTINCT code FROM mirror_step WHERE side = %s AND id > %s", side, marks["step"]),
        *codes("mirror", "SELECT DISTINCT code FROM mirror_refusal WHERE id > %s", marks["refusal"]),
        *codes("default", "SELECT DISTINCT dossier FROM exchange_delivery WHERE sent_at > %s OR done_at > %s",
               marks["sent"], marks["done"]),
    }  # fmt: skip


# ---- building ---------------------------------------------------------------------------------------------------


class Builder:
    """Rows of the facts in a scratch DuckDB database, until they are written."""

    def __init__(self, path: Path | None, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.side = reading.their_side()
        if path is not None:
            path.unlink(missing_ok=True)
        self.db = duckdb.connect(
            str(path) if path else ":memory:",
            config={"autoinstall_known_extensions": False, "preserve_insertion_order": False, "memory_limit": "3GB"},
        )
        columns = ", ".join(f'"{name}" {_TYPES[name]}' for name in (*_OF_OURS, *_OF_THEIRS))
        extra = ", ".join(
            f"{name} {'BOOLEAN' if name.startswith('exists') else 'BIGINT' if name == 't_duplicates' else 'VARCHAR'}"
            for name in _EXTRA
        )
        self.db.execute(f"CREATE TABLE pairs ({columns}, {extra})")
        self.db.execute("CREATE TABLE steps (dossier VARCHAR, month VARCHAR, side VARCHAR, seq BIGINT, kind VARCHAR,"
                        ' "at" BIGINT, recorded_at BIGINT, actor VARCHAR, unit VARCHAR, step VARCHAR)')  # fmt: skip
        self.db.execute("CREATE TABLE deliveries (dossier VARCHAR, seq BIGINT, status BIGINT, state VARCHAR,"
                        " message VARCHAR)")  # fmt: skip

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
        if known_at is not None:
            _forget(events, to_microseconds(known_at))
        mine = ours.ours(headers, events, self.catalogue, as_of=as_of, known_at=known_at)
        records, log = reading.their_rows(choice, self.side)
        his = theirs.theirs(records, log, self.catalogue, as_of=as_of, rule=profiles.current().rule)
        delivered = reading.deliveries(choice)
        self._insert_pairs(mine, his, delivered)
        if with_steps:
            self._insert_steps(headers, events, records, log)
        return len(set(headers.code) | set(records.code))

    def _insert_pairs(self, mine: Columns, his: Columns, delivered: Sequence[tuple[Any, ...]]) -> None:
        db = self.db
        columns = list(zip(*delivered, strict=True)) if delivered else [()] * 5
        given = {
            "dossier": np.array(columns[0], object),
            "seq": np.array(columns[1], np.int64),
            "status": np.array(columns[2], np.int64),
            "state": np.array(columns[3], object),
            "message": np.array(columns[4], object),
        }
        db.register("mine", mine)
        db.register("his", his)
        db.register("given", given)
        kinds = ", ".join(f"('{kind}', {status})" for kind, status in _TERMINAL.items())
        names = [*(f'm."{n}"' for n in _OF_OURS if n not in _FILLED), *(f'h."{n}"' for n in _OF_THEIRS)]
        plain = [n for n in _OF_OURS if n not in _FILLED] + list(_OF_THEIRS)
        db.execute("CREATE OR REPLACE TEMP TABLE g AS SELECT dossier::VARCHAR dossier, seq, status,"
                   " state::VARCHAR state, message::VARCHAR message FROM given")  # fmt: skip
        db.execute("INSERT INTO deliveries SELECT * FROM g")
        db.execute(
            f"""
            WITH terminal(kind, status) AS (VALUES {kinds}),
            m AS (SELECT mine.*, coalesce(terminal.status, 0) AS end_status FROM mine
                  LEFT JOIN terminal ON terminal.kind = mine.finish_kind::VARCHAR),
            d AS (SELECT m.dossier::VARCHAR AS code,
                         max_by(g.state, g.seq) AS state, max_by(g.message, g.seq) AS message
                  FROM m JOIN g ON g.dossier = m.dossier::VARCHAR
                       AND ((g.seq = m.finish_seq AND m.finish_seq > 0)
                            OR (g.seq = 0 AND g.status = m.end_status AND m.end_status > 0))
                  GROUP BY 1),
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
                   d.state AS delivery, d.message AS delivery_message, a.state AS answer_delivery,
                   0 AS t_duplicates
            FROM m FULL OUTER JOIN his h ON h.t_code::VARCHAR = m.dossier::VARCHAR
            LEFT JOIN d ON d.code = m.dossier::VARCHAR LEFT JOIN a ON a.code = m.dossier::VARCHAR
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
                "actor": names[events.actor],
                "unit": names[events.unit],
                "step": names[events.step],
            }
            self.db.register("mine", mine)
            self.db.execute(
                "INSERT INTO steps SELECT dossier::VARCHAR, '', 'ours', seq, kind::VARCHAR, \"at\", recorded_at,"
                " actor::VARCHAR, unit::VARCHAR, step::VARCHAR FROM mine"
            )
            self.db.unregister("mine")
        if len(log.at):
            seconds = np.where(log.at == np.iinfo(np.int64).min, log.at, log.at // 1_000_000)
            his = {"dossier": np.array(records.code, object)[log.record], "status": log.status, "at": masked(seconds)}
            self.db.register("his", his)
            self.db.execute(
                "INSERT INTO steps SELECT dossier::VARCHAR, '', 'theirs', 0, status::VARCHAR, \"at\", NULL, '', '', ''"
                " FROM his"
            )
            self.db.unregister("his")

    def finish(self) -> None:
        """Files records that only the portal has under an agency, and gives the months to the steps."""
        agencies = _agencies_there(self.db)
        if agencies:
            self.db.execute("CREATE OR REPLACE TEMP TABLE filed(dossier VARCHAR, agency VARCHAR)")
            self.db.executemany("INSERT INTO filed VALUES (?, ?)", agencies)
            self.db.execute("UPDATE pairs SET agency = filed.agency FROM filed WHERE pairs.dossier = filed.dossier")
        self.db.execute("UPDATE pairs SET t_limit_due_at = limit_due_at WHERE t_limit_due_at IS NULL"
                        " AND exists_there AND core = t_core")  # fmt: skip


def _count(db: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(db.execute(sql).fetchall()[0][0])


#: Columns of ours that a row of the portal alone fills too.
_FILLED = ("dossier", "procedure", "core", "field", "agency", "source")


def _forget(events: Any, known_at: int) -> None:
    """Drops the events that had not arrived by then."""
    kept = events.stored_at <= known_at
    rows = np.flatnonzero(kept)
    renumbered = {int(old): new for new, old in enumerate(rows.tolist())}
    events.bodies = {renumbered[row]: body for row, body in events.bodies.items() if row in renumbered}
    for name in ("dossier", "seq", "kind", "at", "recorded_at", "stored_at", "actor", "unit", "step"):
        setattr(events, name, getattr(events, name)[kept])


def _agencies_there(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Under which agency a record that we do not have is counted: the agency part of its code, else its sender."""
    from motcua.catalogue import names
    from motcua.wire.codes import agency_of_dossier

    resolve = names.resolver()
    filed = []
    rows = db.execute("SELECT dossier, t_sender, t_unit FROM pairs WHERE NOT exists_here").fetchall()
    for code, sender, unit in rows:
        part = agency_of_dossier(code)
        filed.append((code, resolve(part) or part or unit or sender or ""))
    return filed


# ---- links: records under another code --------------------------------------------------------------------------


def link(db: duckdb.DuckDBPyConnection, pairs: str) -> tuple[list[tuple[str, str]], set[str]]:
    """Which records of the portal are further records of a dossier of ours.

    By a stored alternative code, else by procedure, owner and second of receipt. Returns (record, dossier)
    pairs. `pairs` names the table or view of all pairs.
    """
    lonely = f"SELECT dossier, t_core, t_owner, t_received_at FROM {pairs} WHERE NOT exists_here AND exists_there"
    alternatives = reading.alternative_codes()
    db.execute("CREATE OR REPLACE TEMP TABLE alternative(code VARCHAR, dossier VARCHAR)")
    if alternatives:
        db.executemany("INSERT INTO alternative VALUES (?, ?)", alternatives)
    found = db.execute(
        f"""
        WITH lonely AS ({lonely}),
        by_code AS (SELECT l.dossier AS record, a.dossier FROM lonely l JOIN alternative a ON a.code = l.dossier),
        rest AS (SELECT * FROM lonely WHERE dossier NOT IN (SELECT record FROM by_code)
                 AND coalesce(t_owner, '') <> ''),
        by_facts AS (SELECT r.dossier AS record, min(p.dossier) AS dossier
                     FROM rest r JOIN {pairs} p ON p.exists_here AND p.core = r.t_core AND p.owner = r.t_owner
                          AND p.received_at = r.t_received_at
                     GROUP BY 1 HAVING count(*) = 1)
        SELECT * FROM by_code UNION ALL SELECT * FROM by_facts ORDER BY 1
        """
    ).fetchall()
    return found, {record for record, _ in found}


def _apply_links(db: duckdb.DuckDBPyConnection) -> None:
    """Moves linked records to their dossiers: the first becomes its record, the others are duplicates there."""
    found, _ = link(db, "pairs")
    of_theirs = ", ".join(f'"{name}"' for name in _OF_THEIRS)
    db.execute(f"CREATE OR REPLACE TABLE duplicates AS SELECT dossier AS of_dossier, dossier AS record, {of_theirs}"
               " FROM pairs LIMIT 0")  # fmt: skip
    for record, dossier in found:
        has = db.execute("SELECT exists_there FROM pairs WHERE dossier = ?", [dossier]).fetchall()
        if has and not has[0][0]:
            sets = ", ".join(f'"{name}" = s."{name}"' for name in _OF_THEIRS)
            db.execute(
                f"UPDATE pairs SET {sets}, exists_there = true FROM (SELECT * FROM pairs WHERE dossier = ?) s"
                " WHERE pairs.dossier = ?",
                [record, dossier],
            )
        else:
            db.execute(
                f"INSERT INTO duplicates SELECT ?, dossier, {of_theirs} FROM pairs WHERE dossier = ?",
                [dossier, record],
            )
            db.execute("UPDATE pairs SET t_duplicates = t_duplicates + 1 WHERE dossier = ?", [dossier])
        db.execute("DELETE FROM pairs WHERE dossier = ? AND NOT exists_here", [record])


# ---- writing ----------------------------------------------------------------------------------------------------


def _ranges(codes: Sequence[str]) -> Iterator[Choice]:
    """Ranges of codes that cover everything, about CHUNK dossiers each."""
    bounds: list[str | None] = [None, *codes, None]
    for low, high in pairwise(bounds):
        yield Choice(low, high)


def _bounds() -> list[str]:
    """Every CHUNK-th code of the larger side."""
    counts = (DossierRow.objects.count(), Record.objects.count())
    query = DossierRow.objects if counts[0] >= counts[1] else Record.objects
    codes = query.order_by("code").values_list("code", flat=True)
    return [codes[n] for n in range(CHUNK, max(counts), CHUNK)] if max(counts) > CHUNK else []


def _full(
    folder: Path, generation: int, position: int, marks: dict[str, int], at: datetime, advance: Callable[[int], None]
) -> Report:
    scratch = folder / "build.duckdb"
    builder = Builder(scratch, reading.catalogue())
    dossiers = 0
    rows = 0
    for choice in _ranges(_bounds()):
        done = builder.add(choice)
        dossiers += done
        advance(done)
    builder.finish()
    _apply_links(builder.db)
    builder.db.execute("UPDATE steps SET month = pairs.month FROM pairs WHERE pairs.dossier = steps.dossier")
    tables: dict[str, Table] = {}
    for name, key in (("pairs", "dossier"), ("steps", "dossier"), ("deliveries", "dossier"), ("duplicates", "record")):
        tables[name] = _write_base(builder.db, folder, name, generation, key)
        rows += _count(builder.db, f"SELECT count(*) FROM {name}")
    builder.db.close()
    scratch.unlink(missing_ok=True)
    _publish(folder, Manifest(generation, position, int(at.timestamp()), tables, marks))
    return Report(dossiers, rows, True, position)


def _write_base(db: duckdb.DuckDBPyConnection, folder: Path, name: str, generation: int, key: str) -> Table:
    target = folder / name / f"g{generation}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if name in ("pairs", "steps") and _count(db, f"SELECT count(*) FROM {name}"):
        db.execute(
            f"COPY {name} TO '{target}' (FORMAT parquet, PARTITION_BY (month), WRITE_PARTITION_COLUMNS true,"
            " OVERWRITE_OR_IGNORE)"
        )
        return Table((f"{name}/g{generation}/*/*.parquet",), (), key)
    db.execute(f"COPY {name} TO '{target}/all.parquet' (FORMAT parquet)")
    return Table((f"{name}/g{generation}/all.parquet",), (), key)


def _incremental(folder: Path, manifest: Manifest, position: int, marks: dict[str, int], at: datetime) -> Report:
    changed = _changed(manifest)
    if not changed:
        _publish(folder, Manifest(manifest.generation, position, int(at.timestamp()), manifest.tables, marks))
        return Report(0, 0, False, position)
    total = DossierRow.objects.count()
    if len(changed) > max(FOLD_AT * total, 5_000) or _has_links(folder, manifest, changed):
        return _full(folder, manifest.generation + 1, position, marks, at, lambda n: None)
    generation = manifest.generation + 1
    builder = Builder(None, reading.catalogue())
    codes = sorted(changed)
    for start in range(0, len(codes), 500):
        builder.add(Choice(codes=codes[start : start + 500]))
    builder.finish()
    db = builder.db
    db.execute("UPDATE steps SET month = pairs.month FROM pairs WHERE pairs.dossier = steps.dossier")
    if _count(db, "SELECT count(*) FROM pairs WHERE NOT exists_here"):
        db.close()
        return _full(folder, generation, position, marks, at, lambda n: None)
    tables: dict[str, Table] = {}
    rows = 0
    for name in ("pairs", "steps", "deliveries"):
        before = manifest.tables[name]
        for file in before.delta:
            db.execute(
                f"INSERT INTO {name} BY NAME SELECT * FROM read_parquet('{folder / file}')"
                f" WHERE dossier NOT IN (SELECT unnest(?))",
                [codes],
            )
        target = folder / name / f"delta{generation}.parquet"
        db.execute(f"COPY {name} TO '{target}' (FORMAT parquet)")
        rows += _count(db, f"SELECT count(*) FROM {name}")
        tables[name] = Table(before.base, (f"{name}/delta{generation}.parquet",), before.key)
    tables["duplicates"] = manifest.tables["duplicates"]
    waiting = _count(db, "SELECT count(*) FROM pairs")
    db.close()
    if waiting > max(FOLD_AT * total, 20_000):
        return _full(folder, generation, position, marks, at, lambda n: None)
    _publish(folder, Manifest(generation, position, int(at.timestamp()), tables, marks))
    return Report(len(codes), rows, False, position)


def _has_links(folder: Path, manifest: Manifest, changed: set[str]) -> bool:
    """Whether a changed dossier has further records there: then the links are found anew over everything."""
    files = [str(folder / file) for file in manifest.tables["duplicates"].base]
    with duckdb.connect() as db:
        rows = db.execute("SELECT of_dossier, record FROM read_parquet(?)", [files]).fetchall()
    return any(code in changed for row in rows for code in row)


def _publish(folder: Path, manifest: Manifest) -> None:
    """Shows the new facts, then removes files that no manifest names any more."""
    manifest.write(folder)
    named = {file.split("/*")[0] for t in manifest.tables.values() for file in (*t.base, *t.delta)}
    for name in ("pairs", "steps", "deliveries", "duplicates"):
        for entry in (folder / name).glob("*"):
            relative = f"{name}/{entry.name}"
            if relative not in named and not any(file.startswith(relative + "/") for file in named):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
