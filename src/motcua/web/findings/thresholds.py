"""Tham số của phép kiểm tra: what the law sets, what is ours, what the province chose; changed here, with a reason.

A change is confirmed on a page that says what it means; a value that asks less than the law wants a tick of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.accounts import powers
from motcua.findings import people
from motcua.inspection.checks.check import Check, Parameter, Value
from motcua.inspection.life import INSPECTORS
from motcua.oversight import scan, thresholds
from motcua.oversight.thresholds import Chosen
from motcua.rules.instants import VIET_NAM, Unreadable, local_day
from motcua.web import labels
from motcua.web.console.pages import page
from motcua.web.findings import words
from motcua.web.findings.viewer import Viewer, day_of, sensible


@require_http_methods(["GET", "HEAD", "POST"])
@sensible
def values(request: HttpRequest, code: str) -> HttpResponseBase:
    """The parameters of a check with their history; a POST of an inspector of the province changes one."""
    viewer = Viewer.of(request)
    check = scan.library().get(code)
    if check is None or not check.parameters:
        raise Http404
    if request.method == "POST":
        return _choose(request, viewer, check)
    return _page(request, viewer, check)


def may_choose(viewer: Viewer) -> bool:
    """Whether this person sets what counts for the whole province."""
    return powers.holds(viewer.user, INSPECTORS, on=viewer.on) and powers.scope(viewer.user, on=viewer.on) is None


def _page(
    request: HttpRequest, viewer: Viewer, check: Check, *, asked: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """`asked`: a change that waits for its confirmation."""
    in_force = thresholds.in_force(as_of=viewer.now).get(check.code, {})
    history = thresholds.history(check.code)
    names = people.names({one.by for of_it in history.values() for one in of_it})
    return page(
        request,
        "findings/values.html",
        {
            "check": check, "title": words.title(check.code), "explanation": gettext(check.explanation),
            "rows": [
                {**told(check, parameter, in_force.get(parameter.name), viewer.now),
                 "history": [_line(one, names) for one in history.get(parameter.name, [])]}
                for parameter in check.parameters
            ],
            "asked": asked, "may_choose": may_choose(viewer),
        },
        status=status,
    )  # fmt: skip


def told(check: Check, parameter: Parameter, chosen: Chosen | None, now: datetime) -> dict[str, Any]:
    """A parameter as the pages show it: its value, whose it is, and what else would count."""
    value = parameter.default if chosen is None or chosen.value is None else chosen.value
    grounds = check.valid_on(local_day(now)) or check.grounds
    return {
        "name": parameter.name, "title": gettext(parameter.title), "value": shown(value), "law": parameter.law,
        "default": shown(parameter.default), "own": chosen if chosen and chosen.value is not None else None,
        "ground": "; ".join(f"{ground.text}, {ground.article}".strip(", ") for ground in grounds),
        "asks_less": parameter.asks_less(value), "number": isinstance(parameter.default, int),
    }  # fmt: skip


def shown(value: Value) -> str:
    """A value as it is typed; a dash where it says nothing."""
    return labels.value(value) or "—"


def _line(one: Chosen, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "value": None if one.value is None else shown(one.value), "valid_from": one.valid_from, "at": one.set_at,
        "by": names.get(one.by, one.by), "note": one.note,
    }  # fmt: skip


# ---- a change ----------------------------------------------------------------------------------------------------


def _choose(request: HttpRequest, viewer: Viewer, check: Check) -> HttpResponse:
    if not may_choose(viewer):
        raise Unreadable("check")
    posted = request.POST
    parameter = check.parameter(posted.get("name", ""))
    gives_back = posted.get("value", "").strip() == "" and not isinstance(parameter.default, str)
    note, day = posted.get("note", "").strip()[:500], posted.get("since", "")
    try:
        value = None if gives_back else parameter.read(posted.get("value", ""))
    except Unreadable:
        messages.error(request, gettext("“{text}” không dùng được cho tham số này.").format(text=posted["value"][:50]))
        return _page(request, viewer, check, status=400)
    since = day_of(day) if day else None
    if not note or (day and since is None):
        messages.error(request, gettext("Ghi lý do trước.") if not note else gettext("Ngày không đúng."))
        return _page(request, viewer, check, status=400)
    asks_less = value is not None and parameter.asks_less(value)
    sure = posted.get("sure") == "1"
    if not sure or (asks_less and posted.get("looser") != "1"):
        if sure:
            messages.error(request, gettext("Đánh dấu xác nhận nới hơn quy định trước."))
        now_ = told(check, parameter, thresholds.in_force(as_of=viewer.now).get(check.code, {}).get(parameter.name),
                    viewer.now)  # fmt: skip
        typed = {"to": shown(value if value is not None else parameter.default), "typed": posted.get("value", ""),
                 "note": note, "since": day, "on": since, "asks_less": asks_less, "gives_back": gives_back}  # fmt: skip
        return _page(request, viewer, check, asked={**now_, **typed, "asks_less": asks_less})
    at = datetime.combine(since, time(), VIET_NAM) if since else None
    if thresholds.choose(check, parameter.name, value, by=viewer.name, at=viewer.now, note=note, valid_from=at):
        messages.success(request, gettext("Đã đổi: {name}.").format(name=gettext(parameter.title)))
    else:
        messages.info(request, gettext("Tham số đã là giá trị ấy: không có gì đổi."))
    return redirect("check-values", check.code)
