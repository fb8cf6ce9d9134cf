"""What a dossier message carries of its payments: the online-payment flag and the fees (contract §3.1).

A message tells a dossier as of one event, so what is carried is what was known by then, never what is known now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from motcua.payments.models import Payment

NONE, PORTAL, PROVINCE = "0", "1", "2"  # DuocThanhToanTrucTuyen
_ONLINE: dict[str, str] = {Payment.Channel.PORTAL: PORTAL, Payment.Channel.PROVINCE: PROVINCE}


@dataclass(frozen=True, slots=True)
class Entry:
    """A payment as messages need it."""

    begun_at: datetime | None
    known_at: datetime | None  # None: not paid
    online: str  # the flag once it is paid
    fees: tuple[dict[str, str], ...]


def entries(codes: Iterable[str]) -> dict[str, list[Entry]]:
    """The payments of these dossiers, by dossier; those without are absent."""
    found: dict[str, list[Entry]] = {}
    listed = list(codes)
    for start in range(0, len(listed), 500):
        rows = Payment.objects.filter(dossier__in=listed[start : start + 500]).exclude(state=Payment.State.FAILED)
        for row in rows.order_by("dossier", "started_at", "reference"):
            known_at = row.known_at if row.state == Payment.State.PAID else None
            found.setdefault(row.dossier, []).append(
                Entry(row.started_at or row.known_at, known_at, _ONLINE.get(row.channel, NONE), tuple(row.fees))
            )
    return found


def flag(payments: Sequence[Entry], *, known_by: datetime) -> str:
    """DuocThanhToanTrucTuyen: 1 paid through the portal's gateway, 2 through the province's, 0 neither."""
    paid = {entry.online for entry in payments if entry.known_at is not None and entry.known_at <= known_by}
    return PORTAL if PORTAL in paid else PROVINCE if PROVINCE in paid else NONE


def fees(payments: Sequence[Entry], *, known_by: datetime) -> list[dict[str, str]]:
    """DanhSachLePhi: the fees of every payment that was begun; HinhThucThu stays empty, it is not known."""
    return [
        {"TenPhiLePhi": fee["TenPhiLePhi"], "MaPhiLePhi": fee["MaPhiLePhi"], "HinhThucThu": "",
         "Gia": fee["SoTien"], "LoaiPhiLePhi": fee["LoaiPhiLePhi"]}
        for entry in payments
        if entry.begun_at is not None and entry.begun_at <= known_by
        for fee in entry.fees
    ]  # fmt: skip
