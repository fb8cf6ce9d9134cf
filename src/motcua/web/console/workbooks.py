"""Lists as Excel workbooks: same filter, same order; texts as texts, days as days, ready to print."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from motcua.rules.instants import VIET_NAM
from motcua.web import labels

_HEAD = 4  # the row of the headings, counted from zero


def name(of: str, now: datetime) -> str:
    """A file name that sorts by time."""
    return f"{of}-{now.astimezone(VIET_NAM):%Y%m%d-%H%M}.xlsx"


def dossiers(document: dict[str, Any], *, title: str, author: str, period: str | None) -> io.BytesIO:
    """The list of dossiers."""
    columns: list[tuple[str, int, Callable[[dict[str, Any]], Any]]] = [
        ("Mã hồ sơ", 27, lambda row: row["dossier"]),
        ("Mã thủ tục", 12, lambda row: row["procedure"]),
        ("Thủ tục", 44, lambda row: row["procedure_name"]),
        ("Đơn vị", 30, lambda row: row["agency_name"]),
        ("Hệ thống xử lý", 14, lambda row: row["source"] or ""),
        ("Tiếp nhận", 16, lambda row: _time(row["received_at"])),
        ("Hẹn trả", 16, lambda row: _time(row["due_at"])),
        ("Kết thúc (một cửa ghi)", 16, lambda row: _time(row["finished_at"])),
        ("Kết thúc thực tế", 16, lambda row: _time(row["true_finished_at"])),
        *((title_, 12, _late(side)) for side, title_ in labels.SIDES.items()),
        ("Do đồng bộ", 26, lambda row: labels.CAUSES.get(row["sync_cause"], "")),
        ("Do thao tác", 26, lambda row: labels.CAUSES.get(row["record_cause"], "")),
        ("Ghi chú", 30, _notes),
    ]
    return _book("Danh sách hồ sơ", columns, document["rows"], document, title=title, author=author, period=period)


def findings(
    document: dict[str, Any], rows: Sequence[dict[str, Any]], *, title: str, author: str, period: str | None
) -> io.BytesIO:
    """The list of findings, each with its proof."""
    columns: list[tuple[str, int, Callable[[dict[str, Any]], Any]]] = [
        ("Mức", 6, lambda row: row["severity"]),
        ("Mã hồ sơ", 27, lambda row: row["dossier"]),
        ("Dấu hiệu", 30, lambda row: labels.CAUSES[row["cause"]]),
        ("Thuộc phần", 14, lambda row: labels.LEGS[row["leg"]]),
        ("Mã đơn vị", 12, lambda row: row["agency"]),
        ("Đơn vị", 30, lambda row: row["agency_name"]),
        ("Chứng cứ chính", 60, lambda row: "; ".join(f"{name}: {fact}" for name, fact in labels.evidence(row))),
        ("Việc nên làm", 50, lambda row: labels.REMEDIES[row["remedy"]]),
        ("Giải trình của đơn vị", 40, lambda row: ""),
    ]
    return _book("Danh sách phát hiện", columns, rows, document, title=title, author=author, period=period)


def _late(side: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: "trễ" if row[side] else ""


def _notes(row: dict[str, Any]) -> str:
    return "; ".join(title.lower() for flag, title in labels.FLAGS.items() if row[flag])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(VIET_NAM).replace(tzinfo=None) if text else None


def _book(
    sheet_title: str, columns: Sequence[tuple[str, int, Callable[[dict[str, Any]], Any]]],
    rows: Sequence[dict[str, Any]], document: dict[str, Any], *, title: str, author: str, period: str | None,
) -> io.BytesIO:  # fmt: skip
    import xlsxwriter

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": sheet_title, "author": author})
    large = book.add_format({"bold": True, "font_size": 14})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "bg_color": "#EEF0F3"})
    text = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
    time = book.add_format({"num_format": "dd/mm/yyyy hh:mm", "valign": "top", "align": "left", "border": 1})
    sheet = book.add_worksheet(sheet_title)
    sheet.write_string(0, 0, sheet_title, large)
    sheet.write_string(1, 0, title)
    sheet.write_string(
        2, 0, f"{labels.period(period)}; số liệu đến {labels.instant(document['as_of'])}; cách tính "
        f"{document['policy']}; {labels.number(len(rows))} dòng; lập bởi {author}",
    )  # fmt: skip
    sheet.write_string(_HEAD, 0, "STT", head)
    sheet.set_column(0, 0, 6)
    for column, (heading, width, _) in enumerate(columns, 1):
        sheet.write_string(_HEAD, column, heading, head)
        sheet.set_column(column, column, width)
    for line, row in enumerate(rows, 1):
        sheet.write_number(_HEAD + line, 0, line, text)
        for column, (_, _, value_of) in enumerate(columns, 1):
            match value_of(row):
                case None:
                    sheet.write_blank(_HEAD + line, column, None, text)
                case datetime() as at:
                    sheet.write_datetime(_HEAD + line, column, at, time)
                case value:
                    sheet.write_string(_HEAD + line, column, str(value), text)  # never a formula
    sheet.freeze_panes(_HEAD + 1, 2)
    sheet.autofilter(_HEAD, 0, _HEAD + len(rows), len(columns))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEAD)
    sheet.set_footer("&L&F&RTrang &P/&N")
    book.close()
    stream.seek(0)
    return stream
