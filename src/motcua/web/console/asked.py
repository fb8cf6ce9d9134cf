"""What a page is asked: all of it lives in the address, so that a page can be kept and sent to a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from motcua.accounts import powers
from motcua.catalogue.models import Agency, Field, Procedure
from motcua.inspection.verdicts import Measure
from motcua.oversight.figures import Filter, Question
from motcua.rules.instants import Unreadable, local_day, parse_instant
from motcua.rules.policies import POLICIES
from motcua.web import labels

QUESTION = ("measure", "period", "as_of", "agency", "policy")
FILTER = ("side", "leg", "cause", "direction", "by", "key", "flag", "held")
_CLOSED: dict[str, Mapping[str, object]] = {
    "measure": labels.MEASURES, "side": labels.SIDES, "leg": labels.LEGS, "cause": labels.CAUSES,
    "direction": labels.DIRECTIONS, "by": labels.DIMENSIONS, "flag": {**labels.FLAGS, **labels.MARKS},
    "severity": labels.SEVERITIES, "policy": POLICIES,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question of a page, and how to ask it, or one near it, again."""

    question: Question
    filter: Filter
    query: dict[str, str]
    now: datetime

    def link(self, address: str, *, keep: tuple[str, ...] = QUESTION, **changes: Any) -> str:
        """An address that asks the same but for `changes`; None drops a choice."""
        query = {name: value for name, value in self.query.items() if name in keep} | changes
        query = {name: str(value) for name, value in query.items() if value is not None and value != ""}
        if "by" in changes and "key" in changes:  # dossiers without a field or a source have an empty key
            query["key"] = changes["key"]
        return f"{address}?{urlencode(query)}" if query else address

    def of(self, measure: str) -> Question:
        """The same question about another measure."""
        return replace(self.question, measure=cast(Measure, measure))


def read(request: HttpRequest, *, measure: str = "all", more: tuple[str, ...] = ()) -> Asked:
    """The address as a question. The one place where a page reads the clock. Raises `Unreadable`."""
    now = timezone.now()
    query = {name: request.GET[name] for name in (*QUESTION, *FILTER, *more) if request.GET.get(name)}
    for name, known in _CLOSED.items():
        if name in query and query[name] not in known:
            raise Unreadable(f"{name}={query[name]!r}")
    if query.get("held", "step").partition(":")[0] not in labels.OWNERS:
        raise Unreadable(f"held={query['held']!r}")
    query.setdefault("measure", measure)
    if "by" in query and "key" in request.GET:
        query["key"] = request.GET["key"]
    question = Question(
        measure=cast(Measure, query["measure"]),
        period=query.get("period"),
        as_of=parse_instant(query["as_of"]) if "as_of" in query else None,
        agency=query.get("agency"),
        policy=query.get("policy", "default"),
        scope_of=powers.scope(request.user, on=local_day(now)),
    )
    chosen = {name: query[name] for name in FILTER if name in query}
    if "key" not in chosen:
        chosen.pop("by", None)
    return Asked(question=question, filter=Filter(**chosen), query=query, now=now)


def pinned(asked: Asked, as_of: str) -> Asked:
    """The same question at the very instant of a figure: its lists keep its counts while the clock goes on."""
    at = datetime.fromisoformat(as_of).replace(microsecond=0)
    return replace(asked, query={**asked.query, "as_of": f"{at:%Y-%m-%dT%H:%M:%S%z}"})


def choices(asked: Asked) -> dict[str, Any]:
    """What the bar of filters offers: periods, agencies in sight, readings of the law."""
    found = periods(local_day(asked.now))
    if asked.question.period and asked.question.period not in found:
        found.append(asked.question.period)
    agencies = Agency.objects.order_by("code")
    if asked.question.scope_of is not None:
        agencies = agencies.filter(code__in=asked.question.scope_of)
    return {
        "periods": [(text, labels.period(text)) for text in found],
        "agencies": list(agencies.values_list("code", "name")),
        "policies": [(policy.name, gettext(policy.title)) for policy in POLICIES.values()],
    }


def periods(today: date) -> list[str]:
    """The periods people ask about: this and the last three months, two quarters, two years."""
    months = [divmod(today.year * 12 + today.month - 1 - back, 12) for back in range(4)]
    quarters = [divmod(today.year * 4 + (today.month - 1) // 3 - back, 4) for back in range(3)]
    return [
        *(f"{year}-{month + 1:02d}" for year, month in months),
        *(f"{year}-Q{quarter + 1}" for year, quarter in quarters),
        str(today.year),
        str(today.year - 1),
    ]


def chips(asked: Asked, address: str) -> list[dict[str, str]]:
    """The conditions in force, each with the address that lifts it."""
    query, found = asked.query, []

    def chip(text: str, *names: str) -> None:
        rest = {name: value for name, value in query.items() if name not in names}
        found.append({"name": names[0], "text": text, "href": f"{address}?{urlencode(rest)}"})

    if "agency" in query:
        name = Agency.objects.filter(code=query["agency"]).values_list("name", flat=True).first()
        chip(name or query["agency"], "agency")
    if "side" in query:
        chip(labels.LATE_BY[query["side"]], "side")
    if "cause" in query:
        chip(f"{labels.CAUSES[query['cause']]} ({labels.LEGS.get(query.get('leg', ''), '')})", "cause", "leg",
             "direction")  # fmt: skip
    elif "leg" in query:
        chip(labels.LEGS[query["leg"]], "leg", "direction")
    if "direction" in query:
        chip(labels.DIRECTIONS[query["direction"]], "direction")
    if "flag" in query:
        chip((labels.MARKS if query["flag"] in labels.MARKS else labels.FLAGS)[query["flag"]], "flag")
    if "by" in query and "key" in query:
        chip(f"{labels.DIMENSIONS[query['by']]}: {_named(query['by'], query['key'])}", "by", "key")
    if "held" in query:
        chip(gettext("thời gian ở: {whose}").format(whose=labels.holder(*query["held"].partition(":")[::2])), "held")
    if "severity" in query:
        chip(labels.SEVERITIES[query["severity"]], "severity")
    if "as_of" in query:
        at = labels.instant(parse_instant(query["as_of"]))
        chip(gettext("chốt lúc {at}").format(at=at), "as_of")
    return found


def titled(asked: Asked) -> str:
    """What a list holds, in one line: the measure and the conditions in force."""
    return ", ".join([labels.MEASURES[asked.question.measure]] + [chip["text"] for chip in chips(asked, "")])


def _named(by: str, key: str) -> str:
    table = {"agency": Agency, "field": Field, "procedure": Procedure}.get(by)
    name = table.objects.filter(code=key).values_list("name", flat=True).first() if table else None  # type: ignore[attr-defined]
    return name or key or gettext("(không ghi)")
