"""Delivery to the mirror over loopback, both sides on this machine, beside the barest exchange of the same bodies.

Messages a second, one a call and in batches (which are used only where the portal's profile promises per-item
replies). The bare peer posts the same bodies, ready-made, to a server that reads JSON and stores nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx

from bench.report import keep
from bench.serving import serving

DOSSIERS = int(os.environ.get("BENCH_DOSSIERS", "3000"))
#: Dossiers that go one a call; all go in batches.
SINGLES, BATCH = max(DOSSIERS // 10, 20), 100
#: Messages a second that must be reached on two cores.
WANTED = {"single": 400, "batch": 3_000}


def bare(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """A portal that reads and forgets."""
    request = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
    codes = [item["MaHoSo"] for item in request.get("data", ())]
    result = [{"MaHoSo": code, "error_code": 0, "message": "thành công"} for code in codes]
    body = json.dumps({"error_code": 0, "message": "thành công", "result": result}).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def acts(first: int, many: int) -> list[tuple[str, str, list[Any]]]:
    """Dossiers of our desk with six events each."""
    from motcua.rules import events as e

    start = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    made = []
    for n in range(first, first + many):
        at = [start + timedelta(minutes=n % 5_000, hours=h) for h in range(6)]
        by = {"actor": "Lê Thị Mẫu", "unit": "H99.12"}
        events: list[Any] = [
            e.Registered(at=at[0], recorded_at=at[0], procedure=f"1.{n % 60:06}", agency=f"H99.{n % 40:02}",
                         allotted="5d", submitted_at=at[0], applicant=f"Người {n}", **by),
            e.Received(at=at[1], recorded_at=at[1], due_at=at[1] + timedelta(days=7), **by),
            e.StepStarted(at=at[2], recorded_at=at[2], step="Thẩm định", **by),
            e.StepFinished(at=at[3], recorded_at=at[3], step="Thẩm định", **by),
            e.Finished(at=at[4], recorded_at=at[4], **by),
            e.Returned(at=at[5], recorded_at=at[5], **by),
        ]  # fmt: skip
        made.append((f"H99.{n % 40:02}-260302-{n:07}", "desk", events))
    return made


class Kept:
    """A client that keeps the bodies that it sends, for the peer."""

    def __init__(self, portal: Any) -> None:
        self.portal, self.url = portal, portal.url
        self.bodies: list[bytes] = []
        self.items = 0

    def call(self, service: str, **arguments: Any) -> Any:
        self.items += len(arguments["data"])
        self.bodies.append(json.dumps({"service": service, **arguments}, ensure_ascii=False).encode())
        return self.portal.call(service, **arguments)


def delivered(url: str, first: int, many: int, batch: int) -> tuple[float, Kept]:
    """Delivers fresh dossiers; messages a second, and what was sent."""
    from django.db import transaction

    from motcua.dossiers import log
    from motcua.exchange import deliveries
    from motcua.exchange.deliver import Deliverer
    from motcua.mirror.client import Portal

    now = datetime.now(UTC)
    with transaction.atomic():
        log.store_many(acts(first, many), stored_at=now)
    deliveries.plan()
    portal = Kept(Portal(url, "demo-h99", "demo-password", "H99"))
    deliverer = Deliverer(portal, batch=batch)
    start = time.perf_counter()
    report = deliverer.run(at=now)
    took = time.perf_counter() - start
    assert report.delivered == 6 * many and not report.dead
    return portal.items / took, portal


def posted(url: str, sent: Kept) -> float:
    """The same bodies to the bare portal; messages a second."""
    with httpx.Client(trust_env=False) as client:
        start = time.perf_counter()
        for body in sent.bodies:
            client.post(f"{url}/mapi/g", content=body).json()
        return sent.items / (time.perf_counter() - start)


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MOTCUA_HOME"] = scratch
        from motcua.cli.home import open_home

        open_home()
        with serving("motcua.mirror.wsgi:application") as portal, serving("bench.exchange:bare") as peer:
            for name, first, many, batch in (("single", 0, SINGLES, 1), ("batch", SINGLES, DOSSIERS, BATCH)):
                rate, sent = delivered(portal, first, many, batch)
                plain = posted(peer, sent)
                found[f"{name}_messages_per_s"], found[f"{name}_bare_per_s"] = rate, plain
                found[f"{name}_ratio"] = plain / rate
                print(f"{name:<7}{rate:>9,.0f} messages/s (wanted {WANTED[name]:,}); bare {plain:,.0f}/s; "
                      f"{plain / rate:.1f} x")  # fmt: skip
    keep("exchange", found)
    return found


if __name__ == "__main__":
    main()
