"""Full extract, the bridge over ready facts on two engines, and both again after 1,000 new events, in the same run."""

from __future__ import annotations

import os
import resource
import time

from bench import imports
from bench.report import tell

DOSSIERS = int(os.environ.get("BENCH_DOSSIERS", "50000"))


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    with imports.province(DOSSIERS) as (home, now):
        from motcua.dossiers.importing.run import Order, import_files
        from motcua.oversight import extract, figures
        from motcua.oversight.figures import Question

        start = time.perf_counter()
        report = extract.run(home=home, at=now, full=True)
        took = time.perf_counter() - start
        found: dict[str, float] = {"dossiers": DOSSIERS, "fact_rows_per_s": report.rows / took}
        for engine in ("duckdb", "polars"):
            for turn in ("cold", "warm"):
                start = time.perf_counter()
                figures.bridge(home, Question(engine=engine), now=now, by="agency")
                found[f"bridge_{engine}_{turn}_s"] = time.perf_counter() - start
        more = imports.write_returns(home.parent, min(1_000, DOSSIERS))
        import_files(Order(files=(more,), home=home, at=now))
        start = time.perf_counter()
        report = extract.run(home=home, at=now)
        found["extract_1000_new_events_s"] = time.perf_counter() - start
        assert not report.full
        figures.bridge(home, Question(), now=now, by="agency")
        found["with_bridge_duckdb_s"] = time.perf_counter() - start
        found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["ratio"] = found["bridge_polars_warm_s"] / found["bridge_duckdb_warm_s"]
    tell("facts", found)
    return found


if __name__ == "__main__":
    main()
