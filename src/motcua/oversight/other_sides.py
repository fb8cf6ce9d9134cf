"""Reads both sides of what is compared beside the dossiers: catalogue, online services, online payment.

Our side is the catalogue, the list of online services that the province loaded, and the payments; the portal's is what
`exchange catalogue pull` kept of it, and the copies of its records.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from motcua.catalogue.models import Procedure
from motcua.dossiers.models import DossierRow
from motcua.exchange import drift
from motcua.exchange.models import Delivery, OnlineService
from motcua.inspection.two_sides import Comparison, Kind, Line
from motcua.mirror.models import Pulled, Record
from motcua.payments.models import Payment
from motcua.rules.instants import Unreadable
from motcua.wire import published
from motcua.wire.codes import procedure_core
from motcua.wire.messages import text_of

#: Levels of an online service: toàn trình, một phần.
LEVELS = ("full", "partial")
_LEVEL_WORDS = {"toàn trình": "full", "một phần": "partial", "4": "full", "3": "partial", "full": "full",
                "partial": "partial", "": ""}  # fmt: skip
#: Where a service's level may stand in LayDVC: no reply with a level was ever seen, so each name is tried.
_LEVEL_KEYS = ("MUCDO", "MUCDODVC", "MUCDOCUNGCAP", "MUCDOTRUCTUYEN")
_BLOCK = 500


def compare(kind: Kind, *, on: date, received: tuple[datetime, datetime] | None = None) -> Comparison:
    """A comparison as of a day; of payments, over dossiers received within a span (all without one)."""
    if kind == "procedures":
        return _procedures(on)
    return _online_services(on) if kind == "online-services" else _online_payment(received)


# ---- procedures ------------------------------------------------------------------------------------------------------

#: A row of the drift → the cause that it is here. The gravest first.
_FACTS = {"limit": "limit_differs", "level": "level_differs", "field": "field_differs", "name": "name_differs"}
_KINDS = {drift.Kind.ABOLISHED: "abolished", drift.Kind.UNKNOWN_THERE: "unknown_there",
          drift.Kind.UNMAPPED_PROCEDURE: "unmapped"}  # fmt: skip


def _procedures(on: date) -> Comparison:
    report = drift.report(on=on)
    causes: dict[str, tuple[str, str, str]] = {}  # code → cause, ours, there
    for row in report.rows:
        found = _KINDS.get(row.kind) or (_FACTS.get(row.fact, "") if row.kind is drift.Kind.CHANGED else "")
        found = found or ("not_read" if row.kind is drift.Kind.UNREADABLE else "")
        known = causes.get(row.about)
        if found and (known is None or _rank(found) < _rank(known[0])):
            causes[row.about] = found, row.ours, row.there
    offered = list({row.core: row for row in reversed(list(_offered(on)))}.values())  # two codes of one core are one
    whole = {procedure_core(row.code) for row in _listed() if row.body}
    lines = []
    for procedure in offered:
        cause, ours, there = causes.get(procedure.code, ("", "", ""))
        if not cause and report.pulled_at is not None and procedure.core not in whole:
            cause = "not_read"
        alone = cause in _KINDS.values() or report.pulled_at is None
        if report.pulled_at is None:
            cause = "unknown_there"
        lines.append(
            Line(key=procedure.code, name=procedure.name, ours=ours or procedure.allotted,
                 there=None if alone else there or ours or procedure.allotted, cause=cause)
        )  # fmt: skip
    here = {procedure.core for procedure in offered}
    ended = dict(Procedure.objects.filter(valid_to__lt=on).values_list("core", "valid_to"))
    for core, public in _public_there().items():
        if core not in here:
            cause = "ended_here" if core in ended else "not_offered"
            lines.append(
                Line(key=public.code, name=public.name, ours=None, there=", ".join(public.limits), cause=cause)
            )
    return Comparison("procedures", _ordered(lines), None, report.pulled_at)  # the catalogue keeps no instant


def _rank(cause: str) -> int:
    order = [*_KINDS.values(), *_FACTS.values(), "not_read"]
    return order.index(cause)


def _offered(on: date) -> Iterable[Procedure]:
    return Procedure.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=on), Q(valid_to=None) | Q(valid_to__gte=on)
    ).order_by("code")


def _listed() -> Iterable[Pulled]:
    return Pulled.objects.filter(kind=Pulled.Kind.PROCEDURE, gone_at=None).order_by("code")


def _public_there() -> dict[str, published.Published]:
    """The procedures that are public there for a province or a commune, by their national core."""
    found: dict[str, published.Published] = {}
    for row in _listed():
        whole = _whole(row)
        if whole is not None and whole.is_public and {published.PROVINCE, published.COMMUNE} & set(whole.levels):
            found.setdefault(whole.core, whole)
    return found


def _whole(row: Pulled) -> published.Published | None:
    try:
        return published.parse(json.loads(row.body)) if row.body else None
    except Unreadable:
        return None


# ---- online services -------------------------------------------------------------------------------------------------


def load_services(file: Path, *, at: datetime) -> int:
    """Loads the list of what the province offers online, in place of the one before: procedure, level, name.

    `level`: full or toàn trình, partial or một phần, empty where not stated. Raises `Unreadable`, naming the place;
    then nothing was changed.
    """
    rows: dict[str, OnlineService] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            for name in ("procedure", "level"):
                if name not in (reader.fieldnames or ()):
                    raise Unreadable(f"{file.name}: column {name} is missing; the columns are procedure, level, name")
            for number, row in enumerate(reader, 2):
                code, level = (row.get("procedure") or "").strip(), " ".join((row.get("level") or "").lower().split())
                if not code:
                    raise Unreadable(f"{file.name}, row {number}, column procedure: is empty")
                if level not in _LEVEL_WORDS:
                    raise Unreadable(
                        f"{file.name}, row {number}, column level: {level!r} is none of full (toàn trình),"
                        " partial (một phần), or empty"
                    )
                if code in rows:
                    raise Unreadable(f"{file.name}, row {number}, column procedure: {code!r} stands twice")
                rows[code] = OnlineService(procedure=code[:64], core=procedure_core(code)[:64], loaded_at=at,
                                           name=(row.get("name") or "").strip()[:2000],
                                           level=_LEVEL_WORDS[level])  # fmt: skip
    except OSError as error:
        raise Unreadable(f"{file}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{file.name}: is no CSV in UTF-8 ({error}); save it as CSV UTF-8") from None
    if not rows:
        raise Unreadable(f"{file.name}: holds no service; nothing was changed")
    with transaction.atomic():
        OnlineService.objects.all().delete()
        OnlineService.objects.bulk_create(rows.values(), batch_size=1_000)
    return len(rows)


def _online_services(on: date) -> Comparison:
    ours = {row.core: row for row in OnlineService.objects.order_by("procedure")}
    there, basis, there_at = _online_there()
    names = {row.core: row.name for row in _offered(on)}
    known_there = {procedure_core(row.code) for row in _listed()}
    lines = []
    for core in sorted({*ours, *there}):
        own = ours.get(core)
        code, name, level = there.get(core, ("", "", ""))
        title = names.get(core) or (own.name if own else "") or name
        if own is None:
            cause = "not_online_here" if core in names else "procedure_unknown_here"
            lines.append(Line(key=code, name=title, ours=None, there=level, cause=cause))
        elif core not in there:
            cause = "not_online_there" if core in known_there else "procedure_unknown_there"
            lines.append(Line(key=own.procedure, name=title, ours=own.level, there=None, cause=cause))
        else:
            stated = bool(own.level and level)
            cause = "" if own.level == level and stated else "level_differs" if stated else "level_unstated"
            lines.append(Line(key=own.procedure, name=title, ours=own.level, there=level, cause=cause))
    loaded = OnlineService.objects.aggregate(m=Max("loaded_at"))["m"]
    return Comparison("online-services", _ordered(lines), loaded, there_at, basis)


def _online_there() -> tuple[dict[str, tuple[str, str, str]], str, datetime | None]:
    """What the portal offers online, core → (code, name, level), from where, and of when.

    From its list of online services where it was pulled, else from the procedures that it publishes with an online way.
    """
    rows = list(Pulled.objects.filter(kind=Pulled.Kind.ONLINE, gone_at=None))
    if rows:
        found = {}
        for row in rows:
            service = json.loads(row.listed)
            code = _text(service, "MATTHC") or row.code
            level = next((w for key in _LEVEL_KEYS if (w := _LEVEL_WORDS.get(_text(service, key).lower()))), "")
            found[procedure_core(code)] = code, _text(service, "TENDVC") or _text(service, "TENTTHC"), level
        return found, "services", max(row.listed_at for row in rows)
    online = {}
    pulled_at = None
    for row in _listed():
        whole = _whole(row)
        pulled_at = max(filter(None, (pulled_at, row.pulled_at)), default=None)
        if whole is not None and whole.is_public and whole.is_online:
            online[whole.core] = whole.code, whole.name, ""
    return online, "procedures", pulled_at


def _text(row: Mapping[str, Any], key: str) -> str:
    try:
        return text_of(row.get(key))
    except Unreadable:
        return ""


# ---- online payment --------------------------------------------------------------------------------------------------

_FLAGS = {"1": "portal", "2": "province", "3": "other"}
_ONLINE = {Payment.Channel.PORTAL.value: "portal", Payment.Channel.PROVINCE.value: "province"}


def _online_payment(received: tuple[datetime, datetime] | None) -> Comparison:
    """Dossiers paid online here against those that the portal shows as paid online."""
    paid: dict[str, str] = {}
    states: dict[str, str] = {}
    for code, channel, state in Payment.objects.order_by("paid_at", "reference").values_list(
        "dossier", "channel", "state"
    ):
        if state == Payment.State.PAID and channel in _ONLINE:
            paid[code] = "portal" if "portal" in (_ONLINE[channel], paid.get(code)) else "province"
        states[code] = "paid_at_desk" if state == Payment.State.PAID else states.get(code) or "unpaid_here"
    shown, there_at = _shown_paid(paid, received)
    if received is not None:
        keep = _received(sorted({*paid, *shown}), received)
        paid, shown = ({c: v for c, v in side.items() if c in keep} for side in (paid, shown))
    codes = sorted({*paid, *(code for code, flag in shown.items() if flag)})
    agencies = _in_blocks(codes, lambda some: DossierRow.objects.filter(code__in=some).values_list("code", "agency"))
    waiting = _last_states([code for code in codes if code in paid])
    lines = []
    for code in codes:
        ours, there = paid.get(code), shown.get(code) or None
        if ours is None:
            cause = states.get(code, "no_payment_here")
        elif code not in shown:
            cause = "absent_there"
        elif there is None:
            cause = {"waiting": "on_the_way", "dead": "refused"}.get(waiting.get(code, ""), "not_carried")
        else:
            cause = "" if ours == there else "gateway_differs"
        lines.append(Line(key=code, name="", ours=ours, there=there, cause=cause, agency=agencies.get(code, "")))
    known = Payment.objects.aggregate(m=Max("known_at"))["m"]
    return Comparison("online-payment", _ordered(lines), known, there_at)


def _shown_paid(
    paid: Mapping[str, str], received: tuple[datetime, datetime] | None
) -> tuple[dict[str, str], datetime | None]:
    """What the portal shows of its records, code → gateway (empty: not paid online). What read-back saw counts before
    what the collector holds."""
    found: dict[str, str] = {}
    newest: datetime | None = None
    for side in ("held", "seen"):
        rows = Record.objects.filter(side=side)

        def bodies(some: list[str], rows: Any = rows) -> Iterable[tuple[str, str]]:
            return rows.filter(code__in=some).values_list("code", "body")  # type: ignore[no-any-return]

        within = rows if received is None else rows.filter(received_at__gte=received[0], received_at__lt=received[1])
        flagged = within.exclude(body__contains='"DuocThanhToanTrucTuyen": "0"').filter(
            body__contains="DuocThanhToanTrucTuyen"
        )
        for code, body in flagged.values_list("code", "body").iterator(chunk_size=2_000):
            found[code] = _FLAGS.get(_text(json.loads(body), "DuocThanhToanTrucTuyen"), "")
        also = _in_blocks(sorted(paid), bodies)
        for code, body in also.items():
            found[code] = _FLAGS.get(_text(json.loads(body), "DuocThanhToanTrucTuyen"), "")
        newest = max(filter(None, (newest, rows.aggregate(m=Max("stored_at"))["m"])), default=None)
    return found, newest


def _received(codes: list[str], span: tuple[datetime, datetime]) -> set[str]:
    """Those received within a span: by our record, else by the portal's."""
    own = _in_blocks(codes, lambda some: DossierRow.objects.filter(code__in=some).values_list("code", "accepted_at"))
    rest = [code for code in codes if code not in own]
    theirs = _in_blocks(rest, lambda some: Record.objects.filter(code__in=some).values_list("code", "received_at"))
    return {code for code, at in {**own, **theirs}.items() if at is not None and span[0] <= at < span[1]}


def _last_states(codes: list[str]) -> dict[str, str]:
    """The state of the newest message of each of these dossiers."""
    return _in_blocks(
        codes, lambda some: Delivery.objects.filter(dossier__in=some).order_by("seq").values_list("dossier", "state")
    )


def _in_blocks(codes: list[str], rows: Callable[[list[str]], Iterable[tuple[str, Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for first in range(0, len(codes), _BLOCK):
        found.update(rows(codes[first : first + _BLOCK]))
    return found


def _ordered(lines: Iterable[Line]) -> list[Line]:
    """Those on one side first, then those that differ, then the equal ones."""
    order = {"only_ours": 0, "only_there": 1, "differs": 2, "equal": 3}
    return sorted(lines, key=lambda line: (order[line.where], line.cause, line.key))
