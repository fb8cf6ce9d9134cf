"""The payment gateway's door: start, pay (by the sandbox's payer), confirm to the province, query, receipt.

What it holds is told again from the raw messages, which are kept before they are read; there is no other store.
The citizen's page behind UrlThanhToan is not ours: a POST there pays.
"""

from __future__ import annotations

import json
import os
import secrets
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import httpx2 as httpx

from motcua.mirror.models import Message
from motcua.rules.instants import Unreadable
from motcua.wire import dates, payments
from motcua.wire.gateway import BAD, GET_BILL, GOOD, INIT, BadPayment, Gateway, gateway_from
from motcua.wire.messages import read_json
from motcua.wire.payments import Answer, Paid, Start

PAYMENT, PAY = "/mapi/payment", "/mapi/payment/pay"
BILL = "/XrdAdapter/RestService/forward/service/vpcp/viewbill"
_MAX_BODY = 1024 * 1024
#: How the raw messages are filed.
STARTED, PAID, CONFIRMED, ASKED = "payment.start", "payment.paid", "payment.confirm", "payment.ask"


def named() -> Gateway:
    """The gateway that MOTCUA_GATEWAY names, else the demo's. Raises `Unreadable`, naming the file."""
    file = os.environ.get("MOTCUA_GATEWAY")
    if not file:
        return Gateway()
    try:
        return gateway_from(tomllib.loads(Path(file).read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise Unreadable(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, Unreadable) as error:
        raise Unreadable(f"{file}: {error}") from None


@dataclass(slots=True)
class Held:
    """A payment as the gateway holds it."""

    start: Start
    token: str
    paid: Paid | None = None
    confirmed: bool = False


class Door:
    """One gateway behind HTTP."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._lock = Lock()
        self._by_reference: dict[str, Held] | None = None

    def owns(self, path: str) -> bool:
        """Whether an address is the gateway's."""
        return path in (PAYMENT, PAY, BILL)

    def handle(self, environ: dict[str, Any], at: datetime) -> tuple[int, dict[str, Any]]:
        """One request: HTTP status and reply."""
        path, method = environ["PATH_INFO"], environ.get("REQUEST_METHOD", "GET")
        token = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
        if path == BILL:
            return self._receipt(token)
        if method != "POST":
            return 405, {"MaLoi": BAD, "MoTaLoi": "Chỉ nhận POST"}
        if path == PAY:
            return self._pay(token, at)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > _MAX_BODY:
            return 413, {"MaLoi": BAD, "MoTaLoi": "Nội dung quá dài"}
        return 200, self._message(environ["wsgi.input"].read(length), at)

    # ---- messages of the province -----------------------------------------------------------------------------

    def _message(self, body: bytes, at: datetime) -> dict[str, Any]:
        raw = Message.objects.create(received_at=at, service=ASKED, body=body)
        try:
            document = read_json(body)
            if payments.kind_of(document, self.gateway) == INIT:
                raw.service = STARTED
                answer = self._start(payments.parse_start(document, self.gateway))
            else:
                kind, reference = payments.parse_ask(document, self.gateway)
                answer = self._tell(kind, reference)
        except Unreadable as error:
            answer = Answer(code=BAD, words=str(error))
        reply = payments.build_answer(answer, self.gateway)
        raw.sender = self.gateway.partner
        raw.reply, raw.error_code = json.dumps(reply, ensure_ascii=False), 0 if answer.ok else -1
        raw.save(update_fields=["service", "sender", "reply", "error_code"])
        return reply

    def _start(self, start: Start) -> Answer:
        with self._lock:
            held = self._all().get(start.reference)
            if held is None:
                held = self._all()[start.reference] = Held(start, secrets.token_urlsafe(18))
            elif self.gateway.repeated_start == "refuse" or replace(held.start, at=start.at) != start:
                raise BadPayment(start.reference, "MaThamChieu", "đã có")
        return Answer(
            code=GOOD, words="Thành công",
            facts={"MaThamChieu": start.reference, "UrlThanhToan": f"{self.gateway.url}{PAY}?token={held.token}"},
        )  # fmt: skip

    def _tell(self, kind: str, reference: str) -> Answer:
        held = self._all().get(reference)
        if held is None:
            return Answer(code=BAD, words=f"Không có giao dịch {reference}")
        if held.paid is None:
            return Answer(code=BAD, words=f"Giao dịch {reference} chưa thanh toán")
        url = f"{self.gateway.url}{BILL}?token={held.token}"
        if kind == GET_BILL:
            return Answer(code=GOOD, words="Thành công", facts={"MaThamChieu": reference, "UrlBienLai": url})
        paid = held.paid
        facts = {
            "MaThamChieu": reference, "SoTien": str(paid.amount), "MaTienTe": "VND", "MaGiaoDich": paid.transaction,
            "MaNganHang": paid.bank, "ThoiGianGD": dates.build(paid.at), "MaHoSo": held.start.bill.dossier,
            "UrlBienLai": url,
        }  # fmt: skip
        return Answer(code=GOOD, words="Thành công", facts=facts)

    # ---- the payer --------------------------------------------------------------------------------------------

    def _pay(self, token: str, at: datetime) -> tuple[int, dict[str, Any]]:
        """The payer pays, or, where the province has not heard of it yet, it is told again."""
        held = self._by_token(token)
        if held is None:
            return 404, {"MaLoi": BAD, "MoTaLoi": "Không có giao dịch này"}
        with self._lock:
            if held.paid is None:
                held.paid = Paid(
                    reference=held.start.reference, code=GOOD, amount=held.start.amount,
                    transaction=f"GD{secrets.token_hex(6).upper()}", bank="DEMO", at=at.replace(microsecond=0),
                    about=held.start.about,
                )  # fmt: skip
                _file(PAID, self.gateway.partner, payments.build_confirm(held.paid, self.gateway), at)
        if not held.confirmed and self.gateway.confirm_url:
            held.confirmed = self._confirm(held.paid, at)
        return 200, {"MaLoi": GOOD, "MoTaLoi": "Đã thanh toán", "MaGiaoDich": held.paid.transaction,
                     "DaXacNhan": held.confirmed}  # fmt: skip

    def _confirm(self, paid: Paid, at: datetime) -> bool:
        """Tells the province, as often as the gateway does; whether it took it."""
        message = payments.build_confirm(paid, self.gateway)
        for _ in range(self.gateway.confirm_attempts):
            try:
                reply = httpx.post(self.gateway.confirm_url, json=message, timeout=10, trust_env=False)
                heard = payments.parse_receipt(reply.json(), self.gateway)
            except (httpx.HTTPError, ValueError) as error:
                _file(CONFIRMED, self.gateway.partner, message, at, reply=type(error).__name__, code=-1)
                continue
            _file(CONFIRMED, self.gateway.partner, message, at, reply=reply.text, code=0 if heard.ok else -1)
            if heard.ok:
                return True
        return False

    def _receipt(self, token: str) -> tuple[int, dict[str, Any]]:
        held = self._by_token(token)
        if held is None or held.paid is None:
            return 404, {"MaLoi": BAD, "MoTaLoi": "Không có biên lai này"}
        return 200, {**held.start.bill.as_item(), "MaThamChieu": held.start.reference,
                     "MaGiaoDich": held.paid.transaction, "ThoiGianGD": dates.build(held.paid.at)}  # fmt: skip

    # ---- what is held -----------------------------------------------------------------------------------------

    def _by_token(self, token: str) -> Held | None:
        return next((h for h in self._all().values() if secrets.compare_digest(h.token.encode(), token.encode())), None)

    def _all(self) -> dict[str, Held]:
        if self._by_reference is None:
            self._by_reference = _told_again(self.gateway)
        return self._by_reference


def _file(service: str, sender: str, message: dict[str, Any], at: datetime, *, reply: str = "", code: int = 0) -> None:
    body = payments.as_body(message)
    Message.objects.create(received_at=at, service=service, sender=sender, body=body, reply=reply, error_code=code)


def _told_again(gateway: Gateway) -> dict[str, Held]:
    """What the gateway holds, from its raw messages in the order in which they came."""
    trusting = replace(gateway, demand_checksum=False)
    held: dict[str, Held] = {}
    rows = Message.objects.filter(service__in=(STARTED, PAID, CONFIRMED), error_code=0, sender=gateway.partner)
    for row in rows.order_by("pk").iterator():
        document = read_json(bytes(row.body))
        if row.service == STARTED:
            start = payments.parse_start(document, trusting)
            url = payments.parse_answer(json.loads(row.reply)).facts["UrlThanhToan"]
            held.setdefault(start.reference, Held(start, url.rsplit("token=", 1)[-1]))
            continue
        paid = payments.parse_confirm(document, trusting)
        if row.service == PAID:
            held[paid.reference].paid = paid
        else:
            held[paid.reference].confirmed = True
    return held
