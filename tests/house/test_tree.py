"""The tree is what its papers say: rooms, pure rooms, open pages, locks, law, links."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from tests.conftest import LONG

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ROOT / "src" / "motcua"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PURE = ("rules", "wire", "inspection", "sample")
CLOCKS = {"datetime", "date", "time", "timezone"}
CLOCK_READS = {"now", "today", "utcnow", "time", "monotonic", "perf_counter"}
#: The only pages that a stranger sees.
OPEN = {
    "sign-in", "health", "language", "first-run", "logo", "payment-confirm", "payment-due", "metrics",
    "activate", "activation-link", "sign-on", "sign-on-back",
}  # fmt: skip
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")])


def test_every_room_has_its_place_in_the_river_and_no_place_is_empty() -> None:
    river = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = {f"motcua.{folder.name}" for folder in ROOMS.iterdir() if (folder / "__init__.py").exists()}
    assert rooms == set(river)


def test_no_module_has_a_name_that_says_nothing() -> None:
    nothing = {"core", "common", "utils", "util", "helpers", "helper", "managers", "misc", "services"}
    found = [str(file.relative_to(ROOT)) for file in ROOMS.rglob("*.py") if nothing & {file.stem, file.parent.name}]
    assert not found


def test_every_workbook_bears_the_mark_of_a_training_house() -> None:
    makers = {"catalogue/sheets.py", "cli/sample.py"}  # the second writes lists of others, to be loaded
    found = {
        str(file.relative_to(ROOMS))
        for file in ROOMS.rglob("*.py")
        if "xlsxwriter.Workbook(" in file.read_text("utf-8")
    }
    assert found - makers == set(), "make it with motcua.catalogue.sheets.Workbook"


def test_who_may_what_is_decided_by_powers_alone() -> None:
    """No room reads a person's posts by itself: it would forget the days, the proposals or the choice at the top."""
    own = ("accounts/", "web/people/", "web/training/", "cli/")
    found = [
        str(file.relative_to(ROOMS))
        for file in ROOMS.rglob("*.py")
        if not str(file.relative_to(ROOMS)).startswith(own) and ".posts.all()" in file.read_text("utf-8")
    ]
    assert not found, "ask motcua.accounts.powers"


def test_every_page_that_stands_alone_bears_the_mark_of_a_training_house() -> None:
    pages = [file for file in (ROOMS / "web" / "templates").rglob("*.html") if "<html" in file.read_text("utf-8")]
    assert pages and [file.name for file in pages if "training" not in file.read_text("utf-8")] == []


def _reads_the_clock(node: ast.AST) -> bool:
    """`datetime.now()`, `date.today()`, `time.time()` and their like."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=verb)):
            return owner in CLOCKS and verb in CLOCK_READS
        case _:
            return False


def test_pure_rooms_read_no_clock() -> None:
    files = [file for room in PURE for file in (ROOMS / room).rglob("*.py")]
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.expr) and _reads_the_clock(node)
    ]
    assert files and not found


@pytest.mark.django_db(databases=["default", "mirror"])
def test_only_listed_pages_are_open_to_a_stranger(client: Client) -> None:
    from motcua.web.urls import urlpatterns

    found = set()
    for page in urlpatterns:
        assert isinstance(page, URLPattern), "included addresses: walk them here too"
        reply = client.get("/" + re.sub(r"<[^>]+>", "1", str(page.pattern)))  # a number is a name too
        if not (reply.status_code == 302 and reply["Location"].startswith("/dang-nhap")):
            found.add(page.name)
    assert found == OPEN


def _name(requirement: str) -> str:
    """The package's name as registries compare it."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _locked(file: str) -> list[str]:
    """One line for each locked package, hashes included."""
    text = (ROOT / "requirements" / file).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_the_locks_hold_every_dependency_with_its_hashes() -> None:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    extras = project["optional-dependencies"]
    core = [*project["dependencies"], *extras["postgres"]]
    dev = [*core, *extras["polars"], *groups["test"], *groups["lint"], *groups["bench"]]
    spark = [*core, *extras["polars"], *extras["spark"], *groups["test"]]
    for file, wanted in (("core.txt", core), ("dev.txt", dev), ("spark.txt", spark)):
        lines = _locked(file)
        assert {_name(requirement) for requirement in wanted} <= {_name(line) for line in lines}, "run make lock"
        assert all("==" in line and "--hash=sha256:" in line for line in lines)


def test_the_locks_agree_on_what_they_share() -> None:
    core, dev, spark = ({line.split(" ")[0] for line in _locked(f)} for f in ("core.txt", "dev.txt", "spark.txt"))
    assert core <= dev and core <= spark
    assert {_name(line) for line in spark - dev} == {"py4j", "pyarrow", "pyspark"}


def test_every_dependency_says_why() -> None:
    block = (ROOT / "pyproject.toml").read_text().split("\ndependencies = [\n")[1].split("\n]")[0]
    assert [line for line in block.splitlines() if "#" not in line] == []


def test_every_rule_that_the_code_cites_stands_in_the_law_papers() -> None:
    told = "\n".join(file.read_text() for file in (ROOT / "docs" / "law").glob("*.md"))
    rows = set(re.findall(r"^\| ([a-z]+-\d+) \|", told, flags=re.MULTILINE))
    cited: set[str] = set()
    for file in [*ROOMS.rglob("*.py"), *(ROOT / "scripts").glob("*.py")]:
        for line in file.read_text(encoding="utf-8").splitlines():
            if "law: " in line:
                cited |= set(re.findall(r"\b[a-z]+-\d+\b", line.split("law: ", 1)[1]))
    assert cited, "rules cite their sources as `law: key`"
    assert cited <= rows


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_link_of_a_paper_leads_somewhere(paper: Path) -> None:
    text = re.sub(r"```.*?```", "", paper.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            assert (paper.parent / target.split("#")[0]).exists(), target
    for named in re.findall(r"`((?:docs|examples|scripts|src|tests|requirements)/[\w./-]+)`", text):
        assert (ROOT / named).exists(), named


def test_decisions_are_numbered_once_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    papers = sorted(folder.glob("0*.md"))
    assert [paper.name[:4] for paper in papers] == [f"{n:04}" for n in range(1, len(papers) + 1)]
    index = (folder / "README.md").read_text()
    assert all(f"({paper.name})" in index for paper in papers)


def test_files_that_run_first_are_there() -> None:
    assert not [name for name in LONG if not (ROOT / "tests" / name).exists()]
