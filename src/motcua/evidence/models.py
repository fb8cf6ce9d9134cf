"""What evidence keeps: finished blocks of the tree, so that a proof costs a logarithm, and who made which pack."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Block(models.Model):
    """The root over one full block of events of the log. Derived, and never believed: each pack is checked whole."""

    number = models.BigIntegerField(primary_key=True)  # from 0: the events (number * 1024, (number + 1) * 1024]
    root = models.BinaryField(max_length=32)

    class Meta:
        db_table = "evidence_block"


class Pack(models.Model):
    """A pack that left the house: of what, by whom, why, and what was blacked out."""

    made_at = InstantField()
    made_by = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, default="", blank=True)
    kind = models.CharField(max_length=16)  # dossier | dossiers | finding | round
    subject = models.CharField(max_length=200)  # its code or number
    title = models.CharField(max_length=500, default="", blank=True)
    black_out = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()

    class Meta:
        db_table = "evidence_pack"
        indexes = [models.Index(fields=["kind", "subject"], name="evidence_pack_of")]


class PackDossier(models.Model):
    """A dossier that a pack tells of."""

    pack = models.ForeignKey(Pack, on_delete=models.CASCADE, related_name="dossiers")
    dossier = models.CharField(max_length=200, db_index=True)

    class Meta:
        db_table = "evidence_pack_dossier"
        constraints = [models.UniqueConstraint(fields=["pack", "dossier"], name="evidence_pack_dossier_once")]
