"""`motcua checks`: the library of checks, each with its law, thresholds and the facts that it needs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from motcua.inspection.checks.check import Check, Parameter
    from motcua.oversight.thresholds import Chosen


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    command = commands.add_parser("checks", help="the library of checks: law, thresholds, facts needed")
    command.add_argument("code", nargs="?", metavar="CODE", help="one check, by code or number (V-05), with everything")
    command.add_argument("--set", dest="sets", action="append", default=[], metavar="CODE.NAME=VALUE",
                         help="the province's own value of a parameter, instead of the law's or ours")  # fmt: skip
    command.add_argument("--unset", dest="unsets", action="append", default=[], metavar="CODE.NAME",
                         help="give a parameter back to the law's value or ours")  # fmt: skip
    command.add_argument("--note", default="", metavar="WHY", help="why; kept with what is set")
    command.add_argument("--from", dest="since", metavar="DAY", help="valid from this day on; otherwise from now on")
    command.add_argument("--looser", action="store_true", help="yes, ask less of the agencies than the law does")
    command.set_defaults(run=_checks)


def _checks(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.oversight import plugins, scan, thresholds

    set_ = _choose(args)
    if set_ and not args.code:
        args.code = set_[0]
    wanted = scan.chosen((args.code,) if args.code else ())
    own = plugins.load()
    day = timezone.localdate()
    chosen = thresholds.in_force(as_of=timezone.now())
    rows = [_told(check, own=check.code in own.checks, day=day, chosen=chosen.get(check.code, {})) for check in wanted]
    document = {"checks": rows, "broken": own.broken}

    def text() -> str:
        lines = [_line(row) for row in rows] if not args.code else [part for row in rows for part in _whole(row)]
        lines += [f"! {name}: {wrong}" for name, wrong in own.broken.items()]
        return "\n".join(lines)

    answer(args, document, text)
    return FALLS_SHORT if own.broken else DONE


def _choose(args: argparse.Namespace) -> list[str]:
    """Sets and gives back what is asked for, all or nothing. Returns the checks that were named."""
    from django.db import transaction
    from django.utils import timezone

    from motcua.cli.home import account
    from motcua.oversight import scan, thresholds
    from motcua.rules.instants import Unreadable, parse_instant

    since, at = parse_instant(args.since) if args.since else None, timezone.now()
    library, named = scan.library(), []
    with transaction.atomic():
        for asked in [*args.sets, *args.unsets]:
            where, sets, text = asked.partition("=")
            code, _, name = where.strip().partition(".")
            if code not in library:
                raise Unreadable(f"no check {code!r}; `motcua checks` lists them")
            if bool(sets) != (asked in args.sets):
                raise Unreadable(f"{asked!r}: --set CODE.NAME=VALUE, --unset CODE.NAME")
            parameter = library[code].parameter(name)
            value = parameter.read(text) if sets else None
            if value is not None and parameter.asks_less(value) and not args.looser:
                raise Unreadable(
                    f"{where}={text} asks less of the agencies than the law ({parameter.default}): add --looser to do"
                    " it all the same; the library will say so"
                )
            if not args.note.strip():
                raise Unreadable("--note: say why")
            thresholds.choose(library[code], name, value, by=account(), at=at, note=args.note, valid_from=since)
            named.append(code)
    return named


def _told(check: Check, *, own: bool, day: Any, chosen: Mapping[str, Chosen]) -> dict[str, Any]:
    return {
        "code": check.code, "number": check.number, "title": check.title, "explanation": check.explanation,
        "severity": check.severity, "kind": check.kind, "concerns": check.concerns, "leg": check.leg,
        "remedy": check.remedy, "own": own, "evidence": list(check.evidence),
        "grounds": [
            {"text": ground.text, "article": ground.article, "key": ground.key, "from": ground.valid_from,
             "to": ground.valid_to, "in_force": ground.on(day)}
            for ground in check.grounds
        ],
        "parameters": [_parameter(p, chosen.get(p.name)) for p in check.parameters],
        "needs": [
            {"fact": need.fact, "title": need.title, "held": need.has is not None, "by_source": need.by_source}
            for need in check.needs
        ],
        "lacks": list(check.lacks),
    }  # fmt: skip


def _parameter(parameter: Parameter, chosen: Chosen | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": parameter.name, "value": parameter.default, "default": parameter.default, "law": parameter.law,
        "title": parameter.title, "own": None,
    }  # fmt: skip
    if chosen is not None and chosen.value is not None:
        told["value"] = chosen.value
        told["own"] = {
            "from": chosen.valid_from, "set_at": chosen.set_at, "by": chosen.by, "note": chosen.note,
            "asks_less": parameter.asks_less(chosen.value),
        }  # fmt: skip
    return told


def _line(row: dict[str, Any]) -> str:
    lacks = "  thiếu: " + ", ".join(need["title"] for need in row["needs"] if not need["held"]) if row["lacks"] else ""
    kind = "thống kê" if row["kind"] == "statistical" else "chắc chắn"
    return f"{row['number'] or '-':<5} {row['severity']}  {row['code']:<28}{kind:<10} {row['title']}{lacks}"


def _whole(row: dict[str, Any]) -> list[str]:
    lines = [_line(row), f"      {row['explanation']}"]
    for ground in row["grounds"]:
        until = f" đến {ground['to']:%d/%m/%Y}" if ground["to"] else ""
        since = f" từ {ground['from']:%d/%m/%Y}" if ground["from"] else ""
        lines.append(f"      {ground['text']} {ground['article']}{since}{until}".rstrip())
    for p in row["parameters"]:
        whose = "theo quy định" if p["law"] else "của hệ thống"
        if (own := p["own"]) is not None:
            whose = f"của tỉnh từ {own['from']:%d/%m/%Y}, {own['by']}: {own['note']}; {whose}: {p['default']!r}"
            whose += "; nới hơn quy định" if own["asks_less"] else ""
        lines.append(f"      {p['name']} = {p['value']!r}: {p['title']} ({whose})")
    for need in row["needs"]:
        held = "" if need["held"] else " (chưa có)"
        lines.append(f"      cần: {need['title']}{held}")
    return lines
