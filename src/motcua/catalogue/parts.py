"""The parts of the house: each is switched on or off whole, with its pages, its jobs and its words.

`oversight` explains late dossiers, whatever software they live in; what the collector takes in is read by it.
`exchange` sends our own dossiers to the national portal. `desk` is the one-stop software itself, `portal` the
applicants' pages. A province that keeps its own software needs the first alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from motcua.catalogue import settings
from motcua.rules.instants import Unreadable

PARTS = ("oversight", "exchange", "desk", "portal")
#: What is on before anybody chose: what a province needs beside the software that it has.
AT_FIRST = ("oversight",)
_NAME = "parts"


def on() -> frozenset[str]:
    """The parts that are switched on."""
    return frozenset(settings.get(_NAME, AT_FIRST))


def choose(names: Iterable[str], *, by: str, at: datetime) -> None:
    """Switches these parts on and the others off. Raises `Unreadable` for a name that is none."""
    chosen = set(names)
    if unknown := sorted(chosen - set(PARTS)):
        raise Unreadable(f"no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    settings.put(_NAME, [part for part in PARTS if part in chosen], by=by, at=at)
