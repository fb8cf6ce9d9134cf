"""What early warning keeps: the models that were learned, and what the newest says of each open dossier."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Learned(models.Model):
    """A model: its file lies in `models` of the home, and is read only where it has this digest."""

    made_at = InstantField()
    made_by = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    learned_from = InstantField()
    learned_to = InstantField()
    dossiers = models.BigIntegerField()
    chosen = models.CharField(max_length=32)  # the candidate that answers; slack: no estimate, the rule alone
    beside = models.CharField(max_length=32, default="", blank=True)  # the naive forecast in the answer
    trust = models.FloatField(default=0.0)  # what the committee counts for beside it, from 0 to 1
    note = models.CharField(max_length=300, default="", blank=True)  # why there is no estimate
    trials = models.JSONField(default=dict)  # candidate → measures outside what it learned from

    class Meta:
        db_table = "warning_model"


class Scan(models.Model):
    """One look at every open dossier: when, by which model, how far in the log. Without one, 0 is no figure."""

    at = InstantField()
    done = models.BooleanField(default=False)  # its warnings are all there
    position = models.BigIntegerField(default=0)  # of the newest event it knew
    learned = models.ForeignKey(Learned, models.PROTECT, null=True, related_name="scans")  # None: nothing to learn from
    looked = models.BigIntegerField(default=0)  # open dossiers
    warned = models.BigIntegerField(default=0)  # of them, those not late yet and with a due instant
    past_help = models.BigIntegerField(default=0)  # of the warned ones

    class Meta:
        db_table = "warning_scan"


class Warned(models.Model):
    """An open dossier that is not late yet: what is left, what its like still took, and its chance of being late."""

    scan = models.ForeignKey(Scan, models.CASCADE, related_name="rows", db_index=False)
    dossier = models.CharField(max_length=200)
    procedure = models.CharField(max_length=64)
    agency = models.CharField(max_length=64)
    at = InstantField()
    due_at = InstantField()
    state = models.CharField(max_length=500)
    paused = models.BooleanField(default=False)
    left = models.IntegerField()  # working minutes to the due instant
    in_state = models.IntegerField()
    usual_in_state = models.IntegerField(null=True)
    quick = models.IntegerField()  # what the quickest quarter of its like still took
    usual = models.IntegerField()
    helped_until = InstantField(null=True)  # as long as this the quickest quarter's pace is enough; None: no longer
    share = models.FloatField(null=True)  # chance of being late; None: no estimate
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    least_at = InstantField(null=True)
    most_at = InstantField(null=True)
    procedure_late = models.FloatField(null=True)
    reasons = models.JSONField(default=list)  # codes, the weightiest first

    class Meta:
        db_table = "warning_warned"
        constraints = [models.UniqueConstraint(fields=["scan", "dossier"], name="warning_once_a_scan")]
        indexes = [
            models.Index(fields=["scan", "helped_until", "dossier"], name="warning_by_help"),
            models.Index(fields=["scan", "agency", "helped_until", "dossier"], name="warning_of_agency"),
        ]
