"""What the portal holds: rows from parsed messages, and a dossier as TraCuuHoSo answers it.

Every message passes through here, so rows go to the database as they are, without a model instance each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connections, transaction
from django.db.models import Count

from motcua.mirror.models import Message, Record, RecordVersion, Step
from motcua.rules.instants import to_microseconds
from motcua.wire import messages
from motcua.wire.profile import Profile

_RECORD = ("side", "code", "procedure", "unit", "sender", "owner", "channel", "status", "submitted_at", "received_at",
           "due_at", "finished_at", "returned_at", "body", "version", "stored_at", "message")  # fmt: skip
_STEP = ("side", "code", "status", "at", "stored_at", "message", "body", "digest")
_VERSION = ("code", "version", "body", "stored_at", "message")
#: Codes looked up in one query.
_MANY = 500

Row = tuple[Any, ...]


class Known(NamedTuple):
    """What is held of a dossier, as far as a new message needs it; `stored_at` in microseconds."""

    version: int
    body: str
    sender: str
    stored_at: int
    message: int


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_microseconds(at)


def row(side: str, parsed: messages.Record, *, body: str, version: int, at: datetime, message: int, sender: str) -> Row:
    """A record as a message leaves it."""
    return (
        side, parsed.code, parsed.procedure[:64], parsed.unit[:300], sender, parsed.owner[:300], parsed.channel[:2],
        str(parsed.status), _us(parsed.submitted_at), _us(parsed.received_at), _us(parsed.due_at),
        _us(parsed.finished_at), _us(parsed.returned_at), body, version, to_microseconds(at), message,
    )  # fmt: skip


def digest(body: Mapping[str, Any]) -> bytes:
    """What makes two steps the same: all their fields."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def step_row(side: str, parsed: messages.Step, *, at: datetime, message: int) -> Row:
    """A row of the step log."""
    body = json.dumps(parsed.body, ensure_ascii=False)
    return (side, parsed.code, str(parsed.status), _us(parsed.at), to_microseconds(at), message, body,
            digest(parsed.body))  # fmt: skip


def known(codes: Iterable[str]) -> dict[str, Known]:
    """What is held of these dossiers."""
    found: dict[str, Known] = {}
    wanted = list(codes)
    with connections["mirror"].cursor() as cursor:
        for start in range(0, len(wanted), _MANY):
            some = wanted[start : start + _MANY]
            cursor.execute(
                "SELECT code, version, body, sender, stored_at, message FROM mirror_record"
                f" WHERE side = 'held' AND code IN ({', '.join(['%s'] * len(some))})",
                some,
            )
            found.update((each[0], Known(*each[1:])) for each in cursor.fetchall())
    return found


def store(records: Sequence[Row], steps: Sequence[Row] = (), versions: Sequence[Row] = ()) -> None:
    """Writes records over what stands there, and adds steps and earlier versions that are not there yet.

    Call it in the transaction of the message.
    """
    updates = ", ".join(f"{name} = excluded.{name}" for name in _RECORD[2:])
    with connections["mirror"].cursor() as cursor:
        for table, columns, rows, conflict in (
            ("mirror_record", _RECORD, records, f"(side, code) DO UPDATE SET {updates}"),
            ("mirror_step", _STEP, steps, "DO NOTHING"),
            ("mirror_record_version", _VERSION, versions, "DO NOTHING"),
        ):
            if rows:
                marks = ", ".join(["%s"] * len(columns))
                cursor.executemany(
                    f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT {conflict}", rows
                )


def keep_raw(body: bytes, at: datetime, *, service: str = "", sender: str = "", address: str = "") -> Message:
    """A raw message is kept before anything is made of it. `address`: its path and query."""
    address = address[:500]
    with connections["mirror"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO mirror_message (received_at, sender, service, address, body, reply)"
            " VALUES (%s, %s, %s, %s, %s, '') RETURNING id",
            (to_microseconds(at), sender, service, address, body),
        )
        [number] = cursor.fetchone()
    return Message(pk=number, received_at=at, sender=sender, service=service, address=address, body=body)


def keep_answer(raw: Message, about: Iterable[str] = ()) -> None:
    """What was read of a raw message, the dossiers it is about, and the answer that it got, stand beside it."""
    rows = [(code[:200], raw.pk) for code in dict.fromkeys(about) if code]
    with transaction.atomic(using="mirror"), connections["mirror"].cursor() as cursor:
        cursor.execute(
            "UPDATE mirror_message SET service = %s, sender = %s, reply = %s, error_code = %s, http = %s, unread = %s"
            " WHERE id = %s",
            (raw.service, raw.sender, raw.reply, raw.error_code, raw.http, False, raw.pk),
        )
        if rows:
            cursor.executemany(
                "INSERT INTO mirror_message_about (code, message) VALUES (%s, %s) ON CONFLICT DO NOTHING", rows
            )


def lookup(code: str) -> list[dict[str, Any]]:
    """A dossier as TraCuuHoSo answers it: the record with its steps, by time, then arrival; empty if unknown."""
    row = Record.objects.filter(side="held", code=code).first()
    if row is None:
        return []
    steps = Step.objects.filter(side="held", code=code)
    ordered = sorted(steps, key=lambda step: (step.at is None, step.at or step.stored_at, step.pk))
    return [{**json.loads(row.body), "TienTrinh": [json.loads(step.body) for step in ordered]}]


def listed(after: str, count: int) -> list[dict[str, Any]]:
    """Dossiers in the order of their codes, `count` after one, each with what changes whenever the dossier does.

    No list of dossiers of the real portal was ever seen: names and shape are our choice.
    """
    rows = Record.objects.filter(side="held", code__gt=after).order_by("code")[:count]
    found = list(rows.values_list("code", "status", "version"))
    of_these = Step.objects.filter(side="held", code__in=[code for code, _, _ in found])
    steps = dict(of_these.order_by().values_list("code").annotate(n=Count("pk")))
    return [
        {"MaHoSo": code, "TrangThaiHoSo": status, "PhienBan": version, "SoBuoc": steps.get(code, 0)}
        for code, status, version in found
    ]


def as_known(codes: Sequence[str], known_at: datetime) -> list[dict[str, Any]]:
    """The held records of these codes as they stood then, by column, from the versions kept; without those unknown."""
    newest: dict[str, RecordVersion] = {}
    for start in range(0, len(codes), _MANY):
        some = codes[start : start + _MANY]
        for version in RecordVersion.objects.filter(code__in=some, stored_at__lte=known_at).order_by("version"):
            newest[version.code] = version
    senders = {code: now.sender for code, now in known(newest).items()}
    return [
        dict(
            zip(
                _RECORD,
                row(
                    "held", messages.parse_record(json.loads(version.body), Profile()), body=version.body,
                    version=version.version, at=version.stored_at, message=version.message, sender=senders[code],
                ),
                strict=True,
            )
        )
        for code, version in newest.items()
    ]  # fmt: skip
