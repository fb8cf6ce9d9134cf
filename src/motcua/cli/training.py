"""`motcua training`: the training house put back to how it began."""

from __future__ import annotations

import argparse

from motcua.cli.output import DONE, answer, fail


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser("training", help="a house to train in").add_subparsers(metavar="VERB", required=True)
    reset = verbs.add_parser("reset", help="put the training house back to how it was made; everybody signs in anew")
    reset.set_defaults(run=_reset)


def _reset(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from django.utils import timezone

    from motcua.catalogue import training
    from motcua.web.training import again

    if not training.is_on():
        fail(f"{home} is no training house; motcua serve --training makes one in an empty MOTCUA_HOME")
    again.start_over(home, at=timezone.now())
    answer(args, {"reset": True}, f"{home} is as it was made")
    return DONE
