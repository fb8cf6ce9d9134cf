"""`motcua compare …`: province and portal side by side, beside the dossiers: procedures, online services, payment."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail

if TYPE_CHECKING:
    from motcua.inspection.two_sides import Comparison

#: Lines that are printed; --json has all.
_SHOWN = 50


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser("compare", help="procedures, online services, online payment: province and portal")
    kinds = verbs.add_subparsers(metavar="WHAT", required=True)
    for kind, text in (
        ("procedures", "our list of procedures against the portal's"),
        ("online-services", "what is offered online, and at which level"),
        ("online-payment", "dossiers paid online, here and as the portal shows them"),
    ):
        verb = kinds.add_parser(kind, help=text)
        verb.add_argument("--on", type=date.fromisoformat, metavar="DAY", help="as of this day; default: today")
        verb.add_argument("--cause", metavar="CODE", default="", help="only the lines of this cause")
        verb.add_argument("-o", "--output", type=Path, metavar="FILE.xlsx", help="as a workbook too")
        if kind == "online-payment":
            verb.add_argument("--period", metavar="P", help="dossiers received in it: 2026-03, 2026-Q1, 2026, A/B")
        if kind == "online-services":
            verb.add_argument("--load", type=Path, metavar="FILE.csv",
                              help="our own list first: procedure, level (full, partial), name")  # fmt: skip
        verb.set_defaults(run=_compare, kind=kind)


def _compare(args: argparse.Namespace) -> int:
    if args.output is not None and args.output.suffix.lower() != ".xlsx":
        fail(f"-o {args.output}: written as .xlsx; use --json for a document")
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.inspection.two_sides import CAUSES
    from motcua.oversight import other_sides, periods
    from motcua.rules.instants import local_day
    from motcua.web.compare import words, workbook

    if args.cause and args.cause not in CAUSES[args.kind]:
        fail(f"--cause {args.cause!r} is none of {', '.join(CAUSES[args.kind])}")
    now = timezone.now()
    if getattr(args, "load", None) is not None:
        other_sides.load_services(args.load, at=now)
    period = getattr(args, "period", None)
    received = periods.parse(period) if period else None
    found = other_sides.compare(
        args.kind, on=args.on or local_day(now), received=(received.start, received.end) if received else None
    )
    if found.there_at is None:
        fail("the portal's side was never had: run motcua exchange catalogue pull"
             if args.kind != "online-payment" else
             "no record of the portal is known: read it back, or load its messages")  # fmt: skip
    lines = found.chosen(cause=args.cause)
    if args.output is not None:
        try:
            args.output.write_bytes(workbook.of(found, lines, now=now, who="motcua").getvalue())
        except OSError as error:
            fail(f"-o {args.output}: cannot be written: {error.strerror}")
    document: dict[str, Any] = {
        "kind": found.kind, "ours_at": found.ours_at, "there_at": found.there_at, "basis": found.basis, **found.counts,
        "lines": [{**asdict(line), "where": line.where} for line in lines],
    }  # fmt: skip
    answer(args, document, lambda: _text(found, words))
    return FALLS_SHORT if found.counts["only_ours"] or found.counts["only_there"] or found.counts["differs"] else DONE


def _text(found: Comparison, words: Any) -> str:
    counts = found.counts
    head = [words.TITLES[found.kind], words.equation(counts)]
    causes = [f"{count:>7}  {words.CAUSES[cause]}" for cause, count in counts["causes"].items() if count]
    unequal = [line for line in found.lines if line.where != "equal"]
    listed = [f"{line.key}  {words.CAUSES[line.cause]}  {words.sides(found.kind, line)}" for line in unequal[:_SHOWN]]
    more = [f"… {len(unequal) - _SHOWN} more (--json, -o FILE.xlsx)"] if len(unequal) > _SHOWN else []
    return "\n".join([*head, *causes, *listed, *more])
