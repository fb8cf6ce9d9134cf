"""`motcua`: the command line. Heavy libraries are imported where they are used."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from motcua.cli.output import DONE, UNUSABLE, Unusable

#: Modules that register commands, in the order in which `motcua --help` lists them.
GROUPS = (
    "demo", "imports", "clock", "calendar", "mirror", "exchange", "payments", "inspect", "work", "operate", "accounts",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """The whole command line, as reference and completion read it."""
    root = argparse.ArgumentParser(
        prog="motcua", description="One-stop procedures of a province, and why each late dossier is late."
    )
    root.add_argument("--version", action="version", version="motcua 0.1.0")
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    for group in GROUPS:
        importlib.import_module(f"motcua.cli.{group}").register(commands)
    _everywhere(root)
    return root


def _everywhere(tree: argparse.ArgumentParser) -> None:
    """Every command takes --json."""
    for action in tree._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                _everywhere(child)
            return
    tree.add_argument("--json", action="store_true", help="one JSON document on standard output")


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its status: 0 done, 1 falls short, 2 unusable."""
    status = run(sys.argv[1:] if argv is None else argv)
    sys.stdout.flush()
    sys.stderr.flush()
    # DuckDB's bindings report leaked references at interpreter exit; nothing is left to do after a command.
    os._exit(status)


def run(argv: Sequence[str]) -> int:
    """Runs one command; returns its status."""
    args = parser().parse_args(argv)
    from motcua.rules.instants import Unreadable
    from motcua.rules.moves import Refused

    try:
        status: int = args.run(args) or DONE
    except (Unusable, Unreadable) as unusable:
        print(f"motcua: {unusable}", file=sys.stderr)
        return UNUSABLE
    except Refused as refused:
        print(f"motcua: refused: {refused}", file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        print("motcua: interrupted", file=sys.stderr)
        return 130
    return status
