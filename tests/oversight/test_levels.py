"""Data levels: computed from the facts, a level where half of the dossiers have it, silence by the usual pace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.story import Case, at

from motcua.catalogue.models import Procedure
from motcua.cli.main import run
from motcua.dossiers.importing.run import Order, import_files
from motcua.inspection.causes import REST, Cause
from motcua.inspection.levels import CAUSES
from motcua.mirror.load import load
from motcua.oversight import extract, figures
from motcua.oversight.figures import Question
from motcua.oversight.levels import levels
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-03-12T09:00")


def _code(n: int, agency: str = "H99.12") -> str:
    return f"{agency}-260302-{n:04}"


@pytest.fixture
def known(home: Path, tmp_path: Path) -> Any:
    Procedure.objects.create(code="1.000001", core="1.000001", name="Thủ tục", allotted="5d")

    def store(case: Case, when: str = "2026-03-11T09:00") -> None:
        dossiers, events, messages = case.write(tmp_path)
        import_files(Order(files=(dossiers, events), home=home, at=at(when), create_missing=True))
        load([messages], at=at(when))
        extract.run(home=home, at=NOW)

    return store


def test_every_cause_belongs_to_one_level() -> None:
    told = [cause for causes in CAUSES.values() for cause in causes]
    assert len(told) == len(set(told))
    assert set(told) == set(Cause) - set(REST)


def test_lists_alone_are_level_one_and_each_kind_of_data_raises_it(
    home: Path, known: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case()
    for n in range(4):
        case.dossier(_code(n))
        case.event(_code(n), "finished", "2026-03-06T10:00")
    known(case)
    told = levels(home, Question(), now=NOW)
    assert (told["level"], told["next"], told["dossiers"]) == (1, 2, 4)
    case.event(_code(0), "step_finished", "2026-03-03T10:00", step="Thụ lý")
    known(case)
    assert levels(home, Question(), now=NOW)["level"] == 1, "one of four is not half"
    case.event(_code(1), "step_finished", "2026-03-03T10:00", step="Thụ lý")
    known(case)
    told = levels(home, Question(), now=NOW)
    assert (told["level"], told["has"]["2"]) == (2, 2)
    for n in range(3):
        case.record(_code(n), 9, updating=False)
        case.step(_code(n), 9, "20260306100000")
    known(case)
    told = levels(home, Question(), now=NOW)
    assert (told["level"], told["has"]["3"], told["next"]) == (3, 3, 4)
    monkeypatch.setattr("motcua.oversight.reading.their_side", lambda: "seen")
    told = levels(home, Question(), now=NOW)
    assert (told["level"], told["next"]) == (4, None)


def test_units_have_levels_of_their_own_and_add_up(home: Path, known: Any) -> None:
    case = Case()
    for agency, logged in (("H99.12", True), ("H99.13", False)):
        for n in range(3):
            case.dossier(_code(n, agency), agency=agency)
            case.event(_code(n, agency), "finished", "2026-03-10T10:00")
            if logged:
                case.event(_code(n, agency), "step_finished", "2026-03-03T10:00", step="Thụ lý")
    known(case)
    told = levels(home, Question(), now=NOW, by="agency")
    assert {row["key"]: row["level"] for row in told["rows"]} == {"H99.12": 2, "H99.13": 1}
    for name in ("dossiers", "would_clear"):
        assert sum(row[name] for row in told["rows"]) == told[name]
    ward = levels(home, Question(scope_of=frozenset({"H99.13"})), now=NOW, by="agency")
    assert [row["key"] for row in ward["rows"]] == ["H99.13"]
    assert told["dossiers"] == figures.bridge(home, Question(), now=NOW)["population"]


def test_a_source_is_silent_when_ten_would_have_come_at_its_usual_pace(home: Path, known: Any) -> None:
    case = Case()
    for n in range(40):  # two each working day
        case.dossier(_code(n))
    known(case, "2026-03-11T09:00")
    assert not levels(home, Question(), now=at("2026-03-06T09:00"))["silent"]
    assert levels(home, Question(), now=at("2026-03-10T09:00"))["silent"]


def test_the_command_gives_the_same_and_refuses_what_is_no_dimension(home: Path, known: Any, capsys: Any) -> None:
    case = Case()
    case.dossier(_code(1))
    known(case)
    capsys.readouterr()
    assert run(["levels", "--by", "agency", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in told["rows"]] == ["H99.12"]
    assert run(["levels"]) == 0
    assert "1/4" in capsys.readouterr().out
    with pytest.raises(Unreadable):
        levels(home, Question(), now=NOW, by="month")
