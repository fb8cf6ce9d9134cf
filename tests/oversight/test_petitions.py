"""Lists of petitions: kept by code, the newest word counts, days are working days of the agency."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.story import at

from motcua.catalogue.models import Agency
from motcua.dossiers.importing.sources import Fault
from motcua.oversight import petitions, reading
from motcua.oversight.models import Petition

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T08:00")
HEAD = "petition,agency,received_at,refused_at,asked_at,answered_at,published_at,transferred_at\n"


def _list(folder: Path, *rows: str) -> Path:
    file = folder / "petitions.csv"
    file.write_text(HEAD + "\n".join(rows), encoding="utf-8")
    return file


def _days(as_of: str, known_at: str = "") -> dict[str, dict[str, int]] | None:
    known = petitions.known(
        reading.catalogue(), as_of=at(as_of), known_at=at(known_at) if known_at else None
    )  # fmt: skip
    return None if known is None else {one.code: dict(one.days) for one in known}


def test_a_list_is_kept_by_code_and_read_as_of_an_instant(tmp_path: Path) -> None:
    Agency.objects.create(code="H99.12", name="Phường Mẫu", level="commune")
    assert _days("2026-03-31T08:00") is None, "no list, no figure"
    first = _list(tmp_path, "P1,H99.12,2026-03-06T08:00,,,,,", "P2,Phường Mẫu,2026-03-06T08:00,,,,,2026-03-10T08:00")
    assert petitions.take_in(first, at=at("2026-03-20T08:00")).petitions == 2
    second = _list(tmp_path, "P1,H99.12,2026-03-06T08:00,,,2026-03-09T08:00,2026-03-12T08:00,")
    petitions.take_in(second, at=NOW)
    assert Petition.objects.count() == 2, "the newest word counts"
    assert _days("2026-03-31T08:00") == {"P1": {"answered": 1, "published": 3}, "P2": {}}
    assert _days("2026-03-08T08:00") == {"P1": {"waiting": 0}, "P2": {"waiting": 0}}, "a week-end has no working day"
    assert _days("2026-03-31T08:00", known_at="2026-03-21T08:00") == {"P2": {}}


def test_a_row_that_cannot_be_read_ends_it_or_is_refused(tmp_path: Path) -> None:
    Agency.objects.create(code="H99.12", name="Phường Mẫu", level="commune")
    bad = ("P1,H99.77,2026-03-06T08:00,,,,,", "P2,H99.12,,,,,,", "P3,H99.12,2026-03-06T08:00,2026-03-05,,,,",
           ",H99.12,2026-03-06T08:00,,,,,")  # fmt: skip
    file = _list(tmp_path, "P0,H99.12,2026-03-06T08:00,,,,,", *bad)
    with pytest.raises(Fault, match="row 3"):
        petitions.take_in(file, at=NOW)
    assert not Petition.objects.exists()
    taken = petitions.take_in(file, at=NOW, keep_going=True)
    assert (taken.petitions, [line for line, _ in taken.refused]) == (1, [3, 4, 5, 6])
    (tmp_path / "other.csv").write_text("code,agency\nP1,H99.12\n", encoding="utf-8")
    with pytest.raises(Fault, match="petition"):
        petitions.take_in(tmp_path / "other.csv", at=NOW)
