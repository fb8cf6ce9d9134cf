"""The province whose house this is: its name and code, its logo, and how far the first run has come."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime

from motcua.catalogue import settings
from motcua.rules.instants import Unreadable

#: The steps of the first run, in order.
STEPS = ("province", "logo", "hours", "holidays", "parts", "account")
_DONE, _CODE = "first_run", "first_run_code"
_LARGEST_LOGO = 200 * 1024
#: What a picture begins with, and its media type. No SVG: it can hold scripts.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is read as another


def name() -> str:
    """The province's name; empty where nobody gave it."""
    return str(settings.get("province", {}).get("name", ""))


def logo() -> tuple[bytes, str] | None:
    """The logo with its media type."""
    kept = settings.get("logo")
    return (base64.b64decode(kept["content"]), kept["type"]) if kept else None


def keep_logo(content: bytes, *, by: str, at: datetime) -> None:
    """Keeps a PNG or JPEG, known by its first bytes whatever its name says. Raises `Unreadable`."""
    kind = next((kind for signature, kind in _SIGNATURES if content.startswith(signature)), None)
    if kind is None or len(content) > _LARGEST_LOGO:
        raise Unreadable("a logo is a PNG or JPEG of at most 200 kB")
    settings.put("logo", {"type": kind, "content": base64.b64encode(content).decode()}, by=by, at=at)


def next_step() -> str | None:
    """The first step of the first run that is not done."""
    done = settings.get(_DONE, [])
    return next((step for step in STEPS if step not in done), None)


def finish_step(step: str, *, by: str, at: datetime) -> None:
    """A step of the first run is done; the run goes on from there after an interruption."""
    done = settings.get(_DONE, [])
    settings.put(_DONE, [known for known in STEPS if known in done or known == step], by=by, at=at)


def new_code(*, by: str, at: datetime) -> str:
    """A code that opens the first run once from another machine; an earlier one opens it no more."""
    code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    settings.put(_CODE, _digest(code), by=by, at=at)
    return code


def use_code(code: str, *, by: str, at: datetime) -> bool:
    """Whether this is the code, which is used up by that."""
    kept = settings.get(_CODE, "")
    if not kept or not secrets.compare_digest(kept, _digest(code.strip().upper())):
        return False
    settings.put(_CODE, "", by=by, at=at)
    return True


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
