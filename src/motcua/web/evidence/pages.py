"""Gói chứng cứ: one file that proves a dossier's story without this server, and the page that checks such a file."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from motcua.accounts import powers
from motcua.evidence import make, orders, subjects, verify
from motcua.evidence.make import BLACK_OUTS, Subject
from motcua.evidence.models import Order, Pack
from motcua.oversight import named
from motcua.oversight.figures import Question
from motcua.rules.instants import Unreadable, local_day
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import asks, page
from motcua.web.evidence import words
from motcua.web.evidence.papers import papers
from motcua.web.rounds.access import of_province

#: Dossiers in a pack that a page makes while one waits; more are made by a process, up to the most.
AT_ONCE, MOST = 50, 1_000
_LARGEST_UPLOAD = 200_000_000
_ORDERS = 5


@require_http_methods(["GET", "HEAD", "POST"])
@asks
def pack(request: HttpRequest) -> HttpResponse:
    """The choice of what is blacked out; a POST answers with the file."""
    given = request.POST if request.method == "POST" else request.GET
    if number := given.get("dot", ""):
        subject = _of_round(request, number)
    else:
        subject = _subject(request, given.getlist("ho-so"), given.get("phat-hien", ""))
    reason, chosen = given.get("reason", "").strip(), given.get("black_out", "personal")
    if request.method == "POST":
        if chosen not in BLACK_OUTS:
            raise Unreadable(f"black_out={chosen}")
        error = _refusal(subject, chosen, reason)
        if not error:
            if len(subject.codes) > AT_ONCE:
                return _ordered(request, subject, chosen, reason)
            return _file(request, subject, chosen, reason)
        return _form(request, subject, chosen, reason, error)
    return _form(request, subject, chosen, reason, "")


def _subject(request: HttpRequest, codes: list[str], finding: str = "") -> Subject:
    """What the address names, for who may see its dossiers. Raises `Http404`, `PermissionDenied`, `Unreadable`."""
    of_finding = subjects.finding(int(finding)) if finding.isdigit() else None
    codes = list(of_finding.codes) if of_finding else [code.strip() for code in codes if code.strip()]
    if not codes:
        raise Http404
    now = timezone.now()
    scope = powers.scope(request.user, on=local_day(now))
    if len(codes) > MOST:
        raise Unreadable(gettext("một gói có nhiều nhất {n} hồ sơ").format(n=labels.number(MOST)))
    found = named.look_up(settings.HOME, Question(), codes, now=now)
    if known := {row["dossier"] for row in found["rows"]} ^ set(codes):
        raise Http404(min(known))
    if scope is not None and any(row["agency"] not in scope for row in found["rows"]):
        raise PermissionDenied
    return of_finding or make.dossiers(codes)


def _of_round(request: HttpRequest, number: str) -> Subject:
    """The drawn sample of a round, for who may read the round. Raises `Http404`, `PermissionDenied`."""
    if not of_province(request):
        raise PermissionDenied
    try:
        return subjects.round_(int(number) if number.isdigit() and len(number) < 16 else 0)
    except Unreadable as error:
        raise Http404(number) from error


def _refusal(subject: Subject, black_out: str, reason: str) -> str:
    if len(subject.codes) > MOST:
        return gettext("Một gói có nhiều nhất {n} hồ sơ: chia thành nhiều gói.").format(n=labels.number(MOST))
    if black_out == "none" and len(reason) < 5:
        return gettext("Chưa lập gói: không che dữ liệu cá nhân thì phải ghi lý do.")
    return ""


def _file(request: HttpRequest, subject: Subject, black_out: Any, reason: str) -> HttpResponse:
    now, by = timezone.now(), request.user.get_username()
    made = make.make(settings.HOME, subject, at=now, by=by, papers=papers, black_out=black_out)
    make.kept(made, reason=reason, at=now, by=by)
    named = {"dossier": subject.code, "round": f"dot-kiem-tra-{subject.code}"}.get(subject.kind, subject.kind)
    title = re.sub(r"[^A-Za-z0-9.-]+", "_", named)
    reply = HttpResponse(made.file, content_type="application/zip")
    reply["Content-Disposition"] = f'attachment; filename="{workbooks.name(f"chung-cu-{title}", now, "zip")}"'
    return reply


def _ordered(request: HttpRequest, subject: Subject, black_out: Any, reason: str) -> HttpResponse:
    order = orders.ask(
        subject, black_out=black_out, reason=reason, by=request.user.get_username(), at=timezone.now()
    )  # fmt: skip
    orders.start(settings.HOME)
    return redirect("evidence-order", order.pk)


def _own(request: HttpRequest, number: int) -> Order:
    """An order of the viewer's own. Raises `Http404`."""
    order = Order.objects.filter(pk=number, asked_by=request.user.get_username()).select_related("pack").first()
    if order is None:
        raise Http404
    return order


@require_safe
def order(request: HttpRequest, number: int) -> HttpResponse:
    """How far a pack is that a process makes."""
    asked = _own(request, number)
    return page(
        request,
        "evidence/order.html",
        {
            "order": asked, "kind": words.KINDS[asked.kind], "what": words.BLACK_OUTS[asked.black_out],
            "there": orders.file(settings.HOME, asked) is not None, "running": asked.state == Order.State.WAITING,
            "share": round(100 * asked.done / max(asked.total, 1)), "days": orders.KEPT.days,
        },
    )  # fmt: skip


@require_safe
def order_file(request: HttpRequest, number: int) -> FileResponse:
    """The file of a finished order."""
    asked = _own(request, number)
    found = orders.file(settings.HOME, asked)
    if found is None:
        raise Http404
    named = {"round": f"dot-kiem-tra-{asked.code}"}.get(asked.kind, asked.kind)
    name = workbooks.name(f"chung-cu-{named}", asked.ended_at or asked.asked_at, "zip")
    return FileResponse(found.open("rb"), as_attachment=True, filename=name, content_type="application/zip")


def _form(request: HttpRequest, subject: Subject, chosen: str, reason: str, error: str) -> HttpResponse:
    earlier = Pack.objects.filter(dossiers__dossier__in=subject.codes[:MOST]).distinct().order_by("-pk")[:20]
    return page(
        request,
        "evidence/make.html",
        {
            "subject": subject,
            "kind": words.KINDS[subject.kind],
            "choices": [
                {"name": name, "title": words.BLACK_OUTS[name], "hint": words.BLACK_OUT_HINTS[name],
                 "chosen": name == chosen}
                for name in BLACK_OUTS
            ],
            "reason": reason,
            "by_process": len(subject.codes) > AT_ONCE,
            "error": error,
            "orders": Order.objects.filter(asked_by=request.user.get_username()).order_by("-pk")[:_ORDERS],
            "earlier": [{"at": each.made_at, "by": each.made_by, "what": words.BLACK_OUTS[each.black_out],
                         "reason": each.reason, "sha256": each.sha256} for each in earlier],
        },
        status=400 if error else 200,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """A pack handed in is proved or disproved; nothing of it is kept."""
    report: dict[str, Any] | None = None
    error, name = "", ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None:
            error = gettext("Chưa chọn tệp nào.")
        elif (file.size or 0) > _LARGEST_UPLOAD:
            error = gettext("Tệp quá lớn cho trang này; dùng lệnh motcua verify evidence.")
        else:
            name = file.name or ""
            keys = {public.read_bytes().hex() for public in (settings.HOME / "keys").glob("*.pub")}
            report = verify.verify(file.read(), keys=keys)
    return page(
        request,
        "evidence/check.html",
        {
            "report": report,
            "name": name,
            "error": error,
            "faults": [
                {
                    "what": words.FAULTS.get(fault["code"], fault["code"]),
                    "place": "" if fault["code"] == "frame" else fault["place"],
                }  # a frame has no place, only our words
                for fault in (report["faults"] if report else ())
            ],
            "when": labels.instant(report.get("made_at")) if report else "",
        },
        status=400 if error else 200,
    )
