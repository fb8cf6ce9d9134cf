"""`motcua clock due` and `motcua clock between`: the law's clock from a terminal."""

from __future__ import annotations

import argparse
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from motcua.cli.output import answer, fail

if TYPE_CHECKING:
    from motcua.rules.clock import Pause
    from motcua.rules.workdays import WorkCalendar

#: Calendars are asked about these years; dates beyond are typing mistakes.
_YEARS = (1900, 2200)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    clock = commands.add_parser("clock", help="due instants and working minutes").add_subparsers(
        metavar="VERB", required=True
    )
    due = clock.add_parser("due", help="when a limit that starts now is over, and why")
    due.add_argument("start", metavar="START", help="ISO 8601 instant; Viet Nam time where no offset is given")
    due.add_argument("allotted", metavar="ALLOTTED", help="sd, 5d, 12h, 90m or 10cd")
    due.add_argument("--mode", choices=("keep-clock", "day-end", "hours"), default="keep-clock")
    due.add_argument("--pause", action="append", default=[], metavar="FROM/TO[/restart]")
    due.add_argument("--cutoff", metavar="HH:MM", help="a start after it counts from the next working day")
    due.add_argument("--explain", action="store_true", help="day by day")
    between = clock.add_parser("between", help="working minutes between two instants")
    between.add_argument("start", metavar="FROM")
    between.add_argument("end", metavar="TO")
    for verb in (due, between):
        verb.add_argument("--calendar", default="vn", metavar="NAME", help="vn, an agency's own, or a .toml file")
        verb.add_argument("--known-at", metavar="D", help="the calendar as it was known on this day")
    due.set_defaults(run=_due)
    between.set_defaults(run=_between)


def calendar(name: str, known_at: str | None) -> WorkCalendar:
    """The calendar of this name or file. Raises `Unusable`, `Unreadable`."""
    from motcua.rules import workdays

    if name == "vn":
        found = workdays.viet_nam()
    elif name.endswith(".toml"):
        from motcua.catalogue.calendar_files import read

        found = read(Path(name))
    else:
        from motcua.cli.home import open_home

        open_home()
        from motcua.catalogue import calendars

        found = calendars.load(name)
    if known_at is None:
        return found
    try:
        return found.known_at(date.fromisoformat(known_at))
    except ValueError:
        fail(f"--known-at {known_at!r} is not a day such as 2025-12-20")


def _due(args: argparse.Namespace) -> int:
    from motcua.rules.clock import VERSION, Allotted, Mode, certificate, cutoff_minutes, due_after
    from motcua.rules.instants import iso

    start, allotted, mode = _instant(args.start), Allotted.parse(args.allotted), Mode(args.mode)
    known = calendar(args.calendar, args.known_at)
    cutoff = cutoff_minutes(args.cutoff or "")
    pauses = [_pause(text) for text in args.pause]
    due = due_after(start, allotted, pauses, calendar=known, mode=mode, cutoff=cutoff)
    lines = certificate(start, due, calendar=known, allotted=allotted, mode=mode, cutoff=cutoff, pauses=pauses)
    document = {
        "due_at": iso(due),
        "mode": str(mode),
        "calendar": args.calendar,
        "rule": VERSION,
        "explain": [{"day": str(line.day), "worked_minutes": line.worked_minutes, "why": line.why} for line in lines],
    }

    def text() -> str:
        shown = [f"{due:%d/%m/%Y %H:%M}" + (f":{due:%S}" if due.second else "")]
        if args.explain:
            shown += [f"  {line.day:%d/%m/%Y}  {line.worked_minutes:>4} phút  {line.why}" for line in lines]
        return "\n".join(shown)

    answer(args, document, text)
    return 0


def _between(args: argparse.Namespace) -> int:
    minutes = calendar(args.calendar, args.known_at).minutes_between(_instant(args.start), _instant(args.end))
    answer(args, {"minutes": minutes}, str(minutes))
    return 0


def _instant(text: str) -> datetime:
    """An instant within what a calendar can be asked about. Raises `Unusable`, `Unreadable`."""
    from motcua.rules.instants import parse_instant

    at = parse_instant(text)
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        fail(f"{text}: a year between {_YEARS[0]} and {_YEARS[1]} is wanted")
    return at


def _pause(text: str) -> Pause:
    from motcua.rules.clock import Pause

    parts = text.split("/")
    if len(parts) not in (2, 3) or (len(parts) == 3 and parts[2] != "restart"):
        fail(f"--pause {text!r}: write FROM/TO or FROM/TO/restart")
    pause = Pause(from_at=_instant(parts[0]), to_at=_instant(parts[1]), restart=len(parts) == 3)
    if pause.to_at < pause.from_at:
        fail(f"--pause {text!r}: it ends before it starts")
    return pause
