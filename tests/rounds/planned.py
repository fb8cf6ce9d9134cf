"""A small province with a round over it: three units, a few faults, two inspectors and a ward."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.story import Case, at

from motcua.accounts.models import Post, User
from motcua.dossiers import log
from motcua.dossiers.importing.run import Order, import_files
from motcua.findings import record
from motcua.findings.models import Finding
from motcua.inspection import sampling
from motcua.inspection.life import Person
from motcua.mirror.load import load
from motcua.oversight import extract
from motcua.rounds import draw, freezing, plan
from motcua.rounds.models import Round
from motcua.rounds.plan import Plan
from motcua.rules import events as e

NOW = at("2026-04-01T09:00")
SEAL_AFTER = at("2026-04-01T10:00")
DRAWN = at("2026-04-01T10:30")
NONCE, SALT = "mưa bóng mây", "a1b2c3"
WARDS = ("H99.12", "H99.13", "H99.14")


def province(home: Path, folder: Path) -> None:
    """Ten dossiers a ward: one clicked late, one truly late, one whose finish never reached the portal."""
    case = Case()
    for ward in WARDS:
        for n in range(10):
            code = f"{ward}-260302-{n:04}"
            case.dossier(code, agency=ward, applicant=f"Trần Thị Thử {n}")
            late = n in (0, 1)
            when = "2026-03-10T10:00" if late else "2026-03-06T10:00"
            case.event(code, "finished", when, evidence="2026-03-06T15:00" if n == 0 else "")
            case.record(code, 2 if n == 2 else 9, updating=False, DonViXuLy=ward)
            if n != 2:
                case.step(code, 9, when.replace("-", "").replace("T", "").replace(":", "") + "00")
    dossiers, events, messages = case.write(folder)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)


def people(password: str | None = None) -> None:
    """A lead, two members, a head and a focal point of the first ward, a head of the second."""
    for name, full_name, role, agency in (
        ("truongdoan", "Lê Thị Trưởng", "inspector", ""), ("thanhvien", "Phạm Văn Viên", "inspector", ""),
        ("nguoithu3", "Vũ Thị Ba", "inspector", ""), ("phuong12", "Đỗ Văn Phường", "unit_head", "H99.12"),
        ("phuong13", "Hồ Thị Xã", "unit_head", "H99.13"), ("ngoaidoan", "Bùi Văn Ngoài", "inspector", ""),
    ):  # fmt: skip
        person = User.objects.create_user(name, password=password, full_name=full_name)
        Post.objects.create(user=person, role=role, agency=agency)


def planned(**more: Any) -> Round:
    """A round over the quarter, nine of its thirty dossiers."""
    given: dict[str, Any] = {
        "title": "Kiểm tra từ xa quý I/2026", "period": "2026-Q1", "lead": "truongdoan",
        "members": ("thanhvien", "nguoithu3"), "decision_number": "12/QĐ-UBND",
        "decision_on": NOW.date(), "size": 12, "least": 2, "agencies": WARDS,
        "checks": ("late_entry", "update_not_sent"),
    }  # fmt: skip
    return plan.open_(Plan(**given | more), by="truongdoan", at=NOW)


def explained(number: int, *, reason: str = "other_evidence", by: str = "phuong12", at: datetime) -> None:
    """A unit's head answers a finding."""
    head = Person(name=by, role="unit_head", agency=Finding.objects.get(pk=number).agency)
    body = {"reason": reason, "text": "đã ký số trước hạn", "number": "12/UBND", "dated_on": "2026-03-06",
            "remedy": "bấm ngay khi xong"}  # fmt: skip
    record.act(number, "drafted", by=head, at=at, body=body)
    record.act(number, "answered", by=head, at=at)


def something_happens(code: str = "H99.12-260302-0000", when: datetime | None = None) -> None:
    """The log grows: an event of any dossier."""
    moment = when or SEAL_AFTER + timedelta(minutes=5)
    log.Log.locked(code, now=moment).append(e.Returned(at=moment, recorded_at=moment, seq=0, actor="P1", unit="A"))


def sealed(home: Path, **more: Any) -> Round:
    """A round whose plan is frozen and sealed, with an event after the instant that it waits for."""
    round_ = planned(**more)
    freezing.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
    draw.commit(round_.pk, sampling.commitment(NONCE, SALT), by="thanhvien", at=NOW)
    return draw.seal(round_.pk, seal_after=SEAL_AFTER, by="truongdoan", at=NOW)


def drawn(home: Path, **more: Any) -> Round:
    """A round whose sample is drawn."""
    from django.db import transaction

    round_ = sealed(home, **more)
    with transaction.atomic():
        something_happens()
    return draw.draw(round_.pk, nonce=NONCE, salt=SALT, home=home, by="thanhvien", at=DRAWN)
