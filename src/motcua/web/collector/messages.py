"""Raw messages at the collector: listed with what tells of people masked, one on a page of its own.

A message is shown whole only to somebody who says why; who looked, when and why stands below it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.catalogue.models import Agency
from motcua.exchange import looks, remedies
from motcua.mirror import retention, traffic
from motcua.mirror.models import Message
from motcua.mirror.traffic import Filter
from motcua.rules.instants import VIET_NAM, Unreadable, local_day
from motcua.web import labels
from motcua.web.collector import words
from motcua.web.collector.traffic import link
from motcua.web.console import workbooks
from motcua.web.console.pages import asks, page
from motcua.web.console.sync import operators, person
from motcua.wire import masked

_SIZE = 50
#: Rows of a workbook, and letters of a body that a page shows.
_MOST, _LETTERS = 100_000, 200_000
_FIELDS = ("day", "sender", "service", "outcome", "code", "words")


def _asked(request: HttpRequest, today: date) -> Filter:
    """The address as a filter: today, unless a day, all days, or a dossier is named. Raises `Unreadable`."""
    given = {name: " ".join(request.GET.get(name, "").split()) for name in _FIELDS}
    day: date | None = today
    if given["day"] == "all" or (given["code"] and not given["day"]):
        day = None
    elif given["day"]:
        try:
            day = date.fromisoformat(given["day"])
        except ValueError:
            raise Unreadable(f"day={given['day']!r}") from None
    sender = given["sender"] if "sender" in request.GET and request.GET.get("sender") != "*" else None
    return Filter(day=day, sender=sender, service=given["service"], outcome=given["outcome"], code=given["code"][:200],
                  words=given["words"][:200])  # fmt: skip


def _query(asked: Filter, **changes: Any) -> dict[str, Any]:
    return {
        "day": asked.day or "all", "sender": asked.sender, "service": asked.service, "outcome": asked.outcome,
        "code": asked.code, "words": asked.words, **changes,
    }  # fmt: skip


@require_GET
@operators
@asks
def listed(request: HttpRequest) -> HttpResponse:
    """Messages, the newest first; the filter and the place in the list are in the address."""
    today = local_day(timezone.now())
    asked = _asked(request, today)
    after = request.GET.get("after", "")
    found, more = traffic.page(asked, after=after, limit=_SIZE)
    total = traffic.count(asked)
    first = _counted(request.GET.get("n")) if after else 1
    last = first + len(found) - 1
    day = asked.day or today
    return page(
        request,
        "collector/messages.html",
        {
            "asked": asked,
            "today": today,
            "rows": _rows(found),
            "total": total,
            "many": total == traffic.MOST,
            "first": first,
            "last": last,
            "start": link(**_query(asked)) if after else "",
            "next": link(**_query(asked, after=more, n=last + 1)) if more else "",
            "before": link(**_query(asked, day=day - timedelta(days=1))),
            "after_day": link(**_query(asked, day=day + timedelta(days=1))) if asked.day and day < today else "",
            "any_day": link(**_query(asked, day="all")) if asked.day else "",
            "outcomes": list(words.OUTCOMES.items()),
            "senders": [(code, code or gettext("không nêu")) for code in traffic.senders(day)],
            "services": list(words.SERVICES.items()),
            "workbook": link(**_query(asked)).replace("ban-tin?", "ban-tin.xlsx?"),
            "chips": _chips(asked),
        },
    )


def _counted(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 10 else 1


def _chips(asked: Filter) -> list[dict[str, str]]:
    """The conditions, each with the address without it."""
    told = {
        "sender": gettext("nơi gửi {v}").format(v=asked.sender or gettext("không nêu"))
        if asked.sender is not None
        else "",
        "service": gettext("dịch vụ {v}").format(v=words.service(asked.service)) if asked.service else "",
        "outcome": words.OUTCOMES.get(asked.outcome, ""),
        "code": gettext("hồ sơ {v}").format(v=asked.code) if asked.code else "",
        "words": gettext("lời “{v}”").format(v=asked.words) if asked.words else "",
    }
    return [{"text": text, "href": link(**_query(asked, **{name: None}))} for name, text in told.items() if text]


def _rows(found: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages as lists show them: nothing of a person is in it."""
    messages = list(found)
    about = traffic.about(message.pk for message in messages)
    names = dict(Agency.objects.filter(code__in={m.sender for m in messages}).values_list("code", "name"))
    rows = []
    for message in messages:
        codes = about.get(message.pk, [])
        outcome = traffic.outcome(message)
        rows.append(
            {
                "number": message.pk, "at": message.received_at, "sender": message.sender,
                "from": message.sender or gettext("không nêu"), "name": names.get(message.sender, ""),
                "service": words.service(message.service), "service_code": message.service, "path": message.address,
                "codes": codes, "code": next(iter(codes), ""),
                "others": max(len(codes) - 1, 0), "outcome": outcome, "shape": words.SHAPES[outcome],
                "error_code": message.error_code, "words": remedies.plain(traffic.words_of(message.reply)),
                "forwarded": message.forwarded_to, "forward_http": message.forward_http, "http": message.http,
                "took": words.milliseconds(message.forward_us), "took_us": message.forward_us,
                "href": reverse("collector-message", args=(message.pk,)),
            }
        )  # fmt: skip
    return rows


@require_GET
@operators
@asks
def workbook(request: HttpRequest) -> FileResponse:
    """The same list as a workbook: same filter, same order, nothing of a person in it."""
    now = timezone.now()
    asked = _asked(request, local_day(now))
    rows = _rows(traffic.page(asked, limit=_MOST)[0])
    columns: list[workbooks.Column] = [
        (gettext("Số"), 10, lambda row: row["number"]),
        (gettext("Đến lúc"), 18, lambda row: f"{row['at'].astimezone(VIET_NAM):%d/%m/%Y %H:%M:%S}"),
        (gettext("Nơi gửi"), 14, lambda row: row["sender"]),
        (gettext("Tên nơi gửi"), 30, lambda row: row["name"]),
        (gettext("Dịch vụ"), 24, lambda row: row["service_code"]),
        (gettext("Mã hồ sơ"), 27, lambda row: row["code"]),
        (gettext("Số hồ sơ khác"), 10, lambda row: row["others"]),
        (gettext("Kết quả"), 16, lambda row: words.OUTCOMES[row["outcome"]]),
        (gettext("Mã lỗi"), 8, lambda row: "" if row["error_code"] is None else row["error_code"]),
        (gettext("Lời trả lời"), 60, lambda row: row["words"]),
        (gettext("Chuyển tiếp tới"), 36, lambda row: row["forwarded"]),
        (gettext("Cổng trả lời sau"), 12, lambda row: row["took"]),
        (gettext("Địa chỉ"), 40, lambda row: row["path"]),
    ]
    stream = workbooks.table(
        columns, rows, sheet=gettext("Bản tin"), title=gettext("Bản tin tại điểm thu dữ liệu"),
        line=gettext("{day}; lúc {at}; {n} bản tin; lập bởi {who}").format(
            day=f"{asked.day:%d/%m/%Y}" if asked.day else gettext("mọi ngày"), at=labels.instant(now),
            n=labels.number(len(rows)), who=request.user,
        ), author=str(request.user),
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("ban-tin", now, "xlsx"))


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def shown(request: HttpRequest, number: int) -> HttpResponse:
    """A message on a page of its own, masked; whole for whoever says why, which is kept."""
    message = Message.objects.filter(pk=number).first() if number < 2**63 else None
    if message is None:
        raise Http404
    reason, whole, short = request.POST.get("reason", ""), False, False
    if request.method == "POST":
        try:
            looks.keep(message=number, actor=person(request), at=timezone.now(), reason=reason)
            whole = True
        except looks.NoReason:
            short = True
    [row] = _rows([message])
    return page(
        request,
        "collector/message.html",
        {
            "row": row,
            "all_codes": [{"code": code, "href": link(code=code)} for code in row["codes"]],
            "request_text": _text(bytes(message.body), whole, gettext("Bản tin gửi")),
            "answer_text": _text(message.reply.encode(), whole, gettext("Trả lời")),
            "bytes": len(bytes(message.body)),
            "forgotten": retention.forgotten(message),
            "whole": whole,
            "short": short,
            "reason": reason,
            "shortest": looks.SHORTEST,
            "looks": looks.of(number),
            "back": link(day=local_day(message.received_at)),
        },
        status=400 if short else 200,
    )


def _text(body: bytes, whole: bool, name: str) -> dict[str, Any]:
    """A body as the page shows it. What is no JSON cannot be masked: it is shown whole or not at all."""
    text = masked.text(body, whole=whole) if body else ""
    hidden = text is None and not whole
    if text is None:
        text = body.decode("utf-8", "replace") if whole else ""
    return {"text": text[:_LETTERS], "hidden": hidden, "cut": len(text) > _LETTERS, "name": name}
