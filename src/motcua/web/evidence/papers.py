"""The papers of a pack that people read: the cover, and what to do with the file. In Vietnamese, without a script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from motcua.rules.instants import from_microseconds, iso
from motcua.web.console.days import folded
from motcua.web.evidence import printed
from motcua.web.training import marks

_STYLE = Path(__file__).resolve().parent.parent / "static" / "web" / "evidence-cover.css"


def papers(pack: Mapping[str, Any]) -> dict[str, bytes]:
    """`cover.html`, `cover.pdf` and `README.txt` of a pack that is being made."""
    with translation.override("vi"):
        told = [_told(each) for each in pack["told"]]
        key, root = _spaced(pack["key"]["public"]), _spaced(pack["head"]["root"])
        context = {
            "pack": pack,
            "training": marks.mark(),
            "style": _STYLE.read_text(encoding="utf-8"),
            "key": key,
            "root": root,
            "told": told,
        }
        return {
            "cover.html": _text("evidence/cover.html", context),
            "cover.pdf": printed.cover(pack, told, key=key, root=root),
            "README.txt": _text("evidence/readme.txt", context),
        }


def _text(template: str, context: dict[str, Any]) -> bytes:
    return render_to_string(template, context).encode()


def _spaced(digits: str) -> str:
    """Hexadecimal digits in groups of eight: so people compare them."""
    return " ".join(digits[n : n + 8] for n in range(0, len(digits), 8))


def _told(each: Mapping[str, Any]) -> dict[str, Any]:
    """A dossier as the cover tells it."""
    story = each["story"]
    events = [
        {
            **event,
            **{name: gettext("(đã che)") for name in ("actor", "unit") if isinstance(event[name], dict)},
            "stated": iso(from_microseconds(event["at"])),
            "entered": iso(from_microseconds(event["recorded_at"])),
        }
        for event in each["events"]
    ]
    return {**each, "events": events, "days": folded(story["certificate"]) if story["certificate"]["due_at"] else []}
