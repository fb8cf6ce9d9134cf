"""Where notices go: the mail server as the environment names it, the hours, the hooks of other systems."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.accounts import powers
from motcua.notices import sending, timetable
from motcua.notices.models import Hook, Sending
from motcua.rules.instants import Unreadable, local_day
from motcua.web.console.pages import page
from motcua.web.notices import words

_FAILED = 30


@require_http_methods(["GET", "POST"])
def channels(request: HttpRequest) -> HttpResponse:
    """The page of an operator of the whole province."""
    now = timezone.now()
    on = local_day(now)
    if powers.scope(request.user, on=on) is not None or not powers.holds(request.user, frozenset({"operator"}), on=on):
        raise PermissionDenied
    secret = ""
    if request.method == "POST":
        by = request.user.get_username()
        try:
            match request.POST.get("act"):
                case "add":
                    hook = sending.add_hook(
                        request.POST.get("url", "").strip(), request.POST.getlist("kind"), by=by, at=now
                    )
                    secret = hook.secret  # shown this once
                case "on" | "off":
                    number = request.POST.get("hook", "")
                    sending.switch_hook(
                        int(number) if number.isdigit() else 0, request.POST["act"] == "on", by=by, at=now
                    )
                    return redirect("notices-channels")
                case "hours":
                    timetable.choose_hours(request.POST.get("first", ""), request.POST.get("last", ""), by=by, at=now)
                    messages.success(request, gettext("Đã lưu giờ gửi."))
                    return redirect("notices-channels")
                case _:
                    raise Unreadable(f"act={request.POST.get('act')!r}")
        except Unreadable as refusal:
            messages.error(request, words.error(str(refusal)))
            return redirect("notices-channels")
    first, last = timetable.hours()
    return page(
        request,
        "notices/channels.html",
        {
            "mail": sending.server(), "hooks": Hook.objects.order_by("pk"), "secret": secret, "first": first,
            "last": last, "kinds": list(words.KINDS.items()),
            "waiting": Sending.objects.filter(state=Sending.State.WAITING).count(),
            "failed": Sending.objects.filter(state=Sending.State.FAILED).order_by("-pk")[:_FAILED],
        },
    )  # fmt: skip
