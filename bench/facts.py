"""Full extract, the bridge over ready facts on two engines, and both again after 1,000 new events, in the same run."""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import imports

DOSSIERS = int(os.environ.get("BENCH_DOSSIERS", "50000"))


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["MOTCUA_HOME"] = str(folder / "home")
        files = imports.write(folder, DOSSIERS)
        from motcua.cli.home import open_home

        home = open_home()
        from motcua.dossiers.importing.run import Order, import_files
        from motcua.oversight import extract, figures
        from motcua.oversight.figures import Question

        now = datetime.now(UTC)
        import_files(Order(files=files, home=home, at=now, create_missing=True))
        start = time.perf_counter()
        report = extract.run(home=home, at=now, full=True)
        took = time.perf_counter() - start
        found: dict[str, float] = {"dossiers": DOSSIERS, "fact_rows_per_s": report.rows / took}
        for engine in ("duckdb", "polars"):
            for turn in ("cold", "warm"):
                start = time.perf_counter()
                figures.bridge(home, Question(engine=engine), now=now, by="agency")
                found[f"bridge_{engine}_{turn}_s"] = time.perf_counter() - start
        more = imports.write_returns(folder, min(1_000, DOSSIERS))
        import_files(Order(files=(more,), home=home, at=now))
        start = time.perf_counter()
        report = extract.run(home=home, at=now)
        found["extract_1000_new_events_s"] = time.perf_counter() - start
        assert not report.full
        figures.bridge(home, Question(), now=now, by="agency")
        found["with_bridge_duckdb_s"] = time.perf_counter() - start
        found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["ratio"] = found["bridge_polars_warm_s"] / found["bridge_duckdb_warm_s"]
    for name, value in found.items():
        print(f"{name:<28}{value:>14,.2f}")
    Path("bench/results").mkdir(parents=True, exist_ok=True)
    Path("bench/results/facts.json").write_text(json.dumps(found, indent=1))
    return found


if __name__ == "__main__":
    main()
