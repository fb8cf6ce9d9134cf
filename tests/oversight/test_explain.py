"""One dossier explained: by how much each side is late, and which 9 of the portal decides."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from tests.story import Case, at

from motcua.dossiers.importing.run import Order, import_files
from motcua.mirror.load import load
from motcua.oversight import explain, extract, figures, published
from motcua.oversight.figures import Filter, Question

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = at("2026-04-01T09:00")
CODE = "H99.12-260302-0001"


def _known(case: Case, home: Path, folder: Path) -> None:
    dossiers, events, messages = case.write(folder)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)


def test_each_side_tells_its_working_minutes_late_or_to_spare(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE)  # due 17:00 on Monday 9 March
    case.event(CODE, "finished", "2026-03-10T10:00", evidence="2026-03-06T15:00")
    case.record(CODE, 9, updating=False)
    case.step(CODE, 9, "20260311080000")
    _known(case, home, tmp_path)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None
    told = {side: (story[side]["late_minutes"], story[side]["spare_minutes"]) for side in ("shown", "recorded", "true")}
    assert told == {"shown": (480 + 60, None), "recorded": (180, None), "true": (None, 120 + 480)}


def test_an_open_dossier_is_measured_to_the_instant_of_the_question(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE)
    case.record(CODE, 2, updating=False)
    _known(case, home, tmp_path)
    before = explain.dossier(home, CODE, now=NOW, as_of=at("2026-03-09T16:00"))
    evening = explain.dossier(home, CODE, now=NOW, as_of=at("2026-03-09T20:00"))
    assert before is not None and evening is not None
    assert (before["recorded"]["late_minutes"], before["recorded"]["spare_minutes"]) == (None, 60)
    assert evening["recorded"]["verdict"] == "open_late"
    assert evening["recorded"]["late_minutes"] == 0, "past due, outside office hours"


def test_a_running_pause_and_an_absent_side_are_not_measured(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "supplement_requested", "2026-03-04T10:00", document="yes")
    _known(case, home, tmp_path)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None
    assert story["recorded"]["verdict"] == "paused"
    assert story["shown"]["verdict"] == "absent"
    for side in ("shown", "recorded"):
        assert story[side]["late_minutes"] is None
        assert story[side]["spare_minutes"] is None


@pytest.mark.parametrize(
    ("switch", "finish", "verdict"),
    [("false", "2026-03-06T10:00:00+07:00", "on_time"), ("true", "2026-03-11T10:00:00+07:00", "late")],
    ids=["the first 9", "the last 9"],
)
def test_the_finish_of_the_portal_is_the_nine_that_its_profile_makes_decisive(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str, finish: str, verdict: str
) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_text(f"[rule]\nlast_nine = {switch}\n")
    monkeypatch.setenv("MOTCUA_MIRROR_PROFILE", str(profile))
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "finished", "2026-03-06T10:00")
    case.record(CODE, 9, updating=False)
    case.step(CODE, 9, "20260306100000")
    case.step(CODE, 9, "20260311100000")
    _known(case, home, tmp_path)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None
    assert (story["shown"]["finished_at"], story["shown"]["verdict"]) == (finish, verdict)
    if verdict == "late":
        assert story["causes"]["sync"] == "finish_differs"
        assert story["sentence"] == "Cổng ghi kết thúc lúc 10:00 11/03/2026, một cửa ghi 10:00 06/03/2026."


def test_the_certificate_carries_its_terms(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE, due="")
    case.event(CODE, "suspended", "2026-03-04T10:00", document="no")
    case.event(CODE, "resumed", "2026-03-05T10:00")
    case.event(CODE, "extended", "2026-03-06T09:00", due="2026-03-20T17:00", document="yes")
    _known(case, home, tmp_path)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None
    found = story["certificate"]
    assert (found["allotted"], found["limit"], found["mode"]) == ("5d", "5 ngày làm việc", "keep-clock")
    assert found["slip_due_at"] is None
    assert found["computed_due_at"] == "2026-03-09T08:30:00+07:00"
    assert [(p["kind"], p["document"], p["restart"], p["fault"]) for p in found["pauses"]] == [
        ("suspension", False, False, "no_document")
    ]
    assert [e["due_at"] for e in found["extensions"]] == ["2026-03-20T17:00:00+07:00"]
    assert found["due_at"] == "2026-03-20T17:00:00+07:00"


def test_a_second_record_that_is_late_makes_the_dossier_late_and_is_told_in_the_story(
    home: Path, tmp_path: Path
) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "finished", "2026-03-06T15:00")
    case.record(CODE, 9, updating=False)
    case.step(CODE, 9, "20260306150000")
    case.record("H99.12-260302-54321", 2, updating=False)
    case.step("H99.12-260302-54321", 2, "20260302083000")
    _known(case, home, tmp_path)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None
    assert (story["shown"]["verdict"], story["causes"]["sync"]) == ("late", "duplicate_there")
    assert story["shown"]["spare_minutes"] is None and story["further"] == ["H99.12-260302-54321"]
    assert {step["record"] for step in story["timeline"] if step["side"] == "theirs"} == {CODE, "H99.12-260302-54321"}


def test_a_record_that_the_portal_never_accepted_is_not_accepted_there(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE)
    case.record(CODE, 1, updating=False, NgayTiepNhan="")
    case.record(CODE, 3, NgayTiepNhan="")
    case.step(CODE, 3, "20260302093000")
    _known(case, home, tmp_path)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None and story["shown"]["verdict"] == "not_accepted"


def test_what_a_list_states_is_told_as_stated(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "finished", "2026-03-06T15:00")
    _known(case, home, tmp_path)
    file = tmp_path / "late.csv"
    file.write_text(f"Mã hồ sơ,Ngày hẹn trả\n{CODE},05/03/2026 17:00\n", encoding="utf-8")
    published.take_in(file, published.Head(dated_at=NOW), at=NOW)
    extract.run(home=home, at=NOW)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None
    assert story["stated"] and story["shown"]["verdict"] == "open_late"
    assert story["causes"]["sync"] == "not_enough_data" and story["sentence"].startswith("Chưa đủ dữ liệu")


def test_an_extension_that_makes_a_dossier_late_is_told_as_such(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "extended", "2026-03-04T10:00", due="2026-03-05T17:00", document="yes")
    case.event(CODE, "finished", "2026-03-06T15:00")
    _known(case, home, tmp_path)
    story = explain.dossier(home, CODE, now=NOW)
    assert story is not None
    assert story["causes"]["record"] == "due_moved" and "Chỉ quá hạn vì lần hẹn lại" in story["sentence"]


def test_the_time_of_many_dossiers_is_the_sum_of_what_each_tells(home: Path, tmp_path: Path) -> None:
    """The column form of whose minutes agrees with the rule; each figure opens exactly its dossiers."""
    chance, case = random.Random(5), Case()
    kinds = ("step_started", "step_finished", "supplement_requested", "supplement_received", "payment_requested",
             "paid", "suspended", "resumed", "leg_sent", "leg_returned")  # fmt: skip
    codes = [f"H99.12-260302-{n:04}" for n in range(24)]
    for n, code in enumerate(codes):
        case.dossier(code, submitted_at="2026-02-27T15:10" if n % 3 == 0 else "")
        for hour in sorted(chance.sample(range(60), chance.randrange(9))):
            when = at("2026-03-02T09:15") + timedelta(hours=hour)
            kind = chance.choice(kinds)
            step = chance.choice(("Thụ lý", "Trình ký")) if kind.startswith("step") else ""
            case.event(code, kind, f"{when:%Y-%m-%dT%H:%M}", step=step)
        if n % 4:
            case.event(code, "finished", "2026-03-05T14:20")
    _known(case, home, tmp_path)
    want: dict[tuple[str, str], list[int]] = {}
    for code in codes:
        story = explain.dossier(home, code, now=NOW)
        assert story is not None
        mine: dict[tuple[str, str], int] = {}
        for share in story["minutes"]:
            key = (share["owner"], share["step"])
            mine[key] = mine.get(key, 0) + share["minutes"]
        for key, minutes in mine.items():
            entry = want.setdefault(key, [0, 0])
            entry[0] += minutes
            entry[1] += minutes > 0
    document = figures.where_time_lies(home, Question(), now=NOW)
    got = {(row["owner"], row["step"]): [row["minutes"], row["dossiers"]] for row in document["rows"]}
    assert got == {key: entry for key, entry in want.items() if entry[0]}
    owners = {owner for owner, _ in got}
    assert {"step", "assignment", "applicant", "payment", "suspension", "other_agency", "reception"} <= owners
    for row in document["rows"]:
        held = f"{row['owner']}:{row['step']}" if row["step"] else row["owner"]
        assert figures.dossiers(home, Question(), Filter(held=held), now=NOW)["total"] == row["dossiers"], held
