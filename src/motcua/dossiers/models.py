"""The dossier row is a projection of the log, written in the same transaction, equal to the replay."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class DossierRow(models.Model):
    """Where a dossier stands. Never written but together with the events that say so."""

    code = models.CharField(max_length=200, primary_key=True)
    procedure = models.CharField(max_length=64)
    agency = models.CharField(max_length=64)
    channel = models.CharField(max_length=16, default="desk")
    source = models.CharField(max_length=64, default="", blank=True)
    origin = models.CharField(max_length=64, default="desk")
    allotted = models.CharField(max_length=16, default="", blank=True)
    submitted_at = InstantField(null=True)
    accepted_at = InstantField(null=True)
    slip_due_at = InstantField(null=True)
    due_at = InstantField(null=True)
    status = models.SmallIntegerField(default=1)
    step = models.CharField(max_length=500, default="", blank=True)
    unit = models.CharField(max_length=200, default="", blank=True)
    holder = models.CharField(max_length=200, default="", blank=True)
    suspended_since = InstantField(null=True)
    supplements = models.SmallIntegerField(default=0)
    extensions = models.SmallIntegerField(default=0)
    leg = models.CharField(max_length=200, default="", blank=True)
    finished_at = InstantField(null=True)
    returned_at = InstantField(null=True)
    ended_at = InstantField(null=True)
    seq = models.IntegerField(default=0)
    position = models.BigIntegerField(default=0)  # of its last event
    last_hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "dossiers_dossier"
        indexes = [
            models.Index(fields=["agency", "code"], name="dossiers_by_agency"),
            models.Index(fields=["position"], name="dossiers_by_position"),
        ]


class AlternativeCode(models.Model):
    """Another code under which a dossier is known, here or on the national portal."""

    code = models.CharField(max_length=200, primary_key=True)
    dossier = models.CharField(max_length=200, db_index=True)

    class Meta:
        db_table = "dossiers_alternative_code"


class Imported(models.Model):
    """What was imported of a dossier: the digests of its rows (16 bytes each, with the source), equals repeated.

    The identity of an imported event is source, dossier, hash of the row, its ordinal among equals; real logs
    hold exact duplicates, so this is a multiset.
    """

    dossier = models.CharField(max_length=200, primary_key=True)
    header = models.BinaryField(max_length=16)
    rows = models.BinaryField()

    class Meta:
        db_table = "dossiers_imported"


class ImportRun(models.Model):
    """One load of files: where it stands, what it took, what it refused, what it found odd."""

    source = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    files = models.JSONField(default=list)
    started_at = InstantField()
    finished_at = InstantField(null=True)
    dossiers = models.BigIntegerField(default=0)
    events = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    anomalies = models.JSONField(default=dict)
    refusals = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        db_table = "dossiers_import_run"


class Anomaly(models.Model):
    """What an import kept though it is out of order (law paper §2.1): listed, never dropped."""

    dossier = models.CharField(max_length=200, db_index=True)
    seq = models.IntegerField(default=0)
    code = models.CharField(max_length=64)
    detail = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        db_table = "dossiers_anomaly"
