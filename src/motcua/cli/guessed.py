"""`motcua import` of an office's list, or of petitions: its columns are guessed, said, and taken as the page would."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, say

#: Refused rows are named so many on the screen; the JSON has them all.
_NAMED = 10
_HOW = (
    "to have it read otherwise, correct the guesses on the page Nạp dữ liệu, or write a map and pass --map MAP.toml"
    " (docs/reference/mapping.md)"
)


def take_in(args: argparse.Namespace, home: Path) -> int:
    """Takes each file through the steps of the page; without --keep-going a refused row stops it before it goes in."""
    from django.utils import timezone

    from motcua.cli.home import account
    from motcua.dossiers.importing import guess
    from motcua.dossiers.importing.guess import Kind
    from motcua.dossiers.models import Load
    from motcua.oversight import loads

    taken = []
    for file in args.files:
        with file.open("rb") as content:
            load = loads.receive(
                file.name, _blocks(content), home=home, by=account(), at=timezone.now(), source=args.source
            )
        loads.work(home, clock=timezone.now)
        load.refresh_from_db()
        if load.state == Load.State.FAILED:
            fail(load.error)
        kind = Kind(args.role or load.kind)
        if kind is Kind.PUBLISHED:
            fail(f"{file.name}: this looks like a list with the portal's verdicts; add --as published")
        if kind not in guess.NEEDED:
            fail(f"{file.name}: this is no list of dossiers, steps, agencies or petitions ({kind}); {_HOW}")
        data = [cells for _, cells in loads.sample(home, load)]
        columns = loads.columns_for(load, kind, args.source, data)
        for name, at in columns.items():
            say(f"{file.name}: guessed: column {at + 1} “{load.headings[at]}” is {name}")
        missing = [name for name in guess.NEEDED[kind] if name not in columns]
        if missing:
            fail(f"{file.name}: no column was found for {', '.join(missing)}; {_HOW}")
        say(_HOW)
        loads.confirm(load, kind=kind, source=args.source, columns=columns, head={})
        loads.work(home, clock=timezone.now)
        load.refresh_from_db()
        refused = list(loads.refused_rows(home, load))
        for line, column, reason, value, _ in refused[:_NAMED]:
            say(f"{file.name}, row {line}, {column}: {reason} {value!r}")
        if refused and not args.keep_going:
            fail(f"{file.name}: {len(refused)} rows are refused; correct them, or leave them out with --keep-going")
        loads.begin(load, at=timezone.now())
        loads.work(home, clock=timezone.now)
        load.refresh_from_db()
        taken.append(load)
    document = {
        "loads": [loads.told(load) for load in taken],
        "dossiers": sum(load.dossiers for load in taken),
        "events": sum(load.events for load in taken),
        "refused": sum(load.refused for load in taken),
    }
    answer(
        args,
        document,
        "\n".join(f"{load.file}: load {load.pk}: {load.taken} rows taken, {load.dossiers} dossiers, {load.events}"
                  " events stored" + (f", {load.refused} rows refused" if load.refused else "") for load in taken),
    )  # fmt: skip
    return FALLS_SHORT if document["refused"] else DONE


def _blocks(content: BinaryIO) -> Iterator[bytes]:
    while block := content.read(1 << 20):
        yield block
