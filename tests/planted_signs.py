"""Acts the province of planted signs out: events in the log, the portal's records, catalogue, payments."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from motcua.accounts.models import Post, User
from motcua.catalogue.models import Agency, Procedure, ProcessStep
from motcua.dossiers import log
from motcua.dossiers.importing.convert import PETITION_ACTS
from motcua.findings import requests, update
from motcua.findings.models import Finding
from motcua.inspection.life import Person
from motcua.inspection.signs import Sign
from motcua.mirror.catalogue import procedure as whole
from motcua.mirror.load import load
from motcua.mirror.models import Message, Pulled, Step
from motcua.oversight import extract, petitions, set_apart
from motcua.payments.models import Payment
from motcua.rules import events as e
from motcua.sample import signs
from motcua.sample.signs import Dossier, Planted


def act_out(planted: Planted, home: Path, folder: Path) -> None:
    """Everything that the checks read, by the ways on which it really comes."""
    now = signs.UNTIL
    _reference(planted, now)
    _log(planted, now)
    load([_messages(planted.dossiers, folder)], at=now)
    _arrivals(planted.dossiers)
    _petitions(planted.petitions, now)
    _set_apart(planted, now)
    Payment.objects.bulk_create(
        [
            Payment(
                reference=f"TT{n}", dossier=dossier.code, amount=signs.FEE, state=Payment.State.PAID,
                channel=Payment.Channel.PORTAL if dossier.paid == "online" else Payment.Channel.DESK,
                paid_at=dossier.received_at, known_at=now,
            )
            for n, dossier in enumerate(planted.dossiers)
            if dossier.paid
        ]
    )  # fmt: skip
    extract.run(home=home, at=now, full=True)
    for agency in planted.asked:
        _ask(agency, home)


def _reference(planted: Planted, now: datetime) -> None:
    Agency.objects.bulk_create(Agency(code=code, name=f"Xã {code}", level="commune") for code in planted.agencies)
    odd = {signs.ODD_PROCEDURE: ("5d", (("Chuyển hồ sơ", "4h"), ("Thẩm định", "28h"), ("Trình ký", "20h")), False)}
    for code, (limit, steps, fee) in (signs.PROCEDURES | odd).items():
        procedure = Procedure.objects.create(code=code, core=code, name=f"Thủ tục {code}", allotted=limit)
        ProcessStep.objects.bulk_create(
            ProcessStep(procedure=procedure, order=order, name=name, allotted=allotted)
            for order, (name, allotted) in enumerate(steps, 1)
        )
        body = whole(code, f"Thủ tục {code}", number=code, field="G99", field_name="Mẫu", days=limit[:-1])
        body["CACHTHUCTHUCHIEN"][0]["THOIGIAN"][0]["PHILEPHI"] = [{"SOTIEN": str(signs.FEE)}] if fee else []
        body["THANHPHANHOSO"][0]["GIAYTO"] = [
            {"MAGIAYTO": signs.FORM, "TENGIAYTO": "Đơn đề nghị", "TENMAUDON": "Mẫu 01"},
            {"MAGIAYTO": signs.PAPER, "TENGIAYTO": "Giấy xác nhận", "TENMAUDON": ""},
        ]
        body["KETQUATHUCHIEN"] = [{"MAKETQUA": signs.RESULT, "TENKETQUA": "Giấy chứng nhận"}]
        body |= {"TRINHTUTHUCHIEN": "x", "DOITUONGTHUCHIEN": "x", "COQUANTHUCHIEN": "x"}
        if code == signs.ODD_PROCEDURE:
            body["TRINHTUTHUCHIEN"] = ""
        text = json.dumps(body, ensure_ascii=False)
        Pulled.objects.create(kind="procedure", code=code, listed="{}", listed_at=now, body=text, pulled_at=now)
    account = User.objects.create_user(signs.ADMINISTRATOR, password="x")
    Post.objects.create(user=account, role=Post.Role.OPERATOR)


def _log(planted: Planted, now: datetime) -> None:
    """Keeps every event as it was told, in whatever order, as an import does."""
    with transaction.atomic():
        log.store_many([(dossier.code, "import", _events(dossier)) for dossier in planted.dossiers], stored_at=now)


def _events(dossier: Dossier) -> list[e.Event]:
    first = e.Registered(
        at=dossier.submitted_at or dossier.received_at, recorded_at=dossier.received_at, seq=1, source="một cửa",
        procedure=dossier.procedure, agency=dossier.agency, channel=dossier.channel, submitted_at=dossier.submitted_at,
        accepted_at=dossier.received_at, due_at=dossier.due_at, applicant=dossier.applicant,
        submitter=dossier.submitter, actor=dossier.official, unit=dossier.agency,
    )  # fmt: skip
    found: list[e.Event] = [first]
    for seq, told in enumerate(dossier.events, 2):
        kind = e.KINDS[told.kind]
        taken = {field.name for field in fields(kind)}
        facts = {"step": told.step, "due_at": told.due_at, "evidence_at": told.evidence_at, "note": told.note,
                 "document": {"yes": True, "no": False}.get(told.document)}  # fmt: skip
        kept = {name: value for name, value in facts.items() if name in taken and value not in (None, "")}
        found.append(
            kind(at=told.at, recorded_at=told.recorded_at, seq=seq, actor=told.actor, unit=dossier.agency, **kept)
        )
    return found


def _messages(dossiers: Iterable[Dossier], folder: Path) -> Path:
    file = folder / "messages.ndjson"
    with file.open("w", encoding="utf-8") as stream:
        for number, d in enumerate(dossiers):
            ended = any(told.kind in ("finished", "returned") for told in d.events)
            item = {
                "MaHoSo": d.code, "MaTTHC": d.procedure, "TenTTHC": "Mẫu", "DonViXuLy": d.agency,
                "ChuHoSo": d.applicant, "KenhThucHien": "2" if d.channel == "online" else "1",
                "NgayTiepNhan": f"{d.received_at:%Y%m%d%H%M%S}", "TrangThaiHoSo": "2",
                "NgayHenTra": f"{d.due_at:%Y%m%d%H%M%S}" if d.due_at else "", "HinhThuc": "1" if d.by_post else "0",
                "TaiLieuNop": [
                    {"TenTepDinhKem": "x.pdf", "MaThanhPhanHoSo": component, "DuocSoHoa": "1" if digital else "0",
                     "DuongDanTaiTepTin": f"https://tep.example/{number}/{component}" if digital else "",
                     "DuocTaiSuDung": "0", "DuocLayTuKhoDMQG": "0", "IsDeleted": "False"}
                    for component, digital in d.papers
                ],
                "DanhSachGiayToKetQua": [
                    {"TenGiayTo": "kq.pdf", "MaGiayToKetQua": signs.RESULT,
                     "DuongDanTepTinKetQua": f"https://tep.example/{number}/kq"}
                ] if ended and d.result else [],
            }  # fmt: skip
            message = {
                "session": "s",
                "madonvi": "H99",
                "service": "DongBoHoSoMC",
                "isUpdating": "False",
                "data": [item],
            }
            stream.write(json.dumps(message, ensure_ascii=False) + "\n")
    return file


def _arrivals(dossiers: Iterable[Dossier]) -> None:
    """The portal's step of each end, as it came over the wire."""
    message = Message.objects.create(received_at=signs.UNTIL, body=b"", http=200)
    steps = []
    for d in dossiers:
        end = next((told for told in d.events if told.kind == "finished"), None)
        if end is None:
            continue
        arrived = end.recorded_at + timedelta(minutes=d.arrives_after)
        steps.append(Step(side="held", code=d.code, status="9", at=end.at, body="{}", stored_at=arrived,
                          message=message.pk, digest=len(steps).to_bytes(16, "big")))  # fmt: skip
    Step.objects.bulk_create(steps)


def _petitions(rows: Iterable[dict[str, str]], now: datetime) -> None:
    columns = ("petition", "agency", "received_at", *PETITION_ACTS)
    petitions.keep(([row.get(name, "") for name in columns] for row in rows), file="petitions.csv", at=now)


def _set_apart(planted: Planted, now: datetime) -> None:
    set_apart.name_machine(signs.MACHINE, by="mai", at=now, note="trả kết quả tự động")
    for agency, what, start, end, caught_up in planted.outages:
        set_apart.declare_outage(what=what, agency=agency, from_at=start, to_at=end, caught_up_at=caught_up,
                                 document="12/BB", by="mai", at=now)  # fmt: skip


def _ask(agency: str, home: Path) -> None:
    """A request for an explanation that nobody answered by its date."""
    mai, then = Person(name="mai", role="inspector"), signs.UNTIL - timedelta(days=20)
    sign = Sign(check="overdue", subject=agency, kind="unit", agency=agency, evidence={"cases": 1})
    update.settle(home, [sign], seen=(), library={}, at=then)
    requests.send([Finding.objects.get(subject=agency).pk], by=mai, at=then, days=3)
