"""Procedures, online services and online payment, province against portal: planted differences, and nothing else."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.browsers import chromium, known_as, page_of, violations, width_needed
from tests.exchange import desk
from tests.served import served

from motcua.accounts.models import Post, User
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Procedure
from motcua.cli import main
from motcua.exchange import catalogue_pull, deliver, deliveries
from motcua.exchange.models import Delivery, OnlineService
from motcua.inspection.two_sides import CAUSES
from motcua.mirror import catalogue, door, lists
from motcua.mirror.client import Portal
from motcua.mirror.models import PortalProcedure, Record
from motcua.mirror.server import Server
from motcua.oversight import other_sides
from motcua.payments.models import Payment
from motcua.rules.instants import Unreadable, local_day
from motcua.web.compare import words
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = desk.NOW
DAY = local_day(NOW)


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A client of the mirror's server over HTTP."""
    with served(door.application(Server(Profile()), lambda: NOW)) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        yield client
        client.close()


def _there(code: str, name: str = "", days: str = "5", *, online: bool = False, public: bool = True) -> None:
    whole = catalogue.procedure(code, name or f"Thủ tục {code}", number=code, field="F", field_name="F", days=days)
    if online:
        whole["CACHTHUCTHUCHIEN"].append({"KENH": "2", "THOIGIAN": []})
    catalogue.store([{**whole, "TRANGTHAI": "1" if public else "0"}])


def _here(code: str, name: str = "", allotted: str = "5d", **more: Any) -> None:
    name = name or f"Thủ tục {code}"
    Procedure.objects.create(code=code, core=code, name=name, folded=fold(name), allotted=allotted, **more)


def _causes(kind: Any, **more: Any) -> dict[str, str]:
    found = other_sides.compare(kind, on=DAY, **more)
    counts = found.counts
    assert counts["ours"] - counts["only_ours"] + counts["only_there"] == counts["there"]
    return {line.key: line.cause for line in found.lines if line.cause}


def _catalogues(portal: Portal) -> None:
    for number in range(1, 8):
        _here(f"1.00000{number}")
        if number not in (3, 4):
            _there(f"1.00000{number}", days="7" if number == 2 else "5")
    _there("1.000004", public=False)
    _here("T-9")  # a local code
    _there("1.000009")  # public there alone
    _there("1.000010")
    _here("1.000010", valid_to=DAY - timedelta(days=30))
    catalogue_pull.run(portal=portal, at=NOW)


# ---- procedures ------------------------------------------------------------------------------------------------------


def test_each_procedure_on_one_side_only_has_its_cause(portal: Portal) -> None:
    _catalogues(portal)
    assert _causes("procedures") == {
        "1.000002": "limit_differs", "1.000003": "unknown_there", "1.000004": "abolished", "T-9": "unmapped",
        "1.000009": "not_offered", "1.000010": "ended_here",
    }  # fmt: skip
    counts = other_sides.compare("procedures", on=DAY).counts
    assert (counts["ours"], counts["there"], counts["both"]) == (8, 7, 5)


def test_before_the_first_pull_nothing_is_claimed_of_the_portal(portal: Portal) -> None:
    _here("1.000001")
    assert other_sides.compare("procedures", on=DAY).there_at is None


def test_a_whole_that_was_not_pulled_yet_is_said(portal: Portal) -> None:
    _here("1.000001")
    _there("1.000001")
    catalogue_pull.run(portal=portal, at=NOW, limit=0)
    assert _causes("procedures") == {"1.000001": "not_read"}


def test_the_real_catalogue_agrees_with_itself_and_planted_differences_alone_are_found(
    portal: Portal, shared: Path
) -> None:
    file = (shared / "data" if (shared / "data").is_dir() else shared) / "procedures" / "bo-quoc-phong-extracted.zip"
    if not file.exists():
        pytest.skip("the real catalogue (../shared/data/procedures) is not on this machine")
    with zipfile.ZipFile(file) as archive:
        pages = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]
    online = set()
    for page in pages:
        about, ways = page["metadata"], page["tables"].get("hinh_thuc_nop", [])
        code, name = about["mã_thủ_tục"], about["tên_thủ_tục"]
        there = [{"KENH": way["hinh_thuc"], "THOIGIAN": []} for way in ways]
        catalogue.store([{"MATTHC": code, "TENTTHC": name, "TRANGTHAI": "1", "CAPTHUCHIEN": [{"CAPTHUCHIEN": "1"}],
                          "CACHTHUCTHUCHIEN": there}])  # fmt: skip
        _here(code, name, allotted="")
        if any(way["hinh_thuc"].strip().lower() == "trực tuyến" for way in ways):
            online.add(code)
            OnlineService.objects.create(procedure=code, core=code, name=name, level="full", loaded_at=NOW)
    assert len(pages) > 150 and len(online) > 20
    catalogue_pull.run(portal=portal, at=NOW)
    assert _causes("procedures") == {}
    assert _causes("online-services") == dict.fromkeys(online, "level_unstated")
    gone = sorted(online)[0]
    Procedure.objects.filter(code=gone).delete()
    OnlineService.objects.filter(procedure=gone).delete()
    assert _causes("procedures") == {gone: "not_offered"}
    assert {k: v for k, v in _causes("online-services").items() if v != "level_unstated"} == {
        gone: "procedure_unknown_here"
    }


# ---- online services -------------------------------------------------------------------------------------------------

_SERVICES = "procedure,level,name\n1.000001,toàn trình,A\n1.000002,full,B\n1.000005,partial,C\n1.000003,,D\n"


def _services(portal: Portal, folder: Path) -> None:
    _catalogues(portal)
    file = folder / "services.csv"
    file.write_text(_SERVICES, encoding="utf-8")
    assert other_sides.load_services(file, at=NOW) == 4
    lists.keep(
        "online_service",
        [(code, {"MADVC": f"DVC{code}", "TENDVC": code, "MATTHC": code, "MUCDO": level})
         for code, level in (("1.000001", "Toàn trình"), ("1.000002", "Một phần"), ("1.000006", "4"),
                             ("1.000077", ""))],
    )  # fmt: skip
    catalogue_pull.run(portal=portal, at=NOW)


def test_online_services_are_compared_by_offer_and_level(portal: Portal, tmp_path: Path) -> None:
    _services(portal, tmp_path)
    assert _causes("online-services") == {
        "1.000002": "level_differs", "1.000005": "not_online_there", "1.000003": "procedure_unknown_there",
        "1.000006": "not_online_here", "1.000077": "procedure_unknown_here",
    }  # fmt: skip
    found = other_sides.compare("online-services", on=DAY)
    assert (found.basis, found.counts["ours"], found.counts["there"]) == ("services", 4, 4)


def test_without_a_list_of_services_the_published_ways_stand_for_it(portal: Portal) -> None:
    _there("1.000001", online=True)
    _there("1.000002")
    OnlineService.objects.create(procedure="1.000002", core="1.000002", level="full", loaded_at=NOW)
    catalogue_pull.run(portal=portal, at=NOW)
    assert _causes("online-services") == {"1.000001": "procedure_unknown_here", "1.000002": "not_online_there"}
    assert other_sides.compare("online-services", on=DAY).basis == "procedures"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("procedure,name\n1.1,x\n", "column level is missing"),
        ("procedure,level\n1.1,cao\n", "row 2, column level: 'cao'"),
        ("procedure,level\n1.1,full\n1.1,full\n", "row 3, column procedure: '1.1' stands twice"),
        ("procedure,level\n,full\n", "row 2, column procedure: is empty"),
        ("procedure,level\n", "holds no service"),
    ],
    ids=["no column", "no such level", "twice", "no code", "empty"],
)
def test_a_list_with_a_fault_names_the_place_and_changes_nothing(tmp_path: Path, text: str, place: str) -> None:
    OnlineService.objects.create(procedure="1.9", core="1.9", level="full", loaded_at=NOW)
    file = tmp_path / "x.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable, match=re.escape(place)):
        other_sides.load_services(file, at=NOW)
    assert OnlineService.objects.get().procedure == "1.9"


# ---- online payment --------------------------------------------------------------------------------------------------


def _paid(code: str, channel: str = "portal", state: str = "paid") -> None:
    Payment.objects.create(reference=f"TT{code}", dossier=code, amount=150_000, channel=channel, state=state,
                           started_at=NOW, known_at=NOW, paid_at=NOW if state == "paid" else None)  # fmt: skip


def _flag(code: str, flag: str) -> None:
    row = Record.objects.get(side="held", code=code)
    row.body = re.sub(r'"DuocThanhToanTrucTuyen": "\d"', f'"DuocThanhToanTrucTuyen": "{flag}"', row.body)
    row.save()


def _payments(portal: Portal) -> None:
    codes = [f"H99.12-260302-000{n}" for n in range(9)]
    for code in codes:
        desk.accepted(code)
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    for n, (channel, state) in enumerate([("portal", "paid"), ("portal", "paid"), ("province", "paid"),
                                          ("desk", "paid"), ("portal", "started")]):  # fmt: skip
        _paid(codes[n], channel, state)
    for n, flag in ((0, "1"), (2, "1"), (3, "1"), (4, "1"), (5, "2")):
        _flag(codes[n], flag)
    for n, state in ((6, "waiting"), (7, "dead")):
        _paid(codes[n])
        Delivery.objects.filter(dossier=codes[n], kind="received").update(state=state)
    _paid(codes[8])
    Record.objects.filter(code=codes[8]).delete()


def test_payments_are_compared_by_dossier(portal: Portal) -> None:
    _payments(portal)
    assert _causes("online-payment") == {
        "H99.12-260302-0001": "not_carried", "H99.12-260302-0002": "gateway_differs",
        "H99.12-260302-0003": "paid_at_desk", "H99.12-260302-0004": "unpaid_here",
        "H99.12-260302-0005": "no_payment_here", "H99.12-260302-0006": "on_the_way", "H99.12-260302-0007": "refused",
        "H99.12-260302-0008": "absent_there",
    }  # fmt: skip
    counts = other_sides.compare("online-payment", on=DAY).counts
    assert (counts["ours"], counts["there"], counts["equal"]) == (6, 5, 1)
    span = (NOW - timedelta(days=400), NOW - timedelta(days=300))
    assert other_sides.compare("online-payment", on=DAY, received=span).lines == []


# ---- command and pages -----------------------------------------------------------------------------------------------


def test_the_command_says_what_the_page_says(
    portal: Portal, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    monkeypatch.setattr("motcua.cli.home.open_home", lambda: home)
    assert main.run(["compare", "procedures"]) == 2
    assert "catalogue pull" in capsys.readouterr().err
    _catalogues(portal)
    assert main.run(["compare", "procedures", "--json", "-o", str(tmp_path / "x.xlsx")]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ours"], told["only_ours"], told["only_there"], told["there"]) == (8, 3, 2, 7)
    rows = CalamineWorkbook.from_path(str(tmp_path / "x.xlsx")).get_sheet_by_index(0).to_python()
    assert sum(str(row[1]).startswith(("1.", "T-")) for row in rows) == len(told["lines"])
    assert main.run(["compare", "procedures", "--cause", "abolished"]) == 1
    assert "tỉnh 8 − 3 chỉ ở tỉnh + 2 chỉ trên Cổng = Cổng 7" in capsys.readouterr().out
    assert main.run(["compare", "procedures", "--cause", "x"]) == 2


@pytest.fixture
def inspector(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    for name, role, agency in (("thanh-tra", "inspector", ""), ("xa", "unit_head", "H99.12")):
        Post.objects.create(user=User.objects.create(username=name), role=role, agency=agency)
    client.force_login(User.objects.get(username="thanh-tra"))
    return client


def test_every_figure_of_a_page_leads_to_exactly_its_lines(inspector: Client, portal: Portal, tmp_path: Path) -> None:
    _services(portal, tmp_path)
    _payments(portal)
    for slug in ("thu-tuc", "dich-vu-truc-tuyen", "thanh-toan-truc-tuyen"):
        address = f"/doi-chieu-khac/{slug}"
        text = inspector.get(address).content.decode()
        side = text[text.index('<nav class="card side"') : text.index("</nav>", text.index('<nav class="card side"'))]
        figures = re.findall(r'href="([^"]+)"[^>]*>[^<]+</a>\s*<span[^>]*>(\d+)</span>', side)
        assert len(figures) >= 6
        for href, count in figures:
            reply = inspector.get(href.replace("&amp;", "&")).content.decode()
            found = re.search(r"trong (\d+)</span>", reply)
            assert (found[1] if found else "0") == count, href
            book = tmp_path / "x.xlsx"
            asked = href.replace("&amp;", "&").replace(slug, f"{slug}.xlsx")
            book.write_bytes(b"".join(inspector.get(asked)))  # type: ignore[arg-type]
            rows = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
            assert sum(bool(re.match(r"[\dHT]", str(row[1]))) for row in rows[4:]) == int(count), asked


def test_search_needs_no_diacritics_and_empty_pages_say_what_to_do(inspector: Client, portal: Portal) -> None:
    assert "Chưa lấy danh mục của Cổng" in inspector.get("/doi-chieu-khac", follow=True).content.decode()
    assert "Chưa có bản ghi nào của Cổng" in inspector.get("/doi-chieu-khac/thanh-toan-truc-tuyen").content.decode()
    _catalogues(portal)
    one = inspector.get("/doi-chieu-khac/thu-tuc?q=thu+tuc+1.000009").content.decode()
    assert "1–1 trong 1" in one and "5 ngày làm việc" in one, "a limit is said in words"
    assert "Không dòng nào khớp" in inspector.get("/doi-chieu-khac/thu-tuc?q=không").content.decode()
    assert inspector.get("/doi-chieu-khac/thu-tuc?cause=x").status_code == 400
    assert inspector.get("/doi-chieu-khac/khac").status_code == 404


def test_the_list_of_services_is_loaded_on_the_page(inspector: Client, portal: Portal) -> None:
    _catalogues(portal)
    address = "/doi-chieu-khac/dich-vu-truc-tuyen"
    file = SimpleUploadedFile("ds.csv", _SERVICES.encode())
    assert "Đã nạp 4 dịch vụ" in inspector.post(address, {"file": file}, follow=True).content.decode()
    bad = SimpleUploadedFile("ds.csv", b"procedure,level\n1.1,cao\n")
    assert "Chưa nạp gì: ds.csv, row 2" in inspector.post(address, {"file": bad}, follow=True).content.decode()
    assert OnlineService.objects.count() == 4
    assert inspector.post("/doi-chieu-khac/thu-tuc", {"file": bad}).status_code == 404


def test_only_those_who_see_the_province_have_the_pages_and_english_is_whole(
    client: Client, inspector: Client, portal: Portal
) -> None:
    _catalogues(portal)
    inspector.cookies["django_language"] = "en"
    text = inspector.get("/doi-chieu-khac/thu-tuc").content.decode()
    assert "province 8 − 3 only here + 2 only there = portal 7" in text and "5 working days" in text
    client.force_login(User.objects.get(username="xa"))
    for address in ("/doi-chieu-khac", "/doi-chieu-khac/thu-tuc", "/doi-chieu-khac/thu-tuc.xlsx"):
        assert client.get(address).status_code == 403


def test_every_cause_has_words_and_a_remedy() -> None:
    causes = {cause for its in CAUSES.values() for cause in its}
    assert set(words.CAUSES) == causes | {""} and set(words.REMEDIES) == causes
    assert PortalProcedure._meta.db_table == "mirror_procedure"


def test_the_pages_are_accessible_and_fit_a_phone(
    live_server: Any, inspector: Client, portal: Portal, tmp_path: Path
) -> None:
    import os

    _services(portal, tmp_path)
    _payments(portal)
    with chromium() as browser:
        page = known_as(page_of(browser, live_server.url), inspector, live_server.url)
        for slug in ("thu-tuc", "dich-vu-truc-tuyen", "thanh-toan-truc-tuyen"):
            for width in (1366, 360):
                page.set_viewport_size({"width": width, "height": 768})
                page.goto(f"/doi-chieu-khac/{slug}")
                assert not (found := violations(page)), (slug, width, found)
                wide = width_needed(page)
                if folder := os.environ.get("MOTCUA_PICTURES"):
                    page.screenshot(path=f"{folder}/compare-{slug}-{width}.png", full_page=True)
                assert wide <= width, (slug, width)
