"""`motcua machines`, `motcua outages`: what the checks leave out, because a machine did it or nothing could be done."""

from __future__ import annotations

import argparse
from typing import Any

from motcua.cli.output import DONE, answer


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    machines = commands.add_parser("machines", help="accounts by which a machine acts: checks of habits leave them out")
    machines.add_argument("--add", metavar="ACCOUNT", help="as the acts name it")
    machines.add_argument("--remove", metavar="ACCOUNT")
    machines.set_defaults(run=_machines)
    outages = commands.add_parser("outages", help="known spans in which a system was down: no fault of the agencies")
    outages.add_argument("--add", choices=("software", "portal"), help="which system was down")
    outages.add_argument("--withdraw", type=int, metavar="NUMBER")
    outages.add_argument("--agency", default="", metavar="CODE", help="otherwise the whole province")
    outages.add_argument("--until", metavar="T", help="what was left undone may be entered until then (a day after)")
    outages.add_argument("--document", default="", metavar="NUMBER", help="the decision that records the outage")
    outages.set_defaults(run=_outages)
    for command in (machines, outages):
        command.add_argument("--from", dest="since", metavar="T")
        command.add_argument("--to", metavar="T")
        command.add_argument("--note", default="", metavar="WHY")


def _machines(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.oversight import set_apart

    by, at = account(), timezone.now()
    if args.add:
        set_apart.name_machine(
            args.add, by=by, at=at, note=args.note, valid_from=_at(args.since), valid_to=_at(args.to)
        )  # fmt: skip
    if args.remove:
        set_apart.forget_machine(args.remove, by=by, at=at)
    rows = [
        {"account": row.account, "from": row.valid_from, "to": row.valid_to, "note": row.note, "by": row.by,
         "set_at": row.set_at}
        for row in set_apart.machines()
    ]  # fmt: skip
    answer(args, {"machines": rows}, "\n".join(f"{row['account']}: {row['note']} ({row['by']})" for row in rows))
    return DONE


def _outages(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.oversight import set_apart
    from motcua.rules.instants import Unreadable, iso

    by, at = account(), timezone.now()
    if args.add:
        start, end = _at(args.since), _at(args.to)
        if start is None or end is None:
            raise Unreadable("--from and --to: when the system went down, and when it came back")
        set_apart.declare_outage(
            what=args.add, from_at=start, to_at=end, caught_up_at=_at(args.until), agency=args.agency,
            document=args.document, note=args.note, by=by, at=at,
        )  # fmt: skip
    if args.withdraw is not None:
        set_apart.withdraw_outage(args.withdraw, by=by, at=at)
    names = ("pk", "what", "agency", "from_at", "to_at", "caught_up_at", "document", "note", "by", "set_at")
    rows: list[dict[str, Any]] = [
        {("outage" if name == "pk" else name): getattr(row, name) for name in names} for row in set_apart.outages()
    ]
    lines = [
        f"{row['outage']:>4} {row['what']:<9}{row['agency'] or 'province':<10} {iso(row['from_at'])} to"
        f" {iso(row['to_at'])} {row['document']}"
        for row in rows
    ]
    answer(args, {"outages": rows}, "\n".join(lines))
    return DONE


def _at(text: str | None) -> Any:
    from motcua.rules.instants import parse_instant

    return parse_instant(text) if text else None
