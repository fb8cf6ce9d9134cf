"""The payment messages as values: start, confirm, query, bill, look-up by dossier (contract §3.9).

Amounts are whole đồng. Messages that cannot be understood are refused by field and reference, never repaired.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from motcua.rules.instants import Unreadable
from motcua.wire import dates
from motcua.wire.gateway import (
    ANSWER_ORDER,
    ASK_ORDER,
    BAD,
    CONFIRM,
    GET_BILL,
    GOOD,
    INIT,
    INIT_ORDER,
    KEYPAY_SIGNATURE,
    NAMES,
    QUERY,
    SIGNATURE,
    VERSION,
    BadPayment,
    Gateway,
    confirm_order,
    demand,
    is_genuine,
    keypay_name,
    read,
    signed,
    text,
)
from motcua.wire.messages import text_of

#: The longest code that is taken: references, transactions, banks, dossiers.
MAX_CODE = 64
_CONSTANT = {
    "LoaiHinhThanhToan": "PAY", "MaKenhThanhToan": "1", "MaThietBi": "1", "NgonNgu": "vi-VN", "MaTienTe": "VND",
    "MaNganHang": "PAYMENT",
}  # fmt: skip
_BILL_TEXTS = (
    "MaDichVu", "MaDVC", "TenDVC", "MaTTHC", "TenTTHC", "MaDonVi", "TenDonVi", "MaHoSo", "TKThuHuong",
    "MaNHThuHuong", "TenTKThuHuong", "NoiDungThanhToan", "HoTenNguoiNop", "SoCMNDNguoiNop", "DiaChiNguoiNop",
    "HuyenNguoiNop", "TinhNguoiNop", "TaiKhoanThuNSNN",
)  # fmt: skip


def _needed(document: Mapping[str, Any], reference: str, name: str) -> str:
    value = text_of(text(document, name))
    if not value:
        raise BadPayment(reference, name, "để trống")
    return _short(value, reference, name)


def _short(value: str, reference: str, name: str) -> str:
    if len(value) > MAX_CODE:
        raise BadPayment(reference[:MAX_CODE], name, f"dài quá {MAX_CODE} ký tự")
    return value


def _amount(document: Mapping[str, Any], reference: str, name: str = "SoTien") -> int:
    """Whole đồng. A point or comma is refused: 50.000 can be fifty or fifty thousand."""
    value = document.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    digits = "" if value is None or isinstance(value, bool | dict | list) else str(value).strip()
    if not re.fullmatch(r"[0-9]{1,15}", digits):
        raise BadPayment(reference, name, f"{value!r} không phải là số đồng nguyên")
    return int(digits)


def _at(document: Mapping[str, Any], reference: str, name: str = "ThoiGianGD") -> datetime:
    try:
        at = dates.parse(document.get(name))
    except Unreadable as error:
        raise BadPayment(reference, name, str(error)) from None
    if at is None:
        raise BadPayment(reference, name, "để trống")
    return at


Clock = Literal["", "clock_12h"]


def clock_of(stated: datetime, known: datetime, *, tolerance: timedelta = timedelta(hours=1)) -> Clock:
    """Whether a stamp was written on a 12-hour clock: off by twelve hours from when it is known to have happened.

    13:05 is written as 01:05, and just after midnight 00:05 as 12:05. The stamp is flagged, never repaired.
    """
    off = stated - known
    twelve = timedelta(hours=12)
    return "clock_12h" if abs(abs(off) - twelve) <= tolerance < abs(off) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A line of a bill. `kind`: 1 phí, 2 lệ phí."""

    kind: str
    code: str
    name: str
    amount: int

    def as_item(self) -> dict[str, str]:
        """The line as PhiLePhi[] carries it."""
        return {"LoaiPhiLePhi": self.kind, "MaPhiLePhi": self.code, "TenPhiLePhi": self.name,
                "SoTien": str(self.amount)}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What the payer owes and to whom (ThongTinBienLai)."""

    dossier: str
    fees: tuple[Fee, ...]
    texts: Mapping[str, str] = field(default_factory=dict)  # the other fields of the contract, by their names

    @property
    def amount(self) -> int:
        return sum(fee.amount for fee in self.fees)

    def as_item(self) -> dict[str, Any]:
        """The bill as a start or a look-up carries it."""
        texts = {name: str(self.texts.get(name, "")) for name in _BILL_TEXTS}
        texts |= {"MaDichVu": texts["MaDichVu"] or "2", "MaHoSo": self.dossier}
        return {
            **texts,
            "PhiLePhi": [fee.as_item() for fee in self.fees],
            "DSKhoanNop": [{"NoiDung": fee.name, "SoTien": str(fee.amount)} for fee in self.fees],
        }


def parse_bill(item: Any, reference: str) -> Bill:
    """A bill. Raises `BadPayment`."""
    if not isinstance(item, dict):
        raise BadPayment(reference, "ThongTinBienLai", "phải là một đối tượng")
    rows = item.get("PhiLePhi")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadPayment(reference, "PhiLePhi", "phải là một danh sách")
    return Bill(
        dossier=_needed(item, reference, "MaHoSo"),
        fees=tuple(
            Fee(kind=text(row, "LoaiPhiLePhi"), code=text(row, "MaPhiLePhi"), name=text(row, "TenPhiLePhi"),
                amount=_amount(row, reference, "SoTien"))
            for row in rows
        ),
        texts={name: text(item, name) for name in _BILL_TEXTS if name != "MaHoSo" and text(item, name)},
    )  # fmt: skip


def as_body(document: Mapping[str, Any]) -> bytes:
    """A message as it goes over HTTP."""
    return json.dumps(document, ensure_ascii=False).encode()


# ---- start -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A payment is begun (P→N)."""

    reference: str
    amount: int
    at: datetime
    bill: Bill
    about: str = ""
    ip: str = "127.0.0.1"


def build_start(start: Start, gateway: Gateway) -> dict[str, Any]:
    """The INIT message. Raises `BadPayment`."""
    document = {
        "LoaiBanTin": INIT, "PhienBan": VERSION, "MaDoiTac": gateway.partner, "MaThamChieu": start.reference,
        "SoTien": str(start.amount), **_CONSTANT, "ThongTinGiaoDich": start.about, "ThoiGianGD": dates.build(start.at),
        "Ip": start.ip,
    }  # fmt: skip
    whole = signed(document, INIT_ORDER, gateway)
    last = KEYPAY_SIGNATURE if gateway.dialect == "keypay" else SIGNATURE
    name = keypay_name("ThongTinBienLai") if gateway.dialect == "keypay" else "ThongTinBienLai"
    value = whole.pop(last)
    return {**whole, name: start.bill.as_item(), last: value}


def parse_start(document: Any, gateway: Gateway) -> Start:
    """A start as the gateway receives it. Raises `BadPayment`."""
    message = read(document, gateway)
    reference = _needed(message, text(message, "MaThamChieu"), "MaThamChieu")
    if text(message, "PhienBan") != VERSION:
        raise BadPayment(reference, "PhienBan", f"{text(message, 'PhienBan')!r} không phải {VERSION}")
    if text(message, "MaDoiTac") != gateway.partner:
        raise BadPayment(reference, "MaDoiTac", "không có trong danh sách đối tác")
    demand(message, INIT_ORDER, gateway)
    amount = _amount(message, reference)
    bill = parse_bill(message.get("ThongTinBienLai"), reference)
    if amount == 0 or bill.amount != amount:
        raise BadPayment(reference, "SoTien", f"{amount} khác tổng các khoản {bill.amount}")
    return Start(
        reference=reference, amount=amount, at=_at(message, reference), bill=bill,
        about=text(message, "ThongTinGiaoDich"), ip=text(message, "Ip"),
    )  # fmt: skip


# ---- replies of the gateway, in both forms -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the gateway answers: a code (`00` is good), its words, and the facts by their names in the contract."""

    code: str
    words: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.code == GOOD


def build_answer(answer: Answer, gateway: Gateway) -> dict[str, Any]:
    """The reply in the gateway's form."""
    facts = {keypay_name(n): v for n, v in answer.facts.items()} if gateway.dialect == "keypay" else dict(answer.facts)
    if gateway.reply_form == "MaLoi":
        return {"MaLoi": answer.code, "MoTaLoi": answer.words, **facts}
    message = json.dumps(facts, ensure_ascii=False) if answer.ok else answer.words
    return {"error_code": "0" if answer.ok else "-1", "message": message}


def parse_answer(document: Any) -> Answer:
    """A reply of either form; which one it is, the reply itself tells. Raises `BadPayment`."""
    if not isinstance(document, dict):
        raise BadPayment("", "Nội dung", "phải là một đối tượng JSON")
    if "MaLoi" in document:
        facts = {name: value for name, value in document.items() if name not in ("MaLoi", "MoTaLoi")}
        return Answer(code=text(document, "MaLoi"), words=text(document, "MoTaLoi"), facts=_facts(facts))
    if "error_code" not in document:
        raise BadPayment("", "MaLoi", "không có, và không có error_code")
    message = document.get("message")
    if text(document, "error_code") not in ("0", GOOD):
        return Answer(code=BAD, words=str(message or ""))
    if isinstance(message, str):
        try:
            message = json.loads(message)
        except ValueError:
            raise BadPayment("", "message", "không phải là JSON") from None
    if not isinstance(message, dict):
        raise BadPayment("", "message", "không phải là một đối tượng JSON")
    return Answer(code=GOOD, words="", facts=_facts(message))


def _facts(document: Mapping[str, Any]) -> dict[str, str]:
    return {NAMES.get(name, name): text(document, name) for name in document}


# ---- confirmation (N→P) and what the province answers ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A payment as the gateway states it: in a confirmation, or in the answer to a query."""

    reference: str
    code: str  # 00 paid
    amount: int
    transaction: str
    bank: str
    at: datetime
    about: str = ""
    dossier: str = ""  # stated in answers to a query only
    bill_url: str = ""

    @property
    def ok(self) -> bool:
        return self.code == GOOD


def build_confirm(paid: Paid, gateway: Gateway) -> dict[str, Any]:
    """The confirmation that the gateway sends. Raises `BadPayment`."""
    document = {
        "LoaiBanTin": CONFIRM, "MaLoi": paid.code, "MaDoiTac": gateway.partner, "MaThamChieu": paid.reference,
        "SoTien": str(paid.amount), "MaTienTe": "VND", "MaGiaoDich": paid.transaction, "MaNganHang": paid.bank,
        "ThoiGianGD": dates.build(paid.at), "ThongTinGiaoDich": paid.about,
    }  # fmt: skip
    return signed(document, confirm_order(gateway), gateway)


def parse_confirm(document: Any, gateway: Gateway) -> Paid:
    """A confirmation as the province receives it. Raises `BadPayment`."""
    message = read(document, gateway)
    reference = _needed(message, text(message, "MaThamChieu"), "MaThamChieu")
    if text(message, "MaDoiTac") != gateway.partner:
        raise BadPayment(reference, "MaDoiTac", "không phải của đơn vị này")
    demand(message, confirm_order(gateway), gateway)
    return parse_paid(message, reference)


def parse_paid(message: Mapping[str, Any], reference: str) -> Paid:
    """The payment that a message in the contract's names states. Raises `BadPayment`."""
    if text(message, "MaTienTe") not in ("", "VND"):
        raise BadPayment(reference, "MaTienTe", f"{text(message, 'MaTienTe')!r} không phải VND")
    return Paid(
        reference=reference, code=_needed(message, reference, "MaLoi"), amount=_amount(message, reference),
        transaction=_short(text(message, "MaGiaoDich"), reference, "MaGiaoDich"),
        bank=_short(text(message, "MaNganHang"), reference, "MaNganHang"), at=_at(message, reference),
        about=text(message, "ThongTinGiaoDich"), dossier=text(message, "MaHoSo"),
        bill_url=text(message, "UrlBienLai"),
    )  # fmt: skip


def build_receipt(reference: str, code: str, words: str, at: datetime, gateway: Gateway) -> dict[str, Any]:
    """What the province answers to a confirmation: `00`, or `99` and why."""
    document = {"MaLoi": code, "MoTaLoi": words.replace("|", "/"), "MaDoiTac": gateway.partner,
                "MaThamChieu": reference.replace("|", "/"), "ThoiGianGD": dates.build(at)}  # fmt: skip
    return signed(document, ANSWER_ORDER, gateway)


def parse_receipt(document: Any, gateway: Gateway) -> Answer:
    """The province's answer to a confirmation, as the gateway reads it. Raises `BadPayment`."""
    message = read(document, gateway)
    if gateway.check_answers and not is_genuine(message, ANSWER_ORDER, gateway):
        raise BadPayment(text(message, "MaThamChieu"), SIGNATURE, "không khớp nội dung trả lời")
    return Answer(code=text(message, "MaLoi"), words=text(message, "MoTaLoi"))


# ---- query, bill ---------------------------------------------------------------------------------------------------


def build_ask(kind: Literal["QUERY", "GET_BILL"], reference: str, at: datetime, gateway: Gateway) -> dict[str, Any]:
    """A question about a payment, or for its receipt. Raises `BadPayment`."""
    document = {"LoaiBanTin": kind, "PhienBan": VERSION, "MaDoiTac": gateway.partner, "MaThamChieu": reference,
                "ThoiGianGD": dates.build(at)}  # fmt: skip
    return signed(document, ASK_ORDER, gateway)


def parse_ask(document: Any, gateway: Gateway) -> tuple[str, str]:
    """(QUERY or GET_BILL, reference) as the gateway receives it. Raises `BadPayment`."""
    message = read(document, gateway)
    reference = _needed(message, text(message, "MaThamChieu"), "MaThamChieu")
    kind = text(message, "LoaiBanTin")
    if kind not in (QUERY, GET_BILL):
        raise BadPayment(reference, "LoaiBanTin", f"{kind!r} không có")
    if text(message, "MaDoiTac") != gateway.partner:
        raise BadPayment(reference, "MaDoiTac", "không có trong danh sách đối tác")
    demand(message, ASK_ORDER, gateway)
    return kind, reference


def kind_of(document: Any, gateway: Gateway) -> str:
    """The kind of a message, for the door; empty where it says none."""
    try:
        return text(read(document, gateway), "LoaiBanTin")
    except BadPayment:
        return ""


# ---- look-up by dossier (N→P) ----------------------------------------------------------------------------------------


def lookup_code(dossier: str, at: datetime) -> str:
    """MaTraCuuTT: the dossier's code and a time stamp."""
    return dossier + dates.build(at)


def build_due(bill: Bill | None, *, at: datetime) -> dict[str, Any]:
    """What the province answers to a look-up: 1 and the bill, or 0 where nothing is due."""
    if bill is None or not bill.amount:
        return {"error_code": "0", "message": []}
    return {"error_code": "1", "message": {"MaTraCuuTT": lookup_code(bill.dossier, at), **bill.as_item()}}


def build_unknown(words: str) -> dict[str, Any]:
    """What the province answers where it does not know the dossier."""
    return {"error_code": "-1", "message": words}


def parse_due(document: Any, dossier: str) -> Bill | None:
    """The bill in a province's answer; None where nothing is due. Raises `BadPayment`, also for -1."""
    if not isinstance(document, dict):
        raise BadPayment("", "Nội dung", "phải là một đối tượng JSON")
    code = text(document, "error_code")
    if code == "0":
        return None
    if code != "1":
        raise BadPayment("", "MaHoSo", f"{dossier}: {document.get('message')}")
    bill = parse_bill(document.get("message"), "")
    if bill.dossier != dossier:
        raise BadPayment("", "MaHoSo", f"{bill.dossier!r} không phải hồ sơ được hỏi {dossier!r}")
    return bill


def receipt_at(url: str, server: str) -> str:
    """A receipt's address (UrlBienLai) on one's own security server; only http addresses of the axis are taken."""
    found = re.fullmatch(r"https?://[^/?#]+(/(?:XrdAdapter|VXPAdapter)/RestService/forward/[^#\s]*)", url)
    if not found:
        raise BadPayment("", "UrlBienLai", f"{url!r} không phải địa chỉ biên lai trên trục")
    return server.rstrip("/") + found[1]
