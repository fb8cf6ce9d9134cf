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
            models.Index(fields=["state", "done_at"], name="exchange_by_state"),
            models.Index(fields=["sent_at"], name="exchange_by_sending"),  # the extract asks what is new
            models.Index(fields=["done_at"], name="exchange_by_answer"),
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


class Looked(models.Model):
    """When a dossier was last looked up on the portal, and what decides when it is looked up next."""

    dossier = models.CharField(max_length=200, primary_key=True)
    asked_at = InstantField(null=True, db_index=True)  # answered or not
    seen_at = InstantField(null=True)  # answered
    equal_at = InstantField(null=True)  # last found equal
    changed_at = InstantField(null=True)  # its newest event came, or the portal's list showed a change
    fresh = models.BooleanField(default=True)  # changed since it was last seen
    differs = models.BooleanField(default=False)
    ended = models.BooleanField(default=False)  # here
    here = models.BooleanField(default=True)  # False: only the portal has it
    due_at = InstantField(null=True)  # of one that is open here
    listed = models.CharField(max_length=64, default="", blank=True)  # what the portal's list said of it
    listed_at = InstantField(null=True)
    seq = models.IntegerField(default=0)  # our newest event when it was last seen
    repairs = models.SmallIntegerField(default=0)  # since it was last equal

    class Meta:
        db_table = "exchange_looked"
        indexes = [
            models.Index(fields=["changed_at"], name="exchange_looked_fresh", condition=models.Q(fresh=True)),
            models.Index(
                fields=["due_at"], name="exchange_looked_due", condition=models.Q(due_at__isnull=False, ended=False)
            ),
            models.Index(fields=["asked_at"], name="exchange_looked_differs", condition=models.Q(differs=True)),
            models.Index(fields=["ended", "asked_at"], name="exchange_looked_round"),
        ]


class Difference(models.Model):
    """One fact of a dossier that the portal shows otherwise than we hold it, from when to when."""

    class Why(models.TextChoices):
        ON_THE_WAY = "on_the_way", "Chưa gửi"
        REFUSED = "refused", "Cổng từ chối"
        UNMAPPED = "unmapped", "Chưa ánh xạ trạng thái"
        NOT_SHOWN = "not_shown", "Cổng đã nhận nhưng không hiện"
        CHANGED_THERE = "changed_there", "Thay đổi phía Cổng"
        NEVER_SENT = "never_sent", "Chưa từng gửi"
        OTHER_SENDER = "other_sender", "Phần mềm khác gửi"

    class Act(models.TextChoices):
        RESEND = "resend", "Gửi lại"
        WAIT = "wait", "Chờ gửi"
        REPLAY = "replay", "Sửa rồi gửi lại bản tin lỗi"
        MAP_STATUS = "map_status", "Sửa ánh xạ trạng thái"
        ASK_PORTAL = "ask_portal", "Hỏi đơn vị vận hành Cổng"
        TELL_SENDER = "tell_sender", "Báo đơn vị cung cấp phần mềm gửi"
        ENTER_HERE = "enter_here", "Kiểm tra, nhập hồ sơ hoặc đề nghị Cổng gỡ"

    dossier = models.CharField(max_length=200)
    name = models.CharField(max_length=64)  # the record's field; `step`, `dossier` or `code`, with a detail
    ours = models.TextField(default="", blank=True)
    there = models.TextField(default="", blank=True)
    why = models.CharField(max_length=16, choices=Why.choices)
    words = models.TextField(default="", blank=True)  # the portal's, of a refusal
    act = models.CharField(max_length=16, choices=Act.choices)  # proposed, or done by itself where it is safe
    arose_at = InstantField(null=True)  # at the earliest; None: before we ever looked
    first_seen = InstantField()
    last_seen = InstantField()
    closed_at = InstantField(null=True)

    class Meta:
        db_table = "exchange_difference"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "name"], name="exchange_difference_once", condition=models.Q(closed_at=None)
            )
        ]
        indexes = [
            models.Index(fields=["dossier"], name="exchange_difference_of"),
            models.Index(fields=["first_seen"], name="exchange_difference_found"),
        ]


class Repair(models.Model):
    """Something was put back to waiting because the portal lacks it: before, after, and why."""

    dossier = models.CharField(max_length=200, db_index=True)
    at = InstantField()
    reason = models.CharField(max_length=16)  # of `Difference.Why`
    before = models.JSONField()  # what differed: name → [ours, there]
    after = models.JSONField()  # the events that go again, by seq, with the state that they had
    worked_at = InstantField(null=True)  # when the next look found it equal

    class Meta:
        db_table = "exchange_repair"


class LookUps(models.Model):
    """How many look-ups an hour has seen: the budget."""

    hour = InstantField(primary_key=True)  # its beginning
    calls = models.IntegerField(default=0)

    class Meta:
        db_table = "exchange_look_ups"


class Listing(models.Model):
    """How far a walk through a list of the portal has come, so that the next run goes on there."""

    service = models.CharField(max_length=64, primary_key=True)
    after = models.CharField(max_length=200, default="", blank=True)
    begun_at = InstantField()

    class Meta:
        db_table = "exchange_listing"


class Ticket(models.Model):
    """Phiếu xử lý đồng bộ: dossiers that differ for one cause, in the hands of whoever owns the fault."""

    class Owner(models.TextChoices):
        VENDOR = "vendor", "Nhà cung cấp phần mềm"
        MINISTRY = "ministry", "Hệ thống của bộ, ngành"
        UNIT = "unit", "Đơn vị"
        INTERNAL = "internal", "Nội bộ"

    class State(models.TextChoices):
        OPEN = "open", "Đang xử lý"
        SENT = "sent", "Đã gửi"
        CLOSED = "closed", "Đã đóng"

    owner_kind = models.CharField(max_length=10, choices=Owner.choices)
    owner = models.CharField(max_length=200, default="", blank=True)  # the vendor, ministry or unit by name
    cause = models.CharField(max_length=200)  # in words, as whoever mends it will read it
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    opened_at = InstantField()
    opened_by = models.CharField(max_length=150)
    due_at = InstantField()
    closed_at = InstantField(null=True)

    class Meta:
        db_table = "exchange_ticket"
        indexes = [models.Index(fields=["state", "due_at"], name="exchange_ticket_by_state")]


class TicketItem(models.Model):
    """A dossier of a ticket: the evidence of the day on which it was written down, and whether it agrees by now."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="items")
    dossier = models.CharField(max_length=200, db_index=True)
    evidence = models.JSONField()
    differed = models.BooleanField(default=False)  # seen to differ: only then can data say that it agrees
    agrees_at = InstantField(null=True)

    class Meta:
        db_table = "exchange_ticket_item"
        constraints = [models.UniqueConstraint(fields=["ticket", "dossier"], name="exchange_ticket_item_once")]


class TicketLine(models.Model):
    """A line of a ticket's history: who did what, or what the data said."""

    class Act(models.TextChoices):
        OPENED = "opened", "Lập phiếu"
        SENT = "sent", "Ghi nhận đã gửi"
        NOTED = "noted", "Ghi chú"
        AGREED = "agreed", "Dữ liệu đã khớp"
        DIFFERED = "differed", "Dữ liệu lệch lại"
        CLOSED = "closed", "Đóng phiếu"
        CLOSED_BY_DATA = "closed_by_data", "Đóng theo dữ liệu"
        REOPENED = "reopened", "Mở lại"
        REOPENED_BY_DATA = "reopened_by_data", "Mở lại theo dữ liệu"

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="lines")
    at = InstantField()
    actor = models.CharField(max_length=150, default="", blank=True)  # empty: the data
    act = models.CharField(max_length=16, choices=Act.choices)
    count = models.IntegerField(default=0)  # dossiers that it is about
    note = models.TextField(default="", blank=True)

    class Meta:
        db_table = "exchange_ticket_line"


class Alert(models.Model):
    """Something that a person is to look at, once for as long as it lasts."""

    class Kind(models.TextChoices):
        BREAKER_OPEN = "breaker_open", "Cổng không trả lời"
        OLDEST_WAITING = "oldest_waiting", "Bản tin chờ quá lâu"
        DEAD_LETTERS = "dead_letters", "Có bản tin lỗi"
        SILENT_SENDER = "silent_sender", "Nguồn im lặng"
        SILENT_JOB = "silent_job", "Việc nền im lặng"
        TICKET_OVERDUE = "ticket_overdue", "Phiếu xử lý quá hạn"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=500, default="", blank=True)  # the address, sender, job or ticket
    facts = models.JSONField(default=dict)
    first_at = InstantField()
    last_at = InstantField()
    acknowledged_at = InstantField(null=True)
    acknowledged_by = models.CharField(max_length=150, default="", blank=True)
    over_at = InstantField(null=True)

    class Meta:
        db_table = "exchange_alert"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], name="exchange_alert_once", condition=models.Q(over_at=None)
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledged_at__isnull=True, acknowledged_by="")
                | models.Q(acknowledged_at__isnull=False) & ~models.Q(acknowledged_by=""),
                name="exchange_alert_acknowledged_by_somebody",
            ),
        ]


class Look(models.Model):
    """Somebody saw a raw message whole: who, when, why. `message` is its number at the collector."""

    message = models.BigIntegerField(db_index=True)
    actor = models.CharField(max_length=150)
    at = InstantField()
    reason = models.CharField(max_length=500)

    class Meta:
        db_table = "exchange_look"


class OnlineService(models.Model):
    """A procedure that the province says it offers online, as its own list states it. `level`: full, partial, or empty
    where the list does not say."""

    procedure = models.CharField(max_length=64, primary_key=True)
    core = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=2000, default="", blank=True)
    level = models.CharField(max_length=8, default="", blank=True)
    loaded_at = InstantField()

    class Meta:
        db_table = "exchange_online_service"
