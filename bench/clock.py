"""The clock over columns beside its peers, in the same run: nanoseconds a dossier, and ratios."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np

from motcua.inspection import clocks
from motcua.rules.clock import Allotted, Mode
from motcua.rules.workdays import viet_nam

ROWS = 5_000_000


def best(work: Callable[[], object], rows: int, times: int = 5) -> float:
    """The best of several runs, in nanoseconds a row."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found) / rows * 1e9


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    import pandas as pd

    draw = np.random.default_rng(1)
    first, last = datetime(2021, 1, 1).timestamp(), datetime(2026, 12, 1).timestamp()  # noqa: DTZ001
    starts = draw.integers(int(first), int(last), ROWS)
    calendar, five = viet_nam(), Allotted.parse("5d")
    results = {
        f"motcua {mode}": best(lambda mode=mode: clocks.due_at(starts, five, calendar, mode=mode), ROWS)
        for mode in Mode
    }
    days = starts.astype("datetime64[s]").astype("datetime64[D]")
    closed = [str(day.day) for day in calendar.days if day.intervals == ()]
    results["numpy busday_offset (days only)"] = best(
        lambda: np.busday_offset(days, 5, roll="forward", holidays=closed), ROWS, 2
    )
    few = pd.to_datetime(starts[:2_000], unit="s")
    offset = pd.offsets.CustomBusinessHour(40, start=["07:00", "13:30"], end=["11:30", "17:00"], holidays=closed)
    results["pandas CustomBusinessHour (2,000 rows)"] = best(lambda: [at + offset for at in few], 2_000, 1)
    for name, nanoseconds in results.items():
        ratio = nanoseconds / results["motcua keep-clock"]
        print(f"{name:<42}{nanoseconds:>14,.1f} ns/row{ratio:>12,.1f} x")
    Path("bench/results").mkdir(parents=True, exist_ok=True)
    Path("bench/results/clock.json").write_text(json.dumps(results, indent=1))
    return results


if __name__ == "__main__":
    main()
