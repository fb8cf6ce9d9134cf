"""Sending what waits: letters by SMTP, messages to hooks signed and tried again; nothing in quiet hours.

The doors give the words (`Words`), so that this room knows none.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2 as httpx
from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from motcua.ledger import audit
from motcua.notices import timetable
from motcua.notices.models import Hook, Notice, Sending
from motcua.rules.instants import Unreadable, iso

State, Channel = Sending.State, Sending.Channel
#: How long to wait after each failed attempt; after the last it is given up and shown.
_AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8))
_AT_ONCE = 200
_TIMEOUT_S = 10.0

#: A notice in words: subject and text.
Words = Callable[[Notice], tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The mail server: `smtp://user@host:587?starttls=1`, `smtps://…`, the password in a file of its own."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def server() -> Server | None:
    """The mail server that the environment names; None where none is. Raises `Unreadable`."""
    url = os.environ.get("MOTCUA_SMTP", "")
    if not url:
        return None
    parts = urlsplit(url)
    sender = os.environ.get("MOTCUA_MAIL_FROM", "")
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not sender:
        raise Unreadable("MOTCUA_SMTP: write smtp://user@host:587?starttls=1 or smtps://host, and MOTCUA_MAIL_FROM")
    password = ""
    if file := os.environ.get("MOTCUA_SMTP_PASSWORD_FILE"):
        password = Path(file).read_text(encoding="utf-8").strip()
    return Server(
        host=parts.hostname, port=parts.port or (465 if parts.scheme == "smtps" else 25), sender=sender,
        user=unquote(parts.username or ""), password=password, starttls=parse_qs(parts.query).get("starttls") == ["1"],
        tls=parts.scheme == "smtps",
    )  # fmt: skip


def run(words: Words, *, now: datetime) -> int:
    """Sends what waits and is due; in quiet hours nothing. Returns how many were sent."""
    if timetable.is_quiet(now):
        return 0
    mail, sent = server(), 0
    waiting = Sending.objects.filter(state=State.WAITING, next_at__lte=now).select_related("notice", "hook")
    for one in waiting.order_by("next_at", "pk")[:_AT_ONCE]:
        if one.channel == Channel.MAIL and mail is None:
            continue  # waits until somebody names a server
        try:
            if one.channel == Channel.MAIL:
                assert mail is not None
                _mail(mail, one, words)
            else:
                _hook(one, now)
        except (OSError, smtplib.SMTPException, httpx.HTTPError) as error:
            _failed(one, f"{type(error).__name__}: {error}", now)
        else:
            one.state, one.sent_at, one.error = State.SENT, now, ""
            one.attempts += 1
            one.save(update_fields=["state", "sent_at", "error", "attempts"])
            sent += 1
    return sent


def _failed(one: Sending, error: str, now: datetime) -> None:
    one.error = error[:500]
    if one.attempts < len(_AGAIN):
        one.next_at = now + _AGAIN[one.attempts]
    else:
        one.state = State.FAILED
    one.attempts += 1
    one.save(update_fields=["error", "next_at", "state", "attempts"])


def _mail(mail: Server, one: Sending, words: Words) -> None:
    subject, text = words(one.notice)
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host=mail.host, port=mail.port, username=mail.user,
        password=mail.password, use_tls=mail.starttls, use_ssl=mail.tls, timeout=_TIMEOUT_S,
    )  # fmt: skip
    EmailMessage(
        subject, text, mail.sender, [one.address], connection=connection, headers={"Auto-Submitted": "auto-generated"}
    ).send()


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The header by which a receiver knows that it was us: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def _hook(one: Sending, now: datetime) -> None:
    hook, notice = one.hook, one.notice
    assert hook is not None
    message = {"id": one.pk, "kind": notice.kind, "key": notice.key, "agency": notice.agency, "at": iso(notice.at),
               "body": notice.body}  # fmt: skip
    body = json.dumps(message, ensure_ascii=False, sort_keys=True).encode()
    headers = {"Content-Type": "application/json", "Motcua-Signature": signature(hook.secret, body, now)}
    reply = httpx.post(hook.url, content=body, headers=headers, timeout=_TIMEOUT_S)
    reply.raise_for_status()


@transaction.atomic
def add_hook(url: str, kinds: Sequence[str], *, by: str, at: datetime) -> Hook:
    """A new hook with a secret of its own. Raises `Unreadable`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or len(url) > 500:
        raise Unreadable("url: write https://host/path")
    if unknown := set(kinds) - set(Notice.Kind.values):
        raise Unreadable(f"kinds: {sorted(unknown)[0]}")
    hook = Hook.objects.create(url=url, secret=secrets.token_urlsafe(32), kinds=sorted(kinds), made_at=at, made_by=by)
    _audited(hook, None, {"url": url, "kinds": sorted(kinds), "on": True}, by, at)
    return hook


@transaction.atomic
def switch_hook(number: int, on: bool, *, by: str, at: datetime) -> None:
    """Switches a hook on or off; off, what waits for it is dropped. Raises `Unreadable`."""
    hook = Hook.objects.select_for_update().filter(pk=number).first()
    if hook is None:
        raise Unreadable(f"no hook {number}")
    before: dict[str, Any] = {"url": hook.url, "kinds": hook.kinds, "on": hook.on}
    hook.on = on
    hook.save(update_fields=["on"])
    _audited(hook, before, {**before, "on": on}, by, at)
    if not on:
        Sending.objects.filter(hook=hook, state=State.WAITING).delete()


def _audited(hook: Hook, before: dict[str, Any] | None, after: dict[str, Any], by: str, at: datetime) -> None:
    audit.record(at=at, actor=by, table="notices_hook", key=str(hook.pk), before=before, after=after)


@transaction.atomic
def try_again(*, at: datetime) -> int:
    """What was given up is tried anew. Returns how many."""
    return Sending.objects.filter(state=State.FAILED).update(state=State.WAITING, attempts=0, next_at=at)
