"""A small province for tests of orders, papers and notices: four units, nineteen dossiers, every sort of lateness."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from tests.story import Case, at

from motcua.accounts.models import Post, User
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency
from motcua.dossiers.importing.run import Order, import_files
from motcua.mirror.load import load
from motcua.oversight import extract

NOW = at("2026-03-16T09:00")  # a Monday
PASSWORD = "demo-motcua"
NAMES = {"H99.12": "Phường Mẫu", "H99.13": "Xã Ẩn Độ Cũ", "H99.14": "Sở Tư pháp", "H99.15": "Xã Ế Ộ Ữ"}
#: Finished in time here, and the portal was never told.
UNSENT = [f"H99.12-260302-{n:04}" for n in range(1, 5)] + ["H99.13-260302-0001", "H99.14-260302-0001"]
#: Clicked after the due instant with evidence from before it; the portal knows.
CLICKED_LATE = ["H99.12-260302-0011", "H99.14-260302-0011", "H99.14-260302-0012"]
#: Still open, past their due instant.
OPEN_LATE = ["H99.12-260302-0021", "H99.13-260302-0021", "H99.13-260302-0022", "H99.14-260302-0021"]
#: Nothing wrong.
HONEST = [f"H99.{unit}-260302-{n:04}" for unit in (12, 13) for n in range(31, 34)]


@cache
def _hashed() -> str:
    return make_password(PASSWORD)


def told(case: Case) -> None:
    """The story of each dossier."""
    for code in UNSENT:
        case.dossier(code, agency=code[:6])
        case.event(code, "finished", "2026-03-06T10:00")
        case.record(code, 2, updating=False, DonViXuLy=code[:6])
    for code in CLICKED_LATE:
        case.dossier(code, agency=code[:6])
        case.event(code, "finished", "2026-03-10T10:00", evidence="2026-03-06T15:00")
        case.record(code, 9, updating=False, DonViXuLy=code[:6])
        case.step(code, 9, "20260310100000")
    for code in OPEN_LATE:
        case.dossier(code, agency=code[:6])
        case.record(code, 2, updating=False, DonViXuLy=code[:6])
    for code in HONEST:
        case.dossier(code, agency=code[:6])
        case.event(code, "finished", "2026-03-06T10:00")
        case.record(code, 9, updating=False, DonViXuLy=code[:6])
        case.step(code, 9, "20260306100000")


def built(home: Path, folder: Path) -> None:
    """The province in the database, its facts, its people."""
    case = Case()
    told(case)
    dossiers, events, messages = case.write(folder)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    for code, name in NAMES.items():
        Agency.objects.update_or_create(code=code, defaults={"name": name, "folded": fold(name)})
    extract.run(home=home, at=NOW)
    people()


@contextmanager
def kept(blocker: Any, folder: Path) -> Iterator[Path]:
    """The province built once for a file of tests: they see its rows, and each works on a copy of its facts."""
    with blocker.unblock():
        built(folder, folder)
    try:
        yield folder
    finally:
        with blocker.unblock():
            for database in ("default", "mirror"):
                call_command("flush", database=database, interactive=False, verbosity=0)


def lent(folder: Path, home: Path) -> Path:
    """The home of one test, with the facts of the province."""
    shutil.copytree(extract.facts_folder(folder), extract.facts_folder(home))
    return home


def people() -> None:
    """Somebody in every role."""
    for name, role, agency in (
        ("chu-tich", "leader", ""), ("thanh-tra", "inspector", ""), ("van-hanh", "operator", ""),
        ("phuong", "unit_head", "H99.12"), ("xa", "unit_head", "H99.13"), ("so", "focal_point", "H99.14"),
        ("can-bo", "officer", "H99.12"),
    ):  # fmt: skip
        full_name = {"chu-tich": "Lê Chủ Tịch", "phuong": "Trần Văn Phường"}.get(name, name)
        person = User.objects.create(
            username=name, password=_hashed(), email=f"{name}@mau.example.vn", full_name=full_name
        )
        Post.objects.create(user=person, role=role, agency=agency)


def sent(home: Path, folder: Path, codes: list[str], *, when: str) -> None:
    """The portal is told of these at last; the facts know it."""
    case = Case()
    for code in codes:
        case.step(code, 9, "20260306100000")
    *_, messages = case.write(folder)
    load([messages], at=at(when))
    extract.run(home=home, at=at(when))
