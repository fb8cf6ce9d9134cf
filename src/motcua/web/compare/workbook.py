"""A comparison as a workbook: the lines of the page, in its order, under both totals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext

from motcua.inspection.two_sides import Comparison, Line
from motcua.web import labels
from motcua.web.compare import words
from motcua.web.console import workbooks


def of(found: Comparison, lines: Sequence[Line], *, now: datetime, who: str) -> io.BytesIO:
    """The workbook of these lines."""
    rows = [{"line": line} for line in lines]
    of_dossiers = found.kind == "online-payment"
    columns: list[workbooks.Column] = [
        (gettext("Mã hồ sơ") if of_dossiers else gettext("Mã thủ tục"), 27, lambda row: row["line"].key),
        (gettext("Đơn vị") if of_dossiers else gettext("Tên"), 60,
         lambda row: row["line"].agency or row["line"].name),
        (gettext("Ở đâu"), 18, lambda row: words.WHERE[row["line"].where]),
        (gettext("Của tỉnh"), 30, lambda row: words.side(row["line"].ours)),
        (gettext("Trên Cổng"), 30, lambda row: words.side(row["line"].there)),
        (gettext("Nguyên nhân"), 48, lambda row: words.CAUSES[row["line"].cause]),
        (gettext("Việc nên làm"), 50, lambda row: words.REMEDIES.get(row["line"].cause, "")),
    ]  # fmt: skip
    told = gettext("{equation}; Cổng tính đến {there}; lúc {at}; {n} dòng; lập bởi {who}").format(
        equation=words.equation(found.counts), there=labels.instant(found.there_at), at=labels.instant(now),
        n=labels.number(len(rows)), who=who,
    )  # fmt: skip
    return workbooks.table(
        columns, rows, sheet=gettext("Đối chiếu"), title=words.TITLES[found.kind], line=told, author=who
    )
