"""The three sides from where they are kept: our rows, the gateway's copies and lists, the bank's list; and loading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Q

from motcua.dossiers.importing.sources import Fault
from motcua.payments import lists
from motcua.payments.models import GatewayCopy, Payment
from motcua.payments.reconcile import Booked, Ours, Report, Theirs, reconcile

#: How far a bank may book from the day of the payment; payments that far outside a period are read with it.
_AROUND = timedelta(days=62)
_CHANNELS = {"portal": Payment.Channel.PORTAL, "province": Payment.Channel.PROVINCE, "desk": Payment.Channel.DESK}


def report(
    *, bank: Sequence[Path], gateway: Sequence[Path] = (), start: datetime | None = None, end: datetime | None = None
) -> Report:
    """The three sides held against each other. Payments at the desk are cash and have no other side.

    Raises `Fault`.
    """
    booked = [
        Booked(line=1_000_000 * number + row.line, at=row.at, amount=row.amount, reference=row.reference,
               transaction=row.transaction, about=row.about, dossier=row.dossier)
        for number, file in enumerate(bank)
        for row in lists.read(file)
    ]  # fmt: skip
    around = Q() if start is None or end is None else Q(at__gte=start - _AROUND, at__lt=end + _AROUND)
    stated = {
        (copy.reference, copy.transaction): Theirs(
            reference=copy.reference, transaction=copy.transaction, amount=copy.amount, at=copy.at,
            dossier=copy.dossier,
        )
        for copy in GatewayCopy.objects.filter(around).iterator()
    }  # fmt: skip
    for file in gateway:
        for row in lists.read(file, needed=("reference",)):
            stated[row.reference, row.transaction] = Theirs(
                reference=row.reference, transaction=row.transaction, amount=row.amount, at=row.at,
                dossier=row.dossier,
            )  # fmt: skip
    paid = Payment.objects.filter(state=Payment.State.PAID).exclude(channel=Payment.Channel.DESK)
    if start is not None and end is not None:
        paid = paid.filter(paid_at__gte=start - _AROUND, paid_at__lt=end + _AROUND)
    ours = [
        Ours(reference=p.reference, dossier=p.dossier, amount=p.amount, at=p.paid_at, duty=p.duty,
             transaction=p.transaction, asked=bool(gateway) or p.asked_at is not None)
        for p in paid.iterator()
        if p.paid_at is not None
    ]  # fmt: skip
    return reconcile(ours, stated.values(), booked, start=start, end=end)


@transaction.atomic
def load(files: Sequence[Path], *, now: datetime) -> tuple[int, int]:
    """Payments that another one-stop system records as made; returns (new, known already).

    The same file again changes nothing. Raises `Fault`; then nothing is taken.
    """
    new = known = 0
    for file in files:
        for row in lists.read(file, needed=("reference", "dossier")):
            for name in ("reference", "dossier"):
                if not getattr(row, name):
                    raise Fault(file.name, row.line, name, "để trống")
            if row.amount <= 0:
                raise Fault(file.name, row.line, "amount", f"{row.amount} không phải là số tiền đã nộp")
            channel = _CHANNELS.get(row.channel or "portal")
            if channel is None:
                raise Fault(file.name, row.line, "channel", f"{row.channel!r} is none of {', '.join(_CHANNELS)}")
            payment, created = Payment.objects.get_or_create(
                reference=row.reference,
                defaults={
                    "dossier": row.dossier, "duty": row.duty, "amount": row.amount, "channel": channel,
                    "state": Payment.State.PAID, "paid_at": row.at, "known_at": now, "transaction": row.transaction,
                },
            )  # fmt: skip
            if not created and (payment.dossier, payment.amount) != (row.dossier, row.amount):
                raise Fault(
                    file.name, row.line, "reference",
                    f"{row.reference} đã có: {payment.dossier}, {payment.amount} đồng",
                )  # fmt: skip
            new, known = new + created, known + (not created)
    return new, known


def unasked(limit: int | None = None) -> list[str]:
    """References that the gateway should be asked about, oldest first: begun and open, or paid and never asked."""
    rows = Payment.objects.exclude(channel=Payment.Channel.DESK).filter(
        Q(state=Payment.State.STARTED) | Q(state=Payment.State.PAID, asked_at=None)
    )
    return list(rows.order_by("started_at", "paid_at").values_list("reference", flat=True)[:limit])
