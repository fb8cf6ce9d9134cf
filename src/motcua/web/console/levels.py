"""Mức dữ liệu: what the data of each source and unit can tell, what comes next, what has fallen silent."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from motcua.inspection.levels import CAUSES, LEVELS
from motcua.oversight import levels as data
from motcua.web import labels
from motcua.web.console.asked import choices, pinned, read
from motcua.web.console.pages import asks, page


@require_GET
@asks
def levels(request: HttpRequest) -> HttpResponse:
    """The page of data levels."""
    asked = read(request)
    told = {by: data.levels(settings.HOME, asked.question, now=asked.now, by=by) for by in data.DIMENSIONS}
    document = told["source"]
    here = pinned(asked, document["as_of"])
    return page(
        request,
        "levels.html",
        {
            "asked": asked,
            "here": here,
            "document": document,
            "ladder": [
                {
                    "level": level,
                    "has": document["has"][str(level)],
                    "reached": level in document["reached"],
                    "causes": ", ".join(labels.CAUSES[str(cause)] for cause in CAUSES[level]),
                }
                for level in LEVELS
            ],
            "tables": [(by, cut["rows"]) for by, cut in told.items()],
            "choices": choices(asked),
        },
    )
