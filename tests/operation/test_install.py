"""The archive on a machine without internet: installed, upgraded with a backup before, rolled back, and refused."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from tests import rooted

ROOT = Path(__file__).resolve().parents[2]
PREFIX, HOME, BACKUPS = "opt/motcua", "var/lib/motcua", "var/backups/motcua"
#: What a next version changes in the tables.
_MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("jobs", "{last}")]
    operations = [migrations.RunSQL("CREATE TABLE next_version (id integer)", "DROP TABLE next_version")]
"""


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("archive_script", ROOT / "scripts" / "archive.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _next_version(folder: Path) -> Path:
    """This source as its next version would be: another number, another table."""
    for name in ("src", "deploy", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("README.md", "LICENSE", "NOTICE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder / name)
    project = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(re.sub(r'^version = ".*"', 'version = "99.0"', project, flags=re.MULTILINE))
    migrations = folder / "src" / "motcua" / "jobs" / "migrations"
    last = max(file.stem for file in migrations.glob("0*.py"))
    (migrations / "0999_next_version.py").write_text(_MIGRATION.format(last=last))
    return folder


class Machine(NamedTuple):
    """An empty root with both archives unpacked in it."""

    root: rooted.Root
    first: str
    second: str

    def current(self) -> str:
        return os.path.basename(os.readlink(self.root.folder / PREFIX / "current"))


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """This version and the next, for the Python of this system."""
    if reason := rooted.why_not():
        pytest.skip(reason)
    told = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
    )
    script, folder = _script(), tmp_path_factory.mktemp("archives")
    python = (told.stdout.strip(),)
    return [
        script.build(folder, python),
        script.build(folder, python, _next_version(tmp_path_factory.mktemp("next") / "source")),
    ]


@pytest.fixture(scope="module")
def machine(archives: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with rooted.empty_root(tmp_path_factory.mktemp("machine")) as root:
        unpacked = []
        for archive in archives:
            with tarfile.open(archive) as packed:
                packed.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)  # made by us a moment ago
                packed.extractall(root.folder / "root")
            unpacked.append(f"/root/{archive.name.removesuffix('-linux-x86_64.tar')}")
        shutil.copytree(ROOT / "examples" / "first-bridge", root.folder / "root" / "lists")
        (root.folder / "root").chmod(0o755)  # the account reads the lists there
        yield Machine(root, *unpacked)


def test_it_installs_without_internet_and_answers(machine: Machine) -> None:
    root = machine.root
    assert root.run("bash", "-c", "exec 3<>/dev/tcp/1.1.1.1/443").returncode != 0, "there is a way out"
    assert "good: motcua" in root.done(f"{machine.first}/install.sh", "--check")
    assert not (root.folder / PREFIX).exists()
    told = root.done(f"{machine.first}/install.sh")
    assert "is installed" in told and "systemd does not run here" in told
    house = root.folder / HOME
    assert house.stat().st_mode & 0o777 == 0o700 and house.stat().st_uid != 0
    assert (root.folder / "etc/motcua/motcua.env").stat().st_mode & 0o777 == 0o640
    for name in ("dossiers.csv", "events.csv", "messages.ndjson"):
        assert (root.folder / "root/lists" / name).exists()
    root.done("motcua", "import", "/root/lists/dossiers.csv", "/root/lists/events.csv", "--create-missing")
    root.done("motcua", "mirror", "load", "/root/lists/messages.ndjson")
    bridge = json.loads(root.done("motcua", "bridge", "--period", "2026-03", "--as-of", "2026-04-01", "--json"))
    assert bridge["population"] > 0 and bridge["late_shown"] > 0
    root.done("motcua", "backup", "--into", f"/{BACKUPS}", "--keep", "3")
    doctor = root.run("motcua", "doctor", "--json")
    assert json.loads(doctor.stdout)["faults"] == [], doctor.stderr
    assert {file.stat().st_uid for file in house.iterdir()} == {house.stat().st_uid}


def test_again_it_changes_nothing(machine: Machine) -> None:
    root, settings = machine.root, machine.root.folder / "etc/motcua/motcua.env"
    settings.write_text(settings.read_text() + "MOTCUA_OLDEST_WAITING_MINUTES=45\n")
    before, current = settings.read_text(), machine.current()
    assert "was installed already" in root.done(f"{machine.first}/install.sh")
    assert (settings.read_text(), machine.current()) == (before, current)
    assert not list((root.folder / BACKUPS).glob("before-*"))


def test_the_web_answers_on_this_machine(machine: Machine) -> None:
    web = subprocess.Popen(machine.root.command("motcua", "serve", "--port", "8765"), stderr=subprocess.DEVNULL)
    asked = (
        "import time, urllib.request\n"
        "for _ in range(1000):\n"
        "    try:\n"
        "        print(urllib.request.urlopen('http://127.0.0.1:8765/healthz', timeout=5).read().decode()); break\n"
        "    except OSError: time.sleep(0.1)\n"
    )
    try:
        assert '"ok": true' in machine.root.done("python3", "-c", asked)
    finally:
        web.terminate()
        web.wait()


def test_an_upgrade_whose_backup_fails_does_not_begin(machine: Machine) -> None:
    root, before = machine.root, machine.current()
    root.done("bash", "-c", f"mount --bind /full /{BACKUPS}")  # a disk without room
    try:
        refused = root.run(f"{machine.second}/install.sh")
    finally:
        root.done("umount", f"/{BACKUPS}")
    assert refused.returncode == 1 and "nothing was upgraded" in refused.stderr, refused.stderr
    assert machine.current() == before and root.done("motcua", "--version").strip() == "motcua 0.1.0"
    assert json.loads(root.done("motcua", "verify", "--json"))["ok"]


def test_an_upgrade_while_the_worker_runs_and_the_way_back(machine: Machine) -> None:
    root, first = machine.root, machine.current()
    events = json.loads(root.done("motcua", "verify", "--json"))["log"]["events"]
    worker = subprocess.Popen(root.command("motcua", "work"), stderr=subprocess.DEVNULL)
    try:
        told = root.done(f"{machine.second}/install.sh")
        assert "in place of" in told and worker.poll() is None
        [backup] = (root.folder / BACKUPS).glob("before-99.0-*.tar.gz")
        assert root.done("motcua", "--version").strip() == "motcua 99.0"
        proved = json.loads(root.done("motcua", "verify", "--json"))
        assert proved["ok"] and proved["log"]["events"] == events
        assert json.loads(root.done("motcua", "doctor", "--json"))["faults"] == []

        told = root.done(f"/{PREFIX}/install.sh", "--rollback")
        assert f"{first} runs" in told and machine.current() == first
        assert worker.poll() is None
        assert root.done("motcua", "--version").strip() == "motcua 0.1.0"
        proved = json.loads(root.done("motcua", "verify", "--json"))
        assert proved["ok"] and proved["log"]["events"] == events
        assert json.loads(root.done("motcua", "doctor", "--json"))["faults"] == []
    finally:
        worker.terminate()
        worker.wait()
    away = "/var/lib/restored"
    root.done("install", "-d", "-o", "motcua", away)
    restored = root.done("motcua", "restore", f"/{BACKUPS}/{backup.name}", "--json", env={"MOTCUA_HOME": away})
    assert json.loads(restored)["ok"] and json.loads(restored)["log"]["events"] == events


def test_a_version_that_does_not_stand_gives_way_to_the_one_before_with_its_own_units(machine: Machine) -> None:
    root, before = machine.root, machine.current()
    versions, units = root.folder / PREFIX / "versions", root.folder / "etc/systemd/system"
    [broken] = versions.glob("99.0-*")
    program = broken / "bin" / "motcua"
    whole = program.read_text()
    program.write_text(whole.replace("import sys", "import sys\nif sys.argv[1] == 'doctor': raise RuntimeError", 1))
    (broken / "systemd" / "motcua-new.service").write_text("[Unit]\n")
    laid_out = {unit.name for unit in units.iterdir()}
    try:
        refused = root.run(f"{machine.second}/install.sh")
    finally:
        program.write_text(whole)
        (broken / "systemd" / "motcua-new.service").unlink()
    assert refused.returncode == 1 and f"does not stand, so {before} runs again" in refused.stderr, refused.stderr
    assert machine.current() == before and {unit.name for unit in units.iterdir()} == laid_out
    assert os.readlink(root.folder / PREFIX / "previous") == f"versions/{broken.name}"


def test_a_damaged_archive_is_refused(machine: Machine) -> None:
    wheel = next((machine.root.folder / machine.second[1:] / "wheels").glob("django_csp-*.whl"))
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:-1] + b"?")
    try:
        refused = machine.root.run(f"{machine.second}/install.sh")
    finally:
        wheel.write_bytes(whole)
    assert refused.returncode == 1 and "the archive is damaged" in refused.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--home"], "--home wants a value"),
        (["--fast"], "no option --fast"),
        (["--prefix", "opt"], "a path from the root is wanted"),
        (["--home", "/var/lib/other"], "has /var/lib/motcua since its first installation"),
        (["--backups", "/var/my backups"], "without spaces"),
        (["--database-url", "mysql://x"], "write postgres://"),
        (["--database-url", "postgres://motcua@/motcua"], "names another database"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_it_cannot_do_it_says_in_one_line(machine: Machine, words: list[str], told: str) -> None:
    refused = machine.root.run(f"{machine.first}/install.sh", *words)
    assert refused.returncode == 1 and told in refused.stderr, refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_the_units_are_sound_and_shut(machine: Machine) -> None:
    analyse = shutil.which("systemd-analyze")
    if not analyse:
        pytest.skip("systemd-analyze is not on this machine")
    units = sorted((machine.root.folder / "etc/systemd/system").glob("motcua*"))
    assert {unit.suffix for unit in units} == {".service", ".timer", ".target"}
    assert not [unit for unit in units if "@" in re.sub(r"@system-service|@privileged", "", unit.read_text())]
    found = machine.root.run("systemd-analyze", "verify", *(f"/etc/systemd/system/{unit.name}" for unit in units))
    assert not [line for line in found.stderr.splitlines() if "motcua" in line], found.stderr
    for unit in units:
        if unit.suffix == ".service":
            shut = subprocess.run(
                [analyse, "security", "--offline=true", "--threshold=35", "--no-pager", str(unit)],
                capture_output=True, text=True,
            )  # fmt: skip
            assert shut.returncode == 0, shut.stdout[-300:] + shut.stderr


def test_the_same_source_gives_the_same_bytes(archives: list[Path], tmp_path: Path) -> None:
    told = (archives[0].with_name(archives[0].name + ".sha256")).read_text()
    with tarfile.open(archives[0]) as packed:
        python = [Path(name).stem for name in packed.getnames() if "/requirements/" in name]
    again = _script().build(tmp_path, tuple(python))
    assert again.with_name(again.name + ".sha256").read_text() == told
