"""Whose accounts the person who acts administers, and the guard of every page about others."""

from __future__ import annotations

from datetime import date
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from motcua.accounts import powers
from motcua.accounts.people import Within
from motcua.catalogue.models import Agency
from motcua.rules.instants import local_day
from motcua.web.console.pages import View, page
from motcua.web.people import titles


def within(request: HttpRequest, *, on: date) -> Within:
    """The agencies whose accounts this person administers; None: all."""
    return powers.manages(request.user, on=on)


def administered(view: View) -> View:
    """A page for administrators. Who is one, but acts in another post now, is offered to change."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        on = local_day(timezone.now())
        if within(request, on=on) == frozenset():
            others = [post for post in powers.in_force(request.user, on=on) if post.role == "administrator"]
            return page(request, "people/not_yours.html", {"others": titles.rows(others)}, status=403)
        return view(request, *args, **kwargs)

    return guarded


def agencies(allowed: Within, *, on: date) -> list[tuple[str, str]]:
    """The units that may be chosen, by name: code and name."""
    known = Agency.objects.exclude(valid_to__lt=on)
    if allowed is not None:
        known = known.filter(code__in=allowed)
    return list(known.order_by("folded", "code").values_list("code", "name"))
