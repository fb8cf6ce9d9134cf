"""Papers, fees and results: from the desk or a file through the log and the wire to the portal, and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.exchange import desk
from tests.served import served
from tests.story import DOSSIERS, EVENTS, at

from motcua.dossiers import log, reception, result, steps, verify, waiting
from motcua.dossiers.importing.run import Order, Refusal, import_files
from motcua.exchange import dead_letters, deliver, deliveries, messages, read_back, resend
from motcua.exchange.models import Delivery, Difference
from motcua.ledger.models import EventRow, PersonalValue
from motcua.mirror import door, held
from motcua.mirror.client import Portal
from motcua.mirror.faults import Fault, Plan
from motcua.mirror.models import Record, RecordVersion
from motcua.mirror.server import Server
from motcua.oversight import explain, extract
from motcua.payments.models import Payment
from motcua.rules.enclosures import Fee, Paper, Result
from motcua.rules.moves import Refused
from motcua.web.console import sync_words
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW, CODE = desk.NOW, "H99.12-260302-0001"
RECORDS = "DongBoHoSoMC"
APPLICATION = Paper(name="Đơn đăng ký của Trần Thị Thử", component="TP01", file="50001",
                    address="https://kho.h99.example/don/50001.pdf", digitised=True)  # fmt: skip
DEED = Paper(name="Hợp đồng", component="TP02", file="50002", address="https://kho.h99.example/hd.pdf?v=1")
DUE_NOW = Fee(name="Phí thẩm định", code="PH01", amount=50_000, kind="fee")
DUE_LATER = Fee(name="Lệ phí cấp giấy", code="LP07", amount=150_000, kind="charge", collected="return")
LICENCE = Result(name="Giấy phép của Trần Thị Thử", code="KQ.G07.000122", file="88",
                 address="https://kho.h99.example/kq/88.pdf")  # fmt: skip


@pytest.fixture
def faults() -> Plan:
    """What the portal does wrong; tests fill it."""
    return Plan()


@pytest.fixture
def portal(faults: Plan) -> Iterator[Portal]:
    """A client of the mirror's server over HTTP."""
    with served(door.application(Server(Profile(), faults), lambda: NOW)) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        yield client
        client.close()


def _handled() -> None:
    by: dict[str, Any] = {"by": desk.CLERK, "now": NOW, "code": CODE}
    reception.submit(procedure="1.000001", agency="H99.12", at=at("2026-03-02T08:00"), allotted="5d",
                     applicant="Trần Thị Thử", papers=(APPLICATION,), **by)  # fmt: skip
    reception.receive(at=at("2026-03-02T08:30"), fees=(DUE_NOW,), **by)
    waiting.request_supplement(at=at("2026-03-03T08:00"), document=True, **by)
    waiting.receive_supplement(at=at("2026-03-05T08:00"), papers=(DEED,), **by)
    waiting.request_payment(at=at("2026-03-06T08:00"), document=True, fees=(DUE_LATER,), **by)
    waiting.pay(at=at("2026-03-06T10:00"), **by)
    steps.start(step="Ký", at=at("2026-03-06T11:00"), **by)
    steps.finish(step="Ký", at=at("2026-03-09T08:00"), **by)
    result.finish(at=at("2026-03-09T09:00"), results=(LICENCE,), **by)
    result.return_result(at=at("2026-03-10T09:00"), **by)


def _delivered(portal: Portal) -> dict[str, Any]:
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    return json.loads(Record.objects.get(side="held", code=CODE).body)


def test_what_the_acts_enclose_reaches_the_portal_and_reads_back_equal(portal: Portal) -> None:
    _handled()
    held_there = _delivered(portal)
    assert held_there["DanhSachLePhi"] == [
        {"TenPhiLePhi": "Phí thẩm định", "MaPhiLePhi": "PH01", "HinhThucThu": "1", "Gia": "50000", "LoaiPhiLePhi": "1"},
        {"TenPhiLePhi": "Lệ phí cấp giấy", "MaPhiLePhi": "LP07", "HinhThucThu": "4", "Gia": "150000",
         "LoaiPhiLePhi": "2"},
    ]  # fmt: skip
    assert held_there["DanhSachGiayToKetQua"] == [
        {"TenGiayTo": "Giấy phép của Trần Thị Thử", "MaThanhPhanHoSo": "", "GiayToId": "88",
         "DuongDanTepTinKetQua": "https://kho.h99.example/kq/88.pdf", "MaGiayToKetQua": "KQ.G07.000122"}
    ]  # fmt: skip
    assert [row["TepDinhKemId"] for row in held_there["TaiLieuNop"]] == ["50001", "50002"]
    assert held_there["HoSoCoThanhPhanSoHoa"] == "1"
    [supplement] = held_there["DanhSachHoSoBoSung"]
    assert [row["TenTepDinhKem"] for row in supplement["DanhSachGiayToBoSung"]] == ["Hợp đồng"]
    assert read_back.run(portal=portal, at=NOW + timedelta(hours=1)).differences == {}


def test_each_event_tells_only_what_was_enclosed_by_then(portal: Portal) -> None:
    _handled()
    _delivered(portal)
    versions = [json.loads(row.body) for row in RecordVersion.objects.filter(code=CODE).order_by("version")]
    assert [len(body["TaiLieuNop"]) for body in versions] == [1, 1, 1, 2, 2, 2, 2]
    assert [len(body["DanhSachLePhi"]) for body in versions] == [0, 1, 1, 1, 2, 2, 2]
    assert [len(body["DanhSachGiayToKetQua"]) for body in versions] == [0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("damage", "name", "ours", "there"),
    [
        (("DanhSachGiayToKetQua", 0, "DuongDanTepTinKetQua", ""), "DanhSachGiayToKetQua 1 DuongDanTepTinKetQua",
         "https://kho.h99.example/kq/88.pdf", ""),
        (("DanhSachGiayToKetQua", 0, "MaGiayToKetQua", "KQ9"), "DanhSachGiayToKetQua 1 MaGiayToKetQua",
         "KQ.G07.000122", "KQ9"),
        (("DanhSachLePhi", 1, "Gia", "1500000"), "DanhSachLePhi 2 Gia", "150000", "1500000"),
        (("DanhSachLePhi", 0, "HinhThucThu", "4"), "DanhSachLePhi 1 HinhThucThu", "1", "4"),
        (("TaiLieuNop", 1, "TepDinhKemId", "1"), "TaiLieuNop 2 TepDinhKemId", "50002", "1"),
    ],
    ids=["the result's address", "the result's code", "an amount", "when it is collected", "a paper's file"],
)  # fmt: skip
def test_a_field_that_is_another_there_is_named_and_nothing_else(
    portal: Portal, damage: tuple[str, int, str, str], name: str, ours: str, there: str
) -> None:
    _handled()
    body = _delivered(portal)
    list_, row, column, value = damage
    body[list_][row][column] = value
    Record.objects.filter(side="held").update(body=json.dumps(body, ensure_ascii=False))
    read_back.run(portal=portal, at=NOW + timedelta(hours=1), repair="ours")
    [found] = Difference.objects.all()
    assert (found.name, found.ours, found.there, found.why) == (name, ours, there, "not_shown")
    words = sync_words.difference(found.name, found.ours, found.there)
    assert not any(field in words for field in ("DanhSach", "TaiLieu", column)), words
    deliver.Deliverer(portal).run(at=NOW + timedelta(hours=1))  # repaired by itself: what we sent is there again
    assert read_back.run(portal=portal, at=NOW + timedelta(hours=2), codes=[CODE]).differences == {}


def test_another_spelling_of_the_same_amount_or_address_is_no_difference(portal: Portal) -> None:
    _handled()
    body = _delivered(portal)
    body["DanhSachLePhi"][1]["Gia"] = "150.000"
    body["TaiLieuNop"][1]["DuongDanTaiTepTin"] = "https://kho.h99.example/hd.pdf?t=20260312"
    Record.objects.filter(side="held").update(body=json.dumps(body, ensure_ascii=False))
    assert read_back.run(portal=portal, at=NOW + timedelta(hours=1)).differences == {}


def test_a_missing_row_is_told_as_the_whole_list(portal: Portal) -> None:
    _handled()
    body = _delivered(portal)
    del body["DanhSachLePhi"][0]
    Record.objects.filter(side="held").update(body=json.dumps(body, ensure_ascii=False))
    read_back.run(portal=portal, at=NOW + timedelta(hours=1))
    assert Difference.objects.get().name == "DanhSachLePhi"


def test_a_refused_result_is_replayed_with_everything_in_it(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, RECORDS, 9] = Fault("refuse", message="mã thủ tục không có trong danh mục")
    _handled()
    _delivered(portal)
    dead = Delivery.objects.get(state="dead")
    assert json.loads(dead.request)["data"][0]["DanhSachGiayToKetQua"][0]["MaGiayToKetQua"] == "KQ.G07.000122"
    faults._faults.clear()
    dead_letters.replay(dead_letters.select(), at=NOW)
    assert len(_delivered(portal)["DanhSachGiayToKetQua"]) == 1
    resend.send_again([CODE], at=NOW)
    assert desk.differences([CODE]) == []


def test_names_and_addresses_are_committed_to_and_can_be_erased_without_breaking_the_proof(
    portal: Portal, tmp_path: Path
) -> None:
    _handled()
    bodies = " ".join(EventRow.objects.values_list("body", flat=True))
    assert "kho.h99.example" not in bodies and "Giấy phép" not in bodies and "KQ.G07.000122" in bodies
    assert PersonalValue.objects.filter(field__contains=".").count() == 3
    PersonalValue.objects.all().delete()
    assert verify.verify_log(tmp_path)["ok"] and verify.verify_projection()["ok"]
    told = _delivered(portal)["DanhSachGiayToKetQua"]
    assert [(row["MaGiayToKetQua"], row["DuongDanTepTinKetQua"]) for row in told] == [("KQ.G07.000122", "")]


def test_the_log_gives_back_what_the_desk_put_in() -> None:
    _handled()
    events = messages.opened(log.events(CODE), messages.private([CODE])[CODE])
    enclosed = [item for event in events for name in ("papers", "fees", "results") for item in getattr(event, name, ())]
    assert enclosed == [APPLICATION, DUE_NOW, DEED, DUE_LATER, LICENCE]


def test_the_dossiers_story_tells_fees_and_results_without_what_leads_to_papers(home: Path) -> None:
    _handled()
    extract.run(home=home, at=NOW)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None
    told = [entry["enclosed"] for entry in story["timeline"] if entry["enclosed"]]
    assert told == [
        {"papers": 1}, {"fees": [{"code": "PH01", "name": "Phí thẩm định", "amount": 50_000}]}, {"papers": 1},
        {"fees": [{"code": "LP07", "name": "Lệ phí cấp giấy", "amount": 150_000}]}, {"results": ["KQ.G07.000122"]},
    ]  # fmt: skip


def test_a_payment_adds_only_the_fees_that_no_act_stated(portal: Portal) -> None:
    _handled()
    fees = [{"LoaiPhiLePhi": "2", "MaPhiLePhi": "LP07", "TenPhiLePhi": "Lệ phí cấp giấy", "SoTien": "150000"},
            {"LoaiPhiLePhi": "1", "MaPhiLePhi": "SAO", "TenPhiLePhi": "Sao lục", "SoTien": "20000"}]  # fmt: skip
    Payment.objects.create(reference="TT1", dossier=CODE, amount=170_000, channel="portal", state="paid", fees=fees,
                           started_at=at("2026-03-06T08:05"), paid_at=at("2026-03-06T10:00"),
                           known_at=at("2026-03-06T10:00"))  # fmt: skip
    told = [(row["MaPhiLePhi"], row["Gia"]) for row in _delivered(portal)["DanhSachLePhi"]]
    assert told == [("PH01", "50000"), ("LP07", "150000"), ("SAO", "20000")]


def test_a_portal_of_the_other_catalogue_is_told_no_kind_of_fee(portal: Portal) -> None:
    _handled()
    deliveries.plan()
    profile = Profile(fee_kinds="empty")
    deliver.Deliverer(portal, profile=profile).run(at=NOW)
    fees = held.lookup(CODE)[0]["DanhSachLePhi"]
    assert [row["LoaiPhiLePhi"] for row in fees] == ["", ""]
    assert read_back.run(portal=portal, at=NOW + timedelta(hours=1), profile=profile).differences == {}


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda by: result.finish(results=(Result(code="KQ", address="file:///etc/passwd"),), **by),
         "enclosure.bad_address"),
        (lambda by: result.finish(results=(Result(),), **by), "enclosure.nameless"),
        (lambda by: waiting.request_payment(document=None, fees=(Fee(name="Phí", amount=-1),), **by), "fee.bad_amount"),
        (lambda by: waiting.request_payment(document=None, fees=(Fee(amount=10),), **by), "fee.nameless"),
        (lambda by: waiting.request_payment(document=None, fees=(Fee(code="P", amount=1, kind="tax"),), **by),
         "fee.unknown_kind"),
    ],
    ids=["an address that is none", "a result without a name", "less than nothing", "a nameless fee", "no such kind"],
)  # fmt: skip
def test_the_desk_refuses_what_nobody_could_use_and_keeps_nothing(act: Any, code: str) -> None:
    by = desk.accepted(CODE)
    before = EventRow.objects.count()
    with pytest.raises(Refused) as refused:
        act({**by, "at": at("2026-03-05T08:00")})
    assert refused.value.code == code and EventRow.objects.count() == before


# ---- import ----------------------------------------------------------------------------------------------------------

_MORE = "fee_code,fee_name,fee_amount,fee_kind,result_code,result_address,paper_name,paper_digitised"


def _import(folder: Path, home: Path, *events: str, papers: str = ",") -> Any:
    dossiers, acts = folder / "dossiers.csv", folder / "events.csv"
    dossiers.write_text(
        f"{DOSSIERS},paper_name,paper_digitised\n"
        f"{CODE},1.000001,H99.12,desk,Trần Thị Thử,,2026-03-02T08:30,5d,,{papers}\n",
        encoding="utf-8",
    )
    acts.write_text("\n".join([f"{EVENTS},{_MORE}", *(f"{CODE},{line}" for line in events)]) + "\n", encoding="utf-8")
    return import_files(Order(files=(dossiers, acts), home=home, at=NOW, create_missing=True))


ASKED = "payment_requested,2026-03-04T08:00,,P1,A,,,,yes,,PH01|LP07,Phí thẩm định|Lệ phí,50000|150000,fee|charge,,,,"
DONE = "finished,2026-03-05T08:00,,P1,A,,,,,,,,,,KQ1|KQ2,https://k.example/1.pdf|https://k.example/2.pdf,,"


def test_a_file_brings_fees_results_and_papers_once(home: Path, tmp_path: Path) -> None:
    found = _import(tmp_path, home, ASKED, DONE, papers="Đơn|Tờ khai,yes")
    assert (found.dossiers, found.events) == (1, 2)
    events = messages.opened(log.events(CODE), messages.private([CODE])[CODE])
    assert events[0].papers == (Paper(name="Đơn", digitised=True), Paper(name="Tờ khai", digitised=True))  # type: ignore[union-attr]
    assert events[1].fees == (  # type: ignore[union-attr]
        Fee(code="PH01", name="Phí thẩm định", amount=50_000, kind="fee"),
        Fee(code="LP07", name="Lệ phí", amount=150_000, kind="charge"),
    )
    assert [each.address[-5:] for each in events[2].results] == ["1.pdf", "2.pdf"]  # type: ignore[union-attr]
    again = _import(tmp_path, home, ASKED, DONE, papers="Đơn|Tờ khai,yes")
    assert (again.dossiers, again.events) == (0, 0)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (ASKED.replace("150000", "150.000"), "row 2, column fee_amount: '150.000' is no amount in whole đồng"),
        (ASKED.replace("50000|150000", "50000"), "row 2, column fee_amount: has 1 values parted by |, fee_code has 2"),
        (DONE.replace("https://k.example/2.pdf", "kq2.pdf"), "row 2, column result_address: 'kq2.pdf' is no address"),
        (DONE.replace("finished", "withdrawn"), "row 2, column result_code: stands on finished, returned, not on"),
        (ASKED.replace("fee|charge", "fee|tax"), "row 2, column fee_kind: fee_kind is one of fee, charge"),
    ],
    ids=["an amount with a point", "values missing", "no address", "on the wrong act", "no such kind"],
)
def test_a_fault_in_them_names_its_place_and_nothing_goes_in(home: Path, tmp_path: Path, line: str, place: str) -> None:
    with pytest.raises(Refusal) as refusal:
        _import(tmp_path, home, line)
    assert place in str(refusal.value), str(refusal.value)
    assert not EventRow.objects.exists()
