"""The first run: an empty house is set up in the browser, goes on after an interruption, and closes for good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.browsers import chromium, page_of, press, violations, width_needed
from tests.story import at

from motcua.accounts.models import Post, User
from motcua.catalogue import calendars, parts, province, settings
from motcua.ledger import audit
from motcua.ledger.models import Change
from motcua.rules.workdays import parse_hours

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
SECRET = "mot-mat-khau-dai"
NAMED = {"step": "province", "name": "Tỉnh Mẫu", "code": "h99"}
HOURS = {"step": "hours", "morning": ["07:30", "11:30"], "afternoon": ["13:30", "17:00"]}
PERSON = {"step": "account", "full_name": "Nguyễn Thị Quản", "username": "quantri", "password": SECRET, "again": SECRET}


def _step(client: Client, given: dict[str, Any]) -> str:
    return client.post("/cai-dat", given).content.decode()


def _up_to_the_account(client: Client) -> None:
    for given in (NAMED, {"step": "logo"}, HOURS, {"step": "holidays"}, {"step": "parts", "part": ["oversight"]}):
        assert client.post("/cai-dat", given).status_code == 302, given["step"]


def test_an_empty_house_opens_the_first_run_and_ends_at_the_tiles(client: Client, home: Path) -> None:
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/cai-dat"
    _up_to_the_account(client)
    reply = client.post("/cai-dat", PERSON)
    assert reply["Location"] == "/danh-sach-dau-tien"
    text = client.get("/danh-sach-dau-tien").content.decode()
    assert 'href="/nap-du-lieu"' in text and 'href="/"' in text and "Tỉnh Mẫu" in text
    assert client.get("/").status_code == 200
    assert settings.get("province") == {"name": "Tỉnh Mẫu", "code": "H99"}
    assert parts.on() == {"oversight"}
    monday = [h for h in calendars.load("vn").hours if h.weekday == 0][-1]
    assert monday.intervals == parse_hours("07:30-11:30 13:30-17:00")
    assert set(Post.objects.values_list("user__username", "role", "agency")) == {
        ("quantri", "operator", ""), ("quantri", "administrator", ""),
    }  # fmt: skip
    assert audit.verify()["ok"] and Change.objects.filter(key="quantri").count() == 1


def test_an_interrupted_run_goes_on_where_it_stopped_and_cannot_jump_ahead(client: Client) -> None:
    assert client.post("/cai-dat", PERSON).status_code == 200, "the account comes last"
    assert not User.objects.exists()
    client.post("/cai-dat", NAMED)
    later = Client()
    assert "Biểu trưng" in later.get("/cai-dat").content.decode()
    assert "Tỉnh Mẫu" in later.get("/cai-dat?step=province").content.decode(), "a step that is done can be looked at"


def test_what_cannot_be_is_said_and_keeps_what_was_typed(client: Client) -> None:
    text = _step(client, {**NAMED, "code": "99"})
    assert "Chưa lưu" in text and "Tỉnh Mẫu" in text
    _step(client, NAMED)
    text = _step(client, {"step": "logo", "logo": SimpleUploadedFile("logo.png", b"<svg onload=alert(1)>")})
    assert "PNG hoặc JPEG thật" in text and province.logo() is None
    _step(client, {"step": "logo", "logo": SimpleUploadedFile("logo.png", PNG)})
    reply = client.get("/bieu-trung")
    assert (reply.content, reply["Content-Type"]) == (PNG, "image/png")
    assert "Chưa lưu" in _step(client, {**HOURS, "morning": ["11:30", "07:30"]})
    for given in (HOURS, {"step": "holidays"}, {"step": "parts", "part": ["oversight"]}):
        _step(client, given)
    assert "khác nhau" in _step(client, {**PERSON, "again": "khac"})
    assert "ít nhất 10" in _step(client, {**PERSON, "password": "ngan", "again": "ngan"})
    for poor, why in (("1234567890", "chữ số"), ("quantriquantri", "ghép từ tên"), ("aaaaaaaaaaaa", "dễ đoán")):
        assert why in _step(client, {**PERSON, "password": poor, "again": poor}), poor
    assert "Nguyễn Thị Quản" in _step(client, {**PERSON, "username": "quản trị"})
    assert not User.objects.exists()


@pytest.mark.parametrize("far", [{"REMOTE_ADDR": "10.1.2.3"}, {"HTTP_X_FORWARDED_FOR": "10.1.2.3"}], ids=str)
def test_from_elsewhere_the_code_opens_it_once(far: dict[str, str]) -> None:
    code = province.new_code(by="test", at=at("2026-03-02T08:00"))
    stranger, operator, second = Client(**far), Client(**far), Client(**far)
    assert "Mã một lần" in stranger.get("/cai-dat").content.decode()
    assert stranger.post("/cai-dat", NAMED).status_code == 403
    assert stranger.post("/cai-dat", {"code": "AAAA-AAAA-AAAA"}).status_code == 403
    assert settings.get("province") is None
    assert operator.post("/cai-dat", {"code": code.lower()}).status_code == 302
    assert operator.post("/cai-dat", NAMED).status_code == 302
    assert settings.get("province")["code"] == "H99"
    assert second.post("/cai-dat", {"code": code}).status_code == 403
    assert code not in str(list(Change.objects.values_list("before", "after")))


@pytest.mark.parametrize("role", ["operator", "administrator"])
def test_it_is_closed_once_somebody_runs_the_house(client: Client, role: str) -> None:
    person = User.objects.create_user("vanhanh", password=SECRET)
    Post.objects.create(user=person, role=role)
    assert client.get("/cai-dat")["Location"].startswith("/dang-nhap")
    assert client.post("/cai-dat", NAMED)["Location"].startswith("/dang-nhap")
    assert settings.get("province") is None
    assert client.get("/dang-nhap").status_code == 200


def test_in_a_browser_by_keyboard_alone_accessible_and_no_wider_than_a_phone(live_server: Any, home: Path) -> None:
    with chromium() as browser:
        page = page_of(browser, live_server.url)
        page.goto("/")
        typed = {"#name": "Tỉnh Mẫu", "#code": "H99", "#full_name": "Nguyễn Thị Quản", "#username": "quantri",
                 "#password": SECRET, "#again": SECRET}  # fmt: skip
        for number in range(1, 7):
            page.locator(".muted", has_text=f"bước {number}/6").wait_for()
            assert not (found := violations(page)), (number, found)
            for width in (360, 683):  # 683: 1366 pixels at 200 %
                page.set_viewport_size({"width": width, "height": 740})
                assert width_needed(page) <= width, number
            for field, text in typed.items():
                if page.locator(field).count():
                    page.focus(field)
                    page.keyboard.type(text)
            page.focus("form[enctype] button.main")
            press(page, "Enter")
        page.locator("h1", has_text="Danh sách đầu tiên").wait_for()
        assert not (found := violations(page)), found
