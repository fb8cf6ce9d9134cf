"""Papers, fees and results as rows of the contract's lists (§3.1): built from our values, and read back into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motcua.rules.enclosures import Fee, Paper, Result, fault
from motcua.rules.instants import Unreadable
from motcua.wire.messages import cut_to, text_of

_COLLECTED = {"acceptance": "1", "supplement": "2", "return": "4"}
_KIND = {"fee": "1", "charge": "2"}
_REUSED = {"": "0", "component": "1", "result": "2"}
#: What a paper is called of which nothing is known.
_NAMELESS = "Giấy tờ"
_LONGEST_PAPER, _LONGEST_RESULT, _LONGEST_FEE = 4000, 2000, 1000


def fee_row(fee: Fee, *, collected: str = "", kinds: bool = True) -> dict[str, str]:
    """A row of DanhSachLePhi. `collected`: when, where the fee does not say; `kinds`: whether its kind is told."""
    return {
        "TenPhiLePhi": cut_to(fee.name or fee.code, _LONGEST_FEE),
        "MaPhiLePhi": fee.code,
        "HinhThucThu": _COLLECTED.get(fee.collected or collected, ""),
        "Gia": str(fee.amount),
        "LoaiPhiLePhi": _KIND.get(fee.kind, "") if kinds else "",
    }


def duty_row(name: str) -> dict[str, str]:
    """A financial duty of which nobody stated the amount."""
    return {"TenPhiLePhi": cut_to(name, _LONGEST_FEE), "MaPhiLePhi": "", "HinhThucThu": "", "Gia": "",
            "LoaiPhiLePhi": ""}  # fmt: skip


def result_row(result: Result) -> dict[str, str]:
    """A row of DanhSachGiayToKetQua."""
    return {
        "TenGiayTo": cut_to(result.name or result.code, _LONGEST_RESULT),
        "MaThanhPhanHoSo": result.component,
        "GiayToId": result.file,
        "DuongDanTepTinKetQua": result.address,
        "MaGiayToKetQua": result.code,
    }


def paper_row(paper: Paper) -> dict[str, str]:
    """A row of TaiLieuNop or DanhSachGiayToBoSung."""
    return {
        "TepDinhKemId": paper.file,
        "TenTepDinhKem": cut_to(paper.name or paper.component or _NAMELESS, _LONGEST_PAPER),
        "IsDeleted": "False",
        "MaThanhPhanHoSo": paper.component,
        "DuongDanTaiTepTin": paper.address,
        "DuocSoHoa": "1" if paper.digitised else "0",
        "DuocTaiSuDung": _REUSED[paper.reused],
        "DuocLayTuKhoDMQG": "0",
        "MaKetQuaThayThe": paper.replaces,
    }


def papers_of(data: Mapping[str, Any]) -> tuple[Paper, ...]:
    """TaiLieuNop of a dossier that somebody else sent. What cannot be used as a paper stays in the raw copy alone."""
    listed = data.get("TaiLieuNop")
    found = (_paper(row) for row in (listed if isinstance(listed, list) else ()) if isinstance(row, Mapping))
    return tuple(paper for paper in found if paper is not None and not fault(paper))


def _paper(row: Mapping[str, Any]) -> Paper | None:
    try:
        text = {name: text_of(row.get(name)) for name in (*paper_row(Paper()), "DuocSoHoa")}
    except Unreadable:
        return None
    if text["IsDeleted"].lower() in ("true", "1"):
        return None
    return Paper(
        name=text["TenTepDinhKem"], component=text["MaThanhPhanHoSo"], file=text["TepDinhKemId"],
        address=text["DuongDanTaiTepTin"], digitised=text["DuocSoHoa"] == "1",
        reused=next((name for name, code in _REUSED.items() if code == text["DuocTaiSuDung"]), ""),
        replaces=text["MaKetQuaThayThe"],
    )  # fmt: skip
