"""What the tee keeps: both sides of each call at once, in one write; what is made of them comes after the answer.

`keep` stands between the portal's answer and the sender, so it does one insert and nothing else. `read` makes dossiers
and steps of what was kept, in order, and marks it in the same transaction: killed at any point, a message is read once.
Where the database is away the line goes on, and what passed waits in a file of the home.
"""

from __future__ import annotations

import base64
import gzip
import json
import logging
import os
import threading
import zlib
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import Error, connections, transaction

from motcua.mirror import adapters, held
from motcua.mirror.models import Message
from motcua.mirror.server import RECORDS, STEPS, Server, about_of, sender_of
from motcua.mirror.tee import Relayed
from motcua.rules.instants import Unreadable, to_microseconds
from motcua.wire import messages

log = logging.getLogger("motcua.mirror.collector")

#: Messages made something of in one transaction: while it lasts, `keep` waits on an embedded database.
_AT_ONCE = 20
_COLUMNS = (
    "received_at, address, body, reply, error_code, sender, service, unread, http, forwarded_to, forward_http,"
    " forward_us"
)
_INSERT = f"INSERT INTO mirror_message ({_COLUMNS}) VALUES (%s, %s, %s, %s, NULL, '', '', %s, %s, %s, %s, %s)"
#: Serialises readers of several processes on PostgreSQL; on SQLite the one writer's lock does.
_READERS = 7_300_418_265

Row = tuple[int, str, bytes, str, bool, int | None, str, int | None, int | None]


class Collector:
    """Beside one server: keeps what passed, and gives the server what the real portal took. Threads may share it."""

    def __init__(self, server: Server, spool: Path | None = None) -> None:
        self.server, self.spool = server, spool
        self._turn, self._count = threading.Lock(), threading.Lock()
        self._waiting = 0

    # ---- before the answer is relayed --------------------------------------------------------------------------

    def keep(
        self, address: str, body: bytes, relayed: Relayed | None, at: datetime, *, to: str = "", took_s: float = 0.0
    ) -> None:
        """Keeps a call and its answer, None where the portal was silent; `to`, `took_s`: where it went, how long it
        took. Raises nothing: the line goes on."""
        answer = "" if relayed is None else _text(relayed)
        row = (to_microseconds(at), address[:500], body, answer, bool(body), 504 if relayed is None else relayed.status,
               to[:300], None if relayed is None else relayed.status, int(took_s * 1e6))  # fmt: skip
        with self._count:
            self._waiting += 1
        try:
            with self._turn:
                self._insert([row])
        except Error:
            log.exception("a message could not be kept in the database; it waits in %s", self.spool)
            with suppress(Error):
                connections["mirror"].close()
            self._put_aside(row)
        finally:
            with self._count:
                self._waiting -= 1

    def _insert(self, rows: list[Row]) -> None:
        with connections["mirror"].cursor() as cursor:
            cursor.executemany(_INSERT, rows)

    def _put_aside(self, row: Row) -> None:
        if self.spool is None:
            return
        line = json.dumps([row[0], row[1], base64.b64encode(row[2]).decode(), *row[3:]])
        try:
            self.spool.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self.spool, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(line.encode() + b"\n")
        except OSError:
            log.exception("a message passed and could not be kept at all")

    # ---- after it ------------------------------------------------------------------------------------------------

    def fetch(self) -> int:
        """Takes what waits in the file into the database; returns how many messages."""
        if self.spool is None:
            return 0
        taken = self.spool.with_suffix(".taken")
        if not taken.exists():
            try:
                self.spool.rename(taken)
            except FileNotFoundError:
                return 0
        rows: list[Row] = []
        for line in taken.read_bytes().splitlines():
            with suppress(ValueError):  # the last line of a process that was killed
                at, address, body, answer, unread, *passed = json.loads(line)
                http, to, there, took = passed or (None, "", None, None)  # of a release before
                rows.append((at, address, base64.b64decode(body), answer, unread, http, to, there, took))
        with self._turn, transaction.atomic(using="mirror"):
            self._insert(rows)
        taken.unlink()
        return len(rows)

    def read(self) -> int:
        """Makes something of the messages kept so far, oldest first; returns how many."""
        done = 0
        while found := self._read_some():
            done += found
        return done

    def _read_some(self) -> int:
        with self._turn, transaction.atomic(using="mirror"):
            if connections["mirror"].vendor == "postgresql":
                with connections["mirror"].cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_READERS])
            found = 0
            for raw in list(Message.objects.filter(unread=True).order_by("pk")[:_AT_ONCE]):
                try:
                    with transaction.atomic(using="mirror"):
                        self._read(raw)
                except Error:
                    raise  # the database's fault, not the message's: it is read again
                except Exception:
                    log.exception("nothing could be made of message %s; it is kept as it came", raw.pk)
                    raw.error_code = -1
                    held.keep_answer(raw)
                found += 1
                if self._waiting:  # a sender is waiting for its answer: it goes first
                    break
            return found

    def _read(self, raw: Message) -> None:
        raw.body = bytes(raw.body)
        try:
            document = adapters.called(self.server.profile, raw.address, messages.read_json(raw.body))
        except Unreadable:
            document = None
        about: list[str] = []
        if isinstance(document, dict):
            raw.service, raw.sender = str(document.get("service", ""))[:64], sender_of(document)
            about = about_of(document)
        try:
            reply = messages.read_json(raw.reply.encode())
        except Unreadable:
            reply = None
        if not isinstance(document, dict) or not isinstance(reply, dict):
            if raw.reply:  # words that are none of the contract's; one product answers OK
                raw.error_code = 0 if raw.reply.strip() == "OK" else -1
            held.keep_answer(raw, about)
            return
        code = messages.text_of(reply.get("error_code"))
        raw.error_code = int(code) if code.lstrip("-").isdigit() else -1
        held.keep_answer(raw, about)
        items = document.get("data")
        items = [items] if isinstance(items, dict) else items
        if raw.service not in (RECORDS, STEPS) or not isinstance(items, list):
            return
        at = raw.received_at
        results = reply.get("result")
        for index, item in enumerate(items):
            if raw.error_code == 0 or _took(results, index, len(items)):
                self.server.lenient.apply(raw.service, True, [item], at, raw)
            else:
                self.server.log_refusal(item, raw.service, messages.text_of(reply.get("message")), at, raw)


def _took(results: Any, index: int, count: int) -> bool:
    """Whether per-item replies say that the portal took this one."""
    if not isinstance(results, list) or len(results) != count or not isinstance(results[index], dict):
        return False
    return messages.text_of(results[index].get("error_code")) == "0"


def _text(relayed: Relayed) -> str:
    """The answer's text, unpacked where it came compressed; what cannot be unpacked is kept as it is."""
    packed = next((value.lower() for name, value in relayed.headers if name.lower() == "content-encoding"), "")
    body = relayed.body
    with suppress(OSError, EOFError, zlib.error):
        if packed == "gzip":
            body = gzip.decompress(body)
        elif packed == "deflate":
            body = zlib.decompress(body)
    return body.decode("utf-8", "replace").replace("\x00", "\ufffd")
