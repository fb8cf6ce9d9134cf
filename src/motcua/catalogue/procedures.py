"""Procedures by code: the national core `d.dddddd` counts, a publishing authority may follow it."""

from __future__ import annotations

import re

_CORE = re.compile(r"^(\d\.\d{6})(?:\.|$)")


def core_of(code: str) -> str:
    """The national core of a procedure code, or the code itself where it has another form."""
    found = _CORE.match(code)
    return found[1] if found else code
