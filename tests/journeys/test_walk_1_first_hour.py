"""Walk 1: an operator in an empty house, two Excel files and a letter's number, to the bridge at level 1."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.browsers import chromium, page_of

from motcua.cli import sample
from motcua.oversight import extract, figures, loads
from motcua.oversight.figures import Question
from motcua.rules.instants import VIET_NAM
from motcua.sample.lists import BAD, STRANGERS, UNKNOWN_UNIT
from motcua.sample.plan import plan
from motcua.sample.province import province
from motcua.web.console import loading

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
SECRET = "mot-mat-khau-dai"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    """The files of an invented province, a small one."""
    until = timezone.now().astimezone(VIET_NAM).replace(second=0, microsecond=0)
    planned = plan(province(7), count=300, seed=7, since=until - timedelta(days=150), until=until)
    return sample.write(tmp_path / "lists", planned)


def test_an_operator_comes_from_an_empty_house_and_two_files_to_the_bridge(
    files: dict[str, Any], live_server: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        loads.work(home, clock=timezone.now, then=lambda: extract.run(home=home, at=timezone.now()))

    monkeypatch.setattr(loading, "wake", work)
    with chromium() as browser:
        page = page_of(browser, live_server.url)
        _set_up(page)
        _load(page, files["agencies"], {})
        _load(page, files["onestop"], {})
        assert page.locator("#went-in").is_visible()
        with page.expect_download() as got:
            page.locator("a[href$='tu-choi.xlsx']").first.click()
        got.value.save_as(tmp_path / "refused.xlsx")
        refused = CalamineWorkbook.from_path(tmp_path / "refused.xlsx").get_sheet_by_index(0).to_python()
        rows = [row for row in refused[3:] if str(row[-1]).strip()]
        assert len(rows) == 1 + BAD, "a heading, and each refused row with its reason"
        stated = {"#document": "12/VPCP", "#dated": f"{timezone.localtime():%Y-%m-%d}",
                  "#count": str(files["late_there"])}  # fmt: skip
        _load(page, files["letter"], stated)
        assert page.locator(".tile").count() == 3
        asked = page.locator("section", has_text="Khớp với số công bố?").last.inner_text()
        assert "✓" in asked or "Khớp" in asked
        assert _bridge(home) == (files["late_there"], files["late_here"])
        assert files["late_there"] > STRANGERS

        _load(page, files["onestop"], {}, ends="#again, #went-in")  # the same list again changes nothing
        assert _bridge(home) == (files["late_there"], files["late_here"])

        page.goto("/nap-du-lieu")
        page.locator("table a", has_text="phu-luc").first.click()
        page.locator("summary", has_text="Thu hồi lần nạp").click()
        page.click("button[value=withdraw]")
        page.locator("h2", has_text="Đã thu hồi").wait_for()
        assert _bridge(home) == (0, files["late_here"])
        page.goto("/nap-du-lieu")
        assert page.locator("table a", has_text="phu-luc").count() == 1, "withdrawn, and still in the history"
        browser.close()


def _bridge(home: Path) -> tuple[int, int]:
    found = figures.bridge(home, Question(), now=timezone.now())
    sums = sum(cause["removed"] - cause["added"] for cause in found["causes"] if cause["leg"] == "sync")
    assert found["late_shown"] - sums == found["late_recorded"]
    return found["late_shown"], found["late_recorded"]


def _set_up(page: Any) -> None:
    """The wizard, as a person fills it in."""
    page.goto("/")
    typed = {"#name": "Tỉnh Mẫu", "#code": "H99", "#full_name": "Nguyễn Thị Quản", "#username": "quantri",
             "#password": SECRET, "#again": SECRET}  # fmt: skip
    for number in range(1, 7):
        page.locator(".muted", has_text=f"bước {number}/6").wait_for()
        for field, text in typed.items():
            if page.locator(field).count():
                page.fill(field, text)
        page.click("form[enctype] button.main")
    page.locator("h1", has_text="Danh sách đầu tiên").wait_for()


def _load(page: Any, file: str, head: dict[str, str], ends: str = "#went-in") -> None:
    """A file through all its steps, taking the guesses."""
    page.goto("/nap-du-lieu")
    page.set_input_files("#file", file)
    page.fill("#source", "một cửa")
    page.click("button.main")
    page.locator("#columns").wait_for()
    for field, text in head.items():
        page.fill(field, text)
    page.click("button[value=columns]")
    page.locator("#preview").wait_for()
    if "mot-cua" in file:
        assert UNKNOWN_UNIT in page.inner_text("main"), "asked once who that is"
    page.click("button[value=begin]")
    page.locator(ends).first.wait_for()
