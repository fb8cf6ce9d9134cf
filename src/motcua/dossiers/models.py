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


class SourceMap(models.Model):
    """How the lists of a source are read, as a person confirmed it last: remembered for the next list."""

    source = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=16)
    columns = models.JSONField(default=dict)  # field → heading, folded
    values = models.JSONField(default=dict)  # field → word of the list → what it means

    class Meta:
        db_table = "dossiers_source_map"
        constraints = [models.UniqueConstraint(fields=["source", "kind"], name="dossiers_one_map_a_source")]


class Load(models.Model):
    """A list that a person gave, from the first look at it to its end; the file lies in `loads/<id>` of the home."""

    class State(models.TextChoices):
        RECEIVED = "received", "Chờ đọc tệp"
        LOOKED = "looked", "Chờ xác nhận cột"
        CHECKING = "checking", "Đang kiểm tra"
        CHECKED = "checked", "Chờ xác nhận nạp"
        LOADING = "loading", "Đang nạp"
        DONE = "done", "Đã nạp"
        WITHDRAWING = "withdrawing", "Đang thu hồi"
        WITHDRAWN = "withdrawn", "Đã thu hồi"
        FAILED = "failed", "Không đọc được"

    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    file = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    size = models.BigIntegerField(default=0)
    source = models.CharField(max_length=64, default="", blank=True)
    kind = models.CharField(max_length=16, default="", blank=True)
    headings = models.JSONField(default=list)
    start = models.IntegerField(default=0)  # rows above the data
    columns = models.JSONField(default=dict)  # field → number of the column
    values = models.JSONField(default=dict)  # field → word → what it means
    units = models.JSONField(default=dict)  # name of a unit → agency's code
    words = models.JSONField(default=dict)  # field → word of the file → how often
    head = models.JSONField(default=dict)  # of a published list: document, dated_at, measure, unit, stated_count
    by = models.CharField(max_length=150)
    received_at = InstantField()
    rows = models.BigIntegerField(default=0)
    taken = models.BigIntegerField(default=0)
    repeated = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    progress = models.BigIntegerField(default=0)  # rows of the phase in hand
    stored_at = InstantField(null=True, unique=True)  # of every event of this load: it is known by it in the log
    finished_at = InstantField(null=True)
    dossiers = models.BigIntegerField(default=0)  # new ones
    events = models.BigIntegerField(default=0)
    published_list = models.BigIntegerField(null=True)
    withdrawn_at = InstantField(null=True)
    withdrawn_by = models.CharField(max_length=150, default="", blank=True)
    error = models.TextField(default="", blank=True)
    holder = models.CharField(max_length=64, default="", blank=True)
    leased_until = InstantField(null=True)

    class Meta:
        db_table = "dossiers_load"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True, withdrawn_by="")
                | models.Q(withdrawn_at__isnull=False) & ~models.Q(withdrawn_by=""),
                name="dossiers_load_withdrawn_by_somebody",
            )
        ]


#: Loads that are neither in nor out: the facts wait for them.
HALF_DONE = (Load.State.LOADING, Load.State.WITHDRAWING)
