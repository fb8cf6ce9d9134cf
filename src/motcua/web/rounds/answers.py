"""A unit's page of a round: its dossiers of the sample, the question of each, its answers, later the requests."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.rounds import explanations, frozen
from motcua.rounds.models import Round
from motcua.web.console.pages import page
from motcua.web.rounds import words
from motcua.web.rounds.access import of_province, one, said, units, user


@require_http_methods(["GET", "HEAD", "POST"])
def answers(request: HttpRequest, number: int) -> HttpResponseBase:
    """What a round asks of one's unit. An inspector sees what a unit sees, with `?agency=`."""
    round_ = one(number)
    mine = units(request)
    if not mine and of_province(request):
        mine = frozenset({request.GET.get("agency", "")})
    if round_.asked_at is None or not round_.items.filter(agency__in=mine).exists():
        raise PermissionDenied
    if request.method == "POST":
        return _answer(request, round_, mine & units(request))
    items = list(round_.items.filter(agency__in=mine).exclude(sort="clean").order_by("dossier"))
    heard = explanations.heard(round_, items)
    items.sort(key=lambda item: not heard[item.dossier].owes)  # what is owed stands first
    agencies, procedures = frozen.names()
    rows = [
        {"item": item, "told": heard[item.dossier], "procedure": procedures.get(item.procedure, item.procedure),
         "sort": words.SORTS[item.sort], "asked": words.ASKED[item.sort],
         "signs": [words.check(code) for code in item.signs], "answer": words.ANSWERS[heard[item.dossier].answer],
         "finding": words.FINDINGS[item.finding] if round_.concluded_at else ""}
        for item in items
    ]  # fmt: skip
    remedies = round_.remedies.filter(agency__in=mine).order_by("due_at") if round_.published_at else []
    return page(
        request,
        "rounds/answers.html",
        {
            "round": round_,
            "label": words.label(round_),
            "agency": ", ".join(agencies.get(code, code) for code in sorted(mine)),
            "rows": rows,
            "requests": sorted({told.request for told in heard.values() if told.request}),
            "open": sum(told.owes for told in heard.values()),
            "answers": [(name, title) for name, title in words.ANSWERS.items() if name],
            "answers_for": bool(units(request)),
            "remedies": [{"remedy": row, "kind": words.KINDS[row.kind]} for row in remedies],
            "now": timezone.now(),
        },
    )  # fmt: skip


def _answer(request: HttpRequest, round_: Round, mine: frozenset[str]) -> HttpResponse:
    post = request.POST
    code = post.get("dossier", "")
    item = round_.items.filter(dossier=code, agency__in=mine).first()
    if item is None:
        raise PermissionDenied
    given: dict[str, Any] = {"kind": post.get("answer", ""), "text": post.get("text", ""),
                             "document": post.get("document", "")}  # fmt: skip
    try:
        on = date.fromisoformat(post["on"]) if post.get("on") else None
    except ValueError:
        on = None
    done = gettext("Đã gửi trả lời về {code}.").format(code=code)
    said(request, lambda: explanations.answer(round_.pk, code, **given, document_on=on, agency=item.agency,
                                              by=user(request), at=timezone.now()), done)  # fmt: skip
    return redirect("round-answers", round_.pk)
