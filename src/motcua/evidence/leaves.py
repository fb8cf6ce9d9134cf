"""A message leaf by leaf: each value under a salted commitment of its own, so that any of them can be blacked out.

A leaf is a scalar, an empty list or an empty object, named by its JSON pointer (RFC 6901). What belongs to another
dossier of the same message is one leaf, which is never opened; neither are session marks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

#: open: what the verdict reads; personal: may be blacked out; foreign, secret: never shown.
Class = Literal["open", "personal", "foreign", "secret"]

#: Fields that name nobody. Whatever is not listed counts as personal, also what no contract knows.
_IMPERSONAL = frozenset({
    "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "KenhThucHien", "LoaiDoiTuong", "NgayTiepNhan",
    "NgayHenTra", "TrangThaiHoSo", "NgayTra", "HinhThuc", "NgayKetThucXuLy", "DonViXuLy", "NoiNopHoSo",
    "HoSoCoThanhPhanSoHoa", "TaiKhoanDuocXacThucVoiVNeID", "DuocThanhToanTrucTuyen", "NgayTuChoi", "NgayNopHoSo",
    "ThoiDiemXuLy", "TrangThai", "ChucDanh", "PhongBanXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh", "MaCSDL",
    "HoSoBoSungId", "NgayBoSung", "NgayTiepNhanBoSung", "TrangThaiBoSung", "NgayHenTraTruoc", "NgayHenTraMoi",
    "LoaiDinhDanh", "MaThanhPhanHoSo", "IsDeleted", "DuocSoHoa", "DuocTaiSuDung", "DuocLayTuKhoDMQG", "TenPhiLePhi",
    "MaPhiLePhi", "HinhThucThu", "Gia", "LoaiPhiLePhi", "MaDonViTiepNhan", "service", "madonvi", "donViXuLy",
    "isUpdating", "error_code", "mahoso", "maTTHC", "type",
})  # fmt: skip
_SECRET = frozenset({"session", "password", "token", "access_token", "client_secret", "username"})
_CODES = ("MaHoSo", "maHoSo", "mahoso", "MAHOSO", "SoHoSo")


class Leaf(NamedTuple):
    """One value of a message; `text` is its canonical JSON."""

    path: str
    kind: Class
    text: str


def leaves(document: Any, dossier: str) -> Iterator[Leaf]:
    """The leaves of a message about a dossier, in the order of the message."""
    yield from _walk(document, "", "", dossier)


def _walk(value: Any, path: str, name: str, dossier: str) -> Iterator[Leaf]:
    if isinstance(value, dict) and value:
        if _foreign(value, dossier):
            yield Leaf(path, "foreign", text(value))
            return
        for key, inner in value.items():
            yield from _walk(inner, f"{path}/{_escaped(str(key))}", str(key), dossier)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _walk(inner, f"{path}/{number}", name, dossier)
    else:
        yield Leaf(path, _class(name, value), text(value))


def _foreign(value: Mapping[str, Any], dossier: str) -> bool:
    """Whether an object speaks of another dossier."""
    named = [str(value[name]).strip() for name in _CODES if value.get(name)]
    return bool(named) and dossier not in named


def _class(name: str, value: Any) -> Class:
    if name in _SECRET:
        return "secret"
    empty = value in ("", None) or value == [] or value == {}
    return "open" if empty or name in _IMPERSONAL else "personal"


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def text(value: Any) -> str:
    """A value in the form in which it is committed: compact JSON, keys sorted."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def commitment(path: str, value: str, salt: bytes) -> str:
    """What stands in a pack for a leaf: SHA-256 over salt, pointer, a zero byte and the value's text."""
    return hashlib.sha256(salt + path.encode() + b"\0" + value.encode("utf-8", "surrogatepass")).hexdigest()


class Salts:
    """Salts that nobody guesses and that the same house makes again: the same pack has the same bytes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.sha256(b"motcua evidence salts\0" + secret).digest()

    def of(self, *place: str) -> bytes:
        """The salt of a place."""
        return hmac.digest(self._secret, "\0".join(place).encode("utf-8", "surrogatepass"), "sha256")[:16]
