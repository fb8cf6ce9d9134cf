"""`motcua parts …`: which parts of the house are switched on."""

from __future__ import annotations

import argparse

from motcua.cli.output import DONE, answer, fail


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser("parts", help="switch parts of the house on and off: pages, menu, jobs")
    parts = verbs.add_subparsers(metavar="VERB", required=True)
    parts.add_parser("show", help="what is on, what is off").set_defaults(run=_show)
    choose = parts.add_parser("set", help="exactly these are on; `none` switches all off")
    choose.add_argument("part", metavar="PART", nargs="+", help="oversight, exchange, desk, portal, or none")
    choose.set_defaults(run=_set)


def _show(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    return _tell(args)


def _set(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.catalogue import parts

    if "none" in args.part and len(args.part) > 1:
        fail("none stands alone: it switches every part off")
    names = [name for name in args.part if name != "none"]
    parts.choose(names, by=account(), at=timezone.now())
    return _tell(args)


def _tell(args: argparse.Namespace) -> int:
    from motcua.catalogue import parts

    on = parts.on()
    document = {part: part in on for part in parts.PARTS}
    answer(args, {"parts": document}, "\n".join(f"{part:<12}{'on' if there else 'off'}" for part, there in
                                                document.items()))  # fmt: skip
    return DONE
