"""Cảnh báo sớm: which open dossiers will be late, by when it can still be helped, and why. Never about a person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from motcua.accounts import powers
from motcua.catalogue.models import Agency, Procedure
from motcua.inspection.forecast.usual import NAIVE
from motcua.rules.instants import VIET_NAM, Unreadable, at_clock, local_day, to_microseconds
from motcua.warning import keep, listed
from motcua.warning.listed import Chosen, Order
from motcua.warning.models import Learned, Warned
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import asks, page
from motcua.web.warning import words

_SIZE, _MOST = 50, 20_000
#: Looked at every half hour: so long without a look is silence, and the figures are those of then.
_SILENT = timedelta(hours=2)
#: The chances from which on one may ask, in hundredths.
CHANCES = (0, 25, 50, 75)
#: The orders as the address names them.
ORDERS: dict[str, Order] = {"": "help", "kha-nang": "chance", "don-vi": "unit"}


@require_safe
@asks
def warnings(request: HttpRequest) -> HttpResponse:
    """The list: what can be helped, soonest first; or what no longer can."""
    chosen, query = _asked(request)
    now = timezone.now()
    after = _after(request.GET.get("after", ""), chosen)
    found = listed.rows(chosen, limit=_SIZE + 1, after=after)
    shown = _rows(found[:_SIZE])
    tonight = at_clock(local_day(now), 1440)
    of_scope = Chosen(agency=chosen.agency, scope=chosen.scope)
    newest = keep.newest()
    scan = listed.newest()
    return page(
        request,
        "warning/warnings.html",
        {
            "rows": shown,
            "total": listed.count(chosen),
            "next": _place(found[_SIZE - 1], chosen) if len(found) > _SIZE else "",
            "query": query,
            "address": urlencode(query),
            "order": chosen.order,
            "sorts": [(name, words.ORDERS[order], order) for name, order in ORDERS.items()],
            "by": {order: "?" + urlencode({**query, "xep": name}) for name, order in ORDERS.items()},
            "tiles": _tiles(of_scope, tonight, query),
            "agencies": _agencies(chosen.scope),
            "chances": [(n, gettext("từ {n}%").format(n=n) if n else gettext("mọi khả năng")) for n in CHANCES],
            "agency": chosen.agency,
            "least": round(chosen.least * 100),
            "past_help": chosen.past_help,
            "model": _model(newest),
            "at": scan and scan.at,
            "looked": scan and scan.looked,
            "old": scan is not None and now - scan.at > _SILENT,
            "home": settings.HOME,
        },
    )


def _asked(request: HttpRequest) -> tuple[Chosen, dict[str, str]]:
    """What the address asks, for who may see it. Raises `Unreadable`, `PermissionDenied`."""
    scope = powers.scope(request.user, on=local_day(timezone.now()))
    agency, least, group, order = (request.GET.get(name, "").strip() for name in ("don-vi", "tu", "nhom", "xep"))
    if agency and scope is not None and agency not in scope:
        raise PermissionDenied
    if least and (not least.isdigit() or int(least) > 100):
        raise Unreadable(f"tu={least}: write a chance from 0 to 100")
    if group not in ("", "het-cach"):
        raise Unreadable(f"nhom={group}")
    if order not in ORDERS:
        raise Unreadable(f"xep={order}")
    chosen = Chosen(
        agency=agency, scope=scope, least=int(least or 0) / 100, past_help=group == "het-cach", order=ORDERS[order]
    )  # fmt: skip
    query = {"don-vi": agency, "tu": least, "nhom": group, "xep": order}
    return chosen, {name: value for name, value in query.items() if value and value != "0"}


def _after(text: str, chosen: Chosen) -> list[Any]:
    """A place in the order, as `_place` wrote it. Raises `Unreadable`."""
    try:
        values: list[Any] = json.loads(text or "[]")
    except ValueError:
        raise Unreadable(f"after={text}") from None
    kinds = [str if key in ("agency", "dossier") else float if key == "-chance" else int for key in chosen.keys]
    if values != [] and not (isinstance(values, list) and [type(value) for value in values] == kinds):
        raise Unreadable(f"after={text}")
    return values


def _place(row: Warned, chosen: Chosen) -> str:
    values = [to_microseconds(v) if isinstance(v, datetime) else v for v in listed.place(row, chosen)]
    return json.dumps(values, ensure_ascii=False)


def _tiles(of_scope: Chosen, tonight: datetime, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Counts that open exactly their lists."""
    soon = listed.every().filter(helped_until__isnull=False, helped_until__lt=tonight)
    if of_scope.agency:
        soon = soon.filter(agency=of_scope.agency)
    if of_scope.scope is not None:
        soon = soon.filter(agency__in=sorted(of_scope.scope))
    base = {"don-vi": query["don-vi"]} if "don-vi" in query else {}
    half = Chosen(agency=of_scope.agency, scope=of_scope.scope, least=0.5)
    gone = Chosen(agency=of_scope.agency, scope=of_scope.scope, past_help=True)
    return [
        {"title": gettext("Còn cứu được"), "count": listed.count(of_scope), "hint": gettext(
            "trong đó {n} hồ sơ chỉ còn đến hết hôm nay").format(n=labels.number(soon.count())), "query": base},
        {"title": gettext("Khả năng trễ từ 50%"), "count": listed.count(half), "hint": gettext(
            "còn cứu được, cần xem trước"), "query": {**base, "tu": "50"}},
        {"title": gettext("Khó còn kịp"), "count": listed.count(gone), "hint": gettext(
            "không kịp cả theo nhịp nhanh: xin lỗi và hẹn lại trước hạn"), "query": {**base, "nhom": "het-cach"}},
    ]  # fmt: skip


def _agencies(scope: frozenset[str] | None) -> list[tuple[str, str]]:
    codes = listed.every().order_by("agency").values_list("agency", flat=True).distinct()
    seen = [code for code in codes if scope is None or code in scope]
    names = dict(Agency.objects.filter(code__in=seen).values_list("code", "name"))
    return sorted(((code, names.get(code, code)) for code in seen), key=lambda pair: pair[1])


def _rows(found: Sequence[Warned]) -> list[dict[str, Any]]:
    """Warnings as the page tells them."""
    procedures = dict(Procedure.objects.filter(code__in={r.procedure for r in found}).values_list("code", "name"))
    agencies = dict(Agency.objects.filter(code__in={r.agency for r in found}).values_list("code", "name"))
    return [
        {
            "dossier": row.dossier,
            "procedure": procedures.get(row.procedure, row.procedure),
            "agency": agencies.get(row.agency, row.agency),
            "helped_until": row.helped_until,
            "due_at": row.due_at,
            "share": None if row.share is None else round(row.share * 100),
            "low": round((row.low or 0) * 100),
            "high": round((row.high or 0) * 100),
            "chance": words.chance(row),
            "reasons": words.reasons(row),
            "least_at": row.least_at,
            "most_at": row.most_at,
            "left": words.about(row.left),
            "urgent": row.helped_until is not None and row.helped_until < row.at + timedelta(days=1),
        }
        for row in found
    ]


def _model(row: Learned | None) -> dict[str, Any] | None:
    """What the estimate rests on, for the foot of the page."""
    if row is None:
        return None
    trials: dict[str, dict[str, float]] = row.trials
    best = min((name for name in NAIVE if name in trials), key=lambda name: trials[name]["brier"], default="")
    answered = "answer" if "answer" in trials else row.chosen
    return {
        "at": row.made_at,
        "from": row.learned_from.astimezone(VIET_NAM),
        "to": row.learned_to.astimezone(VIET_NAM),
        "dossiers": row.dossiers,
        "chosen": words.answered_with(row),
        "slack": row.chosen == "slack",
        "note": words.note(row.note),
        "brier": _decimal(trials[answered]["brier"]) if answered in trials else "",
        "naive": words.CANDIDATES.get(best, best),
        "naive_brier": _decimal(trials[best]["brier"]) if best else "",
    }


def _decimal(value: float) -> str:
    text = f"{value:.3f}"
    return text if labels.english() else text.replace(".", ",")


@require_safe
@asks
def workbook(request: HttpRequest) -> HttpResponse | FileResponse:
    """The same list as Excel: same filter, same order."""
    chosen, _ = _asked(request)
    rows = listed.rows(chosen, limit=_MOST)
    told = [{**shown, "row": row} for shown, row in zip(_rows(rows), rows, strict=True)]
    now = timezone.now()
    stream = workbooks.table(
        [
            (gettext("Còn cứu được đến"), 18, lambda r: _wall(r["helped_until"])),
            (gettext("Mã hồ sơ"), 27, lambda r: r["dossier"]),
            (gettext("Thủ tục"), 44, lambda r: r["procedure"]),
            (gettext("Đơn vị"), 30, lambda r: r["agency"]),
            (gettext("Hẹn trả"), 18, lambda r: _wall(r["due_at"])),
            (gettext("Còn lại"), 18, lambda r: r["left"]),
            (gettext("Khả năng trễ (%)"), 12, lambda r: r["share"]),
            (gettext("từ (%)"), 8, lambda r: r["low"] if r["share"] is not None else None),
            (gettext("đến (%)"), 8, lambda r: r["high"] if r["share"] is not None else None),
            (gettext("Có thể xong từ"), 18, lambda r: _wall(r["least_at"])),
            (gettext("đến"), 18, lambda r: _wall(r["most_at"])),
            (gettext("Vì sao"), 70, lambda r: "; ".join(r["reasons"])),
        ],
        told,
        sheet=gettext("Cảnh báo sớm"),
        title=gettext("Hồ sơ đang mở có thể trễ hạn; không dùng để đánh giá cá nhân"),
        line=gettext("{rows} dòng; lập lúc {at}; lập bởi {author}").format(
            rows=labels.number(len(rows)), at=labels.instant(now), author=str(request.user)
        ),
        author=str(request.user),
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("canh-bao-som", now, "xlsx"))


def _wall(at: datetime | None) -> datetime | None:
    return at.astimezone(VIET_NAM).replace(tzinfo=None) if at else None
