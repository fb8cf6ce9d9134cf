"""The rules of tasks: how long a met target has to hold, and who is told when one is late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.accounts.models import Post
from motcua.directives import progress
from motcua.directives.progress import Rung
from motcua.ledger.models import Change
from motcua.rules.instants import Unreadable, local_day
from motcua.web import labels
from motcua.web.console.pages import page
from motcua.web.orders import people, words

_RUNGS, _TOLD = 5, 20


@require_http_methods(["GET", "POST"])
def rules(request: HttpRequest) -> HttpResponse:
    """The form of who gives tasks, with what was changed before."""
    now = timezone.now()
    if not people.gives(request.user, on=local_day(now)):
        raise PermissionDenied
    error, given = "", [(str(rung.after_days), rung.role) for rung in progress.ladder()]
    hold = str(progress.held_days())
    if request.method == "POST":
        hold = request.POST.get("hold", "")
        given = list(zip(request.POST.getlist("days"), request.POST.getlist("role"), strict=False))
        try:
            progress.choose_rules(hold_days=_number(hold, "hold"), rungs=list(_rungs(given)),
                                  by=request.user.get_username(), at=now)  # fmt: skip
        except Unreadable as refusal:
            error = words.error(str(refusal))
        else:
            messages.success(request, gettext("Đã lưu quy tắc; áp dụng cho mọi nhiệm vụ đang mở."))
            return redirect("directive-rules")
    return page(
        request,
        "orders/rules.html",
        {
            "hold": hold, "rungs": (given + [("", "")] * _RUNGS)[:_RUNGS], "error": error,
            "roles": [(role, labels.ROLES[role]) for role in Post.Role.values], "changes": list(_changes()),
        },
        status=400 if error else 200,
    )  # fmt: skip


def _number(text: str, what: str) -> int:
    if not text.strip().isdigit() or len(text.strip()) > 4:
        raise Unreadable(f"{what}: {text!r} is no number of days")
    return int(text)


def _rungs(given: list[tuple[str, str]]) -> Iterator[Rung]:
    """The rungs that are filled in, in their order. Raises `Unreadable`."""
    for days, role in given:
        if days.strip():
            yield Rung(_number(days, "rungs"), role)


def _changes() -> Iterator[dict[str, Any]]:
    """What was changed by whom, the newest first."""
    kept = Change.objects.filter(table="catalogue_setting", key__in=[progress.HOLD, progress.LADDER])
    for row in kept.order_by("-pk")[:_TOLD]:
        yield {"at": row.at, "who": people.named(row.actor), "text": _told(row.key, row.after)}


def _told(key: str, after: Any) -> str:
    value = (after or {}).get("value")
    if key == progress.HOLD:
        return gettext("giữ chỉ tiêu {n} ngày").format(n=value)
    rungs = [
        f"{rung['after_days']}: {words.small(labels.ROLES.get(rung['role'], rung['role']))}" for rung in value or []
    ]
    return gettext("bậc báo: {rungs}").format(rungs=", ".join(rungs))
