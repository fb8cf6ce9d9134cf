"""A job is run by one worker at a time: a lease, a heartbeat with a count, the next run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from motcua.jobs.models import Job

LEASE = timedelta(minutes=10)


def run(name: str, work: Callable[[], int], *, every_s: int, holder: str, now: datetime) -> int | None:
    """Runs a job if it is due and nobody holds it; None where it was not run. A failure is kept and told."""
    with transaction.atomic():
        Job.objects.get_or_create(name=name, defaults={"every_s": every_s})
        job = Job.objects.select_for_update().get(name=name)
        due = job.next_run_at is None or job.next_run_at <= now
        if not due or (job.leased_until is not None and job.leased_until > now and job.holder != holder):
            return None
        job.leased_until, job.holder = now + LEASE, holder
        job.save()
    error, count = "", 0
    try:
        count = work()
    except Exception as failure:  # a job that fails must not end the worker; it is shown by doctor
        error = f"{type(failure).__name__}: {failure}"
    job.heartbeat_at, job.count, job.error = now, count, error
    job.failures = job.failures + 1 if error else 0
    job.next_run_at, job.leased_until = now + timedelta(seconds=every_s), None
    job.save()
    return count


def silent(*, now: datetime) -> list[str]:
    """Watchers that owe a heartbeat."""
    late = [j.name for j in Job.objects.filter(~Q(heartbeat_at=None)) if _overdue(j, now)]
    return sorted(late)


def _overdue(job: Job, now: datetime) -> bool:
    return job.heartbeat_at is not None and now - job.heartbeat_at > timedelta(seconds=3 * job.every_s + 60)
