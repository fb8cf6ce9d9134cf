"""Giao ban: the figures beside those of the last meeting and the published ones, and the paper in three forms."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.directives import meetings
from motcua.directives.models import Meeting
from motcua.rules.instants import local_day
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.asked import choices, read
from motcua.web.console.pages import asks, page
from motcua.web.orders import people as orders_people
from motcua.web.papers import meeting as paper
from motcua.web.papers import pdf, word
from motcua.web.papers.people import MEDIA, drafters

_KEPT = 12


@require_http_methods(["GET", "POST"])
@drafters
@asks
def meeting(request: HttpRequest) -> HttpResponse:
    """What lies on the table; posted, the day's figures are kept."""
    asked = read(request)
    period = asked.question.period or ""
    material = _material(request, period)
    if request.method == "POST":
        try:
            on = date.fromisoformat(request.POST.get("on", ""))
        except ValueError:
            on = material.today
        meetings.keep(material.gathered, on=on, period=period, by=request.user.get_username(), at=material.now)
        text = gettext("Đã giữ số liệu của cuộc họp ngày {day}; lần sau sẽ so với số này.")
        messages.success(request, text.format(day=f"{on:%d/%m/%Y}"))
        return redirect(f"{request.path}?period={period}" if period else request.path)
    return page(
        request,
        "papers/meeting.html",
        {
            "asked": asked,
            "choices": choices(asked),
            "period": period,
            "material": material,
            "document": material.gathered["open"],
            "rows": [_row(material, m) for m in ("reception", "open", "finished")],
            "noted": material.noted,
            "late": len(material.rows),
            "today": local_day(material.now).isoformat(),
            "kept": [
                {"meeting": each, "by": orders_people.named(each.kept_by)}
                for each in Meeting.objects.order_by("-on", "-kept_at")[:_KEPT]
            ],
        },
    )


def _material(request: HttpRequest, period: str) -> paper.Material:
    by = orders_people.named(request.user.get_username())
    return paper.Material(settings.HOME, period=period, now=timezone.now(), by=by)


def _row(material: paper.Material, measure: str) -> dict[str, Any]:
    document, public = material.gathered[measure], material.published.get(measure)
    return {
        "title": labels.MEASURES[measure],
        "measure": measure,
        "shown": document["late_shown"],
        "recorded": document["late_recorded"],
        "true": document["late_true"],
        "change": material.change(measure, "shown"),
        "by": abs(material.change(measure, "shown") or 0),
        "published": public,
        "agrees": public is not None and public["count"] == document["late_shown"],
    }


@require_GET
@drafters
@asks
def material(request: HttpRequest, kind: str) -> HttpResponse:
    """The paper as Word, PDF or Excel."""
    if kind not in MEDIA:
        raise Http404
    found = _material(request, request.GET.get("period", ""))
    made = paper.composed(found)
    match kind:
        case "docx":
            content = word.made(made, home=settings.HOME)
        case "pdf":
            content = pdf.made(made, home=settings.HOME)
        case _:
            content = paper.workbook(found, made).getvalue()
    reply = HttpResponse(content, content_type=MEDIA[kind])
    reply["Content-Disposition"] = f'attachment; filename="{workbooks.name("giao-ban", found.now, kind)}"'
    return reply
