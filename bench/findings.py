"""A scan's signs held against 200,000 findings, beside a bare set difference in DuckDB, in the same run.

Three scans of the same province: the first opens all, the second sees the same; in the third, of a hundred signs one
has other facts, two are gone and one is new. The peer knows keys and digests alone, from a file to a file: no life, no
acts, no database that a page may ask meanwhile.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from bench.report import tell

FINDINGS = int(os.environ.get("BENCH_FINDINGS", "200000"))
_CHECKS = ("late_entry", "entered_late", "update_not_sent", "closed_early_there")


def signs(turn: int) -> Iterator[Any]:
    """What the scan of a turn sees, one after another."""
    from motcua.inspection.signs import Sign

    for n in range(FINDINGS):
        share = n % 100
        if turn == 2 and share == 0:
            continue
        other = turn == 2 and share == 1
        code = f"H99.{n % 150}-260105-{n // 4 + (FINDINGS if turn == 2 and share == 2 else 0):07}"
        evidence = {"due_0": "2026-03-09T17:00:00+07:00", "finish_at": "2026-03-10T10:00:00+07:00",
                    "finish_recorded_at": f"2026-03-{11 + other}T08:30:00+07:00", "t_status": "9"}  # fmt: skip
        yield Sign(check=_CHECKS[n % 4], subject=code, agency=f"H99.{n % 150}", evidence=evidence)


def _peer(scratch: Path) -> float:
    """New, changed and gone keys by two anti-joins and a join, from Parquet to Parquet."""
    from motcua.findings.spool import digest

    with duckdb.connect() as db:
        for turn in (1, 2):
            file = scratch / f"{turn}.csv"
            with file.open("w") as out:
                out.write("code,subject,digest\n")
                out.writelines(f"{one.check},{one.subject},{digest(one)}\n" for one in signs(turn))
            db.execute(f"COPY (FROM read_csv('{file}')) TO '{scratch}/{turn}.parquet' (FORMAT parquet)")
        start = time.perf_counter()
        a, b = (f"read_parquet('{scratch}/{turn}.parquet')" for turn in (1, 2))
        db.execute(
            f"COPY (SELECT 'new' AS what, b.* FROM {b} b ANTI JOIN {a} a USING (code, subject) UNION ALL"
            f" SELECT 'gone', a.* FROM {a} a ANTI JOIN {b} b USING (code, subject) UNION ALL"
            f" SELECT 'changed', b.* FROM {b} b JOIN {a} a USING (code, subject) WHERE a.digest <> b.digest)"
            f" TO '{scratch}/difference.parquet' (FORMAT parquet)"
        )
        return time.perf_counter() - start


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MOTCUA_HOME"] = f"{scratch}/home"
        from motcua.cli.home import open_home

        home = open_home()
        from motcua.findings import update
        from motcua.oversight import scan

        library = scan.library()
        update._told_now = lambda *_: {}  # what the data say of a dossier now is asked of facts, which are not here
        found: dict[str, float] = {"findings": FINDINGS}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for turn, name in ((0, "open_all"), (1, "same_again"), (2, "four_in_a_hundred")):
            start = time.perf_counter()
            done = update.settle(home, signs(turn), seen=_CHECKS, library=library, at=datetime.now(UTC))
            found[f"{name}_s"] = time.perf_counter() - start
            found[f"{name}_touched"] = done.opened + done.changed + done.closed + done.reopened
            found[f"{name}_peak_mib_more"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
        found["signs_per_s_same_again"] = FINDINGS / found["same_again_s"]
        found["peer_difference_s"] = _peer(Path(scratch))
    found["ratio"] = found["same_again_s"] / found["peer_difference_s"]
    tell("findings", found)
    return found


if __name__ == "__main__":
    main()
