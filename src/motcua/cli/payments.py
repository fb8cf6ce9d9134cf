"""`motcua payments …`: payments of another system taken in, the gateway asked, the three sides reconciled."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, progress, say

if TYPE_CHECKING:
    from motcua.payments.reconcile import Payment, Report

CLASSES = {
    "agree": "Khớp cả ba bên",
    "refunded": "Đã hoàn tiền",
    "double_paid": "Nộp hai lần",
    "wrong_dossier": "Sai hồ sơ",
    "amount_differs": "Lệch số tiền",
    "missing_here": "Một cửa không ghi",
    "missing_gateway": "Cổng thanh toán không có",
    "missing_bank": "Ngân hàng không có",
    "only_here": "Chỉ một cửa ghi",
    "only_gateway": "Chỉ Cổng thanh toán có",
    "only_bank": "Chỉ ngân hàng có",
    "not_asked": "Chưa hỏi Cổng thanh toán",
    "awaiting_bank": "Chờ ngân hàng hạch toán",
}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser("payments", help="dossier, gateway and bank held against each other").add_subparsers(
        metavar="VERB", required=True
    )
    load = verbs.add_parser("load", help="payments that another one-stop system records as made, CSV or workbook")
    load.add_argument("files", metavar="FILE", nargs="+", type=Path)
    load.set_defaults(run=_load)
    start = verbs.add_parser("start", help="begin the payment of a dossier at the gateway; prints where it is paid")
    start.add_argument("dossier", metavar="DOSSIER")
    start.add_argument("--duty", default="Phí, lệ phí", help="what is paid for; a duty is paid once")
    start.add_argument("--fee", metavar="NAME=AMOUNT", action="append", required=True, help="a fee in whole đồng")
    start.set_defaults(run=_start)
    query = verbs.add_parser("query", help="ask the gateway about payments that are open or were never asked about")
    query.add_argument("--reference", metavar="MaThamChieu", action="append", help="only these; may be repeated")
    query.set_defaults(run=_query)
    reconcile = verbs.add_parser("reconcile", help="each payment in one class, sums that add up")
    reconcile.add_argument("--bank", metavar="FILE", action="append", type=Path, required=True, help="the bank's list")
    reconcile.add_argument("--gateway", metavar="FILE", action="append", type=Path, default=[],
                           help="the gateway's own list, beside what it confirmed and answered")  # fmt: skip
    reconcile.add_argument("--period", metavar="P", help="payments made in it: 2026, 2026-Q1, 2026-03, DAY/DAY")
    reconcile.add_argument("--class", dest="found", metavar="CLASS", choices=sorted(CLASSES), help="list these only")
    reconcile.add_argument("-o", "--output", metavar="FILE.xlsx", type=Path)
    reconcile.set_defaults(run=_reconcile)


def _existing(files: Iterable[Path]) -> list[Path]:
    listed = list(files)
    for file in listed:
        if not file.is_file():
            fail(f"{file}: there is no such file")
    return listed


def _load(args: argparse.Namespace) -> int:
    files = _existing(args.files)
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.payments import sides

    new, known = sides.load(files, now=timezone.now())
    answer(args, {"new": new, "known": known}, f"{new} giao dịch mới, {known} đã có")
    return DONE


def _start(args: argparse.Namespace) -> int:
    from motcua.payments.lists import dong
    from motcua.wire.payments import Fee

    fees = []
    for text in args.fee:
        name, equals, amount = text.rpartition("=")
        if not equals or not name or dong(amount) <= 0:
            fail(f"--fee {text!r}: write NAME=AMOUNT, such as 'Lệ phí=50000'")
        fees.append(Fee(kind="2", code="", name=name, amount=dong(amount)))
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.mirror import gateway
    from motcua.mirror.client import PortalUnreachable
    from motcua.payments import collect
    from motcua.payments.client import GatewayClient

    client = GatewayClient(gateway.named())
    try:
        payment, url = collect.start(dossier=args.dossier, duty=args.duty, fees=fees, now=timezone.now(), client=client)
    except PortalUnreachable as error:
        fail(f"{error}; nothing is lost, the same call again goes on")
    finally:
        client.close()
    answer(args, {"reference": payment.reference, "amount": payment.amount, "url": url},
           f"{payment.reference}: {_dong(payment.amount)} đồng, {url}")  # fmt: skip
    return DONE


def _query(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.mirror import gateway
    from motcua.mirror.client import PortalUnreachable
    from motcua.payments import collect, sides
    from motcua.payments.client import GatewayClient

    client = GatewayClient(gateway.named())
    references = args.reference or sides.unasked()
    asked = paid = 0
    try:
        with progress("hỏi Cổng thanh toán", len(references)) as bar:
            for reference in references:
                one = collect.ask([reference], client=client, now=timezone.now())
                asked, paid = asked + one[0], paid + one[1]
                bar.advance(1)
    except PortalUnreachable as error:
        fail(f"{error}; {asked} asked before, nothing is lost")
    finally:
        client.close()
    answer(args, {"asked": asked, "paid": paid}, f"đã hỏi {asked} giao dịch, {paid} đã thanh toán")
    return DONE


def _reconcile(args: argparse.Namespace) -> int:
    bank, lists = _existing(args.bank), _existing(args.gateway)
    from motcua.oversight import periods

    period = periods.parse(args.period) if args.period else None
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.payments import sides, workbook
    from motcua.payments.reconcile import Class

    report = sides.report(
        bank=bank, gateway=lists, start=period.start if period else None, end=period.end if period else None
    )
    if args.output:
        title = f"Kỳ {args.period}" if args.period else "Toàn bộ"
        labels = {found: CLASSES[found] for found in Class}
        args.output.write_bytes(workbook.build(report, labels, title=title, now=timezone.now()))
        say(f"{args.output}: {len(report.payments)} giao dịch")
    answer(args, _document(args, report), lambda: "\n".join(_table(args, report)))
    return DONE if report.agrees else FALLS_SHORT


def _document(args: argparse.Namespace, report: Report) -> dict[str, Any]:
    total = report.total()
    return {
        "period": args.period,
        "classes": [
            {"class": str(found), "count": s.count, "here": s.here, "gateway": s.gateway, "bank": s.bank}
            for found, s in report.sums().items()
        ],
        "total": {"count": total.count, "here": total.here, "gateway": total.gateway, "bank": total.bank},
        "rows": [_row(p) for p in report.payments if args.found in (None, p.found)],
    }


def _row(payment: Payment) -> dict[str, Any]:
    return {
        "reference": payment.reference, "class": str(payment.found), "dossiers": payment.dossiers, "at": payment.at,
        "here": payment.here, "gateway": payment.gateway, "bank": payment.bank, "refunded": payment.refunded,
    }  # fmt: skip


def _dong(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def _table(args: argparse.Namespace, report: Report) -> Iterable[str]:
    total = report.total()
    yield f"{'':<28}{'số':>8}{'một cửa':>18}{'cổng thanh toán':>18}{'ngân hàng':>18}"
    rows = [("Tổng cộng (đồng)", total), *((CLASSES[found], sums) for found, sums in report.sums().items())]
    for name, sums in rows:
        yield f"{name:<28}{sums.count:>8}{_dong(sums.here):>18}{_dong(sums.gateway):>18}{_dong(sums.bank):>18}"
    if args.found:
        for payment in report.payments:
            if payment.found == args.found:
                sides = " · ".join(_dong(value) for value in (payment.here, payment.gateway, payment.bank))
                yield f"  {payment.reference}  {', '.join(payment.dossiers)}  {sides}"
