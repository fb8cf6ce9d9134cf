"""How a command speaks: one JSON document on standard output, everything else on standard error."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NoReturn

DONE, FALLS_SHORT, UNUSABLE = 0, 1, 2


class Unusable(Exception):
    """The call or its input is unusable: nothing was changed; one line says what, where and what to do."""


def fail(message: str) -> NoReturn:
    """Ends the command with status 2 and one line."""
    raise Unusable(message)


def say(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def answer(args: argparse.Namespace, document: Mapping[str, Any], text: str | Callable[[], str] = "") -> None:
    """The command's answer: the JSON document with --json, else a text for people."""
    if args.json:
        print(json.dumps(document, ensure_ascii=False, default=_plain), flush=True)
    else:
        print(text() if callable(text) else text, flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


class Progress:
    """What long work reports to: how far, with a rate and the time left."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self.advance = advance


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Progress]:
    """A progress bar on a terminal; silent where standard error is not one."""
    if not sys.stderr.isatty():
        yield Progress(lambda n: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.speed:,.0f}/s", justify="right"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(title, total=total)
        yield Progress(lambda n: bar.update(task, advance=n))
