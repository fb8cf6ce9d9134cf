"""The way into the system in which a dossier lives: one address pattern a source."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

from django.conf import settings

from motcua.rules.instants import Unreadable

_PLACE = "{dossier}"
_ANY = "*"


def patterns(text: str | None) -> dict[str, str]:
    """The patterns of MOTCUA_SOURCE_LINKS: a JSON object, source to address. Raises `Unreadable`, naming the fault."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(pattern, str) for pattern in found.values()):
        raise Unreadable('MOTCUA_SOURCE_LINKS: write a JSON object such as {"": "https://mc.example/hs/{dossier}"}')
    for source, pattern in found.items():
        parts = urlsplit(pattern)
        if parts.scheme not in ("http", "https") or not parts.hostname or _PLACE in parts.netloc:
            raise Unreadable(f"MOTCUA_SOURCE_LINKS: {source!r}: {pattern!r} is not an http or https address")
        if _PLACE not in pattern:
            raise Unreadable(f"MOTCUA_SOURCE_LINKS: {source!r}: {pattern!r} has no {_PLACE}")
    return found


def to(dossier: str, source: str) -> str:
    """The address of a dossier in the system that it lives in; empty where none is set for its source."""
    pattern: str = settings.SOURCE_LINKS.get(source) or settings.SOURCE_LINKS.get(_ANY, "")
    return pattern.replace(_PLACE, quote(dossier, safe=""))
