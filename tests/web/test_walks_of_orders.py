"""Walks 5 and 10 in a real browser: an inspector with a letter, and a leader on a phone inside another app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from tests.browsers import chromium, complaints_of, page_of, sign_in, violations, width_needed
from tests.directives import ward
from tests.directives.ward import NOW
from tests.web.test_papers import words_of

from motcua.directives import meetings, progress
from motcua.directives.models import Directive
from motcua.oversight import extract
from motcua.web.papers.paper import HEAD

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)


@pytest.fixture
def province(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    ward.built(home, tmp_path)
    return home


@pytest.fixture
def browser(live_server: Any, province: Path) -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def _signed_in(browser: Any, live_server: Any, name: str, *, width: int = 1366, **more: Any) -> Any:
    page = page_of(browser, live_server.url, size={"width": width, "height": 740}, **more)
    sign_in(page, name, ward.PASSWORD)
    return page


def _figure(text: str) -> int:
    return int("".join(sign for sign in text if sign.isdigit()) or 0)


def test_walk_5_an_inspector_with_a_letter(browser: Any, live_server: Any, tmp_path: Path) -> None:
    page = _signed_in(browser, live_server, "thanh-tra")
    known = [*ward.UNSENT, *ward.CLICKED_LATE, *ward.OPEN_LATE]
    lines = [
        f"{n}\t{code[:7]} {code[7:]}\tPhường" for n, code in enumerate(known, 1)
    ]  # blanks inside, as annexes have them
    lines += [*known[:4], "H99.12-260302-9998", "H99.12-26-sai"]  # four repeated, two wrong
    page.goto("/tra-ma")
    page.fill("textarea", "\n".join(lines))
    page.locator("main button.main, main button[type=submit], main form button").last.click()
    page.locator("#total").wait_for()
    assert _figure(page.locator("#total").inner_text()) == len(known)
    assert "không thấy" in page.locator(".counts").inner_text()
    rows = page.locator("table.list.cards").last.locator("tbody tr")
    assert rows.count() == len(known) and "chưa gửi cập nhật" in page.locator("main").inner_text()
    page.click("text=Dự thảo văn bản")
    page.fill("[name=stated]", str(len(known) + 2))
    page.fill(".compare [name=letter]", "CV 12/VPCP-KSTT")
    page.click(".compare button")
    said = page.locator("#agreement").inner_text()
    assert f"Văn bản nêu {len(known) + 2}, danh sách có {len(known)} hồ sơ" in said and "không thấy" in said
    page.fill("[name=deadline]", "2026-03-20")
    page.click("text=Lập dự thảo")
    page.locator("h1", has_text="Yêu cầu giải trình").wait_for()
    with page.expect_download() as download:
        page.click("a:has-text('Word')")
    file = tmp_path / "draft.docx"
    download.value.save_as(file)
    text = words_of(file.read_bytes())
    assert all(code in text for code in known) and "CV 12/VPCP-KSTT" in text and "20/03/2026" in text
    page.fill("[name=number]", "15/VP-KSTT")
    page.fill("[name=signed_on]", "2026-03-16")
    page.click("button:has-text('Ghi số và ngày')")
    assert "Số 15/VP-KSTT" in page.locator("main").inner_text()


def test_walk_10_a_leader_on_a_phone(
    browser: Any, live_server: Any, province: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motcua.catalogue import settings

    settings.put(HEAD, {"phone": "0123456789", "contact": "Phòng KSTT"}, by="x", at=NOW)
    meetings.keep_day(province, at=NOW - timedelta(days=7))
    page = _signed_in(browser, live_server, "chu-tich", width=360, has_touch=True, is_mobile=True)
    page.goto("/trang-dau")
    page.wait_for_function("document.fonts.status === 'loaded'")
    assert page.url.endswith("/lanh-dao"), "a leader's home"
    kinds = "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
    weight = page.evaluate(f"{kinds}.reduce((sum, one) => sum + one.decodedBodySize, 0)")
    assert 10_000 < weight <= 60_000, f"the first page weighs {weight} bytes"
    assert width_needed(page) <= 360
    assert page.evaluate("document.documentElement.scrollHeight") <= 740 * 1.6, "a screen and a half"
    assert page.locator("table, header").count() == 0
    shown = len(ward.UNSENT) + len(ward.OPEN_LATE)
    assert _figure(page.locator("#shown").inner_text()) == shown
    text = page.locator("main").inner_text()
    parts = [int(n) for n in re.findall(r"(?:trễ thực tế|do đồng bộ|do thao tác) (\d+)", text)]
    assert sum(parts[:3]) == shown, "true, synchronisation and clicks add up to what is shown"
    for answer in ("#open", "#reception", "#given"):  # three answers without scrolling
        assert page.locator(answer).bounding_box()["y"] < 740
    assert page.locator(".acts a[href='tel:0123456789']").count() == 1

    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: {writeText: () => Promise.reject()}})")
    page.click("button:has-text('Chép tóm tắt')")  # an app's browser refuses the clipboard
    summary = page.locator("#summary").input_value()
    page.locator("details.summary[open]").wait_for()
    assert page.evaluate("window.getSelection().toString()") in ("", summary)
    assert f"Quá hạn trên Cổng Dịch vụ công quốc gia: {shown}" in summary
    for name in ("Trần", "Lê Chủ Tịch", "chu-tich", "H99.12-2603"):
        assert name not in summary, "no person, no dossier"

    page.click("text=Giao việc")
    page.fill("[name=due_on]", "2026-03-20")
    assert width_needed(page) <= 360
    page.click("button.main:has-text('Giao nhiệm vụ')")
    page.locator("#whole").wait_for()
    assert _figure(page.locator("#whole").inner_text()) == len(ward.UNSENT)
    page.click("#whole")
    assert _figure(page.locator("#total").inner_text()) == len(ward.UNSENT)
    task = Directive.objects.get()
    ward.sent(province, tmp_path, ward.UNSENT[:4], when="2026-03-16T20:00")
    tomorrow = NOW + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    extract.run(home=province, at=tomorrow)
    progress.look_at_all(province, at=tomorrow)  # what the worker does
    page = _signed_in(browser, live_server, "chu-tich", width=360)
    page.goto(f"/giao-viec/{task.pk}")
    assert _figure(page.locator("#whole").inner_text()) == len(ward.UNSENT) - 4, "it moved by itself"
    page.goto("/lanh-dao")
    assert "1 đúng tiến độ" in page.locator("main").inner_text()


def test_the_pages_are_accessible_and_keep_within_a_phone(browser: Any, live_server: Any, province: Path) -> None:
    from motcua.directives import orders
    from motcua.notices import telling
    from motcua.warning import scan
    from motcua.warning.models import Warned

    task = orders.give(title="Không còn hồ sơ chưa đồng bộ", metric="not_synchronised", target=0, by="chu-tich", at=NOW,
                       agencies=tuple(ward.NAMES), due_on=(NOW + timedelta(days=4)).date())  # fmt: skip
    progress.look(province, task.pk, at=NOW)
    telling.run(province, now=NOW)
    scan.run(province, at=NOW)
    Warned.objects.update(share=0.62, low=0.4, high=0.81, least_at=NOW, most_at=NOW + timedelta(days=3))
    pages = {
        "chu-tich": ["/lanh-dao", "/giao-viec", f"/giao-viec/{task.pk}", "/giao-viec/moi", "/giao-ban", "/van-ban",
                     f"/van-ban/moi?directive={task.pk}", "/van-ban/dau-van-ban",
                     "/canh-bao-som", "/canh-bao-som?nhom=het-cach", "/giao-viec/quy-tac"],
        "van-hanh": ["/thong-bao", "/thong-bao/noi-nhan"], "phuong": [f"/giao-viec/{task.pk}", "/thong-bao"],
    }  # fmt: skip
    for name, addresses in pages.items():
        page = _signed_in(browser, live_server, name)
        complaints = complaints_of(page)
        for address in addresses:
            page.set_viewport_size({"width": 1366, "height": 768})
            page.goto(address)
            assert not (found := violations(page)), (name, address, found)
            page.set_viewport_size({"width": 360, "height": 740})
            assert width_needed(page) <= 360, (name, address)
            assert not complaints, (name, address, complaints)
