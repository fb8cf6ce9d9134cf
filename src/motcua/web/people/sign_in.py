"""The way in: name and password, the second step, and the sign-on of the nation or the province."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from motcua.accounts import factors, passkeys, sign_on, tries
from motcua.accounts.models import Factor, User
from motcua.accounts.refusals import Refusal
from motcua.rules.instants import Unreadable, to_microseconds
from motcua.web.console.pages import page
from motcua.web.people import words
from motcua.web.people.gate import SECOND, address

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_PENDING, _ASKED, _SIGN_ON = "pending", "key_asked", "sign_on"
_PENDING_FOR = timedelta(minutes=10)
_log = structlog.get_logger(__name__)


def _onward(request: HttpRequest, wanted: str) -> str:
    """Where to go after signing in: the page that was wanted, if it is ours; who typed the house's bare address
    wanted no page, and begins at their own."""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if wanted and safe and wanted != "/" else reverse("home")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Name or work e-mail, and password. An empty house is set up first."""
    if not User.objects.exists():
        return redirect("first-run")
    wanted = request.POST.get("next", request.GET.get("next", ""))
    if request.user.is_authenticated:
        return redirect(_onward(request, wanted))
    error, status = "", 200
    name = request.POST.get("username", "").strip()
    if request.method == "POST":
        try:
            person = _known(request, name, request.POST.get("password", ""), at=timezone.now())
        except Refusal as refused:
            error, status = words.refusal(refused), 429
        else:
            if person is not None:
                return enter(request, person, wanted, at=timezone.now())
            error = "wrong"
    return page(
        request, "people/sign_in.html",
        {"error": error, "next": wanted, "username": name, "sign_on": _title()}, status=status,
    )  # fmt: skip


def _known(request: HttpRequest, name: str, password: str, *, at: datetime) -> Any | None:
    """Who this is; None where name and password do not go together. Raises `Refusal` after many in vain."""
    here, folded = address(request), name.lower()
    limits = (
        (tries.PASSWORD, f"{folded}\n{here}"), (tries.PASSWORD_ANYWHERE, folded), (tries.PASSWORD_ADDRESS, here),
    )  # fmt: skip
    for limit, subject in limits:
        tries.check(limit, subject, at=at)
    if "@" in name:
        known = User.objects.filter(email__iexact=name).values_list("username", flat=True).first()
        name = known or name
    person = authenticate(request, username=name, password=password)
    if person is None:
        for limit, subject in limits:
            tries.failed(limit, subject, at=at)
        _log.warning("sign-in in vain", account=folded[:150], address=here)
        return None
    for limit, subject in limits[:2]:
        tries.succeeded(limit, subject)
    return person


def enter(request: HttpRequest, person: Any, wanted: str = "", *, at: datetime, second: str = "") -> HttpResponse:
    """Signs a person in, or asks for the second factor first."""
    onward = _onward(request, wanted)
    if not second and factors.has(person):
        request.session.cycle_key()
        request.session[_PENDING] = {"user": person.pk, "until": to_microseconds(at + _PENDING_FOR), "next": onward}
        return redirect("second-step")
    login(request, person, backend=_BACKEND)
    if second:
        request.session[SECOND] = second
    return redirect(onward)


# ---- the second step --------------------------------------------------------------------------------------------


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Six digits of the app, a security key, or a recovery code."""
    now = timezone.now()
    person, onward = _pending(request, now)
    if person is None:
        return redirect("sign-in")
    host, origin = request.get_host(), f"{request.scheme}://{request.get_host()}"
    error = ""
    if request.method == "POST":
        try:
            if answer := request.POST.get("answer"):
                passkeys.verify(
                    person, _object(answer), request.session.pop(_ASKED, {}), host=host, origin=origin, at=now
                )
                which = "key"
            else:
                which = factors.verify(person, request.POST.get("code", ""), at=now)
        except Refusal as refused:
            error = words.refusal(refused)
        else:
            request.session.pop(_PENDING, None)
            if request.user.is_authenticated:
                request.session.cycle_key()
                request.session[SECOND] = which
                return redirect(onward)
            return enter(request, person, onward, at=now, second=which)
    kinds = set(Factor.objects.filter(user=person).values_list("kind", flat=True))
    asked = None
    if Factor.Kind.KEY in kinds and passkeys.possible(host, secure=request.is_secure()):
        asked, request.session[_ASKED] = passkeys.begin(person, host=host, origin=origin)
    return page(
        request, "people/second_step.html",
        {"error": error, "asked": asked, "has_app": Factor.Kind.APP in kinds, "person": person},
        status=400 if error else 200,
    )  # fmt: skip


def _pending(request: HttpRequest, now: datetime) -> tuple[Any | None, str]:
    """Whose second factor is asked for, and where to go after."""
    if request.user.is_authenticated:
        if request.session.get(SECOND) or not factors.has(request.user):
            return None, ""
        return request.user, reverse("home")
    kept = request.session.get(_PENDING)
    if not kept or kept["until"] < to_microseconds(now):
        return None, ""
    return User.objects.filter(pk=kept["user"], is_active=True).first(), kept["next"]


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refusal("factor.key")
    return found


# ---- the sign-on ------------------------------------------------------------------------------------------------


def _provider() -> sign_on.Provider | None:
    try:
        return sign_on.provider()
    except Unreadable as error:
        _log.error("sign-on is off", reason=str(error))
        return None


def _title() -> str:
    found = _provider()
    return "" if found is None else found.title


@login_not_required
@never_cache
@require_GET
def ask(request: HttpRequest) -> HttpResponse:
    """Sends the browser to the provider."""
    found = _provider()
    if found is None:
        raise Http404
    try:
        there, kept = sign_on.begin(found, back=request.build_absolute_uri(reverse("sign-on-back")))
    except sign_on.Denied as denied:
        return _denied(request, found, denied)
    request.session[_SIGN_ON] = {**kept, "next": _onward(request, request.GET.get("next", ""))}
    return redirect(there)


@login_not_required
@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Whom the provider sends back."""
    found = _provider()
    if found is None:
        raise Http404
    kept = request.session.pop(_SIGN_ON, None)
    now = timezone.now()
    try:
        person = sign_on.finish(found, request.GET.dict(), kept, at=now)
    except sign_on.Denied as denied:
        return _denied(request, found, denied)
    second = "sign-on" if found.second_factor else ""
    return enter(request, person, kept["next"], at=now, second=second)


def _denied(request: HttpRequest, provider: sign_on.Provider, denied: sign_on.Denied) -> HttpResponse:
    _log.warning("sign-on denied", code=denied.code, why=denied.why)
    text = words.SIGN_ON[denied.code].format(title=provider.title)
    return page(request, "people/sign_in.html", {"error": text, "sign_on": provider.title}, status=403)
