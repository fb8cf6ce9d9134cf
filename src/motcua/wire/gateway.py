"""The gateway as we deal with it, and the checksum of its messages (contract §3.9).

A checksum is taken over the texts as they were sent, before anything is read from them, and compared in constant
time. What nobody has verified of the gateway is a named switch.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from motcua.rules.instants import Unreadable
from motcua.wire.messages import BadItem, text_of

VERSION = "1.0.6"
GOOD, BAD = "00", "99"
INIT, CONFIRM = "INIT", "CONFIRM"
QUERY: Literal["QUERY"] = "QUERY"
GET_BILL: Literal["GET_BILL"] = "GET_BILL"
SIGNATURE = "MaXacThuc"
KEYPAY_SIGNATURE = "check_sum"

#: What a checksum is taken over, in this order, the secret behind it.
INIT_ORDER = (
    "LoaiBanTin", "PhienBan", "MaDoiTac", "MaThamChieu", "SoTien", "LoaiHinhThanhToan", "MaKenhThanhToan", "MaThietBi",
    "NgonNgu", "MaTienTe", "MaNganHang", "ThongTinGiaoDich", "ThoiGianGD", "Ip",
)  # fmt: skip
CONFIRM_ORDER = (
    "LoaiBanTin", "MaLoi", "MaDoiTac", "MaThamChieu", "SoTien", "MaTienTe", "MaGiaoDich", "MaNganHang", "ThoiGianGD",
    "ThongTinGiaoDich",
)  # fmt: skip
#: One client computes the confirmation with its last two values in the other order (C1).
CONFIRM_ORDER_SWAPPED = (*CONFIRM_ORDER[:-2], "ThongTinGiaoDich", "ThoiGianGD")
ASK_ORDER = ("LoaiBanTin", "PhienBan", "MaDoiTac", "MaThamChieu", "ThoiGianGD")
ANSWER_ORDER = ("MaLoi", "MoTaLoi", "MaDoiTac", "MaThamChieu", "ThoiGianGD")


class BadPayment(BadItem):
    """A payment message is refused: the field, and the reference (MaThamChieu) that it belongs to."""

    def __init__(self, reference: str, name: str, reason: str) -> None:
        super().__init__("", f"Giao dịch {reference or '?'}: {name} {reason}")
        self.reference, self.name = reference, name


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One payment gateway as we deal with it: who we are there, and every behaviour that nobody has verified."""

    partner: str = "demo-h99"  # MaDoiTac
    secret: str = "demo-secret"
    url: str = "http://127.0.0.1:8766"
    confirm_url: str = ""  # where the gateway confirms to the province; empty: it does not
    reply_form: Literal["message", "MaLoi"] = "message"  # C2: error_code and JSON text in message; C1: MaLoi
    dialect: Literal["dvcqg", "keypay"] = "dvcqg"  # keypay: snake_case names, check_sum is an HMAC
    confirm_order: Literal["documented", "swapped"] = "documented"
    demand_checksum: bool = True  # C2 refuses a mismatch, C1 does not
    check_answers: bool = False  # whether the gateway checks the province's answer to a confirmation
    repeated_start: Literal["same", "refuse"] = "same"  # a second INIT with a known reference
    confirm_attempts: int = 3
    portal_is_payee: bool = True  # DuocThanhToanTrucTuyen 1 (the portal's gateway), else 2 (the province's own)


def gateway_from(document: Mapping[str, Any]) -> Gateway:
    """A gateway from a parsed TOML file. Raises `Unreadable`, naming the switch."""
    known = {f.name: f for f in fields(Gateway)}
    choices = {
        "reply_form": ("message", "MaLoi"), "dialect": ("dvcqg", "keypay"),
        "confirm_order": ("documented", "swapped"), "repeated_start": ("same", "refuse"),
    }  # fmt: skip
    for name, value in document.items():
        if name not in known:
            raise Unreadable(f"gateway: no switch {name!r}; there are: {', '.join(known)}")
        if type(value) is not type(known[name].default):
            raise Unreadable(f"gateway: {name} = {value!r} is not a {type(known[name].default).__name__}")
        if name in choices and value not in choices[name]:
            raise Unreadable(f"gateway: {name} = {value!r} is none of {', '.join(choices[name])}")
    for name in ("partner", "secret"):  # the demo's are known to everybody
        if not document.get(name):
            raise Unreadable(f"gateway: {name} is missing")
    return Gateway(**document)


# ---- checksums ---------------------------------------------------------------------------------------------------


def checksum(values: Iterable[str], secret: str, *, keyed: bool = False) -> str:
    """SHA-256 in hex over the values and the secret joined by `|`; keyed: HMAC over the values (Keypay)."""
    if keyed:
        return hmac.new(secret.encode(), "|".join(values).encode(), hashlib.sha256).hexdigest()
    return hashlib.sha256("|".join([*values, secret]).encode()).hexdigest()


def signed(document: Mapping[str, Any], order: Sequence[str], gateway: Gateway) -> dict[str, Any]:
    """The message with its checksum, in the gateway's dialect. Raises `BadPayment`.

    A bar inside a value would let two messages share a checksum: it is refused.
    """
    for name in order:
        if "|" in text(document, name):
            raise BadPayment(text(document, "MaThamChieu"), name, "không được chứa dấu |")
    keypay = gateway.dialect == "keypay"
    value = checksum([text(document, name) for name in order], gateway.secret, keyed=keypay)
    whole = {**document, SIGNATURE: value}
    return {keypay_name(name): v for name, v in whole.items()} if keypay else whole


def read(document: Any, gateway: Gateway) -> dict[str, Any]:
    """A message as the contract names it, whatever the dialect. Raises `BadPayment`."""
    if not isinstance(document, dict):
        raise BadPayment("", "Nội dung", "phải là một đối tượng JSON")
    if gateway.dialect == "keypay":
        return {NAMES.get(str(name), str(name)): value for name, value in document.items()}
    return dict(document)


def is_genuine(document: Mapping[str, Any], order: Sequence[str], gateway: Gateway) -> bool:
    """Whether the checksum of a message that was `read` is the one of its values, compared in constant time."""
    try:
        given = text_of(document.get(SIGNATURE)).lower()
        value = checksum([text(document, name) for name in order], gateway.secret, keyed=gateway.dialect == "keypay")
    except Unreadable:
        return False
    return hmac.compare_digest(value.encode(), given.encode())


def demand(document: Mapping[str, Any], order: Sequence[str], gateway: Gateway) -> None:
    """Refuses a message whose checksum does not fit, where the gateway demands one. Raises `BadPayment`."""
    if gateway.demand_checksum and not is_genuine(document, order, gateway):
        raise BadPayment(text(document, "MaThamChieu"), SIGNATURE, "không khớp nội dung bản tin")


def confirm_order(gateway: Gateway) -> tuple[str, ...]:
    """The order of a confirmation's values at this gateway."""
    return CONFIRM_ORDER if gateway.confirm_order == "documented" else CONFIRM_ORDER_SWAPPED


def keypay_name(name: str) -> str:
    """The Keypay name of a field."""
    return KEYPAY_SIGNATURE if name == SIGNATURE else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


#: Keypay name → the contract's.
NAMES: dict[str, str] = {
    keypay_name(name): name
    for name in {*INIT_ORDER, *CONFIRM_ORDER, *ASK_ORDER, *ANSWER_ORDER, SIGNATURE, "ThongTinBienLai", "UrlThanhToan",
                 "UrlBienLai", "MaHoSo"}
}  # fmt: skip


def text(document: Mapping[str, Any], name: str) -> str:
    """A scalar as it was sent; absent is empty. Raises `BadPayment`."""
    value = document.get(name)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        reference = document.get("MaThamChieu")
        raise BadPayment(reference if isinstance(reference, str) else "", name, "không phải là giá trị đơn")
    return str(value)
