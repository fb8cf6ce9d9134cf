"""The messages of one event: the record as of that event, never as of the sending, and its step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motcua.catalogue.models import Agency, Field, Procedure
from motcua.catalogue.terms import Terms
from motcua.ledger.models import PersonalValue
from motcua.payments import carried
from motcua.rules import events as e
from motcua.rules.dossier import Dossier, Status, corrected, replay
from motcua.rules.enclosures import Paper, Result
from motcua.rules.events import (
    Event,
    Finished,
    LegSent,
    PaymentRequested,
    Received,
    Refused,
    Registered,
    Returned,
    StepFinished,
    StepStarted,
    Stopped,
    SupplementReceived,
    SupplementRequested,
    Suspended,
)
from motcua.rules.verdicts import our_facts
from motcua.wire import dates, enclosed
from motcua.wire.messages import build_record, build_step, cut_to
from motcua.wire.profile import Profile

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


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the portal takes free texts, in characters; longer ones are cut where the reader sees it.

    `fee_kinds`: whether LoaiPhiLePhi is told at all, since two catalogues of it contradict each other (contract §3.1).
    """

    person: int = 50
    summary: int = 1000
    note: int = 2000
    content: int = 2000
    fee_kinds: bool = True

    @staticmethod
    def of(profile: Profile) -> Limits:
        """The limits of a portal."""
        return Limits(profile.max_person, profile.max_summary, profile.max_note, profile.max_content,
                      profile.fee_kinds == "bill")  # fmt: skip

    def tighter(self) -> Limits:
        """Half of each, for a portal that finds a text too long though it promised otherwise."""
        return Limits(max(self.person // 2, 10), self.summary // 2, self.note // 2, self.content // 2, self.fee_kinds)


@dataclass(frozen=True, slots=True)
class Told:
    """A record message, with what is kept of it once it is acknowledged."""

    body: dict[str, Any]
    status: Status
    due_at: datetime | None
    after: Dossier  # as it stood then


def record(
    code: str, events: Sequence[Event], status: Status, names: Names, terms: Terms, owner: str,
    limits: Limits | None = None, filed: Mapping[str, Any] | None = None, payments: Sequence[carried.Entry] = (),
) -> Told:  # fmt: skip
    """The record of a dossier as of the last of these events; of its `payments`, what was known by then.

    `filed`: what the portal sent of a dossier that was filed there. What our events do not hold is told back as it
    came, since an empty field would wipe it out there.
    """
    limits = limits or Limits()
    standing = corrected(events)
    header = next(event for event in standing if isinstance(event, Registered))
    dossier = replay(code, events)
    due_at = _due_there(standing, header, terms)
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
        "TrichYeuHoSo": cut_to(procedure, limits.summary),
        "NgayTiepNhan": dates.build(dossier.accepted_at),
        "NgayHenTra": dates.build(due_at),
        "TrangThaiHoSo": str(int(status)),
        "NgayTra": dates.build(dossier.returned_at),
        "HinhThuc": "1" if header.channel == "post" else "0",
        "NgayKetThucXuLy": dates.build(dossier.finished_at),
        "DonViXuLy": names.agencies.get(header.agency, header.agency),
        "GhiChu": cut_to(events[-1].note, limits.note),
        "NoiNopHoSo": "2",
        "HoSoCoThanhPhanSoHoa": "1" if any(paper.digitised for _, paper in _papers(standing)) else "0",
        "TaiKhoanDuocXacThucVoiVNeID": "0",
        "DuocThanhToanTrucTuyen": carried.flag(payments, known_by=events[-1].recorded_at),
        "NgayTuChoi": dates.build(dossier.ended_at if dossier.status is Status.REFUSED else None),
        "NgayNopHoSo": dates.build(header.submitted_at or dossier.accepted_at),
    }
    lists: dict[str, list[Any]] = {
        "DanhSachHoSoBoSung": _rounds(standing, header, dossier.accepted_at, terms, limits),
        "DanhSachLePhi": _fees(standing, carried.fees(payments, known_by=events[-1].recorded_at), limits),
        "DanhSachGiayToKetQua": [enclosed.result_row(each) for each in _results(standing)],
        "TaiLieuNop": [enclosed.paper_row(each) for _, each in _papers(standing)],
    }
    if filed is not None:
        own = {name: value for name, value in filed.items() if value not in (None, "", [])}
        values = {**{k: v for k, v in own.items() if not isinstance(v, list)}, **values, "NoiNopHoSo": "1"}
        paid = values["DuocThanhToanTrucTuyen"]
        values.update({name: own[name] for name in _AS_FILED if name in own})
        if paid != carried.NONE:
            values["DuocThanhToanTrucTuyen"] = paid
        if own.get("TaiLieuNop"):  # as the applicant filed them there, then what came to us
            later = (paper for act, paper in _papers(standing) if act is not header)
            lists["TaiLieuNop"] = [*own["TaiLieuNop"], *map(enclosed.paper_row, later)]
        kept = {name: value for name, value in own.items() if isinstance(value, list)}
        lists = {**kept, **{name: value for name, value in lists.items() if value or name not in kept}}
    return Told(build_record(values, lists), status, due_at, dossier)


#: Fields for which we have a constant, and the portal the fact.
_AS_FILED = ("LoaiDoiTuong", "TrichYeuHoSo", "HinhThuc", "HoSoCoThanhPhanSoHoa", "TaiKhoanDuocXacThucVoiVNeID",
             "DuocThanhToanTrucTuyen")  # fmt: skip


def _due_there(events: Sequence[Event], header: Registered, terms: Terms) -> datetime | None:
    """The due instant that the portal should hold: the record's, as moved so far. Steps and opinions never move it."""
    telling = [event for event in events if event.kind not in _NEVER_MOVES]
    return our_facts(telling, terms.of(header.procedure, header.agency)).default.recorded


_NEVER_MOVES = frozenset({"step_started", "step_finished", "leg_sent", "leg_returned"})


def _rounds(
    events: Sequence[Event], header: Registered, accepted_at: datetime | None, terms: Terms, limits: Limits
) -> list[dict[str, Any]]:
    """The supplement rounds after acceptance, each with the due instants before and after it."""
    rows: list[dict[str, Any]] = []
    for index, request in enumerate(events):
        if not isinstance(request, SupplementRequested) or accepted_at is None or request.at < accepted_at:
            continue
        rest = range(index + 1, len(events))
        answered = next((n for n in rest if isinstance(events[n], SupplementReceived)), None)
        answer = events[answered] if answered is not None else None
        after = _due_there(events[: answered + 1], header, terms) if answered is not None else None
        rows.append(
            {
                "HoSoBoSungId": len(rows) + 1,
                "NguoiYeuCauBoSung": cut_to(request.actor or "Chuyên viên", limits.person),
                "NoiDungBoSung": cut_to(request.note or "Bổ sung giấy tờ", limits.note),
                "NgayBoSung": dates.build(request.at),
                "NguoiTiepNhanBoSung": cut_to(answer.actor, limits.person) if answer else "",
                "ThongTinTiepNhan": "Đã nhận đủ" if answer else "",
                "NgayTiepNhanBoSung": dates.build(answer.at if answer else None),
                "TrangThaiBoSung": answer is not None,
                "DanhSachGiayToBoSung": [enclosed.paper_row(paper) for paper in answer.papers]
                if isinstance(answer, SupplementReceived)
                else [],
                "DanhSachLePhiBoSung": [],
                "NgayHenTraTruoc": dates.build(_due_there(events[:index], header, terms)),
                "NgayHenTraMoi": dates.build(after),
            }
        )
    return rows


def _fees(events: Sequence[Event], paid: Sequence[dict[str, str]], limits: Limits) -> list[dict[str, Any]]:
    """The fees that the events state, then those of payments that no event states.

    A financial duty of which neither tells the amount is told by its name: amount and code stay empty.
    """
    rows, unstated = [], []
    for event in events:
        if isinstance(event, Received | PaymentRequested):
            at_hand = "acceptance" if isinstance(event, Received) else ""
            rows += [enclosed.fee_row(fee, collected=at_hand, kinds=limits.fee_kinds) for fee in event.fees]
            if isinstance(event, PaymentRequested) and not event.fees:
                unstated.append(enclosed.duty_row(event.note or "Nghĩa vụ tài chính"))
    told = {(row["MaPhiLePhi"] or row["TenPhiLePhi"], row["Gia"]) for row in rows}
    more = [row for row in paid if (row["MaPhiLePhi"] or row["TenPhiLePhi"], row["Gia"]) not in told]
    return [*rows, *(more or unstated)]


def _results(events: Sequence[Event]) -> list[Result]:
    """The results so far, each once: what the return tells again, perhaps more fully, replaces what the end told."""
    found: dict[tuple[str, ...], Result] = {}
    for event in events:
        for result in event.results if isinstance(event, Finished | Returned) else ():
            found[(result.code, result.file or result.name)] = result
    return list(found.values())


def _papers(events: Sequence[Event]) -> list[tuple[Event, Paper]]:
    """The papers handed in so far, each with the act that brought it."""
    return [(event, paper) for event in events if isinstance(event, Registered | SupplementReceived)
            for paper in event.papers]  # fmt: skip


#: Acts in the course of the work: what they report is the dossier's state, not a new one.
_IN_PASSING = frozenset({"step_started", "step_finished", "leg_sent", "leg_returned", "extended", "suspended"})
_GOES_ON = frozenset({"supplement_requested", "supplement_received", "payment_requested", "paid", "resumed"})


def is_step(event: Event, after: Dossier) -> bool:
    """Whether an event is a step of the portal's log; if not, the record alone carries it.

    The portal reads its log by the statuses alone: a second 5 is a second request, any other status after a 5 ends
    the waiting, a 9 is a finish, and work after a finish is a regression. So what happens in passing while the
    dossier waits or has ended must not repeat or end that state there.
    """
    if event.kind in _IN_PASSING:
        return not after.has_ended and after.status not in (Status.SUPPLEMENT, Status.PAYMENT)
    if event.kind in _GOES_ON:
        return not after.has_ended
    return event.kind != "returned" or after.status is Status.RETURNED


def step(
    code: str, events: Sequence[Event], status: Status, names: Names, limits: Limits | None = None
) -> dict[str, Any]:
    """The processing step that the last of these events is."""
    limits = limits or Limits()
    event = events[-1]
    match event:
        case StepStarted() | StepFinished():
            detail = event.step
        case Refused() | Stopped() | Suspended():
            detail = event.reason
        case LegSent():
            detail = names.agencies.get(event.to, event.to)
        case _:
            detail = event.note
    begun = None
    if isinstance(event, StepFinished):
        same = (e for e in reversed(events[:-1]) if isinstance(e, StepStarted) and e.step == event.step)
        begun = next(same, None)
    due_at = event.due_at if isinstance(event, StepStarted) else begun.due_at if begun else None
    return build_step(
        {
            "MaHoSo": code,
            "NguoiXuLy": cut_to(event.actor or "Chuyên viên", limits.person),
            "ThoiDiemXuLy": dates.build(event.at),
            "PhongBanXuLy": names.agencies.get(event.unit, event.unit),
            "NoiDungXuLy": cut_to(_CONTENT[event.kind] + (f": {detail}" if detail else ""), limits.content),
            "TrangThai": str(int(status)),
            "NgayBatDau": dates.build(begun.at if begun else None),
            "NgayKetThucTheoQuyDinh": dates.build(due_at),
        }
    )


Private = Mapping[int, Mapping[str, Mapping[str, Any]]]


def private(codes: Sequence[str]) -> dict[str, Private]:
    """What leads to the papers of these dossiers, by dossier, event and place, where it has not been erased."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    rows = PersonalValue.objects.filter(dossier__in=codes).exclude(field__in=e.PERSONAL)
    for code, seq, place, value in rows.values_list("dossier", "seq", "field", "value"):
        found.setdefault(code, {}).setdefault(seq, {})[place] = json.loads(value)
    return dict(found)


def opened(events: Sequence[Event], values: Private | None) -> list[Event]:
    """The events with what leads to their papers filled in."""
    return [e.opened(event, values[event.seq]) if values and event.seq in values else event for event in events]


def owners(codes: Sequence[str]) -> dict[str, str]:
    """The owners' names of these dossiers, where they have not been erased."""
    return dict(PersonalValue.objects.filter(dossier__in=codes, field="applicant").values_list("dossier", "value"))
