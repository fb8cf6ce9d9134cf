"""The portal's own catalogue, as LayDanhSachTTHC and LayThuTuc answer it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from motcua.mirror.models import PortalProcedure

#: CAPTHUCHIEN and its words.
LEVELS = {"1": "Cấp Tỉnh", "3": "Cấp Xã"}


def seed() -> None:
    """The sandbox's own two procedures, where the catalogue is empty."""
    if not PortalProcedure.objects.exists():
        store([_sandbox("9.900001.000.00.00.H99", "Đăng ký mẫu thử nghiệm số một", "990001", "Chung"),
               _sandbox("9.900002.000.00.00.H99", "Cấp giấy phép mẫu cho tổ chức", "990002", "Chung")])  # fmt: skip


def store(procedures: Iterable[Mapping[str, Any]]) -> None:
    """Keeps procedures in the portal's form (upper-case keys, contract §3.6)."""
    PortalProcedure.objects.bulk_create(
        [
            PortalProcedure(code=p["MATTHC"], name=p["TENTTHC"], body=json.dumps(p, ensure_ascii=False))
            for p in procedures
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "body"],
    )


def procedure(
    code: str, name: str, *, number: str, field: str, field_name: str, days: str, case: str = "Chung",
    level: str = "1", fee: str = "150.000",
) -> dict[str, Any]:  # fmt: skip
    """A procedure in the portal's form with the statutory time where clients look for it; `fee` may be empty."""
    return {
        "ID": number,
        "MATTHC": code,
        "TENTTHC": name,
        "TRANGTHAI": "1",
        "LINHVUCTHUCHIEN": [{"MALINHVUC": field, "TENLINHVUC": field_name}],
        "CAPTHUCHIEN": [{"CAPTHUCHIEN": level, "TENCAP": LEVELS[level]}],
        "CACHTHUCTHUCHIEN": [
            {
                "KENH": "1",
                "THOIGIAN": [
                    {
                        "THOIGIANGIAIQUYET": days,
                        "DONVITINH": "Ngày làm việc",
                        "MOTA": "",
                        "PHILEPHI": [
                            {"MAPHILEPHI": "1'", "SOTIEN": fee, "DONVI": "Đồng", "MOTA": "", "URL": "", "TENTEP": ""}
                        ] if fee else [],
                    }
                ],
            }
        ],
        "THANHPHANHOSO": [
            {
                "TRUONGHOP": case,
                "GIAYTO": [
                    {"MAGIAYTO": "000.00.00.H99-KQ000001", "TENGIAYTO": "Đơn đề nghị", "TENMAUDON": "",
                     "SOBANCHINH": "1", "SOBANSAO": "0", "URL": "", "MA_KQ_THAYTHE": ""}
                ],
            }
        ],
        "KETQUATHUCHIEN": [
            {"MAKETQUA": "KQ.H99.000001", "TENKETQUA": "Giấy chứng nhận mẫu", "TENTEP": "", "URL": ""}
        ],
    }  # fmt: skip


def published(described: Mapping[str, Any]) -> dict[str, Any]:
    """A procedure with the parts that one must be published with (V-29) beside it: order, for whom, by whom."""
    case = described["THANHPHANHOSO"][0]["TRUONGHOP"]
    return {
        **described,
        "TRINHTUTHUCHIEN": [{"TRUONGHOP": case, "TRINHTU": [{"TENTRINHTU": "Nộp hồ sơ, thẩm định, trả kết quả"}]}],
        "DOITUONGTHUCHIEN": [{"MADOITUONG": "", "TENDOITUONG": "Công dân, tổ chức"}],
        "COQUANTHUCHIEN": [{"MADONVI": "", "TENDONVI": "Cơ quan mẫu"}],
    }


def _sandbox(code: str, name: str, number: str, case: str) -> dict[str, Any]:
    return procedure(code, name, number=number, field="G99-TN01", field_name="Lĩnh vực thử nghiệm", days="5", case=case)
