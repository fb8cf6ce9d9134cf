"""What oversight keeps beside the facts (rounds, findings and explanations will live here)."""

from __future__ import annotations

from datetime import datetime

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


class PublishedList(models.Model):
    """A list in which the national portal, or a letter that quotes it, states its own verdicts."""

    class Measure(models.TextChoices):
        ALL = "all", "Quá hạn và trễ hạn"
        OPEN = "open", "Đang xử lý quá hạn"
        FINISHED = "finished", "Đã giải quyết trễ hạn"
        RECEPTION = "reception", "Chậm tiếp nhận"

    document = models.CharField(max_length=200, default="", blank=True)  # number of the letter, or what the file is
    dated_at = InstantField()  # the instant as of which it speaks
    unit = models.CharField(max_length=64, default="", blank=True)  # an agency that it is about; empty: the province
    measure = models.CharField(max_length=10, choices=Measure.choices, default=Measure.ALL)
    stated_count = models.IntegerField(null=True)  # the number that the letter prints
    source = models.CharField(max_length=100, default="", blank=True)
    file = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    stored_at = InstantField()
    withdrawn_at = InstantField(null=True)

    class Meta:
        db_table = "oversight_published_list"
        constraints = [
            models.UniqueConstraint(
                fields=["digest", "measure", "unit", "dated_at"],
                condition=models.Q(withdrawn_at=None),
                name="oversight_list_once",
            )
        ]

    @property
    def speaks_from(self) -> datetime:
        """Since when it counts: the end of its day, or its coming in where that day was not over."""
        first: datetime = min(self.dated_at, self.stored_at)
        return first


class PublishedRow(models.Model):
    """One dossier of a published list, with what the list says of it."""

    list = models.ForeignKey(PublishedList, on_delete=models.CASCADE, related_name="rows")
    row = models.IntegerField()  # line of the file
    code = models.CharField(max_length=200, db_index=True)
    late = models.BooleanField()
    received_at = InstantField(null=True)
    due_at = InstantField(null=True)
    finished_at = InstantField(null=True)
    unit = models.CharField(max_length=300, default="", blank=True)
    raw = models.TextField()  # the row as it came, as JSON

    class Meta:
        db_table = "oversight_published_row"
        constraints = [models.UniqueConstraint(fields=["list", "code"], name="oversight_list_names_a_dossier_once")]


class PastedList(models.Model):
    """Codes that somebody pasted: kept under a short name, since an address cannot hold thousands."""

    name = models.CharField(max_length=16, primary_key=True)
    by = models.CharField(max_length=150)
    at = InstantField()
    text = models.TextField()

    class Meta:
        db_table = "oversight_pasted_list"


class CheckValue(models.Model):
    """What a province set a check's parameter to, from when on; rows are only added, the newest setting counts.

    None gives the parameter back to the law's value or ours.
    """

    check_code = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    value = models.JSONField(null=True)  # a whole number, a share or a text
    valid_from = InstantField()
    set_at = InstantField()
    by = models.CharField(max_length=150)
    note = models.CharField(max_length=500)

    class Meta:
        db_table = "oversight_check_value"
        indexes = [models.Index(fields=["check_code", "name"], name="oversight_value_of")]


class MachineAccount(models.Model):
    """An account that a machine acts by: checks of people's habits leave it out, for as long as it is one."""

    account = models.CharField(max_length=200, unique=True)  # as acts name it
    valid_from = InstantField(null=True)
    valid_to = InstantField(null=True)
    note = models.CharField(max_length=500)
    by = models.CharField(max_length=150)
    set_at = InstantField()

    class Meta:
        db_table = "oversight_machine_account"


class Outage(models.Model):
    """A span in which a system was down, by a recorded decision: what could not be entered or sent is no fault."""

    class What(models.TextChoices):
        SOFTWARE = "software", "Phần mềm một cửa"
        PORTAL = "portal", "Cổng Dịch vụ công quốc gia"

    what = models.CharField(max_length=10, choices=What.choices)
    agency = models.CharField(max_length=64, default="", blank=True)  # empty: the whole province
    from_at = InstantField()
    to_at = InstantField()
    caught_up_at = InstantField()  # until when what was left undone was allowed to be entered
    document = models.CharField(max_length=200)  # number and date of the decision
    note = models.CharField(max_length=500, default="", blank=True)
    by = models.CharField(max_length=150)
    set_at = InstantField()
    withdrawn_at = InstantField(null=True)
    withdrawn_by = models.CharField(max_length=150, default="", blank=True)

    class Meta:
        db_table = "oversight_outage"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(from_at__lt=models.F("to_at"), to_at__lte=models.F("caught_up_at")),
                name="oversight_outage_ends_after_it_begins",
            )
        ]


class Petition(models.Model):
    """Phản ánh, kiến nghị: one as a list of another system stated it; of its rows the newest in force counts."""

    code = models.CharField(max_length=100)
    agency = models.CharField(max_length=64, db_index=True)
    received_at = InstantField()
    refused_at = InstantField(null=True)
    asked_at = InstantField(null=True)  # more was asked of the person
    answered_at = InstantField(null=True)
    published_at = InstantField(null=True)
    transferred_at = InstantField(null=True)  # to another agency, whose it is from then on
    file = models.CharField(max_length=255)
    stored_at = InstantField()  # one instant for all rows of a list
    withdrawn_at = InstantField(null=True)

    class Meta:
        db_table = "oversight_petition"
        constraints = [models.UniqueConstraint(fields=["code", "stored_at"], name="oversight_petition_once_in_a_list")]
