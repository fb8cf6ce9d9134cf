"""The door has words for everything that the rules and the inspection can say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from motcua.accounts.models import Post
from motcua.inspection import data_findings
from motcua.inspection.causes import Cause
from motcua.inspection.remedies import REMEDIES, SEVERITIES
from motcua.inspection.run import CHECKS
from motcua.rounds import refusals as rounds
from motcua.rules.dossier import Status
from motcua.rules.events import KINDS
from motcua.rules.moves import REFUSALS
from motcua.web import labels
from motcua.web.notices import words as of_notices
from motcua.web.rounds import words as of_rounds

ROOT = Path(__file__).resolve().parents[2]


def test_every_code_has_vietnamese_words() -> None:
    assert set(labels.CAUSES) == {str(cause) for cause in Cause} == set(REMEDIES) == set(SEVERITIES)
    assert set(labels.DATA_CHECKS) == set(data_findings.CODES)
    assert set(labels.REMEDIES) == set(REMEDIES.values()) | {check.remedy for check in CHECKS}
    assert {name for check in CHECKS for name in check.evidence} <= set(labels.EVIDENCE)
    assert set(labels.REFUSALS) == set(REFUSALS)
    assert set(of_rounds.REFUSALS) == set(rounds.REFUSALS)
    assert set(labels.KINDS) == set(KINDS)
    assert set(labels.ROLES) == set(Post.Role.values)
    assert set(labels.STATUSES) == {int(status) for status in Status}
    worker = (ROOT / "src/motcua/cli/work.py").read_text()
    assert set(of_notices.JOBS) == set(re.findall(r'Task\("([a-z-]+)"', worker))


def test_every_refusal_that_is_raised_is_declared() -> None:
    raised = set()
    for file in (ROOT / "src" / "motcua").rglob("*.py"):
        raised |= set(re.findall(r'Refused\("([a-z_.]+)"', file.read_text()))
    assert raised <= {*REFUSALS, *rounds.REFUSALS}


def test_every_command_and_option_is_in_the_reference() -> None:
    from motcua.cli.main import parser

    text = (ROOT / "docs" / "reference" / "commands.md").read_text()
    for name in _names(parser()):
        assert name in text, f"{name} is not in docs/reference/commands.md: run scripts/reference"


def _names(tree) -> set[str]:  # type: ignore[no-untyped-def]
    import argparse

    found: set[str] = set()
    for action in tree._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                found |= {f"{tree.prog} {name}"} | _names(child)
        else:
            found |= {option for option in action.option_strings if option.startswith("--")}
    return found


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    forbidden = re.compile("pypi" + r"\.org|registry\.npm" + "js|files\\.python" + "hosted|/work" + "/main")
    for name in files:
        file = ROOT / name
        if file.is_file() and file.suffix in {".py", ".toml", ".txt", ".md", ".html", ".css", ".js", ""}:
            assert not forbidden.search(file.read_text(errors="ignore")), name


def test_the_holidays_are_the_librarys_with_our_corrections() -> None:
    import sys

    sys.path.insert(0, str(ROOT / "scripts"))
    import seed_holidays
    from motcua.rules.public_holidays import DAYS

    made = [(day, works, title, known or None, document) for day, works, title, known, document in
            seed_holidays.entries()]  # fmt: skip
    from motcua.rules.workdays import ALWAYS

    kept = [
        (d.day, d.intervals is None, d.title, None if d.known_on == ALWAYS else d.known_on, d.document) for d in DAYS
    ]
    assert made == kept


def test_a_decision_says_context_options_decision_and_consequences() -> None:
    papers = list((ROOT / "docs" / "decisions").glob("0*.md"))
    assert papers
    for paper in papers:
        text = paper.read_text()
        for part in ("## Context", "## Options", "## Decision", "## Consequences"):
            assert part in text, paper.name
