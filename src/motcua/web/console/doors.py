"""The way in and out, the search box, the health address, and the pages of what went wrong."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from motcua.accounts import powers
from motcua.catalogue import parts
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers.models import AlternativeCode, DossierRow
from motcua.rules.instants import local_day
from motcua.web.console.pages import page
from motcua.web.parts import first_page

_FOUND = 50


@login_not_required
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """For a watcher: the process answers and the database is there; status 503 where it is not."""
    try:
        DossierRow.objects.exists()
    except DatabaseError:
        return JsonResponse({"ok": False, "database": "unreachable"}, status=503)
    return JsonResponse({"ok": True})


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first page of the person's menu; where no part is switched on, what to do about it."""
    if powers.acting(request.user, on=local_day(timezone.now())) is None and not request.user.is_superuser:
        return page(request, "people/no_post.html")
    first = first_page(request.user, on=parts.on())
    return page(request, "nothing_on.html") if first is None else redirect(first)


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """A code opens its dossier; words find agencies and procedures, without diacritics."""
    text = request.GET.get("q", "").strip()[:200]
    scope = powers.scope(request.user, on=local_day(timezone.now()))
    mine = Q() if scope is None else Q(agency__in=scope)
    if text:
        exact = DossierRow.objects.filter(mine, code__iexact=text).values_list("code", flat=True).first()
        other = exact or AlternativeCode.objects.filter(code__iexact=text).values_list("dossier", flat=True).first()
        if other:
            return redirect("dossier", other)
    rows, agencies, procedures = [], [], []
    if len(text) >= 2:
        rows = list(DossierRow.objects.filter(mine, code__icontains=text).order_by("code")[: _FOUND + 1])
        offices = Agency.objects.filter(Q(folded__contains=fold(text)) | Q(code__iexact=text)).order_by("code")
        agencies = list((offices if scope is None else offices.filter(code__in=scope))[:_FOUND])
        named = Q(folded__contains=fold(text)) | Q(code__istartswith=text)
        procedures = list(Procedure.objects.filter(named).order_by("code")[:_FOUND])
    names = dict(Procedure.objects.filter(code__in=[row.procedure for row in rows]).values_list("code", "name"))
    return page(
        request,
        "search.html",
        {
            "q": text,
            "found": [(row, names.get(row.procedure, row.procedure)) for row in rows[:_FOUND]],
            "more": len(rows) > _FOUND,
            "agencies": agencies,
            "procedures": procedures,
        },
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Not for this person."""
    of_dossier = request.path.startswith(f"{reverse('dossiers')}/")
    return page(request, "forbidden.html", {"of_dossier": of_dossier}, status=403)


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page is too old: nothing was done."""
    return page(request, "stale.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing here."""
    return page(request, "not_found.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """The fault is ours. This page asks nothing of the database: it may be what is down."""
    return render(request, "broken.html", status=500)
