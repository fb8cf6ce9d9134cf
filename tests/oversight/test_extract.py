"""Facts brought up to date equal facts made anew, whatever arrived in between and in whatever order."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.story import Case, at

from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.dossiers.models import AlternativeCode
from motcua.inspection.engines import Manifest
from motcua.mirror.load import load
from motcua.oversight import extract, figures
from motcua.oversight.figures import Question
from motcua.oversight.models import DueChange
from motcua.oversight.pairs import TABLES
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])

NOW = at("2026-04-01T09:00")
Facts = dict[str, list[tuple[Any, ...]]]


class Province:
    """A home that things arrive in, step by step."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder, self.steps = home, folder, 0
        Procedure.objects.create(code="1.000001", core="1.000001", name="Thủ tục", allotted="5d")

    def arrives(self, case: Case) -> None:
        """Files and messages come in."""
        self.steps += 1
        folder = self.folder / str(self.steps)
        folder.mkdir()
        dossiers, events, messages = case.write(folder)
        import_files(Order(files=(dossiers, events), home=self.home, at=NOW, create_missing=True))
        load([messages], at=NOW)

    def brought_up_to_date(self) -> tuple[extract.Report, Facts]:
        report = extract.run(home=self.home, at=NOW)
        return report, self._facts()

    def made_anew(self) -> Facts:
        extract.run(home=self.home, at=NOW, full=True)
        return self._facts()

    def _facts(self) -> Facts:
        folder = extract.facts_folder(self.home)
        manifest = Manifest.read(folder)
        with duckdb.connect() as db:
            return {
                name: sorted(
                    db.execute(f"SELECT * FROM ({extract.newest(folder, manifest, name)})").fetchall(), key=repr
                )
                for name in TABLES
            }


@pytest.fixture
def province(home: Path, tmp_path: Path) -> Province:
    return Province(home, tmp_path)


def _some(first: int, count: int = 4, applicant: str = "Người") -> Case:
    case = Case()
    for n in range(first, first + count):
        code = f"H99.12-260302-{n:04}"
        case.dossier(code, applicant=f"{applicant} {n}")
        case.record(code, 2, updating=False, ChuHoSo=f"{applicant} {n}")
        case.step(code, 2, "20260302083000")
    return case


def test_a_record_that_only_the_portal_has_needs_no_full_run(province: Province) -> None:
    province.arrives(_some(1))
    province.brought_up_to_date()
    case = Case()
    case.record("H99.12-260302-9001", 2, updating=False, ChuHoSo="Người lạ")
    province.arrives(case)
    report, facts = province.brought_up_to_date()
    assert not report.full and report.dossiers == 1
    assert facts == province.made_anew()


def test_a_duplicate_that_arrives_later_is_linked_and_goes_when_the_owner_is_corrected(province: Province) -> None:
    province.arrives(_some(1))
    province.brought_up_to_date()
    stranger = Case()
    stranger.record("H99.12-260302-54321", 2, updating=False, ChuHoSo="Người 1")
    province.arrives(stranger)
    report, facts = province.brought_up_to_date()
    assert not report.full and len(facts["duplicates"]) == 1
    assert facts == province.made_anew()
    corrected = Case()
    corrected.record("H99.12-260302-54321", 2, ChuHoSo="Người khác")
    province.arrives(corrected)
    report, facts = province.brought_up_to_date()
    assert not report.full and not facts["duplicates"]
    assert facts == province.made_anew()


def test_a_dossier_entered_after_its_record_takes_the_record_over(province: Province) -> None:
    stranger = Case()
    stranger.record("H99.12-260302-54321", 2, updating=False, ChuHoSo="Người 7")
    province.arrives(stranger)
    province.brought_up_to_date()
    late = Case()
    late.dossier("H99.12-260302-0007", applicant="Người 7")
    province.arrives(late)
    report, facts = province.brought_up_to_date()
    assert not report.full
    assert facts == province.made_anew()
    assert figures.bridge(province.home, Question(), now=NOW)["population"] == 1


def test_a_second_dossier_of_the_same_facts_dissolves_the_link(province: Province) -> None:
    """A record that matches two dossiers belongs to neither by its facts: nothing is guessed."""
    province.arrives(_some(1, 1))
    stranger = Case()
    stranger.record("H99.12-260302-54321", 2, updating=False, ChuHoSo="Người 1")
    province.arrives(stranger)
    province.brought_up_to_date()
    twin = Case()
    twin.dossier("H99.12-260302-0099", applicant="Người 1")
    province.arrives(twin)
    report, facts = province.brought_up_to_date()
    assert not report.full and not facts["duplicates"]
    assert facts == province.made_anew()


def test_a_stored_alternative_code_links_what_comes_later(province: Province) -> None:
    province.arrives(_some(1, 2))
    AlternativeCode.objects.create(code="H99.99-260302-77777", dossier="H99.12-260302-0001")
    province.brought_up_to_date()
    stranger = Case()
    stranger.record("H99.99-260302-77777", 9, updating=False, ChuHoSo="?")
    stranger.step("H99.99-260302-77777", 9, "20260306150000")
    province.arrives(stranger)
    report, facts = province.brought_up_to_date()
    assert not report.full and len(facts["duplicates"]) == 1
    assert facts == province.made_anew()


def test_a_stored_alternative_code_links_what_was_there_before(province: Province) -> None:
    province.arrives(_some(1, 2))
    stranger = Case()
    stranger.record("H99.99-260302-77777", 9, updating=False, ChuHoSo="?")
    province.arrives(stranger)
    province.brought_up_to_date()
    AlternativeCode.objects.create(code="H99.99-260302-77777", dossier="H99.12-260302-0001")
    report, facts = province.brought_up_to_date()
    assert not report.full and len(facts["duplicates"]) == 1
    assert facts == province.made_anew()
    AlternativeCode.objects.update(dossier="H99.12-260302-0002")
    assert province.brought_up_to_date()[1] == province.made_anew()


def test_a_figure_of_an_earlier_instant_keeps_the_links(province: Province) -> None:
    """The second record of a dossier is late by itself; looked at before the end, it still belongs to the dossier."""
    case = _some(1, 1)
    case.event("H99.12-260302-0001", "finished", "2026-03-06T15:00")
    case.step("H99.12-260302-0001", 9, "20260306150000")
    case.record("H99.12-260302-54321", 2, updating=False, ChuHoSo="Người 1", NgayHenTra="20260303170000")
    case.dossier("H99.12-260302-0007", applicant="Người 7")
    case.event("H99.12-260302-0007", "finished", "2026-03-06T15:00")
    case.record("H99.12-260302-70000", 9, updating=False, ChuHoSo="Người 7")
    case.step("H99.12-260302-70000", 9, "20260306150000")
    province.arrives(case)
    province.brought_up_to_date()
    for moment, late in (("2026-03-04T10:00", 1), ("2026-03-02T09:00", 0)):
        document = figures.bridge(province.home, Question(as_of=at(moment)), now=NOW)
        assert (document["population"], document["late_shown"], document["late_recorded"]) == (2, late, 0)
        assert [c["cause"] for c in document["causes"] if c["removed"]] == ["duplicate_there"] * late


def test_a_limit_corrected_afterwards_reaches_the_dossiers_in_flight_and_is_logged(province: Province) -> None:
    case = Case()
    case.dossier("H99.12-260330-0001", received_at="2026-03-30T08:00", due="", allotted="")
    case.dossier("H99.12-260330-0002", received_at="2026-03-30T08:00", due="", allotted="")
    case.event("H99.12-260330-0002", "finished", "2026-03-31T15:00")
    case.dossier("H99.12-260330-0003", received_at="2026-03-30T08:00", due="2026-04-06T17:00", allotted="")
    province.arrives(case)
    province.brought_up_to_date()
    Procedure.objects.update(allotted="3d")
    report, facts = province.brought_up_to_date()
    assert not report.full and report.due_changes == 1
    change = DueChange.objects.get()
    assert (change.dossier, change.before_at, change.after_at) == (
        "H99.12-260330-0001", at("2026-04-06T08:00"), at("2026-04-02T08:00"),
    )  # fmt: skip
    assert facts == province.made_anew()
    assert extract.run(home=province.home, at=NOW).due_changes == 0


def test_a_limit_corrected_before_a_full_run_is_logged_too(province: Province) -> None:
    case = Case()
    case.dossier("H99.12-260330-0001", received_at="2026-03-30T08:00", due="", allotted="")
    province.arrives(case)
    province.brought_up_to_date()
    Procedure.objects.update(allotted="3d")
    assert extract.run(home=province.home, at=NOW, full=True).due_changes == 1
    Procedure.objects.update(allotted="4d")
    assert extract.run(home=province.home, at=NOW, afresh=True).due_changes == 0, "another history is not compared"


def test_an_unchanged_province_writes_nothing(province: Province) -> None:
    province.arrives(_some(1))
    province.brought_up_to_date()
    report, _ = province.brought_up_to_date()
    assert (report.dossiers, report.rows, report.full) == (0, 0, False)


@pytest.mark.parametrize("seed", range(6))
def test_any_sequence_of_arrivals(province: Province, seed: int) -> None:
    chance = random.Random(seed)
    owners = [f"Người {n}" for n in range(5)]
    known: list[str] = []

    def dossier(case: Case) -> None:
        code = f"H99.12-260302-{len(known) + 1:04}"
        known.append(code)
        case.dossier(code, applicant=chance.choice(owners), due=chance.choice(["", "2026-03-09T17:00"]))

    def event(case: Case) -> None:
        if known:
            kind = chance.choice(
                ["finished", "returned", "supplement_requested", "supplement_received", "step_finished"]
            )
            day, hour = chance.randint(3, 27), chance.randint(8, 16)
            case.event(chance.choice(known), kind, f"2026-03-{day:02}T{hour:02}:00", document="yes", step="ký")

    def record(case: Case) -> None:
        own = known and chance.random() < 0.5
        code = chance.choice(known) if own else f"H99.12-260302-9{chance.randint(0, 9):04}"
        case.record(code, chance.choice([2, 4, 9]), ChuHoSo=chance.choice(owners))
        case.step(code, chance.choice([2, 4, 5, 9]), f"202603{chance.randint(3, 27):02}100000")

    def alternative(case: Case) -> None:
        if known:
            code = f"H99.12-260302-9{chance.randint(0, 9):04}"
            AlternativeCode.objects.update_or_create(code=code, defaults={"dossier": chance.choice(known)})

    def renamed(case: Case) -> None:
        Agency.objects.update_or_create(code="H99.12", defaults={"name": f"Phường {chance.randint(0, 2)}"})

    acts: list[Callable[[Case], None]] = [dossier, dossier, event, event, event, record, record, alternative, renamed]
    for _ in range(8):
        case = Case()
        for _ in range(chance.randint(1, 6)):
            chance.choice(acts)(case)
        province.arrives(case)
        brought = province.brought_up_to_date()[1]
        assert brought == province.brought_up_to_date()[1]
    assert brought == province.made_anew()


def test_facts_of_an_older_version_are_no_figure_and_are_made_anew(province: Province) -> None:
    province.arrives(_some(1))
    province.brought_up_to_date()
    file = extract.facts_folder(province.home) / "manifest.json"
    file.write_text(file.read_text().replace('"shape": "', '"shape": "older '))
    with pytest.raises(Unreadable, match="older version"):
        figures.bridge(province.home, Question(), now=NOW)
    assert province.brought_up_to_date()[0].full
    assert figures.bridge(province.home, Question(), now=NOW)["population"] == 4
