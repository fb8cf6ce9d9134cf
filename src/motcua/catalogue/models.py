"""Reference tables, keyed by the codes that everybody uses."""

from __future__ import annotations

from django.db import models


class Calendar(models.Model):
    """A named working calendar; `vn` is built in, an agency may define its own on top of it."""

    name = models.CharField(max_length=64, primary_key=True)
    title = models.CharField(max_length=200, default="", blank=True)
    base = models.CharField(max_length=64, default="vn", blank=True)

    class Meta:
        db_table = "catalogue_calendar"


class CalendarHours(models.Model):
    """Office hours of a weekday from a day on (`hours` like "07:00-11:30 13:30-17:00", empty: closed)."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE)
    weekday = models.SmallIntegerField()  # Monday is 0
    hours = models.CharField(max_length=100, blank=True, default="")
    desk_only = models.BooleanField(default=False)  # the desk receives, the clock stands
    valid_from = models.DateField()
    known_on = models.DateField()
    document = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        db_table = "catalogue_calendar_hours"
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "weekday", "valid_from", "known_on"], name="catalogue_hours_once"
            )
        ]


class CalendarDay(models.Model):
    """One day that differs from its weekday: a holiday, a swap, a make-up day, a half day."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE)
    day = models.DateField()
    hours = models.CharField(max_length=100, blank=True, default="")  # empty: closed; "full": a full working day
    title = models.CharField(max_length=200, default="", blank=True)
    known_on = models.DateField()
    document = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        db_table = "catalogue_calendar_day"
        constraints = [
            models.UniqueConstraint(fields=["calendar", "day", "known_on"], name="catalogue_calendar_day_once")
        ]


class Agency(models.Model):
    """An agency or unit: its code, its names there and here, its calendar, from when to when it existed."""

    code = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=300)
    folded = models.CharField(max_length=300, default="", blank=True, db_index=True)
    level = models.CharField(max_length=16, default="", blank=True)  # province | department | commune
    parent = models.CharField(max_length=64, default="", blank=True)
    calendar = models.CharField(max_length=64, default="vn")
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    successor = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        db_table = "catalogue_agency"


class AgencyName(models.Model):
    """The unit map: a name or code under which another system knows an agency."""

    name = models.CharField(max_length=300, primary_key=True)  # folded
    agency = models.ForeignKey(Agency, on_delete=models.CASCADE)

    class Meta:
        db_table = "catalogue_agency_name"


class Field(models.Model):
    """A field of procedures (lĩnh vực)."""

    code = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=300)

    class Meta:
        db_table = "catalogue_field"


class Procedure(models.Model):
    """An administrative procedure with what its clock needs."""

    code = models.CharField(max_length=64, primary_key=True)
    core = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=2000)
    folded = models.CharField(max_length=2000, default="", blank=True)
    field = models.CharField(max_length=64, default="", blank=True)
    level = models.CharField(max_length=64, default="", blank=True)
    allotted = models.CharField(max_length=16, default="", blank=True)  # the published time limit
    mode = models.CharField(max_length=16, default="keep-clock")
    cutoff = models.CharField(max_length=5, default="", blank=True)  # "15:00"
    payment_pauses = models.BooleanField(default=False)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        db_table = "catalogue_procedure"


class ProcessStep(models.Model):
    """A step of a procedure's internal process: its order, name, role and own time limit."""

    procedure = models.ForeignKey(Procedure, on_delete=models.CASCADE)
    order = models.SmallIntegerField()
    name = models.CharField(max_length=500)
    role = models.CharField(max_length=200, default="", blank=True)
    allotted = models.CharField(max_length=16, default="", blank=True)

    class Meta:
        db_table = "catalogue_process_step"
        constraints = [models.UniqueConstraint(fields=["procedure", "order"], name="catalogue_step_once")]


class Setting(models.Model):
    """A setting that is changed while the house runs. Written by `settings.put` alone."""

    name = models.CharField(max_length=64, primary_key=True)
    value = models.JSONField()

    class Meta:
        db_table = "catalogue_setting"
