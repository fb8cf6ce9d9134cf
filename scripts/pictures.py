"""Takes the pictures of docs/pictures from the real pages over a demo home (MOTCUA_HOME)."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from motcua.cli.demo import _server, free_port
from motcua.cli.demo_people import PASSWORD

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
PAGES = {
    "bridge": "/?measure=finished",
    "my-day": "/viec-cua-toi",
    "findings": "/phat-hien",
    "round": "/dot-kiem-tra/1",
    "agencies": "/don-vi",
}


def main() -> None:
    """Starts the web server, signs in, takes the pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with _server("motcua.web.wsgi:application", port, {}), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1366, "height": 900}, base_url=f"http://127.0.0.1:{port}")
        for _ in range(100):
            try:
                page.goto("/")
                break
            except Exception:
                page.wait_for_timeout(100)
        _sign_in(page, "thanhtra")
        for name, address in PAGES.items():
            page.goto(address)
            page.screenshot(path=OUT / f"{name}.png")
        page.goto("/ho-so?measure=all&leg=record&cause=late_entry")
        page.locator("table.list tbody th a").first.click()
        page.locator(".verdicts").wait_for()
        page.screenshot(path=OUT / "dossier.png", full_page=True)
        page.locator(".print-sheet").click()
        page.locator(".paper").screenshot(path=OUT / "certificate.png")
        page.locator(".language button").click()
        page.goto("/?measure=finished")
        page.screenshot(path=OUT / "bridge-en.png")
        phone = browser.new_page(viewport={"width": 360, "height": 740}, base_url=f"http://127.0.0.1:{port}")
        phone.goto("/")
        _sign_in(phone, "lanhdao")
        phone.goto("/lanh-dao")
        phone.screenshot(path=OUT / "leader.png")
        browser.close()


def _sign_in(page: Page, name: str) -> None:
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("button.main")
    page.locator("#id_password").wait_for(state="detached")


if __name__ == "__main__":
    main()
