"""What people are told: notices, whom they were sent to and how that went, what somebody does not want to hear."""

from __future__ import annotations

from django.db import models

from motcua.ledger.fields import InstantField


class Notice(models.Model):
    """One thing that one person is told once: a digest of a day, a task that is late, an alert that lasts."""

    class Kind(models.TextChoices):
        MORNING = "morning", "Việc hôm nay của đơn vị"
        EVENING = "evening", "Trước khi về"
        WEEK = "week", "Tuần qua"
        TASK_GIVEN = "task_given", "Nhiệm vụ mới"
        TASK_LATE = "task_late", "Nhiệm vụ quá hạn"
        EXPLAIN = "explain", "Yêu cầu giải trình"
        EXPLAIN_SOON = "explain_soon", "Giải trình sắp đến hạn"
        EXPLAIN_LATE = "explain_late", "Giải trình quá hạn"
        ANSWERED = "answered", "Đơn vị đã giải trình"
        DECIDED = "decided", "Đã kết luận"
        ROUND_ASKED = "round_asked", "Đợt kiểm tra hỏi"
        ROUND_SOON = "round_soon", "Đợt kiểm tra: sắp đến hạn trả lời"
        ROUND_LATE = "round_late", "Đợt kiểm tra: quá hạn trả lời"
        REMEDY = "remedy", "Kiến nghị kiểm tra"
        REMEDY_LATE = "remedy_late", "Kiến nghị quá hạn"
        ALERT = "alert", "Cảnh báo"

    person = models.CharField(max_length=150)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=200)  # what it is about: the same is told to a person once
    agency = models.CharField(max_length=64, default="", blank=True)
    body = models.JSONField()  # codes and facts; the doors give the words
    at = InstantField()
    muted = models.BooleanField(default=False)  # kept, not sent
    acknowledged_at = InstantField(null=True)
    acknowledged_by = models.CharField(max_length=150, default="", blank=True)
    handed_to = models.CharField(max_length=150, default="", blank=True)
    handed_at = InstantField(null=True)
    note = models.CharField(max_length=300, default="", blank=True)  # why it was handed over
    over_at = InstantField(null=True)  # what it tells of is over

    class Meta:
        db_table = "notices_notice"
        constraints = [
            models.UniqueConstraint(fields=["person", "kind", "key"], name="notices_told_once"),
            models.CheckConstraint(
                condition=models.Q(acknowledged_at__isnull=True, acknowledged_by="")
                | models.Q(acknowledged_at__isnull=False) & ~models.Q(acknowledged_by=""),
                name="notices_acknowledged_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-at"], name="notices_of_person"),
            models.Index(fields=["kind", "key"], condition=models.Q(over_at=None), name="notices_lasting"),
        ]


class Mute(models.Model):
    """What a person does not want to be sent, why, and until when."""

    person = models.CharField(max_length=150)
    kind = models.CharField(max_length=12, choices=Notice.Kind.choices)
    key = models.CharField(max_length=200, default="", blank=True)  # empty: the whole kind
    reason = models.CharField(max_length=300)
    at = InstantField()
    until = models.DateField()  # the last day
    lifted_at = InstantField(null=True)

    class Meta:
        db_table = "notices_mute"
        indexes = [models.Index(fields=["person", "kind"], name="notices_mutes_of_person")]


class Handover(models.Model):
    """A colleague reads a person's notices from a day to a day."""

    person = models.CharField(max_length=150)
    to = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    first_on = models.DateField()
    last_on = models.DateField()
    at = InstantField()
    lifted_at = InstantField(null=True)

    class Meta:
        db_table = "notices_handover"
        indexes = [models.Index(fields=["person"], name="notices_handovers_of_person")]


class Hook(models.Model):
    """An address of another system to which notices are sent, signed."""

    url = models.CharField(max_length=500)
    secret = models.CharField(max_length=100)
    kinds = models.JSONField(default=list)  # empty: all
    on = models.BooleanField(default=True)
    made_at = InstantField()
    made_by = models.CharField(max_length=150)

    class Meta:
        db_table = "notices_hook"


class Sending(models.Model):
    """A notice, or a person's link to come in, on its way to an address: tried, sent, or given up."""

    class Channel(models.TextChoices):
        MAIL = "mail", "Thư điện tử"
        HOOK = "hook", "Webhook"

    class State(models.TextChoices):
        WAITING = "waiting", "Đang chờ"
        SENT = "sent", "Đã gửi"
        FAILED = "failed", "Không gửi được"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="sendings", null=True)
    #: Who is invited; the code is made when the letter goes out, so that none lies here.
    invites = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="letters", null=True)
    facts = models.JSONField(default=dict)  # of an invitation: by whom, and the address of the house
    channel = models.CharField(max_length=4, choices=Channel.choices)
    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, null=True)
    address = models.CharField(max_length=500)
    once = models.CharField(max_length=700, unique=True)  # channel, address and what it is about: sent once
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    next_at = InstantField()
    sent_at = InstantField(null=True)
    error = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        db_table = "notices_sending"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(notice__isnull=False, invites__isnull=True)
                | models.Q(notice__isnull=True, invites__isnull=False),
                name="notices_sending_of_one_thing",
            )
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(state="waiting"), name="notices_waiting"),
            models.Index(fields=["state"], condition=models.Q(state="failed"), name="notices_failed"),
        ]
