"""What the portal holds: rows from parsed messages, and a dossier as TraCuuHoSo answers it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from motcua.mirror.models import Record, Step
from motcua.wire import messages

#: The fields that a message sets on a record.
FIELDS = ("procedure", "unit", "sender", "owner", "channel", "status", "submitted_at", "received_at", "due_at",
          "finished_at", "returned_at", "body", "version", "stored_at", "message")  # fmt: skip


def fill(row: Record, parsed: messages.Record, *, body: str, at: datetime, message: int, sender: str) -> None:
    """Sets a record to what a message says."""
    row.procedure, row.unit, row.owner = parsed.procedure[:64], parsed.unit[:300], parsed.owner[:300]
    row.channel, row.status, row.sender = parsed.channel[:2], str(parsed.status), sender
    row.submitted_at, row.received_at, row.due_at = parsed.submitted_at, parsed.received_at, parsed.due_at
    row.finished_at, row.returned_at = parsed.finished_at, parsed.returned_at
    row.body, row.stored_at, row.message = body, at, message
    row.version += 1


def digest(body: Mapping[str, Any]) -> bytes:
    """What makes two steps the same: all their fields."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def step_row(side: str, parsed: messages.Step, *, at: datetime, message: int) -> Step:
    """A row of the step log."""
    return Step(
        side=side, code=parsed.code, status=str(parsed.status), at=parsed.at, stored_at=at, message=message,
        body=json.dumps(parsed.body, ensure_ascii=False), digest=digest(parsed.body),
    )  # fmt: skip


def lookup(code: str) -> list[dict[str, Any]]:
    """A dossier as TraCuuHoSo answers it: the record with its steps, by time, then arrival; empty if unknown."""
    row = Record.objects.filter(side="held", code=code).first()
    if row is None:
        return []
    steps = Step.objects.filter(side="held", code=code)
    ordered = sorted(steps, key=lambda step: (step.at is None, step.at or step.stored_at, step.pk))
    return [{**json.loads(row.body), "TienTrinh": [json.loads(step.body) for step in ordered]}]
