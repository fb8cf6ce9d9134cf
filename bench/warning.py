"""Early warning beside the naive forecasts, on whatever history the home holds (`MOTCUA_HOME`); minutes of work.

The answer is a report, not a timing: `motcua warning backtest` prints the same.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path


def main() -> None:
    """Runs and prints the report."""
    from motcua.cli.home import open_home

    open_home()
    from motcua.inspection.forecast import backtest
    from motcua.warning import past

    started = time.perf_counter()
    report = backtest.run(past.learnable(now=datetime.now(UTC)))
    print(backtest.told(report))
    print(f"{time.perf_counter() - started:.0f} s")
    Path("bench/results").mkdir(parents=True, exist_ok=True)
    Path("bench/results/warning.json").write_text(json.dumps(report, indent=1, default=float))


if __name__ == "__main__":
    main()
