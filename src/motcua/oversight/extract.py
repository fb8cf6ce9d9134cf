"""Brings the facts up to date: both sides of every dossier, side by side, as Parquet.

Incremental: dossiers whose log, record, steps, deliveries or terms changed since the last run are read anew into
a delta file that wins over the base; a delta that has grown is folded into the base. Partitioned by month of
receipt. A run is seen whole or not at all: the manifest is replaced last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
from django.db import connections
from django.db.models import Max

from motcua.dossiers.models import HALF_DONE, DossierRow, Load
from motcua.exchange.models import Delivery
from motcua.inspection.engines import Manifest, Table
from motcua.inspection.ours import Catalogue
from motcua.ledger import cursors
from motcua.mirror.models import Record, Refusal, Step
from motcua.oversight import links, published, reading, reference, terms
from motcua.oversight.models import DueChange, Extract
from motcua.oversight.pairs import SHAPE, TABLES, Builder
from motcua.oversight.reading import Choice
from motcua.payments.models import Payment
from motcua.rules.instants import Unreadable, from_microseconds, to_microseconds

#: Dossiers worked on at once.
CHUNK = 50_000
#: More changes, or a delta of more rows, than this share of all dossiers is a full run's work, from so many on.
FOLD_AT, FOLD_FLOOR = 0.05, 20_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    dossiers: int
    rows: int
    full: bool
    position: int
    due_changes: int = 0


def facts_folder(home: Path) -> Path:
    """Where the facts lie."""
    return home / "facts"


def is_there(home: Path) -> bool:
    """Whether a home has facts of this shape."""
    return _published(facts_folder(home)) is not None


def _in_turn(run: Callable[..., Report]) -> Callable[..., Report]:
    """One run at a time on a home: the worker, a command and a page that waits for its verdict may come together."""

    @wraps(run)
    def alone(*, home: Path, **more: Any) -> Report:
        folder = facts_folder(home)
        folder.mkdir(parents=True, exist_ok=True)
        turn = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            return run(home=home, **more)
        finally:
            os.close(turn)

    return alone


@_in_turn
def run(
    *,
    home: Path,
    at: datetime,
    full: bool = False,
    afresh: bool = False,
    advance: Callable[[int], None] = lambda n: None,
) -> Report:
    """Extracts what changed since the last run, or everything. Returns what was written.

    `afresh`: everything, and the facts before are of another history, with which nothing is compared.
    While a load is neither in nor out the facts stay as they are: no figure counts half of it.
    """
    folder = facts_folder(home)
    if Load.objects.filter(state__in=HALF_DONE).exists():
        return Report(0, 0, False, cursors.head())
    folder.mkdir(parents=True, exist_ok=True)
    before = None if afresh else _published(folder)
    catalogue = reading.catalogue()
    # Marks are read before the rows, so that nothing falls between two runs.
    work = _Run(folder, catalogue, at, cursors.head(), _marks(catalogue), before, advance)
    report = None if full or before is None else work.incremental(before)
    if report is None:
        report = work.full()
    Extract.objects.create(at=at, position=report.position, rows=report.rows, full=report.full)
    return report


def _published(folder: Path) -> Manifest | None:
    """What the last run wrote, if it is all there and of this shape."""
    try:
        manifest = Manifest.read(folder)
    except Unreadable:
        return None
    files = [file for table in manifest.tables.values() for file in (*table.base, *table.delta)]
    there = all((folder / file.split("*")[0]).exists() for file in files)
    return manifest if there and manifest.marks.get("shape") == SHAPE else None


def _marks(catalogue: Catalogue) -> dict[str, Any]:
    """How far every source has come, and what the clock's terms were."""

    def newest(query: Any, column: str) -> int:
        value = query.aggregate(m=Max(column))["m"]
        return to_microseconds(value) if isinstance(value, datetime) else int(value or 0)

    side = reading.their_side()
    return {
        "shape": SHAPE,
        "side": side,
        "record": newest(Record.objects.filter(side=side), _record_mark(side)),
        "step": newest(Step.objects, "id"),
        "refusal": newest(Refusal.objects, "id"),
        "sent": newest(Delivery.objects, "sent_at"),
        "done": newest(Delivery.objects, "done_at"),
        "paid": newest(Payment.objects.filter(state=Payment.State.PAID), "known_at"),
        "reference": reference.mark(catalogue),
        "terms": terms.marks(catalogue),
        "published": published.mark(),
        "withdrawn": Load.objects.filter(state=Load.State.WITHDRAWN).count(),
    }


def _record_mark(side: str) -> str:
    return "message" if side == "held" else "stored_at"


def _changed(manifest: Manifest) -> set[str]:
    """The codes about which anything arrived since the last run."""
    marks, side = manifest.marks, reading.their_side()

    def codes(alias: str, sql: str, *values: Any) -> Iterable[str]:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql, values)
            return [row[0] for row in cursor.fetchall()]

    records = f"SELECT code FROM mirror_record WHERE side = %s AND {_record_mark(side)} > %s"
    return {
        *codes("default", "SELECT dossier FROM ledger_event WHERE position > %s", manifest.position),
        *codes("mirror", records, side, marks["record"]),
        *codes("mirror", "SELECT code FROM mirror_step WHERE side = %s AND id > %s", side, marks["step"]),
        *codes("mirror", "SELECT code FROM mirror_refusal WHERE id > %s", marks["refusal"]),
        *codes("default", "SELECT dossier FROM exchange_delivery WHERE sent_at > %s", marks["sent"]),
        *codes("default", "SELECT dossier FROM exchange_delivery WHERE done_at > %s", marks["done"]),
        *codes("default", "SELECT dossier FROM payments_payment WHERE known_at > %s", marks["paid"]),
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: where it writes, and what it found when it began."""

    folder: Path
    catalogue: Catalogue
    at: datetime
    position: int
    marks: dict[str, Any]
    before: Manifest | None
    advance: Callable[[int], None]

    @property
    def generation(self) -> int:
        """Of the files that this run writes."""
        try:
            return 1 + Manifest.read(self.folder).generation
        except Unreadable:
            return 1

    # ---- everything ------------------------------------------------------------------------------------------------

    def full(self) -> Report:
        """Every dossier anew."""
        scratch = self.folder / "build.duckdb"
        builder = Builder(scratch, self.catalogue)
        dossiers = 0
        for choice in _ranges(_bounds()):
            done = builder.add(choice)
            dossiers += done
            self.advance(done)
        builder.file_strangers()
        links.load_alternatives(builder.db)
        builder.link(links.find(builder.db, "pairs", "pairs"))
        builder.db.execute("CREATE VIEW known AS SELECT dossier FROM pairs")
        listed = self._write_published(builder)
        moved = 0
        if self.before is not None and self._terms_changed():
            builder.db.execute(f"CREATE VIEW published AS {newest(self.folder, self.before, 'pairs')}")
            moved = self._log_moved_dues(builder.db)
        builder.db.execute("UPDATE steps SET month = pairs.month FROM pairs WHERE pairs.dossier = steps.dossier")
        rows = sum(builder.count(name) for name in TABLES)
        tables = {name: self._write_base(builder, name) for name in TABLES} | {"published": listed}
        tables |= self._write_reference(builder.db)
        builder.db.close()
        scratch.unlink(missing_ok=True)
        self._publish(tables)
        return Report(dossiers, rows, True, self.position, moved)

    def _terms_changed(self) -> bool:
        return self.before is not None and self.before.marks["terms"] != self.marks["terms"]

    # ---- what changed ----------------------------------------------------------------------------------------------

    def incremental(self, before: Manifest) -> Report | None:
        """Only what changed, or None where that is so much that a full run is the shorter way."""
        if before.marks["side"] != self.marks["side"] or not terms.comparable(before.marks["terms"]):
            return None
        if before.marks.get("withdrawn", 0) != self.marks["withdrawn"]:
            return None  # a dossier that is gone leaves no row by which a delta could replace it
        changed = _changed(before)
        if not changed and not self._terms_changed() and before.marks["published"] == self.marks["published"]:
            with duckdb.connect() as db:
                self._publish({**before.tables, **self._reference(db, before)})
            return Report(0, 0, False, self.position)
        builder = Builder(None, self.catalogue)
        db = builder.db
        db.execute(f"CREATE VIEW published AS {newest(self.folder, before, 'pairs')}")
        links.load_alternatives(db)
        changed |= terms.affected(db, before.marks["terms"], self.marks["terms"])
        limit = max(FOLD_AT * DossierRow.objects.count(), FOLD_FLOOR)
        codes: set[str] = set()
        while changed and len(codes) + len(changed) <= limit:
            builder.add_codes(changed)
            codes |= changed
            changed = links.related(db, "pairs", "published") - codes
        if changed:
            db.close()
            return None
        builder.file_strangers()
        builder.link(links.find(db, "pairs", "pairs"))
        db.execute("CREATE VIEW known AS SELECT dossier FROM pairs UNION SELECT dossier FROM published")
        listed = self._write_published(builder)
        moved = self._log_moved_dues(db) if self._terms_changed() else 0
        db.execute("UPDATE steps SET month = pairs.month FROM pairs WHERE pairs.dossier = steps.dossier")
        rows = sum(builder.count(name) for name in TABLES)
        db.execute("CREATE TABLE rebuilt AS SELECT unnest(?) AS dossier", [sorted(codes)])
        tables = {
            name: self._write_delta(builder, before, name) for name in ("pairs", "steps", "deliveries", "documents")
        }
        tables |= {"duplicates": self._rewrite_duplicates(builder, before), "published": listed}
        tables |= self._reference(builder.db, before)
        waiting = builder.count("pairs")
        db.close()
        if waiting > limit:
            return None
        self._publish(tables)
        return Report(len(codes), rows, False, self.position, moved)

    def _log_moved_dues(self, db: duckdb.DuckDBPyConnection) -> int:
        """Keeps which open dossiers have another due instant though nothing was recorded of them since.

        So a calendar or a published limit corrected afterwards leaves its trace. Source: architecture §5.
        """
        assert self.before is not None
        rows = db.execute(
            "SELECT n.dossier, n.agency, e.due_0, n.due_0 FROM pairs n JOIN published e USING (dossier)"
            " WHERE n.exists_here AND n.finish_at IS NULL AND n.received_at IS NOT NULL"
            " AND n.last_seq = e.last_seq AND n.due_0 IS DISTINCT FROM e.due_0 ORDER BY 1"
        ).fetchall()

        def instant(seconds: int | None) -> datetime | None:
            return None if seconds is None else from_microseconds(seconds * 1_000_000)

        DueChange.objects.bulk_create(
            [DueChange(dossier=code, agency=agency, found_at=self.at, before_at=instant(old), after_at=instant(new))
             for code, agency, old, new in rows],
            batch_size=1_000,
        )  # fmt: skip
        return len(rows)

    # ---- writing ---------------------------------------------------------------------------------------------------

    def _write_base(self, builder: Builder, name: str) -> Table:
        target = self.folder / name / f"g{self.generation}"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        if name in ("pairs", "steps") and builder.count(name):
            builder.db.execute(
                f"COPY {name} TO '{_quoted(target)}' (FORMAT parquet, PARTITION_BY (month),"
                " WRITE_PARTITION_COLUMNS true, OVERWRITE_OR_IGNORE)"
            )
            return Table((f"{name}/g{self.generation}/*/*.parquet",), (), TABLES[name])
        builder.db.execute(f"COPY {name} TO '{_quoted(target / 'all.parquet')}' (FORMAT parquet)")
        return Table((f"{name}/g{self.generation}/all.parquet",), (), TABLES[name])

    def _write_delta(self, builder: Builder, before: Manifest, name: str) -> Table:
        """The rebuilt rows, and those of the last delta that they do not replace."""
        table = before.tables[name]
        for file in table.delta:
            builder.db.execute(
                f"INSERT INTO {name} BY NAME SELECT d.* FROM read_parquet('{_quoted(self.folder / file)}') d"
                " ANTI JOIN rebuilt USING (dossier)"
            )
        written = f"{name}/delta{self.generation}.parquet"
        builder.db.execute(f"COPY {name} TO '{_quoted(self.folder / written)}' (FORMAT parquet)")
        return Table(table.base, (written,), table.key)

    def _rewrite_duplicates(self, builder: Builder, before: Manifest) -> Table:
        """All duplicates anew: they are few, and a link may also have gone."""
        builder.db.execute(
            f"INSERT INTO duplicates BY NAME SELECT d.* FROM ({newest(self.folder, before, 'duplicates')}) d"
            " WHERE d.record NOT IN (FROM rebuilt) AND d.of_dossier NOT IN (FROM rebuilt)"
        )
        return self._write_base(builder, "duplicates")

    def _write_published(self, builder: Builder) -> Table:
        """What published lists state, by dossier; a code that neither side knows gets a row of its own in the pairs."""
        db = builder.db
        db.register("listed", published.columns())
        db.execute(
            """
            CREATE TEMP TABLE stated AS
            SELECT coalesce(k.dossier, a.dossier, o.dossier, l.code::VARCHAR) AS dossier, l.list,
                   l.measure::VARCHAR AS measure, l.about::VARCHAR AS about, l.stated_at, l.late, l.received_at,
                   l.due_at, l.finished_at, l.has_due, l.has_finish,
                   l.unit::VARCHAR AS unit, l.unit_name::VARCHAR AS unit_name
            FROM listed l
            LEFT JOIN known k ON k.dossier = l.code::VARCHAR
            LEFT JOIN alternative a ON a.code = l.code::VARCHAR
            LEFT JOIN known o ON o.dossier = l.other::VARCHAR
            """
        )
        db.unregister("listed")
        builder.add_listed()
        target = self.folder / "published" / f"g{self.generation}"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        db.execute(f"COPY (SELECT * EXCLUDE (unit, unit_name) FROM stated) TO '{_quoted(target / 'all.parquet')}'"
                   " (FORMAT parquet)")  # fmt: skip
        return Table((f"published/g{self.generation}/all.parquet",), (), "dossier")

    def _reference(self, db: duckdb.DuckDBPyConnection, before: Manifest) -> dict[str, Table]:
        """The reference tables of the facts as they are, or anew where what they are made of changed."""
        if before.marks.get("reference") == self.marks["reference"]:
            return {name: before.tables[name] for name in reference.TABLES}
        return self._write_reference(db)

    def _write_reference(self, db: duckdb.DuckDBPyConnection) -> dict[str, Table]:
        tables: dict[str, Table] = {}
        for name, columns in reference.tables(self.catalogue, self.at).items():
            target = self.folder / name / f"g{self.generation}"
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            db.register("given", columns)
            taken = ", ".join(f'"{column}"::{kind} AS "{column}"' for column, kind in reference.TABLES[name].items())
            db.execute(f"COPY (SELECT {taken} FROM given) TO '{_quoted(target / 'all.parquet')}' (FORMAT parquet)")
            db.unregister("given")
            tables[name] = Table((f"{name}/g{self.generation}/all.parquet",), (), "")
        return tables

    def _publish(self, tables: Mapping[str, Table]) -> None:
        """Shows the new facts, then removes files that neither they nor the facts before them name.

        Whoever read the manifest before may still be reading its files.
        """
        Manifest(self.generation, self.position, int(self.at.timestamp()), tables, self.marks).write(self.folder)
        kept = [*tables.values(), *(self.before.tables.values() if self.before else ())]
        named = {file.split("/*")[0] for t in kept for file in (*t.base, *t.delta)}
        for name in tables:
            for entry in (self.folder / name).glob("*"):
                relative = f"{name}/{entry.name}"
                if relative not in named and not any(file.startswith(relative + "/") for file in named):
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _quoted(path: Path) -> str:
    """A path inside a text of SQL."""
    return str(path).replace("'", "''")


def newest(folder: Path, manifest: Manifest, name: str) -> str:
    """The SQL that reads a published table: the base without what the delta replaces, and the delta."""
    table = manifest.tables[name]

    def read(files: Sequence[str]) -> str:
        listed = ", ".join(f"'{_quoted(folder / file)}'" for file in files)
        return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"

    if not table.delta:
        return f"SELECT * FROM {read(table.base)}"
    return (
        f"SELECT b.* FROM {read(table.base)} b ANTI JOIN {read(table.delta)} d USING ({table.key})"
        f" UNION ALL BY NAME SELECT * FROM {read(table.delta)}"
    )


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
