"""What oversight keeps beside the facts (rounds, findings and explanations will live here)."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Extract(models.Model):
    """One run of the extract: which positions the facts cover, and since when."""

    at = InstantField()
    position = models.BigIntegerField()
    mirror_stored_at = InstantField(null=True)
    rows = models.BigIntegerField(default=0)
    full = models.BooleanField(default=False)

    class Meta:
        db_table = "oversight_extract"


class DueChange(models.Model):
    """An open dossier whose due instant moved without any event of its own: its terms were corrected afterwards."""

    dossier = models.CharField(max_length=200, db_index=True)
    agency = models.CharField(max_length=64, default="", blank=True)
    found_at = InstantField()
    before_at = InstantField(null=True)
    after_at = InstantField(null=True)

    class Meta:
        db_table = "oversight_due_change"
