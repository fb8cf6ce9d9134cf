"""Messages of the contract as values: a dossier record and a processing step, parsed and built.

Tolerant as contract §6.5 asks: numbers, texts and Booleans are all scalars, unknown keys stay in the raw
copy, optional all-zero dates are absent; a required and unreadable value refuses the item and is never
repaired silently.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motcua.rules.instants import Unreadable
from motcua.wire import dates
from motcua.wire.profile import Profile

#: Every scalar of a record, in the order of the contract (§3.1), base and later fields.
SCALARS = (
    "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "KenhThucHien", "ChuHoSo", "SoGiayToChuHoSo",
    "LoaiDoiTuong", "MaDoiTuong", "ThongTinKhac", "Email", "Fax", "SoDienThoai", "TrichYeuHoSo", "NgayTiepNhan",
    "NgayHenTra", "TrangThaiHoSo", "NgayTra", "ThongTinTra", "HinhThuc", "NgayKetThucXuLy", "DonViXuLy", "GhiChu",
)  # fmt: skip
LISTS = ("TaiLieuNop", "DanhSachLePhi", "DanhSachTepDinhKemKhac", "DanhSachHoSoBoSung", "DanhSachGiayToKetQua")
LATER_SCALARS = ("NoiNopHoSo", "HoSoCoThanhPhanSoHoa", "TaiKhoanDuocXacThucVoiVNeID", "DuocThanhToanTrucTuyen",
                 "NgayTuChoi", "NgayNopHoSo")  # fmt: skip
LATER_LISTS = ("DinhDanhCHS", "DSKetNoiCSDL")
STEP_FIELDS = ("MaHoSo", "NguoiXuLy", "ChucDanh", "ThoiDiemXuLy", "PhongBanXuLy", "NoiDungXuLy", "TrangThai",
               "NgayBatDau", "NgayKetThucTheoQuyDinh")  # fmt: skip


class BadItem(Unreadable):
    """An item of a message is refused; the text is what the portal answers."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"Hồ sơ {code}: {reason}" if code else reason)
        self.code, self.reason = code, reason


def text_of(value: Any) -> str:
    """A scalar as a text: composed (NFC) and trimmed; absent is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dict | list):
        raise Unreadable("không phải là giá trị đơn")
    text = str(value).strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def read_json(body: bytes) -> Any:
    """A body as JSON; a byte order mark is dropped. Raises `Unreadable`."""
    try:
        text = body.decode("utf-8-sig")
        found = json.loads(text)
        if "\\ud" in text or "\\uD" in text:  # half of a surrogate pair is no text that could be kept
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except (ValueError, RecursionError):
        raise Unreadable("Nội dung không phải là JSON") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A dossier record: the scalars that the verdict reads, and the whole as it was sent."""

    code: str
    procedure: str
    unit: str
    owner: str
    channel: str
    status: int
    submitted_at: datetime | None
    received_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None
    returned_at: datetime | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the processing log, and the whole as it was sent."""

    code: str
    status: int
    at: datetime | None
    body: Mapping[str, Any]


def _status(code: str, name: str, value: Any) -> int:
    text = text_of(value)
    if not text.isdigit() or not 1 <= int(text) <= 10:
        raise BadItem(code, f"{name} {text!r} không có trong danh mục trạng thái")
    return int(text)


def _date(code: str, item: Mapping[str, Any], name: str) -> datetime | None:
    try:
        return dates.parse(item.get(name))
    except Unreadable as error:
        raise BadItem(code, f"{name} {error}") from None


def parse_record(item: Any, profile: Profile, *, stored: Mapping[str, Any] | None = None) -> Record:
    """An item of DongBoHoSoMC. `stored`: the record that an update replaces. Raises `BadItem`.

    An update replaces scalars that are present and lists that are present; what it leaves out stays.
    """
    if not isinstance(item, dict):
        raise BadItem("", "data: mỗi phần tử phải là một đối tượng")
    code = text_of(item.get("MaHoSo"))
    if not code:
        raise BadItem("", "Thiếu MaHoSo")
    merged = item
    if stored:
        kept = {k: v for k, v in stored.items() if profile.omitted_lists == "keep" or not isinstance(v, list)}
        merged = {**kept, **{k: v for k, v in item.items() if v is not None}}
    for name in ("MaTTHC", "DonViXuLy"):
        if not text_of(merged.get(name)):
            raise BadItem(code, f"Thiếu {name}")
    if len(text_of(merged.get("GhiChu"))) > profile.max_note:
        raise BadItem(code, f"GhiChu: nội dung quá dài (tối đa {profile.max_note} ký tự)")
    status = _status(code, "TrangThaiHoSo", merged.get("TrangThaiHoSo"))
    received_at = _date(code, merged, "NgayTiepNhan")
    if received_at is None and status not in (1, 3):
        raise BadItem(code, "Thiếu NgayTiepNhan")
    for name in ("NgayTuChoi",):
        _date(code, merged, name)
    return Record(
        code=code,
        procedure=text_of(merged.get("MaTTHC")),
        unit=text_of(merged.get("DonViXuLy")),
        owner=text_of(merged.get("ChuHoSo")),
        channel=text_of(merged.get("KenhThucHien")) or "1",
        status=status,
        submitted_at=_date(code, merged, "NgayNopHoSo"),
        received_at=received_at,
        due_at=_date(code, merged, "NgayHenTra"),
        finished_at=_date(code, merged, "NgayKetThucXuLy"),
        returned_at=_date(code, merged, "NgayTra"),
        body=merged,
    )


def parse_step(item: Any, profile: Profile) -> Step:
    """An item of CapNhatTienDoHoSoMC. Raises `BadItem`."""
    if not isinstance(item, dict):
        raise BadItem("", "data: mỗi phần tử phải là một đối tượng")
    code = text_of(item.get("MaHoSo"))
    if not code:
        raise BadItem("", "Thiếu MaHoSo")
    if profile.refuse_empty_content and not text_of(item.get("NoiDungXuLy")):
        raise BadItem(code, "Thiếu NoiDungXuLy")
    if len(text_of(item.get("NguoiXuLy"))) > profile.max_person:
        raise BadItem(code, f"NguoiXuLy: nội dung quá dài (tối đa {profile.max_person} ký tự)")
    status = _status(code, "TrangThai", item.get("TrangThai"))
    at = _date(code, item, "ThoiDiemXuLy")
    return Step(code=code, status=status, at=at, body=item)


#: Stands at the end of a text that was cut; short fields get the ellipsis alone.
CUT = "… [đã rút gọn]"


def cut_to(text: str, limit: int) -> str:
    """A text that fits a field of `limit` characters, with a mark where it was cut.

    Composed (NFC), and counted in UTF-16 units as Java and .NET count, so that nobody finds it too long.
    """
    if len(text) <= limit and text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    if _units(text) <= limit:
        return text
    mark = CUT if limit >= 10 * len(CUT) else "…"
    kept = text[: limit - len(mark)]
    while _units(kept) > limit - len(mark):
        kept = kept[:-1]
    return kept.rstrip() + mark


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def build_record(values: Mapping[str, Any], lists: Mapping[str, Sequence[Any]] | None = None) -> dict[str, Any]:
    """A whole record message: every field of the contract, absent ones as the empty text or list."""
    lists = lists or {}
    return {
        **{name: _composed(values.get(name, "")) for name in SCALARS},
        **{name: list(lists.get(name, ())) for name in LISTS},
        **{name: _composed(values.get(name, "")) for name in LATER_SCALARS},
        **{name: list(lists.get(name, ())) for name in LATER_LISTS},
    }


def build_step(values: Mapping[str, Any]) -> dict[str, Any]:
    """A whole step message."""
    return {name: _composed(values.get(name, "")) for name in STEP_FIELDS}


def _composed(value: Any) -> str:
    """A scalar as we send it: composed (NFC), so that the portal finds what it searches for (contract §6.2)."""
    text = str(value)
    return text if text.isascii() else unicodedata.normalize("NFC", text).removeprefix("\ufeff")
