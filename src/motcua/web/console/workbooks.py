"""Excel workbooks: lists with the page's filter and order, the bridge with its sums; ready to print."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext

from motcua.rules.instants import VIET_NAM
from motcua.web import labels

Column = tuple[str, int, Callable[[dict[str, Any]], Any]]
_HEAD = 4  # the row of the headings, counted from zero


def name(of: str, now: datetime, kind: str) -> str:
    """A file name that sorts by time."""
    return f"{of}-{now.astimezone(VIET_NAM):%Y%m%d-%H%M}.{kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the rows above a table say: what it holds, of when, by whom."""

    sheet: str
    title: str
    author: str
    period: str | None
    document: Mapping[str, Any]
    rows: int

    def line(self) -> str:
        """Period, as-of, reading of the law, count and author."""
        return gettext("{period}; số liệu đến {as_of}; cách tính {policy}; {rows} dòng; lập bởi {author}").format(
            period=labels.period(self.period),
            as_of=labels.instant(self.document["as_of"]),
            policy=self.document["policy"],
            rows=labels.number(self.rows),
            author=self.author,
        )


@dataclass(frozen=True, slots=True)
class _Plain:
    """What the rows above a table say that holds no figures."""

    sheet: str
    title: str
    text: str

    def line(self) -> str:
        """What stands below the title."""
        return self.text


def dossiers(document: dict[str, Any], *, title: str, author: str, period: str | None) -> io.BytesIO:
    """The list of dossiers."""
    about = About(sheet=gettext("Danh sách hồ sơ"), title=title, author=author, period=period, document=document,
                  rows=len(document["rows"]))  # fmt: skip
    return _list(about, _of_dossiers(), document["rows"])


def _of_dossiers() -> list[Column]:
    return [
        (gettext("Mã hồ sơ"), 27, lambda row: row["dossier"]),
        (gettext("Mã thủ tục"), 12, lambda row: row["procedure"]),
        (gettext("Thủ tục"), 44, lambda row: row["procedure_name"]),
        (gettext("Đơn vị"), 30, lambda row: row["agency_name"]),
        (gettext("Hệ thống xử lý"), 14, lambda row: row["source"] or ""),
        (gettext("Tiếp nhận"), 16, lambda row: _time(row["received_at"])),
        (gettext("Hẹn trả"), 16, lambda row: _time(row["due_at"])),
        (gettext("Kết thúc (một cửa ghi)"), 16, lambda row: _time(row["finished_at"])),
        (gettext("Kết thúc thực tế"), 16, lambda row: _time(row["true_finished_at"])),
        *((title_, 12, _late(side)) for side, title_ in labels.SIDES.items()),
        (gettext("Do đồng bộ"), 26, lambda row: labels.CAUSES.get(row["sync_cause"], "")),
        (gettext("Do thao tác"), 26, lambda row: labels.CAUSES.get(row["record_cause"], "")),
        (gettext("Ghi chú"), 30, _notes),
    ]


def pasted(
    document: dict[str, Any], rows: Sequence[dict[str, Any]], units: Sequence[dict[str, Any]],
    missing: Sequence[dict[str, Any]], *, title: str, author: str, period: str | None,
) -> io.BytesIO:  # fmt: skip
    """Looked-up codes: the list, then its units, then what was not found, a sheet each."""
    about = About(sheet=gettext("Danh sách hồ sơ"), title=title, author=author, period=period, document=document,
                  rows=len(rows))  # fmt: skip
    book = _Book(about.sheet, author)
    _fill(book, about, _of_dossiers(), rows)
    _fill(book, replace(about, sheet=gettext("Theo đơn vị"), rows=len(units)), [
        (gettext("Mã đơn vị"), 14, lambda row: row["agency"]),
        (gettext("Đơn vị"), 40, lambda row: row["name"]),
        (gettext("Hồ sơ"), 10, lambda row: row["count"]),
        *((title_, 14, lambda row, side=side: row[side]) for side, title_ in labels.LATE_BY.items()),
    ], units)  # fmt: skip
    _fill(book, replace(about, sheet=gettext("Không thấy, sai, trùng"), rows=len(missing)), [
        (gettext("Mã đã dán"), 30, lambda row: row["code"]),
        (gettext("Vì sao"), 30, lambda row: row["note"]),
        (gettext("Mã gần đúng"), 60, lambda row: row["near"]),
    ], missing)  # fmt: skip
    return book.done()


def table(
    columns: Sequence[Column], rows: Sequence[dict[str, Any]], *, sheet: str, title: str, line: str, author: str
) -> io.BytesIO:
    """A list that is not of figures; `line` stands below its title."""
    book = _Book(sheet, author)
    _fill(book, _Plain(sheet, title, line), columns, rows)
    return book.done()


def sheets(
    parts: Sequence[tuple[str, Sequence[Column], Sequence[dict[str, Any]]]], *, title: str, line: str, author: str
) -> io.BytesIO:
    """Several lists, a sheet each; `line` stands below the title on every sheet."""
    book = _Book(title, author)
    for sheet, columns, rows in parts:
        _fill(book, _Plain(sheet, title, line), columns, rows)
    return book.done()


def listed_dossier() -> list[Column]:
    """The columns of a dossier in a list."""
    return _of_dossiers()


def findings(
    document: dict[str, Any], rows: Sequence[dict[str, Any]], *, title: str, author: str, period: str | None
) -> io.BytesIO:
    """The list of findings, each with its proof."""
    columns: list[Column] = [
        (gettext("Mức"), 6, lambda row: row["severity"]),
        (gettext("Mã hồ sơ"), 27, lambda row: row["dossier"]),
        (gettext("Dấu hiệu"), 30, lambda row: labels.CAUSES[row["cause"]]),
        (gettext("Thuộc phần"), 14, lambda row: labels.LEGS[row["leg"]]),
        (gettext("Mã đơn vị"), 12, lambda row: row["agency"]),
        (gettext("Đơn vị"), 30, lambda row: row["agency_name"]),
        (gettext("Chứng cứ chính"), 60, lambda row: "; ".join(f"{name}: {fact}" for name, fact in
                                                              labels.evidence(row))),
        (gettext("Việc nên làm"), 50, lambda row: labels.REMEDIES[row["remedy"]]),
        (gettext("Giải trình của đơn vị"), 40, lambda row: ""),
    ]  # fmt: skip
    about = About(sheet=gettext("Danh sách phát hiện"), title=title, author=author, period=period, document=document,
                  rows=len(rows))  # fmt: skip
    return _list(about, columns, rows)


def _late(side: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: gettext("trễ") if row[side] else ""


def _notes(row: dict[str, Any]) -> str:
    return "; ".join(title.lower() for flag, title in labels.FLAGS.items() if row[flag])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(VIET_NAM).replace(tzinfo=None) if text else None


class _Book:
    """A workbook under way, with the formats of the house."""

    def __init__(self, title: str, author: str) -> None:
        from motcua.catalogue.sheets import Workbook

        self.stream = io.BytesIO()
        self.book = Workbook(self.stream)
        self.book.set_properties({"title": title, "author": author})
        made = self.book.add_format
        self.large = made({"bold": True, "font_size": 14})
        self.head = made({"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "bg_color": "#EEF0F3"})
        self.text = made({"text_wrap": True, "valign": "top", "border": 1})
        self.line = made({"valign": "top", "align": "center", "border": 1})
        self.time = made({"num_format": "dd/mm/yyyy hh:mm", "valign": "top", "align": "left", "border": 1})
        self.count = made({"num_format": "#,##0", "valign": "top", "border": 1})
        self.bold = made({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#F5F7FA"})
        self.sum = made({"bold": True, "num_format": "#,##0", "border": 1, "bg_color": "#F5F7FA"})

    def sheet(self, about: About | _Plain, headings: Sequence[tuple[str, int]]) -> Any:
        """A sheet with its title rows and headings, ready to print on A4 landscape."""
        sheet = self.book.add_worksheet(about.sheet[:31])
        sheet.write_string(0, 0, about.sheet, self.large)
        sheet.write_string(1, 0, about.title)
        sheet.write_string(2, 0, about.line())
        for column, (heading, width) in enumerate(headings):
            sheet.write_string(_HEAD, column, heading, self.head)
            sheet.set_column(column, column, width)
        # Bold letters and the filter's arrow take about a fifth of the width; a sheet does not grow its rows by itself.
        lines = max((-(-len(heading) * 6 // (5 * width)) for heading, width in headings), default=1)
        sheet.set_row(_HEAD, 15 * lines + 3)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_HEAD)
        sheet.set_footer(f"&L&F&R{gettext('Trang')} &P/&N")
        return sheet

    def done(self) -> io.BytesIO:
        """The bytes of the workbook."""
        self.book.close()
        self.stream.seek(0)
        return self.stream


def _list(about: About, columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> io.BytesIO:
    book = _Book(about.sheet, about.author)
    _fill(book, about, columns, rows)
    return book.done()


def _fill(book: _Book, about: About | _Plain, columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> None:
    """A sheet of a list: frozen head, filter, dates as dates, numbers as numbers, the rest as text."""
    sheet = book.sheet(about, [(gettext("STT"), 6), *((heading, width) for heading, width, _ in columns)])
    for line, row in enumerate(rows, 1):
        sheet.write_number(_HEAD + line, 0, line, book.line)
        for column, (_, _, value_of) in enumerate(columns, 1):
            match value_of(row):
                case None:
                    sheet.write_blank(_HEAD + line, column, None, book.text)
                case datetime() as at:
                    sheet.write_datetime(_HEAD + line, column, at, book.time)
                case int() as count:
                    sheet.write_number(_HEAD + line, column, count, book.count)
                case value:
                    sheet.write_string(_HEAD + line, column, str(value), book.text)  # never a formula
    sheet.freeze_panes(_HEAD + 1, 2)
    sheet.autofilter(_HEAD, 0, _HEAD + len(rows), len(columns))


# ---- the bridge --------------------------------------------------------------------------------------------------


def bridge(document: dict[str, Any], *, by: str, title: str, author: str, period: str | None) -> io.BytesIO:
    """The bridge and its split by `by`: counts as numbers, both identities as formulas that the reader can follow."""
    about = About(sheet=gettext("Đối chiếu trễ hạn"), title=title, author=author, period=period, document=document,
                  rows=len(document["rows"]))  # fmt: skip
    book = _Book(about.sheet, author)
    _steps(book, about)
    _split(book, replace(about, sheet=gettext("Theo {what}").format(what=labels.DIMENSIONS[by])), labels.DIMENSIONS[by])
    return book.done()


def _steps(book: _Book, about: About) -> None:
    """The waterfall as a running sum: what each cause takes and adds, what is left, and whether it agrees."""
    document = about.document
    sheet = book.sheet(about, [(gettext("Khoản"), 44), (gettext("Bớt đi"), 12), (gettext("Thêm vào"), 12),
                               (gettext("Còn lại trễ"), 14), (gettext("Kiểm tra"), 12)])  # fmt: skip
    agrees, differs = gettext("khớp"), gettext("LỆCH")
    line, left = _HEAD + 1, 0

    def total(side: str) -> None:
        nonlocal line, left
        late = document[f"late_{side}"]
        sheet.write_string(line, 0, labels.SIDES[side], book.bold)
        sheet.write_blank(line, 1, None, book.bold)
        sheet.write_blank(line, 2, None, book.bold)
        sheet.write_number(line, 3, late, book.sum)
        if side == "shown":
            sheet.write_blank(line, 4, None, book.bold)
        else:  # the causes above must lead from the total before to this one
            formula = f'=IF(D{line + 1}=D{line},"{agrees}","{differs}")'
            sheet.write_formula(line, 4, formula, book.bold, agrees if left == late else differs)
        line, left = line + 1, late

    total("shown")
    for leg, side in (("sync", "recorded"), ("record", "true")):
        for cause in document["causes"]:
            if cause["leg"] != leg or not (cause["removed"] or cause["added"]):
                continue
            left += cause["added"] - cause["removed"]
            sheet.write_string(line, 0, f"   {labels.CAUSES[cause['cause']]} ({labels.LEGS[leg]})", book.text)
            sheet.write_number(line, 1, cause["removed"], book.count)
            sheet.write_number(line, 2, cause["added"], book.count)
            sheet.write_formula(line, 3, f"=D{line}-B{line + 1}+C{line + 1}", book.count, left)
            sheet.write_blank(line, 4, None, book.text)
            line += 1
        total(side)
    for title, value in (
        (gettext("Hồ sơ trong phạm vi"), document["population"]),
        *((labels.FLAGS[flag], document[flag]) for flag in labels.FLAGS),
        (labels.CAUSES["not_enough_data"].capitalize(), document["not_enough_data"]),
    ):
        line += 1
        sheet.write_string(line, 0, title, book.text)
        sheet.write_number(line, 3, value, book.count)
    sheet.freeze_panes(_HEAD + 1, 1)


def _split(book: _Book, about: About, dimension: str) -> None:
    """A row a group, a column a cause and direction, signed: each leg adds up from side to side, in every row."""
    from xlsxwriter.utility import xl_col_to_name, xl_range, xl_rowcol_to_cell

    document = about.document
    ways = [
        (cause["leg"], cause["cause"], way, sign)
        for cause in document["causes"]
        for way, sign in (("removed", -1), ("added", 1))
        if cause[way]
    ]
    legs = {leg: [way for way in ways if way[0] == leg] for leg in labels.LEGS}
    columns: list[tuple[str, Callable[[Mapping[str, Any]], int]]] = [
        (gettext("Hồ sơ"), lambda row: row["population"]),
        (labels.SIDES["shown"], lambda row: row["late_shown"]),
        *((_signed(way), partial(_moved, way)) for way in legs["sync"]),
        (labels.SIDES["recorded"], lambda row: row["late_recorded"]),
        *((_signed(way), partial(_moved, way)) for way in legs["record"]),
        (labels.SIDES["true"], lambda row: row["late_true"]),
    ]
    shown, recorded = 3, 4 + len(legs["sync"])  # columns, counted from zero
    true = recorded + 1 + len(legs["record"])
    headings = [(gettext("Mã"), 14), (dimension.capitalize(), 44), *((heading, 13) for heading, _ in columns),
                (gettext("Kiểm tra đồng bộ"), 12), (gettext("Kiểm tra thao tác"), 12)]  # fmt: skip
    sheet = book.sheet(about, headings)
    top, first, last = _HEAD + 1, _HEAD + 2, _HEAD + 1 + len(document["rows"])
    sheet.write_blank(top, 0, None, book.bold)
    sheet.write_string(top, 1, gettext("Tất cả"), book.bold)
    for column, (_, value_of) in enumerate(columns, 2):
        name = xl_col_to_name(column)
        whole = sum(value_of(row) for row in document["rows"])
        below = f"=SUM({name}{first + 1}:{name}{last + 1})" if document["rows"] else "=0"
        sheet.write_formula(top, column, below, book.sum, whole)
    for line, row in enumerate(document["rows"], first):
        sheet.write_string(line, 0, row["key"], book.text)
        sheet.write_string(line, 1, row["name"] or gettext("(không ghi)"), book.text)
        for column, (_, value_of) in enumerate(columns, 2):
            sheet.write_number(line, column, value_of(row), book.count)
    for line in range(top, last + 1):
        for place, (start, end) in enumerate(((shown, recorded), (recorded, true)), true + 1):
            formula = f"=SUM({xl_range(line, start, line, end - 1)})-{xl_rowcol_to_cell(line, end)}"
            sheet.write_formula(line, place, formula, book.sum if line == top else book.count, 0)
    sheet.freeze_panes(top + 1, 2)
    sheet.autofilter(_HEAD, 0, last, true + 2)


def _signed(way: tuple[str, str, str, int]) -> str:
    _, cause, _, sign = way
    return f"{'−' if sign < 0 else '+'} {labels.CAUSES[cause]}"


def _moved(way: tuple[str, str, str, int], row: Mapping[str, Any]) -> int:
    """What a cause takes from a group (negative) or adds to it."""
    leg, cause, direction, sign = way
    return sign * sum(int(c[direction]) for c in row["causes"] if (c["leg"], c["cause"]) == (leg, cause))
