"""Đối chiếu trễ hạn: three tiles, the waterfall of the chosen one, the split."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.inspection.remedies import REMEDIES
from motcua.oversight import figures, levels
from motcua.web import labels
from motcua.web.console import pictures, workbooks
from motcua.web.console.asked import FILTER, QUESTION, Asked, chips, choices, pinned, read, titled
from motcua.web.console.pages import asks, code, page

_TILES = ("reception", "open", "finished")
_FOLDED = 25  # rows of the split before "show all"


@require_GET
@asks
def bridge(request: HttpRequest) -> HttpResponse:
    """The inspector's home."""
    asked = read(request, measure="open", more=("sort", "all"))
    by = asked.query.get("by", "agency")
    documents = {
        measure: figures.bridge(
            settings.HOME, asked.of(measure), now=asked.now, by=by if measure == asked.question.measure else None
        )
        for measure in {*_TILES, asked.question.measure}
    }
    document = documents[asked.question.measure]
    here = pinned(asked, document["as_of"])
    rows = _rows(document, here, by, asked.query.get("sort", "shown"))
    known = levels.levels(settings.HOME, asked.question, now=asked.now)
    everything = "all" in asked.query or len(rows) <= _FOLDED
    return page(
        request,
        "bridge.html",
        {
            "asked": asked,
            "here": here,
            "document": document,
            "level": known["level"],
            "looked": levels.looked_there(known),
            "levels": here.link("/muc-du-lieu"),
            "tiles": [_tile(documents[measure], asked, by) for measure in _TILES],
            "waterfall": pictures.waterfall(document, here),
            "reading": _reading(document, here),
            "flags": _flags(document, here),
            "rows": rows if everything else rows[:_FOLDED],
            "hidden": 0 if everything else len(rows) - _FOLDED,
            "show_all": asked.link("/", by=by, sort=asked.query.get("sort"), all=1),
            "sort": asked.query.get("sort", "shown"),
            "sorts": {
                name: asked.link("/", by=by, sort=name) for name in ("name", "population", "shown", "recorded", "true")
            },
            "by": by,
            "dimensions": [(key, title, asked.link("/", by=key)) for key, title in labels.DIMENSIONS.items()],
            "chips": chips(asked, "/"),
            "choices": choices(asked),
            "workbook": here.link("/doi-chieu.xlsx", keep=(*QUESTION, *FILTER), by=by),
            "picture": here.link("/doi-chieu.svg"),
            "province": asked.question.scope_of is None,
        },
    )


@require_GET
@asks
def bridge_workbook(request: HttpRequest) -> FileResponse:
    """The bridge and its split as a workbook that adds up before the reader's eyes."""
    asked = read(request, measure="open")
    by = asked.query.get("by", "agency")
    document = figures.bridge(settings.HOME, asked.question, now=asked.now, by=by)
    stream = workbooks.bridge(
        document, by=by, title=titled(asked), author=str(request.user), period=asked.question.period
    )
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("doi-chieu", asked.now, "xlsx"))


@require_GET
@asks
def bridge_picture(request: HttpRequest) -> HttpResponse:
    """The waterfall as an image by itself, for a report or a slide."""
    asked = read(request, measure="open")
    document = figures.bridge(settings.HOME, asked.question, now=asked.now)
    context = {
        "document": document,
        "title": titled(asked),
        "code": code(document),
        **pictures.drawn(pictures.waterfall(document, asked)),
    }
    reply = render(request, "bridge.svg", context, content_type="image/svg+xml")
    reply["Content-Disposition"] = f'attachment; filename="{workbooks.name("doi-chieu", asked.now, "svg")}"'
    return reply


def _tile(document: dict[str, Any], asked: Asked, by: str) -> dict[str, Any]:
    measure = document["measure"]
    return {
        "measure": measure,
        "shape": "reception" if measure == "reception" else "late",
        "chosen": measure == asked.question.measure,
        "shown": document["late_shown"],
        "recorded": document["late_recorded"],
        "true": document["late_true"],
        "population": document["population"],
        "href": asked.link("/", measure=measure, by=None if by == "agency" else by),
    }


def _legs(causes: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """What each leg took away and put there, in whole."""
    return {
        leg: {way: sum(c[way] for c in causes if c["leg"] == leg) for way in labels.DIRECTIONS} for leg in labels.LEGS
    }


def _reading(document: dict[str, Any], here: Asked) -> dict[str, Any]:
    """The picture in a few words: how much is ours to send again, how much was clicked late, where to begin."""
    known = [c for c in document["causes"] if c["cause"] not in ("unexplained", "not_enough_data")]
    greatest = max(known, key=lambda c: c["removed"] + c["added"], default=None)
    legs = _legs(document["causes"])
    first = None
    if greatest and greatest["removed"] + greatest["added"]:
        first = {
            "cause": greatest["cause"],
            "leg": greatest["leg"],
            "count": greatest["removed"] + greatest["added"],
            "remedy": labels.REMEDIES[REMEDIES[greatest["cause"]]],
            "href": here.link("/ho-so", leg=greatest["leg"], cause=greatest["cause"]),
        }
    return {
        "first": first,
        "legs": [
            {"leg": leg, **ways, "href": here.link("/nguyen-nhan", leg=leg)} for leg, ways in legs.items()
        ],
    }  # fmt: skip


def _flags(document: dict[str, Any], here: Asked) -> list[dict[str, Any]]:
    """Six different things are never one grey box."""
    flags = [
        {"title": title, "hint": labels.FLAG_HINTS[key], "count": document[key], "href": here.link("/ho-so", flag=key)}
        for key, title in labels.FLAGS.items()
    ]
    missing = here.link("/nguyen-nhan", cause="not_enough_data")
    flags.append({"title": gettext("Chưa đủ dữ liệu"), "hint": labels.FLAG_HINTS["not_enough_data"],
                  "count": document["not_enough_data"], "href": missing})  # fmt: skip
    return flags


def _rows(document: dict[str, Any], here: Asked, by: str, sort: str) -> list[dict[str, Any]]:
    rows = []
    for row in document["rows"]:
        of = {"by": by, "key": row["key"]}
        legs = _legs(row["causes"])
        unknown = [c for c in row["causes"] if c["cause"] == "unexplained"]
        rows.append(
            {
                **row,
                "all": here.link("/ho-so", **of),
                "sides": [
                    (row[f"late_{side}"], here.link("/ho-so", **of, side=side), labels.SHORT_SIDES[side])
                    for side in labels.SIDES
                ],
                "legs": [
                    [(sign, ways[way], here.link("/ho-so", **of, leg=leg, direction=way))
                     for way, sign in (("removed", "−"), ("added", "+")) if ways[way]]
                    for leg, ways in legs.items()
                ],
                "unexplained": sum(c["removed"] + c["added"] for c in unknown),
                "narrow": here.link("/", agency=row["key"], by="procedure") if by == "agency" else None,
            }
        )  # fmt: skip
    if sort == "name":
        return sorted(rows, key=lambda row: (row["name"], row["key"]))
    column = {"population": "population", "recorded": "late_recorded", "true": "late_true"}.get(sort, "late_shown")
    return sorted(rows, key=lambda row: (-row[column], row["key"]))
