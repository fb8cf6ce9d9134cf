"""What the portal answers to questions other than for a dossier: catalogue, reference lists, accounts, Q & A.

Keys of catalogue replies are in capitals, as the portal writes them (contract §3.5 to §3.8). The shape of the small
reference lists was never seen: `MA` and `TEN` are our choice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from motcua.mirror.models import Entry, PortalProcedure
from motcua.wire.messages import text_of

#: Reference lists of which only the names were seen.
SMALL = tuple(
    f"LayDanhMuc{name}"
    for name in ("GioiTinh", "TinhThanh", "QuanHuyen", "PhuongXa", "QuocGia", "DanToc", "TonGiao",
                 "TinhTrangHonNhan", "DoiTuong", "CapThucHien", "CanCuPhapLy", "LePhi")
)  # fmt: skip
#: Lists that adapter C has beside those of the portal.
ADAPTER_LISTS = ("LayDanhMucLoaiThuTuc", "LayDanhMucNhomThuTuc", "LayDanhMucThuTucThuocLoai")


def keep(kind: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Keeps rows of a list under their codes."""
    Entry.objects.bulk_create(
        [Entry(kind=kind, code=code, body=json.dumps(body, ensure_ascii=False)) for code, body in rows],
        update_conflicts=True,
        unique_fields=["kind", "code"],
        update_fields=["body"],
    )


def rows(kind: str, **filters: Any) -> list[dict[str, Any]]:
    """The rows of a list, by code."""
    found = Entry.objects.filter(kind=kind, **filters).order_by("code")
    return [json.loads(body) for body in found.values_list("body", flat=True)]


def _procedures(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = PortalProcedure.objects.order_by("code").values_list("code", "name")
    return [{"MATTHC": code, "TENTTHC": name} for code, name in found]


def _procedure(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    row = PortalProcedure.objects.filter(code=text_of(request.get("maTTHC"))).first()
    return [json.loads(row.body)] if row else []


def _fields(request: Mapping[str, Any]) -> list[dict[str, str]]:
    fields: dict[str, dict[str, str]] = {}
    for body in PortalProcedure.objects.values_list("body", flat=True):
        for entry in json.loads(body).get("LINHVUCTHUCHIEN", []):
            fields[entry["MALINHVUC"]] = {**entry, "MANGANH": ""}
    return list(fields.values())


def _online_services(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": rows("online_service")}


def _account(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """TraCuuTechID: the account id of a tax or identity number."""
    return rows("account", code=text_of(request.get("mstorcmnd")))


def _decision(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The promulgating decision of procedures (adapter C)."""
    wanted = text_of(request.get("idQDCB"))
    return [
        {"ID": wanted, "MATTHC": row["MATTHC"], "QUYETDINH": row.get("QUYETDINH", "")}
        for body in PortalProcedure.objects.order_by("code").values_list("body", flat=True)
        if (row := json.loads(body)).get("IDQUYETDINHCONGBO") == wanted
    ]


_ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "LayDanhSachTTHC": _procedures,
    "LayThuTuc": _procedure,
    "LayQDCB": _decision,
    "LayDanhMucLinhVuc": _fields,
    "LayDanhMucCoQuan": lambda request: rows("agency"),
    "LayDVC": _online_services,
    "TraCuuTechID": _account,
    "LayDanhSachHoiDapGuiTuDVCQG": lambda request: rows("asked"),
    "LayDanhSachHoiDapBoCoQuan": lambda request: rows("question"),
    "LayNoiDungTraLoiTheoCauHoi": lambda request: rows("answer", code=text_of(request.get("cauhoiid"))),
    **{name: lambda request, name=name: rows(name) for name in (*SMALL, *ADAPTER_LISTS)},  # type: ignore[misc]
}
SERVICES = frozenset(_ANSWERS)


def answer(service: str, request: Mapping[str, Any]) -> Any:
    """The `result` of a question; None where there is no such service."""
    known = _ANSWERS.get(service)
    return None if known is None else known(request)
