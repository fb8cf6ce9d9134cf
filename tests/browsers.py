"""The system's chromium, driven by Playwright: one way to open it, to sign in and to look, for every test of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
OFFICE = {"width": 1366, "height": 768}
PHONE = {"width": 360, "height": 740}
#: A busy machine is no fault of a page.
PATIENCE_MS = 120_000
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that nobody has used yet; the test is skipped, visibly, where there is none.

    While it is open an event loop runs in this thread: nothing here can start another.
    """
    if not CHROMIUM.exists():
        pytest.skip("chromium is not on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
        yield browser
        browser.close()


def page_of(browser: Any, address: str, *, size: dict[str, int] | None = None, **more: Any) -> Any:
    """A page of a person of its own in the house at `address`, which is waited for as long as it takes."""
    context = browser.new_context(viewport=size or OFFICE, base_url=address, **more)
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def known_as(page: Any, client: Any, address: str) -> Any:
    """The page, with the session of a client that is signed in."""
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
    return page


def sign_in(page: Any, name: str, password: str, *, at: str = "/dang-nhap") -> None:
    """By the form, up to the page behind it."""
    page.goto(at)
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    with page.expect_navigation():
        page.click("button.main")


def drawn(page: Any) -> None:
    """Waits until the page is loaded and shown: before that a browser drops keys, and has put the focus nowhere."""
    page.wait_for_load_state()
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def press(page: Any, key: str) -> None:
    """A key on a page that listens."""
    drawn(page)
    page.keyboard.press(key)


def violations(page: Any) -> str:
    """What axe says against the page's accessibility; empty where it has nothing to say."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    return str(found.generate_report()) if found.violations_count else ""


def width_needed(page: Any) -> int:
    """In pixels: more than the window's, and the page scrolls sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


def complaints_of(page: Any) -> list[str]:
    """What the page complains of from now on: a refused style, a script that fails, a file that is not there."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    return complaints
