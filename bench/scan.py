"""The scan of the whole library over 100,000 dossiers, beside the bridge's own findings, in the same run."""

from __future__ import annotations

import os
import resource
import time

from bench import imports
from bench.report import tell

DOSSIERS = int(os.environ.get("BENCH_SCAN_DOSSIERS", "100000"))


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    with imports.province(DOSSIERS) as (home, now):
        from motcua.oversight import extract, figures, scan
        from motcua.oversight.figures import Question

        extract.run(home=home, at=now, full=True)
        acts = DOSSIERS * (imports.EACH + 1)
        start = time.perf_counter()
        figures.inspect(home, Question(), now=now)
        causes = time.perf_counter() - start
        found: dict[str, float] = {"dossiers": DOSSIERS, "acts": acts, "causes_alone_s": causes}
        for engine in ("duckdb", "polars"):
            start = time.perf_counter()
            done = scan.scan(home, Question(engine=engine), now=now)
            took = time.perf_counter() - start
            found[f"scan_{engine}_s"] = took
            found[f"checks_{engine}"] = sum(looked.state != "not_scanned" for looked in done.checks)
            found[f"acts_per_s_{engine}"] = acts / took
        found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["ratio"] = found["scan_duckdb_s"] / causes
    tell("scan", found)
    return found


if __name__ == "__main__":
    main()
