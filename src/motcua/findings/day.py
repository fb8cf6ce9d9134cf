"""What waits for whom: an inspector's day within its budget, and a unit's.

At most so many findings a day are put before one person, the greatest avoidable lateness times confidence first; the
rest is one click away. Checks that only watch put nothing before anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet

from motcua.catalogue import settings
from motcua.findings import modes
from motcua.findings.models import Act, Finding
from motcua.inspection import standing
from motcua.inspection.life import ASKED, State
from motcua.rules.instants import VIET_NAM, Unreadable, local_day
from motcua.warning import listed as warnings
from motcua.warning.models import Warned

#: Findings put before one person in a day: ours.
BUDGET = 10
SETTING = "findings.budget"
#: Acts that decide something, and so use a place of the day.
#: A chance of being late from which a dossier counts as likely late: ours.
LIKELY = 0.3
_WARNED = 500  # dossiers asked after, the likeliest first
_DECIDING = ("sent", "concluded", "asked_again", "closed")


def most() -> int:
    """The budget in force."""
    return int(settings.get(SETTING, BUDGET))


def change_budget(count: int, *, by: str, at: datetime) -> None:
    """Another budget. Raises `Unreadable`."""
    if not 1 <= count <= 500:
        raise Unreadable("a day's budget is 1 to 500")
    settings.put(SETTING, count, by=by, at=at)


def waiting(visible: QuerySet[Finding, Finding], person: str) -> QuerySet[Finding, Finding]:
    """The findings that wait for an inspector's decision: answered, or new and not watched; theirs and nobody's."""
    undecided = Q(state=str(State.ANSWERED)) | Q(state=str(State.NEW)) & ~Q(check_code__in=modes.watching())
    return visible.filter(undecided, inspector__in=["", person])


def done_today(person: str, *, now: datetime) -> int:
    """On how many findings a person decided today, on the office wall."""
    midnight = datetime.combine(local_day(now), time(), VIET_NAM)
    acts = Act.objects.filter(actor=person, at__gte=midnight, at__lte=now, kind__in=_DECIDING)
    return acts.values("finding").distinct().count()


def first(visible: QuerySet[Finding, Finding], person: str, *, now: datetime) -> list[Finding]:
    """The findings to look at today, in order: by what their scan saw, or by what early warning says can still be
    saved of their dossier, whichever is more."""
    left = max(most() - done_today(person, now=now), 0)
    mine = waiting(visible, person)
    ranked = {pk: rank for rank, pk in mine.order_by("-rank", "pk").values_list("rank", "pk")[:left]}
    for pk, rank in _of_warned(mine, now=now):
        ranked[pk] = max(rank, ranked.get(pk, 0))
    chosen = standing.budget([(rank, pk) for pk, rank in ranked.items()], most=left, done_today=0)
    found = Finding.objects.in_bulk(chosen)
    return [found[number] for number in chosen if number in found]


def _of_warned(rows: QuerySet[Finding, Finding], *, now: datetime) -> list[tuple[int, int]]:
    """(finding, rank) of those whose dossier will likely be late and can still be helped."""
    warned = warnings.every().filter(helped_until__gt=now, share__gte=LIKELY).order_by("-share")[:_WARNED]
    told = {one.dossier: one for one in warned}
    found = rows.filter(kind="dossier", subject__in=list(told)).values_list("pk", "subject", "confidence", "rank")
    return [
        (pk, max(rank, standing.rank(_saved(told[subject]), confidence))) for pk, subject, confidence, rank in found
    ]


def _saved(one: Warned) -> int:
    return standing.expected_minutes(chance=one.share or 0.0, left=one.left, usual=one.usual)


class Savable(NamedTuple):
    """Until when the lateness of a dossier can still be avoided, and how many working minutes of it are expected."""

    until: datetime
    minutes: int


def savable(findings: Iterable[Finding], *, now: datetime) -> dict[str, Savable]:
    """What can still be saved of each dossier that will likely be late, as early warning says."""
    subjects = [one.subject for one in findings if one.kind == "dossier"]
    rows = warnings.every().filter(dossier__in=subjects, helped_until__gt=now, share__gte=LIKELY)
    return {one.dossier: Savable(one.helped_until, _saved(one)) for one in rows if one.helped_until is not None}


def counts(visible: QuerySet[Finding, Finding], person: str, *, now: datetime) -> dict[str, int]:
    """What waits: for units, for a conclusion, past its date, for more time, for a re-check; `mine`: as `waiting`."""
    asked = [str(state) for state in ASKED]
    told: dict[str, Any] = visible.aggregate(
        waiting_for_units=Count("pk", filter=Q(state__in=asked)),
        overdue=Count("pk", filter=Q(state__in=asked, due_at__lt=now)),
        answered=Count("pk", filter=Q(state=str(State.ANSWERED))),
        extensions=Count("pk", filter=Q(state__in=asked, extension_to__isnull=False)),
        remedied=Count("pk", filter=Q(state=str(State.TO_REMEDY), remedied_at__isnull=False)),
        remedy_overdue=Count("pk", filter=Q(state=str(State.TO_REMEDY), remedied_at=None, remedy_due_at__lt=now)),
        claims=Count("pk", filter=Q(attachments__standing="claim", attachments__decided_at=None), distinct=True),
    )
    return {**told, "mine": waiting(visible, person).count()}
