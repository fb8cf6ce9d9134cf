"""The deadline certificate: why a dossier is due when it is, on one sheet to sign."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from motcua.rules.instants import local_day
from motcua.web.console.days import folded
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
            "days": folded(found),
            "day": f"{today:%d}",
            "month": f"{today:%m}",
            "year": f"{today:%Y}",
        },
    )
