"""Makes docs/guides/*.pdf, two A4 pages a role, from their steps (docs/guides/*.toml) and the real pages.

    MOTCUA_HOME=<a training house> scripts/guides.py [--check | ROLE…]

Every word in “quotation marks” must stand on the page of its step, every word of `press` on something that can be
pressed there: a guide that has gone stale is refused here, and by the tests.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "guides"
PAGES = 2
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
_KEYS = {"title", "page", "args", "query", "text", "press", "phone", "scroll", "height"}

Get = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a guide: which page, what to look at, what to press."""

    title: str
    page: str
    text: str
    args: tuple[str, ...] = ()
    query: str = ""
    press: tuple[str, ...] = ()
    phone: bool = False
    scroll: str = ""
    height: int = 545

    def address(self, get: Get) -> str:
        """The page's address; a placeholder is the first of its kind that the person sees."""
        from django.urls import reverse

        found = [_FIRST[arg](get) if arg in _FIRST else arg for arg in self.args]
        return reverse(self.page, args=found) + (f"?{self.query}" if self.query else "")

    def quoted(self) -> list[str]:
        """What the text quotes from the page."""
        return re.findall(r"“([^”]+)”", self.text)

    def missing(self, page: str) -> list[str]:
        """What a page, as HTML, lacks of what the step says."""
        body = page[page.find("<body") :]
        told = _words(body)
        controls = [
            _words(each)
            for each in re.findall(r"<(a|button|summary)\b[^>]*>(.*?)</\1>", body, re.DOTALL)
            for each in each[1:]
        ]
        return [
            *(f"“{word}” does not stand there" for word in self.quoted() if word not in told),
            *(
                f"nothing there is pressed as “{word}”"
                for word in self.press
                if not any(word in each for each in controls)
            ),
            *(f"“{word}” is pressed, but the text does not say so" for word in self.press if word not in self.quoted()),
        ]


@dataclass(frozen=True, slots=True)
class Guide:
    """The guide of a role."""

    role: str
    title: str
    account: str
    asks: tuple[str, ...]
    steps: tuple[Step, ...]


def guides() -> Iterator[Guide]:
    """Every guide, by role. Raises `ValueError` naming file and key."""
    for file in sorted(FOLDER.glob("*.toml")):
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        steps = []
        for step in told["steps"]:
            if unknown := set(step) - _KEYS:
                raise ValueError(f"{file.name}, {step.get('title')}: no key {min(unknown)!r}")
            tuples = {name: tuple(step[name]) for name in ("args", "press") if name in step}
            steps.append(Step(**{**step, **tuples}))
        yield Guide(file.stem, told["title"], told["account"], tuple(told["asks"]), tuple(steps))


def _words(markup: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup))).strip()


def _first_dossier(get: Get) -> str:
    for address in ("/ho-so?measure=open&leg=record", "/ho-so?measure=open", "/ho-so?measure=all"):
        if found := re.search(r'href="/ho-so/([^"?/#]+)', get(address)):
            return found[1]
    raise ValueError("this person sees no dossier; make the training house larger")


def _first_person(get: Get) -> str:
    found = re.search(r'href="/tai-khoan/(\d+)', get("/tai-khoan"))
    if not found:
        raise ValueError("this person keeps no accounts")
    return found[1]


_FIRST: dict[str, Callable[[Get], str]] = {"{dossier}": _first_dossier, "{person}": _first_person}


def reader(account: str) -> Get:
    """Reads pages as this account, without a browser. Raises `ValueError` for a page that is not theirs."""
    from django.test import Client

    from motcua.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username=account))

    def get(address: str) -> str:
        reply = client.get(address)
        if reply.status_code != 200:
            raise ValueError(f"{account} gets {reply.status_code} at {address}")
        return reply.content.decode()

    return get


# ---- pictures and pages ---------------------------------------------------------------------------------------------


def make(guide: Guide, browser: Any, url: str, folder: Path) -> bytes:
    """The PDF of a guide; its pictures are taken into the folder."""
    from motcua.catalogue import training

    get = reader(guide.account)
    shutil.copy(FOLDER / "guide.typ", folder)
    told = []
    contexts = {phone: _signed_in(browser, url, guide.account, training.password(), phone) for phone in (False, True)}
    for number, step in enumerate(guide.steps, 1):
        address = step.address(get)
        if missing := step.missing(get(address)):
            sys.exit(f"{guide.role}, {step.title}: {address}: " + "; ".join(missing))
        page = contexts[step.phone]
        page.goto(url + address)
        page.wait_for_load_state("networkidle")
        if step.scroll:
            page.locator(step.scroll).first.scroll_into_view_if_needed()
            page.locator(step.scroll).first.click()
        name = f"{number}.jpeg"
        height = 660 if step.phone else step.height
        size = page.viewport_size["width"]
        page.screenshot(
            path=folder / name, type="jpeg", quality=78, clip={"x": 0, "y": 0, "width": size, "height": height}
        )
        told.append(
            {"title": step.title, "address": address.partition("?")[0], "picture": name, "words": _split(step.text),
             "width": 46 if step.phone else 114, "alt": f"{step.title}: {', '.join(step.quoted())}"}
        )  # fmt: skip
    for page in contexts.values():
        page.context.close()
    document = {"title": guide.title, "account": guide.account, "asks": list(guide.asks), "steps": told,
                "version": metadata.version("motcua")}  # fmt: skip
    pages = _set(folder, document, "png", ppi=12.0)
    if len(pages) != PAGES:
        sys.exit(f"{guide.role}: {len(pages)} pages, {PAGES} are wanted: shorten or add steps")
    content: bytes = _set(folder, document, "pdf", pdf_standards=["a-2a", "ua-1"], timestamp=0)
    return content


def _split(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, those in quotation marks in bold."""
    return [(piece, piece.startswith("“")) for piece in re.split(r"(“[^”]+”)", text) if piece]


def _set(folder: Path, document: dict[str, Any], kind: str, **options: Any) -> Any:
    import typst

    from motcua.web.papers.glyphs import FONTS

    compiled: Any = typst.compile
    made = compiled(
        str(folder / "guide.typ"), root=str(folder), font_paths=[str(FONTS)], ignore_system_fonts=True, format=kind,
        sys_inputs={"guide": json.dumps(document, ensure_ascii=False)}, **options,
    )  # fmt: skip
    return made if kind == "pdf" or isinstance(made, list) else [made]


def _signed_in(browser: Any, url: str, account: str, password: str, phone: bool) -> Any:
    size = {"width": 390, "height": 844} if phone else {"width": 1024, "height": 900}
    page = browser.new_context(viewport=size, device_scale_factor=2 if phone else 1.5, locale="vi-VN").new_page()
    page.goto(f"{url}/dang-nhap")
    page.fill("#id_username", account)
    page.fill("#id_password", password)
    page.click("button.main")
    page.wait_for_load_state("networkidle")
    return page


def check() -> None:
    """Holds every guide against the pages of this house; ends with status 1 where one has gone stale."""
    faults = []
    for guide in guides():
        get = reader(guide.account)
        for step in guide.steps:
            try:
                faults += [f"{guide.role}, {step.title}: {fault}" for fault in step.missing(get(step.address(get)))]
            except ValueError as error:
                faults.append(f"{guide.role}, {step.title}: {error}")
    print("\n".join(faults) or f"{sum(len(guide.steps) for guide in guides())} steps agree with the pages")
    sys.exit(bool(faults))


def main() -> None:
    """Checks every step, takes the pictures, writes the PDFs."""
    from motcua.cli.home import open_home

    home = open_home()
    from playwright.sync_api import sync_playwright

    from motcua.catalogue import training
    from motcua.cli.demo import _server, free_port

    if not training.is_on():
        sys.exit(f"{home} is no training house: MOTCUA_HOME=… motcua demo --training --no-serve")
    wanted = set(sys.argv[1:])
    if "--check" in wanted:
        check()
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with _server("motcua.web.wsgi:application", port, {}), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
        subprocess.run(["curl", "-s", "--retry", "60", "--retry-connrefused", "--retry-delay", "1", "-o", "/dev/null",
                        f"{url}/healthz"], check=True)  # fmt: skip
        for guide in guides():
            if not wanted or guide.role in wanted:
                file = FOLDER / f"{guide.role}.pdf"
                with tempfile.TemporaryDirectory() as scratch:
                    file.write_bytes(make(guide, browser, url, Path(scratch)))
                print(f"{file.relative_to(FOLDER.parent.parent)}: {file.stat().st_size // 1000} kB")
        browser.close()


if __name__ == "__main__":
    import os

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the browser's driver runs an event loop of its own
    main()
