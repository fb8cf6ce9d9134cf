"""A payment is begun, confirmed by the gateway, or learnt of by asking; and what a dossier owes is told.

A confirmation may come twice, late or never; each way leads to the same row. What the gateway says is kept as its
copy even where we cannot agree with it: the reconciliation shows the difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from motcua.dossiers import waiting
from motcua.dossiers.models import DossierRow
from motcua.ledger.models import PersonalValue
from motcua.payments.client import GatewayClient
from motcua.payments.models import GatewayCopy, Payment, PaymentMessage
from motcua.rules.dossier import Status
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Actor, Refused
from motcua.wire import payments
from motcua.wire.gateway import BAD, GET_BILL, GOOD, QUERY, BadPayment, Gateway
from motcua.wire.messages import read_json, text_of
from motcua.wire.payments import Answer, Bill, Fee, Paid, Start

#: Who acts when the gateway says so.
GATEWAY = Actor(name="Cổng thanh toán", unit="")
State, Channel = Payment.State, Payment.Channel


def reference_of(dossier: str, duty: str, attempt: int) -> str:
    """The reference of an attempt to pay a duty: told from what it is for, so a repeated call repeats it."""
    return "TT" + hashlib.blake2b(f"{dossier}|{duty}|{attempt}".encode(), digest_size=10).hexdigest().upper()


def start(*, dossier: str, duty: str, fees: Sequence[Fee], now: datetime, client: GatewayClient) -> tuple[Payment, str]:
    """Begins the payment of a duty; returns it with the address where it is paid.

    The row stands before the gateway is called, so a call that is lost is repeated under the same reference.
    Raises `Refused`, `PortalUnreachable`, `BadPayment`.
    """
    row = DossierRow.objects.filter(code=dossier).first()
    if row is None:
        raise Refused("dossier.unknown", dossier=dossier)
    bill = Bill(dossier=dossier, fees=tuple(fees), texts={"MaTTHC": row.procedure, "MaDonVi": row.agency})
    with transaction.atomic():
        tried = list(Payment.objects.filter(dossier=dossier, duty=duty).order_by("started_at"))
        for payment in tried:
            if payment.state == State.PAID:
                raise BadPayment(payment.reference, "MaThamChieu", "nghĩa vụ này đã được thanh toán")
        begun = next((p for p in tried if p.state == State.STARTED), None)
        payment = begun or Payment.objects.get_or_create(
            reference=reference_of(dossier, duty, len(tried) + 1),
            defaults={
                "dossier": dossier, "duty": duty, "amount": bill.amount, "fees": [fee.as_item() for fee in fees],
                "channel": Channel.PORTAL if client.gateway.portal_is_payee else Channel.PROVINCE, "started_at": now,
            },
        )[0]  # fmt: skip
    answer = client.start(
        Start(reference=payment.reference, amount=bill.amount, at=now, bill=bill, about=f"Thanh toan {dossier}"), at=now
    )
    if not answer.ok:
        raise BadPayment(payment.reference, "INIT", f"bị từ chối: {answer.words}")
    return payment, answer.facts.get("UrlThanhToan", "")


def confirmed(body: bytes, *, gateway: Gateway, now: datetime) -> dict[str, Any]:
    """What the province answers to a confirmation: `00` once it is kept, `99` and why where it is not ours."""
    raw = PaymentMessage.objects.create(at=now, incoming=True, body=body)
    reference = ""
    try:
        paid = payments.parse_confirm(read_json(body), gateway)
        reference = raw.reference = paid.reference[:64]
        code, words = _take(paid, now=now)
    except BadPayment as error:
        reference, code, words = error.reference, BAD, error.reason
    except Unreadable as error:
        code, words = BAD, str(error)
    receipt = payments.build_receipt(reference, code, words, now, gateway)
    raw.reply = payments.as_body(receipt).decode()
    raw.save(update_fields=["reference", "reply"])
    return receipt


@transaction.atomic
def _take(paid: Paid, *, now: datetime) -> tuple[str, str]:
    """Keeps what the gateway states, and the payment as paid where both agree."""
    payment = Payment.objects.select_for_update().filter(reference=paid.reference).first()
    if not paid.ok:
        if payment is not None and payment.state == State.STARTED:
            payment.state = State.FAILED
            payment.save(update_fields=["state"])
        return GOOD, "Đã ghi nhận giao dịch không thành công"
    GatewayCopy.objects.get_or_create(
        reference=paid.reference, transaction=paid.transaction,
        defaults={"amount": paid.amount, "dossier": paid.dossier, "at": paid.at, "known_at": now},
    )  # fmt: skip
    if payment is None:
        return BAD, "Không có giao dịch này"
    if payment.amount != paid.amount:
        return BAD, f"Số tiền {paid.amount} khác số phải nộp {payment.amount}"
    if payment.state != State.PAID:
        payment.state, payment.paid_at, payment.known_at = State.PAID, paid.at, now
        payment.transaction, payment.bank = paid.transaction, paid.bank
        payment.flag = payments.clock_of(paid.at, now)
        payment.save()
        _performed(payment, now)
    if paid.bill_url and not payment.bill_url:
        payment.bill_url = paid.bill_url[:500]
        payment.save(update_fields=["bill_url"])
    return GOOD, "Thành công"


def _performed(payment: Payment, now: datetime) -> None:
    """The dossier that waited for this payment goes on; a flagged stamp is not taken for the time of the act."""
    row = DossierRow.objects.filter(code=payment.dossier).first()
    if row is None or row.status != Status.PAYMENT:
        return
    stated = payment.paid_at if payment.paid_at and not payment.flag else now
    since = row.suspended_since or now
    waiting.pay(code=payment.dossier, by=GATEWAY, at=min(max(stated, since), now), now=now)


def ask(references: Iterable[str], *, client: GatewayClient, now: datetime) -> tuple[int, int]:
    """Asks the gateway about payments; returns (asked, paid there). Raises `PortalUnreachable`."""
    asked = paid = 0
    for reference in references:
        answer = client.ask(QUERY, reference, at=now)
        asked += 1
        if answer.ok:
            _take(payments.parse_paid({**answer.facts, "MaLoi": GOOD, "MaThamChieu": reference}, reference), now=now)
            paid += 1
        Payment.objects.filter(reference=reference).update(asked_at=now)
    return asked, paid


def bill_of(reference: str, *, client: GatewayClient, now: datetime) -> Answer:
    """The receipt of a payment. Raises `PortalUnreachable`, `BadPayment`."""
    answer = client.ask(GET_BILL, reference, at=now)
    if answer.ok and (url := answer.facts.get("UrlBienLai", "")):
        Payment.objects.filter(reference=reference).update(bill_url=url[:500])
    return answer


def due(body: bytes, *, now: datetime) -> dict[str, Any]:
    """What the province answers when the gateway asks what a dossier owes (contract §3.9)."""
    PaymentMessage.objects.create(at=now, incoming=True, body=body)
    try:
        document = read_json(body)
        code = text_of(document.get("MaHoSo")) if isinstance(document, dict) else ""
    except Unreadable as error:
        return payments.build_unknown(str(error))
    row = DossierRow.objects.filter(code=code).first()
    if row is None:
        return payments.build_unknown(f"Không có hồ sơ {code}")
    owed = Payment.objects.filter(dossier=code, state=State.STARTED).exclude(channel=Channel.DESK)
    fees = tuple(
        Fee(kind=f["LoaiPhiLePhi"], code=f["MaPhiLePhi"], name=f["TenPhiLePhi"], amount=int(f["SoTien"]))
        for payment in owed.order_by("started_at")
        for f in payment.fees
    )
    owner = PersonalValue.objects.filter(dossier=code, field="applicant").values_list("value", flat=True).first()
    texts = {"MaTTHC": row.procedure, "MaDonVi": row.agency, "HoTenNguoiNop": owner or ""}
    return payments.build_due(Bill(dossier=code, fees=fees, texts=texts), at=now)
