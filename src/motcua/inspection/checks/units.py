"""Units that fall silent: work in hand, and nobody enters anything any more."""

from __future__ import annotations

from collections.abc import Iterable

import narwhals as nw
import numpy as np

from motcua.inspection import statistics
from motcua.inspection.checks import downtime, grounds
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts
from motcua.inspection.signs import Sign
from motcua.inspection.verdicts import flag
from motcua.rules.instants import from_microseconds, iso


def _silent(facts: Facts, given: Given) -> Found:
    """How likely the silence since a unit's last entry is by its own pace before (Poisson), among all units."""
    window = given.number("window_workdays") * 480
    entered = facts.acts.filter(nw.col("agency") != "", flag("in_population"), nw.col("kind") != "registered",
                                ~nw.col("machine"))  # fmt: skip
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
    down = _down(facts)
    quiet = np.array(
        [_quiet(int(row["last_w"]), int(row["now_w"]), down.get(row["agency"], ())) for row in judged], np.float64
    )
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


def _down(facts: Facts) -> dict[str, list[tuple[int, int]]]:
    """The known outages of each agency, in its working minutes."""
    found: dict[str, list[tuple[int, int]]] = {}
    if facts.outages is not None:
        for row in facts.collect(facts.outages.filter(nw.col("what") == downtime.SOFTWARE)):
            found.setdefault(row["agency"], []).append((int(row["from_w"] or 0), int(row["to_w"] or 0)))
    return found


def _quiet(last: int, now: int, down: Iterable[tuple[int, int]]) -> int:
    """The working minutes since the last entry, without those in which nothing could be entered."""
    return max(now - last, 0) - sum(max(min(now, end) - max(last, start), 0) for start, end in down)


def _unanswered(facts: Facts, given: Given) -> Found:
    """Agencies that let the date of a request for an explanation pass."""
    if facts.questions is None:
        return Found((), 0, {"questions": 1})
    signs = [
        Sign(check="question_unanswered", subject=asked.agency, kind="unit", agency=asked.agency, at_s=asked.due_s,
             evidence={"waiting_findings": asked.findings, "requests": asked.requests,
                       "answer_due_at": iso(from_microseconds(asked.due_s * 1_000_000))})
        for asked in facts.questions
        if asked.findings and facts.scope.as_of - asked.due_s > given.number("grace_minutes") * 60
    ]  # fmt: skip
    return Found(signs, len(facts.questions))


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
    Check(
        code="question_unanswered", number="V-37", severity="B", remedy="ask_explanation", concerns="unit",
        title="Không giải trình đúng hạn",
        explanation="Yêu cầu giải trình đã quá hạn mà đơn vị chưa trả lời. Đã được gia hạn thì tính theo hạn mới; yêu"
        " cầu đã thu hồi không xét.",
        grounds=grounds.one_stop("Điều 32", "Điều 19"), evidence=("waiting_findings", "requests", "answer_due_at"),
        parameters=(Parameter(name="grace_minutes", default=0, law=False, title="số phút được quá"),),
        needs=(Need(fact="questions", title="yêu cầu giải trình và trả lời", has=lambda: nw.lit(value=True)),),
        signs=_unanswered,
    ),
)  # fmt: skip
