"""A province's own checks: an installed package is run beside ours, and a broken one is named and stops nothing."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.story import Case, at

from motcua.catalogue.models import Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.oversight import extract, plugins, scan
from motcua.oversight.figures import Question

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "mirror"])
NOW = at("2026-04-01T08:00")

_GOOD = """
import narwhals as nw
from motcua.inspection.checks.check import Check, Ground, Parameter

OWN = Check(
    code="own_desk", title="Nộp tại quầy", explanation="Hồ sơ nộp tại quầy.", severity="C", remedy="look_into",
    grounds=(Ground(key="own-1", text="Quyết định của tỉnh", article="Điều 1"),), evidence=("channel",),
    parameters=(Parameter(name="channel", default="desk", law=False, title="hình thức"),),
    holds=lambda given: nw.col("channel") == given.text("channel"),
)
BREAKS = Check(
    code="own_breaks", title="Hỏng", explanation="Hỏng.", severity="C", remedy="look_into", grounds=(),
    holds=lambda given: nw.col("no_such_column") > 0,
)
CHECKS = (OWN, BREAKS)
TAKEN = Check(code="overdue", title="x", explanation="x", severity="C", remedy="look_into", grounds=(),
              holds=lambda given: nw.col("channel") == "x")
"""
_ENTRY_POINTS = """
[motcua.checks]
good = province_checks:CHECKS
taken = province_checks:TAKEN
lost = province_checks:NOT_THERE
no_check = province_checks:nw
"""


def _wheel(folder: Path) -> Path:
    """The package as it is handed round: one file."""
    wheel, info = folder / "province_checks-1.0-py3-none-any.whl", "province_checks-1.0.dist-info"
    files = {
        "province_checks.py": _GOOD,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: province-checks\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": _ENTRY_POINTS,
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in (files | {f"{info}/RECORD": record}).items():
            archive.writestr(name, text)
    return wheel


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small package, installed into a folder of its own by pip."""
    target = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    done = subprocess.run([*command, str(_wheel(tmp_path))], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    monkeypatch.syspath_prepend(str(target))
    yield
    sys.modules.pop("province_checks", None)


def test_own_checks_run_beside_ours_and_broken_ones_are_named(installed: None, home: Path, tmp_path: Path) -> None:
    Procedure.objects.create(code="1.000001", core="1.000001", name="Mẫu", allotted="5d")
    case = Case()
    case.dossier("H99.12-260302-0001")
    case.dossier("H99.12-260302-0002", channel="online", submitted_at="2026-03-02T08:00")
    dossiers, events, _ = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    extract.run(home=home, at=NOW)

    own = plugins.load()
    assert set(own.checks) == {"own_desk", "own_breaks"}
    assert set(own.broken) == {"taken", "lost", "no_check"}
    assert "overdue" in own.broken["taken"]

    found = scan.scan(home, Question(), now=NOW)
    assert [sign.subject for sign in found.signs if sign.check == "own_desk"] == ["H99.12-260302-0001"]
    assert set(found.broken) == {"taken", "lost", "no_check", "own_breaks"}
    assert "ColumnNotFound" in found.broken["own_breaks"]
    assert found.looked("own_breaks").state == "not_scanned"
    assert found.looked("overdue").found == 2, "ours went on"

    other = {"own_desk": {"channel": "online"}}
    found = scan.scan(home, Question(), now=NOW, checks=("own_desk",), parameters=other)
    assert [sign.subject for sign in found.signs] == ["H99.12-260302-0002"]


def test_without_plug_ins_nothing_is_broken(home: Path) -> None:
    assert plugins.load() == plugins.Plugins()
