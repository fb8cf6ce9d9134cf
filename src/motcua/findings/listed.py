"""Findings as pages list them: narrowed, grouped, counted, a page at a time. Every count opens exactly its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum

from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency
from motcua.findings.models import Attachment, Finding
from motcua.inspection.life import ASKED, OPEN, Outcome, State
from motcua.rules.instants import Unreadable

#: States as a page narrows by them: those of a life, and three that follow from the clock or gather several.
STATES = (*(str(state) for state in State), "overdue", "asked", "open", "remedied", "claims", "extensions")
_ASKED = [str(state) for state in ASKED]
_OPEN = [str(state) for state in OPEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Which findings: all conditions hold together; empty ones ask nothing."""

    state: str = ""
    check: str = ""
    agency: str = ""
    severity: str = ""
    outcome: str = ""
    inspector: str = ""
    request: str = ""
    round: str = ""
    subject: str = ""  # a part of the dossier's code

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Narrowed:
        """From an address. Raises `Unreadable` naming the condition that makes no sense."""
        chosen = {f.name: query[f.name].strip() for f in fields(cls) if query.get(f.name, "").strip()}
        for name, known in (("state", STATES), ("severity", ("A", "B", "C")), ("outcome", tuple(map(str, Outcome)))):
            if name in chosen and chosen[name] not in known:
                raise Unreadable(f"{name}={chosen[name]!r}")
        for name in ("request", "round"):
            if name in chosen and not (chosen[name].isdigit() and len(chosen[name]) < 16):
                raise Unreadable(f"{name}={chosen[name]!r}")
        return cls(**chosen)

    def query(self) -> dict[str, str]:
        """As an address keeps it."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}

    def of(self, rows: QuerySet[Finding, Finding], *, now: datetime) -> QuerySet[Finding, Finding]:
        """The findings that are left."""
        equal = {"check": "check_code", "agency": "agency", "severity": "severity", "outcome": "outcome",
                 "inspector": "inspector", "request": "request_id", "round": "round"}  # fmt: skip
        rows = rows.filter(**{column: getattr(self, name) for name, column in equal.items() if getattr(self, name)})
        if self.subject:
            rows = rows.filter(subject__icontains=self.subject)
        return rows.filter(_state(self.state, now)) if self.state else rows


def _state(state: str, now: datetime) -> Q:
    match state:
        case "overdue":
            return Q(state__in=_ASKED, due_at__lt=now)
        case "asked":
            return Q(state__in=_ASKED)
        case "open":
            return Q(state__in=_OPEN)
        case "remedied":
            return Q(state=str(State.TO_REMEDY), remedied_at__isnull=False)
        case "extensions":
            return Q(state__in=_ASKED, extension_to__isnull=False)
        case "claims":
            return Q(pk__in=Attachment.objects.filter(standing="claim", decided_at=None).values("finding"))
    return Q(state=state)


def count(rows: QuerySet[Finding, Finding]) -> dict[str, int]:
    """How many findings, dossiers and agencies: what a button says before it acts."""
    told = rows.aggregate(
        findings=Count("pk", distinct=True), dossiers=Count("subject", distinct=True),
        agencies=Count("agency", distinct=True),
    )  # fmt: skip
    return {name: int(value or 0) for name, value in told.items()}


def groups(rows: QuerySet[Finding, Finding], *, now: datetime) -> list[dict[str, Any]]:
    """By check and agency: how many, how grave, where they stand, the earliest answer date; the greatest rank first."""
    names = dict(Agency.objects.values_list("code", "name"))
    found = (
        rows.order_by()
        .values("check_code", "agency", "severity", "leg")
        .annotate(
            findings=Count("pk", distinct=True),
            dossiers=Count("subject", distinct=True),
            saved=Sum("stake_minutes"),
            weight=Sum("rank"),
            confidence=Min("confidence"),
            due=Min("due_at", filter=Q(state__in=_ASKED)),
            new=Count("pk", filter=Q(state="new")),
            asked=Count("pk", filter=Q(state__in=_ASKED)),
            answered=Count("pk", filter=Q(state="answered")),
            to_remedy=Count("pk", filter=Q(state="to_remedy")),
            finished=Count("pk", filter=Q(state__in=("concluded", "closed"))),
            overdue=Count("pk", filter=Q(state__in=_ASKED, due_at__lt=now)),
        )
    )
    listed = [{**row, "agency_name": names.get(row["agency"], row["agency"])} for row in found]
    return sorted(listed, key=lambda row: (row["severity"], -(row["weight"] or 0), row["check_code"], row["agency"]))


def page(rows: QuerySet[Finding, Finding], *, after: int, size: int) -> list[Finding]:
    """The next findings by number: a place in the list that stays while others come."""
    return list(rows.filter(pk__gt=after).order_by("pk").distinct()[:size])


def facets(rows: QuerySet[Finding, Finding], *, now: datetime) -> dict[str, Any]:
    """Counts beside the list: by state, severity and check."""
    states = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    return {
        "states": states,
        "overdue": rows.filter(_state("overdue", now)).count(),
        "severities": dict(rows.order_by().values_list("severity").annotate(n=Count("pk"))),
        "checks": dict(rows.order_by().values_list("check_code").annotate(n=Count("pk"))),
    }


def agencies(rows: QuerySet[Finding, Finding]) -> list[tuple[str, str]]:
    """The agencies that have findings, by name."""
    codes = set(rows.order_by().values_list("agency", flat=True).distinct()) - {""}
    names = dict(Agency.objects.filter(code__in=codes).values_list("code", "name"))
    return sorted(((code, names.get(code, code)) for code in codes), key=lambda item: fold(item[1]))


def numbers(rows: QuerySet[Finding, Finding], wanted: Sequence[int] | None = None) -> list[int]:
    """The numbers of the findings that are left, or of those among them that were ticked."""
    if wanted is not None:
        rows = rows.filter(pk__in=wanted)
    return sorted(set(rows.order_by().values_list("pk", flat=True)))
