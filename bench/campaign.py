"""A simulated week of delivery through a hostile network; at the end everything has arrived, equal, and once.

Dossiers come in and are worked on hour by hour; each hour is delivered through `bench.chaos`, the portal's clock is
wrong on some days, one whole day the portal is away. An operator sends dead letters again once a day, and read-back
repairs what was acknowledged and is not there. CAMPAIGN_DOSSIERS, CAMPAIGN_SEED and CAMPAIGN_RATE set the size.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx

from bench.report import tell
from bench.serving import answering, serving

DOSSIERS = int(os.environ.get("CAMPAIGN_DOSSIERS", "50000"))
SEED = int(os.environ.get("CAMPAIGN_SEED", "2026"))
RATE = float(os.environ.get("CAMPAIGN_RATE", "0.05"))
BATCH = int(os.environ.get("CAMPAIGN_BATCH", "50"))
START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
HOURS, AWAY = 7 * 24, range(72, 96)
#: A portal that takes so long for a message is asked, after its day away, how many become late in which order.
SLOW_PORTAL_S = float(os.environ.get("CAMPAIGN_SLOW_S", str(12 * 3600 / max(DOSSIERS, 1))))
#: How wrong the portal's clock is, by day.
WRONG = {1: timedelta(hours=7), 4: timedelta(hours=-12)}


def lives(seed: int, many: int) -> list[tuple[datetime, str, Any]]:
    """(when entered, dossier, event) of a week, in the order of entry."""
    from motcua.rules import events as e
    from motcua.rules.enclosures import Fee, Paper, Result

    chosen = random.Random(seed)
    acts: list[tuple[datetime, str, Any]] = []
    for n in range(many):
        code = f"H99.{n % 150:02}-260302-{n:07}"
        at = START + timedelta(seconds=chosen.randrange(4 * 86_400))
        by = {"actor": f"Công chức {n % 900}", "unit": f"H99.{n % 150:02}"}
        kinds: list[Any] = [
            (e.Registered, {"procedure": f"1.{n % 60:06}", "agency": by["unit"], "allotted": "3d", "submitted_at": at,
                            "applicant": f"Người {n}", "papers": (Paper(component="TP1", file=str(n)),)}),
            (e.Received, {"due_at": at + timedelta(days=3)}),
        ]  # fmt: skip
        match n % 8:
            case 0:
                kinds = [kinds[0], (e.Refused, {"reason": "không thuộc thẩm quyền"})]
            case 1:
                kinds += [(e.SupplementRequested, {"document": True}), (e.SupplementReceived, {}), (e.Finished, {})]
            case 2:
                kinds += [
                    (e.PaymentRequested, {"document": True, "fees": (Fee(code="LP1", amount=1000 * n),)}),
                    (e.Paid, {}),
                    (e.Withdrawn, {}),
                ]
            case 3:
                kinds += [(e.Extended, {"due_at": at + timedelta(days=5), "document": True}), (e.Stopped, {})]
            case _:
                kinds += [(e.StepStarted, {"step": "Thẩm định"}), (e.StepFinished, {"step": "Thẩm định"}),
                          (e.Finished, {"results": (Result(code=f"KQ{n % 60}", address=f"https://kho.h99.example/{n}"),)}),
                          (e.Returned, {})]  # fmt: skip
        for kind, facts in kinds:
            acts.append((at, code, kind(at=at, recorded_at=at, **by, **facts)))
            at += timedelta(seconds=1 + chosen.randrange(12 * 3600))
    return sorted(acts, key=lambda act: (act[0], act[1]))


@contextmanager
def hostile(upstream: str, counts: Path) -> Iterator[str]:
    """The network in front of a portal."""
    from motcua.cli.demo import free_port

    port = free_port()
    command = [sys.executable, "-m", "bench.chaos", str(port), upstream.rsplit(":", 1)[1], str(SEED), str(RATE)]
    with answering([*command, str(counts)], port) as url:
        yield url


def main() -> dict[str, Any]:
    """Runs the week, prints and returns what became of it."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MOTCUA_HOME"] = scratch
        from motcua.cli.home import open_home

        open_home()
        counts = Path(scratch) / "chaos.json"
        with serving("motcua.mirror.wsgi:application") as portal, hostile(portal, counts) as url:
            found = _week(portal, url)
            time.sleep(1.0)  # the network counts every half second
            found["network"] = json.loads(counts.read_text())
    tell("campaign", found)
    return found


def _week(direct: str, url: str) -> dict[str, Any]:
    from django.db import transaction

    from motcua.dossiers import log
    from motcua.exchange import backlog, dead_letters, deliveries, read_back, urgency
    from motcua.exchange.deliver import Deliverer
    from motcua.exchange.models import Delivery
    from motcua.mirror.client import Portal, PortalUnreachable

    started = marked = time.perf_counter()
    took: dict[str, float] = {}
    acts = lives(SEED, DOSSIERS)
    portal = Portal(url, "demo-h99", "demo-password", "H99", timeout_s=1.0)
    away = Portal("http://127.0.0.1:9", "demo-h99", "demo-password", "H99", timeout_s=1.0)
    deliverer = Deliverer(portal, batch=BATCH, seed=SEED)
    found: Counter[str] = Counter()
    next_act = 0
    for hour in range(HOURS):
        now = START + timedelta(hours=hour + 1)
        grouped: dict[str, list[Any]] = {}
        while next_act < len(acts) and acts[next_act][0] < now:
            grouped.setdefault(acts[next_act][1], []).append(acts[next_act][2])
            next_act += 1
        if grouped:
            with transaction.atomic():
                log.store_many([(code, "desk", events) for code, events in grouped.items()], stored_at=now)
        deliveries.plan()
        _put_clock(direct, now + WRONG.get(hour // 24, timedelta(0)))
        deliverer.portal = away if hour in AWAY else portal
        if hour == AWAY.stop:
            waiting = backlog.backlogs(at=now + timedelta(hours=2))
            found["backlog_after_outage"] = len(waiting)
            for name, ordered in (
                ("late_ours", urgency.order(waiting, message_s=SLOW_PORTAL_S)),
                ("late_fifo", waiting),
            ):
                found[name] = urgency.late_because_of_us(ordered, message_s=SLOW_PORTAL_S)
        for minute in (0, 5, 20):
            deliverer.run(at=now + timedelta(minutes=minute))
        if hour % 24 == 23:
            found["dead_sent_again"] += dead_letters.replay(dead_letters.select(), at=now)
    took["week_s"], marked = round(time.perf_counter() - marked, 1), time.perf_counter()
    codes = sorted({code for _, code, _ in acts})
    now = START + timedelta(hours=HOURS)
    unsure = codes
    for _ in range(200):
        now += timedelta(hours=1)
        _put_clock(direct, now)
        deliverer.run(at=now)
        found["dead_sent_again"] += dead_letters.replay(dead_letters.select(), at=now)
        if deliveries.waiting():
            continue
        time.sleep(1.5)  # whatever is still late on the way has arrived by then
        try:
            report = read_back.run(portal=portal, at=now, codes=unsure, repair="ours")
        except PortalUnreachable:
            continue
        found["repaired"] += report.sent_again
        found["read_back_rounds"] += 1
        unsure = [*report.unanswered, *report.differences]
        if not unsure:
            break
    took["settling_s"], marked = round(time.perf_counter() - marked, 1), time.perf_counter()
    lost, differing, doubled = _judge(codes)
    took["judging_s"] = round(time.perf_counter() - marked, 1)
    return {
        "dossiers": len(codes), "events": len(acts), "calls": deliverer.report.calls, **found,
        "delivered": Delivery.objects.filter(state="delivered").count(), "lost": lost, "differing": differing,
        "doubled": doubled, **took, "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip


def _put_clock(direct: str, at: datetime) -> None:
    httpx.post(f"{direct}/sandbox/clock", json={"now": at.isoformat()}, trust_env=False)


def _judge(codes: list[str]) -> tuple[int, int, int]:
    """Lost, differing and doubled, read out of what the portal holds, without the network between."""
    from motcua.exchange.models import Delivery
    from motcua.exchange.reconcile import Reader
    from motcua.mirror.models import Record, Step

    reader = Reader()
    names: list[str] = []
    differing = 0
    for first in range(0, len(codes), 500):
        some = codes[first : first + 500]
        there = {code: json.loads(body) for code, body in
                 Record.objects.filter(side="held", code__in=some).values_list("code", "body")}  # fmt: skip
        steps: dict[str, list[Any]] = {}
        for code, body in Step.objects.filter(side="held", code__in=some).values_list("code", "body"):
            steps.setdefault(code, []).append(json.loads(body))
        for code, ours in reader.load(some).items():
            shown = {**there[code], "TienTrinh": steps.get(code, [])} if code in there else None
            found = reader.compare(ours, shown, was_equal_at=None)
            names += [each.name for each in found]
            differing += bool(found)
    lost = Delivery.objects.exclude(state="delivered").count()
    absent = sum(name == "dossier" or name.startswith("step -") for name in names)
    return lost + absent, differing, sum(name.startswith("step +") for name in names)


if __name__ == "__main__":
    result = main()
    sys.exit(0 if (result["lost"], result["differing"], result["doubled"]) == (0, 0, 0) else 1)
