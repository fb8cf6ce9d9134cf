"""A delivery is one event of our desk on its way to the national portal."""

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
    request = models.TextField(default="", blank=True)
    reply = models.TextField(default="", blank=True)
    error = models.TextField(default="", blank=True)

    class Meta:
        db_table = "exchange_delivery"
        constraints = [models.UniqueConstraint(fields=["dossier", "seq"], name="exchange_delivery_once")]
        indexes = [
            models.Index(fields=["next_at", "position"], name="exchange_waiting", condition=models.Q(state="waiting")),
        ]
