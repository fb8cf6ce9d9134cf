"""`motcua calendar …`: the working calendars of agencies, and what a change does before it is kept."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, UNUSABLE, answer, fail, progress, say

if TYPE_CHECKING:
    from motcua.catalogue.calendar_files import Definition
    from motcua.oversight.in_flight import Effect

#: How many dossiers a preview names.
_NAMED = 5


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    calendar = commands.add_parser("calendar", help="working calendars of agencies").add_subparsers(
        metavar="VERB", required=True
    )
    calendar.add_parser("list", help="the calendars and who works by them").set_defaults(run=_list)
    show = calendar.add_parser("show", help="a calendar as a file that `set` takes back")
    show.add_argument("name", metavar="NAME")
    show.set_defaults(run=_show)
    put = calendar.add_parser("set", help="keep a calendar; says first which dossiers in flight it moves")
    put.add_argument("file", metavar="FILE.toml", type=Path)
    put.add_argument("--agency", action="append", default=[], metavar="CODE", help="who works by it; `all`: everybody")
    put.add_argument("--known-on", metavar="D", help="since when changes that do not say so are known (default: today)")
    put.add_argument("--by", metavar="NAME", default="", help="who answers for it (default: the account here)")
    put.add_argument("--yes", action="store_true", help="do not ask")
    put.set_defaults(run=_set)
    calendar.add_parser("check", help="what would mislead a clock").set_defaults(run=_check)


def _list(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.catalogue import calendars

    rows: list[dict[str, Any]] = []
    for name in sorted(calendars.names()):
        own = calendars.definition(name)
        rows.append(
            {
                "name": name,
                "title": own.title if own else "",
                "base": own.base if own else "",
                "hours": len(own.hours) if own else 0,
                "days": len(own.days) if own else 0,
                "agencies": len(calendars.agencies_of(name)),
            }
        )
    lines = [
        f"{r['name']:<20}{r['agencies']:>5} agencies  {r['hours']} hours, {r['days']} days of its own  {r['title']}"
        for r in rows
    ]
    answer(args, {"calendars": rows}, "\n".join(lines))
    return DONE


def _show(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.catalogue import calendar_files, calendars

    calendars.load(args.name)
    own = calendars.definition(args.name) or calendar_files.Definition(name=args.name)
    text = calendar_files.text(own)
    agencies = calendars.agencies_of(args.name)
    answer(args, {"name": own.name, "agencies": agencies, "toml": text}, text.rstrip("\n"))
    return DONE


def _set(args: argparse.Namespace) -> int:
    from motcua.catalogue import calendar_files
    from motcua.cli.home import account, open_home

    stated = calendar_files.parse(args.file)
    open_home()
    from django.utils import timezone

    from motcua.catalogue import calendars
    from motcua.rules.instants import local_day
    from motcua.rules.workdays import ALWAYS

    now = timezone.now()
    before = calendars.definition(stated.name)
    agencies = _agencies(args.agency, stated.name)
    if args.known_on:
        try:
            known_on = date.fromisoformat(args.known_on)
        except ValueError:
            fail(f"--known-on {args.known_on!r} is not a day such as 2025-12-20")
    else:
        known_on = ALWAYS if before is None else local_day(now)
    after = calendars.merged(before, stated, known_on=known_on)
    changed = calendars.changes(before, after)
    if before is not None and not changed and not agencies:
        answer(args, {"calendar": after.name, "changes": [], "written": False}, f"{after.name}: nothing is different")
        return DONE
    found = _effect(after, agencies)
    document = _preview(after, changed, agencies, found)
    for line in document.pop("lines"):
        say(line)
    if not (args.yes or _agreed()):
        answer(args, {**document, "written": False}, "nothing was written")
        say("motcua: not agreed to; repeat with --yes to keep it")
        return UNUSABLE
    calendars.put(after, instead_of=before, agencies=agencies, by=args.by or account(), at=now)
    answer(
        args,
        {**document, "written": True},
        f"{after.name} is kept; the facts follow at the next `motcua extract` (the worker runs it every minute)",
    )
    return DONE


def _agencies(codes: list[str], calendar: str) -> list[str]:
    """The agencies named on the command line, which must exist, without those that work by the calendar already."""
    from motcua.catalogue.models import Agency

    there = dict(Agency.objects.order_by("code").values_list("code", "calendar"))
    if unknown := [code for code in codes if code not in there and codes != ["all"]]:
        fail(f"--agency {unknown[0]!r}: there is no such agency; motcua import brings them")
    wanted = list(there) if codes == ["all"] else codes
    return [code for code in wanted if there[code] != calendar]


def _effect(after: Definition, agencies: list[str]) -> Effect:
    from motcua.catalogue import calendars
    from motcua.oversight import in_flight, reading
    from motcua.rules.workdays import viet_nam

    catalogue = reading.catalogue()
    base = viet_nam() if after.name == "vn" else calendars.load("vn")
    changed = {after.name: after.calendar(base)}
    if after.name == "vn":  # the calendars on top of it change with it
        for name in sorted(calendars.names() - {"vn"}):
            own = calendars.definition(name)
            if own is not None:
                changed[name] = own.calendar(changed["vn"])
    then = in_flight.with_calendars(catalogue, changed, dict.fromkeys(agencies, after.name))
    with progress("tính lại hẹn trả") as bar:
        return in_flight.effect(catalogue, then, advance=bar.advance)


def _preview(after: Definition, changed: list[str], agencies: list[str], found: Effect) -> dict[str, Any]:
    """The JSON document of a change, and under `lines` the same for people."""
    from motcua.rules.instants import iso

    def shown(at: Any) -> str | None:
        return None if at is None else iso(at)

    later = sum(1 for m in found.moved if m.before_at and m.after_at and m.after_at > m.before_at)
    examples = [
        {"dossier": m.dossier, "agency": m.agency, "before": shown(m.before_at), "after": shown(m.after_at)}
        for m in found.moved[:_NAMED]
    ]
    lines = [f"{after.name}:", *(f"  {line}" for line in changed)]
    if agencies:
        lines.append(f"  given to {len(agencies)} agencies: {', '.join(agencies[:_NAMED])}"
                     + (" …" if len(agencies) > _NAMED else ""))  # fmt: skip
    lines.append(
        f"{len(found.moved)} of {found.looked} dossiers in flight get another due instant, {later} a later one"
    )
    lines += [f"  {e['dossier']}  {e['before']} → {e['after']}" for e in examples]
    return {
        "calendar": after.name,
        "changes": changed,
        "agencies": agencies,
        "in_flight": found.looked,
        "moved": len(found.moved),
        "later": later,
        "examples": examples,
        "lines": lines,
    }


def _agreed() -> bool:
    """Whether the person at the terminal agrees; nobody there does not."""
    if not sys.stdin.isatty():
        return False
    say("keep it? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes", "c", "có")


def _check(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.catalogue import calendars
    from motcua.rules.instants import local_day

    found = calendars.faults(on=local_day(timezone.now()))
    answer(args, {"faults": found, "ok": not found}, "\n".join(found) or "nothing is wrong")
    return FALLS_SHORT if found else DONE
