"""The articles that the checks rest on, each with the days on which it was in force.

Decree 61/2018 ended with 30/6/2025; of Decree 118/2025, which follows it, only the articles are named, since its
clauses were not read (law paper §1.1, §6.6). `key` is the entry in docs/law.
"""

from __future__ import annotations

from datetime import date

from motcua.inspection.checks.check import Ground

_END_61, _START_118 = date(2025, 6, 30), date(2025, 7, 1)


def one_stop(article: str, after: str) -> tuple[Ground, Ground]:
    """An article of Decree 61/2018, and the parallel one of Decree 118/2025 from 1 July 2025."""
    return (
        Ground(key="desk-61", text="Nghị định 61/2018/NĐ-CP", article=article,
               valid_from=date(2018, 6, 21), valid_to=_END_61),
        Ground(key="desk-118", text="Nghị định 118/2025/NĐ-CP", article=after, valid_from=_START_118),
    )  # fmt: skip


def control(article: str) -> Ground:
    """An article of Decree 63/2010 on the control of procedures."""
    return Ground(key="control-63", text="Nghị định 63/2010/NĐ-CP", article=article, valid_from=date(2010, 10, 14))


def electronic(article: str) -> Ground:
    """An article of Decree 45/2020 on procedures in the electronic environment."""
    return Ground(key="electronic-45", text="Nghị định 45/2020/NĐ-CP", article=article, valid_from=date(2020, 4, 8))


PORTAL = Ground(
    key="portal-31", text="Quyết định 31/2021/QĐ-TTg", article="Điều 23, Điều 30", valid_from=date(2021, 10, 11)
)
DATA_INSTEAD = Ground(
    key="data-66", text="Nghị quyết 66.7/2025/NQ-CP", article="", valid_from=date(2026, 1, 1),
    valid_to=date(2027, 2, 28),
)  # fmt: skip
DIGITISATION = (
    Ground(key="digitise-107", text="Nghị định 107/2021/NĐ-CP", article="Điều 1", valid_from=date(2021, 12, 6),
           valid_to=_END_61),
    Ground(key="digitise-1", text="Thông tư 01/2023/TT-VPCP", article="Chương II",
           valid_from=date(2023, 4, 5)),
    Ground(key="desk-118", text="Nghị định 118/2025/NĐ-CP", article="Điều 17", valid_from=_START_118),
)  # fmt: skip
STEPS_RECORDED = Ground(
    key="steps-1", text="Thông tư 01/2018/TT-VPCP", article="Điều 17", valid_from=date(2019, 1, 6),
    valid_to=date(2025, 9, 14),
)  # fmt: skip
CODES = (
    Ground(key="code-1", text="Thông tư 01/2018/TT-VPCP", article="Điều 19", valid_from=date(2019, 1, 6),
           valid_to=date(2025, 9, 14)),
    Ground(key="code-3", text="Thông tư 03/2025/TT-VPCP", article="Điều 13", valid_from=date(2025, 9, 15)),
)  # fmt: skip
PROCESS = Ground(
    key="process-1", text="Thông tư 01/2018/TT-VPCP", article="Điều 8", valid_from=date(2019, 1, 6),
    valid_to=date(2025, 9, 14),
)  # fmt: skip
REPORTS_01 = Ground(
    key="reports-1", text="Thông tư 01/2020/TT-VPCP", article="", valid_from=date(2020, 10, 21),
    valid_to=date(2026, 2, 14),
)  # fmt: skip
REPORTS_05 = Ground(key="reports-5", text="Thông tư 5/2025/TT-VPCP", article="", valid_from=date(2026, 2, 15))
INDEX = Ground(key="index-766", text="Quyết định 766/QĐ-TTg", article="", valid_from=date(2022, 8, 1))
FORBIDDEN = one_stop("Điều 5 khoản 1 điểm c", "Điều 5")
