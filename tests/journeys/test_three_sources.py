"""A province whose dossiers live in three systems of different data levels: every identity of the bridge holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.story import Case, at

from motcua.catalogue.models import Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.mirror.load import load
from motcua.oversight import extract, figures, published
from motcua.oversight.figures import Filter, Question
from motcua.oversight.levels import levels

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T09:00")
ON_TIME, LATE = "2026-03-06T15:00", "2026-03-10T10:00"
LISTS, LOG, WIRE = "hộ tịch", "đất đai", "một cửa"
EACH = 6


def _code(source: str, n: int) -> str:
    return f"H99.{ {LISTS: 11, LOG: 12, WIRE: 13}[source] }-260302-{n:04}"


@pytest.fixture
def province(home: Path, tmp_path: Path) -> Path:
    """Six dossiers a source, the last two late by the record; the letter blames the first three and a stranger."""
    Procedure.objects.create(code="1.000001", core="1.000001", name="Thủ tục", allotted="5d")
    for source in (LISTS, LOG, WIRE):
        case = Case()
        for n in range(EACH):
            code = _code(source, n)
            case.dossier(code, agency=code[:6])
            if source == LOG:
                case.event(code, "step_finished", "2026-03-04T10:00", step="Thụ lý")
            evidence = ON_TIME if source == LOG and n == EACH - 1 else ""
            case.event(code, "finished", LATE if n >= EACH - 2 else ON_TIME, evidence=evidence)
            if source == WIRE and n != 3:
                case.record(code, 9 if n else 4, updating=False, DonViXuLy="H99.13")
                if n:
                    case.step(code, 9, "20260310100000" if n >= EACH - 2 else "20260306150000")
        folder = tmp_path / source
        folder.mkdir()
        dossiers, events, messages = case.write(folder)
        import_files(Order(files=(dossiers, events), home=home, at=NOW, source=source, create_missing=True))
        if source == WIRE:
            load([messages], at=NOW)
    letter = tmp_path / "cong-van.csv"
    blamed = [_code(source, n) for source in (LISTS, LOG) for n in range(3)] + [_code(WIRE, 0), "H99.99-260302-0009"]
    letter.write_text("\n".join(["Mã hồ sơ", *blamed]), encoding="utf-8")
    published.take_in(letter, published.Head(dated_at=NOW, document="12/VPCP", stated_count=len(blamed)), at=NOW)
    extract.run(home=home, at=NOW)
    return home


def _adds_up(row: dict[str, Any]) -> None:
    net = {leg: sum(c["removed"] - c["added"] for c in row["causes"] if c["leg"] == leg) for leg in ("sync", "record")}
    assert row["late_shown"] - net["sync"] == row["late_recorded"]
    assert row["late_recorded"] - net["record"] == row["late_true"]


@pytest.mark.parametrize("measure", ["all", "finished", "open", "reception"])
@pytest.mark.parametrize("by", ["source", "agency", "procedure", "month"])
def test_both_legs_add_up_in_every_row_and_the_rows_make_the_whole(province: Path, by: str, measure: Any) -> None:
    whole = figures.bridge(province, Question(measure=measure), now=NOW, by=by)
    for row in (whole, *whole["rows"]):
        _adds_up(row)
    for name in ("population", "late_shown", "late_recorded", "late_true", "not_enough_data"):
        assert sum(row[name] for row in whole["rows"]) == whole[name], name


def test_each_source_tells_what_its_level_can_and_names_the_missing_fact(province: Path) -> None:
    told = levels(province, Question(), now=NOW, by="source")
    assert {row["key"]: row["level"] for row in told["rows"] if row["key"]} == {LISTS: 1, LOG: 2, WIRE: 3}
    document = figures.bridge(province, Question(), now=NOW, by="source")
    causes = {
        row["key"]: {c["cause"]: (c["removed"], c["added"]) for c in row["causes"] if c["removed"] or c["added"]}
        for row in document["rows"]
    }
    assert causes[LISTS] == {"not_enough_data": (3, 2)}
    assert causes[LOG] == {"not_enough_data": (3, 2), "late_entry": (1, 0)}
    assert causes[WIRE] == {"update_not_sent": (1, 0)}
    found = figures.inspect(province, Question(), now=NOW, checks=("not_enough_data",))["findings"]
    assert {f["evidence"]["sub_cause"] for f in found} == {"record_there"}
    listed = figures.dossiers(province, Question(), Filter(leg="sync", cause="not_enough_data"), now=NOW)
    assert listed["total"] == document["not_enough_data"] == 10
