"""`motcua exchange catalogue …`: the portal's catalogue, pulled and held against ours."""

from __future__ import annotations

import argparse
import re
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli import portal
from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, progress

if TYPE_CHECKING:
    from motcua.exchange.drift import Report

#: Kinds of drift, in words.
KINDS = {
    "abolished": "Cổng đã bãi bỏ hoặc không còn công khai",
    "unknown_there": "Đang tiếp nhận, Cổng không có",
    "changed": "Khác với Cổng",
    "changed_since": "Cổng đã sửa",
    "unmapped_procedure": "Mã thủ tục chưa ánh xạ",
    "unmapped_field": "Mã lĩnh vực chưa ánh xạ",
    "unmapped_agency": "Cơ quan chưa ánh xạ",
    "unreadable": "Chưa lấy được nội dung từ Cổng",
}
FACTS = {"": "", "name": "Tên", "limit": "Thời hạn", "fee": "Phí, lệ phí", "level": "Cấp thực hiện",
         "field": "Lĩnh vực"}  # fmt: skip
#: Levels at which a procedure is carried out, as the portal and as our catalogue write them.
LEVELS = {"0": "Bộ", "1": "Cấp tỉnh", "2": "Cấp huyện", "3": "Cấp xã", "province": "Cấp tỉnh",
          "department": "Cấp tỉnh", "commune": "Cấp xã"}  # fmt: skip
_UNITS = {"d": "ngày làm việc", "cd": "ngày", "h": "giờ làm việc"}


def register(exchange: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verbs to `motcua exchange`."""
    verbs = exchange.add_parser("catalogue", help="the portal's catalogue: pull it, see the drift").add_subparsers(
        metavar="VERB", required=True
    )
    pull = verbs.add_parser("pull", help="procedures, fields and agencies, as the portal has them now")
    portal.arguments(pull)
    pull.add_argument("--limit", type=int, metavar="N", help="at most so many procedures; the next run goes on")
    pull.add_argument("--anew", action="store_true", help="also those pulled within a week")
    pull.set_defaults(run=_pull)
    shown = verbs.add_parser("drift", help="abolished, changed, unmapped, and unknown there")
    shown.add_argument("--on", type=date.fromisoformat, metavar="DAY", help="what we offer on this day; default: today")
    shown.add_argument("-o", "--output", type=Path, metavar="FILE.xlsx", help="as a workbook too")
    shown.set_defaults(run=_drift)


def _pull(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.exchange import catalogue_pull
    from motcua.mirror.client import LoginRefused, PortalUnreachable

    now = timezone.now()
    try:
        with progress("Lấy danh mục", catalogue_pull.waiting(at=now) or None) as bar:
            report = catalogue_pull.run(
                portal=portal.client(args), at=now, limit=args.limit, anew=args.anew, advance=bar.advance
            )
    except (PortalUnreachable, LoginRefused) as error:
        fail(f"{error}; what was pulled is kept, and the next run goes on there")
    document = asdict(report)
    lines = [f"{kind}: {report.listed[kind]} listed, {report.fresh[kind]} new, {report.gone[kind]} gone"
             for kind in report.listed]  # fmt: skip
    lines += [f"{kind}: the list is too short to be believed, nothing counts as gone" for kind in report.cut]
    lines += [f"{code}: {words}" for code, words in list(report.refused.items())[:20]]
    lines.append(f"{report.procedures} procedures pulled, {report.changed} changed, {report.left} left")
    answer(args, document, "\n".join(lines))
    return FALLS_SHORT if report.refused or report.cut or report.left else DONE


def _drift(args: argparse.Namespace) -> int:
    if args.output is not None and args.output.suffix.lower() != ".xlsx":
        fail(f"-o {args.output}: the drift is written as .xlsx; use --json for a document")
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.exchange import drift
    from motcua.rules.instants import local_day

    report = drift.report(on=args.on or local_day(timezone.now()))
    if report.pulled_at is None:
        fail("the portal's catalogue was never pulled: run motcua exchange catalogue pull first")
    if args.output is not None:
        try:
            args.output.write_bytes(workbook(report))
        except OSError as error:
            fail(f"-o {args.output}: cannot be written: {error.strerror}")
    answer(args, report.document(), lambda: _text(report))
    return FALLS_SHORT if report.rows else DONE


def _text(report: Report) -> str:
    counts = report.document()["counts"]
    lines = [_line(report), *(f"{counts[kind]:>6}  {words}" for kind, words in KINDS.items() if counts[kind])]
    lines += [
        f"{row.about}  {KINDS[row.kind]}{': ' if row.fact else ''}{FACTS[row.fact]}"
        + (
            f": {value(row.fact, row.ours) or '—'} | Cổng {value(row.fact, row.there) or '—'}"
            if row.ours or row.there
            else f": {row.name}"
        )
        for row in report.rows
    ]
    return "\n".join(lines)


def value(fact: str, text: str) -> str:
    """What one side states, as people write it; words that could not be read stay as they are."""
    return ", ".join(_value(fact, each) for each in text.split(", "))


def _value(fact: str, text: str) -> str:
    from motcua.web import labels

    if fact == "level":
        return LEVELS.get(text, text)
    if fact == "limit" and (limit := re.fullmatch(r"([\d.]+)(cd|d|h)", text)):
        return f"{limit[1].replace('.', ',')} {_UNITS[limit[2]]}"
    if fact == "fee" and text.isdigit():
        return f"{labels.number(int(text))} đồng"
    return text


def _line(report: Report) -> str:
    from motcua.web import labels

    return (
        f"Danh mục Cổng lấy lúc {labels.instant(report.pulled_at)}; đã so {labels.number(report.compared)} thủ tục, "
        f"chưa lấy nội dung {labels.number(report.not_yet)}; "
        f"Cổng có thêm {labels.number(report.not_here)} thủ tục cấp tỉnh, cấp xã"
    )


def workbook(report: Report) -> bytes:
    """The drift as a workbook."""
    from motcua.rules.instants import VIET_NAM
    from motcua.web.console import workbooks

    def since(row: dict[str, Any]) -> Any:
        return row["since"].astimezone(VIET_NAM).replace(tzinfo=None) if row["since"] else None

    columns: list[workbooks.Column] = [
        ("Loại", 30, lambda row: KINDS[row["kind"]]),
        ("Mã", 26, lambda row: row["about"]),
        ("Tên", 60, lambda row: row["name"]),
        ("Nội dung", 14, lambda row: FACTS[row["fact"]]),
        ("Của tỉnh", 40, lambda row: value(row["fact"], row["ours"])),
        ("Trên Cổng", 40, lambda row: value(row["fact"], row["there"])),
        ("Từ lúc", 16, since),
    ]
    rows = [asdict(row) for row in report.rows]
    book = workbooks.table(columns, rows, sheet="Lệch danh mục", title="Lệch danh mục so với Cổng quốc gia",
                           line=_line(report), author="motcua")  # fmt: skip
    return book.getvalue()
