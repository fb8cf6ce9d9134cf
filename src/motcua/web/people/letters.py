"""Activation links by e-mail, where the house has a server for that: asked for on a page, sent by the outbox's job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from motcua.accounts import invitations, people
from motcua.accounts.models import User
from motcua.accounts.people import Within
from motcua.catalogue import province, training
from motcua.notices import sending
from motcua.notices.models import Sending
from motcua.rules.instants import VIET_NAM, local_day
from motcua.web import labels


def possible() -> bool:
    """Whether the house can send e-mail; nothing leaves a training house."""
    return bool(settings.MAIL_FROM) and not training.is_on()


def queue(found: Sequence[User], *, by: str, base: str, at: datetime, within: Within) -> int:
    """Puts the links into the outbox, whose job sends them. Returns how many have an address.

    Raises `Refusal` where one of them is not for this administrator to invite.
    """
    for person in found:
        people.must_be_yours(person, within=within, on=local_day(at))
    return sending.invite(found, by=by, base=base, at=at)


def written(one: Sending, now: datetime) -> tuple[str, str]:
    """The letter with a new code, which is made here and kept nowhere. Raises `sending.Void`."""
    person = one.invites
    assert person is not None
    if not person.is_active:
        raise sending.Void(gettext("tài khoản đã khóa"))
    if training.is_on():
        raise sending.Void(gettext("hệ thống tập huấn không gửi thư ra ngoài"))
    [(_, code, expires)] = invitations.issue([person], by=one.facts["by"], at=now)
    with translation.override("vi"):
        return _letter(person, one.facts["base"] + reverse("activation-link", args=[code]), expires)


def state(row: Sending | None) -> str:
    """How a letter stands, for the list of people; empty where none was asked for."""
    if row is None:
        return ""
    match row.state:
        case Sending.State.SENT:
            return gettext("email đã gửi {at}").format(at=labels.instant(row.sent_at))
        case Sending.State.FAILED:
            return gettext("email không gửi được: {why}").format(why=row.error[:120])
    if row.error:
        return gettext("email gửi lại lúc {at}: {why}").format(at=labels.instant(row.next_at), why=row.error[:120])
    return gettext("email đang chờ gửi")


def _letter(person: User, link: str, expires: datetime) -> tuple[str, str]:
    text = gettext(
        "Kính gửi {name},\n\nTài khoản “{username}” của anh/chị trên hệ thống kiểm tra từ xa việc giải quyết thủ tục"
        " hành chính{province} đã sẵn sàng. Mở liên kết sau để đặt mật khẩu:\n\n{link}\n\nLiên kết dùng một lần, đến"
        " {expires}. Không chuyển thư này cho người khác. Nếu anh/chị không chờ thư này, xin báo quản trị đơn vị.\n"
    ).format(
        name=person.full_name or person.username, username=person.username,
        province=f", {province.name()}" if province.name() else "", link=link,
        expires=f"{expires.astimezone(VIET_NAM):%H:%M %d/%m/%Y}",
    )  # fmt: skip
    return gettext("Kích hoạt tài khoản {username}").format(username=person.username), text
