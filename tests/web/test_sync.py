"""The operator's page in a real browser over a planted day: what it says, what its acts do, who may see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.browsers import chromium, complaints_of, page_of, press, sign_in, violations, width_needed
from tests.exchange import planted
from tests.exchange.planted import EQUAL, NOT_SHOWN, NOW, PRESSING, REFUSED

from motcua.accounts.models import Post, User
from motcua.exchange import alerts, tickets
from motcua.exchange.models import Alert, Delivery, Endpoint, Looked, Ticket
from motcua.mirror.client import Portal
from motcua.oversight import extract
from motcua.web.console import sync

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
PASSWORD = "demo-motcua"


@pytest.fixture
def portal(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    """The planted day, at 09:00 of 12 March on every clock of the web."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    with planted.portal(planted.faults()) as client:
        planted.happen(client)
        planted.silence()
        alerts.evaluate(now=NOW)
        extract.run(home=home, at=NOW)
        for name, role, agency in (
            ("van-hanh", "operator", ""), ("thanh-tra", "inspector", ""), ("lanh-dao", "leader", ""),
            ("xa", "operator", "H99.12"),
        ):  # fmt: skip
            Post.objects.create(user=User.objects.create_user(name, password=PASSWORD), role=role, agency=agency)
        yield client


@pytest.fixture
def operator(client: Client, portal: Portal) -> Client:
    client.login(username="van-hanh", password=PASSWORD)
    return client


@pytest.fixture
def page(live_server: Any, portal: Portal) -> Iterator[Any]:
    """A page of the system's chromium, signed in as the operator."""
    with chromium() as browser:
        page = page_of(browser, live_server.url)
        sign_in(page, "van-hanh", PASSWORD, at="/dong-bo")
        page.locator("h1", has_text="Đồng bộ").wait_for()
        yield page


def _text(reply: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", reply.content.decode()).split())


# ---- what it says ----------------------------------------------------------------------------------------------------


def test_the_page_tells_the_planted_day(operator: Client) -> None:
    text = _text(operator.get("/dong-bo"))
    assert "1 hồ sơ sẽ thành quá hạn trên Cổng trong 24 giờ chỉ vì chưa gửi" in text
    assert f"“{planted.WORDS}” 1 Sửa ánh xạ thủ tục theo danh mục của Cổng rồi gửi lại." in text
    assert "trả lời lúc 09:00 12/03" in text and "cũ nhất chưa gửi: 60 phút" in text
    assert re.search(r"H99\.15 im lặng 18 giờ \(thường \d+ bản tin/giờ\)", text)
    assert "Không có phiếu nào đang mở." in text


def test_each_figure_opens_its_dossiers(operator: Client) -> None:
    """Refusals with what was sent and answered, people masked; reasons of read-back; what is late because of us."""
    board = operator.get("/dong-bo").content.decode()
    opened = [unescape(href) for href in re.findall(r'href="(/dong-bo/ma\?[^"]+)"', board)]
    by_kind = {href.split("?")[1].split("=")[0]: _text(operator.get(href)) for href in opened}
    assert by_kind.keys() == {"late", "words", "why"}
    assert "1 hồ sơ" in by_kind["late"] and PRESSING in by_kind["late"]
    assert REFUSED in by_kind["words"] and "Sửa ánh xạ thủ tục theo danh mục" in by_kind["words"]
    sent = unescape(by_kind["words"])
    assert f'"MaHoSo": "{REFUSED}"' in sent and '"error_code": -1' in sent and '"ChuHoSo": "•••"' in sent
    told = re.findall(r'href="/dong-bo/ma\?why=(\w+)">(\d+) hồ sơ<', board)
    assert told
    for why, count in told:
        listed = operator.get("/dong-bo/ma", {"why": why})
        assert len(listed.context["rows"]) == int(count), why


def test_of_two_addresses_that_answer_the_head_line_tells_the_newest_answer(operator: Client) -> None:
    Endpoint.objects.create(url="http://0-an-address-of-before", answered_at=NOW - timedelta(days=9))
    assert "trả lời lúc 09:00 12/03" in _text(operator.get("/dong-bo"))


def test_zero_and_not_looked_are_told_apart(operator: Client) -> None:
    Looked.objects.all().delete()
    assert "Chưa khai báo địa chỉ Cổng" in _text(operator.get("/dong-bo"))


def test_only_operators_and_inspectors_of_the_province_have_the_page(client: Client, portal: Portal) -> None:
    for name, status in (("van-hanh", 200), ("thanh-tra", 200), ("lanh-dao", 403), ("xa", 403)):
        client.login(username=name, password=PASSWORD)
        reply = client.get("/dong-bo")
        assert reply.status_code == status, name
        linked = 'href="/dong-bo"' in client.get("/tim").content.decode()
        assert linked is (name != "lanh-dao"), name
        assert client.post("/dong-bo/viec", {"act": "first", "sure": "1"}).status_code in (302, 403)
        assert client.get("/dong-bo/phieu").status_code == status


def test_english_says_nothing_in_vietnamese(operator: Client) -> None:
    ticket = tickets.open_(codes=[NOT_SHOWN], owner_kind="vendor", owner="X", cause="lost step", by="van-hanh", at=NOW)
    operator.cookies["django_language"] = "en"
    for address in ("/dong-bo", f"/dong-bo/phieu/{ticket.pk}", "/dong-bo/phieu", "/dong-bo/phieu/moi"):
        text = _text(operator.get(address)).replace("Tiếng Việt", "").replace(planted.WORDS, "")
        assert not re.search("[À-ỹđĐ]", text), (address, re.search(".{30}[À-ỹđĐ].{30}", text))
    text = _text(operator.post("/dong-bo/ma", {"codes": f"{NOT_SHOWN} {EQUAL} X"})).replace("Tiếng Việt", "")
    assert "the portal lacks the step" in text and not re.search("[À-ỹđĐ]", text)


# ---- acts ------------------------------------------------------------------------------------------------------------


def test_an_act_asks_first_and_says_what_it_did(operator: Client) -> None:
    Delivery.objects.filter(dossier=PRESSING, state="waiting").update(next_at=None)
    asked = _text(operator.post("/dong-bo/viec", {"act": "first"}))
    assert "Gửi trước 1 hồ sơ?" in asked and PRESSING in asked
    done = _text(operator.post("/dong-bo/viec", {"act": "first", "sure": "1"}, follow=True))
    assert "Đã đưa 1 hồ sơ lên trước" in done
    asked = _text(operator.post("/dong-bo/viec", {"act": "error", "words": planted.WORDS}))
    assert "Gửi lại 1 hồ sơ?" in asked and Delivery.objects.filter(state="dead").exists()
    done = operator.post("/dong-bo/viec", {"act": "error", "words": planted.WORDS, "sure": "1"}, follow=True)
    assert "Đã đưa 1 bản tin gửi lại" in _text(done) and not Delivery.objects.filter(state="dead").exists()
    again = operator.post("/dong-bo/viec", {"act": "error", "words": planted.WORDS, "sure": "1"}, follow=True)
    assert "Không còn hồ sơ nào như vậy" in _text(again)
    assert operator.post("/dong-bo/viec", {"act": "delete"}).status_code == 400
    assert operator.get("/dong-bo/viec").status_code == 405


def test_pasted_codes_are_sent_again_by_what_each_needs(operator: Client) -> None:
    codes = f"{NOT_SHOWN}\n{REFUSED}\n{EQUAL}\nkhong-co"
    assert "Gửi lại 3 hồ sơ?" in _text(operator.post("/dong-bo/viec", {"act": "again", "codes": codes}))
    text = _text(operator.post("/dong-bo/viec", {"act": "again", "codes": codes, "sure": "1"}, follow=True))
    assert "1 hồ sơ có bản tin lỗi được đưa gửi lại" in text and "1 hồ sơ không có gì để gửi" in text


def test_fetching_asks_the_portal_of_the_settings(
    operator: Client, portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = tmp_path / "password"
    password.write_text("demo-password\n")
    monkeypatch.setenv("NATIONAL_PORTAL_URL", portal.url)
    monkeypatch.setenv("NATIONAL_PORTAL_USER", "demo-h99")
    monkeypatch.setenv("NATIONAL_PORTAL_UNIT", "H99")
    monkeypatch.setenv("NATIONAL_PORTAL_PASSWORD_FILE", str(password))
    assert not Looked.objects.filter(dossier=PRESSING, seen_at__isnull=False).exists()
    act = {"act": "fetch", "codes": f"{PRESSING} {EQUAL}", "sure": "1"}
    assert "Đã lấy về 2 hồ sơ" in _text(operator.post("/dong-bo/viec", act, follow=True))
    assert Looked.objects.get(dossier=PRESSING).seen_at == NOW
    monkeypatch.setenv("NATIONAL_PORTAL_URL", "http://127.0.0.1:1")
    assert "Cổng DVCQG chưa trả lời" in _text(operator.post("/dong-bo/viec", act, follow=True))
    monkeypatch.delenv("NATIONAL_PORTAL_URL")
    assert "đọc trên Cổng trước tiên" in _text(operator.post("/dong-bo/viec", act, follow=True))


def test_the_table_is_a_workbook_with_codes_as_text(operator: Client, tmp_path: Path) -> None:
    reply = operator.post("/dong-bo/ma.xlsx", {"codes": f"{NOT_SHOWN}\n0012\n=1+1"})
    rows = _sheet(reply, tmp_path)
    codes = [row[1] for row in rows[5:]]
    assert codes == [NOT_SHOWN, "0012", "=1+1"]
    assert "Cổng thiếu bước “Đã xử lý xong”" in rows[5][8]


def _sheet(reply: Any, folder: Path) -> list[list[Any]]:
    file = folder / "table.xlsx"
    file.write_bytes(b"".join(reply.streaming_content))
    return CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()


def test_an_alert_is_acknowledged_by_name(operator: Client) -> None:
    alert = Alert.objects.get(kind="silent_sender")
    reply = operator.post("/dong-bo/viec", {"act": "acknowledge", "alert": alert.pk}, follow=True)
    assert "van-hanh đã biết" in _text(reply)
    assert operator.post("/dong-bo/viec", {"act": "acknowledge", "alert": "999999"}).status_code == 400


# ---- tickets ---------------------------------------------------------------------------------------------------------


def test_a_ticket_is_made_from_pasted_codes_sent_closed_and_reopened(operator: Client, tmp_path: Path) -> None:
    form = {"codes": f"{NOT_SHOWN}\n{REFUSED}", "cause": "Mất bước 9", "owner_kind": "vendor", "owner": "Công ty Mẫu"}
    assert "Lập phiếu cho 2 hồ sơ" in _text(operator.post("/dong-bo/phieu/moi", form))
    assert not Ticket.objects.exists()
    given = {**form, "codes": f"{form['codes']}\nkhong-co", "days": "3", "sure": "1"}
    reply = operator.post("/dong-bo/phieu/moi", given, follow=True)
    assert "không đưa vào phiếu: khong-co" in _text(reply)
    ticket = Ticket.objects.get()
    assert "2 hồ sơ, còn 2 chưa khớp" in _text(reply) and "Cổng thiếu bước “Đã xử lý xong”" in _text(reply)
    address = f"/dong-bo/phieu/{ticket.pk}"
    operator.post(address, {"act": "send", "note": "gửi thư điện tử"})
    rows = _sheet(operator.get(f"{address}.xlsx"), tmp_path)
    assert [row[1] for row in rows[5:]] == [REFUSED, NOT_SHOWN]
    assert "Mất bước 9. Nơi xử lý: Nhà cung cấp phần mềm Công ty Mẫu" in rows[1][0]
    assert planted.WORDS in rows[5][4] or planted.WORDS in rows[5][5]
    assert "Vì sao đóng" in _text(operator.get(f"{address}?hoi=dong"))
    operator.post(address, {"act": "close", "note": "xong"})
    assert "Mở lại" in _text(operator.get(address))
    operator.post(address, {"act": "reopen"})
    history = [line["act"] for line in tickets.shown(ticket.pk, now=NOW)["history"]]
    assert history == ["opened", "sent", "closed", "reopened"]
    assert "Chưa làm được" in _text(operator.post(address, {"act": "note", "note": " "}, follow=True))
    for nowhere in ("0", "x", "9" * 30):
        assert operator.get(f"/dong-bo/phieu/{nowhere}").status_code == 404


def test_a_ticket_without_sense_keeps_what_was_typed(operator: Client) -> None:
    form = {"codes": "khong-co", "cause": "Mất bước 9", "owner_kind": "vendor", "days": "3", "sure": "1"}
    reply = operator.post("/dong-bo/phieu/moi", form)
    assert "Chưa lập phiếu" in _text(reply) and 'value="Mất bước 9"' in reply.content.decode()


def test_findings_due_to_synchronisation_lead_to_a_ticket_over_their_dossiers(operator: Client) -> None:
    reply = operator.get("/nguyen-nhan?leg=sync&measure=all&as_of=2026-03-20T09:00:00%2B07:00")
    match = re.search(r'href="(/dong-bo/phieu/moi[^"]*)"', reply.content.decode())
    assert match, "the planted day has findings due to synchronisation"
    form = operator.get(match[1].replace("&amp;", "&"))
    codes = set(re.findall(r"H99\.12-260302-\d{4}", _text(form)))
    assert codes and codes <= {REFUSED, NOT_SHOWN, PRESSING, EQUAL}
    assert "/dong-bo/phieu/moi" not in operator.get("/nguyen-nhan?leg=record").content.decode()


# ---- in the browser --------------------------------------------------------------------------------------------------


def test_every_page_is_accessible_and_fits_a_phone(page: Any) -> None:
    ticket = tickets.open_(codes=[NOT_SHOWN, REFUSED], owner_kind="vendor", owner="Công ty Mẫu", cause="Mất bước 9",
                           by="van-hanh", at=NOW)  # fmt: skip
    complaints = complaints_of(page)
    for address in (
        "/dong-bo", f"/dong-bo/ma?codes={NOT_SHOWN}+{EQUAL}+{REFUSED}+x", "/dong-bo/ma", "/dong-bo/phieu",
        f"/dong-bo/phieu/{ticket.pk}", f"/dong-bo/phieu/{ticket.pk}?hoi=dong", "/dong-bo/phieu/moi",
    ):  # fmt: skip
        for width in (1366, 360):
            page.set_viewport_size({"width": width, "height": 768})
            page.goto(address)
            assert not (found := violations(page)), (address, width, found)
            wide = width_needed(page)
            assert wide <= width, (address, width, wide)
    assert not complaints


def test_an_operator_needs_neither_mouse_nor_script(page: Any, live_server: Any) -> None:
    page.locator("#codes").focus()
    page.keyboard.insert_text(f"{NOT_SHOWN}\n{EQUAL}")
    press(page, "Tab")
    press(page, "Enter")
    page.locator("table.list").wait_for()
    assert page.locator("table.list tbody tr").count() == 2
    plain = page.context.browser.new_context(base_url=live_server.url, java_script_enabled=False)
    plain.add_cookies(page.context.cookies())
    bare = plain.new_page()
    bare.goto("/dong-bo")
    bare.locator(".warn button").click()
    assert "Gửi trước 1 hồ sơ?" in bare.locator("h1").inner_text()
    bare.locator("button.main").click()
    assert "Đã đưa 1 hồ sơ lên trước" in bare.locator(".said").inner_text()
    plain.close()


# ---- metrics ---------------------------------------------------------------------------------------------------------


def test_metrics_are_for_listed_addresses_and_whoever_has_the_token(
    client: Client, portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/metrics").status_code == 403
    monkeypatch.setenv("MOTCUA_METRICS_HOSTS", "10.0.0.9,127.0.0.1")
    text = client.get("/metrics").content.decode()
    assert "motcua_late_because_of_us 1.0" in text
    assert 'motcua_deliveries{state="dead"} 1.0' in text
    assert 'motcua_sender_silent{sender="H99.15"} 1.0' in text
    assert "Trần Thị Thử" not in text and PRESSING not in text
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.8").status_code == 403
    token = tmp_path / "token"
    token.write_text("mot-bi-mat\n")
    monkeypatch.setenv("MOTCUA_METRICS_TOKEN_FILE", str(token))
    far = {"REMOTE_ADDR": "10.0.0.8"}
    assert client.get("/metrics", headers={"Authorization": "Bearer sai"}, **far).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer mot-bi-mat"}, **far).status_code == 200


def test_the_pages_ask_the_database_a_few_times_only(operator: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(70):
        operator.get("/dong-bo")
    assert {"operator", "inspector"} == sync.ROLES


def test_what_is_overdue_already_is_told_apart_from_what_will_be(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(days=1))
    operator.login(username="van-hanh", password=PASSWORD)  # nobody stays signed in over night
    text = _text(operator.get("/dong-bo"))
    assert "1 hồ sơ đã quá hạn trên Cổng chỉ vì chưa gửi" in text and "sẽ thành quá hạn" not in text
