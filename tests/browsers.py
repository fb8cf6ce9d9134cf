"""The system's chromium, driven by Playwright: one way to open it, to sign in and to look, for every test of pages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
OFFICE = {"width": 1366, "height": 768}
PHONE = {"width": 360, "height": 740}
#: A busy machine is no fault of a page.
PATIENCE_MS = 120_000
#: Milliseconds before anything that a page asks for comes: `MOTCUA_TEST_LAG=400 make test` shows the tests, and the
#: pages, that count on being fast.
LAG_MS = int(os.environ.get("MOTCUA_TEST_LAG", "0"))
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that nobody has used yet; the test is skipped, visibly, where there is none.

    While it is open an event loop runs in this thread: nothing here can start another.
    """
    if not CHROMIUM.exists():
        pytest.skip("chromium is not on this machine")
    from playwright.sync_api import sync_playwright

    _acts_on_whole_pages()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
        yield browser
        browser.close()


@cache
def _acts_on_whole_pages() -> None:
    """Before and after every act the page is waited for to its last script.

    The driver goes on as soon as a page begins to come: a tick set before the page's script listens is a tick that
    nobody counts, and what is read off half a page is half a truth.
    """
    from playwright.sync_api import Locator, Page

    def on_a_whole_page(act: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(act)
        def waiting(self: Any, *args: Any, **more: Any) -> Any:
            page = self if isinstance(self, Page) else self.page
            page.wait_for_load_state()
            done = act(self, *args, **more)
            page.wait_for_load_state()
            return done

        return waiting

    for kind in (Page, Locator):
        for name in ("click", "check", "uncheck", "fill", "select_option", "set_input_files", "press"):
            setattr(kind, name, on_a_whole_page(getattr(kind, name)))


def page_of(browser: Any, address: str, *, size: dict[str, int] | None = None, **more: Any) -> Any:
    """A page of a person of its own in the house at `address`, which is waited for as long as it takes."""
    context = browser.new_context(viewport=size or OFFICE, base_url=address, **more)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    if LAG_MS:
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.setCacheDisabled", {"cacheDisabled": True})
        speed = {"latency": LAG_MS, "downloadThroughput": -1, "uploadThroughput": -1}
        line.send("Network.emulateNetworkConditions", {"offline": False, **speed})
    return page


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

    page.wait_for_load_state()
    found = Axe().run(page)
    return str(found.generate_report()) if found.violations_count else ""


def width_needed(page: Any) -> int:
    """In pixels: more than the window's, and the page scrolls sideways."""
    page.wait_for_load_state()
    return int(page.evaluate("document.documentElement.scrollWidth"))


def complaints_of(page: Any) -> list[str]:
    """What the page complains of from now on: a refused style, a script that fails, a file that is not there."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    return complaints
