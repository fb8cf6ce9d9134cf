"""What TraCuuHoSo returned: the portal's copy as it was read back, with the instant of the reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from motcua.mirror import held
from motcua.mirror.models import Record, Step
from motcua.wire import messages
from motcua.wire.messages import BadItem
from motcua.wire.profile import Profile

#: Reading back judges nothing: whatever the portal returns is what it shows.
_LENIENT = Profile(name="read-back", max_note=10**9, max_person=10**9, refuse_empty_content=False)


def store(answers: Iterable[tuple[str, Mapping[str, Any] | None]], *, at: datetime) -> int:
    """Keeps what was returned for each code; None: the portal has no such dossier. Returns how many it has."""
    records: list[held.Row] = []
    steps: list[held.Row] = []
    asked, absent = [], []
    for code, body in answers:
        asked.append(code)
        if body is None:
            absent.append(code)
            continue
        plain = {key: value for key, value in body.items() if key != "TienTrinh"}
        try:
            parsed = messages.parse_record(plain, _LENIENT)
        except BadItem:
            continue
        text = json.dumps(plain, ensure_ascii=False)
        records.append(held.row("seen", parsed, body=text, version=1, at=at, message=0, sender=""))
        for step in body.get("TienTrinh") or ():
            try:
                steps.append(held.step_row("seen", messages.parse_step(step, _LENIENT), at=at, message=0))
            except BadItem:
                continue
    with transaction.atomic(using="mirror"):
        Step.objects.filter(side="seen", code__in=asked).delete()
        Record.objects.filter(side="seen", code__in=absent).delete()
        held.store(records, steps)
    return len(records)
