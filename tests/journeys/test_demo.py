"""The demo acted out: desk, HTTP, faults, read-back; what was planted is found and nothing else; walk 6 in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.browsers import chromium, page_of, sign_in
from tests.served import running

from motcua.accounts.models import Post
from motcua.cli.demo import free_port
from motcua.cli.demo_people import PASSWORD

pytestmark = pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="the demo is an embedded home; it runs in the SQLite suite"
)
COMMAND = [sys.executable, "-m", "motcua.cli"]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {**os.environ, "MOTCUA_HOME": str(tmp_path_factory.mktemp("demo"))}


@pytest.fixture(scope="module")
def demo(env: dict[str, str]) -> dict[str, Any]:
    """The document of a small demo, lived in."""
    done = subprocess.run(
        [*COMMAND, "demo", "--dossiers", "300", "--no-serve", "--json"],
        env=env, capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_demo_finds_what_was_planted_and_nothing_else(demo: dict[str, Any], env: dict[str, str]) -> None:
    planted = demo["planted"]
    assert planted["found"] == planted["planted"] and not planted["wrong"] and not planted["unexpected"]
    assert {cause["cause"] for cause in demo["bridge"]["causes"]} >= {"update_not_sent", "late_entry"}
    assert _told(env, "verify")["ok"] is True
    assert _told(env, "findings", "verify")["ok"] is True


def test_whoever_signs_in_finds_work(demo: dict[str, Any], env: dict[str, str]) -> None:
    """Logins, walks, and what the rooms hold; the marker of the house says the same as the document."""
    kept = json.loads((Path(env["MOTCUA_HOME"]) / "demo.json").read_text())
    assert kept["sign_in"] == demo["sign_in"] and kept["walks"] == demo["walks"]
    assert {person["role"] for person in demo["sign_in"]["people"]} == set(Post.Role.values)
    walks = {walk["walk"]: walk for walk in demo["walks"]}
    assert walks.keys() >= {1, 5, 6, 7, 8, 9, 10, 12}
    assert all(walks[n]["dossier"] for n in (5, 6, 7, 9))
    ward = next(person["agency"] for person in demo["sign_in"]["people"] if person["name"] == "daumoi")
    number = walks[7]["page"].rpartition("/")[2]
    asked = _told(env, "findings", "list", "--request", number)
    assert asked["findings"] == asked["dossiers"] > 5
    assert {(row["agency"], row["state"]) for row in asked["rows"]} == {(ward, "sent")}
    assert walks[7]["dossier"] in {row["subject"] for row in asked["rows"]}
    states = {row["state"] for row in _told(env, "findings", "list", "--limit", "1000")["rows"]}
    assert states >= {"new", "sent", "answered", "concluded", "to_remedy"}
    (round_,) = _told(env, "round", "status")["rounds"]
    assert walks[8]["page"].endswith(f"/{round_['round']}") and round_["population"] > 20
    assert [step["state"] for step in round_["steps"]].count("now") == 1
    assert _told(env, "round", "verify", str(round_["round"]))["ok"] is True
    assert _told(env, "warning", "list")["total"] > 0


def _told(env: dict[str, str], *words: str) -> Any:
    done = subprocess.run([*COMMAND, *words, "--json"], env=env, capture_output=True, text=True, timeout=120)
    assert done.stdout, done.stderr[-2000:]
    return json.loads(done.stdout)


# ---- walk 6 ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(demo: dict[str, Any], env: dict[str, str]) -> Iterator[Any]:
    """An inspector's browser in the served demo."""
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    with running([*COMMAND, "serve", "--port", str(port)], f"{here}/healthz", env=env), chromium() as browser:
        page = page_of(browser, here, accept_downloads=True)
        sign_in(page, "thanhtra", PASSWORD)
        yield page


def _figure(text: str) -> int:
    return int("".join(c for c in text if c.isdigit()) or 0)


def test_walk_6_from_the_tile_to_the_dossier_and_back(page: Any, demo: dict[str, Any]) -> None:
    page.goto(next(walk["page"] for walk in demo["walks"] if walk["walk"] == 6))
    for n in range(page.locator(".tile").count()):
        tile = page.locator(".tile").nth(n)
        figure = _figure(tile.locator(".tile-figure").inner_text())
        tile.click()
        page.locator(f".tile.chosen >> nth=0 >> text={tile.locator('.tile-name').inner_text().strip()}").wait_for()
        assert _figure(page.locator(".tile.chosen .tile-figure").inner_text()) == figure
        bars = page.locator(".waterfall a.bar")
        assert _figure(bars.first.locator(".count").text_content()) == figure, "the first bar is the tile"
    bridge = page.url
    bar = page.locator(".waterfall a.bar.sync, .waterfall a.bar", has_text="chưa gửi cập nhật").first
    wanted = _figure(bar.locator(".count").text_content())
    bar.click()
    page.locator("#total").wait_for()
    listed = page.url
    filters = parse_qs(urlsplit(listed).query)
    assert {"cause", "direction"} <= filters.keys() and filters["cause"] == ["update_not_sent"]
    assert _figure(page.locator("#total").inner_text()) == wanted == page.locator("table.list tbody tr").count()
    row = page.locator("table.list tbody th a").first
    code = row.inner_text().strip()
    row.click()
    page.locator(".verdict").first.wait_for()
    assert code in page.locator("h1").inner_text() and "chưa gửi cập nhật" in page.locator("main").inner_text()
    page.go_back()
    assert page.url == listed and _figure(page.locator("#total").inner_text()) == wanted
    page.reload()
    assert _figure(page.locator("#total").inner_text()) == wanted, "the address holds all that was chosen"
    page.locator(".controls a", has_text="Đối chiếu").click()
    page.locator(".tiles").wait_for()
    again = page.locator(".waterfall a.bar", has_text="chưa gửi cập nhật").first
    assert _figure(again.locator(".count").text_content()) == wanted
    assert parse_qs(urlsplit(page.url).query).get("measure") == parse_qs(urlsplit(bridge).query).get("measure")


def test_walk_6_the_paper_of_the_meeting(page: Any, tmp_path: Path) -> None:
    """Compared with the meeting before; two pages, then the annex; no letter is missing in it."""
    page.goto("/giao-ban")
    assert "so với lần họp" in page.locator("main").inner_text()
    figure = _figure(page.locator("main table tbody td b").nth(1).inner_text())
    files = {}
    for name in ("Word", "PDF"):
        with page.expect_download() as coming:
            page.locator(".acts a", has_text=re.compile(f"^{name}$")).click()
        files[name] = tmp_path / coming.value.suggested_filename
        coming.value.save_as(files[name])
    assert files["Word"].read_bytes()[:2] == b"PK" and files["PDF"].read_bytes()[:5] == b"%PDF-"
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine (apt-get install poppler-utils)")
    done = subprocess.run(["pdftotext", "-layout", str(files["PDF"]), "-"], capture_output=True, text=True, check=True)
    pages = done.stdout.split("\f")
    first = next(n for n, text in enumerate(pages) if re.search(r"Phụ lục 1\.", text))
    assert first == 2, "two pages before the annex"
    front = " ".join(pages[:2])
    assert "Không còn hồ sơ" in front and "\ufffd" not in front
    shown = next(line for line in front.splitlines() if "quá hạn" in line and re.search(r"\d", line))
    assert str(figure) in shown
