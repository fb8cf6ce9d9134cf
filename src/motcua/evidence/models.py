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


class Order(models.Model):
    """A pack that a page asked for and a process makes: how far it is, and its file until it is thrown away."""

    class State(models.TextChoices):
        WAITING = "waiting", "Đang chờ"
        DONE = "done", "Đã lập"
        FAILED = "failed", "Không lập được"

    asked_at = InstantField()
    asked_by = models.CharField(max_length=150)
    kind = models.CharField(max_length=16)  # as `Pack.kind`
    code = models.CharField(max_length=200)  # number of the finding or round; of dossiers, how they are called
    codes = models.JSONField(default=list)  # the dossiers, where no finding and no round tells them
    black_out = models.CharField(max_length=16)
    reason = models.CharField(max_length=500, default="", blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    done = models.IntegerField(default=0)  # dossiers
    total = models.IntegerField()
    tries = models.SmallIntegerField(default=0)
    leased_until = InstantField(null=True)
    error = models.CharField(max_length=500, default="", blank=True)
    pack = models.ForeignKey(Pack, on_delete=models.PROTECT, null=True)
    ended_at = InstantField(null=True)
    file = models.CharField(max_length=120, default="", blank=True)  # in `packs` of the home; empty: thrown away

    class Meta:
        db_table = "evidence_order"
        indexes = [models.Index(fields=["asked_by", "-asked_at"], name="evidence_orders_of")]
