"""What differs without changing a verdict is listed apart, each with what proves it, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.story import Case, at

from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.inspection import data_findings
from motcua.mirror.load import load
from motcua.oversight import extract, figures
from motcua.oversight.figures import Question

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T09:00")
WIRE = "20260306150000"


def _planted() -> tuple[Case, dict[str, set[str]]]:
    case, wanted = Case(), {}

    def dossier(*checks: str, **facts: Any) -> str:
        code = f"H99.12-260302-{len(case.dossiers) + 1:04}"
        case.dossier(code, **{"applicant": f"Người {code}", **facts})
        wanted[code] = set(checks)
        return code

    def told(code: str, *, ended: str = WIRE, **fields: str) -> None:
        case.record(code, 2, updating=False, **fields)
        case.step(code, 2, "20260302083000")
        if ended:
            case.record(code, 9, **fields)
            case.step(code, 9, ended)

    def done(*checks: str, wire: dict[str, str] | None = None, ended: str = WIRE, **facts: Any) -> None:
        code = dossier(*checks, **facts)
        case.event(code, "finished", "2026-03-06T15:00")
        told(code, ended=ended, **(wire or {}))

    done()
    long = {"NgayHenTra": "20260312170000", "MaTTHC": "1.000003"}
    done("over_promised", procedure="1.000003", due="2026-03-12T17:00", wire=long)
    done("unit_unresolved", wire={"DonViXuLy": "Phòng không ai biết"})
    done("unit_differs", wire={"DonViXuLy": "H99.13"})
    done("procedure_differs", wire={"MaTTHC": "1.000002"})
    done("receipt_differs", wire={"NgayTiepNhan": "20260302083500"})
    done("due_differs", wire={"NgayHenTra": "20260310170000"})
    done("end_differs", ended="20260306160000")
    done("end_not_there", ended="", wire={"NgayHenTra": "20260410170000"}, due="2026-04-10T17:00", allotted="60d")
    code = dossier("end_only_there", due="2026-04-10T17:00", allotted="60d")
    told(code, NgayHenTra="20260410170000")
    code = dossier("evidence_before_receipt")
    case.event(code, "finished", "2026-03-06T15:00", evidence="2026-03-01T10:00")
    told(code)
    code = dossier("document_unknown")
    case.event(code, "suspended", "2026-03-03T08:00")
    case.event(code, "resumed", "2026-03-03T09:00")
    case.event(code, "finished", "2026-03-06T15:00")
    case.record(code, 9, updating=False, NgayHenTra="20260310080000")
    case.step(code, 9, WIRE)
    code = dossier("further_record_there", due="2026-04-10T17:00", allotted="60d")
    told(code, ended="", NgayHenTra="20260410170000", ChuHoSo=f"Người {code}")
    case.record("H99.12-260302-54321", 2, updating=False, NgayHenTra="20260410170000", ChuHoSo=f"Người {code}")
    return case, wanted


@pytest.fixture
def inspected(home: Path, tmp_path: Path) -> dict[str, set[str]]:
    for procedure, allotted in (("1.000001", "60d"), ("1.000002", "60d")):
        Procedure.objects.create(code=procedure, core=procedure, name=procedure, allotted=allotted)
    Agency.objects.create(code="H99.13", name="Phường khác")
    case, wanted = _planted()
    Procedure.objects.create(code="1.000003", core="1.000003", name="hẹn dài", allotted="5d")
    dossiers, events, messages = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)
    return wanted


def test_each_difference_without_a_changed_verdict_is_listed_and_nothing_else(
    inspected: dict[str, set[str]], home: Path
) -> None:
    document = figures.inspect(home, Question(), now=NOW)
    assert document["findings"] == []
    listed: dict[str, set[str]] = {code: set() for code in inspected}
    for finding in document["data_findings"]:
        listed[finding["dossier"]].add(finding["check"])
        assert finding["evidence"], finding
    assert listed == inspected
    assert set().union(*listed.values()) == set(data_findings.CODES)


def test_one_check_can_be_asked_for_alone(inspected: dict[str, set[str]], home: Path) -> None:
    document = figures.inspect(home, Question(), now=NOW, checks=("over_promised",))
    assert [f["check"] for f in document["data_findings"]] == ["over_promised"]
    assert figures.inspect(home, Question(), now=NOW, checks=("late_entry",))["data_findings"] == []
