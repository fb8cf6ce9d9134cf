"""Thư viện kiểm tra: every check, what it last saw, what people's conclusions say of it, whether it only watches."""

from __future__ import annotations

from typing import Any, Literal, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.accounts import powers
from motcua.catalogue.folding import fold
from motcua.findings import modes, update
from motcua.findings.listed import Narrowed
from motcua.inspection.life import INSPECTORS
from motcua.inspection.standing import Precision
from motcua.oversight import scan
from motcua.oversight import thresholds as kept
from motcua.rules.instants import Unreadable
from motcua.web import labels
from motcua.web.console.pages import page
from motcua.web.findings import lists, thresholds, words
from motcua.web.findings.viewer import Viewer, sensible

_ORDER = {"A": 0, "B": 1, "C": 2}


@require_http_methods(["GET", "HEAD", "POST"])
@sensible
def checks(request: HttpRequest) -> HttpResponseBase:
    """The library; a POST of an inspector puts a check to watch or to work."""
    viewer = Viewer.of(request)
    if request.method == "POST":
        return _choose(request, viewer)
    wanted = request.GET.get("q", "").strip()[:100]
    library = scan.library()
    last = update.last()
    told = last.checks if last else {}
    earned, chosen, counts = modes.measured(), modes.modes(), modes.counts()
    own = kept.in_force(as_of=viewer.now)
    rows = [
        {**_row(code, check, told.get(code), earned, chosen, counts.get(code, {})),
         "parameters": [thresholds.told(check, p, own.get(code, {}).get(p.name), viewer.now) for p in check.parameters]}
        for code, check in library.items()
    ]  # fmt: skip
    if wanted:
        rows = [row for row in rows if fold(wanted) in fold(f"{row['number']} {row['title']} {row['code']}")]
    rows.sort(key=lambda row: (row["mode"] == "watch", _ORDER[row["severity"]], -row["open"], row["title"]))
    rule = modes.rule()
    return page(
        request,
        "findings/library.html",
        {
            "rows": rows, "q": wanted, "total": len(library), "rule": rule, "below": words.share(rule.below),
            "scan": lists.scan(viewer), "may_choose": powers.holds(viewer.user, INSPECTORS, on=viewer.on),
            "asks": viewer.asks,
        },
    )  # fmt: skip


def _row(
    code: str, check: Any, seen: dict[str, Any] | None, earned: dict[str, Precision], chosen: dict[str, Any],
    counts: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    precision = earned.get(code, Precision(concluded=0, overturned=0))
    mode = chosen.get(code)
    facts = {need.fact: gettext(need.title) for need in check.needs}
    interval = precision.interval
    return {
        "code": code,
        "title": gettext(check.title),
        "explanation": gettext(check.explanation),
        "number": check.number,
        "severity": check.severity,
        "kind": words.KINDS[check.kind],
        "concerns": words.SUBJECTS[check.concerns],
        "grounds": [f"{ground.text}, {ground.article}".strip(", ") for ground in check.grounds],
        "remedy": labels.REMEDIES.get(check.remedy, ""),
        "state": seen["state"] if seen else "not_scanned",
        "looked_at": seen["looked_at"] if seen else 0,
        "found": seen["found"] if seen else 0,
        "missing": [
            facts.get(fact) or words.LACKS.get(fact, fact) for fact in (seen["missing"] if seen else check.lacks)
        ],
        "open": counts.get("open", 0),
        "href": lists.link(Narrowed(state="open", check=code)),
        "precision": precision,
        "share": words.share(precision.share),
        "interval": f"{round(interval[0] * 100)}–{round(interval[1] * 100)}%" if interval else "",
        "mode": mode.mode if mode else "active",
        "by_rule": mode.by_rule if mode else True,
        "why": mode.note if mode else "",
    }


def _choose(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    code, mode = request.POST.get("check", ""), request.POST.get("mode", "")
    if not powers.holds(viewer.user, INSPECTORS, on=viewer.on) or code not in scan.library():
        raise Unreadable("check")
    try:
        modes.choose(
            code, None if mode == "rule" else cast(Literal["active", "watch"], mode), by=viewer.name, at=viewer.now,
            note=request.POST.get("note", ""),
        )  # fmt: skip
    except Unreadable:
        messages.error(request, gettext("Ghi lý do trước."))
    else:
        messages.success(request, gettext("Đã đổi: {check}.").format(check=words.title(code)))
    return redirect("checks")
