"""The clock over columns beside its peers, in the same run: nanoseconds a dossier, ratios, and who is right."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from datetime import time as wall
from typing import Any

import numpy as np

from bench.report import keep
from motcua.inspection import clocks
from motcua.rules.clock import WORKDAY_MINUTES, Allotted, Mode
from motcua.rules.workdays import viet_nam

ROWS = 5_000_000
#: Rows for a peer that is slower by orders of magnitude.
FEW = {"workclock": 200_000, "pandas": 2_000}


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
    import workclock

    draw = np.random.default_rng(1)
    first, last = datetime(2021, 1, 1).timestamp(), datetime(2026, 12, 1).timestamp()  # noqa: DTZ001
    starts = draw.integers(int(first), int(last), ROWS)
    calendar, five = viet_nam(), Allotted.parse("5d")
    found = {
        f"motcua {mode}": best(lambda mode=mode: clocks.due_at(starts, five, calendar, mode=mode), ROWS)
        for mode in Mode
    }
    # The peers count five days as forty working hours, so they are held against our mode `hours`; and on starts in
    # opening hours, for they may put the end of a day's work on the next opening.
    right = clocks.due_at(starts, five, calendar, mode=Mode.HOURS)
    opened = clocks.due_at(starts, Allotted.parse("0m"), calendar) == starts
    same: dict[str, float] = {}

    def peer(name: str, add: Callable[[], Any], rows: int) -> None:
        found[name] = best(add, rows, 2)
        given = np.asarray(add(), "datetime64[s]").astype(np.int64)
        same[name] = float(np.mean((given == right[:rows])[opened[:rows]]))

    closed = [day.day for day in calendar.days if day.intervals == ()]
    days = starts.astype("datetime64[s]").astype("datetime64[D]")
    holidays = [str(day) for day in closed]
    found["numpy busday_offset (days only)"] = best(
        lambda: np.busday_offset(days, 5, roll="forward", holidays=holidays), ROWS, 2
    )
    rules = [workclock.WorkDay(wall(7), wall(11, 30)), workclock.WorkDay(wall(13, 30), wall(17))]
    office = workclock.Schedule([*rules, workclock.Holidays(closed)], time_zone="Asia/Ho_Chi_Minh")
    some = starts[: FEW["workclock"]].astype("datetime64[s]")
    span = np.timedelta64(5 * WORKDAY_MINUTES, "m")
    peer(f"workclock ({FEW['workclock']:,} rows)", lambda: office.add_many(some, span), FEW["workclock"])
    # pandas knows no time zones here: it is given the clock on the office wall, and its answer is brought back.
    few = pd.to_datetime(starts[: FEW["pandas"]] + 7 * 3600, unit="s")
    hours = pd.offsets.CustomBusinessHour(
        5 * WORKDAY_MINUTES // 60, start=["07:00", "13:30"], end=["11:30", "17:00"], holidays=closed
    )
    peer(
        f"pandas CustomBusinessHour ({FEW['pandas']:,} rows)",
        lambda: [(at + hours - pd.Timedelta(hours=7)).to_datetime64() for at in few],
        FEW["pandas"],
    )
    for name, nanoseconds in found.items():
        ratio = nanoseconds / found["motcua keep-clock"]
        agrees = f"{same[name]:>9.1%} as the law has it" if name in same else ""
        print(f"{name:<42}{nanoseconds:>14,.1f} ns/row{ratio:>12,.1f} x{agrees}")
    keep("clock", {"ns_per_row": found, "same_answer": same})
    return found


if __name__ == "__main__":
    main()
