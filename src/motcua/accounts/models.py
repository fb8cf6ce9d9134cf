"""An account is a person; a post is what the person may do, where, from when to when."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower

from motcua.ledger.fields import InstantField


class User(AbstractUser):
    """A person who signs in."""

    full_name = models.CharField(max_length=200, default="", blank=True)
    phone = models.CharField(max_length=32, default="", blank=True)
    national_id = models.CharField(max_length=32, default="", blank=True)  # joins the account to the sign-on
    activated_at = InstantField(null=True, blank=True)  # the first password was set by the person
    chosen_post = models.ForeignKey("Post", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        db_table = "accounts_user"
        constraints = [
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="accounts_email_once"),
            models.UniqueConstraint(
                fields=["national_id"], condition=~models.Q(national_id=""), name="accounts_national_id_once"
            ),
        ]

    def __str__(self) -> str:
        """As workbooks name who made them."""
        return self.full_name or self.username


class Post(models.Model):
    """A role held in a unit, from day to day. Never rewritten but for its last day: an act keeps its post."""

    class Role(models.TextChoices):
        CLERK = "clerk", "Công chức một cửa"
        OFFICER = "officer", "Công chức thụ lý"
        SEAL_CLERK = "seal_clerk", "Văn thư"
        FOCAL_POINT = "focal_point", "Đầu mối KSTT"
        UNIT_HEAD = "unit_head", "Lãnh đạo đơn vị"
        INSPECTOR = "inspector", "Chuyên viên kiểm soát TTHC"
        LEADER = "leader", "Lãnh đạo tỉnh"
        OPERATOR = "operator", "Quản trị kỹ thuật"
        ADMINISTRATOR = "administrator", "Quản trị đơn vị"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="posts")
    role = models.CharField(max_length=16, choices=Role.choices)
    agency = models.CharField(max_length=64, default="", blank=True)  # empty: the whole province
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)  # the last day
    stands_in_for = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="deputies")
    proposed = models.BooleanField(default=False)  # waits for the unit that the person moves to; no power yet

    class Meta:
        db_table = "accounts_post"
        indexes = [models.Index(fields=["agency", "role"], name="accounts_post_of")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_from=None)
                | models.Q(valid_to=None)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="accounts_post_ends_after",
            )
        ]


class Invitation(models.Model):
    """A code with which a person sets the first password, or a new one: good once, until it expires."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True)
    made_at = InstantField()
    made_by = models.CharField(max_length=200)
    expires_at = InstantField()
    used_at = InstantField(null=True)

    class Meta:
        db_table = "accounts_invitation"


class Factor(models.Model):
    """Something that a person has beside the password: an authenticator app or a security key."""

    class Kind(models.TextChoices):
        APP = "app"
        KEY = "key"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="factors")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=64, default="", blank=True)
    secret = models.TextField()  # app: the seed, encrypted; key: the credential's public part, base64
    counter = models.BigIntegerField(default=0)  # app: the last time step used; key: the signature counter
    added_at = InstantField()
    used_at = InstantField(null=True)

    class Meta:
        db_table = "accounts_factor"


class RecoveryCode(models.Model):
    """A code on paper that takes the place of the second factor once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = InstantField(null=True)

    class Meta:
        db_table = "accounts_recovery_code"
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="accounts_recovery_once")]


class SignedIn(models.Model):
    """A browser in which a person is signed in."""

    session = models.CharField(max_length=40, primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="signed_in")
    since = InstantField()
    seen_at = InstantField()
    address = models.CharField(max_length=64, default="", blank=True)
    browser = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        db_table = "accounts_signed_in"


class Tries(models.Model):
    """How often something was tried in vain since when: what all workers count together."""

    key = models.CharField(max_length=64, primary_key=True)
    since = InstantField()
    count = models.IntegerField(default=0)

    class Meta:
        db_table = "accounts_tries"


class Roster(models.Model):
    """A list of people given by a file: looked at before it is taken, then taken whole."""

    file = models.CharField(max_length=200)
    by = models.CharField(max_length=200)
    given_at = InstantField()
    headings = models.JSONField(default=list)
    rows = models.JSONField(default=list)  # number in the file, cells
    columns = models.JSONField(default=dict)  # field → column
    units = models.JSONField(default=dict)  # name in the file → agency code, as a person said
    taken_at = InstantField(null=True)
    outcome = models.JSONField(null=True)

    class Meta:
        db_table = "accounts_roster"
