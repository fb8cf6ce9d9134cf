"""The published procedures and their electronic process; and what we hold no facts of yet."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from motcua.inspection.checks import grounds
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts
from motcua.inspection.signs import Sign
from motcua.inspection.verdicts import flag


def _used(facts: Facts) -> list[dict[str, Any]]:
    """What is known of the procedures that the question's dossiers are of."""
    used = facts.dossiers.filter(flag("in_population"), flag("exists_here")).select("core").unique("core")
    return sorted(facts.collect(facts.procedures.join(used, on="core", how="inner")), key=lambda row: str(row["core"]))


def _incomplete(facts: Facts, given: Given) -> Found:
    rows = _used(facts)
    pulled = [row for row in rows if row["pulled"]]
    signs = [
        Sign(check="procedure_incomplete", subject=row["core"], kind="procedure",
             evidence={"lacking": row["lacking"], "procedure": row["core"]})
        for row in pulled if row["lacking"]
    ]  # fmt: skip
    missing = {"published_procedure": len(rows) - len(pulled)} if len(rows) > len(pulled) else {}
    return Found(signs, len(pulled), missing)


def _process_differs(facts: Facts, given: Given) -> Found:
    rows = _used(facts)
    known = [row for row in rows if row["steps_minutes"] is not None and row["limit_minutes"] is not None]
    signs = [
        Sign(check="process_differs", subject=row["core"], kind="procedure",
             evidence={"steps_minutes": int(row["steps_minutes"]), "limit_minutes": int(row["limit_minutes"]),
                       "steps": int(row["steps"])})
        for row in known
        if abs(int(row["steps_minutes"]) - int(row["limit_minutes"])) > given.number("grace_minutes")
    ]  # fmt: skip
    missing = {"step_limits": len(rows) - len(known)} if len(rows) > len(known) else {}
    return Found(signs, len(known), missing)


CHECKS: tuple[Check, ...] = (
    Check(
        code="published_late", number="V-28", severity="B", remedy="fix_catalogue",
        title="Công bố, công khai thủ tục chậm",
        explanation="Quyết định công bố hoặc việc công khai chậm so với hạn năm ngày làm việc.",
        grounds=(grounds.control("Điều 15"), grounds.INDEX),
        needs=(Need(fact="publication_days", title="ngày ký, ngày hiệu lực và ngày công khai của quyết định công bố"),),
    ),
    Check(
        code="procedure_incomplete", number="V-29", severity="C", remedy="fix_catalogue", concerns="procedure",
        title="Thủ tục công khai thiếu bộ phận",
        explanation="Thủ tục trên Cổng thiếu một trong các bộ phận bắt buộc: tên, trình tự, cách thức, thành phần,"
        " thời hạn, đối tượng, cơ quan, kết quả.",
        grounds=(grounds.control("Điều 8 khoản 2"),), evidence=("lacking", "procedure"),
        needs=(Need(fact="published_procedure", title="nội dung thủ tục tải từ Cổng", has=lambda: flag("pulled")),),
        signs=_incomplete,
    ),
    Check(
        code="process_differs", number="V-30", severity="C", remedy="fix_process", concerns="procedure",
        title="Quy trình điện tử khác thời hạn công bố",
        explanation="Tổng thời hạn các bước của quy trình nội bộ khác thời hạn công bố của thủ tục. Bước nào chưa có"
        " thời hạn thì chưa xét; các bước làm song song thì tính theo đường dài nhất.",
        grounds=(grounds.PROCESS, grounds.one_stop("Điều 25", "Điều 27")[1]),
        evidence=("steps_minutes", "limit_minutes", "steps"),
        parameters=(Parameter(name="grace_minutes", default=0, law=False, title="số phút làm việc được lệch"),),
        needs=(Need(fact="step_limits", title="thời hạn của từng bước", has=lambda: nw.col("limited_steps_n") > 0),),
        signs=_process_differs,
    ),
    Check(
        code="report_differs", number="V-33", severity="C", remedy="look_into",
        title="Số liệu báo cáo không khớp",
        explanation="Số liệu trong báo cáo định kỳ khác số tính từ hồ sơ.",
        grounds=(grounds.REPORTS_01, grounds.REPORTS_05),
        needs=(Need(fact="reports", title="báo cáo định kỳ đã gửi"),),
    ),
)  # fmt: skip
