"""Dossier, gateway and bank held against each other: each payment falls in exactly one class, and the sums add up.

A payment is everything that hangs together by one reference: our row, what the gateway said, the bank's lines that
name it. What names nothing known is a payment of its own. Amounts are whole đồng, signed on the bank's side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from motcua.rules.instants import local_day
from motcua.wire.codes import agency_of_dossier

_Key = TypeVar("_Key")


class Class(StrEnum):
    """What a payment is found to be; tried in this order."""

    REFUNDED = "refunded"  # the bank gave back all of it, or all that was too much
    DOUBLE_PAID = "double_paid"  # paid twice under one reference, or a duty that was paid already
    WRONG_DOSSIER = "wrong_dossier"  # two sides name different dossiers
    NOT_ASKED = "not_asked"  # the gateway has said nothing, and was never asked
    AWAITING_BANK = "awaiting_bank"  # paid on the list's last day or later: the bank may book it next
    ONLY_HERE = "only_here"
    ONLY_GATEWAY = "only_gateway"
    ONLY_BANK = "only_bank"
    MISSING_HERE = "missing_here"
    MISSING_GATEWAY = "missing_gateway"
    MISSING_BANK = "missing_bank"
    AMOUNT_DIFFERS = "amount_differs"
    AGREE = "agree"


_PRESENT = {
    (True, False, False): Class.ONLY_HERE, (False, True, False): Class.ONLY_GATEWAY,
    (False, False, True): Class.ONLY_BANK, (False, True, True): Class.MISSING_HERE,
    (True, False, True): Class.MISSING_GATEWAY, (True, True, False): Class.MISSING_BANK,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A payment that the one-stop system records as made."""

    reference: str
    dossier: str
    amount: int
    at: datetime
    duty: str = ""
    transaction: str = ""
    asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """A payment that the gateway states."""

    reference: str
    transaction: str
    amount: int
    at: datetime
    dossier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A line of the bank's list; money that left is negative."""

    line: int
    at: datetime
    amount: int
    reference: str = ""
    transaction: str = ""
    about: str = ""
    dossier: str = ""


@dataclass(slots=True)
class Payment:
    """All that hangs together by one reference."""

    reference: str
    ours: list[Ours] = field(default_factory=list)
    theirs: list[Theirs] = field(default_factory=list)
    booked: list[Booked] = field(default_factory=list)
    found: Class = Class.AGREE

    @property
    def here(self) -> int:
        return sum(row.amount for row in self.ours)

    @property
    def gateway(self) -> int:
        return sum(row.amount for row in self.theirs)

    @property
    def bank(self) -> int:
        return sum(row.amount for row in self.booked)

    @property
    def refunded(self) -> int:
        """What the bank gave back."""
        return -sum(row.amount for row in self.booked if row.amount < 0)

    @property
    def at(self) -> datetime:
        """When it happened, by the first side that knows it."""
        side: Sequence[Ours | Theirs | Booked] = self.ours or self.theirs or self.booked
        return min(row.at for row in side)

    @property
    def dossiers(self) -> list[str]:
        """Every dossier that a side names, ours first."""
        named = [row.dossier for row in self.ours] + [row.dossier for row in self.theirs]
        return list(dict.fromkeys([d for d in named if d] + [d for row in self.booked for d in dossiers_in(row)]))


def dossiers_in(row: Booked) -> list[str]:
    """The dossiers that a bank's line names, in a column or in its text."""
    words = [row.dossier, *re.split(r"[\s,;:/()]+", row.about)]
    return list(dict.fromkeys(word for word in words if word and (word == row.dossier or agency_of_dossier(word))))


@dataclass(frozen=True, slots=True)
class Sums:
    """A class in figures: payments, and đồng on each side."""

    count: int
    here: int
    gateway: int
    bank: int


@dataclass(frozen=True, slots=True)
class Report:
    """The reconciliation: payments by time, and the sums that they add up to."""

    payments: tuple[Payment, ...]

    def of(self, found: Class) -> list[Payment]:
        """The payments of a class: as many as its sums count."""
        return [payment for payment in self.payments if payment.found is found]

    def sums(self) -> dict[Class, Sums]:
        """Every class, empty ones too."""
        return {found: _sums(self.of(found)) for found in Class}

    def total(self) -> Sums:
        """All payments."""
        return _sums(self.payments)

    @property
    def agrees(self) -> bool:
        """Whether nothing is left for a person to look at."""
        quiet = (Class.AGREE, Class.REFUNDED, Class.AWAITING_BANK)
        return all(payment.found in quiet for payment in self.payments)


def _sums(payments: Iterable[Payment]) -> Sums:
    listed = list(payments)
    return Sums(len(listed), sum(p.here for p in listed), sum(p.gateway for p in listed), sum(p.bank for p in listed))


def reconcile(
    ours: Iterable[Ours], theirs: Iterable[Theirs], booked: Iterable[Booked], *, start: datetime | None = None,
    end: datetime | None = None,
) -> Report:  # fmt: skip
    """Holds the three sides against each other. A period takes the payments that happened in it, whole."""
    payments: dict[str, Payment] = {}

    def of(reference: str) -> Payment:
        return payments.setdefault(reference, Payment(reference))

    for row in ours:
        of(row.reference).ours.append(row)
    for copy in theirs:
        of(copy.reference).theirs.append(copy)
    lines = list(booked)
    link = _Linker(payments.values())
    for line in lines:
        reference = link.reference(line)
        of(reference or f"#{line.line}").booked.append(line)
    last_day = max((local_day(line.at) for line in lines), default=None)
    twice = _paid_twice(payments.values())
    for payment in payments.values():
        payment.found = _classify(payment, twice, last_day)
    within = [p for p in payments.values() if (start is None or p.at >= start) and (end is None or p.at < end)]
    return Report(tuple(sorted(within, key=lambda p: (p.at, p.reference))))


class _Linker:
    """Finds the reference that a bank's line belongs to: named, by its transaction, in its text, or by dossier."""

    def __init__(self, payments: Iterable[Payment]) -> None:
        codes: dict[str, set[str]] = {}
        amounts: dict[tuple[str, int], set[str]] = {}
        for payment in payments:
            transactions = {row.transaction for row in payment.ours} | {row.transaction for row in payment.theirs}
            for code in {payment.reference, *transactions} - {""}:
                codes.setdefault(code.casefold(), set()).add(payment.reference)
            stated = {row.amount for row in payment.ours} | {row.amount for row in payment.theirs}
            for key in ((dossier, amount) for dossier in payment.dossiers for amount in stated):
                amounts.setdefault(key, set()).add(payment.reference)
        self.by_code, self.by_dossier = _told_apart(codes), _told_apart(amounts)

    def reference(self, line: Booked) -> str | None:
        """The reference; what the line names but nobody knows stands for itself; None where it names nothing."""
        words = [line.reference, line.transaction, *re.split(r"[\s,;:|/()]+", line.about)]
        for word in words:
            if word and (found := self.by_code.get(word.casefold())):
                return found
        for dossier in dossiers_in(line):
            if found := self.by_dossier.get((dossier, abs(line.amount))):
                return found
        return line.reference or None


def _told_apart(named: Mapping[_Key, set[str]]) -> dict[_Key, str]:
    """What names one reference only; what could be two is nobody's."""
    return {key: next(iter(references)) for key, references in named.items() if len(references) == 1}


def _paid_twice(payments: Iterable[Payment]) -> set[str]:
    """References under which a duty was paid that another reference had paid before."""
    first: dict[tuple[str, str], tuple[datetime, str]] = {}
    later: set[str] = set()
    made = [(row.at, row.reference, row.dossier, row.duty) for p in payments for row in p.ours if row.duty]
    for at, reference, dossier, duty in sorted(made):
        known = first.setdefault((dossier, duty), (at, reference))
        if known[1] != reference:
            later.add(reference)
    return later


def _classify(payment: Payment, twice: set[str], last_day: date | None) -> Class:
    credits = [row.amount for row in payment.booked if row.amount > 0]
    owed = {row.amount for row in payment.ours} or {row.amount for row in payment.theirs}
    if payment.refunded and credits and payment.bank in owed | {0}:
        return Class.REFUNDED
    again = len(payment.theirs) > 1 or (len(credits) > 1 and sum(credits) not in owed)
    if payment.reference in twice or again:
        return Class.DOUBLE_PAID
    if len(payment.dossiers) > 1:
        return Class.WRONG_DOSSIER
    present = (bool(payment.ours), bool(payment.theirs), bool(payment.booked))
    if not payment.theirs and payment.ours and not any(row.asked for row in payment.ours):
        return Class.NOT_ASKED
    if not payment.booked and last_day is not None and local_day(payment.at) >= last_day:
        return Class.AWAITING_BANK
    if not all(present):
        return _PRESENT[present]
    if not payment.here == payment.gateway == payment.bank:
        return Class.AMOUNT_DIFFERS
    return Class.AGREE
