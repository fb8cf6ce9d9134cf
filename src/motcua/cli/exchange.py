"""`motcua exchange …`: the synchronisation by hand."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli import drift, portal, read_back, status_map, tickets
from motcua.cli.mirror import become, granian
from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, say

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from motcua.exchange.models import Delivery

#: The doors at which the portal's messages come in (contract §3.11), by their path.
DOORS = ("nhanhsdvcqg", "addtthcKhuyenMai", "nhantbthuedvcqg")
#: Deliveries tried before the clock is read again.
_AT_ONCE = 5_000


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    exchange = commands.add_parser("exchange", help="the synchronisation by hand").add_subparsers(
        metavar="VERB", required=True
    )
    deliver = exchange.add_parser("deliver", help="send what waits, the most urgent dossiers first")
    portal.arguments(deliver)
    deliver.add_argument("--dossier", metavar="CODE", help="this one alone")
    deliver.add_argument("--batch", type=int, default=1, help="dossiers in one call, where items are answered")
    deliver.set_defaults(run=_deliver)
    read_back.register(exchange)
    tickets.register(exchange)
    exchange.add_parser("status", help="backlog, oldest, errors, circuits, sources, read-back, tickets").set_defaults(
        run=_status
    )
    for verb, text, run in (
        ("dead", "dead letters: what was sent, what the portal said, what helps", _dead),
        ("replay", "put dead letters back to waiting: all, or those chosen", _replay),
    ):
        letters = exchange.add_parser(verb, help=text)
        letters.add_argument("--dossier", metavar="CODE", action="append", default=[], help="may be given again")
        letters.add_argument(
            "--position", metavar="N", type=int, action="append", default=[], help="may be given again"
        )
        letters.add_argument("--error", metavar="TEXT", default="", help="those with this text in the portal's words")
        letters.set_defaults(run=run)
    take_in = exchange.add_parser("take-in", help="what the national portal sends: files, or the door it calls")
    take_in.add_argument("files", metavar="FILE", nargs="*", type=Path, help="message bodies as they came, one a line")
    take_in.add_argument("--door", choices=DOORS, default=DOORS[0], help="at which door the files came")
    take_in.add_argument("--serve", action="store_true", help="answer the portal's calls")
    take_in.add_argument("--host", default="127.0.0.1", metavar="H")
    take_in.add_argument("--port", type=int, default=8767, metavar="P")
    take_in.add_argument("--token-file", type=Path, metavar="FILE", help="what the axis shows as bearer")
    take_in.set_defaults(run=_take_in)
    drift.register(exchange)
    status_map.register(exchange)


def _deliver(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.exchange import deliveries
    from motcua.exchange.deliver import Deliverer
    from motcua.mirror import profiles
    from motcua.mirror.client import LoginRefused

    planned = deliveries.plan()
    deliverer = Deliverer(portal.client(args), batch=args.batch, profile=profiles.current())
    before = -1
    try:
        while before < deliverer.report.calls:  # the clock is read anew: a long backlog takes its time
            before = deliverer.report.calls
            report = deliverer.run(at=timezone.now(), limit=_AT_ONCE, only=args.dossier)
    except LoginRefused as error:
        fail(f"{error}; nothing is lost, what waits is sent again")
    if report.busy:
        fail("another process delivers; nothing was done twice")
    document = {
        "planned": planned, "delivered": report.delivered, "dead": report.dead, "postponed": report.postponed,
        "waiting": deliveries.waiting(), "silent": report.silent,
    }  # fmt: skip
    told = f"{planned} planned, {report.delivered} delivered, {report.dead} dead, {report.postponed} postponed, "
    told += f"{document['waiting']} waiting{'; the portal does not answer' if report.silent else ''}"
    answer(args, document, told)
    return FALLS_SHORT if report.dead or report.postponed or report.silent else DONE


def _status(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.exchange import overview

    document = overview.report(now=timezone.now())
    answer(args, document, lambda: _status_text(document))
    return DONE


#: The states of a circuit, in words.
CIRCUITS = {"closed": "đang trả lời", "open": "không trả lời, tạm ngừng gửi", "half_open": "đang thử lại một bản tin"}


def _status_text(document: dict[str, Any]) -> str:
    from motcua.web import labels
    from motcua.web.console import sync_words as words

    today, read, open_ = document["today"], document["read_back"], document["tickets"]
    oldest = document["oldest_waiting_s"]
    lines = [
        f"Bản tin: {labels.number(document['waiting'])} đang chờ, {labels.number(document['delivered'])} đã nhận, "
        f"{labels.number(document['dead'])} lỗi, {labels.number(document['unmapped'])} chưa ánh xạ",
        f"Hôm nay: {labels.number(today['tried'])} bản tin, Cổng nhận {labels.percent(today['rate'])}",
        f"Cũ nhất chưa gửi: {words.age(oldest) or 'không có'}",
        f"Trên Cổng quá hạn trong 24 giờ tới chỉ vì chưa gửi: {len(document['late_because_of_us'])} hồ sơ",
    ]
    for circuit in document["circuits"]:
        lines.append(f"Cổng {circuit['url']}: {CIRCUITS[circuit['state']]} {circuit['error']}".rstrip())
    for error in document["errors"]:
        lines.append(f"  {error['count']:>6}  {error['message']}\n          {words.REMEDIES[error['remedy']]}")
    for source in document["sources"]:
        silent = "IM LẶNG " if source["silent"] else "gần nhất "
        usual = f"thường {words.rate(source['usual_per_hour'])} bản tin/giờ"
        lines.append(f"Nguồn {source['name'] or source['sender']}: {silent}{words.age(source['silence_s'])} ({usual})")
    lines += [f"Nguồn {file['source']}: chỉ có tệp nạp {words.hour(file['last_at'])}" for file in document["files"]]
    lines.append(
        f"Đọc lại: {labels.number(read['open_seen_in_a_day'])}/{labels.number(read['open'])} hồ sơ mở trong 24 giờ, "
        f"lệch {labels.number(read['dossiers_differing'])}"
    )
    lines.append(f"Phiếu xử lý đang mở: {open_['open']}, quá hạn {open_['overdue']}")
    lines += [f"Cảnh báo: {words.alert(row['kind'], row['subject'], row['facts'])}" for row in document["alerts"]]
    return "\n".join(lines)


def _dead(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.exchange import dead_letters
    from motcua.web import labels
    from motcua.web.console.sync_words import REMEDIES

    letters = dead_letters.listed(_chosen(args))
    lines = [
        f"{letter['position']}  {letter['dossier']}  {labels.KINDS[letter['kind']]}\n"
        f"    Cổng: {letter['error']}\n    Cách xử lý: {REMEDIES[letter['remedy']]}"
        for letter in letters
    ]
    answer(args, {"dead": letters}, "\n".join(lines) or "Không có bản tin lỗi")
    return DONE


def _replay(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.exchange import dead_letters

    count = dead_letters.replay(_chosen(args), at=timezone.now())
    answer(args, {"replayed": count}, f"{count} dead letters wait again")
    return DONE


def _take_in(args: argparse.Namespace) -> int:
    for file in args.files:
        if not file.is_file():
            fail(f"{file}: there is no such file")
    if args.serve and args.host not in ("127.0.0.1", "::1", "localhost") and args.token_file is None:
        fail(f"the door answers on 127.0.0.1 only; give {args.host} a --token-file that the axis knows too")
    from motcua.cli.home import open_home

    open_home()
    if args.serve:
        env = dict(os.environ)
        if args.token_file:
            env["MOTCUA_PROVINCE_TOKEN_FILE"] = str(args.token_file.resolve())
        say(f"door: http://{args.host}:{args.port}/{DOORS[0]} (Ctrl-C ends it)")
        become(granian("motcua.exchange.wsgi:application", args.host, args.port, env), env)
    from django.utils import timezone

    from motcua.exchange import take_in

    now = timezone.now()
    answers = [
        take_in.take(line, door=args.door, at=now)
        for file in args.files
        for line in file.read_bytes().splitlines()
        if line.strip()
    ]
    counted = Counter(answer.error_code for answer in answers)
    document = {
        "taken": counted[take_in.TAKEN], "duplicate": counted[take_in.DUPLICATE], "refused": counted[take_in.BAD],
        "read_again": take_in.unfinished(at=now), "linked": take_in.link(at=now),
    }  # fmt: skip
    for answer_ in answers:
        if answer_.error_code == take_in.BAD:
            say(f"refused: {answer_.message}")
    answer(args, document, ", ".join(f"{value} {key}" for key, value in document.items()))
    return FALLS_SHORT if document["refused"] else DONE


def _chosen(args: argparse.Namespace) -> QuerySet[Delivery, Delivery]:
    from motcua.exchange import dead_letters

    return dead_letters.select(dossiers=args.dossier, positions=args.position, error=args.error)
