"""`motcua work`: the background worker. Each job owes a heartbeat with a count; `motcua doctor` shows its silence."""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from motcua.cli.output import DONE, FALLS_SHORT, fail

if TYPE_CHECKING:
    from motcua.mirror.client import Portal

#: How long the worker rests between looking what is due, and how long after the database went away.
_REST_S, _AFTER_OUTAGE_S = 2, 10
#: The read-back runs so often, each time with its part of the hour's budget.
_READ_BACK_S = 300
#: Events tried in one run of the delivery: well within the lease of a job.
_DELIVERED = 5_000


#: The parts that want a job: it runs where one of them is switched on. Jobs not named here are the house's own.
_WANTED_BY = {
    "deliver": {"exchange"},
    "take-in": {"exchange"},
    "tickets": {"exchange"},
    "alerts": {"exchange", "oversight"},
    "read-back": {"exchange", "oversight"},
    "catalogue": {"exchange", "oversight"},
    "extract": {"oversight"},
    "overdue": {"oversight"},
    "findings": {"oversight"},
    "loads": {"oversight"},
    "warnings": {"oversight"},
    "learn": {"oversight"},
    "directives": {"oversight"},
    "day-figures": {"oversight"},
    "notices": {"oversight", "exchange"},
    "sending": {"oversight", "exchange"},
    "rounds": {"oversight"},
    "packs": {"oversight"},
    "raw-messages": {"oversight", "exchange"},
    "freeze": {"oversight"},
}


def wanted(job: str, on: frozenset[str]) -> bool:
    """Whether a job belongs to the house, or to a part that is switched on."""
    return job not in _WANTED_BY or bool(_WANTED_BY[job] & on)


class Task(NamedTuple):
    """A job of the worker: what it does, returning a count, and how often."""

    name: str
    work: Callable[[], int]
    every_s: int


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    work = commands.add_parser("work", help="the background worker: delivery, read-back, extract, overdue scan, seals")
    work.add_argument("--once", action="store_true", help="run what is due and stop; status 1 where a job failed")
    work.set_defaults(run=_work)


def _work(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    import structlog
    from django.db import OperationalError, close_old_connections, connections
    from django.utils import timezone

    from motcua.catalogue import parts
    from motcua.jobs import lease

    log = structlog.get_logger("motcua.work")
    tasks = _tasks(home)
    holder = f"{os.uname().nodename}:{os.getpid()}"
    stopping = threading.Event()
    if not args.once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())  # the job in hand is finished first
    log.info("started", holder=holder, jobs=[task.name for task in tasks])
    failed = False
    while not stopping.is_set():
        rest = _REST_S
        try:
            on = parts.on()
            for task in tasks:
                if stopping.is_set():
                    break
                if not wanted(task.name, on):
                    continue
                started = time.monotonic()
                run = lease.run(task.name, task.work, every_s=task.every_s, holder=holder, clock=timezone.now)
                if run is None:
                    continue
                took = round(time.monotonic() - started, 3)
                if run.error:
                    failed = True
                    log.error("job failed", job=task.name, error=run.error, seconds=took)
                else:
                    log.info("job", job=task.name, count=run.count, seconds=took)
        except OperationalError as error:
            if args.once:
                fail(f"the database cannot be reached: {str(error).strip()}")
            log.error("the database cannot be reached", error=str(error).strip())
            connections.close_all()
            rest = _AFTER_OUTAGE_S
        if args.once:
            break
        close_old_connections()
        stopping.wait(rest)
    log.info("stopped", holder=holder)
    return FALLS_SHORT if args.once and failed else DONE


def _tasks(home: Path) -> list[Task]:
    from django.utils import timezone

    from motcua.accounts import roster, sessions, tries
    from motcua.directives import meetings, progress
    from motcua.evidence import orders
    from motcua.exchange import alerts, catalogue_pull, deliver, deliveries, read_back, repair, resend, take_in, tickets
    from motcua.findings import modes, update
    from motcua.ledger import seals
    from motcua.mirror import profiles, retention
    from motcua.notices import sending, telling
    from motcua.oversight import extract, figures, loads
    from motcua.oversight.figures import Question
    from motcua.rounds import freezing, remedies
    from motcua.warning import keep, scan
    from motcua.web.notices import outbox

    portal = resend.portal()

    def send() -> int:
        planned = deliveries.plan()
        if portal is None:
            return planned
        deliverer = deliver.Deliverer(portal, profile=profiles.current())
        return deliverer.run(at=timezone.now(), limit=_DELIVERED).delivered

    def linked() -> int:
        now = timezone.now()
        return take_in.unfinished(at=now) + take_in.link(at=now)

    def look(portal: Portal) -> int:
        now = timezone.now()
        report = read_back.run(
            portal=portal, at=now, budget=min(read_back.left(at=now), read_back.per_hour() * _READ_BACK_S // 3600 + 1),
            profile=profiles.current(), repair=repair.switch(),
        )  # fmt: skip
        return report.looked_up + report.listed

    def left() -> int:
        """Loads on which nobody works: their process was killed, or the machine was started anew."""
        waiting = loads.waiting(at=timezone.now())
        if waiting:
            loads.start(home)
        return len(waiting)

    def unfrozen() -> int:
        """Rounds that wait to be frozen and on which nobody works."""
        waiting = freezing.waiting(at=timezone.now())
        if waiting:
            freezing.start(home)
        return len(waiting)

    def packs() -> int:
        """Evidence packs that wait and that nobody makes; files that lay long enough go."""
        now = timezone.now()
        waiting = orders.waiting(at=now)
        if waiting:
            orders.start(home)
        return len(waiting) + orders.forget(home, at=now)

    def forget() -> int:
        """What was kept of sessions that are over, of old tries in vain, and of lists of people."""
        now = timezone.now()
        return sessions.forget(at=now) + tries.forget(at=now) + roster.forget(at=now)

    def overdue() -> int:
        total = figures.rates(home, Question(measure="open"), now=timezone.now())["total"]
        return int(total["open_overdue"])

    def findings() -> int:
        """The signs of the whole province: also where nothing but time has passed."""
        now = timezone.now()
        if not extract.is_there(home):
            return 0
        signs = update.run(home, at=now).signs
        modes.follow(at=now)
        return signs

    def day_figures() -> int:
        """Those of today, and some days of the weeks before that nobody kept."""
        now = timezone.now()
        overdue_ = meetings.keep_day(home, at=now)
        meetings.fill(home, at=now)
        return overdue_

    def learn() -> int:
        made = keep.learn(home, at=timezone.now(), by="motcua work")
        return 0 if made is None else made.dossiers

    tasks = [
        Task("deliver", send, 15),
        Task("take-in", linked, 60),
        Task("tickets", lambda: tickets.settle(at=timezone.now()), 300),
        Task("alerts", lambda: alerts.evaluate(now=timezone.now()), 60),
    ]
    if portal is not None:
        looking = portal
        tasks += [
            Task("read-back", lambda: look(looking), _READ_BACK_S),
            Task("catalogue", lambda: catalogue_pull.keep_up(portal=looking, at=timezone.now()), 3600),
        ]
    return [
        *tasks,
        Task("extract", lambda: extract.run(home=home, at=timezone.now()).dossiers, 60),
        Task("overdue", overdue, 300),
        Task("findings", findings, 600),
        Task("loads", left, 15),
        Task("learn", learn, 7 * 86_400),
        Task("warnings", lambda: scan.run(home, at=timezone.now()).looked, 1800),
        Task("directives", lambda: progress.look_at_all(home, at=timezone.now()), 900),
        Task("day-figures", day_figures, 3600),
        Task("forget", forget, 3600),
        Task("raw-messages", lambda: retention.forget(at=timezone.now()), 3600),
        Task("notices", lambda: telling.run(home, now=timezone.now()), 60),
        Task("sending", lambda: sending.run(outbox.letter, now=timezone.now()), 30),
        Task("freeze", unfrozen, 15),
        Task("packs", packs, 15),
        Task("rounds", lambda: remedies.settle(home=home, now=timezone.now()), 300),
        Task("seal", lambda: int(seals.seal(home / "keys", at=timezone.now()) is not None), 3600),
    ]
