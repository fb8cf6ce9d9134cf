"""Which national portal a command of `motcua exchange` speaks to, and as whom."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from motcua.cli.output import fail

if TYPE_CHECKING:
    from motcua.mirror.client import Portal


def arguments(command: argparse.ArgumentParser) -> None:
    """Adds the portal's address and our account there."""
    command.add_argument("--url", default=os.environ.get("NATIONAL_PORTAL_URL", "http://127.0.0.1:8766"))
    command.add_argument("--user", default="demo-h99")
    command.add_argument("--password-file", type=Path, metavar="FILE", help="default: the demo's password")
    command.add_argument("--unit", default="H99", help="our code as sender (madonvi)")


def client(args: argparse.Namespace) -> Portal:
    """The portal of these arguments."""
    from motcua.mirror.client import Portal

    try:
        password = args.password_file.read_text().strip() if args.password_file else "demo-password"
    except OSError as error:
        fail(f"--password-file {args.password_file}: cannot be read: {error.strerror}")
    from motcua.catalogue import training

    training.check(args.url)
    return Portal(args.url, args.user, password, args.unit)
