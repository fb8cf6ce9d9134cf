"""Which national status may follow which, each with the paper that says so.

Anything else is an anomaly: what came in is listed and kept, what we would send is refused before it is sent.
"""

from __future__ import annotations

from motcua.rules.dossier import ENDED, Status

_TABLE = "law paper §2.1"  # law: moves-2
_SKIPS_FOUR = "contract, examples 02 to 05: work begins with the acceptance, 4 is not always sent"
_REFUSED = "law paper §2.13: refused in writing after appraisal"
_WITHDRAWN = "law paper §2.13: the applicant may withdraw until the end"
_STOPPED = "law paper §2.13: stopped as 5 → 8 is, when the duty is not performed"

#: (before, after) → where it is written. A status may always be followed by itself.
LAWFUL: dict[tuple[Status, Status], str] = {
    **{(Status(a), Status(b)): _TABLE for a, b in ((1, 2), (1, 3), (1, 7), (2, 4), (2, 9), (4, 5), (4, 6), (4, 8),
                                                   (4, 9), (5, 4), (5, 7), (5, 8), (6, 4), (9, 10))},
    **{(Status.ACCEPTED, Status(b)): _SKIPS_FOUR for b in (5, 6, 7, 8)},
    **{(Status(a), Status.REFUSED): _REFUSED for a in (2, 4, 5, 6)},
    **{(Status(a), Status.WITHDRAWN): _WITHDRAWN for a in (4, 6)},
    (Status.PAYMENT, Status.STOPPED): _STOPPED,
}  # fmt: skip


def is_lawful(before: Status | None, after: Status) -> bool:
    """Whether `after` may follow `before`; nothing sent before: a dossier begins as 1, or as 2 at the desk."""
    if before is None:
        return after in (Status.REGISTERED, Status.ACCEPTED)
    return before is after or (before, after) in LAWFUL


def is_terminal(status: Status) -> bool:
    """Whether the portal's clock ends with it (contract §4.1)."""
    return status in ENDED
