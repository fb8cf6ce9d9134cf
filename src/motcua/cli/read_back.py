"""`motcua exchange read-back` and `differences`: what the portal holds otherwise than we do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from motcua.cli import portal
from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, progress

if TYPE_CHECKING:
    from motcua.exchange.read_back import Report


def register(exchange: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verbs to `motcua exchange`."""
    command = exchange.add_parser("read-back", help="look up what the portal holds, and keep what differs")
    portal.arguments(command)
    command.add_argument("--dossier", metavar="CODE", action="append", default=[], help="may be given again")
    command.add_argument("--budget", type=int, metavar="N", help="so many calls, instead of what the hour allows")
    command.add_argument("--all", action="store_true", help="every dossier that was not seen for a day")
    command.add_argument(
        "--repair", choices=("off", "ours", "all"), default="off", nargs="?", const="ours",
        help="send again what was acknowledged and is not there: of our desk, or of imported dossiers too",
    )  # fmt: skip
    command.set_defaults(run=_read_back)
    listed = exchange.add_parser("differences", help="what differs now, since when, why, and what is proposed")
    listed.add_argument("--dossier", metavar="CODE", action="append", default=[], help="may be given again")
    listed.add_argument("--why", default="", metavar="CODE", help="those with this reason")
    listed.add_argument("--limit", type=int, default=1_000, metavar="N")
    listed.set_defaults(run=_differences)


def _read_back(args: argparse.Namespace) -> int:
    if args.budget is not None and args.budget < 1:
        fail(f"--budget {args.budget}: write a number of calls, 1 or more")
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.exchange import read_back, reconcile_figures
    from motcua.exchange.models import Looked
    from motcua.mirror import profiles
    from motcua.mirror.client import LoginRefused, PortalUnreachable
    from motcua.rules.instants import Unreadable

    now = timezone.now()
    try:
        budget = None if args.all else args.budget or read_back.left(at=now)
        read_back.catch_up()
        total = len(args.dossier) or Looked.objects.count()
        with progress("Đọc lại", total if budget is None else min(total, budget)) as bar:
            report = read_back.run(
                portal=portal.client(args), at=now, codes=args.dossier or None, budget=budget,
                profile=profiles.current(), repair=args.repair, advance=bar.advance,
            )  # fmt: skip
    except Unreadable as error:
        fail(str(error))
    except (PortalUnreachable, LoginRefused) as error:
        fail(f"{error}; what was looked up is kept, and the next run goes on there")
    figures = reconcile_figures.report(now=now)
    answer(args, {**_document(report), "left_this_hour": read_back.left(at=now), "figures": figures},
           lambda: _text(report, figures))  # fmt: skip
    return FALLS_SHORT if report.differences or report.unanswered or report.silent else DONE


def _document(report: Report) -> dict[str, Any]:
    return {
        "looked_up": report.looked_up, "found": report.found, "listed": report.listed, "calls": report.calls,
        "opened": report.opened, "closed": report.closed, "sent_again": report.sent_again, "silent": report.silent,
        "unanswered": report.unanswered,
        "differences": [
            {"dossier": code, "name": each.name, "ours": each.ours, "there": each.there, "why": each.why,
             "words": each.words, "act": each.act}
            for code, its in report.differences.items() for each in its
        ],
    }  # fmt: skip


def _text(report: Report, figures: dict[str, Any]) -> str:
    from motcua.web import labels
    from motcua.web.console import sync_words

    median, p95 = figures["detect_median_s"], figures["detect_p95_s"]
    lines = [
        f"Đọc lại {labels.number(report.looked_up)} hồ sơ, Cổng có {labels.number(report.found)}, lệch "
        f"{labels.number(len(report.differences))}; chênh lệch mới {labels.number(report.opened)}, đã khớp lại "
        f"{labels.number(report.closed)}, gửi lại {labels.number(report.sent_again)} sự kiện",
        f"Hồ sơ mở đã đọc trong 24 giờ: {labels.number(figures['open_seen_in_a_day'])}/"
        f"{labels.number(figures['open'])}; đang lệch: {labels.number(figures['dossiers_differing'])} hồ sơ",
    ]
    if report.silent:
        lines.append("Cổng không trả lời, tạm ngừng hỏi: chưa đọc được, không phải là không lệch")
    if median is not None:
        told, most = (sync_words.age(int(seconds)) for seconds in (median, p95))
        lines.append(f"Thời gian phát hiện: trung vị {told}, 95% trong {most}")
    return "\n".join(lines)


def _differences(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.exchange import reconcile_figures
    from motcua.exchange.models import Difference
    from motcua.rules.instants import VIET_NAM
    from motcua.web.console import sync_words

    if args.why and args.why not in Difference.Why.values:
        fail(f"--why {args.why}: there are: {', '.join(Difference.Why.values)}")
    rows = reconcile_figures.differences(dossiers=tuple(args.dossier), why=args.why, limit=args.limit)
    lines = [
        f"{row['dossier']}  {sync_words.difference(row['name'], row['ours'], row['there'])}\n"
        f"    {': '.join(filter(None, (str(Difference.Why(row['why']).label), row['words'])))}"
        + f"; từ {row['first_seen'].astimezone(VIET_NAM):%d/%m/%Y %H:%M}; đề xuất: {Difference.Act(row['act']).label}"
        for row in rows
    ]
    answer(args, {"differences": rows}, "\n".join(lines) or "Không có chênh lệch trong các hồ sơ đã đọc lại")
    return FALLS_SHORT if rows else DONE
