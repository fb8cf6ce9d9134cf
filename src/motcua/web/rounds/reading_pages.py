"""Reading: one dossier of the sample after another, its frozen story beside the checklist; Enter goes on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.findings import files
from motcua.findings.models import Attachment
from motcua.rounds import explanations, frozen, reading, stories
from motcua.rounds.models import Item, Member, Round
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.console.dossier import shown as told
from motcua.web.console.pages import page
from motcua.web.findings.words import STANDINGS
from motcua.web.rounds import words
from motcua.web.rounds.access import inspectors, one, seat, user

#: What a browser shows by itself; nothing of it runs.
_INSIDE = frozenset({"application/pdf", "image/png", "image/jpeg"})


@require_GET
@inspectors
def next_(request: HttpRequest, number: int) -> HttpResponseBase:
    """Đọc tiếp: the next dossier for this person, or back to the round where nothing waits."""
    round_ = one(number)
    item = reading.next_(round_, user(request), now=timezone.now(), after=request.GET.get("after", ""))
    if item is None:
        messages.success(request, gettext("Xong. Không còn hồ sơ nào chờ anh/chị."))
        return redirect("round", number)
    return redirect("round-item", number, item.dossier)


@require_http_methods(["GET", "HEAD", "POST"])
@inspectors
def item(request: HttpRequest, number: int, code: str) -> HttpResponseBase:
    """One dossier of the sample."""
    round_ = one(number)
    row = round_.items.filter(dossier=code).first()
    if row is None:
        raise Http404(code)
    if request.method == "POST":
        return _act(request, round_, row)
    return _page(request, round_, row)


def _act(request: HttpRequest, round_: Round, row: Item) -> HttpResponseBase:
    post, now, number, code = request.POST, timezone.now(), round_.pk, row.dossier
    by: dict[str, Any] = {"by": user(request), "at": now}
    onward = redirect("round-next", number)
    onward["Location"] += f"?after={code}"
    try:
        match post.get("act"):
            case "decide":
                checklist = {name: post[f"q-{name}"] for name in reading.questions(row) if post.get(f"q-{name}")}
                reading.decide(number, code, finding=post.get("finding", ""), checklist=checklist,
                               note=post.get("note", ""), **by)  # fmt: skip
                messages.success(request, gettext("Đã lưu {code}; chờ người thứ hai xác nhận.").format(code=code))
                return onward
            case "confirm":
                done = reading.confirm(number, code, agree=True, **by)
                messages.success(request, gettext("Đã xác nhận {code}.").format(code=code))
                for refused in done.refused:
                    messages.warning(request, words.passed_over(refused))
                return onward
            case "return":
                reading.confirm(number, code, agree=False, note=post.get("note", ""), **by)
                messages.success(request, gettext("Đã trả {code} cho người đọc.").format(code=code))
                return onward
            case "reopen":
                reading.reopen(number, code, reason=post.get("note", ""), **by)
                messages.success(request, gettext("Đã mở lại {code} để hai người kết luận lại.").format(code=code))
                return redirect("round-item", number, code)
            case "look":
                values = reading.look(number, code, reason=post.get("reason", ""), **by)
                reply = _page(request, round_, row, personal=values)
                reply["Cache-Control"] = "no-store"
                return reply
            case "document":
                file = post.get("file", "")
                number_ = int(file) if file.isdigit() and len(file) < 16 else 0
                shown = reading.look_at_document(number, code, number_, reason=post.get("reason", ""), **by)
                opened = redirect("round-item", number, code)
                opened["Location"] += f"?giay-to={shown.pk}#giay-to"
                return opened
            case _:
                raise Http404
    except Refused as refusal:
        messages.error(request, words.say(refusal))
    except Unreadable as fault:
        messages.error(request, words.unusable(fault))
    return _page(request, round_, row, typed=request.POST.dict(), status=400)  # what was typed is kept


def _page(
    request: HttpRequest, round_: Round, row: Item, *, personal: dict[str, str] | None = None,
    typed: dict[str, Any] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    folder = frozen.folder(settings.HOME, round_.pk)
    story = stories.of(folder, row.dossier)
    if story is None:
        raise Http404(row.dossier)
    me, mine = user(request), seat(round_, request)
    typed = typed or {"finding": row.finding, "note": row.note, **{f"q-{n}": v for n, v in row.checklist.items()}}
    heard = explanations.heard(round_, [row])[row.dossier]
    waits = list(reading.waiting(round_, me).values_list("dossier", flat=True)) if mine else []
    return page(
        request,
        "rounds/item.html",
        {
            "round": round_,
            "label": words.label(round_),
            "item": row,
            "story": story,
            **told(story),
            "head": words.SORTS[row.sort],
            "signs": [_sign(sign) for sign in frozen.signs(folder, [row.dossier]).get(row.dossier, [])],
            "asked": words.ASKED.get(row.sort, ""),
            "heard": heard,
            "answer": words.ANSWERS[heard.answer],
            "documents": _documents(request, round_, row),
            "questions": [(name, words.question(name), typed.get(f"q-{name}", "")) for name in reading.questions(row)],
            "choices": words.CHECKED.items(),
            "findings": [(name, title) for name, title in words.FINDINGS.items() if name],
            "typed": typed,
            "finding": words.FINDINGS[row.finding],
            "may_decide": mine is not None and row.confirmed_at is None and (row.read_at is None or row.reader == me),
            "may_confirm": mine is not None and row.read_at is not None and row.confirmed_at is None
            and row.reader != me,
            "may_reopen": mine is not None and mine.role == Member.Role.LEAD and row.confirmed_at is not None
            and round_.closed_at is None,
            "checked": [(words.question(name), words.CHECKED[value]) for name, value in row.checklist.items()],
            "reader": _name(round_, row.reader),
            "confirmed_by": _name(round_, row.confirmed_by),
            "personal": [words.personal(name, value) for name, value in (personal or {}).items()],
            "seat": mine,
            "last_reason": round_.looks.filter(dossier=row.dossier, by=me).order_by("-pk").values_list("reason",
                                                                                                      flat=True).first()
            or "",
            "looks": _looks(round_, row),
            "left": len(waits),
            "chance": labels.percent(row.numerator / row.denominator),
        },
        status=status,
    )  # fmt: skip


def _documents(request: HttpRequest, round_: Round, row: Item) -> list[dict[str, Any]]:
    """What units handed in; the one that the reader has just said why they look at stands open."""
    chosen, now = request.GET.get("giay-to", ""), timezone.now()
    return [
        {
            "row": one, "standing": STANDINGS[one.standing], "kb": max(one.size // 1024, 1),
            "picture": one.media.startswith("image/"), "pdf": one.media == "application/pdf",
            "open": (said := bool(one.digest) and reading.may_look(round_.pk, one, by=user(request), at=now))
            and str(one.pk) == chosen,
            "said": said,
        }
        for one in reading.documents(row.dossier)
    ]  # fmt: skip


@require_GET
@inspectors
def document(request: HttpRequest, number: int, file: int) -> HttpResponseBase:
    """A file for who has said why they look at it: pictures and PDF inside the reading page, others to be saved."""
    one_ = get_object_or_404(Attachment.objects.exclude(digest=""), pk=file)
    if not reading.may_look(one(number).pk, one_, by=user(request), at=timezone.now()):
        raise PermissionDenied
    try:
        content = files.read(settings.HOME, one_.digest)
    except Unreadable as fault:
        raise Http404(str(fault)) from None
    inside = one_.media in _INSIDE
    reply = HttpResponse(content, content_type=one_.media)
    how = "inline" if inside else "attachment"
    reply["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(one_.name)}"
    reply["X-Content-Type-Options"] = "nosniff"
    reply["X-Frame-Options"] = "SAMEORIGIN"
    reply["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    reply["Cache-Control"] = "no-store"
    return reply


def _sign(sign: dict[str, Any]) -> dict[str, Any]:
    facts = [
        (labels.EVIDENCE[name], labels.fact(name, value))
        for name, value in sign["evidence"].items()
        if name in labels.EVIDENCE
    ]
    return {"title": words.check(sign["check"]), "facts": facts}


def _name(round_: Round, account: str) -> str:
    return round_.members.filter(user=account).values_list("name", flat=True).first() or account


def _looks(round_: Round, row: Item) -> list[dict[str, Any]]:
    names = dict(round_.members.values_list("user", "name"))
    return [
        {"at": look.at, "name": names.get(look.by) or look.by, "reason": look.reason, "document": look.document[:12]}
        for look in round_.looks.filter(dossier=row.dossier).order_by("-pk")[:20]
    ]
