"""Units that fall silent: work in hand, and nobody enters anything any more."""

from __future__ import annotations

import narwhals as nw
import numpy as np

from motcua.inspection import statistics
from motcua.inspection.checks import grounds
from motcua.inspection.checks.check import Check, Found, Given, Parameter
from motcua.inspection.checks.facts import Facts
from motcua.inspection.signs import Sign
from motcua.inspection.verdicts import flag
from motcua.rules.instants import from_microseconds, iso


def _silent(facts: Facts, given: Given) -> Found:
    """How likely the silence since a unit's last entry is by its own pace before (Poisson), among all units."""
    window = given.number("window_workdays") * 480
    entered = facts.acts.filter(nw.col("agency") != "", flag("in_population"), nw.col("kind") != "registered")
    newest = entered.group_by("agency").agg(
        nw.col("w_recorded").max().alias("last_w"), nw.col("recorded_at").max().alias("last_at"),
        nw.col("w_now").max().alias("now_w"),
    )  # fmt: skip
    paced = (
        entered.join(newest, on="agency", how="inner")
        .filter(nw.col("w_recorded") > nw.col("last_w") - window)
        .group_by("agency", "last_w", "last_at", "now_w")
        .agg(nw.len().cast(nw.Int64).alias("n"))
    )
    in_hand = facts.dossiers.filter(
        flag("in_population"), flag("exists_here"), ~nw.col("received_at").is_null(), nw.col("finish_at").is_null(),
        ~flag("paused_0"),
    ).group_by("agency").agg(nw.len().cast(nw.Int64).alias("open"))  # fmt: skip
    rows = [row for row in facts.collect(paced.join(in_hand, on="agency", how="inner")) if row["now_w"] is not None]
    rows.sort(key=lambda row: str(row["agency"]))
    judged = [row for row in rows if int(row["n"]) >= given.number("least")]
    missing = {"enough_cases": len(rows) - len(judged)} if len(rows) > len(judged) else {}
    if not judged:
        return Found((), 0, missing)
    quiet = np.array([max(int(row["now_w"]) - int(row["last_w"]), 0) for row in judged], np.float64)
    pace = np.array([int(row["n"]) for row in judged], np.float64) / window
    # People work in bouts: a bout of entries counts once, so that a lunch of an eager unit is no silence.
    expected = quiet * pace / given.number("bout")
    q = statistics.false_discovery(statistics.none_of(expected))
    signs = [
        Sign(check="unit_silent", subject=row["agency"], kind="unit", agency=row["agency"], at_s=int(row["last_at"]),
             confidence=round(1 - float(q[n]), 6),
             evidence={"last_entry_at": iso(from_microseconds(int(row["last_at"]) * 1_000_000)),
                       "quiet_minutes": int(quiet[n]), "expected": round(float(expected[n]), 2),
                       "open": int(row["open"]), "q_value": float(f"{q[n]:.3g}")})
        for n, row in enumerate(judged)
        if q[n] <= given.share("level") and quiet[n] >= given.number("workdays") * 480
    ]  # fmt: skip
    return Found(signs, len(judged), missing)


CHECKS: tuple[Check, ...] = (
    Check(
        code="unit_silent", number="V-18", severity="B", remedy="instruct_staff", concerns="unit", kind="statistical",
        title="Đơn vị im lặng",
        explanation="Đơn vị đang có hồ sơ mở nhưng nhiều ngày làm việc không ghi thao tác nào, trái với nhịp trước đó.",
        grounds=(*grounds.one_stop("Điều 12 khoản 4", "Điều 19"), grounds.STEPS_RECORDED),
        evidence=("last_entry_at", "quiet_minutes", "expected", "open", "q_value"),
        parameters=(
            Parameter(name="workdays", default=2, law=False, least=1, title="số ngày làm việc tối thiểu"),
            Parameter(name="window_workdays", default=20, law=False, least=1, title="số ngày làm việc để biết nhịp"),
            Parameter(name="bout", default=3, law=False, least=1, title="số thao tác của một lượt"),
            Parameter(name="least", default=30, law=False, least=1, title="số thao tác tối thiểu để xét"),
            Parameter(name="level", default=0.05, law=False, title="tỷ lệ dấu hiệu sai được phép"),
        ),
        signs=_silent,
    ),
)  # fmt: skip
