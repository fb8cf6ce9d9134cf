"""Takes in what the national portal sends: filed dossiers, once and whole, acknowledged; other messages kept with them.

A dossier filed there is known here under the portal's own code, so that nothing needs to be mapped back. It is
registered with the instant at which it was filed, which starts the reception clock; accepting it is the desk's act.
The raw message is kept before it is read, and the acknowledgement goes out after all of it is stored: whoever gets
none sends again, and is told that it is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, AgencyName, Field, Procedure
from motcua.dossiers import reception
from motcua.dossiers.models import AlternativeCode, DossierRow
from motcua.exchange.models import Incoming
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Actor, Refused
from motcua.wire import filed
from motcua.wire.codes import agency_forms, procedure_core
from motcua.wire.messages import BadItem, read_json, text_of

#: The doors of contract §3.11 that take something in.
FILED, PROMOTION, TAX = "nhanhsdvcqg", "addtthcKhuyenMai", "nhantbthuedvcqg"
DOORS = (FILED, PROMOTION, TAX)
#: The source of the dossiers that were filed there.
SOURCE = "Cổng DVCQG"
#: How far the portal's clock may be ahead of ours.
_AHEAD = timedelta(minutes=10)
TAKEN, DUPLICATE, BAD = 0, 1, -1


@dataclass(frozen=True, slots=True)
class Answer:
    """The acknowledgement that the contract asks for: 0 taken, 1 known already, -1 not understood."""

    error_code: int
    message: str

    def document(self) -> dict[str, Any]:
        """As it goes out."""
        return {"error_code": self.error_code, "message": self.message}


def take(body: bytes, *, door: str, at: datetime) -> Answer:
    """One message at one of DOORS. What cannot be read is kept, and refused."""
    incoming = Incoming.objects.create(received_at=at, door=door, body=body)
    with transaction.atomic():
        answer, incoming.state = _read(incoming, body, door, at)
        incoming.reply = json.dumps(answer.document(), ensure_ascii=False)
        incoming.save()
        if incoming.state == Incoming.State.TAKEN:
            link(at=at, codes=[incoming.code])
    return answer


def _read(incoming: Incoming, body: bytes, door: str, at: datetime) -> tuple[Answer, str]:
    try:
        request = read_json(body)
        if not isinstance(request, dict):
            raise Unreadable("Nội dung JSON phải là một đối tượng")
        data = request.get("data", request)
        data = data[0] if isinstance(data, list) and len(data) == 1 else data
        incoming.service, incoming.code = text_of(request.get("service"))[:64], filed.code_of(data)[:200]
        updating = text_of(request.get("isUpdating")).lower() in ("1", "true")
        if door == TAX or updating:
            if not incoming.code:
                raise BadItem("", "Thiếu mã hồ sơ")
            return _for_dossier(incoming, at)
        return _new(filed.parse_filed(data), at)
    except Unreadable as error:
        return Answer(BAD, f"{incoming.code}| {error}"), Incoming.State.REFUSED


def _new(dossier: filed.Filed, at: datetime) -> tuple[Answer, str]:
    """A dossier filed on the portal is registered here. Raises `BadItem`."""
    procedure, agency = _procedure(dossier), _agency(dossier)
    submitted_at = dossier.submitted_at or at
    if submitted_at > at + _AHEAD:
        raise BadItem(dossier.code, "NgayNopHoSo ở tương lai")
    try:
        reception.submit(
            code=dossier.code, procedure=procedure, agency=agency, by=Actor(name=SOURCE, unit=agency),
            at=submitted_at, now=at, channel=dossier.channel, applicant=dossier.applicant, source=SOURCE,
            papers=dossier.papers,
        )  # fmt: skip
    except Refused as refused:
        if refused.code != "dossier.known":
            raise
        return Answer(DUPLICATE, f"{dossier.code}| Hồ sơ đã tồn tại"), Incoming.State.DUPLICATE
    return Answer(TAKEN, f"{dossier.code}| Tiếp nhận hồ sơ thành công"), Incoming.State.TAKEN


def _procedure(dossier: filed.Filed) -> str:
    """Our code of its procedure: the same, else the one with the same national core."""
    known = Procedure.objects.filter(code=dossier.procedure).values_list("code", flat=True).first()
    core = Procedure.objects.filter(core=procedure_core(dossier.procedure)).order_by("code")
    found = known or core.values_list("code", flat=True).first()
    if found is None:
        raise BadItem(dossier.code, f"thủ tục {dossier.procedure} không có trong danh mục của tỉnh")
    return found


def _agency(dossier: filed.Filed) -> str:
    """The agency that a code (of either generation) or a name means."""
    code = Agency.objects.filter(code__in=agency_forms(dossier.unit)).values_list("code", flat=True).first()
    if code is not None:
        return code
    folded = fold(dossier.unit)
    named = Agency.objects.filter(folded=folded).values_list("code", flat=True)[:2]
    mapped = AgencyName.objects.filter(name=folded).values_list("agency_id", flat=True).first()
    if mapped is None and len(named) == 1:
        mapped = named[0]
    if mapped is None:
        raise BadItem(dossier.code, f"đơn vị {dossier.unit!r} không có trong danh mục của tỉnh")
    return mapped


def _for_dossier(incoming: Incoming, at: datetime) -> tuple[Answer, str]:
    """A message about a dossier: linked to it, or kept until it is there."""
    code = local_code(incoming.code)
    if code is None:
        return Answer(TAKEN, f"{incoming.code}| Đã lưu, chờ hồ sơ (chưa có hồ sơ này)"), Incoming.State.WAITING
    incoming.linked_at = at
    return Answer(TAKEN, f"{code}| Đã nhận, gắn với hồ sơ"), Incoming.State.LINKED


def local_code(code: str) -> str | None:
    """The code under which a dossier is known here; None where it is not."""
    if DossierRow.objects.filter(code=code).exists():
        return code
    return AlternativeCode.objects.filter(code=code).values_list("dossier", flat=True).first()


def link(*, at: datetime, codes: Sequence[str] | None = None) -> int:
    """Links messages whose dossiers have come in the meantime; returns how many."""
    waiting = Incoming.objects.filter(state=Incoming.State.WAITING)
    if codes is not None:
        waiting = waiting.filter(code__in=codes)
    here = [code for code in waiting.values_list("code", flat=True).distinct() if local_code(code) is not None]
    linked = 0
    for start in range(0, len(here), 500):
        some = Incoming.objects.filter(state=Incoming.State.WAITING, code__in=here[start : start + 500])
        linked += some.update(state=Incoming.State.LINKED, linked_at=at)
    return linked


def unfinished(*, at: datetime) -> int:
    """Reads again what was kept and not read when we were killed; returns how many."""
    count = 0
    for row in Incoming.objects.filter(state=Incoming.State.NEW, received_at__lt=at - _AHEAD).order_by("pk"):
        with transaction.atomic():
            incoming = Incoming.objects.select_for_update().get(pk=row.pk)
            if incoming.state == Incoming.State.NEW:
                answer, incoming.state = _read(incoming, bytes(incoming.body), incoming.door, at)
                incoming.reply = json.dumps(answer.document(), ensure_ascii=False)
                incoming.save()
                count += 1
    return count


def as_filed(codes: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What the portal sent of these dossiers when they were filed there."""
    rows = Incoming.objects.filter(state=Incoming.State.TAKEN, code__in=codes)
    found = {}
    for row in rows:
        request = read_json(bytes(row.body))
        data = request.get("data", request)
        found[row.code] = data[0] if isinstance(data, list) else data
    return found


def look_up(code: str) -> dict[str, str]:
    """A dossier as the portal's direct look-up asks for it (contract §3.11)."""
    known = local_code(code)
    row = DossierRow.objects.filter(code=known).first() if known else None
    if row is None:
        return {"error_code": "-1", "message": f"Không tìm thấy hồ sơ {code}"}
    procedure = Procedure.objects.filter(code=row.procedure).first()
    field = procedure.field if procedure else ""
    return {
        "MaHoSo": row.code,
        "MaTTHC": row.procedure,
        "TenTTHC": procedure.name if procedure else row.procedure,
        "MaLinhVuc": field,
        "TenLinhVuc": Field.objects.filter(code=field).values_list("name", flat=True).first() or "",
        "LoaiDoiTuong": "1",
        "TrangThaiHoSo": str(row.status),
        "HinhThuc": "1" if row.channel == "post" else "0",
        "DonViXuLy": Agency.objects.filter(code=row.agency).values_list("name", flat=True).first() or row.agency,
    }
