"""A province's own checks: installed packages that name them in the entry-point group `motcua.checks`.

An entry point is a `Check` or an iterable of them. One that cannot be loaded, or is no check, or takes the code of
another, is reported under its name and stops nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from motcua.inspection.checks.check import Check
from motcua.inspection.run import BY_CODE

GROUP = "motcua.checks"


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was found: own checks by code, and name → what is wrong with it."""

    checks: dict[str, Check] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=1)
def _entries(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The entry points of our group, by name: the installed packages of a search path are read once."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda entry: entry.name))


def load() -> Plugins:
    """The own checks of this installation."""
    found = Plugins()
    for entry in _entries(tuple(sys.path)):
        try:
            given = entry.load()
            for check in given if isinstance(given, Iterable) else (given,):
                if not isinstance(check, Check):
                    raise TypeError(f"{check!r} is no motcua check")
                if check.code in BY_CODE or check.code in found.checks:
                    raise ValueError(f"another check is called {check.code!r}")
                found.checks[check.code] = check
        except Exception as error:  # whatever a stranger's code does, the inspection goes on and says so
            found.broken[entry.name] = f"{type(error).__name__}: {error}"
    return found
