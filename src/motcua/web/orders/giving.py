"""Giving a task: what is counted, how much of it there is now, in which units, the target, the day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.catalogue.models import Agency
from motcua.directives import orders, progress, targets
from motcua.inspection.causes import RECORD, SYNC
from motcua.rules.instants import Unreadable, local_day
from motcua.web import labels
from motcua.web.console.pages import asks, page
from motcua.web.orders import people, words

_WITHIN = timedelta(days=14)


@require_http_methods(["GET", "POST"])
@asks
def new(request: HttpRequest) -> HttpResponse:
    """The form; asked again with a choice it says how much there is now, and where."""
    now = timezone.now()
    if not people.gives(request.user, on=local_day(now)):
        raise PermissionDenied
    given = request.POST if request.method == "POST" else request.GET
    metric = given.get("metric", "not_synchronised")
    cause = given.get("cause", "update_not_sent")
    period = given.get("period", "")
    if metric not in targets.METRICS:
        raise Unreadable(f"metric={metric!r}")
    measured = orders.units_concerned(settings.HOME, metric, cause=cause, period=period, at=now)
    error = ""
    if request.method == "POST":
        try:
            return _give(request, metric, cause, period)
        except Unreadable as refusal:
            error = words.error(str(refusal))
    return page(request, "orders/new.html", _context(request, metric, cause, period, measured, error),
                status=400 if error else 200)  # fmt: skip


def _give(request: HttpRequest, metric: str, cause: str, period: str) -> HttpResponse:
    now = timezone.now()
    try:
        due_on = date.fromisoformat(request.POST.get("due_on", ""))
    except ValueError:
        raise Unreadable("due") from None
    goal = _goal(request.POST.get("target", ""), metric)
    agencies = request.POST.getlist("agency")
    if request.POST.get("everybody"):
        agencies = list(Agency.objects.filter(valid_to=None).values_list("code", flat=True))
    named = request.POST.get("title", "").strip()
    title = named or words.title(metric, cause if metric == "cause" else "", goal, due_on)
    directive = orders.give(
        title=title, metric=metric, cause=cause, period=period, target=goal, each=bool(request.POST.get("each")),
        agencies=agencies, due_on=due_on, note=request.POST.get("note", ""), by=request.user.get_username(), at=now,
    )  # fmt: skip
    progress.look(settings.HOME, directive.pk, at=now)
    text = gettext("Đã giao cho {n} đơn vị. Số liệu tự báo tiến độ mỗi ngày.")
    messages.success(request, text.format(n=len(set(agencies))))
    return redirect("directive", directive.pk)


def _goal(text: str, metric: str) -> int:
    """A number of dossiers, or a rate in per cent with a comma or a point, as thousandths."""
    try:
        value = float(text.replace(".", "").replace(",", ".") if "," in text else text)
    except ValueError:
        raise Unreadable("target") from None
    goal = value if targets.METRICS[metric].most else value * 10
    if goal != round(goal) or abs(goal) > 1e9:
        raise Unreadable("target")
    return int(goal)


def _context(
    request: HttpRequest, metric: str, cause: str, period: str, measured: targets.Measured, error: str
) -> dict[str, Any]:
    now = measured.at
    most = targets.METRICS[metric].most
    names = dict(Agency.objects.filter(valid_to=None).order_by("name").values_list("code", "name"))
    nothing = targets.Value(0) if most else targets.Value(0, 0)
    chosen = set(request.POST.getlist("agency"))
    units: list[dict[str, Any]] = []
    for code, name in names.items():
        value = measured.parts.get(code, nothing)
        spoiling = _spoiling(value, most)
        picked = code in chosen if request.method == "POST" else spoiling > 0
        units.append({"code": code, "name": name, "value": words.value(metric, value), "any": spoiling > 0,
                      "chosen": picked, "spoiling": spoiling})  # fmt: skip
    units.sort(key=lambda unit: -unit["spoiling"])
    return {
        "metric": metric, "cause": cause, "period": period, "most": most, "measured": measured,
        "whole": words.value(metric, measured.whole), "metrics": list(words.METRICS.items()),
        "causes": [(str(code), labels.CAUSES[str(code)]) for code in (*SYNC, *RECORD)],
        "periods": _periods(local_day(now)), "units": units, "with_any": sum(unit["any"] for unit in units),
        "due_on": request.POST.get("due_on") or (local_day(now) + _WITHIN).isoformat(),
        "earliest": local_day(now).isoformat(), "target": request.POST.get("target", "0" if most else "95"),
        "title": request.POST.get("title", ""), "note": request.POST.get("note", ""),
        "each": request.POST.get("each", ""), "everybody": request.POST.get("everybody", ""), "error": error,
        "named": words.small(words.METRICS[metric]), "now": now,
    }  # fmt: skip


def _spoiling(value: targets.Value, most: bool) -> int:
    return value.value if most else (value.out_of or 0) - value.value


def _periods(today: date) -> list[tuple[str, str]]:
    year = str(today.year)
    quarter = f"{year}-Q{(today.month - 1) // 3 + 1}"
    spans = (f"{year}-{today.month:02}", quarter, year)
    return [("", gettext("mọi hồ sơ đến nay")), *((span, labels.period(span)) for span in spans)]
