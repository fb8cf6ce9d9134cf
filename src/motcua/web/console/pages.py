"""How a page is made: its words, and what it says when there is nothing to show or the address makes no sense."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from motcua.ledger.models import Head
from motcua.rules.instants import Unreadable
from motcua.web import labels

View = Callable[..., HttpResponseBase]


def page(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """A page with the words of the house; one that shows figures says at its foot what they rest on."""
    context = {"words": labels, **(context or {})}
    if "document" in context:
        pinned = context["here"].query if "here" in context else {"as_of": second(context["document"]["as_of"])}
        context["foot"] = foot(context["document"], address=f"{request.path}?{urlencode(pinned)}")
    return render(request, template, context, status=status)


def second(instant: str) -> str:
    """An ISO instant without its fraction: what an address holds, so that it can be typed from paper."""
    return datetime.fromisoformat(instant).replace(microsecond=0).isoformat()


def foot(document: Mapping[str, Any], *, address: str) -> dict[str, Any]:
    """What a printed page says of itself: as of when, by which formula, its code, and the newest sealed head."""
    head = Head.objects.order_by("-size").first()
    return {
        "as_of": document["as_of"],
        "policy": document["policy"],
        "formula": document["formula"],
        "code": code(document),
        "address": address,
        "head": head and {"size": head.size, "root": bytes(head.root).hex(), "signed_at": head.signed_at},
    }


def code(document: Mapping[str, Any]) -> str:
    """Twelve letters that change with any figure of a document: its address, opened again, must answer with them."""
    figures = {name: value for name, value in document.items() if name != "facts_age_s"}
    figures["as_of"] = second(document["as_of"])
    digest = hashlib.sha256(json.dumps(figures, sort_keys=True, default=str).encode()).hexdigest()
    return "-".join((digest[:4], digest[4:8], digest[8:12]))


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
