"""Việc của tôi: what an inspector looks at first today, and everything else that waits, each number a list."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.findings import day, listed, requests
from motcua.web.console.pages import page
from motcua.web.findings import lists, words
from motcua.web.findings.listed_requests import told
from motcua.web.findings.viewer import Viewer, inspection
from motcua.web.warning.words import about


def _told(one: day.Savable | None) -> dict[str, Any] | None:
    return one and {"until": one.until, "hours": about(one.minutes)}


@require_GET
@inspection
def mine(request: HttpRequest) -> HttpResponse:
    """The day of the one who asks."""
    viewer = Viewer.of(request)
    everything = request.GET.get("xem") == "ca"
    counts = day.counts(viewer.visible, viewer.name, now=viewer.now)
    if everything:
        rows = list(day.waiting(viewer.visible, viewer.name).order_by("-rank", "pk")[: lists.SIZE * 4])
    else:
        rows = day.first(viewer.visible, viewer.name, now=viewer.now)
    savable = day.savable(rows, now=viewer.now)
    names = dict(listed.agencies(viewer.visible))
    shown = [{**lists.row(found, viewer, names), "savable": _told(savable.get(found.subject))} for found in rows]
    tiles = [
        ("answered", counts["answered"], gettext("chờ tôi kết luận"), "answered"),
        ("asked", counts["waiting_for_units"], gettext("chờ giải trình"), "asked"),
        ("overdue", counts["overdue"], gettext("quá hạn giải trình"), "overdue"),
        ("extensions", counts["extensions"], gettext("xin gia hạn"), "extensions"),
        ("claims", counts["claims"], gettext("chứng cứ chờ xác minh"), "claims"),
        ("remedied", counts["remedied"], gettext("chờ phúc tra"), "remedied"),
    ]
    return page(
        request,
        "findings/day.html",
        {
            "counts": counts,
            "tiles": [
                {"name": name, "count": count, "text": text, "late": name == "overdue" and count,
                 "href": f"/phat-hien?state={state}&xem=tung"}
                for name, count, text, state in tiles
            ],
            "rows": shown,
            "everything": everything,
            "budget": day.most(),
            "done": day.done_today(viewer.name, now=viewer.now),
            "scan": lists.scan(viewer),
            "waiting_requests": [
                told(one, viewer) for one in requests.listed(viewer.visible, now=viewer.now, open_only=True)[:8]
            ],
            "words_of": words,
        },
    )  # fmt: skip
