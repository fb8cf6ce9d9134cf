"""How long raw messages are kept: their texts are personal data. Past it the text goes; that there was one stays."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from motcua.mirror.models import Message
from motcua.rules.instants import Unreadable


def days() -> int | None:
    """Days for which the text of a raw message is kept (`MOTCUA_RAW_KEPT_DAYS`); None: for good.

    Raises `Unreadable` where the setting is no whole number of days from 1 on.
    """
    text = os.environ.get("MOTCUA_RAW_KEPT_DAYS", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 36_500:
        raise Unreadable(f"MOTCUA_RAW_KEPT_DAYS: {text!r} is no number of days from 1 to 36500")
    return int(text)


def forget(*, at: datetime) -> int:
    """Removes the texts that are past their days, requests and answers; returns of how many messages.

    What was made of them (records, versions, steps, refusals) stays, and so does who sent what kind of message when and
    how it went: counts of the past do not change. What the collector has not read yet stays whole.
    """
    kept = days()
    if kept is None:
        return 0
    past = Message.objects.filter(received_at__lt=at - timedelta(days=kept), unread=False).exclude(body=b"", reply="")
    return past.update(body=b"", reply="")


def forgotten(message: Message) -> bool:
    """Whether a message's text is gone."""
    return not message.body and not message.reply
