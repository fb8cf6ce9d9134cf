"""Data levels, freshness and silence of each source and each unit, from the facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from motcua.catalogue import calendars
from motcua.catalogue.models import Agency
from motcua.inspection import engines
from motcua.inspection import levels as tally
from motcua.mirror import watch
from motcua.oversight import figures, reading
from motcua.oversight.figures import Question
from motcua.oversight.models import PublishedList
from motcua.rules.instants import Unreadable, from_microseconds, iso
from motcua.rules.workdays import WorkCalendar

DIMENSIONS = ("source", "agency")
#: A source is silent when, at its usual pace, so many news would have come since the newest.
_MISSED = 10
#: Gaps of the collector are told from so far back.
_GAPS = timedelta(days=28)
#: Working minutes of the weeks over which the pace is taken: five days of eight hours each.
_PACE_MINUTES = tally.RHYTHM_DAYS // 7 * 5 * 8 * 60


def levels(home: Path, question: Question, *, now: datetime, by: str = "source") -> dict[str, Any]:
    """The JSON of `motcua levels`: the whole, and a row a source or a unit. Raises `Unreadable`."""
    if by not in DIMENSIONS:
        raise Unreadable(f"no dimension {by!r}; there are: {', '.join(DIMENSIONS)}")
    read_back = reading.their_side() == "seen"
    store = figures.facts(home)
    with store.lock:
        view = store.view(question, now=now, keep=tally.READ)
        steps = engines.table(view.engine, store.folder, view.manifest, "steps")
        found: dict[str | None, list[dict[str, Any]]] = {}
        with view.engine.kept(tally.marked(view.judged(), steps, read_back=read_back)) as marked:
            for cut in (None, by):
                counted = tally.counted(marked, by=cut)
                news = {row["key"]: row["news"] for row in view.engine.collect(tally.rhythm(marked, counted, by=cut))}
                found[cut] = [{**row, "news": news.get(row["key"], 0)} for row in view.engine.collect(counted)]
    calendar = calendars.load("vn")
    names = dict(Agency.objects.values_list("code", "name")) if by == "agency" else {}
    empty = {"key": "", "dossiers": 0, "has_2": 0, "has_3": 0, "has_4": 0, "unclear": 0, "newest_s": None,
             "newest_there_s": None, "news": 0}  # fmt: skip
    whole = next(iter(found[None]), empty)
    rows = sorted(found[by], key=lambda row: (-row["unclear"], -row["dossiers"], row["key"]))
    return {
        **figures.head(view, question, tally.FORMULA, now),
        "by": by,
        **_told(whole, calendar, view.as_of),
        "unwatched": [
            {"since": iso(gap.since), "until": gap.until and iso(gap.until)} for gap in watch.gaps(now - _GAPS, now)
        ],
        "causes": {str(level): [str(cause) for cause in tally.CAUSES[level]] for level in tally.LEVELS},
        "rows": [
            {"key": row["key"], "name": names.get(row["key"], row["key"]), **_told(row, calendar, view.as_of)}
            for row in rows
        ],
    }


def looked_there(document: Mapping[str, Any]) -> bool:
    """Whether anything tells what the portal shows: a record, or a published list. Else its zero is no finding."""
    if not document["dossiers"] or document["has"]["3"] or document["has"]["4"]:
        return True
    return PublishedList.objects.filter(withdrawn_at=None).exists()


def _told(row: Mapping[str, Any], calendar: WorkCalendar, as_of: datetime) -> dict[str, Any]:
    """A row of the tally for people: the level, what is next and would be cleared, the newest news, the silence."""
    there = tally.reached(row)
    newest, newest_there = (_instant(row[name]) for name in ("newest_s", "newest_there_s"))
    quiet = calendar.minutes_between(newest, as_of) if newest is not None and newest < as_of else 0
    return {
        "dossiers": int(row["dossiers"]),
        "level": max(there),
        "reached": list(there),
        "has": {str(level): int(row["dossiers"] if level == 1 else row[f"has_{level}"]) for level in tally.LEVELS},
        "next": next((level for level in tally.LEVELS if level not in there), None),
        "would_clear": int(row["unclear"]),
        "newest_at": newest and iso(newest),
        "newest_there_at": newest_there and iso(newest_there),
        "quiet_minutes": quiet,
        "silent": quiet * int(row["news"]) >= _MISSED * _PACE_MINUTES,
    }


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else from_microseconds(int(seconds) * 1_000_000)
