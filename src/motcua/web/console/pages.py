"""How a page is made: its words, and what it says when there is nothing to show or the address makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from motcua.rules.instants import Unreadable
from motcua.web import labels

View = Callable[..., HttpResponseBase]


def page(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """A page with the words of the house."""
    return render(request, template, {"words": labels, **(context or {})}, status=status)


def asks(view: View) -> View:
    """A view that reads a question: without facts it says what to do, without sense it says so."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Unreadable as error:
            if "there are no facts" in str(error):
                return page(request, "empty.html")
            return page(request, "unusable.html", {"reason": str(error)}, status=400)

    return guarded
