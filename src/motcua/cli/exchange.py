"""`motcua exchange …`: the synchronisation by hand."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from motcua.cli import status_map
from motcua.cli.output import DONE, FALLS_SHORT, answer, fail


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    exchange = commands.add_parser("exchange", help="the synchronisation by hand").add_subparsers(
        metavar="VERB", required=True
    )
    for verb, text in (
        ("deliver", "send what waits"),
        ("read-back", "look up what the portal holds"),
        ("status", "backlog, oldest, errors"),
        ("replay", "put dead letters back to waiting"),
        ("take-in", "fetch dossiers filed on the national portal"),
    ):
        command = exchange.add_parser(verb, help=text)
        command.add_argument("--dossier", metavar="CODE")
        command.add_argument("--url", default=os.environ.get("NATIONAL_PORTAL_URL", "http://127.0.0.1:8766"))
        command.add_argument("--user", default="demo-h99")
        command.add_argument("--password-file", type=Path, metavar="FILE", help="default: the demo's password")
        command.add_argument("--unit", default="H99", help="our code as sender (madonvi)")
        command.add_argument("--batch", type=int, default=1, help="dossiers in one call, where items are answered")
        command.set_defaults(run=_exchange, verb=verb)
    status_map.register(exchange)


def _exchange(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    if args.verb == "take-in":
        fail("take-in: dossiers filed on the national portal are not taken in by this release")
    open_home()
    from django.utils import timezone

    from motcua.exchange import deliver, deliveries, read_back
    from motcua.mirror.client import LoginRefused, Portal, PortalUnreachable

    now = timezone.now()
    if args.verb == "status":
        document = read_back.status(now=now)
        answer(args, document, "\n".join(f"{key}: {value}" for key, value in document.items()))
        return DONE
    if args.verb == "replay":
        count = deliver.replay_dead(at=now, dossier=args.dossier)
        answer(args, {"replayed": count}, f"{count} dead letters wait again")
        return DONE
    password = args.password_file.read_text().strip() if args.password_file else "demo-password"
    portal = Portal(args.url, args.user, password, args.unit)
    try:
        if args.verb == "read-back":
            looked, found = read_back.run(portal=portal, at=now, codes=[args.dossier] if args.dossier else None)
            answer(args, {"looked_up": looked, "found": found}, f"{looked} looked up, {found} found")
            return DONE
        planned = deliveries.plan()
        report = deliver.Deliverer(portal, batch=args.batch).run(at=now)
    except (PortalUnreachable, LoginRefused) as error:
        fail(f"{error}; nothing is lost, what waits is sent again")
    document = {
        "planned": planned, "delivered": report.delivered, "dead": report.dead, "postponed": report.postponed,
        "waiting": deliveries.waiting(),
    }  # fmt: skip
    answer(args, document, ", ".join(f"{value} {key}" for key, value in document.items()))
    return FALLS_SHORT if report.dead or report.postponed else DONE
