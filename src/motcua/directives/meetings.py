"""Meetings: the figures that lay on the table are kept with the day, so that the next meeting is compared with them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Min

from motcua.directives.models import DayFigures, Meeting, UnitDay
from motcua.dossiers.models import DossierRow
from motcua.oversight import figures
from motcua.oversight.figures import Question
from motcua.oversight.models import PublishedList
from motcua.rules.instants import at_clock, local_day

MEASURES = ("reception", "open", "finished", "all")
#: What is kept of a unit.
SIDES = ("population", "late_shown", "late_recorded", "late_true")
#: A day that nobody kept is computed so many days back, as of this minute of it.
FILLED_BACK, _EVENING = 42, 17 * 60
#: A day so long ago at most still stands for a week ago.
_WEEK = 10


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
    return _kept(gathered(home, period=None, as_of=None, now=at), on=local_day(at), at=at, filled=False)


def fill(home: Path, *, at: datetime, back: int = FILLED_BACK, most: int = 7) -> int:
    """Computes days that nobody kept, from the facts as they are now: the newest first, `most` at once.

    Not before the first dossier was received: there is nothing to count. Returns how many days were filled.
    """
    today = local_day(at)
    first = DossierRow.objects.filter(accepted_at__isnull=False).aggregate(first=Min("accepted_at"))["first"]
    if first is None:
        return 0
    start = max(today - timedelta(days=back), local_day(first))
    known = set(DayFigures.objects.filter(on__gte=start).values_list("on", flat=True))
    missing = [day for n in range(1, (today - start).days + 1) if (day := today - timedelta(days=n)) not in known]
    for day in missing[:most]:
        end = at_clock(day, _EVENING)
        _kept(gathered(home, period=None, as_of=end, now=at), on=day, at=end, filled=True)
    return len(missing[:most])


@transaction.atomic
def _kept(found: dict[str, dict[str, Any]], *, on: date, at: datetime, filled: bool) -> int:
    whole = {measure: {name: value for name, value in counts.items() if name != "rows"}
             for measure, counts in _counts(found).items()}  # fmt: skip
    DayFigures.objects.update_or_create(on=on, defaults={"at": at, "figures": whole, "filled": filled})
    UnitDay.objects.filter(on=on).delete()
    UnitDay.objects.bulk_create(
        [
            UnitDay(on=on, measure=measure, agency=row["key"], **{name: row[name] for name in SIDES})
            for measure, document in found.items()
            for row in document["rows"]
        ],
        batch_size=500,
    )
    return int(found["open"]["late_true"])


def of_unit(agency: str, *, measure: str, until: date, count: int) -> list[UnitDay]:
    """The kept days of a unit, so many days back, the oldest first."""
    found = UnitDay.objects.filter(agency=agency, measure=measure, on__lte=until, on__gt=until - timedelta(days=count))
    return list(found.order_by("on"))


def units_on(on: date, *, measure: str) -> dict[str, UnitDay]:
    """Every unit's figures of a day."""
    return {row.agency: row for row in UnitDay.objects.filter(on=on, measure=measure)}


def days(*, until: date, count: int) -> list[DayFigures]:
    """The last days that were kept until a day, the oldest first."""
    return list(DayFigures.objects.filter(on__lte=until).order_by("-on")[:count])[::-1]


def week_ago(today: date) -> DayFigures | None:
    """The kept figures of a week ago, or of a day shortly before it."""
    found = days(until=today - timedelta(days=7), count=1)
    return found[0] if found and (today - found[0].on).days <= _WEEK else None


def _counts(gathered: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is kept of the bridges: their counts, and those of each unit."""
    return {
        measure: {
            **{name: document[name] for name in (*SIDES, "causes")},
            "rows": [{name: row[name] for name in ("key", "name", *SIDES)} for row in document["rows"]],
        }
        for measure, document in gathered.items()
    }


def before(on: date, period: str = "") -> Meeting | None:
    """The meeting before a day; where it kept several periods, this one first."""
    rows = Meeting.objects.filter(on__lt=on)
    last = rows.order_by("-on", "-kept_at").first()
    return last and (rows.filter(on=last.on, period=period).first() or last)


def published(as_of: datetime) -> dict[str, dict[str, Any]]:
    """The newest list of the whole province in force by an instant, for each measure: its letter, day and number."""
    found: dict[str, dict[str, Any]] = {}
    lists = PublishedList.objects.filter(unit="", withdrawn_at=None, dated_at__lte=as_of, stated_count__isnull=False)
    for row in lists.order_by("dated_at", "pk"):
        found[row.measure] = {"document": row.document or row.file, "dated_at": row.dated_at,
                              "count": row.stated_count}  # fmt: skip
    return found
