"""The first password, or a new one: by the code of a link or of a printed sheet."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from motcua.accounts import invitations, passwords, tries
from motcua.accounts.refusals import Refusal
from motcua.web.console.pages import page
from motcua.web.people import sign_in, words
from motcua.web.people.gate import address

_CODE = "activation"


@login_not_required
@never_cache
@require_GET
def link(request: HttpRequest, code: str) -> HttpResponse:
    """A link of an e-mail or a QR code: the code leaves the address at once, so that no log or history keeps it."""
    request.session[_CODE] = code[:64]
    return redirect("activate")


@login_not_required
@never_cache
@sensitive_post_parameters("code", "password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def activate(request: HttpRequest) -> HttpResponse:
    """First the code, if none came with a link; then the password."""
    now, here = timezone.now(), address(request)
    code = request.POST.get("code", "").strip() or request.session.get(_CODE, "")
    error, person = "", None
    if code:
        try:
            tries.check(tries.CODE, here, at=now)
            person = invitations.find(code, at=now).user
        except Refusal as refused:
            if refused.code != "tries.wait":
                tries.failed(tries.CODE, here, at=now)
            request.session.pop(_CODE, None)
            error = words.refusal(refused)
    if person is not None and request.method == "POST" and "password" in request.POST:
        try:
            person = invitations.use(
                code, password=request.POST["password"], again=request.POST.get("again", ""), at=now
            )
        except Refusal as refused:
            error = words.refusal(refused)
        else:
            logout(request)
            messages.success(request, gettext("Mật khẩu đã đặt xong; từ nay đăng nhập bằng mật khẩu này."))
            return sign_in.enter(request, person, at=now)
    elif person is not None:
        request.session[_CODE] = code
    return page(
        request, "people/activate.html",
        {"person": person, "error": error, "shortest": passwords.SHORTEST, "days": invitations.DAYS},
        status=400 if error else 200,
    )  # fmt: skip
