"""Tra theo danh sách mã: pasted codes become a list with verdicts, causes, what is not found, and the split by unit."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.oversight import named
from motcua.oversight.models import PastedList
from motcua.rules.instants import local_day
from motcua.web import labels
from motcua.web.console import loading_words, workbooks
from motcua.web.console.asked import QUESTION, Asked, choices, pinned, read
from motcua.web.console.pages import asks, page
from motcua.web.orders import people

_SIZE = 100
_MISTAKES = 50


@require_http_methods(["GET", "HEAD", "POST"])
def paste(request: HttpRequest) -> HttpResponse:
    """The box; what is pasted is kept under a short address."""
    text, error = "", ""
    if request.method == "POST":
        text = request.POST.get("codes", "")
        if file := request.FILES.get("file"):
            text += "\n" + file.read().decode("utf-8", errors="replace")
        found = named.read(text)
        if found.codes or found.mistaken:
            return redirect("pasted", named.keep(text, by=request.user.get_username(), at=timezone.now()))
        error = loading_words.ERRORS["no_codes"]
    mine = PastedList.objects.filter(by=request.user.get_username()).order_by("-at")[:10]
    return page(
        request,
        "paste.html",
        {
            "text": text,
            "error": error,
            "mine": [{"name": one.name, "at": one.at, "codes": len(named.read(one.text).codes)} for one in mine],
        },
        status=400 if error else 200,
    )


def _found(request: HttpRequest, name: str) -> tuple[Asked, named.Pasted, dict[str, Any], list[dict[str, Any]]]:
    kept = PastedList.objects.filter(name=name).first()
    if kept is None:
        raise Http404
    asked = read(request, more=("unit", "after"))
    given = named.read(kept.text)
    document = named.look_up(settings.HOME, asked.question, given.codes, now=asked.now)
    unit = asked.query.get("unit")
    return asked, given, document, [row for row in document["rows"] if unit is None or row["agency"] == unit]


@require_GET
@asks
def pasted(request: HttpRequest, name: str) -> HttpResponse:
    """The list that the pasted codes are."""
    asked, given, document, rows = _found(request, name)
    here = pinned(asked, document["as_of"])
    after = asked.query.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 8 else 0
    address = reverse("pasted", args=[name])
    shown = rows[start : start + _SIZE]
    keep = (*QUESTION, "unit")
    drafts = people.gives(request.user, on=local_day(asked.now))
    return page(
        request,
        "pasted.html",
        {
            "asked": asked,
            "here": here,
            "document": {"rows": shown, "as_of": document["as_of"], "policy": document["policy"],
                         "formula": document["formula"]},
            "total": len(rows),
            "late": {side: sum(row[side] for row in rows) for side in labels.SIDES},
            "given": given,
            "repeats": sum(n - 1 for n in given.repeated.values()),
            "mistaken": given.mistaken[:_MISTAKES],
            "absent": document["absent"][: _MISTAKES * 4],
            "absent_count": len(document["absent"]),
            "units": [{**group, "href": f"{address}?{urlencode({'unit': group['agency']})}"}
                      for group in named.by_unit(document["rows"])],
            "unit": asked.query.get("unit"),
            "address": address,
            "choices": choices(asked),
            "first": start + 1,
            "last": start + len(shown),
            "start": here.link(address, keep=keep) if start else "",
            "next": here.link(address, keep=keep, after=start + _SIZE) if start + _SIZE < len(rows) else "",
            "workbook": here.link(reverse("pasted-workbook", args=[name]), keep=keep),
            "as_of": here.query["as_of"],
            "drafts": here.link(reverse("paper-new"), list=name) if drafts else "",
        },
    )  # fmt: skip


@require_GET
@asks
def pasted_workbook(request: HttpRequest, name: str) -> FileResponse:
    """The same as a workbook: the list, the split by unit, what is not found."""
    asked, given, document, rows = _found(request, name)
    missing = [
        *({"code": row["code"], "note": gettext("không thấy"), "near": ", ".join(row["near"])}
          for row in document["absent"]),
        *({"code": text, "note": gettext("không phải mã hồ sơ"), "near": ""} for text in given.mistaken),
        *({"code": code, "note": gettext("nêu {n} lần, tính một").format(n=n), "near": ""}
          for code, n in given.repeated.items()),
    ]  # fmt: skip
    stream = workbooks.pasted(
        document, rows, named.by_unit(rows), missing, title=gettext("Tra theo danh sách mã"), author=str(request.user),
        period=asked.question.period,
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("tra-ma", asked.now, "xlsx"))
