"""Messages as anybody may see them: what tells of a person, and what opens a session, stands as dots."""

from __future__ import annotations

import json
from typing import Any

from motcua.rules.instants import Unreadable
from motcua.wire.messages import read_json

#: What stands in the place of a value.
DOTS = "•••"
#: Secrets: never shown, whatever the reason.
SECRET = frozenset({"session", "password", "MaXacThuc"})
#: Fields of a person, by their names in any message of the contract (§3).
PERSONAL = frozenset(
    {
        "ChuHoSo", "SoGiayToChuHoSo", "MaDoiTuong", "ThongTinKhac", "Email", "Fax", "SoDienThoai", "TrichYeuHoSo",
        "ThongTinTra", "GhiChu", "SoDinhDanh", "TenTepDinhKem", "DuongDanTaiTepTin", "TenGiayTo",
        "DuongDanTepTinKetQua", "NguoiXuLy", "NguoiYeuCauBoSung", "NguoiTiepNhanBoSung", "NoiDungBoSung",
        "NoiDungXuLy", "HoTenNguoiNop", "SoCMNDNguoiNop", "DiaChiNguoiNop", "HuyenNguoiNop", "TinhNguoiNop",
        "HoTenNguoiNopTien", "MaSoThue", "UrlFileChungTu", "FileThongBaoThue", "HOVATEN", "THUDIENTU", "NOIDUNG",
        "NOIDUNGTRALOI", "NGUOITRALOI", "mstorcmnd", "TECHNICALID", "ThongTinNguoiNop",
    }
)  # fmt: skip


def masked(value: Any, *, whole: bool = False) -> Any:
    """A JSON value with dots in the place of what is SECRET and, unless `whole`, of what is PERSONAL."""
    if isinstance(value, dict):
        return {
            name: DOTS if part and (name in SECRET or (name in PERSONAL and not whole)) else masked(part, whole=whole)
            for name, part in value.items()
        }
    return [masked(part, whole=whole) for part in value] if isinstance(value, list) else value


def text(body: bytes, *, whole: bool = False) -> str | None:
    """A body as indented JSON, masked; None where it is no JSON, and only a look at it as it came would show it."""
    try:
        document = read_json(body)
    except Unreadable:
        return None
    return json.dumps(masked(document, whole=whole), ensure_ascii=False, indent=2)
