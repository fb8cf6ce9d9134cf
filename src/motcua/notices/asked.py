"""Telling of findings and rounds: asked to explain, due tomorrow, overdue, answered, decided; a round's own questions
and requests. By request and round, never by dossier: a notice holds numbers, no personal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count

from motcua.accounts.models import Post
from motcua.catalogue import calendars
from motcua.findings.models import Act, Finding, Request
from motcua.inspection.life import ASKED
from motcua.notices.models import Notice
from motcua.rounds import explanations
from motcua.rounds.models import Remedy, Round
from motcua.rules.instants import local_day

Kind = Notice.Kind
#: The kinds that are told here.
KINDS = (Kind.EXPLAIN, Kind.EXPLAIN_SOON, Kind.EXPLAIN_LATE, Kind.ANSWERED, Kind.DECIDED, Kind.ROUND_ASKED,
         Kind.ROUND_SOON, Kind.ROUND_LATE, Kind.REMEDY, Kind.REMEDY_LATE)  # fmt: skip
_ASKED = sorted(str(state) for state in ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing to tell: to the heads and focal points of `agency` where `unit`, to these `inspectors`."""

    kind: str
    key: str
    agency: str
    body: Mapping[str, Any]
    unit: bool = True
    inspectors: frozenset[str] = field(default_factory=frozenset)


def due(*, now: datetime, since: datetime) -> list[Told]:
    """What is to be told now of what happened since an instant."""
    tomorrow = calendars.load("vn").next_workday(local_day(now))
    return [*_sent(since), *_waiting(now, since, tomorrow), *_acts(since), *_rounds(now, since, tomorrow),
            *_remedies(now, since)]  # fmt: skip


def readers(told: Told, units: Iterable[Post], inspectors: Iterable[Post]) -> Iterator[tuple[str, str]]:
    """(account, agency of the notice) of everybody who is to know. Nobody named holds the post: all inspectors."""
    if told.unit:
        yield from {(post.user.username, post.agency) for post in units if post.agency == told.agency}
    if told.inspectors:
        held = {post.user.username for post in inspectors if post.agency in ("", told.agency)}
        yield from ((name, "") for name in sorted(told.inspectors & held or held))


def _sent(since: datetime) -> Iterator[Told]:
    rows = Request.objects.filter(sent_at__gte=since).annotate(n=Count("findings")).filter(n__gt=0)
    for row in rows.order_by("pk"):
        body = {"request": row.pk, "count": row.n, "due_at": local_day(row.due_at).isoformat()}
        yield Told(kind=Kind.EXPLAIN, key=f"request:{row.pk}", agency=row.agency, body=body)


def _waiting(now: datetime, since: datetime, tomorrow: date) -> Iterator[Told]:
    """What waits for an answer until the next working day, and what is past its day."""
    until = calendars.load("vn").closing(tomorrow) + timedelta(minutes=1)
    rows = Finding.objects.filter(state__in=_ASKED, request__isnull=False, due_at__gte=since, due_at__lte=until)
    found: dict[tuple[str, int, date, str], list[str]] = {}
    read: Iterable[Any] = rows.values_list("request", "agency", "due_at", "inspector", "request__sent_by")
    for request, agency, due_at, inspector, by in read:
        day = local_day(due_at)
        if due_at < now:
            found.setdefault((Kind.EXPLAIN_LATE, request, day, agency), []).append(inspector or by)
        elif day in (local_day(now), tomorrow):
            found.setdefault((Kind.EXPLAIN_SOON, request, day, agency), []).append(inspector or by)
    for (kind, request, day, agency), names in sorted(found.items()):
        body = {"request": request, "count": len(names), "due_at": day.isoformat()}
        late = kind == Kind.EXPLAIN_LATE
        yield Told(kind=kind, key=f"request:{request}:{day}", agency=agency, body=body,
                   inspectors=frozenset(names) if late else frozenset())  # fmt: skip


def _acts(since: datetime) -> Iterator[Told]:
    """Answers to the inspector, conclusions and second questions to the unit; what was done at once is told at once."""
    rows = Act.objects.filter(pk__gte=_first_act(since), at__gte=since, finding__request__isnull=False)
    rows = rows.filter(kind__in=("answered", "concluded", "asked_again"))
    found: dict[tuple[str, int, datetime, str], list[str]] = {}
    read: Iterable[Any] = rows.values_list(
        "kind", "finding__request", "at", "finding__agency", "finding__inspector", "finding__request__sent_by"
    )
    for kind, request, done_at, agency, inspector, by in read:
        found.setdefault((kind, request, done_at, agency), []).append(inspector or by)
    kinds = {"answered": Kind.ANSWERED, "concluded": Kind.DECIDED, "asked_again": Kind.EXPLAIN}
    for (kind, request, at, agency), names in sorted(found.items()):
        answered = kind == "answered"
        yield Told(kind=kinds[kind], key=f"request:{request}:{kind}:{at.isoformat()}", agency=agency,
                   body={"request": request, "count": len(names), "again": kind == "asked_again"}, unit=not answered,
                   inspectors=frozenset(names) if answered else frozenset())  # fmt: skip


def _first_act(since: datetime) -> int:
    """A number from which on the acts of these days lie: found by halving, so that no act is read for nothing."""
    last = Act.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    low, high = 0, last + 1
    while high - low > 1_000:
        middle = (low + high) // 2
        act = Act.objects.filter(pk__gte=middle).order_by("pk").only("at").first()
        if act is None or act.at >= since:
            high = middle
        else:
            low = middle
    return low


def _rounds(now: datetime, since: datetime, tomorrow: date) -> Iterator[Told]:
    """What a round asks on its own page; the signs of its sample are asked where all findings are."""
    for round_ in Round.objects.filter(asked_at__isnull=False, concluded_at=None, closed_at=None).order_by("pk"):
        if round_.asked_at is None or round_.answer_due_at is None:
            continue
        items = list(round_.items.exclude(sort="clean"))
        heard = explanations.heard(round_, items)
        owed: dict[str, int] = {}
        for item in items:
            if heard[item.dossier].owes and heard[item.dossier].finding is None:
                owed[item.agency] = owed.get(item.agency, 0) + 1
        day = local_day(round_.answer_due_at)
        leads = frozenset(round_.members.filter(role="lead").values_list("user", flat=True))
        for agency, count in sorted(owed.items()):
            body = {"round": round_.pk, "count": count, "due_at": day.isoformat()}
            if round_.asked_at >= since:
                yield Told(kind=Kind.ROUND_ASKED, key=f"round:{round_.pk}", agency=agency, body=body)
            if since <= round_.answer_due_at < now:
                yield Told(kind=Kind.ROUND_LATE, key=f"round:{round_.pk}:{day}:{agency}", agency=agency, body=body,
                           inspectors=leads)  # fmt: skip
            elif day in (local_day(now), tomorrow) and round_.answer_due_at >= now:
                yield Told(kind=Kind.ROUND_SOON, key=f"round:{round_.pk}:{day}", agency=agency, body=body)


def _remedies(now: datetime, since: datetime) -> Iterator[Told]:
    """What units are asked to do after a conclusion that was published to them, and what of it is past its day."""
    rows = Remedy.objects.filter(closed_at=None, round__published_at__isnull=False).select_related("round")
    for row in rows.order_by("pk"):
        day = local_day(row.due_at)
        body = {"round": row.round_id, "due_at": day.isoformat()}
        if row.round.published_at is not None and max(row.made_at, row.round.published_at) >= since:
            yield Told(kind=Kind.REMEDY, key=f"remedy:{row.pk}", agency=row.agency, body=body)
        if since <= row.due_at < now:
            yield Told(kind=Kind.REMEDY_LATE, key=f"remedy:{row.pk}:{day}", agency=row.agency, body=body,
                       inspectors=frozenset({row.made_by}))  # fmt: skip
