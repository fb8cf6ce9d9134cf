"""A job is run by one worker at a time: a lease, a heartbeat with a count, the next run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

from django.db import OperationalError, connections, transaction

from motcua.jobs.models import Job

#: A lease is renewed while its job runs; one that is not renewed for so long belongs to a worker that died.
LEASE = timedelta(minutes=2)
_RENEW_S = 30.0
_KEPT_OF_AN_ERROR = 2_000


@dataclass(frozen=True, slots=True)
class Run:
    """How a job went."""

    count: int
    error: str


def run(name: str, work: Callable[[], int], *, every_s: int, holder: str, clock: Callable[[], datetime]) -> Run | None:
    """Runs a job if it is due and nobody holds it; None where it was not run. A failure is kept and told."""
    if not _take(name, every_s=every_s, holder=holder, now=clock()):
        return None
    count, error = 0, ""
    held = Job.objects.filter(name=name, holder=holder)
    try:
        with Renewal(lambda: held.update(leased_until=clock() + LEASE), every_s=_RENEW_S):
            count = work()
    except Exception as failure:  # a job that fails must not end the worker; the doctor shows it
        error = f"{type(failure).__name__}: {failure}"[:_KEPT_OF_AN_ERROR]
    now = clock()
    job = Job.objects.get(name=name)
    job.heartbeat_at, job.count, job.error = now, count, error
    job.failures = job.failures + 1 if error else 0
    job.next_run_at, job.leased_until = now + timedelta(seconds=every_s), None
    job.save()
    return Run(count, error)


def _take(name: str, *, every_s: int, holder: str, now: datetime) -> bool:
    with transaction.atomic():
        Job.objects.get_or_create(name=name, defaults={"every_s": every_s})
        job = Job.objects.select_for_update().get(name=name)
        due = job.next_run_at is None or job.next_run_at <= now
        if not due or (job.leased_until is not None and job.leased_until > now and job.holder != holder):
            return False
        job.every_s, job.leased_until, job.holder = every_s, now + LEASE, holder
        job.save()
    return True


class Renewal:
    """Renews a lease every so often for as long as the block runs, on a database connection of its own."""

    def __init__(self, renew: Callable[[], object], *, every_s: float) -> None:
        self.renew, self.every_s = renew, every_s
        self.over = Event()
        self.thread = Thread(target=self._renew, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _renew(self) -> None:
        while not self.over.wait(self.every_s):
            with suppress(OperationalError):  # the database is busy or away: the next renewal is soon
                self.renew()
            connections.close_all()


def health(*, now: datetime) -> list[dict[str, Any]]:
    """Every job that was ever started, by name: its heartbeat, its last count and error, whether it is silent."""
    return [
        {
            "name": job.name,
            "every_s": job.every_s,
            "heartbeat_age_s": None if job.heartbeat_at is None else int((now - job.heartbeat_at).total_seconds()),
            "count": job.count,
            "failures": job.failures,
            "error": job.error,
            "running": job.leased_until is not None and job.leased_until > now,
            "silent": _overdue(job, now),
        }
        for job in Job.objects.order_by("name")
    ]


def silent(*, now: datetime) -> list[str]:
    """Watchers that owe a heartbeat."""
    return [job["name"] for job in health(now=now) if job["silent"]]


def _overdue(job: Job, now: datetime) -> bool:
    """Three runs and a minute without a heartbeat; a job whose lease is being renewed is at work, not silent."""
    if job.leased_until is not None and job.leased_until > now:
        return False
    since = job.heartbeat_at or job.leased_until
    return since is not None and now - since > timedelta(seconds=3 * job.every_s + 60)
