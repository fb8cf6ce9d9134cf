"""Giao nhiệm vụ: every task with its figure, its target and its day; the overdue first."""

from __future__ import annotations

from collections import Counter

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.accounts import powers
from motcua.directives import standing
from motcua.directives.models import Directive
from motcua.rules.instants import local_day
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import page
from motcua.web.orders import people, words
from motcua.web.papers.people import MEDIA

State = Directive.State
_STATES = {"": (State.OPEN,), "ended": (State.DONE, State.CLOSED, State.WITHDRAWN)}


def _shown(request: HttpRequest) -> tuple[str, list[dict[str, object]]]:
    today = local_day(timezone.now())
    which = "ended" if request.GET.get("xem") == "ended" else ""
    found = standing.standings(today=today, scope=powers.scope(request.user, on=today), states=_STATES[which])
    return which, [words.row(each, today) for each in found]


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """The board; a unit sees the tasks that it has a part in."""
    now = timezone.now()
    which, rows = _shown(request)
    return page(
        request,
        "orders/board.html",
        {
            "now": now,
            "rows": rows,
            "which": which,
            "paces": [(pace, words.PACES[pace], words.SHAPES[pace], count)
                      for pace, count in Counter(str(row["pace"]) for row in rows).items()],
            "gives": people.gives(request.user, on=local_day(now)),
        },
    )  # fmt: skip


@require_GET
def workbook(request: HttpRequest) -> HttpResponse:
    """The same list as a workbook."""
    now = timezone.now()
    _, rows = _shown(request)
    columns: list[workbooks.Column] = [
        (gettext("Nhiệm vụ"), 60, lambda row: row["directive"].title),
        (gettext("Chỉ tiêu"), 30, lambda row: row["target"]),
        (gettext("Hiện tại"), 14, lambda row: row["value"]),
        (gettext("Số đơn vị"), 10, lambda row: row["units"]),
        (gettext("Hạn"), 12, lambda row: f"{row['directive'].due_on:%d/%m/%Y}"),
        (gettext("Tình trạng"), 22, lambda row: row["pace_text"]),
        (gettext("Ngày giao"), 12, lambda row: f"{row['given_on']:%d/%m/%Y}"),
        (gettext("Người giao"), 22, lambda row: people.named(row["directive"].given_by)),
    ]
    stream = workbooks.table(
        columns, rows, sheet=gettext("Nhiệm vụ"), title=gettext("Nhiệm vụ được giao"),
        line=gettext("Lúc {at}; lập bởi {who}").format(at=labels.instant(now), who=request.user),
        author=str(request.user),
    )  # fmt: skip
    reply = HttpResponse(stream.getvalue(), content_type=MEDIA["xlsx"])
    reply["Content-Disposition"] = f'attachment; filename="{workbooks.name("giao-viec", now, "xlsx")}"'
    return reply
