"""Văn bản: the drafts that were kept, their files, and number and day typed back; the house's letterhead."""

from __future__ import annotations

import re
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.catalogue import settings as kept
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency
from motcua.directives import kept_papers
from motcua.directives.models import KeptFile, KeptPaper
from motcua.rules.instants import Unreadable, local_day
from motcua.web.console.pages import page
from motcua.web.labels import Words
from motcua.web.orders import people as orders_people
from motcua.web.papers import letters
from motcua.web.papers.paper import HEAD, HEAD_FIELDS, head
from motcua.web.papers.people import MEDIA, drafters

ERRORS = Words(
    {
        "number": "Chưa ghi: nhập số, ký hiệu đúng như trên văn bản đã ký.",
        "day": "Chưa ghi: ngày ký không hợp lệ hoặc chưa đến.",
        "phone": "Chưa lưu: số điện thoại chỉ gồm chữ số, dấu cách và dấu +.",
    }
)
FIELDS = Words(
    {
        "parent": "Cơ quan chủ quản",
        "agency": "Cơ quan ban hành",
        "place": "Địa danh",
        "symbol": "Ký hiệu văn bản",
        "signer": "Chức danh người ký",
        "signer_name": "Họ tên người ký",
        "contact": "Đầu mối để lãnh đạo gọi",
        "phone": "Số điện thoại đầu mối",
    }
)
EXAMPLES = Words(
    {
        "parent": "Ủy ban nhân dân tỉnh Mẫu",
        "agency": "Văn phòng Ủy ban nhân dân tỉnh",
        "place": "Mẫu",
        "symbol": "VPUB-KSTT",
        "signer": "Chánh Văn phòng",
        "contact": "Phòng Kiểm soát TTHC",
        "phone": "0123 456 789",
    }
)
_SHOWN = 200


@require_GET
@drafters
def listed(request: HttpRequest) -> HttpResponse:
    """The drafts, the newest first; those that wait for their number first of all."""
    waiting = request.GET.get("xem") == "waiting"
    text = fold(request.GET.get("q", "").strip()[:100])
    found = KeptPaper.objects.order_by("-drafted_at")
    if waiting:
        found = found.filter(typed_at=None)
    names = dict(Agency.objects.values_list("code", "name"))
    rows = []
    for row in found[: _SHOWN * 5]:
        units = [names.get(code, code) for code in row.agencies]
        if text and text not in fold(" ".join((row.title, row.number, letters.TITLES.get(row.form, ""), *units))):
            continue
        rows.append({"paper": row, "units": units, "form": letters.TITLES.get(row.form, row.form)})
    return page(
        request,
        "papers/listed.html",
        {
            "rows": rows[:_SHOWN],
            "more": len(rows) > _SHOWN,
            "waiting": waiting,
            "q_paper": request.GET.get("q", ""),
            "unsigned": KeptPaper.objects.filter(typed_at=None).count(),
            "now": timezone.now(),
            "head_missing": not head()["agency"],
        },
    )


@require_http_methods(["GET", "POST"])
@drafters
def paper(request: HttpRequest, number: int) -> HttpResponse:
    """A kept draft; its number and day are typed here once it is signed."""
    row = get_object_or_404(KeptPaper, pk=number)
    error = ""
    if request.method == "POST":
        try:
            try:
                signed_on = date.fromisoformat(request.POST.get("signed_on", ""))
            except ValueError:
                raise Unreadable("day") from None
            kept_papers.type_back(
                number,
                given=request.POST.get("number", ""),
                signed_on=signed_on,
                signer=request.POST.get("signer", ""),
                by=request.user.get_username(),
                at=timezone.now(),
            )
        except Unreadable as refusal:
            error = ERRORS.get(str(refusal).partition(":")[0], str(refusal))
        else:
            messages.success(request, gettext("Đã ghi số và ngày văn bản."))
            return redirect("paper", number)
    names = dict(Agency.objects.filter(code__in=row.agencies).values_list("code", "name"))
    return page(
        request,
        "papers/paper.html",
        {
            "paper": row,
            "form": letters.TITLES.get(row.form, row.form),
            "units": [names.get(code, code) for code in row.agencies],
            "kinds": sorted(row.files.values_list("kind", flat=True)),
            "error": error,
            "drafted_by": orders_people.named(row.drafted_by),
            "typed_by": orders_people.named(row.typed_by),
            "today": local_day(timezone.now()).isoformat(),
            "signer": row.signer or head()["signer_name"],
            "posted": request.POST,
        },
        status=400 if error else 200,
    )


@require_GET
@drafters
def file(request: HttpRequest, number: int, kind: str) -> HttpResponse:
    """A file of a kept draft."""
    found = KeptFile.objects.filter(paper=number, kind=kind).select_related("paper").first()
    if found is None or kind not in MEDIA:
        raise Http404
    reply = HttpResponse(bytes(found.content), content_type=MEDIA[kind])
    reply["Content-Disposition"] = f'attachment; filename="{found.paper.form}-{number}.{kind}"'
    return reply


@require_http_methods(["GET", "POST"])
@drafters
def letterhead(request: HttpRequest) -> HttpResponse:
    """The head of the house's papers, and whom a leader calls."""
    values, error = head(), ""
    if request.method == "POST":
        values = {name: " ".join(request.POST.get(name, "").split())[:200] for name in HEAD_FIELDS}
        if not re.fullmatch(r"[0-9+ ]*", values["phone"]):
            error = ERRORS["phone"]
        else:
            kept.put(HEAD, values, by=request.user.get_username(), at=timezone.now())
            messages.success(request, gettext("Đã lưu. Các dự thảo lập từ nay mang đầu văn bản này."))
            return redirect("papers")
    fields = [(name, FIELDS[name], values[name], EXAMPLES.get(name, "")) for name in HEAD_FIELDS]
    return page(request, "papers/head.html", {"fields": fields, "error": error}, status=400 if error else 200)
