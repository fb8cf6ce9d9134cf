"""One archive that installs without internet: wheels of the locked packages and our own, units, examples, install.sh.

    scripts/archive.py [--python 3.11 --python 3.13] [--out dist]

The same commit gives the same bytes: what goes in is sorted, owned by root and dated by the commit. It is a plain tar,
since wheels are packed already. Downloaded wheels are kept in `build/wheels`, each checked against its hash.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[1]
#: Debian 12, Ubuntu 24.04, Debian 13.
PYTHONS = ("3.11", "3.12", "3.13")
#: What wheels may ask of the C library: Debian 12 has 2.36, Ubuntu 22.04 has 2.35.
_GLIBC = (17, 24, 26, 27, 28, 31, 34)


def requirements(python: str) -> str:
    """The locked packages that an x86-64 Linux with this Python needs, with their hashes and without conditions."""
    env = {
        "implementation_name": "cpython", "implementation_version": f"{python}.0", "os_name": "posix",
        "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_system": "Linux",
        "python_full_version": f"{python}.0", "python_version": python, "sys_platform": "linux",
    }  # fmt: skip
    text = (ROOT / "requirements" / "core.txt").read_text().replace("\\\n", " ")
    kept = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, hashes = line.split(" --hash", 1)
        wanted, _, condition = name.partition(" ; ")
        if not condition or Marker(condition).evaluate(env):
            kept.append(f"{wanted.strip()} \\\n    --hash" + hashes.replace(" --hash", " \\\n    --hash").rstrip())
    return "\n".join(re.sub(r" +\\", r" \\", line) for line in kept) + "\n"


def wheels(python: str) -> list[Path]:
    """The wheels of these packages, downloaded where they are not at hand."""
    wanted = requirements(python)
    folder = ROOT / "build" / "wheels" / f"{python}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            listed = Path(scratch) / "requirements.txt"
            listed.write_text(wanted)
            platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in _GLIBC] + [
                "--platform=manylinux2014_x86_64"
            ]
            _pip("download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp", *platforms,
                 f"--python-version={python}", "--dest", f"{scratch}/wheels", "--requirement", str(listed))  # fmt: skip
            (Path(scratch) / "wheels").rename(folder)
    return sorted(folder.glob("*.whl"))


def own_wheel(source: Path, target: Path, epoch: int) -> Path:
    """Our own wheel, the same for the same source."""
    _pip("wheel", "--no-deps", "--wheel-dir", str(target), str(source), SOURCE_DATE_EPOCH=str(epoch))
    [wheel] = target.glob("motcua-*.whl")
    return wheel


def _pip(*words: str, **env: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"archive: pip {words[0]} failed:\n{done.stderr.strip()}")


def build(out: Path, pythons: tuple[str, ...] = PYTHONS, source: Path = ROOT) -> Path:
    """Writes the archive and its checksum beside it; returns where it lies."""
    version: str = tomllib.loads((source / "pyproject.toml").read_text())["project"]["version"]
    epoch = _dated(source)
    files: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as scratch:
        ours = own_wheel(source, Path(scratch), epoch)
        own = f"motcua=={version} \\\n    --hash=sha256:{hashlib.sha256(ours.read_bytes()).hexdigest()}\n"
        packed = {ours.name: ours.read_bytes()}
        for python in pythons:
            packed.update((wheel.name, wheel.read_bytes()) for wheel in wheels(python))
            files[f"requirements/{python}.txt"] = (requirements(python) + own).encode()
        files.update((f"wheels/{name}", content) for name, content in packed.items())
    deploy = source / "deploy"
    for file in sorted(deploy.rglob("*")):
        if file.is_file():
            files[str(file.relative_to(deploy))] = file.read_bytes()
    for paper in ("LICENSE", "NOTICE", "CHANGELOG.md"):
        files[paper] = (source / paper).read_bytes()
    for paper in sorted((source / "docs").rglob("*")):
        if paper.is_file():
            files[str(paper.relative_to(source))] = paper.read_bytes()
    files["VERSION"] = f"{version}\n".encode()
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    files["SHA256SUMS"] = sums.encode()
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"motcua-{version}-linux-x86_64.tar"
    _write(target, f"motcua-{version}", files, epoch)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target.with_name(target.name + ".sha256").write_text(f"{digest}  {target.name}\n")
    return target


def _write(target: Path, top: str, files: dict[str, bytes], epoch: int) -> None:
    draft = target.with_name(target.name + ".part")
    with tarfile.open(draft, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(files):
            about = tarfile.TarInfo(f"{top}/{name}")
            about.size, about.mtime = len(files[name]), epoch
            about.mode = 0o755 if name in ("install.sh", "motcua") else 0o644
            about.uname = about.gname = "root"
            archive.addfile(about, io.BytesIO(files[name]))
    draft.replace(target)


def _dated(source: Path) -> int:
    """When the commit was made, in seconds; where there is no history, as the wheel's own format begins."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    git = shutil.which("git")
    done = (
        subprocess.run([git, "-C", str(source), "log", "-1", "--format=%ct"], capture_output=True, text=True)
        if git
        else None
    )
    return int(done.stdout) if done and done.returncode == 0 and done.stdout.strip() else 315_532_800


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--python", action="append", metavar="X.Y", help=f"wheels for this Python ({', '.join(PYTHONS)})"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    args = parser.parse_args()
    target = build(args.out, tuple(args.python or PYTHONS))
    size = target.stat().st_size // 1_000_000
    print(f"{target}: {size} MB; copy it with its .sha256, unpack it there, ./install.sh as root")


if __name__ == "__main__":
    main()
