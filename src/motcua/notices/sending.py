"""Sending what waits: letters by SMTP, messages to hooks signed and tried again; nothing in quiet hours.

The doors give the words (`Words`), so that this room knows none.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import smtplib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from motcua.accounts.models import User
from motcua.ledger import audit
from motcua.notices import timetable
from motcua.notices.models import Hook, Notice, Sending
from motcua.rules.instants import Unreadable, iso

State, Channel = Sending.State, Sending.Channel
#: How long to wait after each failed attempt; after the last it is given up and shown.
_AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8))
_AT_ONCE = 200
_TIMEOUT_S = 10.0

#: What goes out in words: subject and text, at an instant. Raises `Void`.
Words = Callable[[Sending, datetime], tuple[str, str]]


class Void(Exception):
    """There is nothing to send any more, for this reason; it is shown and not tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The mail server, as the settings name it."""

    host: str
    port: int
    sender: str


def server() -> Server | None:
    """The mail server of the house; None where none is named."""
    if not settings.MAIL_FROM:
        return None
    return Server(host=settings.EMAIL_HOST, port=settings.EMAIL_PORT, sender=settings.MAIL_FROM)


def run(words: Words, *, now: datetime) -> int:
    """Sends what waits and is due; in quiet hours only links that somebody waits for. Returns how many were sent.

    All letters of a run go over one connection; without a mail server they wait.
    """
    waiting = Sending.objects.filter(state=State.WAITING, next_at__lte=now).select_related("notice", "hook", "invites")
    if timetable.is_quiet(now):
        waiting = waiting.filter(notice=None)
    if server() is None:
        waiting = waiting.exclude(channel=Channel.MAIL)
    found = list(waiting.order_by("next_at", "pk")[:_AT_ONCE])
    post = get_connection(timeout=_TIMEOUT_S)
    fault = _opened(post) if any(one.channel == Channel.MAIL for one in found) else ""
    try:
        return sum(_went(one, post, fault, words, now) for one in found)
    finally:
        post.close()


def _opened(post: Any) -> str:
    """Opens the connection; why that failed, so that a silent server is waited for once and not by every letter."""
    try:
        post.open()
    except (OSError, smtplib.SMTPException) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _went(one: Sending, post: Any, fault: str, words: Words, now: datetime) -> bool:
    try:
        if one.channel == Channel.MAIL and fault:
            _failed(one, fault, now)
            return False
        if one.channel == Channel.MAIL:
            _mail(post, one, words, now)
        else:
            _hook(one, now)
    except Void as reason:
        one.state, one.error = State.FAILED, str(reason)[:500]
        one.save(update_fields=["state", "error"])
        return False
    except (OSError, smtplib.SMTPException, httpx.HTTPError) as error:
        _failed(one, f"{type(error).__name__}: {error}", now)
        return False
    one.state, one.sent_at, one.error = State.SENT, now, ""
    one.attempts += 1
    one.save(update_fields=["state", "sent_at", "error", "attempts"])
    return True


def _failed(one: Sending, error: str, now: datetime) -> None:
    one.error = error[:500]
    if one.attempts < len(_AGAIN):
        one.next_at = now + _AGAIN[one.attempts]
    else:
        one.state = State.FAILED
    one.attempts += 1
    one.save(update_fields=["error", "next_at", "state", "attempts"])


def _mail(post: Any, one: Sending, words: Words, now: datetime) -> None:
    subject, text = words(one, now)
    headers = {"Auto-Submitted": "auto-generated"}
    EmailMessage(subject, text, settings.MAIL_FROM, [one.address], connection=post, headers=headers).send()


@transaction.atomic
def invite(found: Iterable[User], *, by: str, base: str, at: datetime) -> int:
    """Puts each person's link to come in into the outbox, in place of one that waits there. Returns how many.

    `base`: the address of the house that the link begins with. Who has no address is left out.
    """
    count = 0
    for person in found:
        if person.email:
            Sending.objects.filter(invites=person).delete()
            Sending.objects.create(
                invites=person, channel=Channel.MAIL, address=person.email, next_at=at,
                once=f"invite:{person.pk}:{at.isoformat()}", facts={"by": by, "base": base},
            )  # fmt: skip
            count += 1
    return count


def invited(people: Iterable[int]) -> dict[int, Sending]:
    """The newest letter with a link of each of these people."""
    rows = Sending.objects.filter(invites__in=list(people)).order_by("pk")
    return {row.invites_id: row for row in rows if row.invites_id is not None}


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The header by which a receiver knows that it was us: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def _hook(one: Sending, now: datetime) -> None:
    hook, notice = one.hook, one.notice
    assert hook is not None and notice is not None
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
