"""`motcua exchange tickets …` and `motcua exchange alerts …`: who is to mend what, and what a person is to look at."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail

_OWNERS = ("vendor", "ministry", "unit", "internal")


def register(exchange: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to `motcua exchange`."""
    verbs = exchange.add_parser("tickets", help="groups of dossiers with one cause, for whoever owns the fault")
    tickets = verbs.add_subparsers(metavar="VERB", required=True)
    listed = tickets.add_parser("list", help="tickets with their counts and age")
    listed.add_argument("--state", choices=("open", "sent", "closed"), default="")
    listed.set_defaults(run=_list)
    opened = tickets.add_parser("open", help="a new ticket over these dossiers, with the evidence of now")
    opened.add_argument("codes", nargs="*", metavar="CODE")
    opened.add_argument("--file", type=Path, metavar="FILE", help="codes, one a line")
    opened.add_argument("--owner-kind", choices=_OWNERS, required=True)
    opened.add_argument("--owner", default="", metavar="NAME", help="the vendor, ministry or unit")
    opened.add_argument("--cause", required=True, metavar="TEXT", help="in words, for whoever mends it")
    opened.add_argument("--days", type=int, default=5, metavar="N", help="working days to settle it (default 5)")
    opened.set_defaults(run=_open)
    for verb, text, run in (
        ("show", "a ticket with its dossiers and its history", _show),
        ("close", "close a ticket though the data does not", _close),
    ):
        one = tickets.add_parser(verb, help=text)
        one.add_argument("ticket", type=int, metavar="N")
        if verb == "close":
            one.add_argument("--note", required=True, metavar="TEXT", help="why")
        one.set_defaults(run=run)
    told = exchange.add_parser("alerts", help="what a person is to look at; --acknowledge one")
    told.add_argument("--acknowledge", type=int, metavar="N", help="somebody knows")
    told.set_defaults(run=_alerts)


def _now() -> datetime:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    return timezone.now()


def _list(args: argparse.Namespace) -> int:
    now = _now()
    from motcua.exchange import tickets

    rows = tickets.listed(now=now, state=args.state)
    answer(args, {"tickets": rows}, lambda: "\n".join(map(_line, rows)) or "Không có phiếu nào")
    return DONE


def _line(row: dict[str, Any]) -> str:
    from motcua.web.console import sync_words as words

    state = "QUÁ HẠN" if row["overdue"] else words.STATES[row["state"]]
    owner = f"{words.OWNERS[row['owner_kind']]} {row['owner']}".strip()
    return (
        f"{row['ticket']:>5}  {state:<10}  {row['left']:>5}/{row['dossiers']} chưa khớp  {words.age(row['age_s'])}  "
        f"{owner}: {row['cause']}"
    )


def _open(args: argparse.Namespace) -> int:
    text = "\n".join(args.codes)
    if args.file:
        try:
            text += "\n" + args.file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"{args.file}: cannot be read: {error}")
    now = _now()
    from motcua.cli.home import account
    from motcua.exchange import looked_up, tickets

    pasted = looked_up.read(text)
    if pasted.left_out:
        fail(f"{len(pasted.codes) + pasted.left_out} codes; a ticket takes {looked_up.MANY}: open several")
    ticket = tickets.open_(
        codes=pasted.codes, owner_kind=args.owner_kind, owner=args.owner, cause=args.cause, by=account(), at=now,
        days=args.days,
    )  # fmt: skip
    shown = tickets.shown(ticket.pk, now=now)
    unknown = [code for code in pasted.codes if code not in {item["dossier"] for item in shown["items"]}]
    document = {"ticket": ticket.pk, "dossiers": shown["dossiers"], "due_at": ticket.due_at, "not_known": unknown}
    answer(args, document, f"Phiếu {ticket.pk}: {shown['dossiers']} hồ sơ, không thấy {len(unknown)} mã")
    return FALLS_SHORT if unknown else DONE


def _show(args: argparse.Namespace) -> int:
    now = _now()
    from motcua.exchange import tickets

    ticket = tickets.shown(args.ticket, now=now)
    answer(args, ticket, lambda: _told(ticket))
    return DONE


def _told(ticket: dict[str, Any]) -> str:
    from motcua.web.console import sync_words as words

    lines = [_line(ticket)]
    for item in ticket["items"]:
        agrees = f"khớp {words.hour(item['agrees_at'])}" if item["agrees_at"] else "chưa khớp"
        lines.append(f"  {item['dossier']}  {agrees}")
        for name, ours, there, why, said in item["evidence"]["differences"]:
            said_too = f": {said}" if said else ""
            lines.append(f"      {words.difference(name, ours, there)} ({words.WHYS[why]}{said_too})")
    for line in ticket["history"]:
        count = f" {line['count']} hồ sơ" if line["count"] else ""
        lines.append(f"  {words.hour(line['at'])}  {words.ACTS[line['act']]}{count}  {line['by'] or 'dữ liệu'}  "
                     f"{line['note']}".rstrip())  # fmt: skip
    return "\n".join(lines)


def _close(args: argparse.Namespace) -> int:
    now = _now()
    from motcua.cli.home import account
    from motcua.exchange import tickets

    ticket = tickets.close(args.ticket, by=account(), at=now, note=args.note)
    answer(args, {"ticket": ticket.pk, "state": ticket.state}, f"Đã đóng phiếu {ticket.pk}")
    return DONE


def _alerts(args: argparse.Namespace) -> int:
    now = _now()
    from motcua.cli.home import account
    from motcua.exchange import alerts

    if args.acknowledge is not None:
        alerts.acknowledge(args.acknowledge, by=account(), at=now)
    alerts.evaluate(now=now)
    rows = alerts.listed()
    answer(args, {"alerts": rows}, lambda: "\n".join(map(_alert, rows)) or "Không có cảnh báo")
    return FALLS_SHORT if any(row["acknowledged_at"] is None for row in rows) else DONE


def _alert(row: dict[str, Any]) -> str:
    from motcua.web.console import sync_words as words

    known = f" ({row['acknowledged_by']} đã biết)" if row["acknowledged_at"] else ""
    text = words.alert(row["kind"], row["subject"], row["facts"])
    return f"{row['alert']:>5}  {words.hour(row['first_at'])}  {text}{known}"
