"""The tables of the log. Rows of `ledger_event` are only ever added; the database refuses the rest."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class EventRow(models.Model):
    """One appended act. `position` is gap-free in commit order, so a reader's cursor misses nothing."""

    position = models.BigIntegerField(primary_key=True)
    dossier = models.CharField(max_length=200)
    seq = models.IntegerField()
    kind = models.CharField(max_length=32)
    at = InstantField()
    recorded_at = InstantField()
    stored_at = InstantField()
    actor = models.CharField(max_length=200, default="", blank=True)
    unit = models.CharField(max_length=200, default="", blank=True)
    step = models.CharField(max_length=500, default="", blank=True)
    body = models.TextField(default="{}")
    origin = models.CharField(max_length=64, default="desk")
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "ledger_event"
        constraints = [models.UniqueConstraint(fields=["dossier", "seq"], name="ledger_event_once")]


class PersonalValue(models.Model):
    """A person's data of an event, with the salt of its commitment: erasable without breaking a proof."""

    dossier = models.CharField(max_length=200)
    seq = models.IntegerField()
    field = models.CharField(max_length=32)
    salt = models.BinaryField(max_length=16)
    value = models.TextField()

    class Meta:
        db_table = "ledger_personal"
        constraints = [models.UniqueConstraint(fields=["dossier", "seq", "field"], name="ledger_personal_once")]


class Cursor(models.Model):
    """How far a reader of the log has come."""

    reader = models.CharField(max_length=64, primary_key=True)
    position = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_cursor"


class Head(models.Model):
    """A signed head of the Merkle tree (RFC 9162) over the hashes of the first `size` events."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    signed_at = InstantField()
    key = models.CharField(max_length=64)
    signature = models.BinaryField(max_length=64)

    class Meta:
        db_table = "ledger_head"


class Change(models.Model):
    """The audit: who changed what of the catalogue, posts or settings, and when. Written by `audit.record` alone."""

    at = InstantField()
    actor = models.CharField(max_length=200)
    table = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "ledger_change"
        indexes = [models.Index(fields=["table", "key"], name="ledger_change_of")]
