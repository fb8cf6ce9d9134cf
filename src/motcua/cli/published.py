"""`motcua import … --as published` and `motcua published`: lists with the portal's own verdicts."""

from __future__ import annotations

import argparse
from typing import Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, say

#: Refused rows are named so many on the screen; the JSON has them all.
_NAMED = 10


def options(command: argparse.ArgumentParser) -> None:
    """The options of `motcua import` that say what a published list is."""
    group = command.add_argument_group("with --as published")
    group.add_argument("--document", metavar="NO", default="", help="number of the letter, or what the export is")
    group.add_argument("--dated", metavar="D", help="the day or instant as of which the list speaks (default: now)")
    group.add_argument("--measure", choices=("all", "open", "finished", "reception"), default="all",
                       help="what the list counts")  # fmt: skip
    group.add_argument("--unit", metavar="CODE", default="", help="the agency that it is about (default: the province)")
    group.add_argument("--count", metavar="N", type=int, help="the number that the letter prints")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    command = commands.add_parser("published", help="the published lists that are kept; withdraw one")
    acts = command.add_subparsers(dest="act", required=True, metavar="ACT")
    listed = acts.add_parser("list", help="every list with its numbers")
    listed.set_defaults(run=_list)
    gone = acts.add_parser("withdraw", help="takes a list out of every figure; it stays kept")
    gone.add_argument("list", metavar="LIST", type=int)
    gone.set_defaults(run=_withdraw)


def take_in(args: argparse.Namespace) -> int:
    """Keeps the files of `motcua import --as published`."""
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.oversight import published
    from motcua.rules.instants import parse_instant

    now = timezone.now()
    dated = parse_instant(args.dated) if args.dated else now
    if args.dated and len(args.dated) <= len("2026-02-27"):  # a day: the list speaks as of its end
        dated = dated.replace(hour=23, minute=59, second=59)
    head = published.Head(
        dated_at=dated, document=args.document, unit=args.unit, measure=args.measure, stated_count=args.count,
        source=args.source,
    )  # fmt: skip
    lists: list[dict[str, Any]] = []
    for file in args.files:
        taken = published.take_in(file, head, at=now, keep_going=args.keep_going)
        lists.append(
            {
                "list": taken.list_id, "file": file.name, "rows": taken.rows, "late": taken.late,
                "repeated": taken.repeated, "already": taken.already, "stated_count": args.count,
                "refused": [{"row": row, "reason": reason} for row, reason in taken.refused],
            }
        )  # fmt: skip
        for row, reason in taken.refused[:_NAMED]:
            say(f"{file.name}, row {row}: {reason}")
        if args.count is not None and not taken.already and taken.rows != args.count:
            say(f"{file.name}: the letter prints {args.count}, the list names {taken.rows} dossiers")
    refused = sum(len(one["refused"]) for one in lists)
    document = {"lists": lists, "dossiers": sum(one["rows"] for one in lists if not one["already"]), "events": 0,
                "refused": refused}  # fmt: skip
    answer(args, document, lambda: "\n".join(_told(one) for one in lists))
    return FALLS_SHORT if refused else DONE


def _told(one: dict[str, Any]) -> str:
    if one["already"]:
        return f"{one['file']}: already kept as list {one['list']}, nothing changed"
    more = f", {one['repeated']} repeated rows counted once" if one["repeated"] else ""
    refused = f", {len(one['refused'])} rows refused" if one["refused"] else ""
    return f"{one['file']}: list {one['list']} of {one['rows']} dossiers, {one['late']} late{more}{refused}"


def _list(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.oversight import published

    lists = published.in_force()

    def text() -> str:
        return (
            "\n".join(
                f"{one['list']:>4}  {one['dated_at'][:10]}  {one['measure']:<10} {one['rows']:>7} dossiers, "
                f"{one['late']} late  {one['document'] or one['file']}" + ("  withdrawn" if one["withdrawn_at"] else "")
                for one in lists
            )
            or "no published list is kept: motcua import FILE --as published"
        )

    answer(args, {"lists": lists}, text)
    return DONE


def _withdraw(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.oversight import published
    from motcua.rules.instants import Unreadable

    try:
        kept = published.withdraw(args.list, at=timezone.now())
    except Unreadable as error:
        fail(f"{error}; `motcua published list` names them")
    answer(args, {"withdrawn": kept.pk}, f"list {kept.pk} ({kept.document or kept.file}) is out of every figure")
    return DONE
