"""The reconciliation as a workbook: the sums, and every payment with its class. Amounts are numbers, codes texts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from motcua.payments.reconcile import Class, Report, Sums
from motcua.rules.instants import VIET_NAM

_SIDES = ("Một cửa ghi", "Cổng thanh toán", "Ngân hàng")


def build(report: Report, labels: Mapping[Class, str], *, title: str, now: datetime) -> bytes:
    """Two sheets: the sums by class, which add up, and the payments. `labels`: the words for each class."""
    from motcua.catalogue.sheets import Workbook

    stream = io.BytesIO()
    book = Workbook(stream)
    style: dict[str, Any] = {
        "large": book.add_format({"bold": True, "font_size": 14}),
        "head": book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#EEF0F3"}),
        "text": book.add_format({"text_wrap": True, "valign": "top", "border": 1}),
        "money": book.add_format({"num_format": "#,##0", "valign": "top", "border": 1}),
        "time": book.add_format({"num_format": "dd/mm/yyyy hh:mm", "valign": "top", "align": "left", "border": 1}),
    }
    under = f"{title}; lập lúc {now.astimezone(VIET_NAM):%H:%M %d/%m/%Y}; đơn vị tính: đồng"
    _sums(book.add_worksheet("Tổng hợp"), report, labels, under, style)
    _list(book.add_worksheet("Chi tiết"), report, labels, under, style)
    book.close()
    return stream.getvalue()


def _top(sheet: Any, heading: str, under: str, columns: list[tuple[str, int]], style: dict[str, Any]) -> None:
    sheet.write_string(0, 0, heading, style["large"])
    sheet.write_string(1, 0, under)
    for column, (name, width) in enumerate(columns):
        sheet.write_string(3, column, name, style["head"])
        sheet.set_column(column, column, width)
    sheet.freeze_panes(4, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(3)
    sheet.set_footer("&L&F&RTrang &P/&N")


def _sums(sheet: Any, report: Report, labels: Mapping[Class, str], under: str, style: dict[str, Any]) -> None:
    _top(
        sheet, "Đối soát thanh toán", under, [("Kết quả", 44), ("Số giao dịch", 12), *((s, 18) for s in _SIDES)], style
    )
    rows: list[tuple[str, Sums]] = [("Tổng cộng", report.total())]
    rows += [(labels[found], sums) for found, sums in report.sums().items()]
    for line, (name, sums) in enumerate(rows, 4):
        sheet.write_string(line, 0, name, style["text"])
        for column, value in enumerate((sums.count, sums.here, sums.gateway, sums.bank), 1):
            sheet.write_number(line, column, value, style["money"])


def _list(sheet: Any, report: Report, labels: Mapping[Class, str], under: str, style: dict[str, Any]) -> None:
    columns = [("Mã tham chiếu", 26), ("Kết quả", 40), ("Hồ sơ", 44), ("Thời điểm", 16), *((s, 16) for s in _SIDES),
               ("Đã hoàn", 14), ("Nội dung ngân hàng", 60)]  # fmt: skip
    _top(sheet, "Danh sách giao dịch", under, columns, style)
    for line, payment in enumerate(report.payments, 4):
        sheet.write_string(line, 0, payment.reference, style["text"])
        sheet.write_string(line, 1, labels[payment.found], style["text"])
        sheet.write_string(line, 2, "; ".join(payment.dossiers), style["text"])
        sheet.write_datetime(line, 3, payment.at.astimezone(VIET_NAM).replace(tzinfo=None), style["time"])
        for column, value in enumerate((payment.here, payment.gateway, payment.bank, payment.refunded), 4):
            sheet.write_number(line, column, value, style["money"])
        sheet.write_string(line, 8, "; ".join(row.about for row in payment.booked if row.about), style["text"])
    sheet.autofilter(3, 0, 3 + len(report.payments), len(columns) - 1)
