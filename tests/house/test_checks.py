"""The library of checks is whole: every violation of the catalogue, its law told, its paper as the code has it."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

from motcua.inspection.run import CHECKS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import checks  # noqa: E402


def test_every_violation_of_the_catalogue_has_a_check() -> None:
    assert {check.number for check in CHECKS} - {""} == set(checks.NUMBERS)


def test_every_check_rests_on_a_text_that_is_told() -> None:
    told = set(re.findall(r"^\| ([a-z]+-\d+) \|", (ROOT / "docs/law/README.md").read_text(), flags=re.MULTILINE))
    assert {ground.key for check in CHECKS for ground in check.grounds} <= told
    for check in CHECKS:
        assert check.valid_on(date(2026, 3, 2)), f"{check.code} has no ground in force in 2026"


def test_a_check_that_lacks_a_fact_says_so_and_every_other_can_run() -> None:
    for check in CHECKS:
        assert check.runs != bool(check.lacks), check.code
        assert bool(check.holds) + bool(check.signs) <= 1, check.code


def test_screens_say_sign_and_back_dated_reads_as_agreed() -> None:
    words = [text for check in CHECKS for text in (check.title, check.explanation)]
    assert not [text for text in words if "vi phạm" in text.lower()]
    [back_dated] = [check for check in CHECKS if check.code == "back_dated"]
    assert back_dated.title == "Giờ ghi nhận sớm hơn chứng cứ"


def test_the_paper_of_the_library_is_as_the_code_has_it() -> None:
    assert checks.PAPER.read_text(encoding="utf-8") == checks.text(), "run `make docs`"
