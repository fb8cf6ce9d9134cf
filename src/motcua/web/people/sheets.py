"""The activation sheet: one page a person, with a QR code and, for those who type, the address and the code."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import qrcode
import typst
from django.utils.translation import gettext
from qrcode.image.svg import SvgPathImage

from motcua.accounts import passwords, powers
from motcua.accounts.models import User
from motcua.catalogue import province
from motcua.catalogue.models import Agency
from motcua.rules.instants import VIET_NAM, local_day
from motcua.web.papers.glyphs import FONTS, printed
from motcua.web.people import titles
from motcua.web.training import marks as training

_FORM = Path(__file__).resolve().parent / "sheet.typ"


def pdf(
    given: Sequence[tuple[User, str, datetime]], *, address: str, by: str, at: datetime, size: Literal["a4", "a5"]
) -> bytes:
    """The sheets of these people with their codes; `address` is the page where a code is typed."""
    on = local_day(at)
    names = dict(Agency.objects.values_list("code", "name"))
    told = [
        {
            "name": printed(person.full_name or person.username),
            "username": person.username,
            "posts": [titles.title(post, names) for post in powers.in_force(person, on=on) or person.posts.all()],
            "code": code,
            "qr": _qr(f"{address.rstrip('/')}/{code}"),
            "until": f"{expires.astimezone(VIET_NAM):%H:%M %d/%m/%Y}",
        }
        for person, code, expires in given
    ]
    sheet = {
        "size": size, "people": told, "address": address, "province": province.name(), "by": by,
        "at": f"{at.astimezone(VIET_NAM):%H:%M %d/%m/%Y}", "words": _words(),
    }  # fmt: skip
    compiled: Any = typst.compile
    made: bytes = compiled(
        {"main.typ": training.on_typst().encode() + _FORM.read_bytes()}, font_paths=[str(FONTS)],
        ignore_system_fonts=True, format="pdf", pdf_standards=["a-2a", "ua-1"],
        sys_inputs={"sheet": json.dumps(sheet, ensure_ascii=False)}, timestamp=int(at.timestamp()),
    )  # fmt: skip
    return made


def _qr(text: str) -> str:
    stream = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathImage, border=0, box_size=10).save(stream)
    return stream.getvalue().decode()


def _words() -> dict[str, str]:
    return {
        "title": gettext("Phiếu kích hoạt tài khoản"),
        "about": gettext("Hệ thống kiểm tra từ xa việc giải quyết thủ tục hành chính"),
        "name": gettext("Họ tên"),
        "username": gettext("Tên đăng nhập"),
        "posts": gettext("Chức danh"),
        "until": gettext("Dùng đến"),
        "scan": gettext("Quét mã này bằng điện thoại,"),
        "type": gettext("hoặc mở trên máy tính:"),
        "code": gettext("rồi nhập mã:"),
        "then": gettext("Đặt mật khẩu của riêng mình, từ {n} ký tự, không ghép từ tên hay số điện thoại.").format(
            n=passwords.SHORTEST
        ),
        "once": gettext("Mã dùng một lần. Đặt xong mật khẩu thì hủy phiếu này."),
        "lost": gettext("Quên mật khẩu hoặc mất phiếu: xin quản trị đơn vị cấp phiếu mới."),
        "by": gettext("Người cấp"),
    }
