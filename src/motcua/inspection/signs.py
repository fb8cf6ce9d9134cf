"""A sign (dấu hiệu): what a check saw, of whom, and the facts that prove it. Only a person concludes a violation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Subject = Literal["dossier", "unit", "official", "procedure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One sign. The same check sees a subject once: (`check`, `subject`) names it between two scans.

    `evidence` holds JSON values, instants as ISO 8601 with offset. `confidence` is 1 for a check that is certain by
    its facts, else the probability that the check states for itself. `at_s` is the instant, in seconds UTC, at which
    what it sees came to be (None where no instant is known). `values`: the parameters that the check ran with;
    `own`: those of them that are the province's and not ours or the law's.
    """

    check: str
    subject: str
    kind: Subject = "dossier"
    agency: str = ""
    unit: str = ""
    at_s: int | None = None
    confidence: float = 1.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, int | float | str] = field(default_factory=dict)
    own: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What names it."""
        return self.check, self.subject
