"""`motcua extract`, `bridge`, `rates`, `inspect`, `explain`: what the inspection knows."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, progress, say

if TYPE_CHECKING:
    from motcua.oversight.figures import Question


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    extract = commands.add_parser("extract", help="bring the facts up to date")
    extract.add_argument("--full", action="store_true", help="everything anew, not only what changed")
    extract.set_defaults(run=_extract)
    for name, run, text in (
        ("bridge", _bridge, "late shown → late recorded → late true, cause by cause"),
        ("rates", _rates, "on-time figures"),
        ("inspect", _inspect, "findings, each with its proof"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--measure", choices=("reception", "open", "finished", "all"), default="all")
        command.add_argument("--by", choices=("agency", "field", "procedure", "month", "source"))
        command.add_argument("--period", metavar="P", help="2021, 2021-Q4, 2021-12, 2021-12-01/2021-12-15, 2021-BC-Q4")
        command.add_argument("--as-of", metavar="T", help="what had been stated by then (default: the period's end)")
        command.add_argument("--known-at", metavar="T", help="what had arrived by then (default: now)")
        command.add_argument("--agency", metavar="CODE")
        command.add_argument("--policy", metavar="NAME", default="default", help="another reading of the law")
        command.add_argument("--engine", choices=("duckdb", "polars", "spark"), default="duckdb")
        command.set_defaults(run=run)
        if name == "rates":
            command.add_argument("--verdict", choices=("shown", "recorded", "true"), default="recorded")
        if name == "inspect":
            command.add_argument(
                "--check", action="append", default=[], metavar="CODE", help="only this check, by code or number (V-05)"
            )
    levels = commands.add_parser("levels", help="what the data of each source or unit can tell, what is silent")
    levels.add_argument("--by", choices=("source", "agency"), default="source")
    levels.add_argument("--period", metavar="P")
    levels.add_argument("--agency", metavar="CODE")
    levels.set_defaults(run=_levels, measure="all", as_of=None, known_at=None, policy="default", engine="duckdb")
    explain = commands.add_parser("explain", help="one dossier: verdicts, cause, timeline, minutes, certificate")
    explain.add_argument("dossier", metavar="DOSSIER")
    explain.add_argument("--as-of", metavar="T")
    explain.add_argument("--policy", metavar="NAME", default="default")
    explain.set_defaults(run=_explain)


def _now() -> datetime:
    from django.utils import timezone

    return timezone.now()


def _extract(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from motcua.oversight import extract

    with progress("trích dữ kiện") as bar:
        report = extract.run(home=home, at=_now(), full=args.full, advance=bar.advance)
    document = {
        "dossiers": report.dossiers,
        "rows": report.rows,
        "full": report.full,
        "position": report.position,
        "due_changes": report.due_changes,
    }
    moved = f"; {report.due_changes} due dates moved by corrected terms" if report.due_changes else ""
    kind = "full" if report.full else "new"
    answer(args, document, f"{report.dossiers} dossiers, {report.rows} fact rows ({kind}){moved}")
    return 0


def _question(args: argparse.Namespace) -> tuple[Path, Question, datetime]:
    """Opens the home, brings the facts up to date and reads the options."""
    from motcua.cli.home import open_home

    home = open_home()
    from motcua.oversight import extract, figures
    from motcua.oversight.figures import Question
    from motcua.rules.instants import parse_instant

    now = _now()
    extract.run(home=home, at=now)
    if args.agency and not figures.knows_agency(home, args.agency):
        fail(f"--agency {args.agency}: neither the catalogue nor any dossier has this agency")
    question = Question(
        measure=args.measure,
        period=args.period,
        as_of=parse_instant(args.as_of) if args.as_of else None,
        known_at=parse_instant(args.known_at) if args.known_at else None,
        agency=args.agency,
        policy=args.policy,
        engine=args.engine,
    )
    return home, question, now


def _levels(args: argparse.Namespace) -> int:
    home, question, now = _question(args)
    from motcua.oversight import levels

    document = levels.levels(home, question, now=now, by=args.by)

    def line(row: dict[str, Any], name: str) -> str:
        after = f"level {row['next']} would clear up to {row['would_clear']}" if row["next"] else "all four levels"
        silent = f"  ! silent for {row['quiet_minutes']} working minutes" if row["silent"] else ""
        return f"{name:<32}{row['level']}/4{row['dossiers']:>9} dossiers  {after}{silent}"

    rows = [line(row, row["name"] or "(none)") for row in document["rows"]]
    answer(args, document, "\n".join([line(document, "all"), *rows]))
    return 0


def _bridge(args: argparse.Namespace) -> int:
    home, question, now = _question(args)
    from motcua.cli.pictures import bridge_text
    from motcua.oversight import figures

    document = figures.bridge(home, question, now=now, by=args.by)
    answer(args, document, lambda: bridge_text(document))
    return 0


def _rates(args: argparse.Namespace) -> int:
    home, question, now = _question(args)
    from motcua.cli.pictures import rates_text
    from motcua.oversight import figures

    document = figures.rates(home, question, now=now, by=args.by, verdict=args.verdict)
    answer(args, document, lambda: rates_text(document))
    return 0


def _inspect(args: argparse.Namespace) -> int:
    home, question, now = _question(args)
    from motcua.cli.pictures import findings_text
    from motcua.oversight import scan

    if args.by:
        say("--by has no meaning for findings; it is passed over")
    document = scan.inspect(home, question, now=now, checks=tuple(args.check))
    answer(args, document, lambda: findings_text(document))
    return FALLS_SHORT if document["broken"] else DONE


def _explain(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from motcua.cli.pictures import explain_text
    from motcua.oversight import explain, extract
    from motcua.rules.instants import parse_instant

    now = _now()
    extract.run(home=home, at=now)
    document = explain.dossier(
        home, args.dossier, now=now, as_of=parse_instant(args.as_of) if args.as_of else None, policy=args.policy
    )
    if document is None:
        fail(f"{args.dossier}: neither our record nor the portal's copy has such a dossier")
    answer(args, document, lambda: explain_text(document))
    return 0
