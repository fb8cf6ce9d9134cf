"""An account is a person; a post is what the person may do, where, from when to when."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who signs in."""

    full_name = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        db_table = "accounts_user"


class Post(models.Model):
    """A role held in a unit, by date."""

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
    valid_to = models.DateField(null=True)

    class Meta:
        db_table = "accounts_post"
