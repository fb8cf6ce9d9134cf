"""The deadline certificate: why a dossier is due when it is, on one sheet to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET

from motcua.rules.instants import local_day
from motcua.web.console.dossier import statement, told
from motcua.web.console.pages import asks, page


@require_GET
@asks
def certificate(request: HttpRequest, code: str) -> HttpResponse:
    """The sheet. A dossier without a due instant has none."""
    story = told(request, code)
    found = story["certificate"]
    if not found["due_at"]:
        raise Http404(code)
    today = local_day(timezone.now())
    return page(
        request,
        "certificate.html",
        {
            "story": story,
            "certificate": found,
            "document": statement(story, formula=found["rule"]),
            "days": folded(found["explain"], calendar_days=found["allotted"].endswith("cd")),
            "day": f"{today:%d}",
            "month": f"{today:%m}",
            "year": f"{today:%Y}",
        },
    )


def folded(lines: Sequence[Mapping[str, Any]], *, calendar_days: bool) -> list[dict[str, Any]]:
    """The days of a certificate, ordinary ones and holidays folded: rows of `first`, `last`, `minutes` and `why`."""
    rows: list[dict[str, Any]] = []
    for (notable, holiday), run in groupby(lines, key=lambda line: (line["notable"], bool(line["holiday"]))):
        days = list(run)
        for part in [[day] for day in days] if notable and not holiday else [days]:
            if len(part) == 1:
                why = part[0]["why"]
            elif holiday:
                why = f"{part[0]['holiday']} – {part[-1]['holiday']}: {_closed(len(part))}"
            else:
                why = _summary(part, calendar_days)
            minutes = sum(line["worked_minutes"] for line in part)
            rows.append({"first": part[0]["day"], "last": part[-1]["day"], "minutes": minutes, "why": why})
    return rows


def _closed(count: int) -> str:
    return ngettext("{n} ngày nghỉ", "{n} ngày nghỉ", count).format(n=count)


def _summary(days: Sequence[Mapping[str, Any]], calendar_days: bool) -> str:
    numbers = [day["number"] for day in days if day["number"]]
    worked = sum(not day["number"] and day["worked_minutes"] > 0 for day in days)
    paused = sum(day["paused_minutes"] > 0 for day in days)
    closed = len(days) - len(numbers) - worked - paused
    parts = []
    if len(numbers) == 1:
        text = gettext("ngày thứ {n}") if calendar_days else gettext("ngày làm việc thứ {n}")
        parts.append(text.format(n=numbers[0]))
    elif numbers:
        text = gettext("ngày thứ {a} đến thứ {b}") if calendar_days else gettext("ngày làm việc thứ {a} đến thứ {b}")
        parts.append(text.format(a=numbers[0], b=numbers[-1]))
    if worked:
        parts.append(ngettext("{n} ngày làm việc", "{n} ngày làm việc", worked).format(n=worked))
    if paused:
        parts.append(ngettext("{n} ngày tạm dừng", "{n} ngày tạm dừng", paused).format(n=paused))
    if closed:
        parts.append(_closed(closed))
    return "; ".join(parts)
