"""A delivery is one event of our desk on its way to the national portal; beside it what the portal has acknowledged
of each dossier, and whether the portal answers at all."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Delivery(models.Model):
    """What became of one event's message: waiting, delivered, refused (dead letter) or unmapped."""

    class State(models.TextChoices):
        WAITING = "waiting", "Đang chờ"
        DELIVERED = "delivered", "Đã nhận"
        DEAD = "dead", "Bản tin lỗi"
        UNMAPPED = "unmapped", "Chưa ánh xạ"

    position = models.BigIntegerField(primary_key=True)  # of the event
    dossier = models.CharField(max_length=200)
    seq = models.IntegerField()
    kind = models.CharField(max_length=32)
    status = models.SmallIntegerField(null=True)  # the national status that it carries
    at = InstantField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    record_done = models.BooleanField(default=False)  # the dossier message was acknowledged; the step is next
    attempts = models.IntegerField(default=0)
    next_at = InstantField(null=True)
    sent_at = InstantField(null=True)
    done_at = InstantField(null=True)
    request = models.TextField(default="", blank=True)  # of a dead letter only: it holds personal data
    reply = models.TextField(default="", blank=True)
    error = models.TextField(default="", blank=True)

    class Meta:
        db_table = "exchange_delivery"
        constraints = [models.UniqueConstraint(fields=["dossier", "seq"], name="exchange_delivery_once")]
        indexes = [
            models.Index(fields=["next_at", "position"], name="exchange_waiting", condition=models.Q(state="waiting")),
        ]


class Standing(models.Model):
    """What the portal has acknowledged of a dossier: its newest record, by the event whose record it was."""

    dossier = models.CharField(max_length=200, primary_key=True)
    seq = models.IntegerField()
    status = models.SmallIntegerField()
    due_at = InstantField(null=True)

    class Meta:
        db_table = "exchange_standing"


class Endpoint(models.Model):
    """Whether an address answers: the circuit breaker that every process of ours sees.

    Closed: `retry_at` is empty. Open: nothing is sent before `retry_at`. Half open: one probe is under way, until
    `probe_until`, after which its sender counts as dead and another may try.
    """

    url = models.CharField(max_length=500, primary_key=True)
    failures = models.IntegerField(default=0)  # in a row, each of another dossier or without a connection
    suspect = models.CharField(max_length=200, default="", blank=True)  # the dossier that failed last
    openings = models.IntegerField(default=0)  # since it last answered: the pauses grow with it
    retry_at = InstantField(null=True)
    probe_until = InstantField(null=True)
    answered_at = InstantField(null=True)
    message_us = models.BigIntegerField(default=0)  # how long a message takes, averaged
    error = models.TextField(default="", blank=True)

    class Meta:
        db_table = "exchange_endpoint"


class Incoming(models.Model):
    """A message that the national portal sent us: raw, as it came, and what became of it."""

    class State(models.TextChoices):
        NEW = "new", "Mới đến"  # kept, not yet read: we were killed in between, or are just now at it
        TAKEN = "taken", "Đã nhận"  # became a dossier
        LINKED = "linked", "Đã gắn với hồ sơ"
        WAITING = "waiting", "Chờ hồ sơ"
        DUPLICATE = "duplicate", "Trùng"
        REFUSED = "refused", "Từ chối"

    received_at = InstantField()
    door = models.CharField(max_length=32)
    service = models.CharField(max_length=64, default="", blank=True)
    code = models.CharField(max_length=200, default="", blank=True, db_index=True)  # the portal's, of the dossier
    body = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    reply = models.TextField(default="", blank=True)
    linked_at = InstantField(null=True)

    class Meta:
        db_table = "exchange_incoming"
        indexes = [
            models.Index(fields=["code"], name="exchange_waits_for", condition=models.Q(state="waiting")),
        ]
