"""The portal's side. `held`: what our server stores as stand-in or collector. `seen`: what TraCuuHoSo returned."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Message(models.Model):
    """A raw message as it came, before anything was made of it, and the reply it got."""

    received_at = InstantField(db_index=True)
    sender = models.CharField(max_length=64, default="", blank=True)
    service = models.CharField(max_length=64, default="", blank=True)
    body = models.BinaryField()
    reply = models.TextField(default="", blank=True)
    error_code = models.IntegerField(null=True)
    address = models.CharField(max_length=500, default="", db_default="", blank=True)  # path and query
    http = models.SmallIntegerField(null=True)  # what the sender was answered with; empty: loaded, or killed in between
    forwarded_to = models.CharField(max_length=300, default="", db_default="", blank=True)  # by the tee
    forward_http = models.SmallIntegerField(null=True)  # the real portal's; empty: it was silent
    forward_us = models.BigIntegerField(null=True)  # how long it took, in microseconds
    unread = models.BooleanField(default=False, db_default=False)  # kept by the tee, and nothing made of it yet

    class Meta:
        db_table = "mirror_message"
        indexes = [
            models.Index(fields=["id"], name="mirror_message_unread", condition=models.Q(unread=True)),
            models.Index(fields=["sender", "received_at"], name="mirror_message_by_sender"),
            models.Index(
                fields=["received_at"], name="mirror_message_failed",
                condition=~models.Q(error_code=0) & models.Q(error_code__isnull=False),
            ),
        ]  # fmt: skip


class About(models.Model):
    """A dossier that a raw message is about: a message may be about many."""

    code = models.CharField(max_length=200)
    message = models.BigIntegerField()

    class Meta:
        db_table = "mirror_message_about"
        constraints = [models.UniqueConstraint(fields=["code", "message"], name="mirror_about_once")]
        indexes = [models.Index(fields=["message"], name="mirror_about_of")]


class Watch(models.Model):
    """A span in which the collector ran: from its start to its last sign of life."""

    since = InstantField()
    until = InstantField(db_index=True)

    class Meta:
        db_table = "mirror_watch"


class Session(models.Model):
    """A live session of a sender."""

    token = models.CharField(max_length=64, primary_key=True)
    username = models.CharField(max_length=100)
    expires_at = InstantField()

    class Meta:
        db_table = "mirror_session"


class Record(models.Model):
    """A copy of a dossier: the newest record message, its scalars that the verdict reads beside it."""

    side = models.CharField(max_length=4)  # held | seen
    code = models.CharField(max_length=200)
    procedure = models.CharField(max_length=64, default="", blank=True)
    unit = models.CharField(max_length=300, default="", blank=True)  # DonViXuLy, a name
    sender = models.CharField(max_length=64, default="", blank=True)  # madonvi
    owner = models.CharField(max_length=300, default="", blank=True)
    channel = models.CharField(max_length=2, default="", blank=True)
    status = models.CharField(max_length=4, default="", blank=True)
    submitted_at = InstantField(null=True)
    received_at = InstantField(null=True)
    due_at = InstantField(null=True)
    finished_at = InstantField(null=True)  # NgayKetThucXuLy: for people, not for the rule
    returned_at = InstantField(null=True)
    body = models.TextField()  # the record as JSON
    version = models.IntegerField(default=1)
    stored_at = InstantField()  # arrival (held) or seen_at (seen)
    message = models.BigIntegerField(default=0)

    class Meta:
        db_table = "mirror_record"
        constraints = [models.UniqueConstraint(fields=["side", "code"], name="mirror_record_once")]
        indexes = [
            models.Index(fields=["stored_at"], name="mirror_record_by_arrival"),
            models.Index(fields=["side", "message"], name="mirror_record_by_message"),
        ]


class RecordVersion(models.Model):
    """An earlier version of a held record, kept when an update replaced it."""

    code = models.CharField(max_length=200)
    version = models.IntegerField()
    body = models.TextField()
    stored_at = InstantField()
    message = models.BigIntegerField(default=0)

    class Meta:
        db_table = "mirror_record_version"
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="mirror_version_once")]


class Step(models.Model):
    """A row of the portal's step log (TienTrinh)."""

    side = models.CharField(max_length=4)
    code = models.CharField(max_length=200)
    status = models.CharField(max_length=4)
    at = InstantField(null=True)
    body = models.TextField()
    digest = models.BinaryField(max_length=16)
    stored_at = InstantField()
    message = models.BigIntegerField(default=0)

    class Meta:
        db_table = "mirror_step"
        constraints = [models.UniqueConstraint(fields=["side", "code", "digest"], name="mirror_step_once")]


class Refusal(models.Model):
    """An item that the server refused: kept raw, with the reason it gave."""

    code = models.CharField(max_length=200, default="", blank=True, db_index=True)
    service = models.CharField(max_length=64, default="", blank=True)
    status = models.CharField(max_length=4, default="", blank=True)
    at = InstantField(null=True)
    reason = models.TextField()
    body = models.TextField(default="", blank=True)
    stored_at = InstantField()
    message = models.BigIntegerField(default=0)

    class Meta:
        db_table = "mirror_refusal"


class Orphan(models.Model):
    """A step for a dossier that is not here yet: linked, and applied, when the dossier appears."""

    code = models.CharField(max_length=200, db_index=True)
    body = models.TextField()
    stored_at = InstantField()
    message = models.BigIntegerField(default=0)
    linked_at = InstantField(null=True)

    class Meta:
        db_table = "mirror_orphan"


class PortalProcedure(models.Model):
    """The portal's catalogue, as LayDanhSachTTHC and LayThuTuc answer it."""

    code = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=2000)
    body = models.TextField(default="{}")

    class Meta:
        db_table = "mirror_procedure"


class Entry(models.Model):
    """A row of a list of the portal other than dossiers: agencies, accounts, questions, answers, ratings, notices,
    dossiers filed on the portal. `kind` is the list, `code` its key there."""

    kind = models.CharField(max_length=64)
    code = models.CharField(max_length=300)
    body = models.TextField()
    sender = models.CharField(max_length=64, default="", blank=True)
    stored_at = InstantField(null=True)
    done_at = InstantField(null=True)  # of a dossier filed on the portal: acknowledged by the province
    message = models.BigIntegerField(default=0)

    class Meta:
        db_table = "mirror_entry"
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="mirror_entry_once")]


class Pulled(models.Model):
    """A row of the portal's catalogue as it was pulled, raw: a procedure, a field or an agency.

    `listed`: the row of the list; `body`: a procedure's whole, once asked for; `before`: the whole that it replaced.
    """

    class Kind(models.TextChoices):
        PROCEDURE = "procedure", "Thủ tục"
        FIELD = "field", "Lĩnh vực"
        AGENCY = "agency", "Cơ quan"
        ONLINE = "online", "Dịch vụ công trực tuyến"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    code = models.CharField(max_length=300)
    listed = models.TextField()
    listed_at = InstantField()
    gone_at = InstantField(null=True)  # first missed in the list
    body = models.TextField(default="", blank=True)
    pulled_at = InstantField(null=True)  # answered or not
    error = models.TextField(default="", blank=True)  # the portal's words instead of the whole
    before = models.TextField(default="", blank=True)
    changed_at = InstantField(null=True)

    class Meta:
        db_table = "mirror_pulled"
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="mirror_pulled_once")]
        indexes = [models.Index(fields=["kind", "pulled_at"], name="mirror_pulled_next")]
