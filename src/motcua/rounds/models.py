"""Rounds (đợt kiểm tra từ xa): what was planned, frozen, drawn, read, decided and asked for.

The history is the audit (`ledger.audit`): every act on a round leaves a change there, under the round's number.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from motcua.ledger.fields import InstantField


class Round(models.Model):
    """One round. Its number is the key by which the audit, the frozen folder and findings know it."""

    title = models.CharField(max_length=300)
    decision_number = models.CharField(max_length=100, default="", blank=True)  # typed from the document system
    decision_on = models.DateField(null=True)
    grounds = models.TextField(default="", blank=True)  # the legal grounds, as the papers print them
    # scope
    agencies = models.JSONField(default=list)  # codes; empty: every agency
    fields = models.JSONField(default=list)
    procedures = models.JSONField(default=list)
    measure = models.CharField(max_length=10, default="all")
    period = models.CharField(max_length=30)
    policy = models.CharField(max_length=30, default="default")
    checks = models.JSONField(default=list)  # codes; empty: the whole library
    # sample rule
    size = models.IntegerField(default=60)
    least = models.IntegerField(default=1)  # of each stratum
    stratify = models.CharField(max_length=10, default="agency", blank=True)
    weights = models.JSONField(default=dict)  # mark → stated risk
    answer_days = models.IntegerField(default=5)  # working days in which a unit answers
    created_at = InstantField()
    created_by = models.CharField(max_length=150)
    # being frozen by a process
    freezing_at = InstantField(null=True)  # since it was asked for; empty: nothing is being frozen
    freezing_by = models.CharField(max_length=150, default="", blank=True)
    freezing_stage = models.CharField(max_length=12, default="", blank=True)
    freezing_done = models.BigIntegerField(default=0)  # dossiers of the stage, where it counts them
    freezing_of = models.BigIntegerField(default=0)
    freezing_error = models.JSONField(default=dict)  # why it was not: a refusal's code and facts, or a text
    leased_until = InstantField(null=True)
    # frozen
    frozen_at = InstantField(null=True)
    as_of = InstantField(null=True)
    generation = models.BigIntegerField(null=True)
    population = models.BigIntegerField(default=0)
    population_digest = models.CharField(max_length=64, default="", blank=True)
    manifest_digest = models.CharField(max_length=64, default="", blank=True)
    least_probability = models.FloatField(null=True)
    # sealed
    commitment = models.CharField(max_length=64, default="", blank=True)
    committed_by = models.CharField(max_length=150, default="", blank=True)
    committed_at = InstantField(null=True)
    plan_digest = models.CharField(max_length=64, default="", blank=True)
    seal_after = InstantField(null=True)
    sealed_at = InstantField(null=True)
    sealed_by = models.CharField(max_length=150, default="", blank=True)
    # drawn
    drawn_at = InstantField(null=True)
    head_size = models.BigIntegerField(null=True)
    record_digest = models.CharField(max_length=64, default="", blank=True)
    # explained, concluded, followed up
    asked_at = InstantField(null=True)
    answer_due_at = InstantField(null=True)
    decided_at = InstantField(null=True)  # every dossier read, decided, confirmed
    drafted_at = InstantField(null=True)
    concluded_at = InstantField(null=True)
    requested_at = InstantField(null=True)
    rechecked_at = InstantField(null=True)
    published_at = InstantField(null=True)
    closed_at = InstantField(null=True)

    class Meta:
        db_table = "rounds_round"
        constraints = [
            models.CheckConstraint(
                condition=Q(commitment="") | (~Q(committed_by="") & Q(committed_at__isnull=False)),
                name="rounds_committed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(sealed_at=None) | (~Q(sealed_by="") & ~Q(sealed_by=F("committed_by"))),
                name="rounds_sealed_and_committed_by_two",
            ),
        ]


class Member(models.Model):
    """An inspector of a round: trưởng đoàn or thành viên."""

    class Role(models.TextChoices):
        LEAD = "lead", "Trưởng đoàn"
        MEMBER = "member", "Thành viên"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="members")
    user = models.CharField(max_length=150)
    name = models.CharField(max_length=200, default="", blank=True)
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        db_table = "rounds_member"
        constraints = [
            models.UniqueConstraint(fields=["round", "user"], name="rounds_member_once"),
            models.UniqueConstraint(fields=["round"], condition=Q(role="lead"), name="rounds_one_lead"),
        ]


class Item(models.Model):
    """A dossier of the sample: how it came in, what the unit answered, what was decided, who confirmed it."""

    class Sort(models.TextChoices):
        TRUE_LATE = "true_late", "Trễ thực tế"
        IN_TIME = "in_time", "Ghi trễ, làm đúng hạn"
        NO_DATA = "no_data", "Chưa đủ dữ liệu"
        DISPUTED = "disputed", "Khác nhau theo cách tính"
        OTHER = "other", "Có dấu hiệu khác"
        CLEAN = "clean", "Không có dấu hiệu"

    class Answer(models.TextChoices):
        NONE = "", "Chưa trả lời"
        ADMIT = "admit", "Thừa nhận"
        EXPLAIN = "explain", "Giải trình kèm văn bản"
        CONTEST = "contest", "Không đồng ý"

    class Finding(models.TextChoices):
        NONE = "", "Chưa kết luận"
        ACCEPTED = "accepted", "Chấp nhận"
        REJECTED = "rejected", "Không chấp nhận"
        DISPUTED = "disputed", "Khác nhau theo cách tính"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="items")
    dossier = models.CharField(max_length=200)
    agency = models.CharField(max_length=64, default="", blank=True)
    procedure = models.CharField(max_length=64, default="", blank=True)
    stratum = models.CharField(max_length=200, default="", blank=True)
    risk = models.SmallIntegerField()
    numerator = models.BigIntegerField()  # of the exact inclusion probability
    denominator = models.BigIntegerField()
    sort = models.CharField(max_length=10, choices=Sort.choices)
    signs = models.JSONField(default=list)  # codes of the checks that saw it
    answer = models.CharField(max_length=8, choices=Answer.choices, default="", blank=True)
    answer_text = models.TextField(default="", blank=True)
    answer_document = models.CharField(max_length=200, default="", blank=True)
    answer_document_on = models.DateField(null=True)
    answered_at = InstantField(null=True)
    answered_by = models.CharField(max_length=150, default="", blank=True)
    finding = models.CharField(max_length=10, choices=Finding.choices, default="", blank=True)
    checklist = models.JSONField(default=dict)  # question → yes | no | unknown
    note = models.TextField(default="", blank=True)
    reader = models.CharField(max_length=150, default="", blank=True)
    read_at = InstantField(null=True)
    returned_note = models.TextField(default="", blank=True)  # why the second person sent it back
    confirmed_by = models.CharField(max_length=150, default="", blank=True)
    confirmed_at = InstantField(null=True)

    class Meta:
        db_table = "rounds_item"
        constraints = [
            models.UniqueConstraint(fields=["round", "dossier"], name="rounds_dossier_once"),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | (~Q(confirmed_by="") & ~Q(reader="") & ~Q(confirmed_by=F("reader"))),
                name="rounds_confirmed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(finding="", read_at=None) | (~Q(finding="") & Q(read_at__isnull=False) & ~Q(reader="")),
                name="rounds_found_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["round", "agency"], name="rounds_item_of_agency")]


class Look(models.Model):
    """Somebody of a round looked at personal data, and said why."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="looks")
    dossier = models.CharField(max_length=200)
    at = InstantField()
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=500)
    document = models.CharField(max_length=64, default="", blank=True)  # SHA-256 of the file that was looked at

    class Meta:
        db_table = "rounds_look"
        indexes = [models.Index(fields=["round", "at"], name="rounds_look_of")]


class Remedy(models.Model):
    """Kiến nghị: what a unit is asked to do after the conclusion, by when, and what closed it."""

    class Kind(models.TextChoices):
        DATA = "data", "Cập nhật dữ liệu bằng sự kiện mới"
        APOLOGY = "apology", "Xin lỗi người dân"
        TRAINING = "training", "Tập huấn, quán triệt"
        DISCIPLINE = "discipline", "Đề nghị xem xét trách nhiệm"
        OTHER = "other", "Việc khác"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="remedies")
    agency = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.TextField()
    due_at = InstantField()
    made_at = InstantField()
    made_by = models.CharField(max_length=150)
    closed_at = InstantField(null=True)
    closed_by = models.CharField(max_length=150, default="", blank=True)  # empty: the data
    closed_note = models.TextField(default="", blank=True)

    class Meta:
        db_table = "rounds_remedy"
        indexes = [models.Index(fields=["round", "agency"], name="rounds_remedy_of")]


class RemedyItem(models.Model):
    """A dossier that a remedy is about; the data settle it once the cause that was frozen is gone."""

    remedy = models.ForeignKey(Remedy, on_delete=models.CASCADE, related_name="items")
    dossier = models.CharField(max_length=200)
    leg = models.CharField(max_length=8, default="", blank=True)
    cause = models.CharField(max_length=30, default="", blank=True)  # empty: a person closes it
    settled_at = InstantField(null=True)
    proof = models.JSONField(default=dict)

    class Meta:
        db_table = "rounds_remedy_item"
        constraints = [models.UniqueConstraint(fields=["remedy", "dossier"], name="rounds_remedy_dossier_once")]


class Paper(models.Model):
    """A paper of a round: drafted here; number, date and signer are typed back from the document system."""

    class Kind(models.TextChoices):
        PLAN = "plan", "Kế hoạch kiểm tra"
        ASK = "ask", "Yêu cầu giải trình"
        MINUTES = "minutes", "Biên bản"
        DRAFT = "draft", "Dự thảo kết luận"
        CONCLUSION = "conclusion", "Kết luận kiểm tra"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="papers")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    agency = models.CharField(max_length=64, default="", blank=True)  # empty: of the whole round
    made_at = InstantField()
    made_by = models.CharField(max_length=150)
    number = models.CharField(max_length=100, default="", blank=True)
    dated_on = models.DateField(null=True)
    signer = models.CharField(max_length=200, default="", blank=True)
    typed_at = InstantField(null=True)
    typed_by = models.CharField(max_length=150, default="", blank=True)

    class Meta:
        db_table = "rounds_paper"
        constraints = [models.UniqueConstraint(fields=["round", "kind", "agency"], name="rounds_paper_once")]
