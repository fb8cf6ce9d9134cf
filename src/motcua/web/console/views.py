"""The pages of the console. Views translate, and make one call."""

from __future__ import annotations

import io
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET

from motcua.accounts import powers
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency
from motcua.dossiers.models import DossierRow
from motcua.inspection.remedies import REMEDIES
from motcua.oversight import explain, figures
from motcua.oversight.figures import Filter, Question
from motcua.rules.instants import VIET_NAM, Unreadable, local_day, parse_instant
from motcua.web import labels
from motcua.web.console import pictures

#: What a figure is asked for; it lives in the address, so that a page can be sent to a colleague.
_ASKED = ("measure", "period", "as_of", "agency", "policy")
_CHOSEN = ("side", "leg", "cause", "direction", "by", "key", "flag")


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """The only page, beside the health address, that is open to all."""

    template_name = "sign_in.html"


@login_not_required
@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """For a watcher: the process answers and the database is there."""
    DossierRow.objects.exists()
    return JsonResponse({"ok": True})


def _question(request: HttpRequest, now: datetime, measure: str = "open") -> tuple[Question, dict[str, str]]:
    asked = {name: request.GET[name] for name in _ASKED if request.GET.get(name)}
    question = Question(
        measure=asked.get("measure", measure),  # type: ignore[arg-type]
        period=asked.get("period"),
        as_of=parse_instant(asked["as_of"]) if "as_of" in asked else None,
        agency=asked.get("agency"),
        policy=asked.get("policy", "default"),
        scope_of=powers.scope(request.user, on=local_day(now)),
    )
    return question, {**asked, "measure": question.measure}


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, template, {"words": labels, **context}, status=status)


def _unusable(request: HttpRequest, error: Unreadable) -> HttpResponse:
    if "there are no facts" in str(error):
        return _page(request, "empty.html", {})
    return _page(request, "unusable.html", {"reason": str(error)}, status=400)


@require_GET
def bridge(request: HttpRequest) -> HttpResponse:
    """Đối chiếu trễ hạn: three tiles, the waterfall of the chosen one, the split."""
    now = timezone.now()
    try:
        question, asked = _question(request, now)
        by = request.GET.get("by", "agency")
        ask = partial(figures.bridge, settings.HOME, now=now)
        tiles = []
        document: dict[str, Any] = {}
        for measure in ("reception", "open", "finished"):
            chosen = measure == question.measure
            one = ask(_as(question, measure), by=by if chosen else None)
            tiles.append({"measure": measure, "chosen": chosen, "shown": one["late_shown"], "true": one["late_true"],
                          "href": "?" + urlencode({**asked, "measure": measure, "by": by})})  # fmt: skip
            document = one if chosen else document
        if not document:
            document = ask(question, by=by)
    except Unreadable as error:
        return _unusable(request, error)
    return _page(
        request,
        "bridge.html",
        {
            "tiles": tiles,
            "document": document,
            "picture": pictures.waterfall(document, asked),
            "rows": _rows(document, asked, by),
            "by": by,
            "asked": asked,
            "dimensions": [(key, title, "?" + urlencode({**asked, "by": key})) for key, title in
                           labels.DIMENSIONS.items()],
            "flags": [(title, document[key], "/ho-so?" + urlencode({**asked, "flag": key}))
                      for key, title in labels.FLAGS.items()],
        },
    )  # fmt: skip


def _as(question: Question, measure: str) -> Question:
    return Question(**{**{n: getattr(question, n) for n in Question.__dataclass_fields__}, "measure": measure})


def _rows(document: dict[str, Any], asked: dict[str, str], by: str) -> list[dict[str, Any]]:
    rows = []
    for row in sorted(document["rows"], key=lambda row: -row["late_shown"]):
        legs = {leg: sum(c["removed"] - c["added"] for c in row["causes"] if c["leg"] == leg) for leg in labels.LEGS}
        link = partial(urlencode, doseq=False)
        base = {**asked, "by": by, "key": row["key"]}
        rows.append(
            {**row, "legs": legs, "all": "/ho-so?" + link(base),
             "sides": [(row[f"late_{side}"], "/ho-so?" + link({**base, "side": side})) for side in labels.SIDES]}
        )  # fmt: skip
    return rows


def _filter(request: HttpRequest) -> tuple[Filter, dict[str, str]]:
    chosen = {name: request.GET[name] for name in _CHOSEN if name in request.GET and request.GET[name] != ""}
    if "by" in chosen:
        chosen["key"] = request.GET.get("key", "")
    return Filter(**chosen), chosen


def _title(chosen: dict[str, str]) -> str:
    parts = []
    if "side" in chosen:
        parts.append(f"trễ hạn {labels.SIDES.get(chosen['side'], chosen['side']).lower()}")
    if "cause" in chosen:
        parts.append(labels.CAUSES.get(chosen["cause"], chosen["cause"]))
    elif "leg" in chosen:
        parts.append(labels.LEGS.get(chosen["leg"], chosen["leg"]))
    if "direction" in chosen:
        parts.append({"removed": "bớt đi", "added": "thêm vào"}.get(chosen["direction"], ""))
    if "flag" in chosen:
        parts.append(labels.FLAGS.get(chosen["flag"], chosen["flag"]).lower())
    if "key" in chosen:
        parts.append(f"{labels.DIMENSIONS.get(chosen['by'], '')} {chosen['key']}")
    return " · ".join(part for part in parts if part)


@require_GET
def dossiers(request: HttpRequest) -> HttpResponse:
    """The dossiers behind a number: exactly as many as it says."""
    now = timezone.now()
    try:
        question, asked = _question(request, now, "all")
        chosen, named = _filter(request)
        after = request.GET.get("after") or None
        document = figures.dossiers(settings.HOME, question, chosen, now=now, after=after)
    except Unreadable as error:
        return _unusable(request, error)
    query = {**asked, **named}
    return _page(
        request,
        "dossiers.html",
        {
            "document": document,
            "title": _title(named),
            "asked": asked,
            "first": not after,
            "next": "?" + urlencode({**query, "after": document["next"]}) if document["next"] else "",
            "start": "?" + urlencode(query),
            "workbook": "/ho-so.xlsx?" + urlencode(query),
            "back": "/?" + urlencode(asked),
        },
    )


@require_GET
def dossiers_workbook(request: HttpRequest) -> HttpResponse | FileResponse:
    """The same list as a workbook: same filter, same order; texts as texts."""
    import xlsxwriter

    now = timezone.now()
    try:
        question, _ = _question(request, now, "all")
        chosen, named = _filter(request)
        document = figures.dossiers(settings.HOME, question, chosen, now=now, limit=1_000_000)
    except Unreadable as error:
        return _unusable(request, error)
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm"})
    sheet = book.add_worksheet("Hồ sơ")
    bold = book.add_format({"bold": True, "text_wrap": True, "bottom": 1})
    sheet.write_string(0, 0, f"Danh sách hồ sơ: {labels.MEASURES[question.measure]} {_title(named)}".strip())
    made = f"Số liệu đến {datetime.fromisoformat(document['as_of']):%H:%M %d/%m/%Y}; cách tính {document['policy']}; "
    sheet.write_string(1, 0, f"{made}{document['total']} hồ sơ; lập bởi {request.user.get_username()}")
    heads = ("STT", "Mã hồ sơ", "Thủ tục", "Đơn vị", "Tiếp nhận", "Hẹn trả", "Kết thúc", "Cổng", "Một cửa", "Thực tế",
             "Do đồng bộ", "Do thao tác")  # fmt: skip
    for column, head in enumerate(heads):
        sheet.write_string(3, column, head, bold)
    for number, row in enumerate(document["rows"], 1):
        line = 3 + number
        sheet.write_number(line, 0, number)
        for column, text in ((1, row["dossier"]), (2, row["procedure_name"]), (3, row["agency_name"])):
            sheet.write_string(line, column, text)
        for column, name in ((4, "received_at"), (5, "due_at"), (6, "finished_at")):
            if row[name]:
                at = datetime.fromisoformat(row[name]).astimezone(VIET_NAM).replace(tzinfo=None)
                sheet.write_datetime(line, column, at)
        for column, side in ((7, "shown"), (8, "recorded"), (9, "true")):
            sheet.write_string(line, column, "trễ" if row[side] else "")
        sheet.write_string(line, 10, labels.CAUSES.get(row["sync_cause"], ""))
        sheet.write_string(line, 11, labels.CAUSES.get(row["record_cause"], ""))
    sheet.freeze_panes(4, 2)
    sheet.autofilter(3, 0, 3 + len(document["rows"]), len(heads) - 1)
    sheet.set_column(1, 1, 26)
    sheet.set_column(2, 3, 38)
    sheet.set_column(4, 6, 17)
    sheet.set_column(10, 11, 26)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(3)
    book.close()
    stream.seek(0)
    return FileResponse(stream, as_attachment=True, filename=f"ho-so-{now.astimezone(VIET_NAM):%Y%m%d-%H%M}.xlsx")


@require_GET
def findings(request: HttpRequest) -> HttpResponse:
    """Findings with their proof; the filters live in the address."""
    now = timezone.now()
    try:
        question, asked = _question(request, now, "all")
        leg, cause = request.GET.get("leg", ""), request.GET.get("cause", "")
        document = figures.inspect(settings.HOME, question, now=now)
    except Unreadable as error:
        return _unusable(request, error)
    counts: dict[tuple[str, str], int] = {}
    for finding in document["findings"]:
        counts[finding["leg"], finding["cause"]] = counts.get((finding["leg"], finding["cause"]), 0) + 1
    listed = [f for f in document["findings"] if (not leg or f["leg"] == leg) and (not cause or f["cause"] == cause)]
    page = max(int(request.GET.get("page", "1")) if request.GET.get("page", "1").isdigit() else 1, 1)
    size = 50
    query = {**asked, **{k: v for k, v in (("leg", leg), ("cause", cause)) if v}}
    return _page(
        request,
        "findings.html",
        {
            "document": document,
            "total": len(listed),
            "findings": listed[(page - 1) * size : page * size],
            "first": (page - 1) * size + 1,
            "last": min(page * size, len(listed)),
            "next": "?" + urlencode({**query, "page": page + 1}) if page * size < len(listed) else "",
            "previous": "?" + urlencode({**query, "page": page - 1}) if page > 1 else "",
            "groups": [
                (labels.LEGS[g], labels.CAUSES[c], n, "?" + urlencode({**asked, "leg": g, "cause": c}), (g, c) ==
                 (leg, cause))
                for (g, c), n in sorted(counts.items(), key=lambda item: -item[1])
            ],
            "everything": "?" + urlencode(asked),
            "chosen": bool(leg or cause),
        },
    )  # fmt: skip


@require_GET
def dossier(request: HttpRequest, code: str) -> HttpResponse:
    """One dossier: three verdicts, one sentence, the picture, whose minutes, why that day."""
    now = timezone.now()
    try:
        as_of = request.GET.get("as_of")
        story = explain.dossier(settings.HOME, code, now=now, as_of=parse_instant(as_of) if as_of else None)
    except Unreadable as error:
        return _unusable(request, error)
    scope = powers.scope(request.user, on=local_day(now))
    if story is None:
        raise Http404(code)
    if scope is not None and story["agency"] not in scope:
        return _page(request, "forbidden.html", {"code": code}, status=403)
    total = sum(share["minutes"] for share in story["minutes"])
    causes = [
        (labels.LEGS[leg], labels.CAUSES[cause], labels.REMEDIES[REMEDIES[cause]])
        for leg, cause in story["causes"].items()
        if cause
    ]
    return _page(
        request,
        "dossier.html",
        {
            "story": story,
            "sides": [(title, story[side]) for side, title in labels.SIDES.items()],
            "causes": causes,
            "picture": pictures.timeline(story),
            "total": total,
            "late_total": sum(share["late_minutes"] for share in story["minutes"]),
        },
    )


@require_GET
def agencies(request: HttpRequest) -> HttpResponse:
    """Agencies with their rates; small ones are told in dossiers and not ranked."""
    now = timezone.now()
    try:
        question, asked = _question(request, now, "all")
        rows = {
            side: {r["key"]: r for r in figures.rates(settings.HOME, question, now=now, by="agency", verdict=side)
                   ["rows"]}
            for side in labels.SIDES
        }  # fmt: skip
    except Unreadable as error:
        return _unusable(request, error)
    listed = []
    for key, recorded in rows["recorded"].items():
        true = rows["true"].get(key, recorded)
        shown = rows["shown"].get(key)
        listed.append(
            {
                "key": key, "name": recorded["name"], "received": recorded["received"], "small":
                recorded["received"] < 30, "late_shown": shown["late"] + shown["open_overdue"] if shown else 0,
                "late_recorded": recorded["late"] + recorded["open_overdue"],
                "late_true": true["late"] + true["open_overdue"], "rate_shown": shown["rate"] if shown else None,
                "rate": recorded["rate"], "rate_true": true["rate"], "good": true["early"] + true["on_time"],
                "finished": true["finished"],
                "href": "/?" + urlencode({**asked, "measure": "open", "agency": key, "by": "procedure"}),
            }
        )  # fmt: skip
    listed.sort(key=lambda row: (row["small"], row["rate_true"] if row["rate_true"] is not None else 2, row["key"]))
    return _page(request, "agencies.html", {"rows": listed, "now": now})


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """A code opens its dossier; words find agencies, without diacritics."""
    text = request.GET.get("q", "").strip()
    if text and DossierRow.objects.filter(code=text).exists():
        return redirect("dossier", text)
    found: list[DossierRow] = []
    named: list[Agency] = []
    if text:
        found = list(DossierRow.objects.filter(code__contains=text).order_by("code")[:50])
        named = list(Agency.objects.filter(folded__contains=fold(text)).order_by("code")[:50])
    return _page(request, "search.html", {"q": text, "found": found, "agencies": named})


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Not for this person."""
    return _page(request, "forbidden.html", {}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing here."""
    return _page(request, "not_found.html", {"code": str(exception)[:200]}, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """The fault is ours."""
    return render(request, "broken.html", {"words": labels}, status=500)
