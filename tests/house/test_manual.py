"""What the tutorial promises, its own files and commands keep."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from motcua.cli.main import parser
from motcua.wire.profile import Profile
from motcua.wire.verdict import Rule

ROOT = Path(__file__).resolve().parents[2]
PAPER = (ROOT / "docs" / "tutorial" / "first-bridge.md").read_text(encoding="utf-8")
RESEND = "/tmp/resend.ndjson"


@pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="the tutorial is an embedded home; it runs in the SQLite suite"
)
def test_the_first_bridge_comes_out_as_told(tmp_path: Path) -> None:
    message = re.search(r"^    (\{.+\})$", PAPER, flags=re.MULTILINE)
    assert message
    resend = tmp_path / "resend.ndjson"
    resend.write_text(message[1] + "\n", encoding="utf-8")
    env = {**os.environ, "MOTCUA_HOME": str(tmp_path / "home")}

    def motcua(command: str) -> str:
        words = [str(resend) if word == RESEND else word for word in shlex.split(command)]
        done = subprocess.run(
            [sys.executable, "-m", "motcua.cli", *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    typed = re.findall(r"^    motcua (.+)$", PAPER, flags=re.MULTILINE)
    answers = [motcua(command) for command in typed]
    for told in re.findall(r"```\n(.*?)\n```", PAPER, flags=re.DOTALL):
        assert any(told in answer for answer in answers), told

    mended = json.loads(motcua("bridge --period 2026-03 --json"))
    assert [mended[f"late_{side}"] for side in ("shown", "recorded", "true")] == [2, 2, 1]
    assert not any(cause["removed"] or cause["added"] for cause in mended["causes"] if cause["leg"] == "sync")


def test_every_command_that_a_paper_prints_is_understood() -> None:
    papers = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    printed = {
        command
        for paper in papers
        for command in re.findall(r"^ {4,}(?:[A-Z_]+=\S+ )*motcua (.+)$", paper.read_text(), flags=re.MULTILINE)
    }
    assert len(printed) > 100
    understands = parser()
    for command in printed:
        try:
            understands.parse_args(shlex.split(re.sub(r"[\[\]]| > \S+", "", command), comments=True))
        except SystemExit:
            pytest.fail(f"motcua {command}")


def test_every_switch_of_a_portals_profile_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "mirror.md").read_text()
    switches = [f"`{f.name}`" for f in fields(Profile) if f.name not in ("rule", "users", "units")]
    switches += ["`[users]`", "`[units]`", *(f"`[rule] {f.name}`" for f in fields(Rule))]
    assert [switch for switch in switches if f"| {switch} |" not in text] == []


def test_every_setting_that_is_read_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "settings.md").read_text()
    read: set[str] = set()
    for file in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(r'"((?:MOTCUA|NATIONAL_PORTAL|MIRROR)_[A-Z_]+|DATABASE_URL)"', file.read_text()))
    assert {name for name in read if f"| `{name}` |" not in text} == set()


def test_every_paper_is_reached_from_the_papers_first_page() -> None:
    text = (ROOT / "docs" / "README.md").read_text()
    papers = [p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "decisions"]
    assert [str(paper) for paper in papers if str(paper) != "README.md" and f"({paper})" not in text] == []
