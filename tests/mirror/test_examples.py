"""Every example of the contract, over real HTTP, replies included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.served import served
from tests.story import at

from motcua.mirror import catalogue, door
from motcua.mirror.models import Message, PortalProcedure, Record, Refusal, Step
from motcua.mirror.server import Server
from motcua.rules.instants import iso
from motcua.wire import dates, verdict
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NAMES = ["01-happy-path", "02-supplement-pause", "03-fee-pause", "04-withdrawal", "05-stop", "06-late-result",
         "07-postal-channel", "08-organisation-applicant", "09-update", "10-progress", "11-lookup",
         "12-error"]  # fmt: skip
NOW = at("2026-04-01T09:00")


@pytest.fixture
def mirror() -> Iterator[str]:
    """The mirror's server on a port of its own."""
    catalogue.seed()
    with served(door.application(Server(Profile()), lambda: NOW)) as url:
        yield url


def _seed(example: dict[str, Any], post: Any) -> None:
    """A look-up answers from what was sent before: send it."""
    for exchange in example["exchange"]:
        for item in (exchange["response"]["body"].get("result") or []) if exchange["direction"] == "P->N" else []:
            if "TienTrinh" in item:
                record = {k: v for k, v in item.items() if k != "TienTrinh"}
                post({"service": "DongBoHoSoMC", "isUpdating": "False", "data": [record]})
                post({"service": "CapNhatTienDoHoSoMC", "data": item["TienTrinh"]})


@pytest.mark.parametrize("prefix", door.PREFIXES)
@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_answered_as_written(name: str, prefix: str, mirror: str, shared: Path) -> None:
    example = json.loads((shared / "domain" / "npsp-examples" / f"{name}.json").read_text())
    with httpx.Client(trust_env=False) as client:
        login = {"username": "demo-h99", "password": "demo-password"}
        session = client.post(f"{mirror}{prefix}/mapi/login", json=login).json()["session"]

        def post(body: dict[str, Any], path: str = "/mapi/g") -> httpx.Response:
            if body.get("session", "demo-session-0001") == "demo-session-0001" and path == "/mapi/g":
                body = {**body, "session": session}
            return client.post(mirror + prefix + path, json=body)

        _seed(example, post)
        for exchange in example["exchange"]:
            if exchange["direction"] != "P->N":
                continue  # the province's own door answers these
            wanted = exchange["response"]
            if exchange["method"] == "GET":
                PortalProcedure.objects.exclude(code="9.900001.000.00.00.H99").delete()
                reply = client.get(mirror + "/KetNoiMotCuaQuocGia/LayDanhSachTTHC")
            else:
                path = "/mapi/login" if "{auth_endpoint}" in exchange["endpoint"] else "/mapi/g"
                reply = post(exchange["request"], path)
            found, body = reply.json(), wanted["body"]
            assert reply.status_code == wanted["http"]
            if "session" in body:
                assert found.pop("session")
                body = {k: v for k, v in body.items() if k != "session"}
            assert found == body
    _assert_expected(example)


def _assert_expected(example: dict[str, Any]) -> None:
    expect = example.get("expect", {})
    if "finish" not in expect:
        return
    record = Record.objects.get(side="held")
    assert record.status == expect["status"]
    steps = [(int(s.status), s.at) for s in Step.objects.filter(code=record.code).order_by("pk")]
    rounds = [verdict.supplement_round(row) for row in json.loads(record.body)["DanhSachHoSoBoSung"]]
    reduced = verdict.reduce(steps=steps, supplements=rounds, received_at=record.received_at, status=9)
    shown = verdict.shown(reduced, due_at=record.due_at, as_of=NOW)
    assert shown.finished_at is not None and dates.build(shown.finished_at) == expect["finish"]
    assert (shown.verdict == "on_time") is expect["on_time"]
    for variant in expect.get("variants", ()):
        due = dates.parse(variant.get("due")) or record.due_at
        kept = steps
        if "step 5 lost" in variant["condition"]:
            kept = [s for s in steps if s[0] not in (5,)]
        if "step 9 lost" in variant["condition"]:
            kept = [s for s in steps if s[0] != 9]
        held = [] if "resume update lost" in variant["condition"] else rounds
        again = verdict.reduce(steps=kept, supplements=held, received_at=record.received_at, status=9)
        assert (verdict.shown(again, due_at=due, as_of=NOW).verdict == "on_time") is variant["on_time"], variant


def test_what_is_not_json_is_kept_raw_and_answered(mirror: str) -> None:
    reply = httpx.post(f"{mirror}/mapi/g", content=b"\xef\xbb\xbf{not json", trust_env=False)
    assert reply.status_code == 200 and "JSON" in reply.json()["message"]
    assert bytes(Message.objects.get().body) == b"\xef\xbb\xbf{not json"


def test_good_items_of_a_batch_are_stored_and_the_bad_one_is_kept_with_its_reason(mirror: str) -> None:
    with httpx.Client(trust_env=False) as client:
        login = {"username": "demo-h99", "password": "demo-password"}
        session = client.post(f"{mirror}/mapi/login", json=login).json()["session"]
        items = [
            {"MaHoSo": f"H99.1-260302-000{n}", "MaTTHC": "1.000001", "DonViXuLy": "X", "TrangThaiHoSo": 2,
             "NgayTiepNhan": "20260302083000" if n != 2 else "20260231083000"}
            for n in (1, 2, 3)
        ]  # fmt: skip
        body = {"session": session, "service": "DongBoHoSoMC", "isUpdating": False, "data": items}
        reply = client.post(f"{mirror}/mapi/g", json=body).json()
    assert reply["error_code"] == -1 and [r["error_code"] for r in reply["result"]] == [0, -1, 0]
    assert "không thành công" not in reply["message"]
    assert Record.objects.count() == 2
    assert Refusal.objects.get().code == "H99.1-260302-0002"


def test_a_session_ends_and_the_words_say_so(mirror: str) -> None:
    server = Server(Profile(session_minutes=1))
    session = server.login(b'{"username":"demo-h99","password":"demo-password"}', NOW).body["session"]
    ask = json.dumps({"session": session, "service": "LayDanhSachTTHC"}).encode()
    assert server.data(ask, NOW).body["error_code"] == 0
    reply = server.data(ask, NOW + timedelta(minutes=2))
    assert reply.body["error_code"] == -1 and "Phiên làm việc" in reply.body["message"]
    assert iso(NOW)
