"""What a province hands in beside dossiers: statuses of promotion notices, questions, answers, ratings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from motcua.mirror.models import Entry, Refusal
from motcua.rules.instants import Unreadable
from motcua.wire import dates
from motcua.wire.messages import BadItem, text_of
from motcua.wire.profile import Profile

_MONTH = re.compile(r"^(?:[1-9]|1[0-2])-\d{4}$")
_DAY_FIRST = re.compile(r"^(?:0?[1-9]|[12]\d|3[01])[/-](?:0?[1-9]|1[0-2])[/-]\d{4}(?: \d{1,2}:\d{2}(?::\d{2})?)?$")


def _required(item: Mapping[str, Any], *names: str) -> list[str]:
    found = []
    for name in names:
        text = text_of(item.get(name))
        if not text:
            raise BadItem(text_of(item.get("MaHoSo")), f"Thiếu {name}")
        found.append(text)
    return found


def _notice(item: Mapping[str, Any], profile: Profile) -> str:
    """DongBoTrangThaiHoSo: a promotion notice that the portal created in the province (contract §3.3)."""
    code, local, at, status = _required(item, "MaHoSo", "MaHoSoDonVi", "NgayXuLy", "TrangThai")
    try:
        dates.parse(at)
    except Unreadable as error:
        raise BadItem(code, f"NgayXuLy {error}") from None
    if not status.isdigit() or int(status) not in profile.notice_statuses:
        raise BadItem(code, f"TrangThai {status!r} không có trong danh mục trạng thái")
    return f"{code}|{local}|{at}|{status}"


def _question(item: Mapping[str, Any], profile: Profile) -> str:
    return _required(item, "HOIDAPID", "NOIDUNG", "MADONVI")[0]


def _answer(item: Mapping[str, Any], profile: Profile) -> str:
    """An answer to a question; its date is day first, not the 14 digits."""
    number, _, on = _required(item, "HOIDAPID", "NOIDUNGTRALOI", "NGAYTRALOI")
    if not _DAY_FIRST.match(on):
        raise BadItem("", f"Hỏi đáp {number}: NGAYTRALOI không đúng định dạng dd/MM/yyyy")
    return number


def _rating(item: Mapping[str, Any], profile: Profile) -> str:
    unit, month = _required(item, "Madonvi", "NgayTongHop")
    if not _MONTH.match(month):
        raise BadItem("", f"NgayTongHop {month!r} không đúng định dạng M-yyyy")
    return "|".join((unit, month, text_of(item.get("MaThuTuc")), text_of(item.get("NoiDung"))[:150]))


#: Service → (list, what makes a row's key and refuses a bad one, words of success).
SERVICES: Mapping[str, tuple[str, Callable[[Mapping[str, Any], Profile], str], str]] = {
    "DongBoTrangThaiHoSo": ("notice_status", _notice, "Cập nhật trạng thái thành công"),
    "DongBoHoiDap": ("question", _question, "Đồng bộ hỏi đáp thành công"),
    "DongBoKetQuaHoiDapGuiTuDVCQG": ("answer", _answer, "Đồng bộ kết quả hỏi đáp thành công"),
    "DongBoDanhGia": ("rating", _rating, "Đồng bộ đánh giá thành công"),
}


def store(request: Mapping[str, Any], profile: Profile, *, at: datetime, message: int, sender: str) -> tuple[int, str]:
    """Stores the good items; the bad ones are kept raw with the reason. Returns (error_code, message)."""
    service = str(request["service"])
    kind, key, success = SERVICES[service]
    if service == "DongBoTrangThaiHoSo" and text_of(request.get("type")) not in ("", "2"):
        return -1, "type: chỉ nhận 2"
    items = request.get("data")
    items = [items] if isinstance(items, dict) else items
    if not isinstance(items, list) or not items:
        return -1, "Thiếu data"
    entries: dict[str, Entry] = {}
    refusals: list[Refusal] = []
    for item in items:
        body = json.dumps(item, ensure_ascii=False)
        try:
            if not isinstance(item, dict):
                raise BadItem("", "data: mỗi phần tử phải là một đối tượng")
            code = key(item, profile)
        except Unreadable as error:
            refusals.append(Refusal(service=service, reason=str(error), body=body, stored_at=at, message=message))
        else:
            entries[code] = Entry(kind=kind, code=code[:300], body=body, sender=sender, stored_at=at, message=message)
    with transaction.atomic(using="mirror"):
        Entry.objects.bulk_create(
            entries.values(), update_conflicts=True, unique_fields=["kind", "code"],
            update_fields=["body", "sender", "stored_at", "message"],
        )  # fmt: skip
        Refusal.objects.bulk_create(refusals)
    return (-1, "; ".join(dict.fromkeys(r.reason for r in refusals))) if refusals else (0, success)
