"""The portal's catalogue is pulled whole, through its quirks, and held against ours; what drifted is listed."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from tests.served import served
from tests.story import at

from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, Field, Procedure
from motcua.cli import drift as command
from motcua.exchange import catalogue_pull, drift
from motcua.exchange.drift import Kind
from motcua.mirror import catalogue, door, lists
from motcua.mirror.client import Portal, PortalUnreachable, Reply
from motcua.mirror.models import PortalProcedure, Pulled
from motcua.mirror.server import Server
from motcua.wire import published
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = at("2026-04-01T09:00")
WEEK = timedelta(days=8)
DAY = NOW.date()


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A client of the mirror's server over HTTP."""
    with served(door.application(Server(Profile()), lambda: NOW)) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        yield client
        client.close()


def _there(code: str, name: str = "Cấp giấy phép mẫu", days: str = "5", **more: Any) -> dict[str, Any]:
    whole = catalogue.procedure(code, name, number="1", field="G99-TN01", field_name="Lĩnh vực mẫu", days=days)
    return {**whole, **more}


def _here(code: str, name: str = "Cấp giấy phép mẫu", **more: Any) -> None:
    Procedure.objects.create(
        code=code, core=published.procedure_core(code), name=name, **{"allotted": "5d", "field": "G99-TN01", **more}
    )


def _drift() -> dict[str, tuple[str, ...]]:
    return {f"{r.about} {r.fact}".strip(): (r.kind, r.ours, r.there) for r in drift.report(on=DAY).rows}


# ---- the quirks of contract §3.6 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "amount"),
    [("Không", 0), ("50.000", 50_000), ("1,500,000", 1_500_000), ("0 Đồng", 0), ("Miễn phí", 0), ("150000", 150_000),
     ("5.5", None), ("Theo quy định của tỉnh", None), ("", 0), ("50.000'", 50_000)],
)  # fmt: skip
def test_an_amount_is_read_from_what_the_portal_writes(words: str, amount: int | None) -> None:
    assert published.amount_of(words) == amount


@pytest.mark.parametrize(
    ("amount", "unit", "limit"),
    [("5", "Ngày làm việc", "5d"), ("07", "Ngày", "7cd"), ("0.5", "ngày  làm việc", "0.5d"), ("8", "Giờ", "8h"),
     ("1", "", None), ("3", "Tháng", None), ("Không quy định", "Ngày", None), ("0", "Ngày làm việc", None)],
)  # fmt: skip
def test_a_limit_is_read_and_what_no_clock_runs_by_stays_words(amount: str, unit: str, limit: str | None) -> None:
    assert published.limit_of(amount, unit) == limit


def test_a_whole_procedure_is_read_through_its_quirks() -> None:
    whole = _there("1.000001", days="07")
    way = whole["CACHTHUCTHUCHIEN"][0]
    way["THOIGIAN"][0]["PHILEPHI"] += [{"MAPHILEPHI": "1'", "SOTIEN": 20000, "Url": "x"}, {"SOTIEN": "Theo hợp đồng"}]
    way["THOIGIAN"].append({"THOIGIANGIAIQUYET": 1, "DONVITINH": None})
    whole["CAPTHUCHIEN"] = {"CAPTHUCHIEN": "", "TENCAP": "Cấp Tỉnh, Cấp Xã"}
    read = published.parse({**whole, "LINHVUCTHUCHIEN": None, "TRANGTHAI": 1})
    assert (read.limits, read.limits_unread) == (("7d",), ("1",))
    assert (read.fees, read.fees_unread) == ((20_000, 150_000), ("Theo hợp đồng",))
    assert (read.levels, read.fields, read.is_public) == (("1", "3"), (), True)


# ---- the pull -------------------------------------------------------------------------------------------------------


def test_lists_and_wholes_are_kept_raw_ours_first_and_the_next_run_goes_on(portal: Portal) -> None:
    catalogue.store([_there(f"1.00000{n}") for n in range(1, 6)])
    _here("1.000004")
    first = catalogue_pull.run(portal=portal, at=NOW, limit=2)
    assert (first.procedures, first.left, first.listed["procedure"]) == (2, 3, 5)
    done = Pulled.objects.exclude(body="").order_by("code")
    assert list(done.values_list("code", flat=True)) == ["1.000001", "1.000004"]
    assert json.loads(done[0].body)["CACHTHUCTHUCHIEN"][0]["THOIGIAN"][0]["PHILEPHI"][0]["MAPHILEPHI"] == "1'"
    assert catalogue_pull.run(portal=portal, at=NOW).procedures == 3
    assert catalogue_pull.run(portal=portal, at=NOW).procedures == 0
    assert catalogue_pull.run(portal=portal, at=NOW + WEEK).procedures == 5


def test_the_worker_asks_for_a_part_each_turn_and_for_the_lists_once_a_day(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_pull, "_AT_ONCE", 3)
    monkeypatch.setattr(catalogue_pull, "_SILENT", 2)
    catalogue.store([_there(f"1.00000{n}") for n in range(1, 6)])
    assert catalogue_pull.keep_up(portal=_Dying(portal, 0), at=NOW - WEEK) == 0
    assert catalogue_pull.keep_up(portal=portal, at=NOW) == 3
    catalogue.store([_there("1.000006")])
    hours = [catalogue_pull.keep_up(portal=portal, at=NOW + timedelta(hours=n)) for n in (1, 2, 24)]
    assert hours == [2, 0, 1], "the new one is known once the lists are asked for again"


class _Dying:
    """A portal that goes away after so many procedures."""

    def __init__(self, portal: Portal, answers: int) -> None:
        self.portal, self.answers, self.url = portal, answers, portal.url

    def call(self, service: str, **arguments: Any) -> Reply:
        if service == "LayThuTuc":
            self.answers -= 1
            if self.answers < 0:
                raise PortalUnreachable("away")
        return self.portal.call(service, **arguments)


def test_a_portal_that_goes_away_leaves_what_was_pulled(portal: Portal) -> None:
    catalogue.store([_there(f"1.0000{n:02}") for n in range(10)])
    with pytest.raises(PortalUnreachable):
        catalogue_pull.run(portal=_Dying(portal, 4), at=NOW)
    assert catalogue_pull.run(portal=portal, at=NOW).procedures == 6


def test_a_list_that_is_cut_off_abolishes_nothing(portal: Portal) -> None:
    catalogue.store([_there(f"1.0000{n:02}") for n in range(10)])
    catalogue_pull.run(portal=portal, at=NOW)
    PortalProcedure.objects.exclude(code="1.000000").delete()
    report = catalogue_pull.run(portal=portal, at=NOW + WEEK)
    assert report.cut == ["procedure"] and not Pulled.objects.exclude(gone_at=None).exists()


# ---- the drift ------------------------------------------------------------------------------------------------------


def test_each_kind_of_drift_is_listed_and_nothing_else(portal: Portal) -> None:
    catalogue.store(
        [_there("1.000001.000.00.00.H99"), _there("1.000002"), _there("1.000003", TRANGTHAI="0"), _there("1.000004"),
         _there("1.000005", name="Tên mới"), _there("1.000006", days="7"), _there("1.000007"), _there("1.000008")]
    )  # fmt: skip
    lists.keep("agency", [("000.00.12.H99", {"MADONVI": "000.00.12.H99", "TENDONVI": "Sở Mẫu", "CAPDONVI": "1"})])
    for code in ("1.000001", "1.000002", "1.000003", "1.000004", "1.000005", "1.000006"):
        _here(code)
    _here("1.000007", field="G99-XX", level="commune")
    _here("1.000099")
    _here("NOIBO-12")
    _here("1.000098", valid_to=at("2025-12-31T00:00").date())
    Field.objects.create(code="G99-XX", name="Lĩnh vực khác")
    Agency.objects.create(code="H99.12", name="Sở cũ")
    Agency.objects.create(code="H99.77", name="Sở lạ")
    catalogue_pull.run(portal=portal, at=NOW)
    PortalProcedure.objects.filter(code="1.000004").delete()
    changed = _there("1.000002", days="5")
    changed["CACHTHUCTHUCHIEN"][0]["THOIGIAN"][0]["PHILEPHI"][0]["SOTIEN"] = "Không"
    catalogue.store([changed])
    catalogue_pull.run(portal=portal, at=NOW + WEEK)
    assert _drift() == {
        "1.000002 fee": (Kind.CHANGED_SINCE, "150000", "0"),
        "1.000003": (Kind.ABOLISHED, "", ""),
        "1.000004": (Kind.ABOLISHED, "", ""),
        "1.000005 name": (Kind.CHANGED, "Cấp giấy phép mẫu", "Tên mới"),
        "1.000006 limit": (Kind.CHANGED, "5d", "7d"),
        "1.000007 field": (Kind.CHANGED, "G99-XX", "G99-TN01"),
        "1.000007 level": (Kind.CHANGED, "commune", "1"),
        "1.000099": (Kind.UNKNOWN_THERE, "", ""),
        "NOIBO-12": (Kind.UNMAPPED_PROCEDURE, "", ""),
        "G99-XX": (Kind.UNMAPPED_FIELD, "", ""),
        "H99.77": (Kind.UNMAPPED_AGENCY, "", ""),
    }
    report = drift.report(on=DAY)
    assert (report.compared, report.not_yet, report.not_here) == (5, 0, 1)
    assert {row.since for row in report.rows if row.about == "1.000004"} == {NOW + WEEK}


def test_the_workbook_and_the_document_hold_every_row(portal: Portal, tmp_path: Path) -> None:
    catalogue.store([_there("1.000001")])
    _here("1.000001", name="Tên cũ")
    _here("1.000099")
    catalogue_pull.run(portal=portal, at=NOW)
    report = drift.report(on=DAY)
    assert set(command.KINDS) == {str(kind) for kind in Kind}
    assert {row.fact for row in report.rows} <= set(command.FACTS)
    assert report.document()["counts"] == {kind: int(kind in ("changed", "unknown_there")) for kind in Kind}
    (tmp_path / "drift.xlsx").write_bytes(command.workbook(report))
    rows = CalamineWorkbook.from_path(tmp_path / "drift.xlsx").get_sheet_by_index(0).to_python()
    held = ["|".join(map(str, row)) for row in rows]
    assert command.value("level", "commune") == command.value("level", "3") == "Cấp xã"
    assert command.value("limit", "5d, 0.5h, Không quy định") == "5 ngày làm việc, 0,5 giờ làm việc, Không quy định"
    assert command.value("fee", "150000, Theo hợp đồng") == "150.000 đồng, Theo hợp đồng"
    assert any("1.000099" in row for row in held) and any("Tên cũ" in row and "Cấp giấy" in row for row in held)


# ---- the real catalogue ---------------------------------------------------------------------------------------------


def _real(shared: Path) -> list[dict[str, Any]]:
    """Published procedures of a ministry, in the form of LayThuTuc."""
    file = shared / "procedures" / "bo-quoc-phong-extracted.zip"
    if not file.exists():
        pytest.skip("the real catalogue (../shared/data/procedures) is not on this machine")
    found = []
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if not name.endswith(".json"):
                continue
            page = json.loads(archive.read(name))
            about = page["metadata"]
            ways = []
            for row in page["tables"].get("hinh_thuc_nop", []):
                amount, _, unit = row["thoi_han_giai_quyet"].partition(" ")
                fees = [{"SOTIEN": fee} for fee in re.findall(r":\s*([^:]+?)(?:\s+\w+\s*$|$)", row["phi_le_phi"])]
                time = {"THOIGIANGIAIQUYET": amount, "DONVITINH": unit, "PHILEPHI": fees}
                ways.append({"KENH": row["hinh_thuc"], "THOIGIAN": [time]})
            found.append(
                {"MATTHC": about["mã_thủ_tục"], "TENTTHC": about["tên_thủ_tục"], "TRANGTHAI": "1",
                 "CAPTHUCHIEN": [{"TENCAP": about["cấp_thực_hiện"]}],
                 "LINHVUCTHUCHIEN": [{"MALINHVUC": about["lĩnh_vực"], "TENLINHVUC": about["lĩnh_vực"]}],
                 "CACHTHUCTHUCHIEN": ways}
            )  # fmt: skip
    return found


def test_the_real_catalogue_is_pulled_and_planted_drift_alone_is_found(portal: Portal, shared: Path) -> None:
    real = _real(shared / "data" if (shared / "data").is_dir() else shared)
    catalogue.store(real)
    wholes = [published.parse(whole) for whole in real]
    timed = [whole for whole in wholes if whole.limits]
    assert len(wholes) > 150 and len(timed) > len(wholes) / 2
    for whole in wholes:
        Procedure.objects.create(
            code=whole.code, core=whole.core, name=whole.name, folded=fold(whole.name)[:2000],
            field=whole.fields[0][0][:64], allotted=whole.limits[0] if whole.limits else "",
        )  # fmt: skip
    report = catalogue_pull.run(portal=portal, at=NOW)
    assert (report.procedures, report.refused, report.left) == (len(wholes), {}, 0)
    assert _drift() == {}
    Procedure.objects.filter(code=timed[0].code).update(allotted="99d")
    Procedure.objects.filter(code=wholes[1].code).update(name="Tên khác hẳn")
    PortalProcedure.objects.filter(code=wholes[2].code).delete()
    catalogue_pull.run(portal=portal, at=NOW + WEEK)
    assert {row.about: row.kind for row in drift.report(on=DAY).rows} == {
        timed[0].code: Kind.CHANGED, wholes[1].code: Kind.CHANGED, wholes[2].code: Kind.ABOLISHED,
    }  # fmt: skip


_METHODS = {"DIRECT": "1", "ONLINE": "2", "POSTAL": "3"}
_TIMES = {"WORKING_DAY": "Ngày làm việc", "DAY": "Ngày", "HOUR": "Giờ"}


def test_a_real_record_of_the_portal_agrees_with_its_own_page(portal: Portal, shared: Path) -> None:
    folder = shared / "data" if (shared / "data").is_dir() else shared
    record, pages = folder / "national-portal" / "formality-detail-1.008004.json", folder / "procedures"
    archive = pages / "dvcqg-detail-bo-nong-nghiep-mt.zip"
    if not record.exists() or not archive.exists():
        pytest.skip("the real catalogue (../shared/data) is not on this machine")
    there = json.loads(record.read_text())
    with zipfile.ZipFile(archive) as file:
        page = json.loads(file.read(next(name for name in file.namelist() if "1.008004" in name)))
    ways = [
        {"KENH": _METHODS[way["submissionMethod"]],
         "THOIGIAN": [{"THOIGIANGIAIQUYET": way["processingTime"], "DONVITINH": _TIMES[way["processingTimeUnit"]],
                       "PHILEPHI": [{"SOTIEN": fee["value"]} for fee in way["fees"]]}]}
        for way in there["executionMethods"]
    ]  # fmt: skip
    levels = [{"CAPTHUCHIEN": code} for code, name in (("0", "Ministry"), ("1", "Province"), ("3", "Ward"))
              if there[f"is{name}"]]  # fmt: skip
    fields = [{"MALINHVUC": f["code"], "TENLINHVUC": f["name"]} for f in there["categoriesDetails"]]
    catalogue.store([{"MATTHC": there["code"], "TENTTHC": there["name"], "TRANGTHAI": "1", "CAPTHUCHIEN": levels,
                      "LINHVUCTHUCHIEN": fields, "CACHTHUCTHUCHIEN": ways}])  # fmt: skip
    Field.objects.create(code="TT", name=page["linh_vuc"])
    [days] = set(re.findall(r"(\d+) Ngày làm việc", page["cach_thuc_thuc_hien"]))
    _here(page["ma_thu_tuc"], page["ten_thu_tuc"], level=page["cap_thuc_hien"], allotted=f"{days}d", field="TT")
    catalogue_pull.run(portal=portal, at=NOW)
    assert set(_drift()) <= {"TT"}  # the local field has a code of its own; its name is the portal's
