"""Findings, their acts, the requests that ask for an explanation, what is handed in, and the scans that saw them.

A finding's row is a projection of its acts (`inspection.life`), written together with them and equal to the replay.
Acts are only ever added; the database refuses the rest.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from motcua.inspection.life import OPEN, Outcome, State
from motcua.ledger.fields import InstantField

_OPEN = sorted(str(state) for state in OPEN)


class Request(models.Model):
    """Yêu cầu giải trình: findings of one agency that were sent to it together, with one answer date to begin with."""

    agency = models.CharField(max_length=64, db_index=True)
    sent_at = InstantField()
    sent_by = models.CharField(max_length=150)
    due_at = InstantField()
    note = models.TextField(default="", blank=True)
    number = models.CharField(max_length=100, default="", blank=True)  # of the letter, typed back when it is signed
    dated_on = models.DateField(null=True)

    class Meta:
        db_table = "findings_request"


class Finding(models.Model):
    """One sign that a check saw of one subject, from the first scan that saw it to its end. There is one row a sign
    for ever: what closes is reopened with its history."""

    check_code = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, default="dossier")  # dossier | unit | official | procedure
    agency = models.CharField(max_length=64, default="", blank=True)
    unit = models.CharField(max_length=300, default="", blank=True)
    severity = models.CharField(max_length=1, default="C")
    leg = models.CharField(max_length=8, default="", blank=True)
    confidence = models.FloatField(default=1.0)
    came_at = InstantField(null=True)  # when what the check sees came to be
    evidence = models.JSONField(default=dict)  # the newest; each change is an act
    parameters = models.JSONField(default=dict)  # of the check, with which the sign was seen last
    digest = models.CharField(max_length=32)  # of the evidence and of the province's own parameters
    stake_minutes = models.IntegerField(default=0)
    rank = models.IntegerField(default=0)
    opened_at = InstantField()
    round = models.BigIntegerField(null=True)  # the round that gathered it
    request = models.ForeignKey(Request, null=True, on_delete=models.PROTECT, related_name="findings")
    # what follows is the projection of the acts
    state = models.CharField(max_length=12, choices=[(str(s), str(s)) for s in State], default="new")
    seq = models.IntegerField(default=0)
    inspector = models.CharField(max_length=150, default="", blank=True)
    officer = models.CharField(max_length=150, default="", blank=True)
    due_at = InstantField(null=True)
    asked = models.SmallIntegerField(default=0)
    extension_to = InstantField(null=True)
    answer = models.JSONField(default=dict)
    outcome = models.CharField(max_length=12, default="", blank=True, choices=[(str(o), str(o)) for o in Outcome])
    remedy_due_at = InstantField(null=True)
    remedied_at = InstantField(null=True)
    concluded_at = InstantField(null=True)
    closed_at = InstantField(null=True)
    closed_by_data = models.BooleanField(default=False)
    reopened = models.SmallIntegerField(default=0)
    last_at = InstantField()

    class Meta:
        db_table = "findings_finding"
        constraints = [models.UniqueConstraint(fields=["check_code", "subject"], name="findings_a_sign_once")]
        indexes = [
            models.Index(fields=["state", "agency", "check_code"], name="findings_by_state"),
            models.Index(fields=["agency", "state"], name="findings_by_agency"),
            models.Index(fields=["check_code", "outcome"], name="findings_by_check"),
            models.Index(fields=["subject"], name="findings_of_subject"),
            models.Index(fields=["inspector", "state", "-rank"], name="findings_of_inspector"),
            models.Index(fields=["-rank", "id"], condition=Q(state__in=_OPEN), name="findings_ranked"),
            models.Index(fields=["due_at"], condition=Q(state__in=_OPEN), name="findings_by_due"),
            models.Index(fields=["round"], condition=Q(round__isnull=False), name="findings_of_round"),
        ]


class Act(models.Model):
    """One thing that happened to a finding: who, in which post, when, what. Rows are only ever added."""

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="acts")
    seq = models.IntegerField()
    kind = models.CharField(max_length=24)
    at = InstantField()
    actor = models.CharField(max_length=150, default="", blank=True)
    role = models.CharField(max_length=16)
    agency = models.CharField(max_length=64, default="", blank=True)  # in which the post is held
    body = models.JSONField(default=dict)

    class Meta:
        db_table = "findings_act"
        constraints = [models.UniqueConstraint(fields=["finding", "seq"], name="findings_act_once")]
        indexes = [models.Index(fields=["actor", "at"], name="findings_acts_of_person")]


class Attachment(models.Model):
    """A file that was handed in with an explanation; its bytes lie under their digest in `files` of the home."""

    class Standing(models.TextChoices):
        FIXES = "fixes", "Xác định thời điểm"
        BOUNDS = "bounds", "Chứng minh đã xong trước đó"
        CLAIM = "claim", "Chờ xác minh"
        NONE = "none", "Không dùng làm chứng cứ thời gian"
        REJECTED = "rejected", "Không chấp nhận"

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="attachments")
    digest = models.CharField(max_length=64, db_index=True, default="", blank=True)  # empty: a number and date alone
    name = models.CharField(max_length=255, default="", blank=True)
    size = models.BigIntegerField(default=0)
    media = models.CharField(max_length=100, default="", blank=True)
    number = models.CharField(max_length=100, default="", blank=True)
    dated_on = models.DateField(null=True)
    at = InstantField()
    by = models.CharField(max_length=150)
    standing = models.CharField(max_length=10, choices=Standing.choices, default=Standing.NONE)
    evidence_at = InstantField(null=True)
    looked = models.CharField(max_length=40, default="", blank=True)  # what the look at its signature found: a code
    facts = models.JSONField(default=dict)
    event_seq = models.IntegerField(null=True)  # of the dossier's event that it became
    decided_by = models.CharField(max_length=150, default="", blank=True)
    decided_at = InstantField(null=True)

    class Meta:
        db_table = "findings_attachment"
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by="") | Q(decided_at__isnull=False) & ~Q(decided_by=""),
                name="findings_attachment_decided_by_somebody",
            )
        ]


class Scan(models.Model):
    """One run over the facts: what each check looked at and saw. Without one, zero findings is not a figure."""

    at = InstantField()
    as_of = InstantField()
    facts_at = InstantField()  # the age of what it read
    generation = models.BigIntegerField(default=0)
    formula = models.CharField(max_length=200, default="", blank=True)
    signs = models.BigIntegerField(default=0)
    opened = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    closed = models.BigIntegerField(default=0)
    reopened = models.BigIntegerField(default=0)
    checks = models.JSONField(default=dict)  # code → looked_at, signs, missing {fact: count}

    class Meta:
        db_table = "findings_scan"


class CheckMode(models.Model):
    """A check that only watches: by the rule of measured precision, or because a person chose so."""

    check_code = models.CharField(max_length=64, primary_key=True)
    mode = models.CharField(max_length=8, default="active")
    by_rule = models.BooleanField(default=True)
    since = InstantField()
    by = models.CharField(max_length=150, default="", blank=True)
    note = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        db_table = "findings_check_mode"


class SavedFilter(models.Model):
    """Conditions of the list of findings under a name."""

    owner = models.CharField(max_length=150)
    name = models.CharField(max_length=80)
    query = models.JSONField(default=dict)
    unit = models.CharField(max_length=64, null=True)  # shared with; empty: the office of the province; None: nobody
    saved_at = InstantField()

    class Meta:
        db_table = "findings_saved_filter"
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="findings_filter_once")]
        indexes = [models.Index(fields=["unit"], name="findings_filters_of_unit")]
