"""Early warning over 100,000 open dossiers: learning, a first look, one after 1,000 acts, and of one dossier.

Beside it, in the same run: the bare reading of the same rows and clocks (`ratio`), and the best naive forecast of the
back-test over the finished ones (`brier_ratio`: below 1, the estimate errs less).
"""

from __future__ import annotations

import csv
import os
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench.report import tell
from motcua.dossiers.importing.canonical import DOSSIER_COLUMNS, EVENT_COLUMNS

OPEN, DONE = int(os.environ.get("BENCH_OPEN", "100000")), int(os.environ.get("BENCH_DONE", "20000"))
#: In working order: who needs long goes through the last step more slowly.
_STEPS = ("Tiếp nhận", "Thẩm định", "Trình ký")


def write(folder: Path, now: datetime) -> tuple[Path, Path]:
    """Two canonical files: a year of finished dossiers, then those of the last two weeks, all open."""
    random = np.random.default_rng(9)
    heads = folder / "dossiers.csv", folder / "events.csv"
    with heads[0].open("w", newline="") as d, heads[1].open("w", newline="") as e:
        rows, acts = csv.writer(d), csv.writer(e)
        rows.writerow(DOSSIER_COLUMNS)
        acts.writerow(EVENT_COLUMNS)
        for n in range(DONE + OPEN):
            old = n < DONE
            received = now - (timedelta(days=380 - 360 * n / DONE) if old else timedelta(days=14 * random.random()))
            code, slow = f"H99.{n % 150:02}-260105-{n:07}", random.random() < 0.3
            rows.writerow((code, f"1.{n % 60:06}", f"H99.{n % 150}", "online", "", "", _iso(received), "10d", ""))
            at = received
            for step in _STEPS:
                at += timedelta(days=float(random.lognormal(0.9 if slow else 0.4, 0.5)))
                if at < now:
                    acts.writerow((code, "step_finished", _iso(at), "", "P1", "A1", step, "", "", "", ""))
            at += timedelta(days=float(random.lognormal(2.2 if slow else 0.8, 0.5)))
            if old and at < now:
                acts.writerow((code, "finished", _iso(at), *[""] * 8))
    return heads


def _iso(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat()


def _more(folder: Path, now: datetime, count: int) -> Path:
    file = folder / "more.csv"
    with file.open("w", newline="") as stream:
        acts = csv.writer(stream)
        acts.writerow(EVENT_COLUMNS)
        for n in range(DONE, DONE + count):
            code = f"H99.{n % 150:02}-260105-{n:07}"
            acts.writerow((code, "step_finished", _iso(now), "", "P1", "A1", "Trình ký", "", "", "", ""))
    return file


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["MOTCUA_HOME"] = str(folder / "home")
        now = datetime.now(UTC)
        files = write(folder, now)
        from motcua.cli.home import open_home

        home = open_home()
        from motcua.dossiers.importing.run import Order, import_files
        from motcua.inspection.forecast import backtest
        from motcua.inspection.ours import ours
        from motcua.oversight import extract, reading
        from motcua.oversight.reading import Choice
        from motcua.warning import keep, past, scan

        import_files(Order(files=files, home=home, at=now, create_missing=True))
        extract.run(home=home, at=now, full=True)
        found: dict[str, float] = {"open": OPEN, "finished": DONE}

        def timed(name: str, start: float) -> None:
            found[name] = time.perf_counter() - start

        start = time.perf_counter()
        keep.learn(home, at=now, by="bench")
        timed("learn_s", start)
        start = time.perf_counter()
        catalogue = reading.catalogue()
        for low in range(0, OPEN, 20_000):
            codes = [f"H99.{n % 150:02}-260105-{n:07}" for n in range(DONE + low, DONE + min(low + 20_000, OPEN))]
            ours(*reading.our_rows(Choice(codes=codes)), catalogue)
        timed("bare_read_s", start)
        start = time.perf_counter()
        found["warned"] = scan.run(home, at=now).warned
        timed("first_scan_s", start)
        import_files(Order(files=(_more(folder, now, 1_000),), home=home, at=now))
        extract.run(home=home, at=now)
        start = time.perf_counter()
        list(past.open_now(home))
        timed("read_after_1000_acts_s", start)
        start = time.perf_counter()
        scan.run(home, at=now + timedelta(minutes=30))
        timed("next_scan_s", start)
        start = time.perf_counter()
        scan.one(home, f"H99.{DONE % 150:02}-260105-{DONE:07}", at=now)
        timed("explain_s", start)
        start = time.perf_counter()
        report = backtest.run(past.learnable(now=now), splits=(0.1,))
        timed("backtest_s", start)
        found["brier_ratio"] = 1 - report["skill"]["brier"]["saved"]
        found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["ratio"] = found["first_scan_s"] / found["bare_read_s"]
    tell("warning", found)
    return found


if __name__ == "__main__":
    main()
