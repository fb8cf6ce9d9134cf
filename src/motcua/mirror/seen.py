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
    found = 0
    with transaction.atomic(using="mirror"):
        for code, body in answers:
            Step.objects.filter(side="seen", code=code).delete()
            if body is None:
                Record.objects.filter(side="seen", code=code).delete()
                continue
            plain = {key: value for key, value in body.items() if key != "TienTrinh"}
            try:
                parsed = messages.parse_record(plain, _LENIENT)
            except BadItem:
                continue
            row = Record.objects.filter(side="seen", code=code).first() or Record(side="seen", code=code, version=0)
            held.fill(row, parsed, body=json.dumps(plain, ensure_ascii=False), at=at, message=0, sender="")
            row.save()
            steps = []
            for step in body.get("TienTrinh") or ():
                try:
                    parsed_step = messages.parse_step(step, _LENIENT)
                except BadItem:
                    continue
                steps.append(held.step_row("seen", parsed_step, at=at, message=0))
            Step.objects.bulk_create(steps, ignore_conflicts=True)
            found += 1
    return found
