"""The training house: it says what it is everywhere, nothing leaves it, and it begins anew at a button."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from django.test import Client
from tests.served import running
from tests.story import at

from motcua.accounts.models import Post, User
from motcua.catalogue import settings, training
from motcua.catalogue.sheets import Workbook
from motcua.cli.demo import free_port
from motcua.cli.demo_people import PASSWORD, PEOPLE
from motcua.oversight import extract
from motcua.web.papers import pdf, word
from motcua.web.papers.paper import Foot, NewPage, Paper, Paragraph
from motcua.web.parts import HOUSE, MENU

ROOT = Path(__file__).resolve().parents[2]
NOW = at("2026-04-01T09:00")
databases = pytest.mark.django_db(databases=["default", "mirror"])
embedded = pytest.mark.skipif("DATABASE_URL" in os.environ, reason="a training house is an embedded one")


def _switch_on() -> None:
    settings.put("training", {"since": "2026-04-01T09:00:00+07:00", "password": PASSWORD}, by="test", at=NOW)


@pytest.fixture
def inspector(client: Client, home: Path) -> Client:
    person = User.objects.create_user("thanhtra", password="mot-mat-khau-dai", full_name="Trần Thị Mai")
    Post.objects.create(user=person, role="inspector")
    client.force_login(person)
    extract.run(home=home, at=NOW)
    return client


# ---- every page and paper says it ----------------------------------------------------------------------------------


@databases
@pytest.mark.parametrize("on", [True, False], ids=["in a training house", "in any other"])
def test_every_page_bears_the_mark_in_a_training_house_and_only_there(inspector: Client, on: bool) -> None:
    from django.urls import reverse

    if on:
        _switch_on()
    pages = [reverse(page) for group in MENU.values() for page in group] + ["/khong-co-trang-nay"]
    assert len(pages) > 6
    for address in pages:
        text = inspector.get(address, follow=True).content.decode()
        assert ("training-band" in text and "training-mark" in text and "TẬP HUẤN" in text) is on, address
        assert "TẬP HUẤN" in text or not on
    inspector.logout()
    sign_in = inspector.get("/dang-nhap").content.decode()
    assert (PASSWORD in sign_in and "thanhtra" in sign_in) is on
    assert {"training"} <= HOUSE


@databases
def test_files_bear_the_mark_in_their_name_and_on_every_sheet(inspector: Client) -> None:
    plain = inspector.get("/doi-chieu.xlsx")
    assert "TAP-HUAN" not in plain["Content-Disposition"] and "TẬP HUẤN" not in _parts_of(b"".join(plain))
    _switch_on()
    marked = inspector.get("/doi-chieu.xlsx")
    content = b"".join(marked)
    assert 'filename="TAP-HUAN_' in marked["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        drawings = [name for name in book.namelist() if name.startswith("xl/drawings/drawing")]
        assert len(sheets) == len(drawings) == 2
        assert all("TẬP HUẤN" in book.read(name).decode() for name in [*sheets, *drawings])


def _parts_of(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())


@databases
def test_what_is_typed_by_a_stranger_stays_text_in_a_marked_workbook() -> None:
    stream = io.BytesIO()
    book = Workbook(stream)
    book.add_worksheet().write(0, 0, "=1+1")
    book.close()
    assert "<f>" not in _parts_of(stream.getvalue())


@databases
def test_papers_bear_the_mark_on_every_page(home: Path) -> None:
    paper = _paper()
    plain_word, plain_pages = word.made(paper, home=home), pdf.pictures(paper, home=home)
    assert "TẬP HUẤN" not in _parts_of(plain_word)
    _switch_on()
    assert "TẬP HUẤN" in _parts_of(word.made(paper, home=home))
    marked = pdf.pictures(paper, home=home)
    assert len(marked) == len(plain_pages) and all(a != b for a, b in zip(plain_pages, marked, strict=True))
    file = home / "paper.pdf"
    file.write_bytes(pdf.made(paper, home=home))
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", "-raw", str(file), "-"], capture_output=True, text=True).stdout
        composed = unicodedata.normalize("NFC", "".join(text.split()))
        assert composed.count("TẬPHUẤN") == len(marked)


def _paper() -> Paper:
    foot = Foot(by="Trần Thị Mai", at=NOW, as_of=NOW, policy="mặc định", formula="bridge-1", code="12ab")
    return Paper(
        form="urge", title="Đôn đốc", foot=foot, agency="Văn phòng", parent="Ủy ban nhân dân tỉnh Mẫu", place="Mẫu",
        symbol="VP", subject="V/v giải trình", to=("Sở Mẫu",),
        body=[Paragraph("Còn 12 hồ sơ."), NewPage(), Paragraph("Hết.")],
    )  # fmt: skip


# ---- nothing leaves ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a small training house."""
    if "DATABASE_URL" in os.environ:
        pytest.skip("a training house is an embedded one")
    env = {**os.environ, "MOTCUA_HOME": str(tmp_path_factory.mktemp("training"))}
    done = _motcua(env, "demo", "--training", "--bare", "--no-serve", "--dossiers", "100", "--json")
    assert done.returncode == 0, done.stderr
    yield env


def _motcua(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "motcua.cli", *words], env=env, cwd=ROOT, capture_output=True, text=True, timeout=120
    )


_ESCAPES = """
import socket, sys
from motcua.cli.home import open_home
open_home()
for what in (
    lambda: socket.create_connection(("192.0.2.1", 443), timeout=2),
    lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 443)),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    lambda: __import__("httpx2").get("http://192.0.2.1/", trust_env=False, timeout=2),
):
    try:
        what()
    except Exception as error:
        print("shut" if "nothing leaves" in str(error) else repr(error))
listener = socket.create_server(("127.0.0.1", 0))
socket.create_connection(listener.getsockname()).close()
print("here")
"""


def test_no_connection_of_a_training_house_leaves_this_machine(house: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", _ESCAPES], env=house, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["shut", "shut", "shut", "shut", "here"], done.stdout + done.stderr


def test_a_training_house_speaks_to_no_portal_but_its_own(house: dict[str, str]) -> None:
    refused = _motcua(house, "exchange", "deliver", "--url", "https://portal.example.vn")
    assert refused.returncode == 2 and "nothing leaves it" in refused.stderr
    secret = Path(house["MOTCUA_HOME"]) / "secret.txt"
    secret.write_text("x")
    env = {**house, "NATIONAL_PORTAL_URL": "https://portal.example.vn", "NATIONAL_PORTAL_PASSWORD_FILE": str(secret)}
    worked = _motcua(env, "work", "--once")
    assert worked.returncode == 2 and "nothing leaves it" in worked.stderr


@databases
def test_no_e_mail_is_sent_from_a_training_house_and_one_is_from_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.mail import EmailMessage
    from django.core.mail.backends.smtp import EmailBackend

    from motcua.web.training.post import Backend

    sent: list[Any] = []
    monkeypatch.setattr(EmailBackend, "send_messages", lambda self, messages: sent.extend(messages) or len(messages))
    letter = EmailMessage("Giải trình", "…", "a@h99.example", ["b@h99.example"])
    assert Backend().send_messages([letter]) == 1 and sent == [letter]
    _switch_on()
    assert Backend().send_messages([letter]) == 1 and sent == [letter]


# ---- the printed guides -------------------------------------------------------------------------------------------


def test_every_guide_says_what_stands_on_the_pages(house: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/guides.py", "--check"], env=house, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    roles = {file.stem for file in (ROOT / "docs" / "guides").glob("*.toml")}
    assert roles >= {"inspector", "unit_head", "focal_point", "leader", "operator", "administrator"}
    assert {file.stem for file in (ROOT / "docs" / "guides").glob("*.pdf")} == roles, "run make guides"


def test_a_guide_that_has_gone_stale_is_found() -> None:
    spec = importlib.util.spec_from_file_location("guides_script", ROOT / "scripts" / "guides.py")
    assert spec and spec.loader
    guides = importlib.util.module_from_spec(spec)
    sys.modules["guides_script"] = guides
    spec.loader.exec_module(guides)
    page = '<body><h1>Phát hiện</h1> do đồng bộ <a href="/x">Xuất <b>Excel</b></a><button>Tra</button></body>'
    step = guides.Step("Xem", "findings", "Mở “Phát hiện”, bấm “Xuất Excel”.", press=("Xuất Excel",))
    assert step.missing(page) == []
    assert step.missing(page.replace("Phát hiện", "Dấu hiệu")) == ["“Phát hiện” does not stand there"]
    renamed = guides.Step("Xem", "findings", "Bấm “do đồng bộ”.", press=("do đồng bộ", "Tra"))
    assert renamed.missing(page) == [
        "nothing there is pressed as “do đồng bộ”", "“Tra” is pressed, but the text does not say so",
    ]  # fmt: skip


# ---- a house apart -------------------------------------------------------------------------------------------------


@embedded
def test_a_house_with_dossiers_of_its_own_does_not_become_one(tmp_path: Path) -> None:
    env = {**os.environ, "MOTCUA_HOME": str(tmp_path)}
    lists = ROOT / "examples" / "first-bridge"
    assert _motcua(env, "import", str(lists / "dossiers.csv"), "--create-missing").returncode == 0
    for words in (("serve", "--training"), ("demo", "--training", "--no-serve")):
        refused = _motcua(env, *words)
        assert refused.returncode == 2 and "set MOTCUA_HOME to an empty folder" in refused.stderr
    assert _motcua(env, "training", "reset").returncode == 2


def test_a_house_on_postgresql_does_not_become_one(tmp_path: Path) -> None:
    env = {**os.environ, "MOTCUA_HOME": str(tmp_path), "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    refused = _motcua(env, "serve", "--training")
    assert refused.returncode == 2 and "unset DATABASE_URL" in refused.stderr


@databases
def test_in_any_other_house_there_is_no_such_page(inspector: Client) -> None:
    assert inspector.get("/tap-huan").status_code == 404
    assert inspector.post("/tap-huan", {"sure": "1"}).status_code == 404
    assert not training.is_on() and training.password() == ""


# ---- starting over -------------------------------------------------------------------------------------------------


_STANDS = """
import json
from django.utils import timezone
from motcua.cli.home import open_home
home = open_home()
from motcua.accounts.models import User
from motcua.ledger import cursors
from motcua.oversight import extract, figures
from motcua.oversight.figures import Question
now = timezone.now()
extract.run(home=home, at=now)
bridge = figures.bridge(home, Question(), now=now)
figures_of = [bridge[name] for name in ("population", "late_shown", "late_recorded", "late_true")]
print(json.dumps([*figures_of, cursors.head(),
                  sorted(User.objects.values_list("username", flat=True))]))
"""


def _standing(env: dict[str, str]) -> Any:
    """Figures, events and accounts."""
    done = subprocess.run([sys.executable, "-c", _STANDS], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_start_over_puts_the_house_back_under_a_running_server(house: dict[str, str]) -> None:
    before = _standing(house)
    port = free_port()
    here, command = f"http://127.0.0.1:{port}", [sys.executable, "-m", "motcua.cli", "serve", "--port", str(port)]
    with (
        running(command, f"{here}/healthz", env=house, cwd=ROOT),
        httpx.Client(base_url=here, trust_env=False, follow_redirects=True, timeout=60) as browser,
    ):
        _sign_in(browser, "canbo")
        assert (
            "đưa được nhà về" in browser.get("/tap-huan").text
            and _post(browser, "/tap-huan", sure="1").status_code == 403
        )
        _post(browser, "/dang-xuat")
        _sign_in(browser, "thanhtra")
        secret = Path(house["MOTCUA_HOME"]) / "secret.txt"
        secret.write_text("một-mật-khẩu-dài")
        lists = ROOT / "examples" / "first-bridge"
        files = [str(lists / name) for name in ("dossiers.csv", "events.csv")]
        assert _motcua(house, "import", *files, "--create-missing").returncode == 0
        assert (
            _motcua(house, "user", "add", "nguoimoi", "--role", "inspector", "--password-file", str(secret)).returncode
            == 0
        )
        assert _standing(house) != before
        asked = _post(browser, "/tap-huan")
        assert "Làm lại từ đầu?" in asked.text and browser.get("/tap-huan").status_code == 200
        done = _post(browser, "/tap-huan", sure="1")
        assert done.url.path == "/dang-nhap", done.text
        assert _standing(house) == before
        _sign_in(browser, "lanhdao")
    assert before[-1] == sorted(name for name, *_ in PEOPLE)


def _token(browser: httpx.Client, address: str) -> str:
    text = browser.get(address).text
    return text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def _post(browser: httpx.Client, address: str, **fields: str) -> httpx.Response:
    return browser.post(address, data={"csrfmiddlewaretoken": _token(browser, "/tap-huan"), **fields})


def _sign_in(browser: httpx.Client, name: str) -> None:
    fields = {"csrfmiddlewaretoken": _token(browser, "/dang-nhap"), "username": name, "password": PASSWORD}
    assert browser.post("/dang-nhap", data=fields).url.path != "/dang-nhap", name
