"""A small province whose findings are known: one late click, one lost update, one dossier that nobody answers for."""

from __future__ import annotations

from pathlib import Path

from tests.story import Case, at

from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.findings import update
from motcua.findings.update import Report
from motcua.mirror.load import load
from motcua.oversight import extract

NOW = at("2026-04-01T09:00")
CLICKED_LATE, NOT_SENT, HONEST = (f"H99.12-260302-000{n}" for n in (1, 2, 3))


def province(home: Path, folder: Path, *, more: int = 0) -> None:
    """Three dossiers of ward H99.12 (and `more` clicked late there), one late click of ward H99.13."""
    Procedure.objects.create(code="1.000001", core="1.000001", name="Đăng ký khai sinh", allotted="5d")
    for code, name in (("H99.12", "Phường Mẫu"), ("H99.13", "Phường Khác")):
        Agency.objects.create(code=code, name=name, level="commune")
    case = Case()
    for code in (CLICKED_LATE, *(f"H99.12-260303-{n:04}" for n in range(more))):
        case.dossier(code)
        case.event(code, "finished", "2026-03-12T09:00", evidence="2026-03-06T15:00")
        case.record(code, 9, updating=False)
        case.step(code, 9, "20260312090000")
    case.dossier(NOT_SENT)
    case.event(NOT_SENT, "finished", "2026-03-06T10:00")
    case.record(NOT_SENT, 2, updating=False)
    case.dossier(HONEST)
    case.event(HONEST, "finished", "2026-03-06T15:00")
    case.record(HONEST, 9, updating=False)
    case.step(HONEST, 9, "20260306150000")
    case.dossier("H99.13-260302-0001", agency="H99.13")
    case.event("H99.13-260302-0001", "finished", "2026-03-12T09:00", evidence="2026-03-06T15:00")
    case.record("H99.13-260302-0001", 9, updating=False)
    case.step("H99.13-260302-0001", 9, "20260312090000")
    bring(case, home, folder)


def bring(case: Case, home: Path, folder: Path) -> None:
    """Loads what a case tells, on top of what there is, and brings the facts up to date."""
    dossiers, events, messages = case.write(folder)
    if case.dossiers:
        import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    if case.messages:
        load([messages], at=NOW)
    extract.run(home=home, at=NOW)


def scanned(home: Path) -> Report:
    """The findings brought up to date."""
    return update.run(home, at=NOW)
