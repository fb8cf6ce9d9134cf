"""Words of the collector's pages."""

from __future__ import annotations

from django.utils.translation import gettext

from motcua.web.labels import Words

OUTCOMES = Words(
    {
        "ok": "đã nhận",
        "error": "bị từ chối",
        "silent": "Cổng im lặng",
        "open": "không có trả lời",
    }
)
#: The shape that goes with an outcome.
SHAPES = {"ok": "done", "error": "differs", "silent": "late", "open": "unknown"}
#: What a service does, where it is one of the contract's (§3).
SERVICES = Words(
    {
        "DongBoHoSoMC": "hồ sơ",
        "CapNhatTienDoHoSoMC": "bước xử lý",
        "TraCuuHoSo": "tra cứu hồ sơ",
        "DongBoTrangThaiHoSo": "trạng thái thông báo khuyến mại",
        "LayDanhSachTTHC": "danh sách thủ tục",
        "LayThuTuc": "một thủ tục",
        "LayDVC": "dịch vụ công trực tuyến",
        "DongBoHoiDap": "hỏi đáp",
        "DongBoKetQuaHoiDapGuiTuDVCQG": "trả lời hỏi đáp",
        "DongBoDanhGia": "đánh giá",
        "nps-dossier": "thông báo của phần mềm",
    }
)


def service(code: str) -> str:
    """A service by what it does, else by its name."""
    return SERVICES.get(code, code) or gettext("không rõ dịch vụ")


def milliseconds(us: int | None) -> str:
    """How long the real portal took."""
    return "" if us is None else gettext("{n} ms").format(n=max(round(us / 1000), 1))
