"""Pulls the portal's catalogue: lists of procedures, fields, agencies and online services, each procedure whole.

What comes is kept raw; `drift` reads it. A procedure is written as soon as it was answered, the longest unasked first,
so a run that is killed or out of its budget is gone on with by the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q

from motcua.catalogue.models import Procedure
from motcua.exchange.deliver import NationalPortal
from motcua.mirror.client import PortalUnreachable
from motcua.mirror.models import Pulled
from motcua.wire.codes import procedure_core
from motcua.wire.messages import text_of

#: kind → the service that lists it, and the key of its code there.
LISTS: Mapping[str, tuple[str, str]] = {
    Pulled.Kind.PROCEDURE: ("LayDanhSachTTHC", "MATTHC"),
    Pulled.Kind.FIELD: ("LayDanhMucLinhVuc", "MALINHVUC"),
    Pulled.Kind.AGENCY: ("LayDanhMucCoQuan", "MADONVI"),
    Pulled.Kind.ONLINE: ("LayDVC", "MADVC"),
}
#: A procedure is asked for anew after this.
OLD = timedelta(days=7)
#: What a turn of the worker asks for: the lists once a day, so many procedures of the week's.
LISTS_OLD, _AT_ONCE = timedelta(days=1), 100
#: A list that is shorter than this share of what was known is taken for cut off: nothing counts as gone.
_CUT_BELOW = 0.5
_SILENT = 5


@dataclass(slots=True)
class Report:
    """What was pulled. `cut`: lists too short to be believed; `refused`: code → the portal's words."""

    listed: dict[str, int] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    procedures: int = 0
    changed: int = 0
    left: int = 0


def run(
    *, portal: NationalPortal, at: datetime, limit: int | None = None, anew: bool = False, lists: bool = True,
    advance: Callable[[int], None] = lambda n: None,
) -> Report:  # fmt: skip
    """Pulls the `lists`, then up to `limit` procedures, ours first. `anew`: also those pulled lately.

    Raises `PortalUnreachable`; what was pulled before is kept.
    """
    report = Report()
    for kind, (service, key) in LISTS.items() if lists else ():
        reply = portal.call(service)
        listed: Any = reply.result
        if isinstance(listed, Mapping):  # LayDVC nests its list one deeper (contract §2.2)
            listed = listed.get("data")
        if not reply.ok or not isinstance(listed, list):
            report.refused[service] = reply.message
            continue
        rows = {code: row for row in listed if isinstance(row, Mapping) and (code := _code(row, key))}
        _keep_list(kind, rows, at, report)
    silent = 0
    codes = _next(at, anew)
    report.left = len(codes)
    for code in codes[:limit]:
        try:
            reply = portal.call("LayThuTuc", maTTHC=code)
        except PortalUnreachable:
            silent += 1
            if silent >= _SILENT:
                raise
            continue
        silent = 0
        whole = reply.result[0] if reply.ok and isinstance(reply.result, list) and reply.result else None
        error = "" if whole is not None else reply.message or "không có nội dung"
        if error:
            report.refused[code] = error
        report.changed += _keep_whole(code, whole, error, at)
        report.procedures += whole is not None
        report.left -= 1
        advance(1)
    return report


def keep_up(*, portal: NationalPortal, at: datetime) -> int:
    """A turn of the worker; returns how many procedures were pulled. That the portal is silent, its alert says."""
    newest = Pulled.objects.aggregate(at=Max("listed_at"))["at"]
    try:
        return run(portal=portal, at=at, limit=_AT_ONCE, lists=newest is None or newest <= at - LISTS_OLD).procedures
    except PortalUnreachable:
        return 0


def waiting(*, at: datetime) -> int:
    """How many procedures are to be asked for."""
    return len(_next(at, False))


def _code(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "" if isinstance(value, dict | list) else text_of(value)[:300]


def _next(at: datetime, anew: bool) -> list[str]:
    """The procedures to ask for: those that we offer first, then by the longest unasked."""
    ours = set(Procedure.objects.values_list("core", flat=True))
    rows = Pulled.objects.filter(kind=Pulled.Kind.PROCEDURE, gone_at=None)
    rows = rows.filter(Q(pulled_at=None) | Q(pulled_at__lte=at if anew else at - OLD))
    codes = list(rows.order_by(F("pulled_at").asc(nulls_first=True), "code").values_list("code", flat=True))
    return sorted(codes, key=lambda code: procedure_core(code) not in ours)


def _keep_list(kind: str, rows: Mapping[str, Mapping[str, Any]], at: datetime, report: Report) -> None:
    with transaction.atomic(using="mirror"):
        known = set(Pulled.objects.filter(kind=kind, gone_at=None).values_list("code", flat=True))
        cut = len(rows) < _CUT_BELOW * len(known)
        Pulled.objects.bulk_create(
            [Pulled(kind=kind, code=code, listed=_raw(row), listed_at=at) for code, row in rows.items()],
            update_conflicts=True, unique_fields=["kind", "code"], batch_size=1_000,
            update_fields=["listed", "listed_at", "gone_at"],
        )  # fmt: skip
        missed: Sequence[str] = [] if cut else sorted(known - set(rows))
        for start in range(0, len(missed), 500):
            Pulled.objects.filter(kind=kind, code__in=missed[start : start + 500]).update(gone_at=at)
    report.listed[kind], report.gone[kind] = len(rows), len(missed)
    report.fresh[kind] = len(set(rows) - known)
    if cut:
        report.cut.append(kind)


def _keep_whole(code: str, whole: Any, error: str, at: datetime) -> bool:
    """Keeps a procedure's whole; returns whether it is another than before."""
    row = Pulled.objects.get(kind=Pulled.Kind.PROCEDURE, code=code)
    row.pulled_at, row.error = at, error
    body = "" if whole is None else _raw(whole)
    changed = bool(body and row.body and row.body != body)
    if changed:
        row.before, row.changed_at = row.body, at
    row.body = body or row.body
    row.save()
    return changed


def _raw(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True)
