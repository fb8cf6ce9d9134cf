"""A procedure as the portal publishes it (LayThuTuc, contract §3.6), read tolerantly.

Numbers come as texts, amounts as words or with points, keys in several cases; what cannot be read stays as its words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from motcua.rules.instants import Unreadable
from motcua.wire.codes import procedure_core
from motcua.wire.messages import text_of

#: CAPTHUCHIEN, and the words by which levels are named instead.
MINISTRY, PROVINCE, DISTRICT, COMMUNE = "0", "1", "2", "3"
_LEVEL_WORDS = ((MINISTRY, ("bộ", "ministry")), (PROVINCE, ("tỉnh", "province", "department", "sở")),
                (DISTRICT, ("huyện", "district")), (COMMUNE, ("xã", "phường", "commune")))  # fmt: skip
_NUMBER = re.compile(r"^\d+(?:[.,]\d+)?$")
#: A unit of time in words → the suffix of a time limit; `Ngày` alone is a calendar day. An absent unit says nothing.
_UNITS = {"ngày làm việc": "d", "ngày": "cd", "ngày lịch": "cd", "giờ": "h", "giờ làm việc": "h"}
#: KENH 2, and how pages name it.
_ONLINE = frozenset({"2", "trực tuyến"})
_FREE = frozenset({"", "không", "miễn phí", "không thu", "không quy định", "không có"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published procedure, as far as it is held against ours. Lists are sorted, each value once."""

    code: str
    name: str
    is_public: bool
    fields: tuple[tuple[str, str], ...]  # code, name
    levels: tuple[str, ...]
    limits: tuple[str, ...]  # of every method and case: `5d`, `12h`, `10cd`
    limits_unread: tuple[str, ...]  # in the portal's words
    fees: tuple[int, ...]  # in đồng
    fees_unread: tuple[str, ...]
    is_online: bool = False  # has a way by KENH 2

    @property
    def core(self) -> str:
        """The national core of the code."""
        return procedure_core(self.code)


def parse(item: Any) -> Published:
    """An element of LayThuTuc's result. Raises `Unreadable` where it is no procedure at all."""
    if not isinstance(item, Mapping) or not _text(item, "MATTHC"):
        raise Unreadable("thủ tục không có MATTHC")
    limits: set[str] = set()
    limits_unread: set[str] = set()
    fees: set[int] = set()
    fees_unread: set[str] = set()
    for way in _rows(item, "CACHTHUCTHUCHIEN"):
        for time in _rows(way, "THOIGIAN"):
            words = " ".join(filter(None, (_text(time, "THOIGIANGIAIQUYET"), _text(time, "DONVITINH"))))
            limit = limit_of(_text(time, "THOIGIANGIAIQUYET"), _text(time, "DONVITINH"))
            (limits if limit else limits_unread).add(limit or words)
            for fee in _rows(time, "PHILEPHI"):
                amount = amount_of(_text(fee, "SOTIEN"))
                if amount is None:
                    fees_unread.add(_text(fee, "SOTIEN"))
                else:
                    fees.add(amount)
    return Published(
        code=_text(item, "MATTHC"),
        name=_text(item, "TENTTHC"),
        is_public=_text(item, "TRANGTHAI") in ("", "1"),
        fields=tuple(sorted({(_text(f, "MALINHVUC"), _text(f, "TENLINHVUC")) for f in _rows(item, "LINHVUCTHUCHIEN")})),
        levels=tuple(sorted({lv for row in _rows(item, "CAPTHUCHIEN") for lv in _levels_of_row(row)})),
        limits=tuple(sorted(limits)),
        limits_unread=tuple(sorted(limits_unread - {""})),
        fees=tuple(sorted(fees)),
        fees_unread=tuple(sorted(fees_unread)),
        is_online=any(_text(way, "KENH").lower() in _ONLINE for way in _rows(item, "CACHTHUCTHUCHIEN")),
    )


def limit_of(amount: str, unit: str) -> str | None:
    """A time limit such as `5d`; None where number or unit say none that a clock could run by."""
    suffix = _UNITS.get(" ".join(unit.lower().split()))
    number = amount.strip()
    if suffix is None or not _NUMBER.match(number):
        return None
    value = float(number.replace(",", "."))
    if not value or (value % 1 and suffix == "cd"):
        return None
    return f"{value:g}{suffix}"


def amount_of(words: str) -> int | None:
    """An amount in đồng from what the portal writes: "50.000", "Không", "0 đồng"; None where it is a text."""
    text = words.strip().rstrip("'").lower()
    if text in _FREE:
        return 0
    text = re.sub(r"\s*(đồng|vnđ|vnd|đ)$", "", text)
    if re.fullmatch(r"\d{1,3}([., ]\d{3})+|\d+", text):
        return int(re.sub(r"\D", "", text))
    return None


def levels_of(text: str) -> frozenset[str]:
    """The levels that a text names ("Cấp tỉnh, Cấp xã"); empty where it names none."""
    lower = text.lower()
    return frozenset(level for level, words in _LEVEL_WORDS if any(word in lower for word in words))


def _levels_of_row(row: Mapping[str, Any]) -> frozenset[str]:
    code = _text(row, "CAPTHUCHIEN")
    return frozenset({code}) if code in (MINISTRY, PROVINCE, DISTRICT, COMMUNE) else levels_of(_text(row, "TENCAP"))


def _text(row: Mapping[str, Any], key: str) -> str:
    """A scalar by its key in any case; a list or an object in its place is no text."""
    value = row.get(key)
    if value is None:
        value = next((found for name, found in row.items() if str(name).upper() == key), None)
    try:
        return text_of(value)
    except Unreadable:
        return ""


def _rows(row: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of objects by its key; a single object in its place is a list of one."""
    value = row.get(key)
    value = [value] if isinstance(value, Mapping) else value
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
