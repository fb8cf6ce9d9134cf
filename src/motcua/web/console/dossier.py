"""One dossier: three verdicts, one sentence, one act, then the picture, whose minutes, why that day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from motcua.accounts import powers
from motcua.catalogue.calendars import load_all
from motcua.inspection.remedies import REMEDIES
from motcua.oversight import explain
from motcua.rules.instants import local_day, parse_instant
from motcua.rules.workdays import WorkCalendar
from motcua.web import labels
from motcua.web.console import pictures
from motcua.web.console.pages import asks, page


@require_GET
@asks
def dossier(request: HttpRequest, code: str) -> HttpResponse:
    """The page that tells why a dossier is late, and whose it is."""
    now = timezone.now()
    as_of = request.GET.get("as_of")
    story = explain.dossier(settings.HOME, code, now=now, as_of=parse_instant(as_of) if as_of else None)
    if story is None:
        raise Http404(code)
    scope = powers.scope(request.user, on=local_day(now))
    if scope is not None and story["agency"] not in scope:
        return page(request, "forbidden.html", {"code": code}, status=403)
    calendars = load_all()
    calendar = calendars.get(story["certificate"].get("calendar", "vn")) or calendars["vn"]
    return page(
        request,
        "dossier.html",
        {
            "story": story,
            "sides": [
                {"title": title, "rest": _rest(story[side], story["as_of"], calendar), **story[side]}
                for side, title in labels.SIDES.items()
            ],
            "causes": [
                {"leg": leg, "cause": cause, "remedy": labels.REMEDIES[REMEDIES[cause]],
                 "sub": labels.SUB_CAUSES.get(story["sub_cause"] or "", "") if leg == "sync" else ""}
                for leg, cause in story["causes"].items()
                if cause
            ],
            "picture": pictures.timeline(story),
            "shares": pictures.shares(story["minutes"]),
            "total": sum(share["minutes"] for share in story["minutes"]),
            "late_total": sum(share["late_minutes"] for share in story["minutes"]),
            "diary": sorted(story["timeline"], key=lambda entry: entry["at"] or ""),
            "frozen": as_of,
        },
    )  # fmt: skip


def _rest(side: dict[str, Any], as_of: str, calendar: WorkCalendar) -> str:
    """Còn 3 giờ, quá 2 ngày 4 giờ: working time from the due instant to the finish, or to now."""
    if not side["due_at"] or side["verdict"] == "paused":
        return ""
    due = datetime.fromisoformat(side["due_at"])
    until = datetime.fromisoformat(side["finished_at"] or as_of)
    minutes = calendar.minutes_between(due, until)
    if until > due:
        return f"quá {labels.worked(minutes)} làm việc" if minutes else "quá hạn, ngoài giờ làm việc"
    return f"{'trước hạn' if side['finished_at'] else 'còn'} {labels.worked(minutes)} làm việc" if minutes else ""
