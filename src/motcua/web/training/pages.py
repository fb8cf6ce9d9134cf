"""The page of the training house."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from motcua.accounts import powers
from motcua.catalogue import training
from motcua.rules.instants import local_day
from motcua.web.console.pages import page
from motcua.web.training import again, people

#: Who may put the whole house back, under everybody's hands.
MAY_START_OVER = frozenset({"operator", "administrator", "inspector"})


@require_http_methods(["GET", "HEAD", "POST"])
def house(request: HttpRequest) -> HttpResponse:
    """What a training house is, who signs in, and the button that starts over; 404 in any other house."""
    if not training.is_on():
        raise Http404
    now = timezone.now()
    may = powers.holds(request.user, MAY_START_OVER, on=local_day(now))
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        if request.POST.get("sure") == "1":
            again.start_over(settings.HOME, at=now)
            return redirect("sign-in")
    active = Session.objects.filter(expire_date__gt=now + timedelta(days=13)).count()
    return page(
        request,
        "training/house.html",
        {"may": may, "asks": request.method == "POST", "active": active, "house": people.house()},
    )  # fmt: skip
