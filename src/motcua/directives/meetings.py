"""Meetings: the figures that lay on the table are kept with the day, so that the next meeting is compared with them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from motcua.directives.models import DayFigures, Meeting
from motcua.oversight import figures
from motcua.oversight.figures import Question
from motcua.oversight.models import PublishedList
from motcua.rules.instants import local_day

MEASURES = ("reception", "open", "finished", "all")


def gathered(home: Path, *, period: str | None, as_of: datetime | None, now: datetime) -> dict[str, dict[str, Any]]:
    """The bridge of each measure by agency. Raises `Unreadable`."""
    return {
        measure: figures.bridge(home, Question(measure=measure, period=period, as_of=as_of), now=now, by="agency")  # type: ignore[arg-type]
        for measure in MEASURES
    }


@transaction.atomic
def keep(gathered: dict[str, dict[str, Any]], *, on: date, period: str, by: str, at: datetime) -> Meeting:
    """Keeps the figures of a meeting day; the last draft of the day stands."""
    as_of = datetime.fromisoformat(gathered["open"]["as_of"])
    meeting, _ = Meeting.objects.update_or_create(
        on=on, period=period, defaults={"as_of": as_of, "figures": _counts(gathered), "kept_at": at, "kept_by": by}
    )
    return meeting


def keep_day(home: Path, *, at: datetime) -> int:
    """Keeps the figures of this day, the last look of it standing. Returns how many dossiers are open and overdue."""
    found = gathered(home, period=None, as_of=None, now=at)
    DayFigures.objects.update_or_create(on=local_day(at), defaults={"at": at, "figures": _counts(found)})
    return int(found["open"]["late_true"])


def days(*, until: date, count: int) -> list[DayFigures]:
    """The last days that were kept until a day, the oldest first."""
    return list(DayFigures.objects.filter(on__lte=until).order_by("-on")[:count])[::-1]


def _counts(gathered: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is kept of the bridges: their counts, and those of each unit."""
    sides = ("population", "late_shown", "late_recorded", "late_true")
    return {
        measure: {
            **{name: document[name] for name in (*sides, "causes")},
            "rows": [{name: row[name] for name in ("key", "name", *sides)} for row in document["rows"]],
        }
        for measure, document in gathered.items()
    }


def before(on: date) -> Meeting | None:
    """The meeting before a day."""
    return Meeting.objects.filter(on__lt=on).order_by("-on", "-kept_at").first()


def published(as_of: datetime) -> dict[str, dict[str, Any]]:
    """The newest list of the whole province in force by an instant, for each measure: its letter, day and number."""
    found: dict[str, dict[str, Any]] = {}
    lists = PublishedList.objects.filter(unit="", withdrawn_at=None, dated_at__lte=as_of, stated_count__isnull=False)
    for row in lists.order_by("dated_at", "pk"):
        found[row.measure] = {"document": row.document or row.file, "dated_at": row.dated_at,
                              "count": row.stated_count}  # fmt: skip
    return found
