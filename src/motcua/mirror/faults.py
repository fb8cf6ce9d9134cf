"""Faults that a sandbox plays on purpose: explicit, seeded by whoever writes the plan, never on by themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

#: `lose`: neither stored nor answered; `lose_answer`: stored, and the answer does not arrive.
Kind = Literal["lose", "lose_answer", "accept_not_apply", "error_500", "refuse"]


@dataclass(slots=True)
class Fault:
    """What happens to one message, and how many times (-1: always)."""

    kind: Kind
    times: int = -1
    message: str = ""


class Plan:
    """Which item of which service fails how; the key is (dossier code, service, status or 0 for any)."""

    def __init__(self, faults: dict[tuple[str, str, int], Fault] | None = None) -> None:
        self._faults = faults or {}

    @staticmethod
    def read(path: Path) -> Plan:
        """A plan from a JSON list of {code, service, status, kind, times, message}."""
        return Plan(
            {
                (entry["code"], entry["service"], int(entry.get("status", 0))): Fault(
                    entry["kind"], int(entry.get("times", -1)), entry.get("message", "")
                )
                for entry in json.loads(path.read_text())
            }
        )

    def strike(self, code: str, service: str, status: int) -> Fault | None:
        """The fault that strikes this item now, if one does; its count goes down."""
        for key in ((code, service, status), (code, service, 0)):
            fault = self._faults.get(key)
            if fault is not None and fault.times != 0:
                fault.times -= fault.times > 0
                return fault
        return None
