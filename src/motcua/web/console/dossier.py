"""One dossier: three verdicts, one sentence, one act, then the picture, whose minutes, why that day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.accounts import powers
from motcua.findings import people
from motcua.inspection.bridge import FORMULA
from motcua.inspection.remedies import REMEDIES
from motcua.oversight import explain
from motcua.rules.instants import local_day, parse_instant
from motcua.rules.policies import POLICIES
from motcua.web import labels
from motcua.web.console import pictures
from motcua.web.console.days import folded
from motcua.web.console.pages import asks, page
from motcua.web.findings import words


@require_GET
@asks
def dossier(request: HttpRequest, code: str) -> HttpResponse:
    """The page that tells why a dossier is late, and whose it is."""
    story, now = told(request, code), timezone.now()
    return page(
        request,
        "dossier.html",
        {
            "story": story,
            "document": statement(story, formula=FORMULA),
            **shown(story),
            "frozen": request.GET.get("as_of"),
            "findings": [
                {"number": row.pk, "title": words.title(row.check_code), "state": words.state(row, now=now)}
                for row in people.visible(request.user, on=local_day(now)).filter(subject=code).order_by("pk")
            ],
        },
    )  # fmt: skip


def shown(story: Mapping[str, Any]) -> dict[str, Any]:
    """What the parts of a page that tell a story read, whether it is told now or was frozen."""
    return {
        "sides": [
            {"title": title, "rest": _rest(story[side]), **story[side]} for side, title in labels.SIDES.items()
        ],
        "causes": [
            {"leg": leg, "cause": cause, "remedy": labels.REMEDIES[REMEDIES[cause]],
             "sub": labels.SUB_CAUSES.get(story["sub_cause"] or "", "") if leg == "sync" else ""}
            for leg, cause in story["causes"].items()
            if cause
        ],
        "days": folded(story["certificate"]),
        "picture": pictures.timeline(story),
        "shares": pictures.shares(story["minutes"]),
        "total": sum(share["minutes"] for share in story["minutes"]),
        "late_total": sum(share["late_minutes"] for share in story["minutes"]),
        "diary": sorted(story["timeline"], key=lambda entry: entry["at"] or ""),
    }  # fmt: skip


def told(request: HttpRequest, code: str) -> dict[str, Any]:
    """The story of a dossier, for who may see it, as of the address or now. Raises `Http404`, `PermissionDenied`."""
    now = timezone.now()
    as_of = request.GET.get("as_of")
    story = explain.dossier(settings.HOME, code, now=now, as_of=parse_instant(as_of) if as_of else None)
    if story is None:
        raise Http404(code)
    scope = powers.scope(request.user, on=local_day(now))
    if scope is not None and story["agency"] not in scope:
        raise PermissionDenied
    return story


def statement(story: Mapping[str, Any], *, formula: str) -> dict[str, Any]:
    """What a page about a dossier states, free of the reader's language: what its code is taken over."""
    certificate = {name: story["certificate"].get(name) for name in ("due_at", "allotted", "mode", "cutoff")}
    told_ = {name: story[name] for name in ("dossier", "as_of", *labels.SIDES, "causes", "minutes")}
    return {**told_, "certificate": certificate, "policy": POLICIES["default"].label, "formula": formula}


def _rest(side: dict[str, Any]) -> str:
    """Còn 3 giờ, quá 2 ngày 4 giờ: working time from the due instant to the finish, or to now."""
    if side["late_minutes"]:
        return gettext("quá {time} làm việc").format(time=labels.worked(side["late_minutes"]))
    if side["late_minutes"] == 0:
        return gettext("quá hạn, ngoài giờ làm việc")
    if not side["spare_minutes"]:
        return ""
    text = gettext("trước hạn {time} làm việc") if side["finished_at"] else gettext("còn {time} làm việc")
    return text.format(time=labels.worked(side["spare_minutes"]))
