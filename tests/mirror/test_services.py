"""The rest of the contract over real HTTP: every service, every adapter, each switch, the clock and the tee."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx
import pytest
from tests.served import served
from tests.story import at

from motcua.mirror import catalogue, door, lists, submissions
from motcua.mirror.clock import MovableClock
from motcua.mirror.models import Entry, Message, Record, Refusal, Step
from motcua.mirror.server import Server
from motcua.rules.instants import Unreadable
from motcua.wire.profile import Profile, from_document

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = at("2026-04-01T09:00")
CODE = "H99.12-260302-0001"


def _record(code: str = CODE, **more: Any) -> dict[str, Any]:
    return {"MaHoSo": code, "MaTTHC": "1.000001", "DonViXuLy": "Sở Mẫu", "TrangThaiHoSo": "2",
            "NgayTiepNhan": "20260302083000", **more}  # fmt: skip


def _step(status: int, when: str, code: str = CODE) -> dict[str, Any]:
    return {"MaHoSo": code, "NguoiXuLy": "A", "ThoiDiemXuLy": when, "NoiDungXuLy": "x", "TrangThai": status}


class Client:
    """A sender that has logged in."""

    def __init__(self, url: str) -> None:
        self.url, self.http = url, httpx.Client(trust_env=False)
        login = {"username": "demo-h99", "password": "demo-password"}
        self.session = self.http.post(f"{url}/mapi/login", json=login).json()["session"]

    def call(self, service: str, **arguments: Any) -> dict[str, Any]:
        body = {"session": self.session, "madonvi": "H99", "service": service, **arguments}
        found: dict[str, Any] = self.http.post(f"{self.url}/mapi/g", json=body).json()
        return found


@contextmanager
def _portal(**switches: Any) -> Iterator[Client]:
    catalogue.seed()
    with served(door.application(Server(Profile(**switches)), lambda: NOW)) as url:
        client = Client(url)
        yield client
        client.http.close()


def test_every_service_of_the_contract_is_answered_and_no_other() -> None:
    lists.keep("agency", [("H99", {"MADONVI": "H99", "TENDONVI": "Tỉnh Mẫu", "CAPDONVI": "1"})])
    lists.keep("online_service", [("D1", {"MADVC": "D1", "TENDVC": "Mẫu", "MATTHC": "9.900001.000.00.00.H99"})])
    lists.keep("account", [("0993", {"TECHNICALID": "tech-1"})])
    lists.keep("asked", [("7", {"HOIDAPID": "7", "NOIDUNG": "?", "TRANGTHAI": "1"})])
    with _portal() as portal:
        for service in lists.SERVICES:
            assert portal.call(service)["error_code"] == 0, service
        assert portal.call("LayDanhMucCoQuan")["result"] == [
            {"MADONVI": "H99", "TENDONVI": "Tỉnh Mẫu", "CAPDONVI": "1"}
        ]
        assert portal.call("LayDVC")["result"]["data"][0]["MADVC"] == "D1"
        assert portal.call("TraCuuTechID", provider="wso2is", mstorcmnd="0993")["result"] == [{"TECHNICALID": "tech-1"}]
        assert portal.call("TraCuuTechID", provider="wso2is", mstorcmnd="0994")["result"] == []
        assert portal.call("LayDanhSachHoiDapGuiTuDVCQG")["result"][0]["HOIDAPID"] == "7"
        assert "service" in portal.call("DongBoKhongCo")["message"]


GOOD = {
    "DongBoTrangThaiHoSo": {"MaHoSo": "TTKM-1", "MaHoSoDonVi": "H99-1", "NgayXuLy": "20260401080000", "TrangThai": 5},
    "DongBoHoiDap": {"HOIDAPID": "12", "MaLinhVuc": "G99", "NOIDUNG": "Hỏi", "MADONVI": "H99", "TENDONVI": "Mẫu"},
    "DongBoKetQuaHoiDapGuiTuDVCQG": {"HOIDAPID": "7", "NOIDUNGTRALOI": "Đáp", "NGAYTRALOI": "01/04/2026"},
    "DongBoDanhGia": {"Madonvi": "H99", "NgayTongHop": "4-2026", "TongSoNguoiDanhGia": 3, "NoiDung": "Thái độ"},
}


@pytest.mark.parametrize(
    ("service", "spoilt"),
    [
        ("DongBoTrangThaiHoSo", {"TrangThai": "11"}),
        ("DongBoTrangThaiHoSo", {"NgayXuLy": ""}),
        ("DongBoHoiDap", {"NOIDUNG": ""}),
        ("DongBoKetQuaHoiDapGuiTuDVCQG", {"NGAYTRALOI": "20260401080000"}),
        ("DongBoDanhGia", {"NgayTongHop": "04-2026"}),
    ],
)
def test_what_a_province_hands_in_is_kept_or_refused_with_the_reason(service: str, spoilt: dict[str, Any]) -> None:
    good = GOOD[service]
    with _portal() as portal:
        one = good if service == "DongBoTrangThaiHoSo" else [good]
        assert "thành công" in portal.call(service, type="2", data=one)["message"]
        assert portal.call(service, type="2", data=one)["error_code"] == 0
        assert portal.call(service, type="2", data=[{**good, **spoilt}])["error_code"] == -1
    kind = submissions.SERVICES[service][0]
    assert json.loads(Entry.objects.get(kind=kind).body) == good
    assert next(iter(spoilt)) in Refusal.objects.get().reason


def test_an_answer_handed_in_is_read_by_its_question() -> None:
    with _portal() as portal:
        portal.call("DongBoKetQuaHoiDapGuiTuDVCQG", data=[GOOD["DongBoKetQuaHoiDapGuiTuDVCQG"]])
        assert portal.call("LayNoiDungTraLoiTheoCauHoi", cauhoiid=7)["result"][0]["NOIDUNGTRALOI"] == "Đáp"


def test_adapter_a_takes_a_bare_array_with_the_unit_in_the_query() -> None:
    with _portal() as portal:
        url = f"{portal.url}/tinh/api/SynsTTHCC/DongBoHoSoMC?MaDinhDanhDV=000.00.01.H99&isUpdating="
        assert portal.http.post(url + "False", json=[_record()]).json()["error_code"] == 0
        assert "đã tồn tại" in portal.http.post(url + "False", json=[_record()]).json()["message"]
        assert portal.http.post(url + "True", json=[_record(TrangThaiHoSo="9")]).json()["error_code"] == 0
    assert (Record.objects.get().status, Record.objects.get().sender) == ("9", "000.00.01.H99")


def test_adapter_b_has_three_addresses_and_answers_in_text() -> None:
    with _portal() as portal:
        create, update, steps = (f"{portal.url}{path}" for path in Profile().three_addresses)
        reply = portal.http.post(create, json=[_record()]).json()
        assert reply["error_code"] == "0" and "thành công" in reply["message"]
        assert portal.http.post(create, json=[_record()]).json()["error_code"] == "3"
        assert portal.http.post(update, json=[_record(TrangThaiHoSo="4")]).json()["error_code"] == "0"
        assert portal.http.post(steps, json=[_step(4, "20260303090000")]).json()["error_code"] == "0"
    assert (Record.objects.get().status, Step.objects.count()) == ("4", 1)


def test_adapter_c_answers_json_within_json_and_takes_notices() -> None:
    with _portal() as portal:
        base = f"{portal.url}/VXPAdapter/KetNoiMotCuaQuocGia/"

        def read(name: str) -> Any:
            reply = portal.http.get(base + name).json()
            assert reply["error_code"] == "0"
            return json.loads(reply["message"])["result"]

        assert read("LayThuTuc?maTTHC=9.900001.000.00.00.H99")[0]["MATTHC"] == "9.900001.000.00.00.H99"
        assert read("LayDanhMucLinhVuc")[0]["MALINHVUC"] == "G99-TN01"
        for name in ("LayDanhMucLoaiThuTuc", "LayDanhMucNhomThuTuc", "LayDanhMucThuTucThuocLoai", "LayQDCB?idQDCB=1"):
            assert isinstance(read(name), list)
        assert portal.http.get(base + "getfile?id=1").json()["error_code"] == "-1"
        notice = portal.http.post(base + "DongBoTrangThaiHoSoKM", json=GOOD["DongBoTrangThaiHoSo"])
        assert notice.json()["error_code"] == 0 and Entry.objects.filter(kind="notice_status").exists()


def test_adapter_d_answers_two_letters() -> None:
    with _portal() as portal:
        body = {"configId": "1", "type": 1, "dossier": {"id": "1", "code": CODE, "updated": False}}
        reply = portal.http.post(f"{portal.url}/bdtc/nps-dossier/--test-sync", json=body)
        assert (reply.status_code, reply.text) == (200, "OK")
        assert portal.http.post(f"{portal.url}/bdtc/nps-dossier/--test-sync", json={}).json()["error_code"] == -1


@pytest.mark.parametrize(
    "switch",
    [
        {"unknown_dossier": "acept"}, {"per_item_replies": "false"}, {"max_note": -1}, {"max_batch": True},
        {"duplicate_code": 7}, {"adapters": ["A", "E"]}, {"three_addresses": ["/a", "/b"]},
        {"notice_statuses": 2}, {"rule": {"open_until": "never"}},
    ],
    ids=lambda switch: next(iter(switch)),
)  # fmt: skip
def test_a_switch_with_a_value_that_it_cannot_have_is_refused_by_name(switch: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match=next(iter(switch))):
        from_document(switch)


def test_a_profile_that_is_open_to_a_network_answers_no_adapter_and_moves_no_clock() -> None:
    profile = from_document({"users": {"demo-h99": "demo-password"}})
    assert (profile.adapters, profile.movable_clock, profile.loopback_only) == ((), False, False)
    with served(door.application(Server(profile), MovableClock())) as url, httpx.Client(trust_env=False) as http:
        for path in (*Profile().three_addresses, "/api/SynsTTHCC/DongBoHoSoMC", door.CLOCK):
            assert http.post(url + path, json=[_record()]).status_code == 404
    assert not Record.objects.exists() and not Message.objects.exists()


@pytest.mark.parametrize(
    ("switches", "call", "words"),
    [
        ({"max_batch": 1}, {"data": [_record(), _record(CODE + "2")]}, "nhiều hơn 1"),
        ({"unknown_procedure": "refuse"}, {"data": [_record()]}, "mã thủ tục"),
        ({"max_note": 10}, {"data": [_record(GhiChu="x" * 11)]}, "quá dài"),
    ],
    ids=["batch", "procedure", "note"],
)
def test_a_switch_refuses(switches: dict[str, Any], call: dict[str, Any], words: str) -> None:
    with _portal(**switches) as portal:
        reply = portal.call("DongBoHoSoMC", isUpdating="False", **call)
        assert reply["error_code"] == -1 and words in reply["message"]
    with _portal() as portal:
        assert portal.call("DongBoHoSoMC", isUpdating="False", **call)["error_code"] == 0


def test_what_an_update_leaves_out_is_kept_or_cleared() -> None:
    for kept, switches in ((1, {}), (0, {"omitted_lists": "clear"})):
        code = f"{CODE}{kept}"
        with _portal(**switches) as portal:
            portal.call("DongBoHoSoMC", isUpdating="False", data=[_record(code, TaiLieuNop=[{"TepDinhKemId": "1"}])])
            portal.call("DongBoHoSoMC", isUpdating="True", data=[{"MaHoSo": code, "TrangThaiHoSo": "9"}])
        assert len(json.loads(Record.objects.get(code=code).body).get("TaiLieuNop", [])) == kept


def test_older_steps_codes_as_text_and_unknown_dossiers_are_switches() -> None:
    with _portal(older_steps="refuse", error_code_as="text", lookup_unknown="refuse") as portal:
        assert portal.call("DongBoHoSoMC", isUpdating="False", data=[_record()])["error_code"] == "0"
        assert portal.call("CapNhatTienDoHoSoMC", data=[_step(4, "20260303090000")])["error_code"] == "0"
        assert portal.call("CapNhatTienDoHoSoMC", data=[_step(2, "20260302090000")])["error_code"] == "-1"
        assert "không tìm thấy" in portal.call("TraCuuHoSo", mahoso="H99.12-260302-9999")["message"]


def test_the_same_update_again_makes_no_new_version() -> None:
    with _portal() as portal:
        portal.call("DongBoHoSoMC", isUpdating="False", data=[_record()])
        for _ in range(3):
            portal.call("DongBoHoSoMC", isUpdating="True", data=[_record(TrangThaiHoSo="9")])
    assert Record.objects.get().version == 2


def test_a_test_moves_the_clock_and_a_session_ends() -> None:
    with served(door.application(Server(Profile()), MovableClock())) as url:
        client = Client(url)
        assert client.call("LayDanhSachTTHC")["error_code"] == 0
        client.http.post(url + door.CLOCK, json={"advance_s": 16 * 60})
        assert "Phiên làm việc" in client.call("LayDanhSachTTHC")["message"]
        put = client.http.post(url + door.CLOCK, json={"now": "2026-03-02T08:30"}).json()["now"]
        assert put.startswith("2026-03-02T08:30") and client.http.get(url + door.CLOCK).json()["now"] >= put
        assert client.http.post(url + door.CLOCK, json={"now": "yesterday"}).status_code == 400
        client.http.close()


def test_the_tee_relays_the_real_portals_answer_and_keeps_both_sides() -> None:
    asked: list[tuple[str, str]] = []

    def real(environ: dict[str, Any], start: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        asked.append((environ["PATH_INFO"], environ.get("HTTP_DSTCODE", "")))
        answer = {"error_code": -1, "message": "GhiChu: nội dung quá dài", "session": "theirs",
                  "result": [{"MaHoSo": CODE, "error_code": 0}, {"MaHoSo": CODE + "2", "error_code": -1}]}  # fmt: skip
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    with served(real) as url, served(door.application(Server(Profile(forward_to=url)), lambda: NOW)) as ours:
        client = Client(ours)
        assert client.session == "theirs"
        client.http.headers["dstcode"] = "VN:GOV:G22"
        reply = client.call("DongBoHoSoMC", isUpdating="True", data=[_record(), _record(CODE + "2")])
        assert reply["message"] == "GhiChu: nội dung quá dài"
        client.http.close()
    assert asked == [("/mapi/login", ""), ("/mapi/g", "VN:GOV:G22")]
    message = Message.objects.get()
    assert (message.service, message.sender, message.error_code) == ("DongBoHoSoMC", "H99", -1)
    assert CODE.encode() in bytes(message.body) and "quá dài" in json.loads(message.reply)["message"]
    assert [r.code for r in Record.objects.all()] == [CODE], "what the real portal took stands here too"
    assert [r.code for r in Refusal.objects.all()] == [CODE + "2"]


def test_a_tee_to_a_silent_portal_is_silent_and_takes_nothing_over() -> None:
    with served(lambda environ, start: []) as gone:
        pass
    with served(door.application(Server(Profile(forward_to=gone)), lambda: NOW)) as ours:
        reply = httpx.post(f"{ours}/mapi/g", json={"service": "DongBoHoSoMC", "data": [_record()]}, trust_env=False)
    assert (reply.status_code, reply.content) == (504, b"")
    assert Message.objects.get().reply == "" and not Record.objects.exists()
