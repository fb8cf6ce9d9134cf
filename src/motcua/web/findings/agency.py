"""One agency: its bridge, twelve months, its place among its peers, its findings and answers; one sheet of paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.accounts import powers
from motcua.catalogue.models import Agency
from motcua.directives import meetings
from motcua.directives import standing as standing_of_tasks
from motcua.directives.progress import days_late
from motcua.findings import listed, people
from motcua.inspection import standing
from motcua.oversight import figures, levels
from motcua.rounds.models import Remedy
from motcua.rules.instants import local_day, parse_instant
from motcua.web import labels
from motcua.web.console.asked import Asked, chips, choices, pinned, read
from motcua.web.console.pages import asks, page
from motcua.web.findings import words

#: Dossiers; below that an agency is told in dossiers and not ranked.
SMALL = 30
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _BOTTOM, _TOP = 640, 190, 34, 110, 24, 14
_MONTHS = 12
_DAYS = 30
_PROCEDURES = 5
_BARS = 8  # steps drawn; the rest stand in the table alone


@require_GET
@asks
def agency(request: HttpRequest, code: str) -> HttpResponse:
    """The agency's page, for who may see the agency."""
    asked = read(request)
    scope = asked.question.scope_of
    row = Agency.objects.filter(code=code).first()
    if row is None and not figures.knows_agency(settings.HOME, code):
        raise Http404
    if scope is not None and code not in scope:
        raise PermissionDenied
    of_unit = replace(
        asked, question=replace(asked.question, agency=code), query={**asked.query, "agency": code}
    )  # fmt: skip
    document = figures.bridge(settings.HOME, of_unit.question, now=asked.now)
    here = pinned(of_unit, document["as_of"])
    rate = figures.rates(settings.HOME, of_unit.question, now=asked.now, verdict="true")["total"]
    procedures = figures.bridge(settings.HOME, of_unit.question, now=asked.now, by="procedure")["rows"]
    worst = sorted((r for r in procedures if r["late_true"] or r["late_shown"]),
                   key=lambda r: (-r["late_true"], -r["late_shown"], r["key"]))[:_PROCEDURES]  # fmt: skip
    level = levels.levels(settings.HOME, of_unit.question, now=asked.now, by="agency")
    return page(
        request,
        "findings/agency.html",
        {
            "asked": of_unit,
            "here": here,
            "document": document,
            "agency": row,
            "code": code,
            "name": row.name if row else code,
            "chips": [chip for chip in chips(asked, f"/don-vi/{code}") if chip["name"] != "agency"],
            "choices": choices(asked),
            "sides": [
                {"side": side, "late": document[f"late_{side}"], "href": here.link("/ho-so", side=side)}
                for side in labels.SIDES
            ],
            "causes": _causes(document, here),
            "rate": rate,
            "small": rate["received"] < SMALL,
            "good": rate["early"] + rate["on_time"],
            "among": _among(asked, code, row, document),
            "trend": _trend(of_unit),
            "time": _time(of_unit, here),
            "tasks": _tasks(request, code, asked),
            "reception": _reception(of_unit, here),
            "days": _days(code, local_day(asked.now)),
            "findings": _findings(request, code, asked),
            "procedures": [
                {**r, "href": here.link("/ho-so", by="procedure", key=r["key"], side="true" if r["late_true"] else
                                        "shown")}
                for r in worst
            ],
            "level": level["level"],
            "next_level": labels.LEVELS.get(level["next"], ""),
            "would_clear": level["would_clear"],
            "bridge": here.link("/", by="procedure"),
            "print": request.GET.get("in") == "1",
        },
    )  # fmt: skip


def _reception(asked: Asked, here: Asked) -> dict[str, Any]:
    """How many online dossiers were taken in too late, as the portal shows it."""
    late = figures.bridge(settings.HOME, asked.of("reception"), now=asked.now)["late_shown"]
    return {"count": late, "href": here.link("/ho-so", measure="reception", side="shown")}


def _time(asked: Asked, here: Asked) -> dict[str, Any]:
    """Whose working minutes the agency's dossiers were: its own as shares of its time, what it waited for apart."""
    rows = figures.where_time_lies(settings.HOME, replace(asked.question, as_of=here_at(here)), now=asked.now)["rows"]
    told = [
        {**row, "name": labels.holder(row["owner"], row["step"]), "hours": round(row["minutes"] / 60),
         "each": row["minutes"] / row["dossiers"] / 60,
         "href": here.link("/ho-so", held=f"{row['owner']}:{row['step']}" if row["step"] else row["owner"])}
        for row in rows
    ]  # fmt: skip
    own = [row for row in told if not row["outside"]]
    whole = sum(row["minutes"] for row in own)
    for row in own:
        row["share"] = row["minutes"] / whole
    x = 0.0
    for n, row in enumerate(own[:_BARS]):
        row["tone"], row["x"], row["width"] = n % 5, round(x, 2), round(100 * row["share"], 2)
        x += row["width"]
    return {"own": own[:_BARS], "rest": own[_BARS:], "outside": [row for row in told if row["outside"]]}


def here_at(here: Asked) -> datetime:
    """The instant at which a page's figures are pinned."""
    return parse_instant(here.query["as_of"])


def _tasks(request: HttpRequest, code: str, asked: Asked) -> list[dict[str, Any]]:
    """What the agency was to do by a day that has passed: tasks given, and requests of published rounds."""
    today = local_day(asked.now)
    scope = powers.scope(request.user, on=today)
    directives = [
        {"title": one.directive.title, "due_on": one.directive.due_on, "days": days_late(one.directive.due_on, today),
         "href": reverse("directive", args=[one.directive.pk])}
        for one in standing_of_tasks.standings(today=today, scope=scope)
        if one.pace == "overdue" and code in one.units
    ]  # fmt: skip
    open_ = Remedy.objects.filter(agency=code, closed_at=None, due_at__lt=asked.now, round__published_at__isnull=False)
    requests = [
        {"title": row.text, "due_on": local_day(row.due_at), "days": days_late(local_day(row.due_at), today),
         "href": reverse("round", args=[row.round_id])}
        for row in open_.order_by("due_at", "pk")
    ]  # fmt: skip
    return sorted([*directives, *requests], key=lambda row: row["due_on"])


def _causes(document: dict[str, Any], here: Asked) -> list[dict[str, Any]]:
    """The causes that moved anything, by leg, the greatest first."""
    found = [
        {**cause, "moved": cause["removed"] + cause["added"],
         "href": here.link("/ho-so", leg=cause["leg"], cause=cause["cause"])}
        for cause in document["causes"]
        if cause["removed"] or cause["added"]
    ]  # fmt: skip
    return sorted(found, key=lambda cause: (cause["leg"] != "sync", -cause["moved"]))


def _among(asked: Asked, code: str, row: Agency | None, document: dict[str, Any]) -> dict[str, Any] | None:
    """How the agency's true lateness stands among its level; None for few dossiers or fewer than five peers."""
    if row is None or not row.level or document["population"] < SMALL:
        return None
    everything = replace(asked.question, agency=None, scope_of=None)
    split = figures.bridge(settings.HOME, everything, now=asked.now, by="agency")["rows"]
    level = set(Agency.objects.filter(level=row.level).values_list("code", flat=True))
    peers = [r for r in split if r["key"] in level and r["key"] != code and r["population"] >= SMALL]
    late, of = sum(r["late_true"] for r in peers), sum(r["population"] for r in peers)
    if len(peers) < 5 or not of:
        return None
    beyond = standing.beyond(document["late_true"], document["population"], rate=late / of)
    text = {
        "": gettext("trong khoảng bình thường"),
        "more": gettext("trễ thực tế nhiều hơn mức ngẫu nhiên giải thích được"),
        "fewer": gettext("trễ thực tế ít hơn hẳn"),
    }[beyond]
    return {"peers": len(peers), "text": text, "beyond": beyond, "rate": late / of}


def _days(code: str, today: date) -> dict[str, Any]:
    """The open and overdue of the last thirty kept days, the newest first; how the newest stands to a week before."""
    kept = meetings.of_unit(code, measure="open", until=today, count=_DAYS)
    rows = [{"on": row.on, **{side: getattr(row, f"late_{side}") for side in labels.SIDES}} for row in kept[::-1]]
    before = next((row for row in rows if (rows[0]["on"] - row["on"]).days >= 7), None)
    change = rows[0]["shown"] - before["shown"] if before else None
    return {"rows": rows, "before": before, "by": abs(change or 0), "more": bool(change and change > 0),
            "same": change == 0}  # fmt: skip


def _trend(asked: Asked) -> dict[str, Any]:
    """Late dossiers of the last twelve months of receipt by each side, as three lines and as a table."""
    today = local_day(asked.now)
    months = [divmod(today.year * 12 + today.month - 1 - back, 12) for back in range(_MONTHS - 1, -1, -1)]
    keys = [f"{year}-{month + 1:02d}" for year, month in months]
    rows = figures.bridge(settings.HOME, replace(asked.question, period=None), now=asked.now, by="month")["rows"]
    by_month = {row["key"]: row for row in rows}
    table: list[dict[str, Any]] = [
        {"key": key, "name": labels.period(key), "short": f"{int(key[5:])}/{key[2:4]}",
         **{side: by_month[key][f"late_{side}"] if key in by_month else 0 for side in labels.SIDES},
         "population": by_month[key]["population"] if key in by_month else 0}
        for key in keys
    ]  # fmt: skip
    most = max((row[side] for row in table for side in labels.SIDES), default=0)
    top = next(step for step in _steps() if step >= most)
    wide = (_WIDTH - _LEFT - _RIGHT) / (_MONTHS - 1)

    def place(n: int, value: int) -> tuple[float, float]:
        return round(_LEFT + n * wide, 1), round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / top), 1)

    lines = []
    for side in labels.SIDES:
        points = [place(n, row[side]) for n, row in enumerate(table)]
        lines.append({
            "side": side, "points": " ".join(f"{x},{y}" for x, y in points), "dots": points, "last": table[-1][side],
            "y": points[-1][1], "x": points[-1][0],
        })  # fmt: skip
    _apart(lines)
    return {
        "table": table, "lines": lines, "width": _WIDTH, "height": _HEIGHT, "empty": not most,
        "months": [{"x": place(n, 0)[0], "text": row["short"]} for n, row in enumerate(table)],
        "grid": [{"y": place(0, value)[1], "text": labels.number(value)} for value in sorted({0, top // 2, top})],
        "left": _LEFT, "right": round(_LEFT + (_MONTHS - 1) * wide, 1), "base": _HEIGHT - 6,
    }  # fmt: skip


def _steps() -> list[int]:
    return [step * 10**power for power in range(9) for step in (2, 4, 6, 10)]


def _apart(lines: list[dict[str, Any]]) -> None:
    """The labels at the end of the lines, so far apart that they can be read on a phone too."""
    floor = float(_HEIGHT - _BOTTOM)
    for line in sorted(lines, key=lambda line: -line["y"]):  # from the bottom up: the months stand below
        line["text_y"] = round(min(line["y"] + 4, floor), 1)
        floor = line["text_y"] - 20


def _findings(request: HttpRequest, code: str, asked: Asked) -> dict[str, Any]:
    """What waits of this agency, each count with its list."""
    on = local_day(asked.now)
    rows = people.visible(request.user, on=on).filter(agency=code)
    asking = people.asks(request.user, on=on)
    facets = listed.facets(rows, now=asked.now)
    states = facets["states"]
    waiting = sum(states.get(state, 0) for state in ("sent", "drafting", "to_approve"))
    outcomes = {name: rows.filter(outcome=name).count() for name in words.OUTCOMES}

    def href(state: str) -> str:
        return f"/phat-hien?state={state}&agency={code}&xem=tung" if asking else "/yeu-cau"

    tiles = [
        ("asked", waiting, gettext("chờ giải trình"), False),
        ("overdue", facets["overdue"], gettext("quá hạn giải trình"), True),
        ("answered", states.get("answered", 0), gettext("chờ kết luận"), False),
        ("to_remedy", states.get("to_remedy", 0), gettext("chưa khắc phục"), False),
    ]
    if asking:
        tiles.insert(0, ("new", states.get("new", 0), gettext("dấu hiệu mới"), False))
    groups = listed.groups(rows.filter(state__in=["new", "sent", "drafting", "to_approve", "answered", "to_remedy"]),
                           now=asked.now)[:6]  # fmt: skip
    return {
        "tiles": [
            {"count": count, "text": text, "late": late and count, "href": href(state)}
            for state, count, text, late in tiles
        ],
        "groups": [
            {**group, "title": words.title(group["check_code"]),
             "href": f"/phat-hien?check={group['check_code']}&agency={code}&xem=tung" if asking else "/yeu-cau"}
            for group in groups
        ],
        "outcomes": [(words.OUTCOMES[name], count) for name, count in outcomes.items() if count],
        "reasons": _reasons(rows),
        "asks": asking,
        "may_see": asking or powers.holds(request.user, people.ASKED, on=on),
    }  # fmt: skip


def _reasons(rows: Any) -> list[tuple[str, int]]:
    """How the agency answered: each kind with its count."""
    counts: dict[str, int] = {}
    answered = rows.filter(state__in=["answered", "concluded", "to_remedy", "closed"]).exclude(answer={})
    for (reason,) in answered.values_list("answer__reason"):
        counts[reason or ""] = counts.get(reason or "", 0) + 1
    return [(words.REASONS[code], counts[code]) for code in words.REASONS if counts.get(code)]
