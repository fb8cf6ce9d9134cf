"""What goes out of the house in words: notices, and links to come in."""

from __future__ import annotations

from datetime import datetime

from motcua.notices.models import Sending
from motcua.web.notices import words
from motcua.web.people import letters


def letter(one: Sending, now: datetime) -> tuple[str, str]:
    """Subject and text. Raises `sending.Void`."""
    if one.notice is not None:
        return words.mail(one.notice)
    return letters.written(one, now)
