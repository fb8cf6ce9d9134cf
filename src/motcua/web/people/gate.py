"""Between signing in and every page: where this is, and whether a second factor is still owed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from motcua.accounts import factors, powers, sessions
from motcua.rules.instants import local_day
from motcua.web.people import titles

#: In the session: by what the second factor was shown (`app`, `key`, `recovery`, `sign-on`).
SECOND = "second"
#: Pages that a person reaches without it: to set it up, to show it, to leave.
_FREE = frozenset(
    {"second-step", "own-factors", "sign-out", "sign-in", "language", "logo", "health", "metrics", "first-run"}
)

Answer = Callable[[HttpRequest], HttpResponseBase]


class Gate:
    """Middleware behind the one that wants a signed-in person."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.answer(request)

    def process_view(
        self, request: HttpRequest, view: Any, positional: Sequence[Any], named: dict[str, Any]
    ) -> HttpResponse | None:
        """Sends on who owes a second factor."""
        if not getattr(view, "login_required", True) or not request.user.is_authenticated:
            return None
        user: Any = request.user
        prefetch_related_objects([user], "posts__stands_in_for__user")
        now = timezone.now()
        if request.session.session_key:
            sessions.seen(
                user, request.session.session_key, address=address(request),
                browser=request.META.get("HTTP_USER_AGENT", ""), at=now,
            )  # fmt: skip
        name = request.resolver_match.url_name if request.resolver_match else None
        if request.session.get(SECOND) or name in _FREE:
            return None
        if factors.has(user):
            return redirect("second-step")
        owed = factors.must_by(user, on=local_day(now))
        if owed is not None and owed <= local_day(now):
            return redirect("own-factors")
        return None


def owed(request: HttpRequest) -> date | None:
    """For the top of a page: the day by which a person is to set a second factor up; None: nothing to say."""
    if not request.user.is_authenticated or request.session.get(SECOND):
        return None
    return factors.must_by(request.user, on=local_day(timezone.now()))


def top(request: HttpRequest) -> dict[str, Any]:
    """For every template: the posts to choose from, and what is owed. Asked only where shown."""

    def mine() -> list[dict[str, Any]]:
        on = local_day(timezone.now())
        now = powers.acting(request.user, on=on)
        return [{**row, "acting": row["post"] == now} for row in titles.rows(powers.in_force(request.user, on=on))]

    return {"my_posts": mine, "second_owed": lambda: owed(request)}


def address(request: HttpRequest) -> str:
    """Whence a request comes: what a proxy on this machine says, else the other end of the line."""
    near = str(request.META.get("REMOTE_ADDR", ""))
    told = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    return told if told and near in ("127.0.0.1", "::1") else near
