"""Tài khoản máy, sự cố đã biết: what the checks leave out, said by a person with a reason or a decision's number."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.accounts import powers
from motcua.catalogue.models import Agency
from motcua.findings import people
from motcua.oversight import set_apart
from motcua.oversight.models import Outage
from motcua.rules.instants import Unreadable, parse_instant
from motcua.web.console.pages import page
from motcua.web.findings import words
from motcua.web.findings.viewer import Viewer, number, sensible

_ROLES = frozenset({"inspector", "operator"})


@require_http_methods(["GET", "HEAD", "POST"])
@sensible
def known(request: HttpRequest) -> HttpResponseBase:
    """The machines and outages; a POST of an inspector or operator of the province says one or takes it back."""
    viewer = Viewer.of(request)
    if request.method == "POST":
        return _change(request, viewer)
    return _page(request, viewer)


def _may_change(viewer: Viewer) -> bool:
    return powers.holds(viewer.user, _ROLES, on=viewer.on) and powers.scope(viewer.user, on=viewer.on) is None


def _page(request: HttpRequest, viewer: Viewer, *, status: int = 200) -> HttpResponse:
    machines, outages = set_apart.machines(), set_apart.outages()
    names = people.names({row.by for row in machines} | {row.by for row in outages})
    of_agency = dict(Agency.objects.values_list("code", "name"))
    return page(
        request,
        "findings/set_apart.html",
        {
            "machines": [(row, names.get(row.by, row.by)) for row in machines],
            "outages": [
                (row, names.get(row.by, row.by), words.SYSTEMS[row.what], of_agency.get(row.agency, row.agency))
                for row in outages
            ],
            "agencies": sorted(of_agency.items(), key=lambda pair: pair[1]), "systems": list(words.SYSTEMS.items()),
            "may_change": _may_change(viewer), "typed": request.POST,
        },
        status=status,
    )  # fmt: skip


def _change(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    if not _may_change(viewer):
        raise Unreadable("set-apart")
    posted, by, at = request.POST, viewer.name, viewer.now
    try:
        match posted.get("act"):
            case "machine":
                set_apart.name_machine(
                    posted.get("account", ""), by=by, at=at, note=posted.get("note", ""),
                    valid_from=_instant(posted.get("from", "")), valid_to=_instant(posted.get("to", "")),
                )  # fmt: skip
            case "no_machine":
                set_apart.forget_machine(posted.get("account", ""), by=by, at=at)
            case "outage":
                _declare(request, by=by, at=at)
            case "no_outage":
                set_apart.withdraw_outage(number(posted.get("outage", "")) or 0, by=by, at=at)
            case other:
                raise Unreadable(f"act={other!r}")
    except Unreadable:
        messages.error(request, gettext("Chưa ghi được: kiểm tra lại tài khoản, thời gian, lý do hoặc văn bản."))
        return _page(request, viewer, status=400)
    messages.success(request, gettext("Đã ghi. Lần quét sau sẽ tính theo."))
    return redirect("set-apart")


def _declare(request: HttpRequest, *, by: str, at: datetime) -> None:
    posted = request.POST
    start, end = _instant(posted.get("from", "")), _instant(posted.get("to", ""))
    if start is None or end is None:
        raise Unreadable("an outage has a beginning and an end")
    what = posted.get("what", Outage.What.SOFTWARE)
    set_apart.declare_outage(
        what=what, from_at=start, to_at=end, caught_up_at=_instant(posted.get("caught_up", "")), by=by, at=at,
        agency=posted.get("agency", ""), document=posted.get("document", ""), note=posted.get("note", ""),
    )  # fmt: skip


def _instant(text: str) -> datetime | None:
    return parse_instant(text) if text.strip() else None
