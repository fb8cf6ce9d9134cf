"""A watcher owes a heartbeat with a count; its silence is an alert."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Job(models.Model):
    """One kind of background work: when it runs next, who holds it, how it last went."""

    name = models.CharField(max_length=64, primary_key=True)
    every_s = models.IntegerField(default=60)
    next_run_at = InstantField(null=True)
    leased_until = InstantField(null=True)
    holder = models.CharField(max_length=64, default="", blank=True)
    heartbeat_at = InstantField(null=True)
    count = models.BigIntegerField(default=0)
    failures = models.IntegerField(default=0)
    error = models.TextField(default="", blank=True)

    class Meta:
        db_table = "jobs_job"
