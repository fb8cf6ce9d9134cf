"""Nạp dữ liệu: a list from a file to the figures, in five steps; the work is done by a process beside the pages."""

from __future__ import annotations

from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.accounts import powers
from motcua.catalogue.models import Agency
from motcua.dossiers.importing import guess
from motcua.dossiers.importing.guess import Kind
from motcua.dossiers.models import Load
from motcua.inspection.verdicts import Measure
from motcua.oversight import figures, levels, loads, named
from motcua.oversight.figures import Question
from motcua.oversight.models import PublishedList
from motcua.rules.instants import VIET_NAM, Unreadable, local_day
from motcua.web import labels
from motcua.web.console import loading_words, workbooks
from motcua.web.console.pages import View, asks, page

State = Load.State
_SHOWN = 20  # real rows on which a person corrects the columns
_AGAIN_S = 2  # a page about work in hand asks again, without a script
_LISTED = 50  # loads on the page
_TILES: tuple[Measure, ...] = ("reception", "open", "finished")
_ONE_SIDE = 200  # codes shown of those that only one side has
#: The columns whose words a person is asked about, and how many of them at once.
_ASKED = ("verdict", "state", "activity", "channel")
_WORDS_SHOWN = 60


def wake() -> None:
    """Has the loads worked on; nobody waits for it."""
    loads.start(settings.HOME)


def _of_the_province(view: View) -> View:
    """Lists of the whole province are loaded by those who see the whole province."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if powers.scope(request.user, on=local_day(timezone.now())) is not None:
            return page(request, "not_yours.html", status=403)
        return view(request, *args, **kwargs)

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@_of_the_province
def loading(request: HttpRequest) -> HttpResponse:
    """Step 1, and every load so far."""
    error = ""
    if request.method == "POST":
        files = request.FILES.getlist("file")
        for file in files:
            load = loads.receive(
                str(file.name), iter(file.chunks()), home=settings.HOME, by=request.user.get_username(),
                at=timezone.now(), source=request.POST.get("source", "").strip(),
            )  # fmt: skip
        if files:
            wake()
            return redirect("load", load.pk) if len(files) == 1 else redirect("loading")
        error = loading_words.ERRORS["no_file"]
    known = Load.objects.order_by("-pk")
    working = known.filter(state__in=loads.WORKING).exists()
    answer = page(
        request,
        "loading.html",
        {
            "error": error,
            "loads": [_row(load) for load in known[:_LISTED]],
            "more": max(known.count() - _LISTED, 0),
            "sources": sorted(set(known.exclude(source="").values_list("source", flat=True))),
        },
        status=400 if error else 200,
    )
    if working:
        answer["Refresh"] = str(_AGAIN_S)
    return answer


def _row(load: Load) -> dict[str, Any]:
    return {
        "load": load,
        "kind": loading_words.KINDS.get(load.kind, ""),
        "state": loading_words.STATES[load.state],
        "dead": _dead(load),
    }


def _dead(load: Load) -> bool:
    """Whether a process should work on it and none does."""
    return load.pk in loads.waiting(at=timezone.now()) and load.state in loads.WORKING


@require_http_methods(["GET", "HEAD", "POST"])
@_of_the_province
def load(request: HttpRequest, number: int) -> HttpResponse:
    """One load: the step that it is at."""
    known = Load.objects.filter(pk=number).first()
    if known is None:
        raise Http404
    error = ""
    if request.method == "POST":
        try:
            if _acted(request, known):
                wake()
            return redirect("load", number)
        except loads.Refusal:
            error = loading_words.ERRORS["moved_on"]
            known.refresh_from_db()
        except _Mistake as mistake:
            error = str(mistake)
    context = {"load": known, "row": _row(known), "error": error, "same": loads.same(known),
               "unreadable": loading_words.unreadable(known.error)}  # fmt: skip
    match known.state:
        case State.LOOKED:
            context |= _columns(request, known)
        case State.CHECKED:
            context |= _columns(request, known) if "columns" in request.GET else _preview(known)
        case State.DONE | State.WITHDRAWN:
            context |= _done(known)
    answer = page(request, "load.html", context, status=400 if error else 200)
    if known.state in loads.WORKING:
        answer["Refresh"] = str(_AGAIN_S)
    return answer


class _Mistake(Exception):
    """Something in the form is missing or impossible; the text tells the person what."""


def _acted(request: HttpRequest, load: Load) -> bool:
    """Does what a button says. Returns whether a process has work now."""
    form, now = request.POST, timezone.now()
    match form.get("act"):
        case "columns":
            kind, columns, head = _confirmed(request, load)
            loads.confirm(load, kind=kind, source=form.get("source", "").strip(), columns=columns, head=head)
        case "values":
            values, units = _meant(request, load)
            loads.reconsider(load, values=values, units=units)
        case "begin":
            loads.begin(load, at=now)
        case "withdraw":
            loads.withdraw(load, by=request.user.get_username(), at=now)
        case "go_on":
            pass
        case _:
            raise loads.Refusal("no such act")
    return True


def _confirmed(request: HttpRequest, load: Load) -> tuple[Kind, dict[str, int], dict[str, Any]]:
    form = request.POST
    if form.get("kind") not in guess.LOADED:
        raise _Mistake(loading_words.ERRORS["no_kind"])
    kind = Kind(form["kind"])
    columns: dict[str, int] = {}
    for n in range(_width(load)):
        name = form.get(f"column-{n}", "")
        if name in guess.FIELDS[kind]:
            if name in columns:
                raise _Mistake(loading_words.ERRORS["twice"].format(name=loading_words.FIELDS[name]))
            columns[name] = n
    missing = [loading_words.FIELDS[name] for name in guess.NEEDED[kind] if name not in columns]
    if missing:
        raise _Mistake(loading_words.ERRORS["no_column"].format(names=", ".join(missing)))
    return kind, columns, _head(request) if kind is Kind.PUBLISHED else {}


def _head(request: HttpRequest) -> dict[str, Any]:
    """What a published list says of itself."""
    form = request.POST
    try:
        day = datetime.fromisoformat(form.get("dated", ""))
    except ValueError:
        raise _Mistake(loading_words.ERRORS["no_day"]) from None
    if day.date() > local_day(timezone.now()):
        raise _Mistake(loading_words.ERRORS["day_to_come"])
    count = form.get("count", "").strip().replace(".", "")
    if count and not (count.isascii() and count.isdigit()):
        raise _Mistake(loading_words.ERRORS["bad_count"])
    measure = form.get("measure", "all")
    unit = form.get("unit", "")
    return {
        "document": form.get("document", "").strip()[:200],
        "dated_at": day.replace(hour=23, minute=59, second=59, tzinfo=VIET_NAM).isoformat(),
        "measure": measure if measure in PublishedList.Measure.values else "all",
        "unit": unit if Agency.objects.filter(code=unit).exists() else "",
        "stated_count": int(count) if count else None,
    }


def _meant(request: HttpRequest, load: Load) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """What the words and the units' names mean, from the form; what it does not ask stays."""
    values = {name: dict(words) for name, words in load.values.items()}
    for name in _ASKED:
        for n, word in enumerate(load.words.get(name, {})):
            meant = request.POST.get(f"{name}-{n}")
            if meant in guess.MEANT[name]:
                values.setdefault(name, {})[word] = meant
    units = dict(load.units)
    for n, name in enumerate(load.words.get("unit", {})):
        code = request.POST.get(f"unit-{n}")
        if code is not None:
            units[name] = code.split(" ")[0].strip()[:64]
    return values, units


def _width(load: Load) -> int:
    data = [cells for _, cells in loads.sample(settings.HOME, load)]
    return max([len(load.headings), *map(len, data)], default=0)


def _columns(request: HttpRequest, load: Load) -> dict[str, Any]:
    """Steps 2 and 3: what it is, and which column holds what, on real rows."""
    data = loads.sample(settings.HOME, load)
    chosen = request.GET.get("kind", "") or request.POST.get("kind", "")
    kind = Kind(chosen) if chosen in guess.LOADED else Kind(load.kind or Kind.UNKNOWN)
    shown = kind if kind in guess.LOADED else Kind.DOSSIERS
    columns = loads.columns_for(load, shown, load.source, [cells for _, cells in data])
    if load.state == State.CHECKED and kind == load.kind:
        columns = load.columns
    of = {at: name for name, at in columns.items()}
    width = _width(load)
    today = local_day(timezone.now())
    head = load.head or {}
    return {
        "step": 3,
        "kind": kind,
        "not_loadable": kind not in guess.LOADED,
        "kinds": [(k, loading_words.KINDS[k], loading_words.KIND_HINTS[k]) for k in guess.LOADED],
        "columns": [
            {
                "n": n,
                "heading": load.headings[n] if n < len(load.headings) else "",
                "chosen": request.POST.get(f"column-{n}", of.get(n, "")),
            }
            for n in range(width)
        ],
        "fields": [(name, loading_words.FIELDS[name], name in guess.NEEDED[shown]) for name in guess.FIELDS[shown]],
        "data": [(line, [*cells, *[""] * (width - len(cells))]) for line, cells in data[:_SHOWN]],
        "published": shown is Kind.PUBLISHED,
        "head": {
            "document": request.POST.get("document", head.get("document", "")),
            "dated": request.POST.get("dated", head.get("dated_at", today.isoformat())[:10]),
            "measure": request.POST.get("measure", head.get("measure", "all")),
            "unit": request.POST.get("unit", head.get("unit", "")),
            "count": request.POST.get("count", "" if head.get("stated_count") is None else head["stated_count"]),
        },
        "agencies": list(Agency.objects.order_by("code").values_list("code", "name")),
    }


def _preview(load: Load) -> dict[str, Any]:
    """Steps 4 and 5: what words and units mean, what goes in, what does not."""
    words = []
    for name in _ASKED:
        rows = [
            {
                "n": n,
                "word": word,
                "count": count,
                "meant": load.values.get(name, {}).get(word) or guess.meaning(name, word),
            }
            for n, (word, count) in enumerate(load.words.get(name, {}).items())
        ]
        if rows:
            shown = sorted(rows, key=lambda row: row["meant"] != "")[:_WORDS_SHOWN]
            words.append(
                {
                    "field": name,
                    "title": loading_words.FIELDS[name],
                    "rows": shown,
                    "unknown": sum(not row["meant"] for row in rows),
                    "choices": [(meant, loading_words.MEANINGS[meant]) for meant in guess.MEANT[name]],
                }
            )
    names = dict(Agency.objects.values_list("code", "name"))
    units = [
        {"n": n, "word": word, "count": count, "code": load.units.get(word, ""),
         "name": names.get(load.units.get(word, ""), "")}
        for n, (word, count) in enumerate(load.words.get("unit", {}).items())
    ]  # fmt: skip
    refused = [
        {"line": line, "column": loading_words.FIELDS.get(column, column), "reason": loading_words.reason(code, value)}
        for (line, column, code, value, _), _ in zip(loads.refused_rows(settings.HOME, load), range(10), strict=False)
    ]
    return {
        "step": 5,
        "asked": words,
        "units": sorted(units, key=lambda unit: unit["code"] != "")[:_WORDS_SHOWN * 5],
        "units_unknown": sum(not unit["code"] for unit in units),
        "agencies": list(Agency.objects.order_by("code").values_list("code", "name")),
        "first_refused": refused,
        "all": load.taken + load.repeated + load.refused,
    }  # fmt: skip


def _done(load: Load) -> dict[str, Any]:
    """After a load: the three tiles, and whether the letter's number agrees."""
    context: dict[str, Any] = {"step": 6}
    now = timezone.now()
    try:
        context["tiles"] = [
            {
                "measure": measure,
                "document": figures.bridge(settings.HOME, Question(measure=measure), now=now),
                "href": f"{reverse('bridge')}?measure={measure}",
                "shape": "reception" if measure == "reception" else "late",
            }
            for measure in _TILES
        ]
        context["looked"] = levels.looked_there(levels.levels(settings.HOME, Question(), now=now))
        if load.kind == Kind.PUBLISHED and load.state == State.DONE and load.published_list:
            context["match"] = _match(load)
    except Unreadable:  # the first facts are on their way
        context["no_facts"] = True
    return context


def _match(load: Load) -> dict[str, Any]:
    """Khớp với số công bố?"""
    assert load.published_list is not None
    kept = PublishedList.objects.get(pk=load.published_list)
    question = Question(measure=kept.measure, as_of=kept.speaks_from, agency=kept.unit or None)  # type: ignore[arg-type]
    found = named.compare(settings.HOME, kept.pk, question, now=timezone.now())
    sides = [
        ("only_listed", gettext("Danh sách nêu trễ, số tính lại không có")),
        ("only_counted", gettext("Số tính lại có, danh sách không nêu")),
        ("not_here", gettext("Danh sách nêu, một cửa không có hồ sơ")),
        ("only_recorded", gettext("Một cửa ghi trễ, danh sách không nêu")),
    ]
    found["sides"] = [
        {"name": name, "title": title, "count": len(found[name]), "codes": found[name][:_ONE_SIDE]}
        for name, title in sides
    ]
    found["agrees"] = found["stated"] is None or found["stated"] == found["counted"]
    found["measure_name"] = labels.MEASURES[kept.measure]
    return found


@require_GET
@_of_the_province
@asks
def match_workbook(request: HttpRequest, number: int) -> FileResponse:
    """The codes that only one side has, as a workbook."""
    known = Load.objects.filter(pk=number, kind=Kind.PUBLISHED, state=State.DONE).first()
    if known is None:
        raise Http404
    found = _match(known)
    rows: list[dict[str, Any]] = [
        {"code": code, "side": side["title"]} for side in found["sides"] for code in found[side["name"]]
    ]
    stream = workbooks.table(
        [(gettext("Mã hồ sơ"), 30, lambda row: row["code"]), (gettext("Ở phía nào"), 50, lambda row: row["side"])],
        rows,
        sheet=gettext("Chỉ có ở một phía"),
        title=known.head.get("document") or known.file,
        line=gettext("Công văn nêu {stated}, danh sách {listed}, tính lại {counted}").format(
            stated=labels.number(found["stated"]) if found["stated"] is not None else "–",
            listed=labels.number(found["listed"]), counted=labels.number(found["counted"]),
        ),
        author=str(request.user),
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("mot-phia", timezone.now(), "xlsx"))


@require_GET
@_of_the_province
def refused_workbook(request: HttpRequest, number: int) -> FileResponse:
    """The refused rows as they came, each with its reason: to be corrected and loaded again."""
    known = Load.objects.filter(pk=number).first()
    if known is None:
        raise Http404
    width = _width(known)
    headings = [*known.headings, *[""] * (width - len(known.headings))]
    rows = [
        {"line": line, "column": loading_words.FIELDS.get(column, column),
         "reason": loading_words.reason(code, value), "cells": cells}
        for line, column, code, value, cells in loads.refused_rows(settings.HOME, known)
    ]  # fmt: skip
    columns: list[workbooks.Column] = [
        (gettext("Dòng"), 8, lambda row: row["line"]),
        (gettext("Lý do"), 60, lambda row: row["reason"]),
        (gettext("Cột"), 18, lambda row: row["column"]),
        *(
            (heading, 22, lambda row, n=n: row["cells"][n] if n < len(row["cells"]) else "")
            for n, heading in enumerate(headings)
        ),
    ]
    stream = workbooks.table(
        columns, rows, sheet=gettext("Dòng bị từ chối"), title=known.file, author=str(request.user),
        line=loading_words.rows(len(rows)),
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("tu-choi", timezone.now(), "xlsx"))
