"""`motcua import`: dossiers and events of another system."""

from __future__ import annotations

import argparse
from pathlib import Path

from motcua.cli import guessed, loads, published
from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, progress, say

#: Forms in which offices keep lists: without a map their columns are guessed.
_OFFICE = (".xlsx", ".xls", ".xlsb", ".ods", ".html", ".htm")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    command = commands.add_parser("import", help="dossiers and events from CSV, XLSX, Parquet or XES")
    command.add_argument("files", metavar="FILE", nargs="+", type=Path)
    command.add_argument("--map", metavar="MAP.toml", type=Path, help="how another form is read")
    command.add_argument("--as", dest="role", choices=("published", "petitions"),
                         help="a list with the portal's own verdicts, or of petitions")  # fmt: skip
    command.add_argument("--source", metavar="NAME", default="", help="the processing system that the files come from")
    command.add_argument("--create-missing", action="store_true", help="create unknown procedures and agencies")
    command.add_argument("--keep-going", action="store_true", help="refuse the dossier of a bad row, take the rest")
    published.options(command)
    command.set_defaults(run=_import)
    loads.register(commands)


def _import(args: argparse.Namespace) -> int:
    for file in args.files:
        if not file.is_file():
            fail(f"{file}: there is no such file")
    if args.role == "published":
        return published.take_in(args)
    from motcua.cli.home import open_home

    home = open_home()
    if args.role == "petitions" or (args.map is None and all(file.suffix.lower() in _OFFICE for file in args.files)):
        return guessed.take_in(args, home)
    from django.utils import timezone

    from motcua.dossiers.importing import mapping
    from motcua.dossiers.importing.run import Order, import_files

    order = Order(
        files=tuple(args.files),
        home=home,
        at=timezone.now(),
        map=mapping.read(args.map) if args.map else None,
        source=args.source,
        create_missing=args.create_missing,
        keep_going=args.keep_going,
    )
    with progress("kiểm tra, rồi nạp") as bar:
        result = import_files(order, checked=bar.advance, stored=bar.advance)
    document = {
        "dossiers": result.dossiers,
        "events": result.events,
        "derived": result.derived,
        "refused": result.refused,
        "refusals": result.refusals,
        "anomalies": dict(result.anomalies),
        "absent_columns": result.absent,
    }
    odd = sum(result.anomalies.values())
    for sentence in result.absent:
        say(sentence)
    if result.refused:
        say(f"{result.refused} refused (dossiers, and rows that name none), with reasons in {result.refusals}")
    answer(
        args,
        document,
        f"{result.dossiers} dossiers, {result.events} events stored"
        + (f" (and {result.derived} ends stated by the cases)" if result.derived else "")
        + (f"; {odd} anomalies kept and listed" if odd else ""),
    )
    return FALLS_SHORT if result.refused else DONE
