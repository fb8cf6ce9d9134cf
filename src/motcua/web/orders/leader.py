"""The leader's phone page: better or worse than last week, which units, was my order carried out. No table, no menu."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.catalogue import settings as kept
from motcua.catalogue.models import Agency
from motcua.directives import meetings, standing, units_to_note
from motcua.directives.models import DayFigures, KeptPaper, Line
from motcua.findings.models import Finding
from motcua.inspection.life import ASKED
from motcua.oversight import figures
from motcua.oversight.figures import Question
from motcua.rules.instants import local_day
from motcua.web import labels
from motcua.web.console.asked import Asked, pinned
from motcua.web.console.pages import asks
from motcua.web.orders import people, words
from motcua.web.papers.paper import HEAD

_WEEKS = 4
_WAITING = 4


@require_GET
@asks
def leader(request: HttpRequest) -> HttpResponse:
    """One screen and a half on a phone."""
    now = timezone.now()
    today = local_day(now)
    if not people.gives(request.user, on=today):
        raise PermissionDenied
    documents = {
        "open": figures.bridge(settings.HOME, Question(measure="open"), now=now),
        "reception": figures.bridge(settings.HOME, Question(measure="reception"), now=now),
        "all": figures.bridge(settings.HOME, Question(measure="all"), now=now, by="agency"),
    }
    week = meetings.week_ago(today)
    open_ = documents["open"]
    counts = standing.counts(today=today, scope=None)
    noted = units_to_note.noted(documents["all"]["rows"])
    answers = {
        "open": _answer("open", open_, week),
        "reception": _answer("reception", documents["reception"], week),
        "true": open_["late_true"],
        "share": open_["late_true"] / open_["late_shown"] if open_["late_shown"] else None,
        "sync": _taken(open_, "sync"),
        "record": _taken(open_, "record"),
        "overdue": counts.get("overdue", 0),
        "fine": sum(counts.values()) - counts.get("overdue", 0),
    }
    contact, asked = kept.get(HEAD, {}), _asked()
    return render(
        request,
        "orders/leader.html",
        {
            "now": now,
            "as_of": datetime.fromisoformat(open_["as_of"]),
            "stale": open_["facts_age_s"] > 3600,
            "age": open_["facts_age_s"],
            **answers,
            "noted": [
                {**_unit(one), "asked": asked.get(one.agency, 0), "href": _list(request, one.agency, documents["all"])}
                for one in noted
            ],
            "small": units_to_note.SMALLEST,
            "waiting": _waiting(),
            "week": week is not None,
            "steps": _steps(today, open_["late_shown"]),
            "summary": _summary(documents, answers, noted, now),
            "phone": contact.get("phone", ""),
            "contact": contact.get("contact", ""),
        },
    )


def _answer(measure: str, document: dict[str, Any], week: DayFigures | None) -> dict[str, Any]:
    shown = document["late_shown"]
    before = week.figures[measure]["late_shown"] if week else None
    change = None if before is None else shown - before
    return {"shown": shown, "change": change, "more": bool(change and change > 0), "by": abs(change or 0)}


def _taken(document: dict[str, Any], leg: str) -> int:
    """What a leg takes from the late dossiers, net: the two legs and the true ones add up to the shown."""
    return sum(c["removed"] - c["added"] for c in document["causes"] if c["leg"] == leg)


def _steps(today: date, shown: int) -> list[dict[str, Any]]:
    """Four weeks as four bars, the last of them today; none before there are two."""
    weeks = []
    for back in range(_WEEKS - 1, 0, -1):
        found = meetings.days(until=today - timedelta(days=7 * back), count=1)
        if found and (today - found[0].on).days <= 7 * back + 3:
            weeks.append(found[0].figures["open"]["late_shown"])
    values = [*weeks, shown] if weeks else []
    top = max(values, default=0) or 1
    return [
        {"x": 14 * n, "y": round(24 - 22 * value / top, 1), "height": round(22 * value / top + 1, 1)}
        for n, value in enumerate(values)
    ]


def _asked() -> dict[str, int]:
    """How many explanations each unit owes."""
    rows = Finding.objects.filter(state__in=[str(state) for state in ASKED]).values("agency").annotate(n=Count("pk"))
    return {row["agency"]: row["n"] for row in rows}


def _extensions() -> list[dict[str, str]]:
    """Units that ask for more time to explain."""
    rows = Finding.objects.filter(state__in=[str(state) for state in ASKED], extension_to__isnull=False)
    units = rows.values("agency").annotate(n=Count("pk")).order_by("-n", "agency")[:_WAITING]
    names = dict(Agency.objects.filter(code__in=[unit["agency"] for unit in units]).values_list("code", "name"))
    address = reverse("findings")
    return [
        {
            "text": gettext("{unit} xin gia hạn giải trình ({n})").format(
                unit=names.get(unit["agency"], unit["agency"]), n=labels.number(unit["n"])
            ),
            "href": f"{address}?{urlencode({'state': 'extensions', 'agency': unit['agency'], 'xem': 'tung'})}",
        }
        for unit in units
    ]


def _unit(one: units_to_note.Noted) -> dict[str, Any]:
    return {"name": one.name, "late": one.late, "population": one.population, "expected": round(one.expected)}


def _list(request: HttpRequest, agency: str, document: dict[str, Any]) -> str:
    asked = Asked(
        question=Question(), filter=figures.Filter(), query={"measure": "all", "agency": agency}, now=timezone.now()
    )
    return pinned(asked, document["as_of"]).link("/ho-so", side="true", by="agency", key=agency)


def _waiting() -> list[dict[str, str]]:
    """What waits for a leader: tasks at the top of the ladder, units that ask for time, drafts without a number."""
    found = []
    told = Line.objects.filter(act=Line.Act.ESCALATED, directive__state="open", directive__met_since=None)
    numbers = {line.directive_id for line in told if line.facts.get("role") == "leader"}
    for each in standing.standings(today=local_day(timezone.now()), scope=None):
        if each.directive.pk in numbers and each.pace == "overdue":
            found.append(
                {
                    "text": gettext("Quá hạn: {title}").format(title=each.directive.title),
                    "href": reverse("directive", args=[each.directive.pk]),
                }
            )
    found += _extensions()
    for paper in KeptPaper.objects.filter(typed_at=None).order_by("-drafted_at")[:_WAITING]:
        found.append(
            {"text": gettext("Dự thảo: {title}").format(title=paper.title), "href": reverse("paper", args=[paper.pk])}
        )
    return found[:_WAITING]


def _summary(documents: dict[str, Any], answers: dict[str, Any], noted: list[units_to_note.Noted], now: Any) -> str:
    """A text for a group of colleagues: figures and units, no person's name and no dossier."""
    open_, reception = answers["open"], answers["reception"]
    lines = [
        gettext("Tình hình hồ sơ đến {at}").format(at=labels.instant(documents["open"]["as_of"])),
        gettext("- Quá hạn trên Cổng Dịch vụ công quốc gia: {n}{change}").format(
            n=labels.number(open_["shown"]), change=_changed(open_)
        ),
        gettext("  trong đó trễ thực tế {true}, do đồng bộ {sync}, do thao tác {record}").format(
            true=labels.number(answers["true"]),
            sync=labels.number(answers["sync"]),
            record=labels.number(answers["record"]),
        ),
        gettext("- Chậm tiếp nhận: {n}{change}").format(
            n=labels.number(reception["shown"]), change=_changed(reception)
        ),
    ]
    if noted:
        units = "; ".join(f"{one.name} {labels.number(one.late)}/{labels.number(one.population)}" for one in noted)
        lines.append(gettext("- Đơn vị cần chú ý (trễ thực tế/tổng số): {units}").format(units=units))
    lines.append(
        gettext("- Việc đã giao: {fine} đúng tiến độ, {late} quá hạn").format(
            fine=labels.number(answers["fine"]), late=labels.number(answers["overdue"])
        )
    )
    for each in standing.standings(today=local_day(now), scope=None):
        if each.pace == "overdue":
            lines.append(f"  + {each.directive.title}: {words.value(each.directive.metric, each.whole)}")
    return "\n".join(lines)


def _changed(answer: dict[str, Any]) -> str:
    if answer["change"] is None:
        return ""
    if not answer["change"]:
        return gettext(" (không đổi trong tuần)")
    text = gettext(" (tăng {n} trong tuần)") if answer["more"] else gettext(" (giảm {n} trong tuần)")
    return text.format(n=labels.number(answer["by"]))
