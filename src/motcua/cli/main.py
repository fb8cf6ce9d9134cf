"""`motcua`: the command line. Heavy libraries are imported where they are used."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from motcua.cli.output import DONE, UNUSABLE, Unusable

#: Modules that register commands, in the order in which `motcua --help` lists them.
GROUPS = (
    "demo", "sample", "imports", "published", "clock", "calendar", "mirror", "exchange", "payments", "inspect",
    "checks", "set_apart", "compare", "report", "work", "rounds", "evidence", "warning", "directive", "operate",
    "training", "parts",
    "accounts", "findings",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """The whole command line, as reference and completion read it."""
    root = argparse.ArgumentParser(
        prog="motcua", description="One-stop procedures of a province, and why each late dossier is late."
    )
    root.add_argument("--version", action="version", version=f"motcua {metadata.version('motcua')}")
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
    except Exception as error:
        told = _of_the_database(error) or _of_the_home(error)
        if told is None:
            raise  # a bug: it crashes, loudly
        print(f"motcua: {told}", file=sys.stderr)
        return UNUSABLE
    return status


def _of_the_database(error: Exception) -> str | None:
    """What to say of a database that is away, full, damaged or not migrated; None for anything else."""
    if type(error).__module__ not in ("django.db.utils", "sqlite3"):
        return None
    line = str(error).strip().partition("\n")[0]
    match type(error).__name__:
        case "OperationalError":
            return f"the database cannot be used: {line}; motcua doctor says more"
        case "DatabaseError" if "malformed" in line or "not a database" in line:
            return f"the database is damaged: {line}; restore the last backup into an empty home (motcua restore)"
        case "ProgrammingError" if "does not exist" in line:
            return f"the database is not at this version ({line}); run motcua migrate"
    return None


def _of_the_home(error: Exception) -> str | None:
    """What to say of a home that cannot be made, read or written; None for anything else."""
    from motcua.cli.home import home

    if not isinstance(error, OSError) or not isinstance(error.filename, str):
        return None
    folder, place = home(), Path(error.filename)
    if place != folder and folder not in place.parents and place not in folder.parents:
        return None
    return f"{place}: {error.strerror}; MOTCUA_HOME is to be a folder that can be written, with room on its disk"
