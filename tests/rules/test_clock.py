"""The clock: what the law's limits come to, and the column form that must agree."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.story import at

from motcua.inspection import clocks
from motcua.rules.clock import Allotted, Mode, Pause, due_after, due_at
from motcua.rules.instants import VIET_NAM, iso
from motcua.rules.workdays import Day, Hours, WorkCalendar, parse_hours, viet_nam, weekly

VN = viet_nam()
LIMITS = ("sd", "1d", "3d", "15d", "12h", "90m", "0.5d", "10cd")


@pytest.mark.parametrize(
    ("year", "days"), [(2021, 250), (2022, 249), (2023, 249), (2024, 251), (2025, 250), (2026, 249)]
)
def test_a_year_has_as_many_working_days_as_the_notices_gave_it(year: int, days: int) -> None:
    first = date(year, 1, 1)
    assert sum(VN.is_workday(first + timedelta(n)) for n in range((date(year + 1, 1, 1) - first).days)) == days


@pytest.mark.parametrize(
    ("start", "limit", "mode", "cutoff", "due"),
    [
        pytest.param("2021-12-03T15:30", "5d", "keep-clock", None, "2021-12-10T15:30", id="same hour, five days on"),
        pytest.param("2021-12-03T15:30", "5d", "day-end", None, "2021-12-10T17:00", id="closing time"),
        pytest.param("2026-03-02T07:00", "1d", "hours", None, "2026-03-02T17:00", id="eight hours end at closing"),
        pytest.param("2026-03-02T07:00", "1d", "keep-clock", None, "2026-03-03T07:00", id="one day on at opening"),
        pytest.param("2026-03-02T12:00", "2h", "hours", None, "2026-03-02T15:30", id="lunch is the afternoon"),
        pytest.param("2026-03-07T10:00", "sd", "keep-clock", None, "2026-03-09T17:00", id="Saturday is Monday"),
        pytest.param("2026-03-02T15:00", "sd", "keep-clock", 900, "2026-03-02T17:00", id="at the cut-off is not after"),
        pytest.param("2026-03-02T15:01", "sd", "keep-clock", 900, "2026-03-03T17:00", id="after the cut-off"),
        pytest.param("2026-02-13T16:00", "1d", "keep-clock", None, "2026-02-23T16:00", id="over Tết"),
        pytest.param("2024-04-26T09:00", "1d", "keep-clock", None, "2024-05-02T09:00", id="over the 2024 swap"),
        pytest.param("2024-05-03T09:00", "1d", "keep-clock", None, "2024-05-04T09:00", id="a worked Saturday"),
        pytest.param("2026-03-02T09:00", "5cd", "keep-clock", None, "2026-03-09T09:00", id="a Saturday moves on"),
    ],
)
def test_a_limit_is_over(start: str, limit: str, mode: str, cutoff: int | None, due: str) -> None:
    found = due_at(at(start), Allotted.parse(limit), calendar=VN, mode=Mode(mode), cutoff=cutoff)
    assert iso(found) == iso(at(due))


def test_a_swap_day_counts_only_from_the_day_it_was_known() -> None:
    start, limit = at("2025-12-31T09:00"), Allotted.parse("2d")
    assert due_at(start, limit, calendar=VN) == at("2026-01-06T09:00")
    before = VN.known_at(date(2025, 12, 20))
    assert due_at(start, limit, calendar=before) == at("2026-01-05T09:00")
    assert VN.is_workday(date(2026, 1, 10)) and not before.is_workday(date(2026, 1, 10))


def test_a_pause_moves_the_due_instant_and_a_restart_begins_anew() -> None:
    start, limit = at("2026-03-02T08:00"), Allotted.parse("5d")
    pause = Pause(from_at=at("2026-03-03T08:00"), to_at=at("2026-03-03T10:00"))
    assert due_after(start, limit, [pause], calendar=VN) == at("2026-03-09T10:00")
    restart = Pause(from_at=at("2026-03-03T08:00"), to_at=at("2026-03-05T10:00"), restart=True)
    assert due_after(start, limit, [restart], calendar=VN) == at("2026-03-12T10:00")


def test_a_half_day_is_a_working_day_and_the_desk_on_saturday_is_not() -> None:
    half = Day(day=date(2026, 3, 4), intervals=parse_hours("07:00-11:30"), title="nửa ngày")
    desk = Hours(weekday=5, intervals=parse_hours("07:30-11:00"), desk_only=True)
    calendar = WorkCalendar("mẫu", (*VN.hours, desk), (*VN.days, half))
    assert calendar.closing(date(2026, 3, 4)) == at("2026-03-04T11:30")
    assert due_at(at("2026-03-03T14:00"), Allotted.parse("1d"), calendar=calendar) == at("2026-03-04T11:30")
    assert not calendar.is_workday(date(2026, 3, 7))


calendars = st.builds(
    lambda hours, days: WorkCalendar("any", weekly(hours), (*VN.days, *days)),
    st.sampled_from(["07:00-11:30 13:30-17:00", "08:00-12:00 13:00-17:00", "07:30-12:00"]),
    st.lists(
        st.builds(
            lambda n, i: Day(day=date(2026, 1, 1) + timedelta(n), intervals=i, title="x"),
            st.integers(0, 364),
            st.sampled_from([None, (), ((420, 690),)]),
        ),
        max_size=8,
    ),
)
instants = st.integers(0, 300 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=VIET_NAM) + timedelta(seconds=s))


@settings(max_examples=60, deadline=None)
@given(calendars, st.lists(instants, min_size=1, max_size=20), st.sampled_from(LIMITS), st.sampled_from(list(Mode)),
       st.sampled_from([None, 900]), st.booleans())  # fmt: skip
def test_the_column_clock_agrees_with_the_rules(calendar, starts, limit, mode, cutoff, direct) -> None:  # type: ignore[no-untyped-def]
    column = np.array([clocks.to_seconds(start) for start in starts])
    allotted = Allotted.parse(limit)
    kept = clocks._DIRECT_ROWS
    clocks._DIRECT_ROWS = 0 if direct else kept
    try:
        found = clocks.due_at(column, allotted, calendar, mode=mode, cutoff=cutoff).tolist()
    finally:
        clocks._DIRECT_ROWS = kept
    rules = [due_at(start, allotted, calendar=calendar, mode=mode, cutoff=cutoff) for start in starts]
    assert found == [clocks.to_seconds(due) for due in rules]


def _naive_advance(calendar: WorkCalendar, start: datetime, minutes: int) -> datetime:
    """The slow checker: walks the wall clock minute by minute."""
    at_minute = start
    while minutes:
        of_day = at_minute.hour * 60 + at_minute.minute
        works = any(a <= of_day < b for a, b in calendar.intervals(at_minute.date()))
        at_minute += timedelta(minutes=1)
        minutes -= works
    return at_minute


@settings(max_examples=40, deadline=None)
@given(calendars, instants, st.integers(1, 900))
def test_a_slow_independent_count_agrees(calendar: WorkCalendar, start: datetime, minutes: int) -> None:
    s = calendar.normalise(start.replace(second=0))
    assert calendar.advance(s, minutes) == _naive_advance(calendar, s, minutes)
    assert calendar.minutes_between(s, calendar.advance(s, minutes)) == minutes


@settings(max_examples=60, deadline=None)
@given(calendars, instants, instants, instants)
def test_the_minutes_of_adjoining_spans_sum_to_the_whole(calendar, a, b, c) -> None:  # type: ignore[no-untyped-def]
    assert calendar.minutes_between(a, b) + calendar.minutes_between(b, c) == calendar.minutes_between(a, c)
