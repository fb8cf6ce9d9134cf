"""Phiếu xử lý đồng bộ: listed, made from pasted codes or from findings, handed on as a workbook, closed by the data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.exchange import looked_up, tickets
from motcua.rules.instants import VIET_NAM, Unreadable
from motcua.web import labels
from motcua.web.console import lists, sync_words, workbooks
from motcua.web.console.asked import read
from motcua.web.console.pages import asks, page
from motcua.web.console.sync import differences, operators, person, told


@require_GET
@operators
def listed(request: HttpRequest) -> HttpResponse:
    """All tickets, those that are not closed first."""
    return page(request, "tickets.html", {"tickets": tickets.listed(now=timezone.now())})


@require_http_methods(["GET", "HEAD", "POST"])
@operators
@asks
def new(request: HttpRequest) -> HttpResponse:
    """The form of a new ticket, over pasted codes or the findings of a question; then the ticket itself."""
    form = {name: request.POST.get(name, "").strip() for name in ("owner_kind", "owner", "cause", "days")}
    if request.POST.get("sure") == "1":
        pasted = looked_up.read(request.POST.get("codes", "")).codes
        try:
            ticket = tickets.open_(
                codes=pasted, owner_kind=form["owner_kind"],
                owner=form["owner"], cause=form["cause"], by=person(request), at=timezone.now(),
                days=int(form["days"]) if form["days"].isdigit() else 0,
            )  # fmt: skip
        except Unreadable:
            messages.error(
                request,
                gettext(
                    "Chưa lập phiếu: ghi nguyên nhân, chọn nơi xử lý, hạn từ 1 đến 60 ngày, ít nhất một mã có thật."
                ),
            )
        else:
            messages.success(request, gettext("Đã lập phiếu số {number}.").format(number=ticket.pk))
            absent = [line.asked for line in looked_up.compare(pasted) if line.verdict is looked_up.Verdict.NOWHERE]
            if absent:
                text = gettext("Không thấy ở một cửa và trên Cổng, không đưa vào phiếu: {codes}")
                messages.warning(request, text.format(codes=", ".join(absent)))
            return redirect("ticket", ticket.pk)
    elif request.method != "POST":
        form["cause"] = ""
    text = request.POST.get("codes", "")
    if not text and request.GET.get("leg") == "sync":
        asked = read(request, more=("severity",))
        _, found = lists.found(asked)
        text = "\n".join(dict.fromkeys(finding["dossier"] for finding in found))
        if cause := asked.query.get("cause"):
            form["cause"] = labels.CAUSES[cause].capitalize()
    codes = looked_up.read(text)
    return page(
        request,
        "ticket_new.html",
        {
            "text": "\n".join(codes.codes), "count": len(codes.codes), "left_out": codes.left_out,
            "form": {**form, "days": form["days"] or str(tickets.ALLOTTED_DAYS)}, "owners": sync_words.OWNERS,
        },
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def shown(request: HttpRequest, number: str) -> HttpResponse:
    """A ticket with its dossiers and its history; its acts."""
    now = timezone.now()
    ticket = _ticket(number, now)
    if request.method == "POST":
        return _act(request, int(number), now)
    items = [
        {**item, "differences": differences(item["evidence"]), "last": sync_words.last(item["evidence"])}
        for item in ticket["items"]
    ]
    return page(request, "ticket.html", {"ticket": ticket, "items": items, "asked": request.GET.get("hoi", "")})


def _ticket(number: str, now: datetime) -> dict[str, Any]:
    try:
        return tickets.shown(int(number) if number.isdigit() and len(number) < 10 else 0, now=now)
    except Unreadable:
        raise Http404(number) from None


def _act(request: HttpRequest, number: int, now: datetime) -> HttpResponse:
    more: dict[str, Any] = {"by": person(request), "at": now}
    note = request.POST.get("note", "")
    try:
        match request.POST.get("act"):
            case "send":
                tickets.send(number, note=note, **more)
                text = gettext("Đã ghi: phiếu số {number} đã gửi.")
            case "note":
                tickets.note(number, note, **more)
                text = gettext("Đã ghi chú vào phiếu số {number}.")
            case "close":
                tickets.close(number, note=note, **more)
                text = gettext("Đã đóng phiếu số {number}. Đóng nhầm thì bấm “Mở lại”.")
            case "reopen":
                tickets.reopen(number, note=note, **more)
                text = gettext("Đã mở lại phiếu số {number}.")
            case _:
                raise Unreadable("act")
    except Unreadable:
        messages.error(request, gettext("Chưa làm được: phiếu vừa đổi trạng thái, hoặc ghi chú còn trống."))
    else:
        messages.success(request, text.format(number=number))
    return redirect("ticket", number)


@require_GET
@operators
def workbook(request: HttpRequest, number: str) -> FileResponse:
    """A ticket for whoever owns the fault: codes as text, the evidence, room for the answer."""
    now = timezone.now()
    ticket = _ticket(number, now)
    columns: list[workbooks.Column] = [
        (gettext("Mã hồ sơ"), 27, lambda row: row["dossier"]),
        (gettext("Một cửa"), 24, lambda row: labels.STATUSES.get(row["evidence"]["here"], "")),
        (gettext("Cổng"), 24, lambda row: labels.STATUSES.get(row["evidence"]["there"], "")),
        (gettext("Khác ở đâu"), 60, lambda row: told({"differences": differences(row["evidence"])})),
        (gettext("Bản tin cuối và lời của Cổng"), 44, lambda row: sync_words.last(row["evidence"])),
        (gettext("Đọc Cổng lúc"), 17, lambda row: _wall(row["evidence"]["there_at"])),
        (gettext("Đã khớp lúc"), 17, lambda row: _wall(row["agrees_at"])),
        (gettext("Trả lời của nơi xử lý"), 40, lambda row: ""),
    ]
    stream = workbooks.table(
        columns, ticket["items"],
        sheet=gettext("Phiếu xử lý đồng bộ"),
        title=gettext("Phiếu số {number}: {cause}. Nơi xử lý: {kind} {owner}").format(
            number=number, cause=ticket["cause"], kind=sync_words.OWNERS[ticket["owner_kind"]], owner=ticket["owner"]
        ),
        line=gettext("Lập {at} bởi {who}; hạn {due}; {n}, còn {left} chưa khớp").format(
            at=labels.instant(ticket["opened_at"]), who=ticket["opened_by"], due=labels.instant(ticket["due_at"]),
            n=labels.dossiers(ticket["dossiers"]), left=labels.number(ticket["left"]),
        ),
        author=str(request.user),
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True, filename=workbooks.name(f"phieu-{number}", now, "xlsx"))


def _wall(at: datetime | str | None) -> datetime | None:
    """On the office wall, as a workbook wants it."""
    if not at:
        return None
    instant = datetime.fromisoformat(at) if isinstance(at, str) else at
    return instant.astimezone(VIET_NAM).replace(tzinfo=None)
