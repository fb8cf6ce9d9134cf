"""Holds what the portal shows against what it acknowledged, and sends again what is missing or stands otherwise there.

Sending again is safe: a record is told as of the newest event that was acknowledged, a step that is there already is
dropped. What the portal has and we never sent is for people to decide, and is only told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from motcua.catalogue.terms import Terms
from motcua.dossiers import log
from motcua.exchange import messages, take_in
from motcua.exchange.deliver import NationalPortal
from motcua.exchange.messages import Limits, Names
from motcua.exchange.models import Delivery, Standing
from motcua.ledger.models import EventRow
from motcua.mirror import seen
from motcua.mirror.client import PortalUnreachable
from motcua.rules.dossier import Status, replay
from motcua.rules.events import Event
from motcua.wire.messages import STEP_FIELDS, text_of
from motcua.wire.profile import Profile

_BLOCK = 200
#: So many look-ups in a row without answer: the portal is away.
_SILENT = 5
#: Texts may be cut or set otherwise there; these fields decide what the portal shows of a dossier.
_TELLING = ("MaTTHC", "DonViXuLy", "NgayTiepNhan", "NgayHenTra", "TrangThaiHoSo", "NgayKetThucXuLy", "NgayTra",
            "NgayTuChoi", "KenhThucHien", "DanhSachHoSoBoSung", "DanhSachLePhi")  # fmt: skip


@dataclass(slots=True)
class Difference:
    """What the portal shows otherwise of a dossier: the record's fields as (there, ours), and the steps it lacks."""

    dossier: str
    absent: bool = False
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    lacks: list[int] = field(default_factory=list)  # seq of the events whose steps are not there
    strange: int = 0  # steps that we never sent


@dataclass(slots=True)
class Report:
    """What was looked up and found."""

    looked_up: int = 0
    sent_again: int = 0
    unanswered: list[str] = field(default_factory=list)  # to be asked again
    differences: list[Difference] = field(default_factory=list)


def run(*, portal: NationalPortal, at: datetime, codes: Iterable[str], profile: Profile | None = None) -> Report:
    """Looks these dossiers up and puts what is missing back to waiting. Raises `PortalUnreachable` when it is away.

    A dossier of which something still waits is left for later: it differs anyway.
    """
    report = Report()
    names, terms, limits = Names.load(), Terms.load(), Limits.of(profile or Profile())
    wanted, silent = list(codes), 0
    for start in range(0, len(wanted), _BLOCK):
        block = wanted[start : start + _BLOCK]
        delivered: dict[str, list[Delivery]] = {}
        busy = set()
        for delivery in Delivery.objects.filter(dossier__in=block).order_by("position"):
            if delivery.state == Delivery.State.WAITING:
                busy.add(delivery.dossier)
            elif delivery.state == Delivery.State.DELIVERED:
                delivered.setdefault(delivery.dossier, []).append(delivery)
        history: dict[str, list[Event]] = {}
        for row in EventRow.objects.filter(dossier__in=block).order_by("dossier", "seq"):
            history.setdefault(row.dossier, []).append(log.as_event(row))
        owners, filed = messages.owners(block), take_in.as_filed(block)
        shown: list[tuple[str, Mapping[str, Any] | None]] = []
        for code in block:
            if code in busy or code not in delivered:
                continue
            try:
                reply = portal.call("TraCuuHoSo", mahoso=code)
            except PortalUnreachable:
                reply = None
                silent += 1
                if silent >= _SILENT:
                    raise
            if reply is None or not reply.ok:
                report.unanswered.append(code)
                continue
            silent = 0
            there = reply.result[0] if reply.result else None
            shown.append((code, there))
            report.looked_up += 1
            owner = owners.get(code, "")
            ours = _ours(code, delivered[code], history[code], names, terms, owner, limits, filed.get(code))
            found = _compare(code, there, *ours)
            if found is not None:
                report.differences.append(found)
                report.sent_again += _again(found, delivered[code], at)
        seen.store(shown, at=at)
    return report


def _ours(
    code: str, delivered: Sequence[Delivery], events: Sequence[Event], names: Names, terms: Terms, owner: str,
    limits: Limits, filed: Mapping[str, Any] | None,
) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:  # fmt: skip
    """The record and the steps (by seq) that the portal acknowledged."""
    steps: dict[int, dict[str, Any]] = {}
    newest = delivered[-1]
    for delivery in delivered:
        if delivery.status is None:
            continue
        until = events[: delivery.seq]
        if messages.is_step(until[-1], replay(code, until)):
            steps[delivery.seq] = messages.step(code, until, Status(delivery.status), names, limits)
    until = events[: newest.seq]
    status = Status(newest.status) if newest.status is not None else replay(code, until).status
    return messages.record(code, until, status, names, terms, owner, limits, filed).body, steps


def _compare(
    code: str, there: Mapping[str, Any] | None, record: Mapping[str, Any], steps: Mapping[int, Mapping[str, Any]]
) -> Difference | None:
    if there is None:
        return Difference(code, absent=True)
    found = Difference(code)
    for name in _TELLING:
        if _plain(there.get(name)) != _plain(record.get(name)):
            found.fields[name] = (there.get(name), record.get(name))
    logged = [_key(step) for step in there.get("TienTrinh") or ()]
    for seq, step in steps.items():
        if _key(step) in logged:
            logged.remove(_key(step))
        else:
            found.lacks.append(seq)
    found.strange = len(logged)
    return found if found.fields or found.lacks or found.strange else None


def _key(step: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(text_of(step.get(name)) for name in STEP_FIELDS if name not in ("NguoiXuLy", "NoiDungXuLy"))


def _plain(value: Any) -> Any:
    """Absent in all its forms is the same."""
    return value if isinstance(value, list) and value else text_of(value) if not isinstance(value, list) else ""


def _again(found: Difference, delivered: Sequence[Delivery], at: datetime) -> int:
    """Puts back to waiting what the portal lacks; returns how many events."""
    wanted = {d.seq for d in delivered} if found.absent else set(found.lacks)
    if found.fields:
        wanted.add(delivered[-1].seq)
    if not wanted:
        return 0
    with transaction.atomic():
        if found.absent:
            Standing.objects.filter(dossier=found.dossier).delete()
        return Delivery.objects.filter(dossier=found.dossier, seq__in=wanted).update(
            state=Delivery.State.WAITING, record_done=False, next_at=at, attempts=0, done_at=None
        )
