"""The messages of one event: the record as of that event, never as of the sending, and its step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motcua.catalogue.models import Agency, Field, Procedure
from motcua.catalogue.terms import Terms
from motcua.ledger.models import PersonalValue
from motcua.rules.dossier import Status, corrected, replay
from motcua.rules.events import Event, PaymentRequested, Registered, SupplementReceived, SupplementRequested
from motcua.rules.verdicts import OurFacts, our_facts
from motcua.wire import dates
from motcua.wire.messages import build_record, build_step, cut_to

_CHANNEL = {"desk": "1", "online": "2", "post": "3"}
_CONTENT = {
    "registered": "Đăng ký hồ sơ",
    "received": "Tiếp nhận hồ sơ",
    "refused": "Không tiếp nhận hồ sơ",
    "step_started": "Bắt đầu xử lý",
    "step_finished": "Hoàn thành bước",
    "supplement_requested": "Yêu cầu bổ sung giấy tờ",
    "supplement_received": "Tiếp nhận hồ sơ bổ sung",
    "suspended": "Tạm dừng",
    "resumed": "Tiếp tục xử lý",
    "payment_requested": "Thông báo nghĩa vụ tài chính",
    "paid": "Đã thực hiện nghĩa vụ tài chính",
    "leg_sent": "Lấy ý kiến cơ quan phối hợp",
    "leg_returned": "Nhận ý kiến cơ quan phối hợp",
    "extended": "Xin lỗi và hẹn lại ngày trả kết quả",
    "withdrawn": "Công dân rút hồ sơ",
    "stopped": "Dừng xử lý",
    "finished": "Hoàn thành xử lý",
    "returned": "Trả kết quả cho công dân",
}


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the catalogue as messages carry them; read once for many messages."""

    agencies: Mapping[str, str]
    procedures: Mapping[str, tuple[str, str]]  # code → name, field
    fields: Mapping[str, str]

    @staticmethod
    def load() -> Names:
        """The names as the catalogue has them now."""
        return Names(
            dict(Agency.objects.values_list("code", "name")),
            {code: (name, field) for code, name, field in Procedure.objects.values_list("code", "name", "field")},
            dict(Field.objects.values_list("code", "name")),
        )


def record(
    code: str, events: Sequence[Event], status: Status, names: Names, terms: Terms, owner: str
) -> dict[str, Any]:
    """The record of a dossier as of the last of these events."""
    standing = corrected(events)
    header = next(event for event in standing if isinstance(event, Registered))
    dossier = replay(code, events)
    facts = our_facts(standing, terms.of(header.procedure, header.agency))
    procedure, field = names.procedures.get(header.procedure, (header.procedure, ""))
    values = {
        "MaHoSo": code,
        "MaTTHC": header.procedure,
        "TenTTHC": procedure,
        "MaLinhVuc": field,
        "TenLinhVuc": names.fields.get(field, ""),
        "KenhThucHien": _CHANNEL.get(header.channel, "1"),
        "ChuHoSo": owner,
        "LoaiDoiTuong": "1",
        "TrichYeuHoSo": cut_to(procedure, 1000),
        "NgayTiepNhan": dates.build(dossier.accepted_at),
        "NgayHenTra": dates.build(due_there(facts)),
        "TrangThaiHoSo": str(int(status)),
        "NgayTra": dates.build(dossier.returned_at),
        "HinhThuc": "1" if header.channel == "post" else "0",
        "NgayKetThucXuLy": dates.build(dossier.finished_at),
        "DonViXuLy": names.agencies.get(header.agency, header.agency),
        "GhiChu": cut_to(events[-1].note, 2000),
        "NoiNopHoSo": "2",
        "HoSoCoThanhPhanSoHoa": "0",
        "TaiKhoanDuocXacThucVoiVNeID": "0",
        "DuocThanhToanTrucTuyen": "0",
        "NgayTuChoi": dates.build(dossier.ended_at if dossier.status is Status.REFUSED else None),
        "NgayNopHoSo": dates.build(header.submitted_at or dossier.accepted_at),
    }
    rounds = _rounds(standing, facts)
    paid = [{"TenPhiLePhi": "Lệ phí"} for event in standing if isinstance(event, PaymentRequested)]
    return build_record(values, {"DanhSachHoSoBoSung": rounds, "DanhSachLePhi": paid[:1]})


def due_there(facts: OurFacts) -> datetime | None:
    """The due instant that the portal should hold: the record's, as moved so far."""
    return facts.default.recorded


def _rounds(events: Sequence[Event], facts: OurFacts) -> list[dict[str, Any]]:
    """The supplement rounds with the due instants before and after (DanhSachHoSoBoSung)."""
    asked = [
        e for e in events if isinstance(e, SupplementRequested) and facts.accepted_at and e.at >= facts.accepted_at
    ]
    answers = [e for e in events if isinstance(e, SupplementReceived)]
    rows = []
    for number, request in enumerate(asked, 1):
        answer = next((a for a in answers if a.at >= request.at), None)
        rows.append(
            {
                "HoSoBoSungId": number,
                "NguoiYeuCauBoSung": cut_to(request.actor or "Chuyên viên", 50),
                "NoiDungBoSung": request.note or "Bổ sung giấy tờ",
                "NgayBoSung": dates.build(request.at),
                "NguoiTiepNhanBoSung": cut_to(answer.actor, 50) if answer else "",
                "ThongTinTiepNhan": "Đã nhận đủ" if answer else "",
                "NgayTiepNhanBoSung": dates.build(answer.at if answer else None),
                "TrangThaiBoSung": answer is not None,
                "DanhSachGiayToBoSung": [],
                "DanhSachLePhiBoSung": [],
                "NgayHenTraTruoc": dates.build(facts.slip_due_at),
                "NgayHenTraMoi": dates.build(facts.due_by_pauses_at if answer else None),
            }
        )
    return rows


def step(code: str, event: Event, status: Status) -> dict[str, Any]:
    """The processing step that an event is."""
    named = getattr(event, "step", "")
    content = _CONTENT[event.kind] + (f": {named}" if named else "")
    return build_step(
        {
            "MaHoSo": code,
            "NguoiXuLy": cut_to(event.actor or "Chuyên viên", 50),
            "ThoiDiemXuLy": dates.build(event.at),
            "PhongBanXuLy": event.unit,
            "NoiDungXuLy": content,
            "TrangThai": str(int(status)),
        }
    )


def owners(codes: Sequence[str]) -> dict[str, str]:
    """The owners' names of these dossiers, where they have not been erased."""
    return dict(PersonalValue.objects.filter(dossier__in=codes, field="applicant").values_list("dossier", "value"))
