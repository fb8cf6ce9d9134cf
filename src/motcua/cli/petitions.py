"""`motcua import … --as petitions`: lists of petitions (phản ánh, kiến nghị) from the system that keeps them."""

from __future__ import annotations

import argparse

from motcua.cli.output import DONE, FALLS_SHORT, answer, say

#: Refused rows are named so many on the screen; the JSON has them all.
_NAMED = 10


def take_in(args: argparse.Namespace) -> int:
    """Keeps the files."""
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.oversight import petitions

    taken = [(file, petitions.take_in(file, at=timezone.now(), keep_going=args.keep_going)) for file in args.files]
    for file, one in taken:
        for row, reason in one.refused[:_NAMED]:
            say(f"{file.name}, row {row}: {reason}")
    lists = [
        {"file": file.name, "petitions": one.petitions,
         "refused": [{"row": row, "reason": reason} for row, reason in one.refused]}
        for file, one in taken
    ]  # fmt: skip
    refused = sum(len(one.refused) for _, one in taken)
    answer(
        args, {"lists": lists, "dossiers": 0, "events": 0, "refused": refused},
        "\n".join(f"{file.name}: {one.petitions} petitions, {len(one.refused)} rows refused" for file, one in taken),
    )  # fmt: skip
    return FALLS_SHORT if refused else DONE
