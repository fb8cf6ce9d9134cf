"""Tasks with a target: the data measure them, day by day, to the number that the lists hold; late ones climb."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.directives import ward
from tests.directives.ward import NOW
from tests.story import at

from motcua.directives import kept_papers, meetings, orders, progress, standing, targets
from motcua.directives.models import Directive, Line, Progress
from motcua.inspection.causes import RECORD, SYNC
from motcua.ledger.models import Change
from motcua.oversight import figures
from motcua.oversight.figures import Question
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
UNITS = tuple(ward.NAMES)
Act = Line.Act


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The small province, built once for this file."""
    with ward.kept(django_db_blocker, tmp_path_factory.mktemp("ward")) as folder:
        yield folder


@pytest.fixture
def province(built: Path, home: Path) -> Path:
    return ward.lent(built, home)


def _given(**more: object) -> Directive:
    given: dict[str, object] = {
        "title": "Không còn hồ sơ đã xong mà chưa đồng bộ", "metric": "not_synchronised", "target": 0,
        "agencies": UNITS, "due_on": date(2026, 3, 20), "by": "chu-tich", "at": NOW,
    }  # fmt: skip
    return orders.give(**{**given, **more})  # type: ignore[arg-type]


def test_a_target_counts_exactly_the_dossiers_of_its_list(province: Path) -> None:
    wanted = {"not_synchronised": len(ward.UNSENT), "open_overdue": len(ward.OPEN_LATE), "late_reception": 0,
              "late_by_sync": len(ward.UNSENT), "late_by_clicks": len(ward.CLICKED_LATE)}  # fmt: skip
    for metric, known in targets.METRICS.items():
        for cause in ("update_not_sent", "late_entry") if known.needs_cause else ("",):
            found = targets.measured(province, metric, cause=cause, period="", agencies=None, at=NOW)
            listed = targets.dossiers(province, metric, cause=cause, period="", agencies=None, at=NOW, limit=100)
            spoiling = found.whole.value if known.most else (found.whole.out_of or 0) - found.whole.value
            assert len(listed["rows"]) == listed["total"] == spoiling, (metric, cause)
            assert sum(part.value for part in found.parts.values()) == found.whole.value
            for agency, part in found.parts.items():
                own = targets.dossiers(province, metric, cause=cause, period="", agencies=frozenset({agency}), at=NOW)
                assert own["total"] == (part.value if known.most else (part.out_of or 0) - part.value), (metric, agency)
            if metric in wanted:
                assert spoiling == wanted[metric], metric
    document = figures.bridge(province, Question(as_of=NOW), now=NOW)
    for cause in document["causes"]:
        if cause["removed"] + cause["added"] and cause["cause"] in (*SYNC, *RECORD):
            found = targets.measured(province, "cause", cause=cause["cause"], period="", agencies=None, at=NOW)
            assert found.whole.value == cause["removed"] + cause["added"]


@pytest.mark.parametrize("metric", sorted(targets.METRICS))
def test_what_is_counted_for_all_tasks_at_once_is_what_each_would_count(province: Path, metric: str) -> None:
    cause = "late_entry" if metric == "cause" else ""
    task = _given(metric=metric, cause=cause, agencies=("H99.12", "H99.14"))
    assert progress.look_at_all(province, at=NOW) == 1
    together = task.progress.get()
    alone = progress.look(province, task.pk, at=NOW)
    assert (together.value, together.out_of, together.parts) == (alone.value, alone.out_of, alone.parts)


def test_the_unsynchronised_are_those_that_ended_here_and_not_there(province: Path) -> None:
    listed = targets.dossiers(province, "not_synchronised", cause="", period="", agencies=None, at=NOW)
    assert [row["dossier"] for row in listed["rows"]] == sorted(ward.UNSENT)


def test_progress_moves_by_itself_and_a_target_that_holds_closes_the_task(province: Path, tmp_path: Path) -> None:
    task = _given()
    progress.look(province, task.pk, at=NOW)
    assert progress.look(province, task.pk, at=at("2026-03-16T15:00")).value == 6
    assert Progress.objects.count() == 1, "a day has one figure"
    ward.sent(province, tmp_path, ward.UNSENT[:4], when="2026-03-16T17:00")
    assert progress.look(province, task.pk, at=at("2026-03-17T08:00")).parts == {
        "H99.13": [1, None],
        "H99.14": [1, None],
    }
    ward.sent(province, tmp_path, ward.UNSENT[4:], when="2026-03-17T09:00")
    for day, state in ((17, "open"), (18, "open"), (19, "done")):  # three days in a row
        progress.look(province, task.pk, at=at(f"2026-03-{day}T10:00"))
        task.refresh_from_db()
        assert (task.state, task.met_since) == (state, date(2026, 3, 17)), day
    assert [line.act for line in standing.history(task)] == [Act.CLOSED_BY_DATA, Act.MET, Act.GIVEN]
    assert task.closed_by == ""
    assert progress.verify(province, task.pk)[1] == [], "what was kept is what is computed again"
    assert progress.look_at_all(province, at=at("2026-03-20T08:00")) == 0


def test_what_was_kept_is_computed_again_although_more_is_known_today(province: Path, tmp_path: Path) -> None:
    task = _given(metric="cause", cause="update_not_sent")
    progress.look(province, task.pk, at=NOW)
    ward.sent(province, tmp_path, ward.UNSENT, when="2026-03-16T11:00")
    progress.look(province, task.pk, at=at("2026-03-17T11:00"))
    assert progress.verify(province, task.pk)[1] == []
    Progress.objects.filter(on=date(2026, 3, 16)).update(value=0)
    assert progress.verify(province, task.pk)[1] == [f"directive {task.pk}, 2026-03-16: kept 0, computed 6"]


def test_a_target_that_slips_is_said_and_starts_to_count_again(province: Path, tmp_path: Path) -> None:
    task = _given(metric="open_overdue", target=4)
    progress.look(province, task.pk, at=NOW)
    task.refresh_from_db()
    assert task.met_since == date(2026, 3, 16)
    Directive.objects.update(target=3)
    progress.look(province, task.pk, at=at("2026-03-17T09:00"))
    task.refresh_from_db()
    assert task.met_since is None and task.state == "open"
    assert [line.act for line in standing.history(task)][:2] == [Act.SLIPPED, Act.MET]


def test_a_late_task_climbs_the_ladder_by_working_days_each_rung_once(province: Path) -> None:
    task = _given(due_on=date(2026, 3, 20))
    told: list[tuple[int, str]] = []
    for day in (20, 21, 22, 23, 23, 24, 25, 26, 27):  # Friday 20, a weekend, then a week
        progress.look(province, task.pk, at=at(f"2026-03-{day}T08:00"))
        found = [line.facts["role"] for line in Line.objects.filter(act=Act.ESCALATED).order_by("pk")]
        told += [(day, role) for role in found[len(told) :]]
    assert told == [(23, "unit_head"), (25, "inspector"), (27, "leader")]
    orders.extend(
        task.pk, due_on=date(2026, 3, 30), reason="chờ nhà cung cấp", by="chu-tich", at=at("2026-03-27T10:00")
    )
    progress.look(province, task.pk, at=at("2026-03-28T08:00"))
    assert Line.objects.filter(act=Act.ESCALATED).count() == 3
    progress.look(province, task.pk, at=at("2026-03-31T08:00"))
    assert Line.objects.filter(act=Act.ESCALATED).count() == 4, "late again: told anew"


def test_a_rate_of_nothing_is_no_figure_and_meets_nothing(province: Path) -> None:
    assert targets.meets("on_time_rate", 950, targets.Value(0, 0)) is None
    assert targets.meets("on_time_rate", 950, targets.Value(95, 100)) is True
    assert targets.meets("on_time_rate", 951, targets.Value(95, 100)) is False
    task = _given(metric="on_time_rate", target=950, agencies=("H99.15",))
    row = progress.look(province, task.pk, at=NOW)
    assert (row.value, row.out_of) == (0, 0)
    task.refresh_from_db()
    assert task.met_since is None
    everybody = progress.look(province, _given(metric="on_time_rate", target=900).pk, at=NOW)
    assert (everybody.value, everybody.out_of) == (15, 15), "late clicks with evidence are on time in truth"


def test_each_unit_is_to_reach_its_own_target_where_that_is_said(province: Path) -> None:
    whole = _given(metric="open_overdue", target=4)
    each = _given(metric="open_overdue", target=1, each=True)
    for task in (whole, each):
        progress.look(province, task.pk, at=NOW)
        task.refresh_from_db()
    assert whole.met_since and each.met_since is None
    (found,) = standing.standings(today=date(2026, 3, 16), scope=None, only=each.pk)
    rows = standing.units_of(found, each.parts.all())
    assert [(row["agency"], row["value"].value, row["met"]) for row in rows] == [
        ("H99.13", 2, False), ("H99.12", 1, True), ("H99.14", 1, True), ("H99.15", 0, True),
    ]  # fmt: skip


def test_a_unit_sees_its_tasks_alone_and_its_word_changes_no_figure(province: Path) -> None:
    mine, other = _given(agencies=("H99.12", "H99.13")), _given(agencies=("H99.14",))
    today = date(2026, 3, 16)
    assert [s.directive for s in standing.standings(today=today, scope=frozenset({"H99.12"}))] == [mine]
    assert len(standing.standings(today=today, scope=None)) == 2
    orders.see(mine.pk, agency="H99.12", by="phuong", at=NOW)
    orders.see(mine.pk, agency="H99.12", by="can-bo", at=at("2026-03-16T10:00"))
    orders.answer(mine.pk, agency="H99.12", text="Đã gửi lại, chờ Cổng.", by="phuong", at=at("2026-03-16T11:00"))
    part = mine.parts.get(agency="H99.12")
    assert (part.seen_by, part.answer) == ("phuong", "Đã gửi lại, chờ Cổng.")
    assert progress.look(province, mine.pk, at=NOW).value == 5
    with pytest.raises(Unreadable, match=r"H99\.12 has no part"):
        orders.answer(other.pk, agency="H99.12", text="x", by="phuong", at=NOW)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": " "}, "title"), ({"target": -1}, "target"), ({"metric": "on_time_rate", "target": 1001}, "target"),
        ({"metric": "luck"}, "no target 'luck'"), ({"metric": "cause", "cause": "luck"}, "no cause 'luck'"),
        ({"agencies": ()}, "name at least one"), ({"agencies": ("H00",)}, "agencies: H00"),
        ({"due_on": date(2026, 3, 15)}, "due"), ({"period": "2026-13"}, "not a period"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_task_that_cannot_be_is_refused_whole(province: Path, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        _given(**wrong)
    assert not Directive.objects.exists() and not Line.objects.exists()


def test_whoever_gave_a_task_ends_it_and_gives_it_again(province: Path) -> None:
    task = _given()
    for act in (orders.close, orders.withdraw):
        with pytest.raises(Unreadable, match="reason"):
            act(task.pk, reason=" ", by="chu-tich", at=NOW)
    assert orders.close(task.pk, reason="Chuyển sang tháng sau", by="chu-tich", at=NOW).state == "closed"
    with pytest.raises(Unreadable, match="not open"):
        orders.extend(task.pk, due_on=date(2026, 4, 1), reason="x", by="chu-tich", at=NOW)
    again = orders.reopen(task.pk, due_on=date(2026, 4, 1), reason="Làm tiếp", by="chu-tich", at=NOW)
    assert (again.state, again.due_on, again.first_due_on) == ("open", date(2026, 4, 1), date(2026, 3, 20))
    assert orders.withdraw(task.pk, reason="Giao nhầm", by="chu-tich", at=NOW).state == "withdrawn"


def test_rules_of_the_ladder_are_settings_in_the_audit(province: Path) -> None:
    rungs = [progress.Rung(2, "focal_point"), progress.Rung(4, "leader")]
    progress.choose_rules(hold_days=1, rungs=rungs, by="chu-tich", at=NOW)
    assert (progress.held_days(), progress.ladder()) == (1, tuple(rungs))
    assert Change.objects.filter(key__in=[progress.HOLD, progress.LADDER]).count() == 2
    for hold, wrong in ((0, rungs), (1, []), (1, rungs[::-1]), (1, [progress.Rung(1, "chủ tịch")])):
        with pytest.raises(Unreadable, match=r"hold|rungs"):
            progress.choose_rules(hold_days=hold, rungs=wrong, by="x", at=NOW)


def test_a_meeting_keeps_its_figures_for_the_next(province: Path, tmp_path: Path) -> None:
    gathered = meetings.gathered(province, period=None, as_of=NOW, now=NOW)
    meetings.keep(gathered, on=date(2026, 3, 16), period="", by="thanh-tra", at=NOW)
    meetings.keep(gathered, on=date(2026, 3, 16), period="", by="thanh-tra", at=NOW)
    assert meetings.before(date(2026, 3, 16)) is None
    kept = meetings.before(date(2026, 3, 23))
    assert kept is not None
    assert kept.figures["open"]["late_true"] == len(ward.OPEN_LATE)
    assert sum(row["late_true"] for row in kept.figures["open"]["rows"]) == len(ward.OPEN_LATE)


def test_days_that_nobody_kept_are_computed_afterwards_and_units_sum_to_the_whole(province: Path) -> None:
    meetings.keep_day(province, at=NOW)
    assert meetings.fill(province, at=NOW, most=5) == 5
    assert meetings.fill(province, at=NOW) == 7 and meetings.fill(province, at=NOW) == 2, "back to the first receipt"
    assert meetings.fill(province, at=NOW) == 0
    days = meetings.days(until=date(2026, 3, 16), count=50)
    assert [day.on for day in days] == [date(2026, 3, n) for n in range(2, 17)]
    assert [day.filled for day in days] == [True] * 14 + [False]
    late = {day.on.day: day.figures["open"]["late_true"] for day in days}
    assert (late[6], late[13], late[16]) == (0, len(ward.OPEN_LATE), len(ward.OPEN_LATE))
    for day in days:
        for measure in meetings.MEASURES:
            rows = meetings.units_on(day.on, measure=measure).values()
            for side in meetings.SIDES:
                assert sum(getattr(row, side) for row in rows) == day.figures[measure][side]
    week = meetings.week_ago(date(2026, 3, 16))
    assert week is not None and week.on == date(2026, 3, 9)
    trend = meetings.of_unit("H99.13", measure="open", until=date(2026, 3, 16), count=30)
    assert [row.late_true for row in trend][-1] == 2 and trend[0].late_true == 0


def test_a_kept_draft_gets_its_number_once_it_is_signed(province: Path) -> None:
    def draft() -> int:
        return kept_papers.keep(form="urge", title="Đôn đốc", files={"docx": b"x"}, code="a-b-c",
                                agencies=["H99.13", "H99.12"], dossiers=3, by="thanh-tra", at=NOW).pk  # fmt: skip

    number = draft()
    assert draft() == number, "the same draft twice is one paper"
    with pytest.raises(Unreadable, match="number"):
        kept_papers.type_back(number, given=" ", signed_on=date(2026, 3, 16), signer="", by="x", at=NOW)
    with pytest.raises(Unreadable, match="day"):
        kept_papers.type_back(number, given="1", signed_on=date(2026, 3, 17), signer="", by="x", at=NOW)
    for given in ("12/VP-KSTT", "13/VP-KSTT"):
        row = kept_papers.type_back(number, given=given, signed_on=date(2026, 3, 16), signer="B", by="van-thu", at=NOW)
    assert (row.number, row.typed_by) == ("13/VP-KSTT", "van-thu")
    assert Change.objects.filter(table="directives_kept_paper").count() == 2, "a correction leaves its trace"
    assert draft() != number, "a signed paper is not drafted over"
