"""`motcua sample`: the Excel files of an invented province's first day, to try a first hour with."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, answer, fail

if TYPE_CHECKING:
    from motcua.sample.lists import Lists, Row
    from motcua.sample.plan import Plan

FILES = {"onestop": "danh-sach-mot-cua.xlsx", "letter": "phu-luc-cong-van.xlsx", "agencies": "don-vi.xlsx"}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    command = commands.add_parser(
        "sample", help="Excel files of an invented province: its one-stop list, the letter that blames it, its agencies"
    )
    command.add_argument("folder", type=Path, metavar="FOLDER", help="where the files are written")
    command.add_argument("--dossiers", type=int, default=4000, metavar="N")
    command.add_argument("--seed", type=int, default=2026, metavar="S")
    command.add_argument("--until", metavar="T", help="the instant as of which they speak (default: now)")
    command.set_defaults(run=_sample)


def _sample(args: argparse.Namespace) -> int:
    from datetime import UTC

    from motcua.rules.instants import VIET_NAM, parse_instant
    from motcua.sample.plan import plan
    from motcua.sample.province import province

    if args.dossiers < 100:
        fail("--dossiers: at least 100")
    now = parse_instant(args.until) if args.until else datetime.now(UTC).replace(second=0, microsecond=0)
    until = now.astimezone(VIET_NAM)
    since = until - timedelta(days=150)
    document = write(
        args.folder, plan(province(args.seed), count=args.dossiers, seed=args.seed, since=since, until=until)
    )
    answer(args, document, lambda: told(document))
    return DONE


def write(folder: Path, planned: Plan) -> dict[str, Any]:
    """Writes the files of a planned province. Returns their paths and what is to come out of them."""
    from motcua.sample.lists import BAD, lists

    found = lists(planned)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder}: {error.strerror}; name a folder that can be written")
    for name, file in FILES.items():
        _book(folder / file, name, found)
    return {
        **{name: str(folder / file) for name, file in FILES.items()},
        "until": planned.until.isoformat(), "rows": len(found.onestop), "taken": found.taken, "bad": BAD,
        "late_there": found.late_there, "late_here": found.late_here,
    }  # fmt: skip


def told(document: dict[str, Any]) -> str:
    """What was written, and what a first hour with it ends at."""
    return (
        f"{document['onestop']}: {document['rows']} dòng, {document['bad']} dòng không nạp được\n"
        f"{document['letter']}: công văn nêu {document['late_there']} hồ sơ quá hạn\n"
        f"{document['agencies']}: đơn vị của tỉnh\n"
        f"Nạp xong: trên Cổng {document['late_there']}, theo một cửa {document['late_here']}."
    )


def _book(path: Path, name: str, found: Lists) -> None:
    """One table with its titles, merged as people merge them, a sum and signatures below."""
    import xlsxwriter

    from motcua.sample.lists import titles

    tables: dict[str, tuple[str, Row, Sequence[Row]]] = {
        "onestop": ("DANH SÁCH HỒ SƠ TIẾP NHẬN VÀ GIẢI QUYẾT", found.onestop_headings, found.onestop),
        "letter": ("PHỤ LỤC: HỒ SƠ QUÁ HẠN TRÊN CỔNG DỊCH VỤ CÔNG QUỐC GIA", found.letter_headings, found.letter),
        "agencies": ("DANH MỤC ĐƠN VỊ", ("Mã định danh", "Tên đơn vị", "Mã đơn vị cha"), found.agencies),
    }
    title, headings, rows = tables[name]
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": found.until.replace(tzinfo=None)})
    sheet = book.add_worksheet("Sheet1")
    bold = book.add_format({"bold": True, "align": "center", "border": 1, "text_wrap": True})
    middle = book.add_format({"bold": True, "align": "center"})
    sheet.set_column(0, 0, 6)
    sheet.set_column(1, len(headings) - 1, 24)
    for line, text in enumerate(titles(title, found.until)):
        sheet.merge_range(line, 0, line, len(headings) - 1, text, middle)
    top = 4
    for column, heading in enumerate(headings):
        sheet.write_string(top, column, str(heading), bold)
    for line, row in enumerate(rows, top + 1):
        for column, cell in enumerate(row):
            sheet.write(line, column, cell)
    below = top + len(rows) + 2
    if name != "agencies":
        sheet.write_string(below, 1, f"Tổng cộng: {len(rows)} hồ sơ")
        sheet.write_string(below + 2, 1, "NGƯỜI LẬP BIỂU")
        sheet.write_string(below + 2, len(headings) - 1, "THỦ TRƯỞNG ĐƠN VỊ")
    book.close()
