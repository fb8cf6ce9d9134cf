"""Bộ lọc đã lưu: keeps the conditions of the list under a name, shares them with one's unit, lets them go."""

from __future__ import annotations

from dataclasses import fields

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from motcua.findings import saved
from motcua.findings.listed import Narrowed
from motcua.rules.instants import Unreadable
from motcua.web.findings import lists, words
from motcua.web.findings.viewer import Viewer, inspection, number, sensible, told

_CONDITIONS = frozenset(field.name for field in fields(Narrowed))


@require_POST
@inspection
@sensible
def act(request: HttpRequest) -> HttpResponseBase:
    """Saves, shares, takes back or forgets a filter; then the list again."""
    viewer, post = Viewer.of(request), request.POST
    chosen = number(post.get("filter", "")) or 0
    query = {name: value for name, value in post.dict().items() if name in _CONDITIONS}
    back = redirect("findings")
    back["Location"] = lists.link(Narrowed.read(query))
    match post.get("act"):
        case "save":
            try:
                row = saved.save(viewer.name, post.get("name", ""), query, at=viewer.now)
            except Unreadable as fault:
                told(request, fault, words.FILTER_FAULTS)
            else:
                messages.success(request, gettext("Đã lưu bộ lọc “{name}”.").format(name=row.name))
        case "share":
            saved.share(viewer.name, chosen, viewer.unit)
            messages.success(request, gettext("Đồng nghiệp cùng đơn vị thấy bộ lọc này."))
        case "unshare":
            saved.share(viewer.name, chosen, None)
            messages.success(request, gettext("Bộ lọc này chỉ còn anh/chị thấy."))
        case "forget":
            saved.forget(viewer.name, chosen)
            messages.success(request, gettext("Đã bỏ bộ lọc."))
        case _:
            raise Http404
    return back
