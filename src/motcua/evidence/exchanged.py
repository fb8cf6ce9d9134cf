"""What both sides exchanged about a dossier, raw: requests and answers as they came, and the copy read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from motcua.exchange.models import Delivery, Incoming
from motcua.mirror import retention
from motcua.mirror.models import Message, Orphan, Record, RecordVersion, Refusal, Step
from motcua.rules.instants import Unreadable
from motcua.wire.messages import read_json


class Raw(NamedTuple):
    """One text that was exchanged. `side`: who kept it; `key` finds it again in the house."""

    key: str
    side: str  # ours | portal
    kind: str  # request | reply | copy
    service: str
    sender: str
    at: datetime | None
    code: int | None  # the portal's error code
    document: Any


def about(dossier: str, records: Sequence[str]) -> Iterator[Raw]:
    """Everything exchanged about a dossier and its further records there; `records`: the codes that it has there."""
    codes = sorted({dossier, *records})
    yield from _ours(dossier)
    yield from _theirs(codes)
    yield from _seen(codes)


def _ours(dossier: str) -> Iterator[Raw]:
    for row in Delivery.objects.filter(dossier=dossier).order_by("position"):
        key = f"delivery/{row.position}"
        if row.request:
            yield Raw(f"{key}/request", "ours", "request", "", "", row.sent_at, None, _json(row.request))
        if row.reply:
            yield Raw(f"{key}/reply", "ours", "reply", "", "", row.done_at or row.sent_at, None, _json(row.reply))
    for came in Incoming.objects.filter(code=dossier).order_by("pk"):
        yield Raw(
            f"incoming/{came.pk}", "ours", "request", came.service, came.door, came.received_at, None,
            _json(bytes(came.body)),
        )  # fmt: skip


def _theirs(codes: Sequence[str]) -> Iterator[Raw]:
    numbers: set[int] = set()
    for model in (Record, RecordVersion, Step, Refusal, Orphan):
        numbers.update(model.objects.filter(code__in=codes, message__gt=0).values_list("message", flat=True))
    for number in sorted(numbers):
        row = Message.objects.filter(pk=number).first()
        if row is None or retention.forgotten(row):
            continue
        key, common = f"message/{number}", (row.service, row.sender, row.received_at)
        yield Raw(f"{key}/request", "portal", "request", *common, None, _json(bytes(row.body)))
        if row.reply:
            yield Raw(f"{key}/reply", "portal", "reply", *common, row.error_code, _json(row.reply))


def _seen(codes: Sequence[str]) -> Iterator[Raw]:
    """The copy as it was read back, or held where no message is kept any more."""
    for row in Record.objects.filter(code__in=codes).order_by("side", "code"):
        if row.side == "held" and row.message:
            continue
        steps = Step.objects.filter(side=row.side, code=row.code).order_by("at", "pk").values_list("body", flat=True)
        document = {**json.loads(row.body), "TienTrinh": [json.loads(step) for step in steps]}
        yield Raw(f"{row.side}/{row.code}", "portal", "copy", "TraCuuHoSo", row.sender, row.stored_at, None, document)


def _json(body: str | bytes) -> Any:
    """A body as JSON; what is none stands as one text."""
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    try:
        return read_json(raw)
    except Unreadable:
        return raw.decode("utf-8", "backslashreplace")
