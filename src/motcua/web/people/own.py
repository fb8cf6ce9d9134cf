"""Everybody's own page: posts, password, second factor, and where one is signed in."""

from __future__ import annotations

import io
import json
from typing import Any

import qrcode
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from qrcode.image.svg import SvgPathImage

from motcua.accounts import factors, invitations, passkeys, powers, sessions, totp, tries
from motcua.accounts.models import Factor, User
from motcua.accounts.refusals import Refusal
from motcua.catalogue import province
from motcua.rules.instants import local_day
from motcua.web.console.pages import page
from motcua.web.people import gate, titles, words

_SEED, _ASKED = "app_seed", "key_asked"


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@never_cache
@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _shown(request)


def _shown(request: HttpRequest, *, error: str = "", at: str = "") -> HttpResponse:
    person, now = _person(request), timezone.now()
    on = local_day(now)
    held = powers.in_force(person, on=on)
    return page(
        request, "people/own.html",
        {
            "person": person, "posts": titles.rows(held), "acting": powers.acting(person, on=on),
            "factors": factor_rows(person), "codes_left": person.recovery_codes.filter(used_at=None).count(),
            "owed": gate.owed(request), "error": error, "error_at": at,
            "places": [
                {"row": row, "browser": words.browser(row.browser), "here": row.session == request.session.session_key}
                for row in sessions.of(person, at=now)
            ],
        },
        status=400 if error else 200,
    )  # fmt: skip


def factor_rows(person: User) -> list[dict[str, Any]]:
    """What a person has beside the password."""
    return [
        {"row": row, "title": words.FACTORS[row.kind], "name": row.name}
        for row in Factor.objects.filter(user=person).order_by("added_at")
    ]


@require_POST
def choose_post(request: HttpRequest) -> HttpResponse:
    """The post chosen at the top of the page; its home opens, or the page that wanted it."""
    person = _person(request)
    held = powers.in_force(person, on=local_day(timezone.now()))
    chosen = next((post for post in held if str(post.pk) == request.POST.get("post")), None)
    if chosen is not None:
        User.objects.filter(pk=person.pk).update(chosen_post=chosen)
        messages.success(request, gettext("Đang làm việc với chức danh: {title}.").format(title=titles.title(chosen)))
    wanted = request.POST.get("next", "")
    return redirect(wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else reverse("home"))


@never_cache
@sensitive_post_parameters("now", "password", "again")
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """A new password, against the old one; every other browser is signed out."""
    person, now = _person(request), timezone.now()
    subject = f"own\n{person.pk}"
    try:
        tries.check(tries.PASSWORD, subject, at=now)
        if person.has_usable_password() and not person.check_password(request.POST.get("now", "")):
            tries.failed(tries.PASSWORD, subject, at=now)
            return _shown(request, error=gettext("Mật khẩu đang dùng chưa đúng."), at="password")
        invitations.set_password(
            person, password=request.POST.get("password", ""), again=request.POST.get("again", ""),
            by=person.username, at=now,
        )  # fmt: skip
    except Refusal as refused:
        return _shown(request, error=words.refusal(refused), at="password")
    update_session_auth_hash(request, person)
    messages.success(request, gettext("Mật khẩu mới đã có hiệu lực; các nơi khác đã được đăng xuất."))
    return redirect("own")


@require_POST
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """Signed out in one other browser, or everywhere but here."""
    person = _person(request)
    only = request.POST.get("only", "")
    ended = sessions.end(
        person, by=person.username, at=timezone.now(), but=request.session.session_key or "", only=only
    )
    messages.success(request, gettext("Đã đăng xuất {n} nơi khác.").format(n=ended))
    return redirect(reverse("own") + "#phien")


# ---- the second factor ------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own_factors(request: HttpRequest) -> HttpResponse:
    """Sets the second factor up: an app or a security key, then the codes on paper; takes one away."""
    person, now = _person(request), timezone.now()
    host, origin = request.get_host(), f"{request.scheme}://{request.get_host()}"
    # Who has one already shows it before touching it: a password alone must not be enough to add another.
    if factors.has(person) and not request.session.get(gate.SECOND):
        return redirect("second-step")
    error, fresh = "", None
    if request.method == "POST":
        try:
            fresh = _acted(request, person, host=host, origin=origin)
        except Refusal as refused:
            error = words.refusal(refused)
        else:
            if fresh is None or not fresh:
                return redirect(reverse("own") + "#hai-lop")
    if fresh:
        return page(request, "people/recovery_codes.html", {"codes": fresh, "person": person})
    seed = request.session.setdefault(_SEED, totp.new_seed())
    asked = None
    if passkeys.possible(host, secure=request.is_secure()):
        asked, request.session[_ASKED] = passkeys.begin_adding(person, host=host, origin=origin)
    return page(
        request, "people/factors.html",
        {
            "person": person, "error": error, "seed": " ".join(seed[n : n + 4] for n in range(0, len(seed), 4)),
            "picture": qr(totp.address(seed, account=person.username, issuer=_issuer())), "asked": asked,
            "factors": factor_rows(person), "owed": gate.owed(request), "today": local_day(now),
        },
        status=400 if error else 200,
    )  # fmt: skip


def _acted(request: HttpRequest, person: User, *, host: str, origin: str) -> list[str] | None:
    """What was asked for; recovery codes to be shown once. Raises `Refusal`."""
    now, by = timezone.now(), person.username
    name = request.POST.get("name", "")
    match request.POST.get("act"):
        case "app":
            codes = factors.add_app(
                person, seed=request.session.get(_SEED, ""), code=request.POST.get("code", ""), by=by, at=now, name=name
            )
            request.session.pop(_SEED, None)
        case "key":
            try:
                answer = json.loads(request.POST.get("answer", ""))
            except ValueError:
                raise Refusal("factor.key") from None
            state = request.session.pop(_ASKED, {})
            codes = passkeys.add(person, answer, state, host=host, origin=origin, by=by, at=now, name=name)
        case "codes":
            return factors.new_recovery_codes(person, by=by, at=now) if factors.has(person) else None
        case "remove":
            factors.remove(person, int(request.POST.get("factor", "0") or 0), by=by, at=now)
            messages.success(request, gettext("Đã bỏ."))
            return None
        case _:
            return None
    request.session.cycle_key()
    request.session[gate.SECOND] = request.POST["act"]
    messages.success(request, gettext("Xác thực hai lớp đã bật."))
    return codes


def _issuer() -> str:
    return f"motcua {province.name()}".strip()


def qr(text: str) -> SafeString:
    """A QR code as SVG, drawn by its path alone."""
    stream = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathImage, border=2, box_size=10).save(stream)
    drawn = stream.getvalue().decode()
    return mark_safe(drawn[drawn.index("<svg") :])  # made of nothing but our own modules
