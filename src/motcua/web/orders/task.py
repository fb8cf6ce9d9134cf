"""One task: its figure day by day, each unit's part, its dossiers, its history, and what may be done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from motcua.accounts import powers
from motcua.catalogue.models import Agency
from motcua.directives import orders, progress, standing, targets
from motcua.directives.models import Directive, Part, Progress
from motcua.directives.standing import Standing
from motcua.rules.instants import Unreadable, local_day, parse_instant
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import asks, page, second
from motcua.web.orders import people, words

_SIZE = 50
#: So many kept days a page computes again; all of them: motcua directive verify.
_COMPUTED_AGAIN = 7


def _seen_by(request: HttpRequest, number: int) -> Standing:
    """The task, where the viewer has a part in it. Raises `Http404`."""
    today = local_day(timezone.now())
    found = standing.standings(today=today, scope=powers.scope(request.user, on=today), only=number)
    if not found:
        raise Http404
    return found[0]


@require_GET
def task(request: HttpRequest, number: int) -> HttpResponse:
    """The page of a task."""
    now = timezone.now()
    today = local_day(now)
    found = _seen_by(request, number)
    directive = found.directive
    scope = powers.scope(request.user, on=today)
    parts = list(Part.objects.filter(directive=directive))
    newest = Progress.objects.filter(directive=directive).order_by("-on").first()
    pinned = f"?as_of={second(newest.at.isoformat()).replace('+', '%2B')}" if newest else "?"
    rows = [row for row in standing.units_of(found, parts) if scope is None or row["agency"] in scope]
    here = words.value(directive.metric, found.whole if scope is None else _part(directive, found.parts, scope))
    greatest = max((_width(directive, row["value"]) for row in rows), default=0) or 1
    mine = people.speaks_for(request.user, found.units, on=today)
    return page(
        request,
        "orders/task.html",
        {
            "now": now,
            "row": {**words.row(found, today), "value": here},
            "whole_seen": scope is None,
            "directive": directive,
            "giver": people.named(directive.given_by),
            "trend": _trend(directive, scope),
            "list": reverse("directive-dossiers", args=[number]) + pinned,
            "newest": newest,
            "rows": [
                {
                    **row,
                    "text": words.value(directive.metric, row["value"]),
                    "own": row["agency"] in mine,
                    "width": round(100 * _width(directive, row["value"]) / greatest, 2),
                    "href": f"{reverse('directive-dossiers', args=[number])}{pinned}&agency={row['agency']}",
                }
                for row in rows
            ],
            "mine": mine,
            "history": [
                (
                    line,
                    words.line(line),
                    people.named(line.actor) if line.actor else gettext("dữ liệu"),
                    names.get(line.agency, line.agency),
                )
                for names in [dict(Agency.objects.values_list("code", "name"))]
                for line in standing.history(directive)
                if scope is None or not line.agency or line.agency in scope
            ],
            "ladder": [
                (rung.after_days, words.small(labels.ROLES.get(rung.role, rung.role)), step < directive.escalated)
                for step, rung in enumerate(progress.ladder())
            ],
            "hold": progress.held_days(),
            "gives": people.gives(request.user, on=today),
            "open": directive.state == Directive.State.OPEN,
            "most": targets.METRICS[directive.metric].most,
            "tomorrow": today.isoformat(),
            "papers": directive.papers.order_by("-drafted_at"),
        },
    )


def _width(directive: Directive, value: targets.Value) -> int:
    return value.value if targets.METRICS[directive.metric].most else (value.out_of or 0) - value.value


_WIDE, _HIGH, _LEFT, _TOP = 640, 180, 46, 14


def _part(directive: Directive, parts: Mapping[str, targets.Value], scope: frozenset[str]) -> targets.Value:
    """The sum of the parts that a viewer sees."""
    nothing = targets.Value(0) if targets.METRICS[directive.metric].most else targets.Value(0, 0)
    return sum((part for agency, part in parts.items() if agency in scope), nothing)


def _trend(directive: Directive, scope: frozenset[str] | None) -> dict[str, Any] | None:
    """The figure day by day as a line, with the target across; zero is at the foot. A unit sees its own part."""
    days = [
        (
            row.on,
            targets.Value(row.value, row.out_of)
            if scope is None
            else _part(directive, progress.unpacked(row.parts), scope),
        )
        for row in Progress.objects.filter(directive=directive).order_by("on")
    ]
    if not days:
        return None
    most = targets.METRICS[directive.metric].most
    values = [of.value if most else 1000 * of.value / (of.out_of or 1) for _, of in days]
    top = max(*values, directive.target, 1) if most else 1000
    first, last = days[0][0], max(days[-1][0], directive.due_on)
    span = max((last - first).days, 1)

    def x(day: date) -> float:
        return round(_LEFT + (_WIDE - _LEFT - 60) * (day - first).days / span, 1)

    def y(value: float) -> float:
        return round(_TOP + (_HIGH - _TOP - 26) * (1 - value / top), 1)

    points = [(x(day), y(value)) for (day, _), value in zip(days, values, strict=True)]
    told = [(day, words.value(directive.metric, of)) for day, of in days]
    return {
        "wide": _WIDE,
        "high": _HIGH,
        "line": " ".join(f"{a:g},{b:g}" for a, b in points),
        "dots": [
            {"x": a, "y": b, "title": f"{day:%d/%m}: {text}"} for (a, b), (day, text) in zip(points, told, strict=True)
        ],
        "end": {"x": points[-1][0] + 8, "y": points[-1][1] + 4},
        "target_y": y(directive.target),
        "zero_y": y(0),
        "left": _LEFT,
        "right": _WIDE - 60,
        "due_x": x(directive.due_on),
        "first": f"{first:%d/%m}",
        "due": f"{directive.due_on:%d/%m}",
        "due_inside": (directive.due_on - first).days > 0,
        "top": words.value(directive.metric, targets.Value(int(top), None if most else 1000)),
        "top_y": y(top),
        "days": told[::-1],
    }


@require_POST
def act(request: HttpRequest, number: int) -> HttpResponse:
    """What the giver does with a task, and what a unit says of its part."""
    now = timezone.now()
    found = _seen_by(request, number)
    asked, by = request.POST.get("act", ""), request.user.get_username()
    reason = request.POST.get("reason", "")
    try:
        if asked in ("see", "answer"):
            agency = request.POST.get("agency", "")
            if agency not in people.speaks_for(request.user, found.units, on=local_day(now)):
                raise PermissionDenied
            if asked == "see":
                orders.see(number, agency=agency, by=by, at=now)
            else:
                orders.answer(number, agency=agency, text=request.POST.get("answer", ""), by=by, at=now)
        elif not people.gives(request.user, on=local_day(now)):
            raise PermissionDenied
        else:
            _decide(number, asked, request.POST.get("due_on", ""), reason, by)
    except Unreadable as refusal:
        messages.error(request, words.error(str(refusal)))
    else:
        messages.success(request, gettext("Đã ghi."))
    return redirect("directive", number)


def _decide(number: int, asked: str, due_on: str, reason: str, by: str) -> None:
    now = timezone.now()

    def day() -> date:
        try:
            return date.fromisoformat(due_on)
        except ValueError:
            raise Unreadable("due") from None

    match asked:
        case "extend":
            orders.extend(number, due_on=day(), reason=reason, by=by, at=now)
        case "close":
            orders.close(number, reason=reason, by=by, at=now)
        case "withdraw":
            orders.withdraw(number, reason=reason, by=by, at=now)
        case "reopen":
            orders.reopen(number, due_on=day(), reason=reason, by=by, at=now)
        case "look":
            progress.look(settings.HOME, number, at=now)
        case "verify":
            progress.verified(settings.HOME, number, by=by, at=now, last=_COMPUTED_AGAIN)
        case _:
            raise Unreadable(f"act={asked!r}")


def _listed(request: HttpRequest, number: int, *, limit: int) -> tuple[Standing, str, dict[str, Any]]:
    """The dossiers of a task, or of a unit's part, at the instant of the figure that was clicked."""
    found = _seen_by(request, number)
    now = timezone.now()
    at = parse_instant(request.GET["as_of"]) if request.GET.get("as_of") else now
    scope = powers.scope(request.user, on=local_day(now))
    agencies = frozenset(found.units) if scope is None else frozenset(found.units) & scope
    agency = request.GET.get("agency", "")
    if agency:
        agencies &= {agency}
    directive = found.directive
    document = targets.dossiers(
        settings.HOME,
        directive.metric,
        cause=directive.cause,
        period=directive.period,
        agencies=agencies,
        at=at,
        after=request.GET.get("after"),
        limit=limit,
    )
    return found, agency, document


@require_GET
@asks
def dossiers(request: HttpRequest, number: int) -> HttpResponse:
    """The dossiers behind a task's figure: exactly as many as it says."""
    found, agency, document = _listed(request, number, limit=_SIZE)
    counted = request.GET.get("n", "")
    first = int(counted) if request.GET.get("after") and counted.isdigit() and len(counted) < 9 else 1
    query = request.GET.copy()
    for name in ("after", "n"):
        query.pop(name, None)
    query["as_of"] = second(document["as_of"])
    start = f"{request.path}?{query.urlencode()}"
    workbook = f"{reverse('directive-dossiers-workbook', args=[number])}?{query.urlencode()}"
    following = query.copy()
    last = first + len(document["rows"]) - 1
    if document["next"]:
        following["after"], following["n"] = document["next"], str(last + 1)
    return page(
        request,
        "orders/dossiers.html",
        {
            "document": document,
            "row": words.row(found, local_day(timezone.now())),
            "first": first,
            "last": last,
            "start": start if first > 1 else "",
            "workbook": workbook,
            "next": f"{request.path}?{following.urlencode()}" if document["next"] else "",
            "agency": agency and (Agency.objects.filter(code=agency).values_list("name", flat=True).first() or agency),
            "as_of": second(document["as_of"]),
            "spoils": not targets.METRICS[found.directive.metric].most,
        },
    )


@require_GET
@asks
def dossiers_workbook(request: HttpRequest, number: int) -> FileResponse:
    """The same list as a workbook."""
    found, _, document = _listed(request, number, limit=1_000_000)
    stream = workbooks.dossiers(
        document, title=found.directive.title, author=str(request.user), period=found.directive.period or None
    )
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("nhiem-vu", timezone.now(), "xlsx"))
