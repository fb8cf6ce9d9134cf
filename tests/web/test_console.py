"""The console in a real browser: sign in, tile, bar, list, dossier; counts equal at every turn; accessible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.story import Case, at

from motcua.accounts.models import Post, User
from motcua.dossiers.importing.run import Order, import_files
from motcua.mirror.load import load
from motcua.oversight import extract

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
CHROMIUM = Path("/usr/bin/chromium")
NOW = at("2026-04-01T09:00")


@pytest.fixture
def province(home: Path, tmp_path: Path) -> None:
    """A handful of dossiers: one late click, one lost update, one honest."""
    case = Case()
    for code, evidence in (("H99.12-260302-0001", "2026-03-06T15:00"), ("H99.12-260302-0002", "")):
        case.dossier(code)
        case.event(code, "finished", "2026-03-10T10:00", evidence=evidence)
        case.record(code, 9, updating=False)
        case.step(code, 9, "20260310100000")
    case.dossier("H99.12-260302-0003")
    case.event("H99.12-260302-0003", "finished", "2026-03-06T10:00")
    case.record("H99.12-260302-0003", 2, updating=False)
    dossiers, events, messages = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)
    user = User.objects.create_user("thanhtra", password="demo-motcua")
    Post.objects.create(user=user, role="inspector")
    ward = User.objects.create_user("xa-khac", password="demo-motcua")
    Post.objects.create(user=ward, role="unit_head", agency="H99.99")


@pytest.fixture
def page(live_server: Any, province: None) -> Iterator[Any]:
    """A page of the system's chromium."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not on this machine")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        page = browser.new_page(viewport={"width": 1366, "height": 768}, base_url=live_server.url)
        page.goto("/")
        page.fill("#id_username", "thanhtra")
        page.fill("#id_password", "demo-motcua")
        page.click("button.main")
        page.locator(".tiles").wait_for()
        yield page
        browser.close()


def _figure(text: str) -> int:
    return int("".join(c for c in text if c.isdigit()) or 0)


def test_an_inspector_walks_from_a_tile_to_a_dossier_and_the_counts_agree(page: Any) -> None:
    page.locator(".tile", has_text="Đã giải quyết trễ hạn").click()
    shown = _figure(page.locator(".tile.chosen .tile-figure").inner_text())
    assert shown == 2
    bars = page.locator("svg.waterfall a.bar")
    for n in range(bars.count()):
        bar = bars.nth(n)
        wanted, address = _figure(bar.locator(".count").text_content()), bar.get_attribute("href")
        page.goto(address)
        assert _figure(page.locator("#total").inner_text()) == wanted
        assert page.locator("table.list tbody tr").count() == wanted
        page.go_back()
    page.locator("svg.waterfall a.bar", has_text="chậm thao tác").click()
    page.locator("table.list tbody th a").click()
    assert "đúng hạn" in page.locator(".verdict", has_text="Thực tế").inner_text()
    assert "bấm kết thúc lúc 10:00 10/03/2026" in page.locator(".sentence").inner_text()


def test_every_page_is_accessible_and_keeps_to_its_content_policy(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for address in ("/", "/ho-so", "/phat-hien", "/don-vi", "/ho-so/H99.12-260302-0001", "/tim?q=H99"):
        page.goto(address)
        assert not complaints, (address, complaints)
        found = Axe().run(page)
        assert found.violations_count == 0, (address, found.generate_report())
        complaints.clear()


def test_a_phone_shows_the_page_without_scrolling_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for address in ("/", "/ho-so/H99.12-260302-0001", "/phat-hien"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_only_listed_pages_are_open_to_all_and_a_ward_sees_its_own(client: Any, province: None) -> None:
    for address in ("/", "/ho-so", "/phat-hien", "/don-vi", "/ho-so/H99.12-260302-0001", "/tim", "/ho-so.xlsx"):
        assert client.get(address).status_code == 302
    assert client.get("/healthz").json() == {"ok": True}
    client.force_login(User.objects.get(username="xa-khac"))
    assert client.get("/ho-so/H99.12-260302-0001").status_code == 403
    assert 'id="total">0<' in client.get("/ho-so").content.decode()


def test_a_list_is_a_workbook_of_the_same_rows(client: Any, province: None, tmp_path: Path) -> None:
    from python_calamine import CalamineWorkbook

    client.force_login(User.objects.get(username="thanhtra"))
    reply = client.get("/ho-so.xlsx?measure=all")
    path = tmp_path / "list.xlsx"
    path.write_bytes(b"".join(reply.streaming_content))
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert [row[1] for row in rows[4:]] == [f"H99.12-260302-000{n}" for n in (1, 2, 3)]
