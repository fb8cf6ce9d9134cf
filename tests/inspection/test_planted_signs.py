"""A province honest but for planted signs: every check finds its own and nothing else, on each engine the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests import planted_signs

from motcua.inspection.checks import records
from motcua.inspection.run import BY_CODE, CHECKS
from motcua.oversight import scan
from motcua.oversight.figures import Question
from motcua.oversight.scan import Scan
from motcua.sample import signs

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "mirror"])
#: Differences between the two sides: planted and found in test_data_findings and in the journeys.
_OF_TWO_SIDES = {check.code for check in records.CHECKS if check.number == "V-20"} | {c.code for c in CHECKS if c.leg}
#: Where the facts are kept nowhere yet, nothing can be planted.
_OUT_OF_REACH = {check.code for check in CHECKS if check.lacks}


def _seen(found: Scan) -> set[tuple[str, str]]:
    return {sign.key for sign in found.signs if sign.check not in _OF_TWO_SIDES}


def test_every_check_finds_what_was_planted_and_nothing_else(home: Path, tmp_path: Path) -> None:
    planted = signs.planted()
    assert {check for check, _ in planted.signs} == set(BY_CODE) - _OF_TWO_SIDES - _OUT_OF_REACH
    planted_signs.act_out(planted, home, tmp_path)
    question = Question(as_of=signs.UNTIL)
    found = scan.scan(home, question, now=signs.UNTIL)
    assert found.broken == {}
    certain = {code for code, check in BY_CODE.items() if check.kind == "certain"}
    seen = _seen(found)
    assert {key for key in seen if key[0] in certain} == {key for key in planted.signs if key[0] in certain}
    assert planted.signs <= seen, "every statistical sign is found too"
    assert len(seen - planted.signs) <= 1, "of twelve statistical checks at 5 % hardly one errs"

    for sign in found.signs:
        assert sign.evidence, sign
        assert 0.9 < sign.confidence <= 1
        check = BY_CODE[sign.check]
        assert set(sign.evidence) <= set(check.evidence), sign
        assert (sign.confidence == 1) or check.kind == "statistical"
    for looked in found.checks:
        signs_of_it = [sign for sign in found.signs if sign.check == looked.check]
        assert looked.found == len(signs_of_it)
        assert looked.state != "scanned" or looked.looked_at >= looked.found
        assert (looked.state == "not_scanned") == (looked.check in _OUT_OF_REACH), looked
    _on_polars_the_same(home, found)


def _on_polars_the_same(home: Path, golden: Scan) -> None:
    if "DATABASE_URL" in os.environ:
        return  # engines read Parquet, whatever the database
    found = scan.scan(home, Question(as_of=signs.UNTIL, engine="polars"), now=signs.UNTIL)
    assert _sorted(found) == _sorted(golden)
    assert [(c.check, c.looked_at, c.missing) for c in found.checks] == [
        (c.check, c.looked_at, c.missing) for c in golden.checks
    ]


def _sorted(found: Scan) -> list[tuple[Any, ...]]:
    return sorted((*sign.key, sign.agency, sign.confidence, sorted(sign.evidence.items())) for sign in found.signs)
