"""Codes: agencies, dossiers and procedures in every form that was seen (contract §5)."""

from __future__ import annotations

import re

_PROCEDURE = re.compile(r"^(\d\.\d{6})(?:\.|$)")
_DOSSIER = re.compile(
    r"^(?P<agency>\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|[A-Z]\d{2}(?:\.\d{1,3}){0,4})-(?P<day>\d{6}(?:\d{2})?)-\d{1,7}$"
)
_OLD_AGENCY = re.compile(r"^(\d{3})\.(\d{2})\.(\d{2})\.([A-Z]\d{2})$")


def procedure_core(code: str) -> str:
    """The national core `d.dddddd` of a procedure code, else the code: compare on it first."""
    found = _PROCEDURE.match(code)
    return found[1] if found else code


def agency_of_dossier(code: str) -> str:
    """The agency part of a dossier code; empty where the code has another shape."""
    found = _DOSSIER.match(code)
    return found["agency"] if found else ""


def agency_forms(code: str) -> tuple[str, ...]:
    """An agency code in its own form and the other generation's (`000.00.12.H99` ↔ `H99.12`).

    The conversion is plausible, not guaranteed: provinces re-numbered. Use it to look up, not to rename.
    """
    old = _OLD_AGENCY.match(code)
    if old:
        levels = [level for level in (old[3], old[2], old[1]) if level.strip("0")]
        return code, ".".join([old[4], *levels])
    parts = code.split(".")
    if re.match(r"^[A-Z]\d{2}$", parts[0]) and len(parts) <= 4:
        third, second, first = [*parts[1:], "", "", ""][:3][::-1]
        return code, f"{first_or_zero(third, 3)}.{first_or_zero(second, 2)}.{first_or_zero(first, 2)}.{parts[0]}"
    return (code,)


def first_or_zero(part: str, width: int) -> str:
    """A level of an agency code, zeros where it is absent."""
    return part.zfill(width) if part else "0" * width
