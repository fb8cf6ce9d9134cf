"""What the national portal sends arrives once, whole and acknowledged, over real HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.exchange import desk
from tests.served import served
from tests.story import at

from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, Field, Procedure
from motcua.dossiers import log, reception, result, verify
from motcua.dossiers.models import DossierRow
from motcua.exchange import deliver, deliveries, door, take_in
from motcua.exchange.models import Delivery, Incoming
from motcua.mirror import door as portal_door
from motcua.mirror.client import Portal
from motcua.mirror.models import Record
from motcua.mirror.province import TAX, Province
from motcua.mirror.server import Server
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = desk.NOW
CODE = "G22.99-260311-0000007"


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    name = "Sở Thử nghiệm tỉnh Mẫu"
    Agency.objects.create(code="H99.12", name=name, folded=fold(name))
    Field.objects.create(code="G99-TN01", name="Lĩnh vực thử nghiệm")
    Procedure.objects.create(code="9.900001.000.00.00.H99", core="9.900001", name="Đăng ký mẫu thử nghiệm số một",
                             field="G99-TN01", allotted="5d")  # fmt: skip


@pytest.fixture
def province() -> Iterator[Province]:
    """The portal's client of our door."""
    with served(door.application(lambda: NOW)) as url:
        client = Province(f"{url}/XrdAdapter/RestService/forward")
        yield client
        client.close()


def _data(**more: Any) -> dict[str, Any]:
    return {
        "MaHoSoQG": CODE, "MaTTHC": "9.900001", "MaDonVi": "000.00.12.H99", "ChuHoSo": "Trần Thị Thử",
        "NgayNopHoSo": "20260311153000", "SoGiayToChuHoSo": "099300000001", "MaDoiTuong": "tech-1",
        "LoaiDoiTuong": "2", "TaiLieuNop": [{"TepDinhKemId": "50001", "TenTepDinhKem": "Don.pdf"}], **more,
    }  # fmt: skip


def _sent(province: Province, *, updating: str = "False", at_door: str = "nhanhsdvcqg", **more: Any) -> dict[str, Any]:
    answer = province.call(at_door, {"service": "NhanHoSo", "isUpdating": updating, "data": _data(**more)})
    assert answer is not None
    return answer


def test_a_filed_dossier_arrives_once_and_starts_the_reception_clock(province: Province) -> None:
    assert _sent(province) == {"error_code": 0, "message": f"{CODE}| Tiếp nhận hồ sơ thành công"}
    assert _sent(province)["error_code"] == 1
    row = DossierRow.objects.get()
    assert (row.code, row.status, row.channel, row.submitted_at) == (CODE, 1, "online", at("2026-03-11T15:30"))
    assert (row.procedure, row.agency, row.source) == ("9.900001.000.00.00.H99", "H99.12", "Cổng DVCQG")
    assert len(log.events(CODE)) == 1 and verify.verify_projection()["ok"]
    assert [message.state for message in Incoming.objects.order_by("pk")] == ["taken", "duplicate"]
    reception.receive(code=CODE, by=desk.CLERK, at=NOW, now=NOW)
    assert DossierRow.objects.get().due_at is not None


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"MaHoSoQG": ""}, "MaHoSoQG"),
        ({"MaTTHC": ""}, "MaTTHC"),
        ({"MaTTHC": "1.111111"}, "1.111111"),
        ({"MaDonVi": "H98.01"}, "H98.01"),
        ({"NgayNopHoSo": "11/03/2026"}, "NgayNopHoSo"),
        ({"NgayNopHoSo": "20260401080000"}, "tương lai"),
        ({"MaTTHC": {"a": 1}}, "giá trị đơn"),
    ],
)
def test_a_bad_one_is_refused_with_the_reason_and_kept_raw(
    province: Province, spoilt: dict[str, Any], words: str
) -> None:
    answer = _sent(province, **spoilt)
    assert answer["error_code"] == -1 and words in answer["message"]
    assert not DossierRow.objects.exists()
    kept = Incoming.objects.get()
    assert kept.state == "refused" and json.loads(bytes(kept.body))["data"] == _data(**spoilt)
    assert _sent(province)["error_code"] == 0, "put right, it is taken in"


def test_what_is_not_json_is_kept_and_refused(province: Province) -> None:
    reply = httpx.post(f"{province.url}/nhanhsdvcqg", content=b"{", trust_env=False)
    assert (reply.status_code, reply.json()["error_code"]) == (200, -1)
    assert bytes(Incoming.objects.get().body) == b"{"


def test_a_unit_may_be_named_instead_of_coded(province: Province) -> None:
    assert _sent(province, MaDonVi="", DonViXuLy="sở thử nghiệm TỈNH MẪU")["error_code"] == 0
    assert DossierRow.objects.get().agency == "H99.12"


def test_messages_for_an_unknown_dossier_are_kept_and_linked_when_it_comes(province: Province) -> None:
    xml = f"<TBAO><MA_HSO>{CODE}</MA_HSO></TBAO>".encode()
    notice = {"service": "NhanThongBaoThueDat", "data": {"FileThongBaoThue": base64.b64encode(xml).decode()}}
    assert (province.call(TAX, notice) or {})["error_code"] == 0
    assert _sent(province, updating="True", TrichYeuHoSo="Bổ sung")["error_code"] == 0
    assert [message.state for message in Incoming.objects.all()] == ["waiting", "waiting"]
    assert _sent(province)["error_code"] == 0
    assert [message.state for message in Incoming.objects.order_by("pk")] == ["linked", "linked", "taken"]
    assert (province.call(TAX, notice) or {})["message"].startswith(CODE)
    assert Incoming.objects.latest("pk").state == "linked"


def test_a_message_waits_for_a_dossier_that_the_desk_enters(province: Province) -> None:
    code = "H99.12-260302-0001"
    voucher = {"service": "NhanChungTuThueDat", "MaHoSo": code, "MaSoThue": "1"}
    assert "chưa có hồ sơ" in (province.call(TAX, voucher) or {})["message"]
    desk.accepted(code)
    assert take_in.link(at=NOW) == 1 and take_in.link(at=NOW) == 0


def test_what_was_kept_and_not_read_when_we_were_killed_is_read_again() -> None:
    body = json.dumps({"service": "NhanHoSo", "data": _data()}).encode()
    Incoming.objects.create(received_at=NOW - timedelta(hours=1), door="nhanhsdvcqg", body=body)
    assert take_in.unfinished(at=NOW) == 1 and take_in.unfinished(at=NOW) == 0
    assert DossierRow.objects.get().code == CODE


def test_the_portal_pushes_until_it_is_acknowledged_through_a_lost_answer() -> None:
    lost = iter([True, False, False])

    def losing(environ: dict[str, Any], start: Any) -> Any:
        answer = door.application(lambda: NOW)(environ, lambda *args: None if dropped else start(*args))
        if dropped:
            start("504 Gateway Timeout", [("Content-Length", "0")])
            return [b""]
        return answer

    with served(losing) as url:
        province = Province(url)
        province.file(_data(), at=NOW)
        dropped = next(lost)
        assert province.push(at=NOW) == (0, 1)
        dropped = next(lost)
        assert province.push(at=NOW) == (1, 0) and province.push(at=NOW) == (0, 0)
        province.close()
    assert DossierRow.objects.count() == 1


def test_a_filed_dossier_goes_back_with_what_only_the_portal_knew(province: Province) -> None:
    with served(portal_door.application(Server(Profile()), lambda: NOW)) as url:
        portal = Portal(url, "demo-h99", "demo-password", "H99")
        filed = {**_data(), "MaHoSo": CODE, "MaTTHC": "9.900001.000.00.00.H99", "DonViXuLy": "X", "TrangThaiHoSo": "1"}
        assert portal.call("DongBoHoSoMC", isUpdating="False", data=[filed]).ok
        _sent(province)
        reception.receive(code=CODE, by=desk.CLERK, at=NOW, now=NOW)
        result.finish(code=CODE, by=desk.CLERK, at=NOW, now=NOW)
        deliveries.plan()
        report = deliver.Deliverer(portal).run(at=NOW)
        portal.close()
    assert (report.delivered, report.dead) == (3, 0) and not Delivery.objects.exclude(state="delivered").exists()
    held = json.loads(Record.objects.get(side="held").body)
    assert (held["TrangThaiHoSo"], held["NoiNopHoSo"], held["LoaiDoiTuong"]) == ("9", "1", "2")
    assert (held["SoGiayToChuHoSo"], held["MaDoiTuong"]) == ("099300000001", "tech-1")
    assert held["TaiLieuNop"] == _data()["TaiLieuNop"] and held["ChuHoSo"] == "Trần Thị Thử"


def test_a_door_with_a_token_lets_nobody_else_in() -> None:
    with served(door.application(lambda: NOW, token="mot-token")) as url:
        for stranger in (Province(url), Province(url, token="khac")):
            assert _sent(stranger)["error_code"] == -1
        assert _sent(Province(url, token="mot-token"))["error_code"] == 0
    assert Incoming.objects.count() == 1


def test_the_examples_towards_the_province_are_answered_as_written(shared: Path) -> None:
    tried = 0
    for file in sorted((shared / "domain" / "npsp-examples").glob("*.json")):
        for exchange in json.loads(file.read_text())["exchange"]:
            if exchange["direction"] != "N->P":
                continue
            wanted = exchange["response"]["body"]
            by: dict[str, Any] = {"by": desk.CLERK, "now": NOW, "code": wanted["MaHoSo"]}
            reception.submit(procedure=wanted["MaTTHC"], agency="H99.12", at=at("2026-03-02T08:00"), **by)
            reception.receive(at=at("2026-03-02T08:30"), **by)
            result.finish(at=at("2026-03-06T15:30"), **by)
            result.return_result(at=at("2026-03-09T10:00"), **by)
            path = exchange["endpoint"].removeprefix("{province}/…")
            with served(door.application(lambda: NOW)) as url:
                as_json = httpx.post(url + path, json=exchange["request"], trust_env=False)
                as_form = httpx.post(url + path, data=exchange["request"], trust_env=False)
                unknown = httpx.post(url + path, json={"masohoso": "H99.12-260302-9999"}, trust_env=False)
            assert as_json.status_code == exchange["response"]["http"] and as_json.json() == wanted
            assert as_form.json() == wanted
            assert (unknown.status_code, unknown.json()["error_code"]) == (200, "-1")
            tried += 1
    assert tried
