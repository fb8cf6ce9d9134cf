"""A day without the portal, and what becomes late there in which order once it is back.

Every dossier is on the portal when it goes away; each is worked on while it is away, so all of them wait at the end.
The portal then takes a fixed time for a message; delivery is real, over HTTP, and the clock is the messages' own. What
was late because of us is counted from when each dossier's last message arrived. OUTAGE_DOSSIERS sets the size.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.report import tell
from bench.serving import serving

DOSSIERS = int(os.environ.get("OUTAGE_DOSSIERS", "50000"))
SEED = int(os.environ.get("CAMPAIGN_SEED", "2026"))
BATCH = 50
AWAY = datetime(2026, 3, 4, 0, 0, tzinfo=UTC)
BACK = AWAY + timedelta(hours=24)
#: The portal needs half a day for what waits.
HOURS_NEEDED = 12


class Slow:
    """A portal that takes `message_s` for each item; its own clock says when a dossier's last message arrived."""

    def __init__(self, portal: Any, at: datetime, message_s: float) -> None:
        self.portal, self.url, self.at, self.message_s = portal, portal.url, at, message_s
        self.arrived: dict[str, datetime] = {}

    def call(self, service: str, **arguments: Any) -> Any:
        """One call. Raises `PortalUnreachable`."""
        for item in arguments["data"]:
            self.at += timedelta(seconds=self.message_s)
            self.arrived[item["MaHoSo"]] = self.at
        return self.portal.call(service, **arguments)


def lives(seed: int, many: int) -> tuple[list[tuple[str, str, list[Any]]], list[tuple[str, str, list[Any]]]]:
    """What happened to each dossier before the portal went away, and while it was away."""
    from motcua.rules import events as e

    chosen = random.Random(seed)
    before, during = [], []
    for n in range(many):
        code, agency = f"H99.{n % 150:02}-260302-{n:07}", f"H99.{n % 150:02}"
        at = AWAY - timedelta(seconds=chosen.randrange(3600, 2 * 86_400))
        due = AWAY + timedelta(seconds=chosen.randrange(20 * 3600, 80 * 3600))
        by = {"actor": f"Công chức {n % 900}", "unit": agency}

        def act(kind: Any, when: datetime, by: Mapping[str, str] = by, **facts: Any) -> Any:
            return kind(at=when, recorded_at=when, **by, **facts)

        before.append((code, "desk", [
            act(e.Registered, at, procedure=f"1.{n % 60:06}", agency=agency, allotted="3d", submitted_at=at),
            act(e.Received, at + timedelta(minutes=20), due_at=due),
        ]))  # fmt: skip
        when = AWAY + timedelta(seconds=chosen.randrange(18 * 3600))
        later = when + timedelta(minutes=chosen.randrange(1, 300))
        match chosen.randrange(8):
            case 0:
                acts = [act(e.SupplementRequested, when, document=True)]
            case 1:
                acts = [act(e.Extended, when, due_at=due + timedelta(days=3), document=True)]
            case 2 | 3:
                acts = [act(e.StepStarted, when, step="Thẩm định"), act(e.StepFinished, later, step="Thẩm định")]
            case 4:
                acts = [act(e.StepStarted, when, step="Ký"), act(e.StepFinished, later, step="Ký"),
                        act(e.Finished, later), act(e.Returned, later)]  # fmt: skip
            case _:
                acts = [act(e.Finished, later)]
        during.append((code, "desk", acts))
    return before, during


def main() -> dict[str, Any]:
    """Plays the outage, prints and returns what became late."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MOTCUA_HOME"] = scratch
        from motcua.cli.home import open_home

        open_home()
        with serving("motcua.mirror.wsgi:application") as url:
            found = _played(url)
    found["seconds"] = round(time.perf_counter() - started, 1)
    tell("outage", found)
    return found


def _played(url: str) -> dict[str, Any]:
    from motcua.exchange import backlog, deliveries, urgency
    from motcua.exchange.deliver import Deliverer
    from motcua.exchange.models import Delivery, Endpoint
    from motcua.mirror.client import Portal

    before, during = lives(SEED, DOSSIERS)
    portal = Portal(url, "demo-h99", "demo-password", "H99")
    _store(before, AWAY)
    deliveries.plan()
    Deliverer(portal, batch=BATCH, seed=SEED).run(at=AWAY)
    assert not deliveries.waiting()
    _store(during, BACK)
    deliveries.plan()
    waiting = backlog.backlogs(at=BACK)
    messages = sum(each.messages for each in waiting)
    message_s = HOURS_NEEDED * 3600 / messages
    orders = {"ours": urgency.order(waiting, message_s=message_s), "fifo": waiting,
              "by_deadline": sorted(waiting, key=lambda b: (b.late_at is None, b.late_at))}  # fmt: skip
    predicted = {name: urgency.late_because_of_us(each, message_s=message_s) for name, each in orders.items()}
    Endpoint.objects.update(message_us=round(message_s * 1e6))
    slow = Slow(portal, BACK, message_s)
    Deliverer(slow, batch=BATCH, seed=SEED).run(at=BACK)
    late = sum(
        each.late_at is not None and slow.arrived[each.dossier] > BACK + timedelta(seconds=each.late_at)
        for each in waiting
    )
    return {
        "dossiers": DOSSIERS, "waiting_dossiers": len(waiting), "waiting_messages": messages,
        "late_before_anything": sum(each.late_at is not None and each.late_at < 0 for each in waiting),
        "could_become_late": sum(each.late_at is not None for each in waiting),
        "message_s": round(message_s, 3), **{f"late_{name}": count for name, count in predicted.items()},
        "late_ours_delivered": late, "left": Delivery.objects.exclude(state="delivered").count(),
    }  # fmt: skip


def _store(acts: list[tuple[str, str, list[Any]]], at: datetime) -> None:
    from django.db import transaction

    from motcua.dossiers import log

    for first in range(0, len(acts), 5_000):
        with transaction.atomic():
            log.store_many(acts[first : first + 5_000], stored_at=at)


if __name__ == "__main__":
    result = main()
    sys.exit(
        0 if result["late_ours"] <= min(result["late_fifo"], result["late_by_deadline"]) and not result["left"] else 1
    )
