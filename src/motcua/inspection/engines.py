"""The engines that read the facts: DuckDB (embedded), Polars, Spark. The same expressions, the same answers.

An engine is given the folder of the facts. Base files are partitioned by month of receipt; one delta file
holds the rows that are newer, and wins over the base.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import narwhals as nw

from motcua.inspection import plans
from motcua.inspection.plans import Build, Frames
from motcua.inspection.verdicts import Scope
from motcua.rules.instants import Unreadable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ENGINES = ("duckdb", "polars", "spark")


class MissingEngine(Unreadable):
    """The engine asked for is an extra that is not installed."""


@dataclass(frozen=True, slots=True)
class Table:
    """Where one table of the facts lies: base files, the delta over them, and the key by which it wins."""

    base: tuple[str, ...]
    delta: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the newest extract wrote."""

    generation: int
    position: int
    at_s: int
    tables: Mapping[str, Table]
    marks: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def read(folder: Path) -> Manifest:
        """The manifest in a facts folder. Raises `Unreadable` where no extract has run."""
        file = folder / "manifest.json"
        if not file.exists():
            raise Unreadable("there are no facts yet: run `motcua extract` first")
        document = json.loads(file.read_text())
        tables = {name: Table(tuple(t["base"]), tuple(t["delta"]), t["key"]) for name, t in document["tables"].items()}
        return Manifest(document["generation"], document["position"], document["at"], tables, document.get("marks", {}))

    def write(self, folder: Path) -> None:
        """Replaces the manifest in one rename, so that a reader sees the old facts or the new."""
        document = {
            "generation": self.generation,
            "position": self.position,
            "at": self.at_s,
            "marks": dict(self.marks),
            "tables": {
                name: {"base": list(t.base), "delta": list(t.delta), "key": t.key} for name, t in self.tables.items()
            },
        }
        draft = folder / "manifest.json.new"
        draft.write_text(json.dumps(document, indent=1))
        draft.replace(folder / "manifest.json")


class Engine(Protocol):
    """What the bridge needs of an engine."""

    name: str

    def scan(self, files: list[str]) -> nw.LazyFrame[Any]:
        """The rows of these Parquet files, lazily."""
        ...

    def rows(self, columns: Mapping[str, Any], like: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Columns in memory as a frame of the shape of `like`."""
        ...

    def collect(self, frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
        """The rows of a frame as dictionaries, absent as None."""
        ...

    def each(self, frame: nw.LazyFrame[Any]) -> Iterator[dict[str, Any]]:
        """The same, one after another: a few thousand at once in memory. Nothing else is asked until they are read."""
        ...

    def planned(self, name: Hashable, frames: Frames, scope: Scope, build: Build) -> nw.LazyFrame[Any]:
        """`build(frames, scope)`, which `name` tells apart from every other: planned once where that is dear."""
        ...

    def kept(self, frame: nw.LazyFrame[Any]) -> AbstractContextManager[nw.LazyFrame[Any]]:
        """The rows of a frame computed once, for as long as the block runs: many questions read them."""
        ...


def table(engine: Engine, folder: Path, manifest: Manifest, name: str) -> nw.LazyFrame[Any]:
    """One table of the facts: the base without what the delta replaces, and the delta."""
    where = manifest.tables[name]
    base = engine.scan([str(folder / file) for file in where.base])
    if not where.delta:
        return base
    delta = engine.scan([str(folder / file) for file in where.delta])
    names = base.collect_schema().names()
    kept = base.join(delta.select(where.key), on=where.key, how="anti")
    return nw.concat([kept.select(names), delta.select(names)], how="vertical")


#: DuckDB's database in memory, one for a process: a database holds threads and a budget of memory of its own. A fork
#: makes its own, for threads do not survive it.
_DATABASES: dict[int, DuckDBPyConnection] = {}
_OPENING = Lock()
_MEMORY = "4GB"
_AT_ONCE = 10_000  # rows fetched


def _session() -> DuckDBPyConnection:
    """A session of the process's database: its temporary tables are its own, and end with it."""
    import duckdb

    with _OPENING:
        process = os.getpid()
        if process not in _DATABASES:
            _DATABASES[process] = duckdb.connect(
                config={
                    "autoinstall_known_extensions": False, "memory_limit": _MEMORY, "preserve_insertion_order": False,
                }
            )  # fmt: skip
        return _DATABASES[process].cursor()


class DuckDB:
    """The embedded default: no server, no pyarrow, out of core."""

    name = "duckdb"

    def __init__(self) -> None:
        self.connection = _session()
        self._named = count()

    def scan(self, files: list[str]) -> nw.LazyFrame[Any]:
        return nw.from_native(self.connection.read_parquet(files, hive_partitioning=False, union_by_name=True))

    def rows(self, columns: Mapping[str, Any], like: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        name = f"rows_{next(self._named)}"
        casts = ", ".join(
            f'"{column}"::{_DUCKDB_TYPES[str(kind)]} AS "{column}"' for column, kind in like.collect_schema().items()
        )
        self.connection.register(name, dict(columns))
        self.connection.execute(f"CREATE TEMP TABLE t_{name} AS SELECT {casts} FROM {name}")
        self.connection.unregister(name)
        return nw.from_native(self.connection.table(f"t_{name}"))

    def collect(self, frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
        relation = nw.to_native(frame)
        names = relation.columns
        return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]

    def each(self, frame: nw.LazyFrame[Any]) -> Iterator[dict[str, Any]]:
        relation = nw.to_native(frame)
        names = relation.columns
        answer = self.connection.execute(relation.sql_query())
        while part := answer.fetchmany(_AT_ONCE):
            for row in part:
                yield dict(zip(names, row, strict=True))

    def planned(self, name: Hashable, frames: Frames, scope: Scope, build: Build) -> nw.LazyFrame[Any]:
        rows = f"planned_{next(self._named)}_"
        columns = []
        for alias, frame in frames.items():
            native = nw.to_native(frame)
            columns.append((alias, *native.columns, *map(str, native.types)))
            self.connection.execute(f"CREATE TEMP VIEW {rows}{alias} AS {native.sql_query()}")

        def text(stood: Scope) -> str:
            views = {alias: nw.from_native(self.connection.view(f"{rows}{alias}")) for alias in frames}
            return str(nw.to_native(build(views, stood)).sql_query())

        sql = plans.sql(name, scope, tuple(columns), rows, text)
        return build(frames, scope) if sql is None else nw.from_native(self.connection.sql(sql))

    @contextmanager
    def kept(self, frame: nw.LazyFrame[Any]) -> Iterator[nw.LazyFrame[Any]]:
        name = f"kept_{next(self._named)}"
        self.connection.execute(f"CREATE TEMP TABLE {name} AS {nw.to_native(frame).sql_query()}")
        try:
            yield nw.from_native(self.connection.table(name))
        finally:
            self.connection.execute(f"DROP TABLE {name}")


_DUCKDB_TYPES = {"Int64": "BIGINT", "String": "VARCHAR", "Boolean": "BOOLEAN", "Int32": "INTEGER", "Int128": "BIGINT"}


class Polars:
    """A second engine for the same answers (extra `polars`)."""

    name = "polars"

    def __init__(self) -> None:
        try:
            import polars
        except ImportError:
            raise MissingEngine("the engine polars is an extra: pip install 'motcua[polars]'") from None
        self.polars = polars

    def scan(self, files: list[str]) -> nw.LazyFrame[Any]:
        return nw.from_native(self.polars.scan_parquet(files, hive_partitioning=False, missing_columns="insert"))

    def rows(self, columns: Mapping[str, Any], like: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        import numpy as np

        kinds = {"Int64": self.polars.Int64, "String": self.polars.String, "Boolean": self.polars.Boolean}
        data = {
            name: self.polars.Series(
                name,
                columns[name].tolist() if not np.ma.isMaskedArray(columns[name]) else columns[name].tolist(None),
                dtype=kinds[str(kind)],
            )
            for name, kind in like.collect_schema().items()
        }
        return nw.from_native(self.polars.DataFrame(data).lazy())

    def collect(self, frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
        collected: list[dict[str, Any]] = nw.to_native(frame).collect().to_dicts()
        return collected

    def each(self, frame: nw.LazyFrame[Any]) -> Iterator[dict[str, Any]]:
        yield from nw.to_native(frame).collect().iter_rows(named=True, buffer_size=_AT_ONCE)

    def planned(self, name: Hashable, frames: Frames, scope: Scope, build: Build) -> nw.LazyFrame[Any]:
        return build(frames, scope)

    @contextmanager
    def kept(self, frame: nw.LazyFrame[Any]) -> Iterator[nw.LazyFrame[Any]]:
        yield nw.from_native(nw.to_native(frame).collect().lazy())


class Spark:
    """Apache Spark, when one machine is outgrown (extra `spark`, Java 17).

    `MOTCUA_SPARK_MASTER` names a cluster; without it Spark runs on this machine. Raises `MissingEngine`.
    """

    name = "spark"

    def __init__(self) -> None:
        try:
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
        except ImportError:
            raise MissingEngine("the engine spark is an extra: pip install 'motcua[spark]', and Java 17") from None
        home = os.environ.get("JAVA_HOME")
        if shutil.which("java", path=f"{home}/bin" if home else None) is None:
            raise MissingEngine("the engine spark wants Java 17: apt-get install openjdk-17-jre-headless")
        master = os.environ.get("MOTCUA_SPARK_MASTER", "local[*]")
        building = (
            SparkSession.builder.master(master)
            .appName("motcua")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.log.level", "ERROR")
            .config("spark.sql.session.timeZone", "UTC")
        )
        if master.startswith("local"):
            # Spark asks the machine for its name and answers there; where that address is not reachable, results
            # of more than a megabyte are lost.
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            building = building.config("spark.driver.host", "127.0.0.1")
            building = building.config("spark.driver.bindAddress", "127.0.0.1")
            building = building.config("spark.sql.shuffle.partitions", "4")
        try:
            self.session = building.getOrCreate()
        except PySparkException as error:
            raise MissingEngine(f"the engine spark did not start with the Java of this machine: {error}") from None

    def scan(self, files: list[str]) -> nw.LazyFrame[Any]:
        return nw.from_native(self.session.read.option("mergeSchema", "true").parquet(*files))

    def rows(self, columns: Mapping[str, Any], like: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        import numpy as np
        from pyspark.sql.types import BooleanType, LongType, StringType, StructField, StructType

        kinds = {"Int64": LongType(), "String": StringType(), "Boolean": BooleanType()}
        schema = like.collect_schema()
        lists = [
            columns[name].tolist(None) if np.ma.isMaskedArray(columns[name]) else columns[name].tolist()
            for name in schema
        ]
        shape = StructType([StructField(name, kinds[str(kind)]) for name, kind in schema.items()])
        return nw.from_native(self.session.createDataFrame(list(zip(*lists, strict=True)), shape))

    def collect(self, frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
        return [row.asDict() for row in nw.to_native(frame).collect()]

    def each(self, frame: nw.LazyFrame[Any]) -> Iterator[dict[str, Any]]:
        for row in nw.to_native(frame).toLocalIterator():
            yield row.asDict()

    def planned(self, name: Hashable, frames: Frames, scope: Scope, build: Build) -> nw.LazyFrame[Any]:
        return build(frames, scope)

    @contextmanager
    def kept(self, frame: nw.LazyFrame[Any]) -> Iterator[nw.LazyFrame[Any]]:
        cached = nw.to_native(frame).cache()
        try:
            yield nw.from_native(cached)
        finally:
            cached.unpersist()


def engine(name: str) -> Engine:
    """The engine of this name. Raises `Unreadable`, `MissingEngine`."""
    match name:
        case "duckdb":
            return DuckDB()
        case "polars":
            return Polars()
        case "spark":
            return Spark()
    raise Unreadable(f"no engine {name!r}; there are: {', '.join(ENGINES)}")
