"""A payment's life over real HTTP: begun, paid at the gateway, confirmed to the province, asked about, receipted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from django.core.wsgi import get_wsgi_application
from tests.served import served
from tests.story import at

from motcua.dossiers import reception, waiting
from motcua.dossiers.models import DossierRow
from motcua.exchange import deliver, deliveries
from motcua.mirror import door
from motcua.mirror import gateway as gateway_door
from motcua.mirror.client import Portal, PortalUnreachable
from motcua.mirror.models import Message, Record, RecordVersion
from motcua.mirror.server import Server
from motcua.payments import carried, collect, sides
from motcua.payments.client import GatewayClient
from motcua.payments.models import GatewayCopy, Payment, PaymentMessage
from motcua.payments.reconcile import Class
from motcua.rules.dossier import Status
from motcua.rules.moves import Actor, Refused
from motcua.wire import payments
from motcua.wire.gateway import BadPayment, Gateway
from motcua.wire.payments import Bill, Fee, Paid
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
CODE = "H99.12-260302-0001"
FEES = (Fee(kind="2", code="LP01", name="Lệ phí", amount=30_000), Fee(kind="1", code="P01", name="Phí", amount=20_000))
NOW = datetime.now(at("2026-03-02").tzinfo).replace(microsecond=0) - timedelta(minutes=2)
OURS = {"partner": "H99", "secret": "thử nghiệm"}
CLERK = Actor(name="Lê Thị Mẫu", unit="H99.12")


class Both:
    """The gateway in the mirror, and the province's own door, over HTTP."""

    def __init__(self, gateway: Gateway, province: str) -> None:
        self.gateway, self.province = gateway, province
        self.client = GatewayClient(gateway)

    def pay(self, url: str) -> dict[str, Any]:
        """The payer pays."""
        return httpx.post(url, trust_env=False).json()


@pytest.fixture
def both(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """The two sides, by the switches of the test."""
    switches = getattr(request, "param", {})
    with ExitStack() as stack:
        province = stack.enter_context(served(get_wsgi_application()))
        door_of = gateway_door.Door(Gateway())
        url = stack.enter_context(served(door.application(Server(Profile()), lambda: NOW, door_of)))
        confirm = {"confirm_url": f"{province}/api/thanh-toan/xac-nhan"}
        door_of.gateway = Gateway(**{"url": url, **OURS, **confirm, **switches})
        file = tmp_path / "gateway.toml"
        lines = [f"{name} = {json.dumps(value)}" for name, value in {"url": url, **OURS, **switches}.items()]
        file.write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setenv("MOTCUA_GATEWAY", str(file))
        one = Both(gateway_door.named(), province)
        yield one
        one.client.close()


def _waiting() -> None:
    by: dict[str, Any] = {"by": CLERK, "now": NOW, "code": CODE}
    reception.submit(procedure="1.000001", agency="H99.12", at=NOW - timedelta(days=3), allotted="5d",
                     applicant="Trần Thị Thử", **by)  # fmt: skip
    reception.receive(at=NOW - timedelta(days=2), **by)
    waiting.request_payment(at=NOW - timedelta(days=1), document=True, **by)


def _start(both: Both) -> tuple[Payment, str]:
    return collect.start(dossier=CODE, duty="Lệ phí", fees=FEES, now=NOW, client=both.client)


@pytest.mark.parametrize(
    "both",
    [{}, {"reply_form": "MaLoi"}, {"dialect": "keypay"}, {"confirm_order": "swapped", "check_answers": True}],
    ids=["as documented", "answers as MaLoi", "keypay", "swapped order, answers checked"],
    indirect=True,
)
def test_a_payment_is_begun_paid_confirmed_and_the_dossier_goes_on(both: Both) -> None:
    _waiting()
    payment, url = _start(both)
    assert (payment.amount, payment.state) == (50_000, "started")
    assert collect.ask([payment.reference], client=both.client, now=NOW) == (1, 0)
    paid = both.pay(url)
    assert paid["DaXacNhan"] is True
    payment.refresh_from_db()
    assert (payment.state, payment.paid_at, payment.transaction) == ("paid", NOW, paid["MaGiaoDich"])
    row = DossierRow.objects.get(code=CODE)
    assert row.status == Status.PROCESSING and row.suspended_since is None
    assert collect.ask([payment.reference], client=both.client, now=NOW) == (1, 1)
    assert collect.bill_of(payment.reference, client=both.client, now=NOW).ok
    payment.refresh_from_db()
    bill = httpx.get(payment.bill_url, trust_env=False).json()
    assert (bill["MaHoSo"], bill["DSKhoanNop"][0]["SoTien"]) == (CODE, "30000")
    assert GatewayCopy.objects.get().dossier in ("", CODE)
    known = carried.entries([CODE, "khác"])
    assert list(known) == [CODE]
    assert carried.flag(known[CODE], known_by=NOW - timedelta(hours=1)) == "0"
    assert carried.flag(known[CODE], known_by=NOW + timedelta(hours=1)) == "1"
    assert [fee["Gia"] for fee in carried.fees(known[CODE], known_by=NOW)] == ["30000", "20000"]
    assert carried.fees(known[CODE], known_by=NOW - timedelta(hours=1)) == []


def test_paying_and_confirming_again_changes_nothing(both: Both) -> None:
    _waiting()
    _, url = _start(both)
    assert both.pay(url) == both.pay(url)
    raw = PaymentMessage.objects.get(incoming=True)
    before = (Payment.objects.values().get(), deliveries.plan())
    again = httpx.post(f"{both.province}/api/thanh-toan/xac-nhan", content=bytes(raw.body), trust_env=False).json()
    assert again["MaLoi"] == "00"
    assert (Payment.objects.values().get(), GatewayCopy.objects.count()) == (before[0], 1)
    assert deliveries.plan() == 0


def test_a_confirmation_that_never_came_is_learnt_by_asking(both: Both) -> None:
    _waiting()
    payment, url = _start(both)
    gone = replace(both.gateway, confirm_url="http://127.0.0.1:9/", confirm_attempts=2)
    silent = gateway_door.Door(gone)
    token = url.rsplit("token=", 1)[1]
    status, reply = silent.handle({"PATH_INFO": gateway_door.PAY, "REQUEST_METHOD": "POST",
                                   "QUERY_STRING": f"token={token}"}, NOW)  # fmt: skip
    assert status == 200 and reply["DaXacNhan"] is False
    assert Message.objects.filter(service=gateway_door.CONFIRMED, error_code=-1).count() == 2
    with ExitStack() as stack:
        restarted = gateway_door.Door(both.gateway)  # tells what it holds from its raw messages
        there = stack.enter_context(served(door.application(Server(Profile()), lambda: NOW, restarted)))
        client = GatewayClient(replace(both.gateway, url=there))
        assert sides.unasked() == [payment.reference]
        assert collect.ask(sides.unasked(), client=client, now=NOW) == (1, 1)
        client.close()
    payment.refresh_from_db()
    assert payment.state == "paid" and DossierRow.objects.get(code=CODE).status == Status.PROCESSING
    assert sides.unasked() == []


def test_a_start_whose_answer_was_lost_is_repeated_under_the_same_reference(both: Both) -> None:
    _waiting()
    first = GatewayClient(replace(both.gateway, url="http://127.0.0.1:9"))
    with pytest.raises(PortalUnreachable):
        collect.start(dossier=CODE, duty="Lệ phí", fees=FEES, now=NOW, client=first)
    first.close()
    payment, url = _start(both)
    assert _start(both) == (payment, url) and Payment.objects.count() == 1
    both.pay(url)
    with pytest.raises(BadPayment, match="đã được thanh toán"):
        _start(both)
    with pytest.raises(Refused):
        collect.start(dossier="khác", duty="", fees=FEES, now=NOW, client=both.client)


@pytest.mark.parametrize("both", [{"repeated_start": "refuse"}], indirect=True)
def test_a_gateway_may_refuse_a_repeated_start(both: Both) -> None:
    _waiting()
    _start(both)
    with pytest.raises(BadPayment, match="đã có"):
        _start(both)


def _confirm(gateway: Gateway, **changes: Any) -> dict[str, Any]:
    facts = {"reference": "TT9", "code": "00", "amount": 50_000, "transaction": "GD1", "bank": "B", "at": NOW}
    return collect.confirmed(
        payments.as_body(payments.build_confirm(Paid(**{**facts, **changes}), gateway)), gateway=gateway, now=NOW
    )


def test_what_is_not_ours_is_answered_99_and_kept_for_the_reconciliation() -> None:
    gateway = Gateway()
    assert _confirm(gateway)["MaLoi"] == "99" and GatewayCopy.objects.get().reference == "TT9"
    forged = collect.confirmed(
        payments.as_body({**payments.build_confirm(
            Paid(reference="TT8", code="00", amount=1, transaction="G", bank="B", at=NOW), gateway), "SoTien": "9"}),
        gateway=gateway, now=NOW,
    )  # fmt: skip
    assert forged["MaLoi"] == "99" and "MaXacThuc" in forged["MoTaLoi"] and forged["MaThamChieu"] == "TT8"
    assert GatewayCopy.objects.count() == 1
    assert collect.confirmed(b"{", gateway=gateway, now=NOW)["MaLoi"] == "99"
    assert PaymentMessage.objects.filter(incoming=True).count() == 3
    assert payments.parse_receipt(forged, replace(gateway, check_answers=True)).code == "99"


def _begun(**changes: Any) -> None:
    Payment.objects.create(**{"reference": "TT9", "dossier": CODE, "amount": 50_000, "channel": "portal", **changes})


def test_another_amount_is_not_taken_as_paid_and_a_failure_is_no_payment() -> None:
    _begun()
    assert _confirm(Gateway(), amount=45_000)["MaLoi"] == "99"
    assert Payment.objects.get().state == "started" and GatewayCopy.objects.get().amount == 45_000
    assert _confirm(Gateway(), code="07", transaction="GD2")["MaLoi"] == "00"
    assert Payment.objects.get().state == "failed" and GatewayCopy.objects.count() == 1


def test_a_stamp_of_a_twelve_hour_clock_is_kept_and_flagged_and_not_taken_for_the_act() -> None:
    _waiting()
    _begun()
    wrong = NOW - timedelta(hours=12)
    assert _confirm(Gateway(), at=wrong)["MaLoi"] == "00"
    payment = Payment.objects.get()
    assert (payment.paid_at, payment.flag, payment.known_at) == (wrong, "clock_12h", NOW)
    from motcua.dossiers import log

    assert log.events(CODE)[-1].at == NOW


def test_what_a_dossier_owes_is_told_to_listed_addresses_only(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    _waiting()
    ask = f"{both.province}/api/thanh-toan/tra-cuu"
    assert httpx.post(ask, json={"MaHoSo": CODE}, trust_env=False).status_code == 403
    monkeypatch.setenv("MOTCUA_GATEWAY_HOSTS", "10.0.0.1,127.0.0.1")
    nothing = httpx.post(ask, json={"MaHoSo": CODE}, trust_env=False).json()
    assert payments.parse_due(nothing, CODE) is None
    _, url = _start(both)
    owed = payments.parse_due(httpx.post(ask, json={"MaHoSo": CODE}, trust_env=False).json(), CODE)
    assert isinstance(owed, Bill) and (owed.fees, owed.texts["HoTenNguoiNop"]) == (FEES, "Trần Thị Thử")
    both.pay(url)
    assert payments.parse_due(httpx.post(ask, json={"MaHoSo": CODE}, trust_env=False).json(), CODE) is None
    assert httpx.post(ask, json={"MaHoSo": "khác"}, trust_env=False).json()["error_code"] == "-1"


def test_the_door_for_confirmations_is_shut_while_no_gateway_is_named(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = payments.build_confirm(
        Paid(reference="TT9", code="00", amount=1, transaction="G", bank="B", at=NOW), Gateway()
    )
    door_of = f"{both.province}/api/thanh-toan/xac-nhan"
    assert httpx.post(door_of, json=forged, trust_env=False).json()["MaLoi"] == "99"
    monkeypatch.delenv("MOTCUA_GATEWAY")
    assert httpx.post(door_of, json=forged, trust_env=False).status_code == 404
    assert not GatewayCopy.objects.exists() and PaymentMessage.objects.count() == 1


def test_the_gateway_refuses_what_it_cannot_check(both: Both) -> None:
    answer = both.client.ask("QUERY", "lạ", at=NOW)
    assert not answer.ok and "lạ" in answer.words
    stranger = GatewayClient(replace(both.gateway, secret="khác"))
    assert "MaXacThuc" in stranger.ask("QUERY", "lạ", at=NOW).words
    stranger.close()
    assert httpx.post(f"{both.gateway.url}/mapi/payment/pay?token=x", trust_env=False).status_code == 404
    assert httpx.get(f"{both.gateway.url}/mapi/payment", trust_env=False).status_code == 405
    assert Message.objects.filter(service=gateway_door.ASKED, error_code=-1).count() == 2


def test_a_dossier_message_tells_of_a_payment_from_the_event_on_at_which_it_was_known(both: Both) -> None:
    _waiting()
    _, url = _start(both)
    both.pay(url)
    portal = Portal(both.gateway.url, "demo-h99", "demo-password", "H99")
    deliveries.plan()
    deliver.Deliverer(portal).run(at=datetime.now(NOW.tzinfo))
    portal.close()
    told = [json.loads(row.body) for row in RecordVersion.objects.order_by("version")]
    told.append(json.loads(Record.objects.get(side="held", code=CODE).body))
    assert [(body["TrangThaiHoSo"], body["DuocThanhToanTrucTuyen"]) for body in told] == [
        ("1", "0"), ("2", "0"), ("6", "0"), ("4", "1"),
    ]  # fmt: skip
    assert [fee["Gia"] for fee in told[-1]["DanhSachLePhi"]] == ["30000", "20000"]


@pytest.mark.parametrize(
    ("channels", "flag"), [([], "0"), (["desk"], "0"), (["province"], "2"), (["province", "portal", "desk"], "1")]
)
def test_the_flag_says_who_took_the_money_online(channels: list[str], flag: str) -> None:
    for number, channel in enumerate(channels):
        _begun(reference=f"TT{number}", channel=channel, state="paid", paid_at=NOW, known_at=NOW)
    _begun(reference="open")
    assert carried.flag(carried.entries([CODE])[CODE], known_by=NOW) == flag


# ---- the command ---------------------------------------------------------------------------------------------------


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    from motcua.cli.main import run

    status = run(["payments", *words, "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out) if status < 2 else said.err


def test_the_command_loads_asks_and_reconciles(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("motcua.cli.home.open_home", lambda: tmp_path)
    _waiting()
    payment, url = _start(both)
    both.pay(url)
    ours = tmp_path / "motcua-khac.csv"
    ours.write_text("Mã hồ sơ,Mã tham chiếu,Số tiền,Ngày thanh toán\nH99.12-260302-0002,TT2,70.000,02/03/2026 10:00\n")
    assert _run(capsys, "load", str(ours)) == (0, {"new": 1, "known": 0})
    assert _run(capsys, "load", str(ours)) == (0, {"new": 0, "known": 1})
    ours.write_text(ours.read_text().replace("70.000", "80.000"))
    status, said = _run(capsys, "load", str(ours))
    assert status == 2 and "row 2, column reference: TT2 đã có" in said
    assert _run(capsys, "query")[1] == {"asked": 2, "paid": 1}
    bank = tmp_path / "sao-ke.csv"
    day = f"{NOW:%d/%m/%Y}"
    bank.write_text(
        f"Ngày,Ghi nợ,Ghi có,Nội dung\n{day},,50.000,Thanh toan {payment.reference}\n{day},,5.000,Khong ro\n"
        f"{NOW + timedelta(days=3):%d/%m/%Y},11.000,,Phi quan ly tai khoan\n"
    )
    output = tmp_path / "doi-soat.xlsx"
    status, document = _run(capsys, "reconcile", "--bank", str(bank), "-o", str(output))
    assert status == 1
    by_class = {row["class"]: row for row in document["classes"] if row["count"]}
    assert {name: (row["count"], row["here"], row["gateway"], row["bank"]) for name, row in by_class.items()} == {
        "agree": (1, 50_000, 50_000, 50_000), "only_here": (1, 70_000, 0, 0), "only_bank": (2, 0, 0, -6_000),
    }  # fmt: skip
    assert document["total"] == {"count": 4, "here": 120_000, "gateway": 50_000, "bank": 44_000}
    assert set(Class) == {row["class"] for row in document["classes"]}
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(output))
    sums = book.get_sheet_by_name("Tổng hợp").to_python(skip_empty_area=False)
    assert sums[4] == ["Tổng cộng", 4, 120_000, 50_000, 44_000]
    assert [sum(row[n] for row in sums[5:]) for n in (1, 2, 3, 4)] == sums[4][1:]
    assert len(book.get_sheet_by_name("Chi tiết").to_python(skip_empty_area=False)) == 4 + 4
    year = f"{NOW:%Y}"
    status, document = _run(capsys, "reconcile", "--bank", str(bank), "--period", year, "--class", "only_bank")
    assert [row["bank"] for row in document["rows"]] in ([5_000, -11_000], [5_000])
    assert _run(capsys, "reconcile", "--bank", str(tmp_path / "x.csv"))[0] == 2


def test_every_class_has_words() -> None:
    from motcua.cli.payments import CLASSES

    assert set(CLASSES) == set(Class)
