"""The scan of the whole library over 100,000 dossiers, beside the bridge's own findings, in the same run."""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import imports

DOSSIERS = int(os.environ.get("BENCH_SCAN_DOSSIERS", "100000"))


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["MOTCUA_HOME"] = str(folder / "home")
        files = imports.write(folder, DOSSIERS)
        from motcua.cli.home import open_home

        home = open_home()
        from motcua.dossiers.importing.run import Order, import_files
        from motcua.oversight import extract, figures, scan
        from motcua.oversight.figures import Question

        now = datetime.now(UTC)
        import_files(Order(files=files, home=home, at=now, create_missing=True))
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
    for name, value in found.items():
        print(f"{name:<28}{value:>14,.2f}")
    Path("bench/results").mkdir(parents=True, exist_ok=True)
    Path("bench/results/scan.json").write_text(json.dumps(found, indent=1))
    return found


if __name__ == "__main__":
    main()
