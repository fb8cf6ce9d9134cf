"""Đối chiếu khác: each comparison with both totals, its causes, and exactly the lines behind each figure."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.accounts import powers
from motcua.catalogue.folding import fold
from motcua.inspection.two_sides import CAUSES, KINDS, Comparison, Kind, Line
from motcua.oversight import other_sides, periods
from motcua.rules.instants import Unreadable, local_day
from motcua.web import labels
from motcua.web.compare import words
from motcua.web.compare import workbook as workbooks
from motcua.web.console.pages import View, asks, page
from motcua.web.console.workbooks import name

#: The last part of each address.
SLUGS: dict[str, Kind] = dict(zip(("thu-tuc", "dich-vu-truc-tuyen", "thanh-toan-truc-tuyen"), KINDS, strict=True))
_SIZE = 50
_FILTER = ("where", "cause", "q", "period")
#: A list of online services is no longer than this.
_LARGEST = 5_000_000


def _province(view: View) -> View:
    """A page for those who see the whole province."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if powers.scope(request.user, on=local_day(timezone.now())) is not None:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@require_GET
@_province
def first(request: HttpRequest) -> HttpResponse:
    """The first of them."""
    return redirect("comparison", next(iter(SLUGS)))


def _found(request: HttpRequest, what: str, now: datetime) -> tuple[Comparison, list[Line], dict[str, str]]:
    """The comparison that the address asks for, the lines that its filter leaves, the filter. Raises `Unreadable`."""
    kind = SLUGS.get(what)
    if kind is None:
        raise Http404
    asked = {key: " ".join(request.GET.get(key, "").split()) for key in _FILTER}
    if asked["where"] not in ("", *words.WHERE) or asked["cause"] not in ("", *CAUSES[kind]):
        raise Unreadable(f"where={asked['where']!r} cause={asked['cause']!r}")
    span = periods.parse(asked["period"]) if asked["period"] and kind == "online-payment" else None
    found = other_sides.compare(kind, on=local_day(now), received=(span.start, span.end) if span else None)
    lines = found.chosen(where=asked["where"], cause=asked["cause"])
    if asked["q"]:
        wanted = fold(asked["q"])
        lines = [line for line in lines if wanted in fold(f"{line.key} {line.name} {line.agency}")]
    return found, lines, {key: value for key, value in asked.items() if value}


@require_http_methods(["GET", "HEAD", "POST"])
@_province
@asks
def comparison(request: HttpRequest, what: str) -> HttpResponseBase:
    """Both totals, the causes, and the lines of a filter; POST loads the province's list of online services."""
    now = timezone.now()
    if request.method == "POST":
        return _load(request, what, now)
    found, lines, asked = _found(request, what, now)
    start = request.GET.get("after", "0")
    offset = min(int(start), len(lines)) if start.isdigit() and len(start) < 9 else 0
    shown = lines[offset : offset + _SIZE]
    more = offset + _SIZE < len(lines)
    counts = found.counts
    return page(
        request,
        "compare/comparison.html",
        {
            "kind": found.kind, "title": words.TITLES[found.kind], "counted": words.COUNTED[found.kind],
            "tabs": [(reverse("comparison", args=(slug,)), words.TITLES[kind], kind == found.kind)
                     for slug, kind in SLUGS.items()],
            "found": found, "counts": counts, "equation": words.equation(counts), "asked": asked,
            "sides": [
                {"where": side, "title": words.WHERE[side], "count": counts[side], "shape": words.SHAPES[side],
                 "href": _link(what, where=side, **_kept(asked, "period")), "chosen": asked.get("where") == side,
                 "causes": [
                     {"title": words.CAUSES[cause], "count": counts["causes"][cause],
                      "href": _link(what, cause=cause, **_kept(asked, "period")), "chosen": asked.get("cause") == cause}
                     for cause, place in CAUSES[found.kind].items() if place == side and counts["causes"][cause]
                 ]}
                for side in words.WHERE
            ],
            "rows": _rows(shown), "total": len(lines), "first": offset + 1, "last": offset + len(shown),
            "start": _link(what, **asked) if offset else "",
            "next": _link(what, **asked, after=offset + _SIZE) if more else "",
            "everything": _link(what, **_kept(asked, "period")), "workbook": _link(what, ".xlsx", **asked),
            "may_load": found.kind == "online-services",
        },
    )  # fmt: skip


def _rows(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {"key": line.key, "name": line.name or line.agency, "where": words.WHERE[line.where],
         "shape": words.SHAPES[line.where], "ours": words.side(line.ours), "there": words.side(line.there),
         "cause": words.CAUSES[line.cause], "remedy": words.REMEDIES.get(line.cause, "")}
        for line in lines
    ]  # fmt: skip


def _kept(asked: dict[str, str], *names: str) -> dict[str, str]:
    return {key: asked[key] for key in names if key in asked}


def _link(what: str, form: str = "", **asked: Any) -> str:
    address = reverse("comparison-workbook" if form else "comparison", args=(what,))
    return f"{address}?{urlencode(asked)}" if asked else address


@require_GET
@_province
@asks
def workbook(request: HttpRequest, what: str) -> FileResponse:
    """The lines of the filter as a workbook."""
    now = timezone.now()
    found, lines, _ = _found(request, what, now)
    stream = workbooks.of(found, lines, now=now, who=str(request.user))
    return FileResponse(stream, as_attachment=True, filename=name(what, now, "xlsx"))


def _load(request: HttpRequest, what: str, now: datetime) -> HttpResponseBase:
    """The province's own list of online services, as CSV."""
    file = request.FILES.get("file")
    if SLUGS.get(what) != "online-services":
        raise Http404
    if file is None or file.size is None or file.size > _LARGEST:
        messages.warning(request, gettext("Chưa nạp: chọn một tệp CSV, không quá 5 MB."))
        return redirect("comparison", what)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / Path(file.name or "danh-sach.csv").name
        kept.write_bytes(file.read())
        try:
            count = other_sides.load_services(kept, at=now)
        except Unreadable as error:
            messages.warning(request, gettext("Chưa nạp gì: {why}").format(why=error))
            return redirect("comparison", what)
    messages.success(request, gettext("Đã nạp {n} dịch vụ, thay danh sách trước.").format(n=labels.number(count)))
    return redirect("comparison", what)
