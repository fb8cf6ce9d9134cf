"""The payment messages: checksums in the contract's orders, both reply forms, refusals by field, no value lost."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.story import at

from motcua.rules.instants import Unreadable
from motcua.wire import gateway as gate
from motcua.wire import payments
from motcua.wire.gateway import BadPayment, Gateway
from motcua.wire.messages import BadItem
from motcua.wire.payments import Answer, Bill, Fee, Paid, Start

GATEWAY = Gateway(partner="H99", secret="bí mật")
KEYPAY = replace(GATEWAY, dialect="keypay")
BILL = Bill(dossier="H99.12-260302-0001", fees=(Fee(kind="2", code="LP01", name="Lệ phí", amount=50_000),))
START = Start(reference="TT1", amount=50_000, at=at("2026-03-02T13:05"), bill=BILL, about="Nộp lệ phí")
PAID = Paid(reference="TT1", code="00", amount=50_000, transaction="GD9", bank="VCB", at=at("2026-03-02T13:06"),
            about="Nộp lệ phí")  # fmt: skip


def _sha(*values: str) -> str:
    return hashlib.sha256("|".join(values).encode()).hexdigest()


def test_a_start_is_signed_over_its_values_in_message_order_with_the_secret_last() -> None:
    message = payments.build_start(START, GATEWAY)
    assert list(message)[-2:] == ["ThongTinBienLai", "MaXacThuc"] and message["PhienBan"] == "1.0.6"
    assert message["MaXacThuc"] == _sha(
        "INIT", "1.0.6", "H99", "TT1", "50000", "PAY", "1", "1", "vi-VN", "VND", "PAYMENT", "Nộp lệ phí",
        "20260302130500", "127.0.0.1", "bí mật",
    )  # fmt: skip


def test_a_confirmation_and_a_query_are_signed_in_their_documented_orders() -> None:
    confirm = payments.build_confirm(PAID, GATEWAY)
    assert confirm["MaXacThuc"] == _sha(
        "CONFIRM", "00", "H99", "TT1", "50000", "VND", "GD9", "VCB", "20260302130600", "Nộp lệ phí", "bí mật"
    )
    for kind in ("QUERY", "GET_BILL"):
        ask = payments.build_ask(kind, "TT1", START.at, GATEWAY)  # type: ignore[arg-type]
        assert ask["MaXacThuc"] == _sha(kind, "1.0.6", "H99", "TT1", "20260302130500", "bí mật")
        assert payments.parse_ask(ask, GATEWAY) == (kind, "TT1")


def test_keypay_writes_snake_case_and_an_hmac() -> None:
    message = payments.build_confirm(PAID, KEYPAY)
    assert message["ma_tham_chieu"] == "TT1" and "MaXacThuc" not in message
    values = "|".join(("CONFIRM", "00", "H99", "TT1", "50000", "VND", "GD9", "VCB", "20260302130600", "Nộp lệ phí"))
    assert message["check_sum"] == hmac.new("bí mật".encode(), values.encode(), hashlib.sha256).hexdigest()
    assert payments.parse_confirm(message, KEYPAY) == PAID


def test_a_changed_amount_is_not_genuine_unless_the_switch_says_so() -> None:
    forged = {**payments.build_confirm(PAID, GATEWAY), "SoTien": "5"}
    with pytest.raises(BadPayment, match=r"TT1: MaXacThuc"):
        payments.parse_confirm(forged, GATEWAY)
    assert payments.parse_confirm(forged, replace(GATEWAY, demand_checksum=False)).amount == 5


def test_the_swapped_order_of_one_client_is_a_switch() -> None:
    swapped = replace(GATEWAY, confirm_order="swapped")
    message = payments.build_confirm(PAID, swapped)
    assert payments.parse_confirm(message, swapped) == PAID
    with pytest.raises(BadPayment):
        payments.parse_confirm(message, GATEWAY)


def test_checksums_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(gate.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    payments.parse_confirm(payments.build_confirm(PAID, GATEWAY), GATEWAY)
    assert len(compared) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SoTien": "50.000"}, "SoTien"), ({"SoTien": "-1"}, "SoTien"), ({"SoTien": None}, "SoTien"),
        ({"SoTien": 1.5}, "SoTien"), ({"SoTien": True}, "SoTien"), ({"ThoiGianGD": "2026-03-02"}, "ThoiGianGD"),
        ({"ThoiGianGD": ""}, "ThoiGianGD"), ({"MaDoiTac": "H98"}, "MaDoiTac"), ({"MaTienTe": "USD"}, "MaTienTe"),
        ({"MaLoi": ""}, "MaLoi"), ({"MaNganHang": ["VCB"]}, "MaNganHang"),
    ],
)  # fmt: skip
def test_a_refusal_names_field_and_reference(change: dict[str, Any], named: str) -> None:
    trusting = replace(GATEWAY, demand_checksum=False)
    with pytest.raises(BadItem, match=f"Giao dịch TT1: {named} "):
        payments.parse_confirm({**payments.build_confirm(PAID, GATEWAY), **change}, trusting)


def test_a_start_must_add_up_and_speak_the_known_version() -> None:
    trusting = replace(GATEWAY, demand_checksum=False)
    good = payments.build_start(START, GATEWAY)
    assert payments.parse_start(good, GATEWAY).bill.amount == 50_000
    for change, named in (({"SoTien": "60000"}, "SoTien"), ({"PhienBan": "1.0.5"}, "PhienBan"),
                          ({"ThongTinBienLai": "x"}, "ThongTinBienLai")):  # fmt: skip
        with pytest.raises(BadPayment, match=named):
            payments.parse_start({**good, **change}, trusting)


def test_a_bar_inside_a_value_is_refused_since_two_messages_would_share_a_checksum() -> None:
    with pytest.raises(BadPayment, match="ThongTinGiaoDich"):
        payments.build_start(replace(START, about="a|b"), GATEWAY)


texts = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="|"), max_size=20)
codes = st.from_regex(r"[A-Za-z0-9.-]{1,20}", fullmatch=True)
amounts = st.integers(1, 10**12)
instants = st.integers(0, 10 * 366 * 86_400).map(lambda seconds: at("2020-01-01") + timedelta(seconds=seconds))
fees = st.builds(Fee, kind=st.sampled_from(["1", "2"]), code=codes, name=texts, amount=amounts)
bills = st.builds(
    lambda d, f: Bill(dossier=d, fees=tuple(f), texts={"MaDichVu": "2"}), codes, st.lists(fees, min_size=1)
)
gateways = st.builds(
    Gateway, secret=texts, partner=codes, dialect=st.sampled_from(["dvcqg", "keypay"]),
    reply_form=st.sampled_from(["message", "MaLoi"]), confirm_order=st.sampled_from(["documented", "swapped"]),
)  # fmt: skip


@given(bills, codes, instants, texts, gateways)
def test_what_is_started_is_what_is_read(bill: Bill, ref: str, when: datetime, about: str, gateway: Gateway) -> None:
    start = Start(reference=ref, amount=bill.amount, at=when, bill=bill, about=about)
    assert payments.parse_start(json.loads(json.dumps(payments.build_start(start, gateway))), gateway) == start


@given(codes, st.sampled_from(["00", "99"]), st.integers(0, 10**12), codes, instants, texts, gateways)
def test_what_is_confirmed_is_what_is_read_and_any_changed_value_is_caught(
    ref: str, code: str, amount: int, transaction: str, when: datetime, about: str, gateway: Gateway
) -> None:
    paid = Paid(reference=ref, code=code, amount=amount, transaction=transaction, bank="B", at=when, about=about)
    message = payments.build_confirm(paid, gateway)
    assert payments.parse_confirm(message, gateway) == paid
    for name in message:
        if name in ("MaXacThuc", "check_sum"):
            continue
        with pytest.raises(Unreadable):
            payments.parse_confirm({**message, name: str(message[name]) + "1"}, gateway)


@given(st.dictionaries(st.sampled_from(["MaThamChieu", "UrlThanhToan", "SoTien"]), texts), texts, gateways)
def test_both_reply_forms_say_the_same(facts: dict[str, str], words: str, gateway: Gateway) -> None:
    good = payments.parse_answer(payments.build_answer(Answer(code="00", words="", facts=facts), gateway))
    assert good.ok and good.facts == facts
    bad = payments.parse_answer(payments.build_answer(Answer(code="99", words=words), gateway))
    assert not bad.ok and bad.words == words


@pytest.mark.parametrize(
    "document",
    [[], {}, {"message": "x"}, {"error_code": "0", "message": "x"}, {"error_code": 0, "message": "[]"}],
)
def test_an_answer_of_neither_form_is_refused(document: Any) -> None:
    with pytest.raises(BadPayment):
        payments.parse_answer(document)


def test_a_province_is_asked_what_a_dossier_owes() -> None:
    due = payments.build_due(BILL, at=START.at)
    assert due["error_code"] == "1" and due["message"]["MaTraCuuTT"] == "H99.12-260302-000120260302130500"
    assert payments.parse_due(due, BILL.dossier) == replace(BILL, texts={"MaDichVu": "2"})
    nothing = payments.build_due(None, at=START.at)
    assert nothing == {"error_code": "0", "message": []} and payments.parse_due(nothing, BILL.dossier) is None
    with pytest.raises(BadPayment, match="không có hồ sơ"):
        payments.parse_due(payments.build_unknown("không có hồ sơ"), BILL.dossier)
    with pytest.raises(BadPayment, match="không phải hồ sơ được hỏi"):
        payments.parse_due(due, "H99.12-260302-0002")


@given(instants, st.integers(-20, 20))
def test_a_stamp_of_a_twelve_hour_clock_is_told_from_a_right_one(known: datetime, minutes: int) -> None:
    written = known.replace(hour=known.hour % 12) if known.hour >= 12 else known
    late = known + timedelta(minutes=minutes)
    assert payments.clock_of(written, late) == ("clock_12h" if known.hour >= 12 else "")
    if known.hour == 0:
        assert payments.clock_of(known.replace(hour=12), late) == "clock_12h"


def test_a_receipts_address_is_taken_to_ones_own_server_and_no_other_address_is() -> None:
    url = "http://ss1.vn/XrdAdapter/RestService/forward/service/vpcp/viewbill?token=a&dstcode=VN:GOV"
    path = "/XrdAdapter/RestService/forward/service/vpcp/viewbill?token=a&dstcode=VN:GOV"
    assert payments.receipt_at(url, "http://10.0.0.1/") == f"http://10.0.0.1{path}"
    for other in ("http://ss1.vn/viewbill", "file:///XrdAdapter/RestService/forward/x", "http://a@b"):
        with pytest.raises(BadPayment):
            payments.receipt_at(other, "http://10.0.0.1")


def test_a_switch_that_is_not_there_is_refused_by_name_and_the_demos_secret_is_never_meant() -> None:
    ours = {"partner": "H99", "secret": "s"}
    assert gate.gateway_from({**ours, "dialect": "keypay"}).dialect == "keypay"
    for document, named in (({**ours, "partnr": "x"}, "partnr"), ({**ours, "dialect": "x"}, "dialect"),
                            ({**ours, "confirm_attempts": True}, "confirm_attempts"), ({"partner": "H99"}, "secret"),
                            ({"secret": "s"}, "partner")):  # fmt: skip
        with pytest.raises(Unreadable, match=named):
            gate.gateway_from(document)
