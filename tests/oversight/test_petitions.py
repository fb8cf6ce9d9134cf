"""Lists of petitions: what each list said is kept, the newest word counts, days are working days of the agency."""

from __future__ import annotations

import pytest
from tests.story import at

from motcua.catalogue.models import Agency
from motcua.oversight import petitions, reading
from motcua.oversight.models import Petition

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T08:00")
RECEIVED = "2026-03-06T08:00+07:00"


def _days(as_of: str, known_at: str = "") -> dict[str, dict[str, int]] | None:
    known = petitions.known(
        reading.catalogue(), as_of=at(as_of), known_at=at(known_at) if known_at else None
    )  # fmt: skip
    return None if known is None else {one.code: dict(one.days) for one in known}


def test_the_newest_list_counts_that_had_come_in_by_then_and_is_in_force() -> None:
    Agency.objects.create(code="H99.12", name="Phường Mẫu", level="commune")
    assert _days("2026-03-31T08:00") is None, "no list, no figure"
    first = [("P1", "H99.12", RECEIVED, *[""] * 5), ("P2", "H99.12", RECEIVED, *[""] * 4, "2026-03-10T08:00+07:00")]
    petitions.keep(first, file="a.csv", at=at("2026-03-20T08:00"))
    answered = ("P1", "H99.12", RECEIVED, "", "", "2026-03-09T08:00+07:00", "2026-03-12T08:00+07:00", "")
    for _ in range(2):  # a killed process does it again
        petitions.keep([answered], file="b.csv", at=NOW)
    assert Petition.objects.count() == 3
    assert _days("2026-03-31T08:00") == {"P1": {"answered": 1, "published": 3}, "P2": {}}
    assert _days("2026-03-08T08:00") == {"P1": {"waiting": 0}, "P2": {"waiting": 0}}, "a week-end has no working day"
    before = {"P1": {"waiting": 17}, "P2": {}}
    assert _days("2026-03-31T08:00", known_at="2026-03-21T08:00") == before, "what came later was not known"
    assert _days("2026-03-31T08:00", known_at="2026-03-19T08:00") is None
    petitions.withdraw(stored_at=NOW, at=NOW)
    assert _days("2026-03-31T08:00") == before
