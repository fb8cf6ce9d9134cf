"""Which dossiers go first when many wait: so that as few as possible become late on the portal because of us.

A dossier that the portal holds open becomes late there at its due instant, unless what waits here arrives before
it. With one message after the other this is the scheduling of jobs with lengths and deadlines so that the fewest
are tardy; Moore and Hodgson's rule is exact: by deadline, and whenever one would come too late, the longest taken so
far is put off. Those put off, and those that are late there already, follow, the shortest first; then all others
in the order of their events.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits of one dossier. `late_at`: when the portal will call it late though our record does not, in seconds
    from now (negative: it does so already); None where no delivery changes that."""

    dossier: str
    position: int
    messages: int
    late_at: float | None = None


def order(backlogs: Sequence[Backlog], *, message_s: float) -> list[Backlog]:
    """The order in which to deliver; `message_s` is what one message takes, in seconds."""
    plain = [b for b in backlogs if b.late_at is None]
    pressing = sorted((b for b in backlogs if b.late_at is not None), key=lambda b: (b.late_at, b.position))
    taken: list[tuple[int, int, Backlog]] = []  # the longest on top
    off: list[Backlog] = []
    filled = 0.0
    for backlog in pressing:
        assert backlog.late_at is not None
        heapq.heappush(taken, (-backlog.messages, -backlog.position, backlog))
        filled += backlog.messages * message_s
        if filled > backlog.late_at:
            put_off = heapq.heappop(taken)[2]
            filled -= put_off.messages * message_s
            off.append(put_off)
    kept = {backlog.position for _, _, backlog in taken}
    return [
        *(b for b in pressing if b.position in kept),
        *sorted(off, key=lambda b: (b.messages, b.position)),
        *sorted(plain, key=lambda b: b.position),
    ]


def late_because_of_us(ordered: Sequence[Backlog], *, message_s: float) -> int:
    """How many become late on the portal if they are delivered in this order."""
    done = late = 0.0
    for backlog in ordered:
        done += backlog.messages * message_s
        late += backlog.late_at is not None and done > backlog.late_at
    return int(late)
