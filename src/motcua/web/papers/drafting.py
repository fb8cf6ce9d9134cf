"""A new draft: out of pasted codes, a task, or any list of dossiers; whole or a letter for each unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.directives import kept_papers, progress, targets
from motcua.directives.models import Directive
from motcua.findings.models import Finding, Request
from motcua.oversight import figures, named
from motcua.oversight.figures import Question
from motcua.oversight.models import PastedList
from motcua.rules.instants import Unreadable, local_day
from motcua.web import labels
from motcua.web.console import asked as asking
from motcua.web.console.pages import asks, page
from motcua.web.findings import words as findings
from motcua.web.orders import people as orders_people
from motcua.web.papers import letters
from motcua.web.papers.people import drafters

_MOST = 20_000


@dataclass(slots=True)
class Source:
    """The dossiers that a draft is about, and where they come from."""

    document: Mapping[str, Any]
    rows: Sequence[dict[str, Any]]
    given: named.Pasted | None = None
    absent: Sequence[dict[str, Any]] = ()
    directive: Directive | None = None
    asked: Request | None = None  # the request for explanations that it asks in writing
    back: str = "/"
    title: str = ""

    @property
    def until(self) -> str:
        """The day by which an answer is asked already; empty: none is."""
        return local_day(self.asked.due_at).isoformat() if self.asked else ""


def _source(request: HttpRequest) -> Source:
    """The dossiers by `list`, `directive`, `request`, or the query of a list. Raises `Http404`, `Unreadable`."""
    if name := request.GET.get("list"):
        kept = PastedList.objects.filter(name=name).first()
        if kept is None:
            raise Http404
        asked = asking.read(request)
        given = named.read(kept.text)
        document = named.look_up(settings.HOME, asked.question, given.codes, now=asked.now)
        return Source(
            document,
            document["rows"],
            given,
            document["absent"],
            back=reverse("pasted", args=[name]),
            title=gettext("Mã đã dán"),
        )
    if number := request.GET.get("directive"):
        directive = Directive.objects.filter(pk=int(number) if number.isdigit() else 0).first()
        if directive is None:
            raise Http404
        document = targets.dossiers(
            settings.HOME,
            directive.metric,
            cause=directive.cause,
            period=directive.period,
            agencies=progress.units(directive),
            at=timezone.now(),
            limit=_MOST,
        )
        return Source(
            document,
            document["rows"],
            directive=directive,
            title=directive.title,
            back=reverse("directive", args=[directive.pk]),
        )
    if number := request.GET.get("request"):
        return _of_request(number)
    asked = asking.read(request)
    document = figures.dossiers(settings.HOME, asked.question, asked.filter, now=asked.now, limit=_MOST)
    query = {name: value for name, value in request.GET.items() if name in (*asking.QUESTION, *asking.FILTER)}
    return Source(
        document, document["rows"], title=asking.titled(asked), back=f"{reverse('dossiers')}?{urlencode(query)}"
    )


def _of_request(number: str) -> Source:
    """The dossiers of a request for explanations, each once. Raises `Http404`."""
    asked = Request.objects.filter(pk=int(number) if number.isdigit() and len(number) < 16 else 0).first()
    if asked is None:
        raise Http404
    rows = Finding.objects.filter(request=asked.pk, kind="dossier").order_by("subject")
    signs: dict[str, list[str]] = {}
    for code, check in rows.values_list("subject", "check_code").distinct():
        signs.setdefault(code, []).append(findings.title(check))
    document = named.look_up(settings.HOME, Question(), list(signs), now=timezone.now())
    told = [{**row, "signs": signs[row["asked"]]} for row in document["rows"]]
    return Source(
        document, told, absent=document["absent"], asked=asked, back=reverse("request", args=[asked.pk]),
        title=gettext("Yêu cầu giải trình {n}").format(n=asked.pk),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@drafters
@asks
def new(request: HttpRequest) -> HttpResponse:
    """The form of a draft; posted, the draft is made and kept."""
    source = _source(request)
    given = request.POST if request.method == "POST" else request.GET
    form = given.get("form", letters.FORMS[0])
    if form not in letters.FORMS:
        raise Unreadable(f"form={form!r}")
    stated = _number(given.get("stated", ""))
    agreement = ""
    if source.given is not None:
        agreement = letters.agreement(source.given, len(source.rows), len(source.absent), stated)
    units, error = named.by_unit(source.rows), ""
    chosen = set(request.POST.getlist("agency")) if request.method == "POST" else {u["agency"] for u in units}
    if request.method == "POST":
        rows = [row for row in source.rows if row["agency"] in chosen]
        if not rows:
            error = gettext("Chưa lập dự thảo: chọn ít nhất một đơn vị có hồ sơ.")
        else:
            return _draft(request, source, form, rows, agreement)
    return page(
        request,
        "papers/new.html",
        {
            "source": source,
            "form": form,
            "forms": [(code, letters.TITLES[code]) for code in letters.FORMS],
            "units": [{**unit, "chosen": unit["agency"] in chosen} for unit in units],
            "total": len(source.rows),
            "late": {side: sum(bool(row[side]) for row in source.rows) for side in labels.SIDES},
            "agreement": agreement,
            "stated": given.get("stated", ""),
            "letter": given.get("letter", ""),
            "agrees": stated is not None and stated == len(source.rows),
            "deadline": given.get("deadline", "") or source.until,
            "today": local_day(timezone.now()).isoformat(),
            "error": error,
            "query": request.GET.urlencode(),
            "repeats": sum(n - 1 for n in source.given.repeated.values()) if source.given else 0,
            "as_of": source.document["as_of"],
            "cut": len(source.rows) >= _MOST,
        },
        status=400 if error else 200,
    )


def _number(text: str) -> int | None:
    plain = text.replace(".", "").strip()
    return int(plain) if plain.isdigit() and len(plain) < 9 else None


def _draft(
    request: HttpRequest, source: Source, form: str, rows: Sequence[dict[str, Any]], agreement: str
) -> HttpResponse:
    """Makes and keeps the draft, or one for each unit."""
    now = timezone.now()
    try:
        deadline = date.fromisoformat(request.POST["deadline"]) if request.POST.get("deadline") else None
    except ValueError:
        deadline = None
    asked = letters.Asked(
        form=form,
        deadline=deadline,
        letter=request.POST.get("letter", "").strip()[:200],
        agreement=agreement,
        task=source.directive.title if source.directive else "",
        by=orders_people.named(request.user.get_username()),
    )
    groups = [rows]
    if request.POST.get("split"):
        groups = [[row for row in rows if row["agency"] == unit["agency"]] for unit in named.by_unit(rows)]
    numbers = []
    for group in groups:
        units = named.by_unit(group)
        made = letters.composed(asked, source.document, group, home=settings.HOME, at=now)
        whom = units[0]["name"] if len(units) == 1 else gettext("{n} đơn vị").format(n=len(units))
        row = kept_papers.keep(
            form=form,
            title=f"{letters.TITLES[form]}: {whom}, {labels.dossiers(len(group))}",
            files=letters.files(made, group, home=settings.HOME),
            code=made.foot.code,
            agencies=[unit["agency"] for unit in units],
            dossiers=len(group),
            period=request.GET.get("period", ""),
            due_on=deadline,
            directive=source.directive,
            request=source.asked,
            by=request.user.get_username(),
            at=now,
        )
        numbers.append(row.pk)
    if len(numbers) == 1:
        messages.success(request, gettext("Đã lập dự thảo. Xem lại, sửa trong Word, trình ký trên hệ thống văn bản."))
        return redirect("paper", numbers[0])
    messages.success(request, gettext("Đã lập {n} dự thảo, mỗi đơn vị một văn bản.").format(n=len(numbers)))
    return redirect(f"{reverse('papers')}?xem=waiting")
