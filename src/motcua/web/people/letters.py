"""Activation links by e-mail, where the house has a server for that; one connection for all of them."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse
from django.utils.translation import gettext

from motcua.accounts.models import User
from motcua.catalogue import province, training
from motcua.rules.instants import VIET_NAM


def possible() -> bool:
    """Whether the house can send e-mail; nothing leaves a training house."""
    return bool(settings.MAIL_FROM) and not training.is_on()


def send(given: Sequence[tuple[User, str, datetime]], absolute: Callable[[str], str]) -> tuple[int, str]:
    """Sends each person the link; how many went out, and why the others did not."""
    sent, why = 0, gettext("tài khoản không có email")
    try:
        with get_connection() as connection:
            for person, code, expires in given:
                if not person.email:
                    continue
                try:
                    _letter(person, absolute(reverse("activation-link", args=[code])), expires, connection).send()
                    sent += 1
                except smtplib.SMTPException as error:
                    why = _short(error)
    except (OSError, smtplib.SMTPException) as error:
        why = _short(error)
    return sent, why


def _short(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__


def _letter(person: User, link: str, expires: datetime, connection: object) -> EmailMessage:
    text = gettext(
        "Kính gửi {name},\n\nTài khoản “{username}” của anh/chị trên hệ thống kiểm tra từ xa việc giải quyết thủ tục"
        " hành chính{province} đã sẵn sàng. Mở liên kết sau để đặt mật khẩu:\n\n{link}\n\nLiên kết dùng một lần, đến"
        " {expires}. Không chuyển thư này cho người khác. Nếu anh/chị không chờ thư này, xin báo quản trị đơn vị.\n"
    ).format(
        name=person.full_name or person.username, username=person.username,
        province=f", {province.name()}" if province.name() else "", link=link,
        expires=f"{expires.astimezone(VIET_NAM):%H:%M %d/%m/%Y}",
    )  # fmt: skip
    subject = gettext("Kích hoạt tài khoản {username}").format(username=person.username)
    return EmailMessage(subject, text, settings.MAIL_FROM, [person.email], connection=connection)
