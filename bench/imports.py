"""Import of canonical CSV into SQLite beside the barest possible load, in the same run: events a second."""

from __future__ import annotations

import csv
import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.report import keep
from motcua.dossiers.importing.canonical import DOSSIER_COLUMNS, EVENT_COLUMNS

DOSSIERS, EACH = int(os.environ.get("BENCH_DOSSIERS", "50000")), 6


def write(folder: Path, dossiers: int) -> tuple[Path, Path]:
    """Two canonical files of dossiers with six events each, ordered by time as an export is."""
    heads = folder / "dossiers.csv", folder / "events.csv"
    start = datetime(2026, 1, 5, 1, tzinfo=UTC)
    with heads[0].open("w", newline="") as d, heads[1].open("w", newline="") as e:
        rows, acts = csv.writer(d), csv.writer(e)
        rows.writerow(DOSSIER_COLUMNS)
        acts.writerow(EVENT_COLUMNS)
        for n in range(dossiers):
            at = start + timedelta(minutes=n % 100_000)
            code = f"H99.{n % 150:02}-260105-{n:07}"
            procedure, agency = f"1.{n % 60:06}", f"H99.{n % 150}"
            rows.writerow((code, procedure, agency, "online", f"Người {n}", "", at.isoformat(), "5d", ""))
        for step in range(EACH):
            for n in range(dossiers):
                at = start + timedelta(minutes=n % 100_000, hours=3 * (step + 1))
                code = f"H99.{n % 150:02}-260105-{n:07}"
                kind = "finished" if step == EACH - 1 else "step_finished"
                acts.writerow((code, kind, at.isoformat(), "", "P1", f"A{n % 50}", f"Bước {step}" if kind != "finished"
                               else "", "", "", "", ""))  # fmt: skip
    return heads


@contextmanager
def province(dossiers: int) -> Iterator[tuple[Path, datetime]]:
    """A home that so many dossiers went into, and the instant at which they did; gone after the block."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MOTCUA_HOME"] = str(Path(scratch) / "home")
        files = write(Path(scratch), dossiers)
        from motcua.cli.home import open_home

        home, now = open_home(), datetime.now(UTC)
        from motcua.dossiers.importing.run import Order, import_files

        import_files(Order(files=files, home=home, at=now, create_missing=True))
        yield home, now


def write_returns(folder: Path, count: int) -> Path:
    """A file of one more event of each of the first dossiers: the result is handed over."""
    file = folder / "returns.csv"
    with file.open("w", newline="") as stream:
        acts = csv.writer(stream)
        acts.writerow(EVENT_COLUMNS)
        at = datetime(2026, 6, 1, 2, tzinfo=UTC)
        for n in range(count):
            code = f"H99.{n % 150:02}-260105-{n:07}"
            acts.writerow((code, "returned", (at + timedelta(minutes=n)).isoformat(), *[""] * 8))
    return file


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["MOTCUA_HOME"] = str(folder / "home")
        files = write(folder, DOSSIERS)
        from motcua.cli.home import open_home

        home = open_home()
        from motcua.dossiers.importing.run import Order, import_files

        start = time.perf_counter()
        with files[1].open() as stream, sqlite3.connect(folder / "bare.sqlite3") as bare:
            bare.execute("CREATE TABLE e(a,b,c,d,e,f,g,h,i,j,k)")
            bare.executemany("INSERT INTO e VALUES (?,?,?,?,?,?,?,?,?,?,?)", csv.reader(stream))
        plain = time.perf_counter() - start
        start = time.perf_counter()
        result = import_files(Order(files=files, home=home, at=datetime.now(UTC), create_missing=True))
        took = time.perf_counter() - start
    events = result.events
    assert events == DOSSIERS * EACH
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "events": events, "events_per_s": events / took, "bare_rows_per_s": events / plain, "ratio": took / plain,
        "peak_mib": peak,
    }  # fmt: skip
    print(f"import {figures['events_per_s']:,.0f} events/s; bare csv to sqlite {figures['bare_rows_per_s']:,.0f}/s; "
          f"{figures['ratio']:.1f} x; peak {peak:,.0f} MiB", file=sys.stdout)  # fmt: skip
    keep("imports", figures)
    return figures


if __name__ == "__main__":
    main()
