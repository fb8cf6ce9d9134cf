"""Đồng bộ: is it flowing, what will be late only because of us, pasted codes, and the acts of an operator.

Each act says first what it will do to how many, and afterwards what it did. No page needs JavaScript.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from motcua.accounts import powers
from motcua.exchange import (
    alerts,
    backlog,
    dead_letters,
    looked_up,
    overview,
    read_back,
    reconcile_figures,
    remedies,
    resend,
    status,
    tickets,
)
from motcua.exchange.looked_up import Line, Verdict
from motcua.exchange.models import Difference
from motcua.mirror import profiles
from motcua.mirror.client import LoginRefused, PortalUnreachable
from motcua.rules.instants import Unreadable, local_day
from motcua.web import labels
from motcua.web.console import sync_words, workbooks
from motcua.web.console.pages import View, page
from motcua.wire import masked

#: Who runs the synchronisation and who inspects it.
ROLES = frozenset({"operator", "inspector"})
#: Codes that a page of confirmation names one by one.
_NAMED = 12
#: Tickets that the first page lists.
_TICKETS = 8


def operators(view: View) -> View:
    """A page for ROLES over the whole province."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        on = local_day(timezone.now())
        if powers.scope(request.user, on=on) is not None or not powers.holds(request.user, ROLES, on=on):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def person(request: HttpRequest) -> str:
    """Who acts, as histories keep it."""
    return request.user.get_username()


@require_GET
@operators
def board(request: HttpRequest) -> HttpResponse:
    """The first page."""
    now = timezone.now()
    report = overview.report(now=now)
    open_ = [row for row in tickets.listed(now=now) if row["state"] != "closed"]
    return page(
        request,
        "sync.html",
        {
            "now": now,
            "report": report,
            "portal": sync_words.portal(report["circuits"]),
            "today": report["today"],
            "faults": 1 - report["today"]["rate"] if report["today"]["tried"] else None,
            "late": len(report["late_because_of_us"]),
            "soon": sum(row["due_at"] > now for row in report["late_because_of_us"]),
            "already": sum(row["due_at"] <= now for row in report["late_because_of_us"]),
            "late_rows": report["late_because_of_us"][:_NAMED],
            "alerts": report["alerts"],
            "tickets": open_[:_TICKETS],
            "ticket_count": len(open_),
            "owners": sync_words.SHORT_OWNERS,
            "portal_named": resend.is_named(),
        },
    )


# ---- pasted codes ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def codes(request: HttpRequest) -> HttpResponse:
    """Codes as a table: one-stop, portal, where they differ, last message. Pasted, or those behind a figure."""
    pasted = looked_up.read(request.POST.get("codes", "") or " ".join(_behind(request)))
    lines = looked_up.compare(pasted.codes)
    letters = {each["dossier"]: each for each in dead_letters.of(line.dossier for line in lines)}
    return page(
        request,
        "sync_codes.html",
        {
            "text": "\n".join(pasted.codes),
            "pasted": pasted,
            "asked": request.method == "POST" or bool(request.GET),
            "rows": [{**_row(line), "letter": _letter(letters.get(line.dossier))} for line in lines],
            "counts": _counts(lines),
            "known": sum(line.verdict is not Verdict.NOWHERE for line in lines),
        },
    )


def _behind(request: HttpRequest) -> list[str]:
    """The codes that the address names, or that a figure of the first page counts."""
    if words := request.GET.get("words"):
        return resend.of_error(words)
    if why := request.GET.get("why"):
        return reconcile_figures.dossiers(why)
    if "late" in request.GET:
        return [code for code, _ in backlog.late_because_of_us(now=timezone.now(), within=status.AHEAD)]
    return [request.GET.get("codes", "")]


def _letter(dead: dict[str, Any] | None) -> dict[str, str] | None:
    """A dead letter as anybody may see it: what was sent and what came back, people masked, and what helps."""
    if dead is None:
        return None
    request, reply = (masked.text(each.encode()) or "" for each in (json.dumps(dead["request"]), dead["reply"]))
    return {"request": request, "reply": reply, "remedy": dead["remedy"]}


def _row(line: Line) -> dict[str, Any]:
    told = line.evidence()
    return {
        "asked": line.asked,
        "dossier": line.dossier,
        "here": line.here,
        "there": line.there,
        "there_at": sync_words.hour(line.there_at) if line.there_at else "",
        "verdict": line.verdict.value,
        "shape": sync_words.SHAPES[line.verdict],
        "known": line.here is not None,
        "differences": differences(told),
        "last": sync_words.last(told),
        "source": line.source,
        "agency": line.agency,
    }


def differences(evidence: dict[str, Any]) -> list[dict[str, str]]:
    """What differs in words, each with why."""
    return [
        {
            "text": sync_words.difference(name, ours, there),
            "why": sync_words.WHYS.get(why, why),
            "words": remedies.plain(words) if why == Difference.Why.REFUSED else "",
        }
        for name, ours, there, why, words in evidence["differences"]
    ]


def _counts(lines: Sequence[Line]) -> list[tuple[str, int]]:
    found = [(verdict.value, sum(line.verdict is verdict for line in lines)) for verdict in Verdict]
    return [(verdict, count) for verdict, count in found if count]


@require_POST
@operators
def codes_workbook(request: HttpRequest) -> FileResponse:
    """The same table as a workbook."""
    now = timezone.now()
    rows = [_row(line) for line in looked_up.compare(looked_up.read(request.POST.get("codes", "")).codes)]
    columns: list[workbooks.Column] = [
        (gettext("Mã hồ sơ"), 27, lambda row: row["asked"]),
        (gettext("Đơn vị"), 14, lambda row: row["agency"]),
        (gettext("Hệ thống xử lý"), 14, lambda row: row["source"]),
        (gettext("Kết quả"), 22, lambda row: sync_words.VERDICTS[row["verdict"]]),
        (gettext("Một cửa"), 24, lambda row: labels.STATUSES.get(row["here"], "")),
        (gettext("Cổng"), 24, lambda row: labels.STATUSES.get(row["there"], "")),
        (gettext("Đọc Cổng lúc"), 14, lambda row: row["there_at"]),
        (gettext("Khác ở đâu"), 60, told),
        (gettext("Bản tin cuối"), 40, lambda row: row["last"]),
    ]
    stream = workbooks.table(
        columns, rows, sheet=gettext("Tra đồng bộ"), title=gettext("Một cửa và Cổng DVCQG, theo mã đã dán"),
        line=gettext("Lúc {at}; {n}; lập bởi {who}").format(
            at=labels.instant(now), n=labels.dossiers(len(rows)), who=request.user
        ), author=str(request.user),
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("dong-bo", now, "xlsx"))


def told(row: dict[str, Any]) -> str:
    """The differences of a row in one cell."""
    return "; ".join(
        f"{each['text']} ({each['why']}{': ' + each['words'] if each['words'] else ''})" for each in row["differences"]
    )


# ---- acts ------------------------------------------------------------------------------------------------------------


@require_POST
@operators
def act(request: HttpRequest) -> HttpResponse:
    """An act: without `sure` it says what it would do, with it it does that and says what came of it."""
    asked = request.POST.get("act", "")
    if asked == "acknowledge":
        return _acknowledge(request)
    chosen, words = _chosen(request, asked), request.POST.get("words", "")
    if chosen is None:
        return page(request, "unusable.html", {"reason": f"act={asked!r}"}, status=400)
    if not chosen:
        messages.warning(request, gettext("Không còn hồ sơ nào như vậy: không làm gì."))
        return redirect("sync")
    if request.POST.get("sure") != "1":
        return page(
            request,
            "sync_confirm.html",
            {"act": asked, "codes": chosen, "named": chosen[:_NAMED], "rest": len(chosen) - _NAMED,
             "errors": words, "title": _title(asked, len(chosen)), "effect": _effect(asked, len(chosen))},
        )  # fmt: skip
    _do(request, asked, chosen, words)
    return redirect("sync")


def _chosen(request: HttpRequest, asked: str) -> list[str] | None:
    """The dossiers of an act, as they are now; None for an act that there is not."""
    match asked:
        case "first" if not request.POST.get("codes"):
            late = backlog.late_because_of_us(now=timezone.now(), within=status.AHEAD)
            return [code for code, _ in late]
        case "again" | "fetch" | "first":
            lines = looked_up.compare(looked_up.read(request.POST.get("codes", "")).codes)
            return [line.dossier for line in lines if line.verdict is not Verdict.NOWHERE]
        case "error":
            return resend.of_error(request.POST.get("words", ""))
    return None


def _title(asked: str, count: int) -> str:
    """What the button says: the act and the count."""
    text = {
        "first": gettext("Gửi trước {n}"), "again": gettext("Gửi lại {n}"), "fetch": gettext("Lấy về {n}"),
        "error": gettext("Gửi lại {n}"),
    }[asked]  # fmt: skip
    return text.format(n=labels.dossiers(count))


def _effect(asked: str, count: int) -> str:
    match asked:
        case "first":
            return gettext("Bản tin đang chờ của các hồ sơ này đi ở lượt gửi kế tiếp, không chờ hết giờ giãn cách.")
        case "again":
            return gettext(
                "Bản tin lỗi được gửi lại; điều Cổng đã nhận mà không hiện được gửi lại; hồ sơ đã khớp giữ nguyên. "
                "Gửi lại không làm trùng trên Cổng."
            )
        case "error":
            return gettext("Mọi bản tin bị từ chối với đúng lời này được gửi lại như chưa gửi lần nào.")
        case _ if count > resend.AT_ONCE:
            return gettext("Các hồ sơ này được đọc trên Cổng trước tiên ở lượt đọc lại kế tiếp.")
    return gettext("Hỏi Cổng ngay những gì Cổng đang hiện về các hồ sơ này; không gửi gì.")


def _do(request: HttpRequest, asked: str, chosen: Sequence[str], words: str) -> None:
    now = timezone.now()
    match asked:
        case "first":
            moved = resend.send_first(chosen, at=now)
            text = gettext("Đã đưa {n} lên trước; lượt gửi chạy mỗi 15 giây.").format(n=labels.dossiers(moved))
        case "again":
            text = gettext("Đã xong: {told}").format(told=sync_words.outcome(resend.send_again(chosen, at=now)))
        case "error":
            replayed = resend.replay_error(words, at=now)
            text = gettext("Đã đưa {n} gửi lại; lượt gửi chạy mỗi 15 giây.").format(n=sync_words.messages(replayed))
        case _:
            _fetch(request, chosen)
            return
    messages.success(request, text)


def _fetch(request: HttpRequest, chosen: Sequence[str]) -> None:
    now = timezone.now()
    portal = resend.portal(timeout_s=5.0) if len(chosen) <= resend.AT_ONCE else None
    if portal is None:
        count = resend.look_soon(chosen, at=now)
        messages.success(
            request, gettext("{n} sẽ được đọc trên Cổng trước tiên ở lượt sau.").format(n=labels.dossiers(count))
        )
        return
    looked = unanswered = differ = 0
    try:
        found = read_back.run(portal=portal, at=now, codes=chosen, profile=profiles.current())
        looked, unanswered, differ = found.looked_up, len(found.unanswered), len(found.differences)
    except (PortalUnreachable, LoginRefused):
        unanswered = len(chosen)
    finally:
        portal.close()
    if looked:
        text = gettext("Đã lấy về {n}; lệch {differ}.")
        messages.success(request, text.format(n=labels.dossiers(looked), differ=labels.number(differ)))
    if unanswered:
        resend.look_soon(chosen, at=now)
        text = gettext("Cổng DVCQG chưa trả lời. Chưa lấy được {n}; sẽ tự đọc lại khi Cổng trả lời.")
        messages.warning(request, text.format(n=labels.dossiers(unanswered)))


def _acknowledge(request: HttpRequest) -> HttpResponse:
    number = request.POST.get("alert", "")
    try:
        alerts.acknowledge(int(number) if number.isdigit() else 0, by=person(request), at=timezone.now())
    except Unreadable as error:
        return page(request, "unusable.html", {"reason": str(error)}, status=400)
    messages.success(request, gettext("Đã ghi nhận; cảnh báo còn ở đây đến khi hết nguyên nhân."))
    return redirect("sync")
