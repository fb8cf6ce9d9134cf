"""What we hold of each payment, what the gateway said of it, and the raw messages behind both. Money is whole đồng."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Payment(models.Model):
    """A payment of a dossier, as the one-stop system records it."""

    class Channel(models.TextChoices):
        PORTAL = "portal", "Cổng thanh toán quốc gia"
        PROVINCE = "province", "Cổng thanh toán của tỉnh"
        DESK = "desk", "Tại quầy"

    class State(models.TextChoices):
        STARTED = "started", "Chưa thanh toán"
        PAID = "paid", "Đã thanh toán"
        FAILED = "failed", "Không thành công"

    reference = models.CharField(max_length=64, primary_key=True)  # MaThamChieu
    dossier = models.CharField(max_length=200, db_index=True)
    duty = models.CharField(max_length=100, default="", blank=True)  # what is paid for; a duty is paid once
    amount = models.BigIntegerField()
    channel = models.CharField(max_length=10, choices=Channel.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.STARTED)
    fees = models.JSONField(default=list)  # PhiLePhi[] as sent
    started_at = InstantField(null=True)
    paid_at = InstantField(null=True)  # as the gateway states it
    known_at = InstantField(null=True)  # when we learnt of it
    asked_at = InstantField(null=True)  # when the gateway was last asked
    transaction = models.CharField(max_length=64, default="", blank=True)  # MaGiaoDich
    bank = models.CharField(max_length=64, default="", blank=True)
    bill_url = models.CharField(max_length=500, default="", blank=True)
    flag = models.CharField(max_length=16, default="", blank=True)  # clock_12h

    class Meta:
        db_table = "payments_payment"
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payments_amount_is_positive"),
            models.CheckConstraint(
                condition=models.Q(state="paid", paid_at__isnull=False) | ~models.Q(state="paid"),
                name="payments_paid_when",
            ),
        ]
        indexes = [models.Index(fields=["paid_at"], name="payments_by_day")]


class GatewayCopy(models.Model):
    """A payment as the gateway stated it: in a confirmation, an answer to a query, or its own list."""

    reference = models.CharField(max_length=64)
    transaction = models.CharField(max_length=64, default="", blank=True)
    amount = models.BigIntegerField()
    dossier = models.CharField(max_length=200, default="", blank=True)
    at = InstantField()
    known_at = InstantField()

    class Meta:
        db_table = "payments_gateway_copy"
        constraints = [models.UniqueConstraint(fields=["reference", "transaction"], name="payments_copy_once")]
        indexes = [models.Index(fields=["at"], name="payments_copies_by_day")]


class PaymentMessage(models.Model):
    """A raw message to or from the gateway, kept before anything is made of it."""

    at = InstantField()
    incoming = models.BooleanField()
    reference = models.CharField(max_length=64, default="", blank=True, db_index=True)
    body = models.BinaryField()
    reply = models.TextField(default="", blank=True)

    class Meta:
        db_table = "payments_message"
