"""What agencies were asked to explain and did not by their date, as of an instant: the facts of a check (V-37).

Out of the acts, which are only ever added, so that a scan of the past sees what waited then. A finding about an
unanswered request is left out: it would keep itself alive.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import OuterRef, Subquery

from motcua.findings.models import Act, Finding
from motcua.inspection.asked import Asked
from motcua.inspection.life import AWAITING, TURNING
from motcua.oversight.asked import KEEPERS

_CHECK = "question_unanswered"
_DATING = ("sent", "asked_again", "extended")


def asked(as_of: datetime) -> Iterator[Asked]:
    """Each agency that was asked by then, with what of it waits past its date."""
    acts = Act.objects.filter(finding=OuterRef("pk"), at__lte=as_of).order_by("-seq")
    rows = (
        Finding.objects.filter(request__sent_at__lte=as_of)
        .exclude(agency="")
        .exclude(check_code=_CHECK)
        .annotate(
            newest=Subquery(acts.filter(kind__in=sorted(TURNING)).values("kind")[:1]),
            dated=Subquery(acts.filter(kind__in=_DATING).values("body")[:1]),
        )
        .order_by("agency", "pk")
        .values_list("agency", "request", "newest", "dated")
    )
    requests: dict[str, set[int]] = {}
    dates: dict[str, list[datetime]] = {}
    for agency, request, newest, dated in rows:
        requests.setdefault(agency, set())
        due_at = (dated or {}).get("due_at")
        if newest in AWAITING and due_at and (due := datetime.fromisoformat(due_at)) < as_of:
            requests[agency].add(request)
            dates.setdefault(agency, []).append(due)
    for agency, overdue in sorted(requests.items()):
        due_s = int(min(dates[agency]).timestamp()) if overdue else 0
        yield Asked(agency=agency, findings=len(dates.get(agency, ())), requests=len(overdue), due_s=due_s)


KEEPERS.append(asked)
