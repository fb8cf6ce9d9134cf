"""`motcua checks`: the library of checks, each with its law, thresholds and the facts that it needs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, answer

if TYPE_CHECKING:
    from motcua.inspection.checks.check import Check


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    command = commands.add_parser("checks", help="the library of checks: law, thresholds, facts needed")
    command.add_argument("code", nargs="?", metavar="CODE", help="one check, by code or number (V-05), with everything")
    command.set_defaults(run=_checks)


def _checks(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.oversight import plugins, scan

    wanted = scan.chosen((args.code,) if args.code else ())
    own = plugins.load()
    day = timezone.localdate()
    rows = [_told(check, own=check.code in own.checks, day=day) for check in wanted]
    document = {"checks": rows, "broken": own.broken}

    def text() -> str:
        lines = [_line(row) for row in rows] if not args.code else [part for row in rows for part in _whole(row)]
        lines += [f"! {name}: {wrong}" for name, wrong in own.broken.items()]
        return "\n".join(lines)

    answer(args, document, text)
    return FALLS_SHORT if own.broken else DONE


def _told(check: Check, *, own: bool, day: Any) -> dict[str, Any]:
    return {
        "code": check.code, "number": check.number, "title": check.title, "explanation": check.explanation,
        "severity": check.severity, "kind": check.kind, "concerns": check.concerns, "leg": check.leg,
        "remedy": check.remedy, "own": own, "evidence": list(check.evidence),
        "grounds": [
            {"text": ground.text, "article": ground.article, "key": ground.key, "from": ground.valid_from,
             "to": ground.valid_to, "in_force": ground.on(day)}
            for ground in check.grounds
        ],
        "parameters": [
            {"name": p.name, "default": p.default, "law": p.law, "title": p.title} for p in check.parameters
        ],
        "needs": [
            {"fact": need.fact, "title": need.title, "held": need.has is not None, "by_source": need.by_source}
            for need in check.needs
        ],
        "lacks": list(check.lacks),
    }  # fmt: skip


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
        lines.append(f"      {p['name']} = {p['default']!r}: {p['title']} ({'luật' if p['law'] else 'của hệ thống'})")
    for need in row["needs"]:
        held = "" if need["held"] else " (chưa có)"
        lines.append(f"      cần: {need['title']}{held}")
    return lines
