"""What was ordered, how it goes by the data, and the papers that went out about it."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Directive(models.Model):
    """A task that the chairman gives, with a target that the data themselves can measure."""

    class State(models.TextChoices):
        OPEN = "open", "Đang thực hiện"
        DONE = "done", "Hoàn thành"
        CLOSED = "closed", "Kết thúc, chưa đạt"
        WITHDRAWN = "withdrawn", "Thu hồi"

    title = models.CharField(max_length=500)
    note = models.TextField(default="", blank=True)
    metric = models.CharField(max_length=24)  # one of `targets.METRICS`
    cause = models.CharField(max_length=32, default="", blank=True)  # of the bridge, where the metric counts one
    period = models.CharField(max_length=40, default="", blank=True)  # which dossiers; empty: all
    target = models.IntegerField()  # dossiers, or thousandths of a rate
    each = models.BooleanField(default=False)  # every unit is to reach the target, not the whole alone
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    given_at = InstantField()
    given_by = models.CharField(max_length=150)
    first_due_on = models.DateField()  # as given, before any extension
    met_since = models.DateField(null=True)  # the first of the days in a row on which the data say it is met
    escalated = models.SmallIntegerField(default=0)  # how many rungs of the ladder were told
    closed_at = InstantField(null=True)
    closed_by = models.CharField(max_length=150, default="", blank=True)  # empty: the data

    class Meta:
        db_table = "directives_directive"
        indexes = [models.Index(fields=["state", "due_on"], name="directives_by_state")]


class Part(models.Model):
    """A unit's part of a directive."""

    directive = models.ForeignKey(Directive, on_delete=models.CASCADE, related_name="parts")
    agency = models.CharField(max_length=64)
    seen_at = InstantField(null=True)
    seen_by = models.CharField(max_length=150, default="", blank=True)
    answer = models.TextField(default="", blank=True)  # what the unit says of it
    answered_at = InstantField(null=True)
    answered_by = models.CharField(max_length=150, default="", blank=True)

    class Meta:
        db_table = "directives_part"
        constraints = [models.UniqueConstraint(fields=["directive", "agency"], name="directives_part_once")]
        indexes = [models.Index(fields=["agency"], name="directives_part_by_agency")]


class Progress(models.Model):
    """What the data said on a day: the last look of that day, with the instant at which it can be computed again."""

    directive = models.ForeignKey(Directive, on_delete=models.CASCADE, related_name="progress")
    on = models.DateField()
    at = InstantField()
    value = models.IntegerField()
    out_of = models.IntegerField(null=True)  # of a rate: what it is out of
    parts = models.JSONField(default=dict)  # agency → [value, out of]; they sum to the whole

    class Meta:
        db_table = "directives_progress"
        constraints = [models.UniqueConstraint(fields=["directive", "on"], name="directives_progress_once_a_day")]


class Line(models.Model):
    """A line of a directive's history: who did what, or what the data said."""

    class Act(models.TextChoices):
        GIVEN = "given", "Giao nhiệm vụ"
        SEEN = "seen", "Đã nhận"
        ANSWERED = "answered", "Báo cáo của đơn vị"
        MET = "met", "Dữ liệu cho thấy đã đạt"
        SLIPPED = "slipped", "Dữ liệu cho thấy chưa đạt lại"
        EXTENDED = "extended", "Gia hạn"
        ESCALATED = "escalated", "Báo lên cấp trên"
        CLOSED = "closed", "Kết thúc"
        CLOSED_BY_DATA = "closed_by_data", "Kết thúc theo dữ liệu"
        REOPENED = "reopened", "Giao lại"
        WITHDRAWN = "withdrawn", "Thu hồi"
        VERIFIED = "verified", "Tính lại số liệu đã ghi"

    directive = models.ForeignKey(Directive, on_delete=models.CASCADE, related_name="lines")
    at = InstantField()
    actor = models.CharField(max_length=150, default="", blank=True)  # empty: the data
    act = models.CharField(max_length=16, choices=Act.choices)
    agency = models.CharField(max_length=64, default="", blank=True)
    note = models.TextField(default="", blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        db_table = "directives_line"


class Meeting(models.Model):
    """A meeting with the figures that lay on its table, so that the next one can be compared with it."""

    on = models.DateField()
    period = models.CharField(max_length=40, default="", blank=True)
    as_of = InstantField()
    figures = models.JSONField()  # measure → the bridge by agency
    kept_at = InstantField()
    kept_by = models.CharField(max_length=150)

    class Meta:
        db_table = "directives_meeting"
        constraints = [models.UniqueConstraint(fields=["on", "period"], name="directives_meeting_once")]


class DayFigures(models.Model):
    """The figures of a day, the last look of it: so that a leader sees where they come from without computing it."""

    on = models.DateField(primary_key=True)
    at = InstantField()
    figures = models.JSONField()  # as `Meeting.figures`, without the units: those are `UnitDay`
    filled = models.BooleanField(default=False)  # computed afterwards, from what was known then of the day's end

    class Meta:
        db_table = "directives_day_figures"


class UnitDay(models.Model):
    """The late dossiers of a unit on a day by a measure, on each side: a row each, so that a trend is one question."""

    on = models.DateField()
    measure = models.CharField(max_length=10)  # one of `meetings.MEASURES`
    agency = models.CharField(max_length=64)
    population = models.IntegerField()
    late_shown = models.IntegerField()
    late_recorded = models.IntegerField()
    late_true = models.IntegerField()

    class Meta:
        db_table = "directives_unit_day"
        constraints = [models.UniqueConstraint(fields=["agency", "measure", "on"], name="directives_unit_day_once")]
        indexes = [models.Index(fields=["on"], name="directives_unit_day_by_day")]


class KeptPaper(models.Model):
    """A draft that went out: what it said, and its number, day and signer as the document system gave them."""

    form = models.CharField(max_length=24)
    title = models.CharField(max_length=500)
    agencies = models.JSONField(default=list)  # to whom; empty: the province
    dossiers = models.IntegerField(default=0)
    period = models.CharField(max_length=40, default="", blank=True)
    due_on = models.DateField(null=True)  # until when an answer is asked
    directive = models.ForeignKey(Directive, on_delete=models.SET_NULL, null=True, related_name="papers")
    #: The request for explanations that it asks in writing.
    request = models.ForeignKey("findings.Request", on_delete=models.SET_NULL, null=True, related_name="papers")
    code = models.CharField(max_length=20)  # the check code of its figures
    drafted_at = InstantField()
    drafted_by = models.CharField(max_length=150)
    number = models.CharField(max_length=60, default="", blank=True)
    signed_on = models.DateField(null=True)
    signer = models.CharField(max_length=200, default="", blank=True)
    typed_at = InstantField(null=True)
    typed_by = models.CharField(max_length=150, default="", blank=True)

    class Meta:
        db_table = "directives_kept_paper"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(typed_at__isnull=True, typed_by="", number="", signed_on__isnull=True)
                | models.Q(typed_at__isnull=False, signed_on__isnull=False)
                & ~models.Q(typed_by="")
                & ~models.Q(number=""),
                name="directives_number_and_day_together",
            )
        ]


class KeptFile(models.Model):
    """A file of a kept paper: Word, PDF, or the Excel of its annex."""

    paper = models.ForeignKey(KeptPaper, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=4)  # docx | pdf | xlsx
    content = models.BinaryField()

    class Meta:
        db_table = "directives_kept_file"
        constraints = [models.UniqueConstraint(fields=["paper", "kind"], name="directives_kept_file_once")]
