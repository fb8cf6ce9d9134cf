"""Who drafts papers of the house: inspectors and leaders of the whole province."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from motcua.rules.instants import local_day
from motcua.web.orders import people

View = Callable[..., HttpResponseBase]
#: What a file is called to the browser.
MEDIA = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def drafters(view: View) -> View:
    """A page for those who draft papers."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not people.gives(request.user, on=local_day(timezone.now())):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
