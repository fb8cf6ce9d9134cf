"""Lists: the dossiers behind a number, the findings, the agencies. Each also as a workbook of the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.dossiers.models import DossierRow
from motcua.oversight import figures
from motcua.oversight.figures import Filter
from motcua.rules.instants import Unreadable, local_day
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.asked import FILTER, QUESTION, Asked, chips, choices, pinned, read, titled
from motcua.web.console.pages import asks, page
from motcua.web.orders import people

_SIZE = 50
_ALL = (*QUESTION, *FILTER, "severity")
_LEGS_IN_ORDER = {"sync": 0, "record": 1}
_SMALL = 30  # dossiers; below that an agency is told in dossiers and not ranked


@require_GET
@asks
def dossiers(request: HttpRequest) -> HttpResponse:
    """The dossiers behind a number: exactly as many as it says."""
    asked = read(request, more=("after", "n"))
    after = asked.query.get("after")
    document = figures.dossiers(settings.HOME, asked.question, asked.filter, now=asked.now, after=after, limit=_SIZE)
    here = pinned(asked, document["as_of"])
    first = _counted(asked.query.get("n")) if after else 1
    drafts = people.gives(request.user, on=local_day(asked.now))
    last = first + len(document["rows"]) - 1
    return page(
        request,
        "dossiers.html",
        {
            "asked": asked,
            "here": here,
            "document": document,
            "chips": chips(_plain(asked), "/ho-so"),
            "choices": choices(asked),
            "first": first,
            "last": last,
            "start": here.link("/ho-so", keep=_ALL) if after else "",
            "next": here.link("/ho-so", keep=_ALL, after=document["next"], n=last + 1) if document["next"] else "",
            "workbook": here.link("/ho-so.xlsx", keep=_ALL),
            "drafts": here.link(reverse("paper-new"), keep=_ALL) if drafts else "",
            "back": asked.link("/"),
            "wider": [] if document["rows"] else _wider(asked),
            "population": None if document["rows"] else _population(asked),
            "as_of": here.query["as_of"],
        },
    )


def _population(asked: Asked) -> int:
    """Over how many dossiers an empty list is empty."""
    population: int = figures.bridge(settings.HOME, asked.question, now=asked.now)["population"]
    return population


def _plain(asked: Asked) -> Asked:
    """The question without its place in the list."""
    return replace(asked, query={name: value for name, value in asked.query.items() if name in _ALL})


def _counted(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 10 else 1


def _wider(asked: Asked) -> list[dict[str, Any]]:
    """An empty list says which condition emptied it: how many there are without it."""
    found = []
    for chip in chips(_plain(asked), "/ho-so")[:4]:
        if chip["name"] == "as_of":
            continue
        question, chosen = _lifted(asked, chip["href"])
        total = figures.dossiers(settings.HOME, question, chosen, now=asked.now, limit=1)["total"]
        if total:
            found.append({**chip, "total": total})
    return found


def _lifted(asked: Asked, href: str) -> tuple[figures.Question, Filter]:
    left = {name: values[0] for name, values in parse_qs(urlsplit(href).query, keep_blank_values=True).items()}
    question = replace(asked.question, agency=left.get("agency"))
    return question, Filter(**{name: left[name] for name in FILTER if name in left})


@require_GET
@asks
def dossiers_workbook(request: HttpRequest) -> FileResponse:
    """The same list as a workbook: same filter, same order."""
    asked = read(request)
    document = figures.dossiers(settings.HOME, asked.question, asked.filter, now=asked.now, limit=1_000_000)
    stream = workbooks.dossiers(document, title=titled(asked), author=str(request.user), period=asked.question.period)
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("ho-so", asked.now, "xlsx"))


# ---- findings ----------------------------------------------------------------------------------------------------


def found(asked: Asked) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """All findings of the question, and those that the filter leaves, in order of dossier and leg."""
    if asked.filter.by or asked.filter.side or asked.filter.flag:
        raise Unreadable("findings are filtered by leg, cause, direction and severity")
    document = figures.inspect(settings.HOME, asked.question, now=asked.now)
    wanted = {name: asked.query[name] for name in ("leg", "cause", "direction", "severity") if name in asked.query}
    return document, [f for f in document["findings"] if all(f[name] == value for name, value in wanted.items())]


@require_GET
@asks
def findings(request: HttpRequest) -> HttpResponse:
    """Findings with their proof; the filters live in the address."""
    asked = read(request, more=("severity", "after", "n"))
    document, left = found(asked)
    here = pinned(asked, document["as_of"])
    after = asked.query.get("after", "")
    rows = [f for f in left if _place(f) > _key(after)] if after else left
    first = _counted(asked.query.get("n")) if after else 1
    codes = [f["dossier"] for f in rows[:_SIZE]]
    sources = dict(DossierRow.objects.filter(code__in=codes).values_list("code", "source"))
    shown = [
        {**f, "facts": labels.evidence(f), "source": sources.get(f["dossier"], "")} for f in rows[:_SIZE]
    ]  # fmt: skip
    last = first + len(shown) - 1
    more = f"{shown[-1]['dossier']}|{shown[-1]['leg']}" if len(rows) > _SIZE else None
    return page(
        request,
        "causes.html",
        {
            "asked": asked,
            "here": here,
            "document": document,
            "total": len(left),
            "findings": shown,
            "first": first,
            "last": last,
            "start": here.link("/nguyen-nhan", keep=_ALL) if after else "",
            "next": here.link("/nguyen-nhan", keep=_ALL, after=more, n=last + 1) if more else "",
            "groups": _groups(document, asked),
            "severities": _severities(document, asked),
            "everything": asked.link("/nguyen-nhan"),
            "workbook": here.link("/nguyen-nhan.xlsx", keep=_ALL),
            "ticket": here.link("/dong-bo/phieu/moi", keep=_ALL),
            "chips": chips(_plain(asked), "/nguyen-nhan"),
            "choices": choices(asked),
            "population": None if left else _population(asked),
            "as_of": here.query["as_of"],
        },
    )


def _place(finding: dict[str, Any]) -> tuple[str, int]:
    return finding["dossier"], _LEGS_IN_ORDER[finding["leg"]]


def _key(after: str) -> tuple[str, int]:
    code, _, leg = after.rpartition("|")
    return code, _LEGS_IN_ORDER.get(leg, 0)


def _groups(document: dict[str, Any], asked: Asked) -> list[dict[str, Any]]:
    """The causes by leg, the greatest first."""
    counts: dict[tuple[str, str], int] = {}
    for f in document["findings"]:
        counts[f["leg"], f["cause"]] = counts.get((f["leg"], f["cause"]), 0) + 1
    chosen = asked.query.get("leg"), asked.query.get("cause")
    return [
        {
            "leg": leg,
            "count": sum(n for (of, _), n in counts.items() if of == leg),
            "href": asked.link("/nguyen-nhan", leg=leg),
            "chosen": chosen == (leg, None),
            "causes": [
                {"cause": cause, "count": n, "href": asked.link("/nguyen-nhan", leg=leg, cause=cause),
                 "chosen": chosen == (leg, cause)}
                for (of, cause), n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
                if of == leg
            ],
        }
        for leg in labels.LEGS
    ]  # fmt: skip


def _severities(document: dict[str, Any], asked: Asked) -> list[dict[str, Any]]:
    keep = (*QUESTION, "leg", "cause")
    return [
        {
            "severity": severity,
            "count": sum(f["severity"] == severity for f in document["findings"]),
            "chosen": asked.query.get("severity") == severity,
            "href": asked.link("/nguyen-nhan", keep=keep, severity=severity),
        }
        for severity in labels.SEVERITIES
    ]


@require_GET
@asks
def findings_workbook(request: HttpRequest) -> FileResponse:
    """The findings that the filter leaves, as a workbook."""
    asked = read(request, more=("severity",))
    document, left = found(asked)
    stream = workbooks.findings(
        document, left, title=titled(asked), author=str(request.user), period=asked.question.period
    )
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("nguyen-nhan", asked.now, "xlsx"))


# ---- agencies ----------------------------------------------------------------------------------------------------


@require_GET
@asks
def agencies(request: HttpRequest) -> HttpResponse:
    """Agencies with their rates and a small bridge each; small ones are told in dossiers and not ranked."""
    asked = read(request)
    split = figures.bridge(settings.HOME, asked.question, now=asked.now, by="agency")
    told = {
        side: figures.rates(settings.HOME, asked.question, now=asked.now, by="agency", verdict=side)
        for side in labels.SIDES
    }
    rates = {side: {row["key"]: row for row in document["rows"]} for side, document in told.items()}
    totals = {side: document["total"] for side, document in told.items()}
    here = pinned(asked, split["as_of"])
    most = max((max(row[f"late_{side}"] for side in labels.SIDES) for row in split["rows"]), default=0) or 1
    rows = [_agency(row, {side: rates[side].get(row["key"]) for side in labels.SIDES}, here, most,
                    of={"by": "agency", "key": row["key"]})
            for row in split["rows"]]  # fmt: skip
    rows.sort(key=lambda row: (row["small"], row["true"] if row["true"] is not None else 2, row["key"]))
    return page(
        request,
        "agencies.html",
        {
            "asked": asked,
            "here": here,
            "document": split,
            "total": _agency({**split, "key": "", "name": gettext("Tất cả")}, totals, here, most, of={}),
            "rows": [row for row in rows if not row["small"]],
            "small": [row for row in rows if row["small"]],
            "threshold": _SMALL,
            "chips": chips(asked, "/don-vi"),
            "choices": choices(asked),
            "as_of": here.query["as_of"],
        },
    )


def _agency(
    row: dict[str, Any], rates: dict[str, Any], here: Asked, most: int, *, of: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """A row of the table; `of` narrows its lists to the agency."""
    true = rates["true"] or rates["recorded"] or rates["shown"]
    return {
        "key": row["key"],
        "name": row["name"],
        "population": row["population"],
        "small": true is None or true["received"] < _SMALL,
        "sides": [
            {
                "side": side,
                "late": row[f"late_{side}"],
                "width": round(100 * row[f"late_{side}"] / most, 2),
                "href": here.link("/ho-so", **of, side=side),
                "rate": rates[side]["rate"] if rates[side] else None,
            }
            for side in labels.SIDES
        ],
        "true": true["rate"] if true else None,
        "good": true["early"] + true["on_time"] if true else 0,
        "finished": true["finished"] if true else 0,
        "unexplained": sum(c["removed"] + c["added"] for c in row["causes"] if c["cause"] == "unexplained"),
        "href": here.link(f"/don-vi/{quote(row['key'], safe='')}", agency=None) if row["key"] else here.link("/"),
    }
