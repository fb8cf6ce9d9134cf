"""What arrived after an instant is not known at it: records and single steps alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.directives import ward
from tests.directives.ward import NOW
from tests.story import at

from motcua.oversight import figures
from motcua.oversight.figures import Question

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])


def test_a_step_that_arrived_later_is_not_known_yet(home: Path, tmp_path: Path) -> None:
    ward.built(home, tmp_path)
    ward.sent(home, tmp_path, ward.UNSENT, when="2026-03-16T11:00")

    def late(known_at: str | None) -> int:
        known = at(known_at) if known_at else None
        asked = Question(as_of=NOW, known_at=known)
        return int(figures.bridge(home, asked, now=at("2026-03-17T09:00"))["late_shown"])

    after = len(ward.CLICKED_LATE) + len(ward.OPEN_LATE)
    assert late("2026-03-16T10:00") == after + len(ward.UNSENT)
    assert late("2026-03-16T12:00") == late(None) == after
