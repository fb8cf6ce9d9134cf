"""What a digest holds: items in the order in which they are to be done, each a code, a count and its list.

No name and no code of a dossier is in it: only counts, units, tasks. A digest says when the facts were made and over
how many dossiers; where the scan was silent it says that its zeros are not to be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Count, Q

from motcua.directives import meetings, standing, targets, units_to_note
from motcua.findings.models import Finding
from motcua.inspection.life import ASKED
from motcua.jobs import lease
from motcua.oversight import figures
from motcua.oversight.figures import Filter, Question
from motcua.rules.instants import at_clock, local_day

#: Facts older than this are not to be read as today's.
STALE_S = 3 * 3600
#: The watchers on whose silence a digest's zeros depend.
_WATCHERS = frozenset({"extract", "overdue"})
#: Counts by unit: code → measure and filter of its list.
COUNTED: Mapping[str, tuple[str, Filter]] = {
    "overdue": ("open", Filter(side="true")),
    "due_today": ("open", Filter(flag="due_today")),
    "shown_by_sync": ("open", Filter(leg="sync", direction="removed")),
    "not_clicked": ("all", Filter(leg="record", cause="step_skipped")),
    "late_reception": ("reception", Filter(side="recorded")),
    "unproven": ("all", Filter(flag="unproven")),
}
_MORNING = ("overdue", "due_today", "late_reception", "shown_by_sync")
_EVENING = ("not_clicked", "due_today", "overdue", "late_reception", "unproven")


@dataclass(slots=True)
class Gathered:
    """The figures of all units at one instant: asked once, whatever the number of heads."""

    now: datetime
    as_of: str
    facts_age_s: int
    silent: list[str]
    open: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    asked: Mapping[str, tuple[int, int, int]]  # agency → explanations asked, of them overdue, of them due today
    tasks: list[standing.Standing]

    @property
    def stale(self) -> bool:
        """Whether the figures are too old, or a watcher that makes them is silent."""
        return self.facts_age_s > STALE_S or bool(_WATCHERS & set(self.silent))


def gather(home: Path, *, now: datetime) -> Gathered:
    """Asks every figure once, by unit. Raises `Unreadable` where there are no facts."""
    rates = figures.rates(home, Question(measure="open"), now=now, by="agency")
    counts = {
        code: figures.counts(home, Question(measure=measure), chosen, by="agency", now=now)  # type: ignore[arg-type]
        for code, (measure, chosen) in COUNTED.items()
    }
    rows = (
        Finding.objects.filter(state__in=[str(state) for state in ASKED])
        .values("agency")
        .annotate(
            n=Count("pk"),
            late=Count("pk", filter=Q(due_at__lt=now)),
            today=Count("pk", filter=Q(due_at__gte=now, due_at__lte=at_clock(local_day(now), 1440))),
        )
    )
    return Gathered(
        now=now,
        as_of=rates["as_of"],
        facts_age_s=rates["facts_age_s"],
        silent=lease.silent(now=now),
        open={row["key"]: row["open"] for row in rates["rows"]},
        counts=counts,
        asked={row["agency"]: (row["n"], row["late"], row["today"]) for row in rows},
        tasks=standing.standings(today=local_day(now), scope=None),
    )


def _head(found: Gathered) -> dict[str, Any]:
    return {"as_of": found.as_of, "stale": found.stale, "facts_age_s": found.facts_age_s}


def _item(code: str, count: int, **facts: Any) -> dict[str, Any]:
    return {"code": code, "count": count, **facts}


def morning(found: Gathered, agency: str) -> dict[str, Any]:
    """For the head of a unit: what to do today, the most pressing first."""
    asked, late, today = found.asked.get(agency, (0, 0, 0))
    items = [_item("explain_late", late), _item("explain_today", today), _item("explain", asked - late - today)]
    items += _tasks(found, agency)
    items += [_item(code, found.counts[code].get(agency, 0)) for code in _MORNING]
    return {**_head(found), "agency": agency, "open": found.open.get(agency, 0), "items": _kept(items)}


def evening(found: Gathered, agency: str) -> dict[str, Any]:
    """For the officials of a unit: what to click before they go."""
    items = [_item(code, found.counts[code].get(agency, 0)) for code in _EVENING]
    return {**_head(found), "agency": agency, "open": found.open.get(agency, 0), "items": _kept(items)}


def _tasks(found: Gathered, agency: str) -> list[dict[str, Any]]:
    items = []
    for each in found.tasks:
        part = each.parts.get(agency)
        if agency not in each.units or part is None or each.pace == "met":
            continue
        most = targets.METRICS[each.directive.metric].most
        left = part.value if most else (part.out_of or 0) - part.value
        items.append(
            _item(
                _when(each, found.now),
                left,
                task=each.directive.pk,
                title=each.directive.title,
                due_on=each.directive.due_on.isoformat(),
            )
        )
    return items


def _when(task: standing.Standing, now: datetime) -> str:
    if task.pace == "overdue":
        return "task_late"
    return "task_today" if task.directive.due_on == local_day(now) else "task"


def _kept(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if item["count"]]


def week(home: Path, found: Gathered) -> dict[str, Any]:
    """For leaders: the three answers beside a week ago, the units to note, what was ordered."""
    documents = meetings.gathered(home, period=None, as_of=None, now=found.now)
    kept = meetings.week_ago(local_day(found.now))
    old = kept.figures if kept else None
    units = meetings.units_on(kept.on, measure="all") if kept else {}
    items = [
        _item(
            f"week_{measure}",
            documents[measure]["late_shown"],
            true=documents[measure]["late_true"],
            before=old[measure]["late_shown"] if old else None,
        )
        for measure in ("open", "reception", "finished")
    ]
    for one in units_to_note.noted(documents["all"]["rows"]):
        then = units.get(one.agency)
        items.append(
            _item("noted", one.late, agency=one.agency, name=one.name, of=one.population,
                  before=then.late_true if then else None)
        )  # fmt: skip
    late = [each for each in found.tasks if each.pace == "overdue"]
    items.append(_item("tasks_fine", len(found.tasks) - len(late)))
    items += [
        _item(
            "task_late",
            each.whole.value if each.whole else 0,
            task=each.directive.pk,
            title=each.directive.title,
            due_on=each.directive.due_on.isoformat(),
        )
        for each in late
    ]
    return {**_head(found), "agency": "", "open": sum(found.open.values()), "items": items}
