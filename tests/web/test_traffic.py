"""The collector's pages over a day of traffic through the tee: what they count, what they mask, who may look."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.browsers import chromium, page_of, sign_in, violations, width_needed
from tests.served import served
from tests.story import at

from motcua.accounts.models import Post, User
from motcua.catalogue import parts
from motcua.exchange.models import Look
from motcua.mirror import door, held, retention, traffic
from motcua.mirror.models import About, Message, Record
from motcua.mirror.server import Server
from motcua.mirror.traffic import Filter
from motcua.rules.instants import Unreadable
from motcua.web.collector import words
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW, PASSWORD = at("2026-03-12T15:00"), "demo-motcua"
CODE, SECOND, UNKNOWN = "H99.12-260302-0001", "H99.12-260302-0002", "H99.15-260302-0009"
OWNER = "Trần Thị Thử"


def _record(code: str, **more: str) -> dict[str, str]:
    return {"MaHoSo": code, "MaTTHC": "1.000001", "DonViXuLy": "Phường Mẫu", "ChuHoSo": OWNER, "TrangThaiHoSo": "2",
            "NgayTiepNhan": "20260302083000", "NgayHenTra": "20260309170000", **more}  # fmt: skip


def _step(code: str) -> dict[str, str]:
    return {"MaHoSo": code, "NguoiXuLy": "Lê Văn Cán", "ThoiDiemXuLy": "20260303080000", "NoiDungXuLy": "Thẩm định",
            "TrangThai": "4"}  # fmt: skip


class _Real:
    """The real portal: answers by the contract, and can fall silent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.answer: dict[str, Any] = {"error_code": 0, "message": "Đồng bộ hồ sơ thành công"}

    def __call__(self, environ: Any, start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        query = environ.get("QUERY_STRING", "")
        self.got.append((environ["PATH_INFO"] + (f"?{query}" if query else ""), body))
        data = json.dumps({**self.answer, "session": "thật"}).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
        return [data]


@pytest.fixture
def real() -> _Real:
    return _Real()


@pytest.fixture
def collector(real: _Real, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A client of the collector, which sends everything on to the real portal; it is three in the afternoon."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    with served(real) as url:
        handle = door.application(Server(Profile(forward_to=url)), lambda: NOW)
        with served(handle) as here, httpx.Client(base_url=here, trust_env=False) as client:
            yield client


def _sent(client: httpx.Client, service: str, *items: Any, sender: str = "H99") -> httpx.Response:
    request = {"session": "s-bí-mật", "madonvi": sender, "service": service, "isUpdating": "False", "data": [*items]}
    return client.post("/mapi/g", json=request)


@pytest.fixture
def day(collector: httpx.Client, real: _Real) -> httpx.Client:
    """A day: two dossiers in one message, a step, a refusal of another sender, a silence."""
    _sent(collector, "DongBoHoSoMC", _record(CODE), _record(SECOND))
    _sent(collector, "CapNhatTienDoHoSoMC", _step(CODE))
    real.answer = {"error_code": -1, "message": f"Hồ sơ {UNKNOWN}: mã thủ tục không có trong danh mục"}
    _sent(collector, "DongBoHoSoMC", _record(UNKNOWN), sender="H99.15")
    for name, role, agency in (("van-hanh", "operator", ""), ("lanh-dao", "leader", ""), ("xa", "operator", "H99.12")):
        Post.objects.create(user=User.objects.create(username=name), role=role, agency=agency)
    return collector


@pytest.fixture
def operator(client: Client, day: httpx.Client) -> Client:
    client.force_login(User.objects.get(username="van-hanh"))
    return client


def _text(reply: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", reply.content.decode()).split())


# ---- the tee ---------------------------------------------------------------------------------------------------------


def test_each_message_is_kept_with_both_sides(day: httpx.Client, real: _Real) -> None:
    kept = list(Message.objects.order_by("pk"))
    assert [(path, body) for path, body in real.got] == [(row.address, bytes(row.body)) for row in kept]
    assert [row.error_code for row in kept] == [0, 0, -1] and {row.http for row in kept} == {200}
    assert all(row.forwarded_to.startswith("http://127.0.0.1:") and row.forward_us > 0 for row in kept)
    assert json.loads(kept[0].reply)["session"] == "thật", "the portal's answer as it came"
    assert traffic.about([kept[0].pk]) == {kept[0].pk: [CODE, SECOND]}
    assert set(Record.objects.filter(side="held").values_list("code", flat=True)) == {CODE, SECOND}


def test_a_silent_portal_is_told_apart_from_a_refusal_and_from_a_killed_collector(
    day: httpx.Client, real: _Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motcua.mirror import tee

    def nobody(self: Any, environ: Any, body: bytes) -> Any:
        raise tee.Silent("away")

    monkeypatch.setattr(tee.Tee, "relay", nobody)
    assert _sent(day, "DongBoHoSoMC", _record("H99.12-260302-0003")).status_code == 504
    held.keep_raw(b"{}", NOW)  # and then the process was killed
    found = [traffic.outcome(row) for row in Message.objects.order_by("pk")]
    assert found == ["ok", "ok", "error", "silent", "open"]
    assert [traffic.count(Filter(outcome=which)) for which in traffic.OUTCOMES] == [2, 1, 1, 1]
    assert not Record.objects.filter(code="H99.12-260302-0003").exists()


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/api/SynsTTHCC/DongBoHoSoMC?MaDinhDanhDV=000.00.01.H99&isUpdating=False", [_record(CODE)]),
        ("/dongbo/themmoi", [_record(CODE)]),
    ],
    ids=["adapter A", "adapter B"],
)
def test_what_comes_through_a_provincial_adapter_is_collected_too(
    collector: httpx.Client, real: _Real, address: str, body: Any
) -> None:
    assert collector.post(address, json=body).json()["error_code"] == 0
    assert real.got[0][0] == address and json.loads(real.got[0][1]) == body
    assert Record.objects.get(side="held").code == CODE
    assert Message.objects.get().service == "DongBoHoSoMC" and About.objects.get().code == CODE


def test_a_password_is_kept_nowhere(collector: httpx.Client, real: _Real) -> None:
    collector.post("/mapi/login", json={"username": "h99", "password": "rất-bí-mật"})
    assert real.got and not Message.objects.exists()


# ---- the pages -------------------------------------------------------------------------------------------------------


def test_the_first_page_tells_the_day(operator: Client) -> None:
    text = _text(operator.get("/diem-thu"))
    assert "hôm nay 3 bản tin · 1 bản tin bị từ chối · chuyển tiếp tới http://127.0.0.1:" in text
    assert "“mã thủ tục không có trong danh mục” hồ sơ Sửa ánh xạ thủ tục" in text
    assert re.search(r"H99 bước xử lý 1 0 0 15:00 12/03", text)


def test_every_figure_of_the_first_page_leads_to_exactly_its_messages(operator: Client) -> None:
    board = operator.get("/diem-thu").content.decode()
    links = re.findall(
        r'href="(/diem-thu/ban-tin\?[^"]+)"[^>]*>(?:<svg.*?</svg>)?(?:[^<]*?)(\d+)(?: bản tin[^<]*)?</a>', board
    )
    assert len(links) >= 6
    for href, count in links:
        listed = operator.get(href.replace("&amp;", "&"))
        assert re.search(rf'id="total">{count} bản tin<', listed.content.decode()), href


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 3), (f"code={SECOND}", 1), (f"code={CODE}", 2), ("outcome=error", 1), ("sender=H99", 2),
     ("day=2026-03-11", 0), ("service=CapNhatTienDoHoSoMC&sender=*", 1), ("words=danh+m%E1%BB%A5c&day=all", 1)],
)  # fmt: skip
def test_the_filter_in_the_address_counts_lists_and_exports_the_same(
    operator: Client, query: str, count: int, tmp_path: Path
) -> None:
    reply = operator.get(f"/diem-thu/ban-tin?{query}")
    assert f'id="total">{count} bản tin<' in reply.content.decode()
    assert reply.content.decode().count("/diem-thu/ban-tin/") == count
    book = tmp_path / "x.xlsx"
    book.write_bytes(b"".join(operator.get(f"/diem-thu/ban-tin.xlsx?{query}")))  # type: ignore[arg-type]
    rows = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
    assert sum(isinstance(row[1], float | int) and bool(row[1]) for row in rows[4:]) == count, rows


def test_pages_follow_one_another_without_gap_or_repetition(operator: Client) -> None:
    start = NOW - timedelta(hours=5)
    Message.objects.bulk_create(
        [Message(received_at=start + timedelta(seconds=n // 3), sender="H99", service="TraCuuHoSo", body=b"{}",
                 error_code=0) for n in range(120)]
    )  # fmt: skip
    seen: list[str] = []
    href = "/diem-thu/ban-tin?sender=H99"
    while href:
        text = operator.get(href).content.decode()
        seen += re.findall(r'href="/diem-thu/ban-tin/(\d+)"', text)
        found = re.search(r'href="([^"]+)" rel="next">Tiếp', text)
        href = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == len(set(seen)) == 122


@pytest.mark.parametrize("query", ["day=x", "outcome=x", "after=1", "after=99999999999999999999-1"])
def test_an_address_without_sense_says_so(operator: Client, query: str) -> None:
    assert operator.get(f"/diem-thu/ban-tin?{query}").status_code == 400


def test_lists_and_the_message_itself_mask_people_and_secrets(operator: Client) -> None:
    number = Message.objects.order_by("pk").first().pk  # type: ignore[union-attr]
    for address in ("/diem-thu", "/diem-thu/ban-tin", f"/diem-thu/ban-tin/{number}"):
        text = operator.get(address).content.decode()
        assert OWNER not in text and "bí-mật" not in text, address
    assert CODE in text and "•••" in text


def test_a_message_is_whole_for_whoever_says_why_and_that_is_kept(operator: Client) -> None:
    number = Message.objects.order_by("pk").first().pk  # type: ignore[union-attr]
    address = f"/diem-thu/ban-tin/{number}"
    refused = operator.post(address, {"reason": "xem"})
    assert refused.status_code == 400 and OWNER not in refused.content.decode() and not Look.objects.exists()
    whole = operator.post(address, {"reason": "đối chiếu theo phiếu xử lý 12"}).content.decode()
    assert OWNER in whole and "s-bí-mật" not in whole, "a session stays secret"
    look = Look.objects.get()
    assert (look.message, look.actor, look.at, look.reason) == (
        number,
        "van-hanh",
        NOW,
        "đối chiếu theo phiếu xử lý 12",
    )
    again = operator.get(address)
    assert OWNER not in again.content.decode() and "van-hanh · “đối chiếu theo phiếu xử lý 12”" in _text(again)


def test_what_is_no_json_is_hidden_until_somebody_says_why(operator: Client, day: httpx.Client) -> None:
    day.post("/mapi/g", content=f"{OWNER}, hỏng".encode())
    number = Message.objects.order_by("-pk").first().pk  # type: ignore[union-attr]
    assert OWNER not in operator.get(f"/diem-thu/ban-tin/{number}").content.decode()
    assert OWNER in operator.post(f"/diem-thu/ban-tin/{number}", {"reason": "tìm lỗi JSON"}).content.decode()


def test_past_its_days_the_text_goes_and_every_count_and_record_stays(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = Message.objects.order_by("pk").first().pk  # type: ignore[union-attr]
    counted = _text(operator.get("/diem-thu"))
    assert retention.forget(at=NOW + timedelta(days=9_999)) == 0, "nothing is said of days: kept for good"
    monkeypatch.setenv("MOTCUA_RAW_KEPT_DAYS", "30")
    assert retention.forget(at=NOW + timedelta(days=30)) == 0
    held.keep_raw(b"{}", NOW - timedelta(days=1))
    Message.objects.filter(body=b"{}").update(unread=True)
    assert retention.forget(at=NOW + timedelta(days=30, seconds=60)) == 3, "what is not read yet stays whole"
    assert retention.forget(at=NOW + timedelta(days=31)) == 0
    shown = operator.post(f"/diem-thu/ban-tin/{number}", {"reason": "đối chiếu theo phiếu xử lý 12"})
    assert "Nguyên văn đã được xoá theo thời hạn lưu" in _text(shown) and OWNER not in shown.content.decode()
    assert OWNER in Record.objects.get(code=CODE).body
    Message.objects.filter(unread=True).delete()
    assert _text(operator.get("/diem-thu")).split("Lỗi")[0] == counted.split("Lỗi")[0]
    for bad in ("0", "ba mươi", "1.5", "-3"):
        monkeypatch.setenv("MOTCUA_RAW_KEPT_DAYS", bad)
        with pytest.raises(Unreadable, match="MOTCUA_RAW_KEPT_DAYS"):
            retention.forget(at=NOW)


def test_only_operators_and_inspectors_of_the_province_have_the_pages(client: Client, day: httpx.Client) -> None:
    number = Message.objects.order_by("pk").first().pk  # type: ignore[union-attr]
    for name, status in (("van-hanh", 200), ("lanh-dao", 403), ("xa", 403)):
        client.force_login(User.objects.get(username=name))
        for address in ("/diem-thu", "/diem-thu/ban-tin", "/diem-thu/ban-tin.xlsx", f"/diem-thu/ban-tin/{number}"):
            assert client.get(address).status_code == status, (name, address)
        assert client.post(f"/diem-thu/ban-tin/{number}", {"reason": "một lý do đủ dài"}).status_code == status
    assert Look.objects.count() == 1


@pytest.mark.parametrize(("on", "in_menu"), [({"oversight"}, True), ({"oversight", "exchange"}, False)])
def test_the_menu_leads_there_only_where_nothing_else_does(
    operator: Client, monkeypatch: pytest.MonkeyPatch, on: set[str], in_menu: bool
) -> None:
    monkeypatch.setattr(parts, "on", lambda: frozenset(on))
    head = operator.get("/diem-thu").content.decode().split("</header>")[0]
    assert ('href="/diem-thu"' in head) is in_menu
    if "exchange" in on:
        assert 'href="/diem-thu"' in operator.get("/dong-bo").content.decode()


def test_english_says_nothing_in_vietnamese(operator: Client) -> None:
    operator.cookies["django_language"] = "en"
    number = Message.objects.order_by("pk").first().pk  # type: ignore[union-attr]
    for address, told in (("/diem-thu", "Today, by sender and service"), ("/diem-thu/ban-tin", "Came at"),
                          (f"/diem-thu/ban-tin/{number}", "Collector → national portal")):  # fmt: skip
        assert told in _text(operator.get(address)), address


def test_a_list_asks_the_database_no_more_for_more_rows(operator: Client, django_assert_max_num_queries: Any) -> None:
    rows = [Message(received_at=NOW, sender="H99", service="TraCuuHoSo", body=b"{}", error_code=0) for _ in range(60)]
    Message.objects.bulk_create(rows)
    with django_assert_max_num_queries(6, using="mirror"):
        operator.get("/diem-thu/ban-tin")


def test_every_outcome_and_shape_has_words() -> None:
    assert set(words.OUTCOMES) == set(words.SHAPES) == set(traffic.OUTCOMES)
    assert datetime(2026, 3, 12, 8, tzinfo=UTC) == NOW


# ---- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(live_server: Any, day: httpx.Client) -> Iterator[Any]:
    """A page of the system's chromium, signed in as the operator."""
    with chromium() as browser:
        page = page_of(browser, live_server.url)
        person = User.objects.get(username="van-hanh")
        person.set_password(PASSWORD)
        person.save()
        sign_in(page, "van-hanh", PASSWORD, at="/diem-thu")
        page.locator("h1", has_text="Điểm thu dữ liệu").wait_for()
        yield page


def _sound(page: Any, name: str) -> None:
    """No fault that axe sees, nothing wider than the screen, at a desk and on a phone."""
    for width, height in ((1366, 768), (360, 640)):
        page.set_viewport_size({"width": width, "height": height})
        assert not (found := violations(page)), found
        assert width_needed(page) <= width
        if folder := os.environ.get("MOTCUA_PICTURES"):
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1366, "height": 768})


def test_an_operator_finds_a_message_by_its_dossier_and_reads_both_sides(page: Any) -> None:
    _sound(page, "collector")
    page.fill("#code", CODE)
    page.click("button:has-text('Tìm bản tin')")
    page.locator("#total", has_text="2 bản tin").wait_for()
    _sound(page, "messages")
    page.locator("tbody a").last.click()
    page.locator("h2", has_text="3. Cổng DVCQG trả lời").wait_for()
    assert OWNER not in page.inner_text("main")
    page.fill("#reason", "kiểm tra theo đề nghị của Phường Mẫu")
    page.click("button:has-text('Xem nguyên văn')")
    page.locator("text=Đang xem nguyên văn").wait_for()
    assert OWNER in page.inner_text("main") and "kiểm tra theo đề nghị của Phường Mẫu" in page.inner_text("main")
    _sound(page, "message")
