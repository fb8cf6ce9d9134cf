"""Explanations that were asked for and not given as of an instant, out of the acts of the findings.

Acts are only ever added, so what waited at an instant is the same whenever it is asked. Counted are dossiers: one with
two questions is one; a finding about a unit, an official or a procedure is none. A period is of the day on which the
finding was opened. Instants are taken to the second, as addresses keep them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from motcua.catalogue.models import Agency
from motcua.findings.models import Act, Finding
from motcua.inspection.life import AWAITING, TURNING
from motcua.oversight import named, periods
from motcua.oversight.figures import Question


def waiting(*, period: str, agencies: frozenset[str] | None, at: datetime) -> QuerySet[Finding, Finding]:
    """The findings about dossiers that waited for their agency at an instant. Raises `Unreadable`: no such period."""
    until = at.replace(microsecond=0)
    newest = Act.objects.filter(finding=OuterRef("pk"), at__lte=until, kind__in=sorted(TURNING)).order_by("-seq")
    rows = Finding.objects.filter(kind="dossier", request__isnull=False, opened_at__lte=until).exclude(agency="")
    if agencies is not None:
        rows = rows.filter(agency__in=sorted(agencies))
    if period:
        span = periods.parse(period)
        rows = rows.filter(opened_at__gte=span.start, opened_at__lt=span.end)
    return rows.annotate(newest=Subquery(newest.values("kind")[:1])).filter(newest__in=sorted(AWAITING))


def counts(*, period: str, agencies: frozenset[str] | None, at: datetime) -> dict[str, int]:
    """How many dossiers wait, by agency; in sum what `dossiers` lists."""
    rows = waiting(period=period, agencies=agencies, at=at).order_by().values_list("agency")
    return dict(rows.annotate(n=Count("subject", distinct=True)).order_by("agency"))


def dossiers(
    home: Path, *, period: str, agencies: frozenset[str] | None, at: datetime, after: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:  # fmt: skip
    """The dossiers that wait, a page at a time, in the form of `figures.dossiers`; `next` names the dossier and agency.

    One that the facts do not have is listed with its code alone.
    """
    pairs = waiting(period=period, agencies=agencies, at=at).order_by().values_list("subject", "agency").distinct()
    total = pairs.count()
    if after:
        code, _, agency = after.partition("|")
        pairs = pairs.filter(Q(subject__gt=code) | Q(subject=code, agency__gt=agency))
    page = list(pairs.order_by("subject", "agency")[: limit + 1])
    shown = page[:limit]
    document = named.look_up(home, Question(measure="all", as_of=at), [code for code, _ in shown], now=at)
    known = {row["asked"]: row for row in document["rows"]}
    names = dict(Agency.objects.filter(code__in={agency for _, agency in shown}).values_list("code", "name"))
    return {
        **{name: value for name, value in document.items() if name != "absent"},
        "total": total,
        "rows": [known.get(code) or _bare(code, agency, names) for code, agency in shown],
        "next": "|".join(shown[-1]) if len(page) > limit else None,
    }


def _bare(code: str, agency: str, names: Mapping[str, str]) -> dict[str, Any]:
    texts = ("procedure", "procedure_name", "source", "channel")
    instants = ("received_at", "due_at", "finished_at", "true_finished_at", "sync_cause", "record_cause")
    marks = ("shown", "recorded", "true", "unproven", "disputed", "no_due")
    return {
        "dossier": code, "agency": agency, "agency_name": names.get(agency, agency), "asked": code,
        **dict.fromkeys(texts, ""), **dict.fromkeys(instants, None), **dict.fromkeys(marks, False),
    }  # fmt: skip
