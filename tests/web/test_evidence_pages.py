"""The pages of evidence packs: the choice, the file, who may, and a pack checked in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.browsers import chromium, complaints_of, page_of, sign_in, violations, width_needed
from tests.story import Case, at

from motcua.accounts.models import Post, User
from motcua.dossiers.importing.run import Order, import_files
from motcua.evidence import check, envelope, make, orders
from motcua.evidence.models import Order as Ordered
from motcua.evidence.models import Pack
from motcua.mirror.load import load
from motcua.oversight import extract
from motcua.web.evidence import pages
from motcua.web.evidence.papers import papers

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = at("2026-04-01T09:00")
CODE = "H99.12-260302-0001"
ADDRESS = f"/goi-chung-cu?ho-so={CODE}"


@pytest.fixture
def province(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE)
    case.event(CODE, "finished", "2026-03-10T10:00", evidence="2026-03-06T15:00")
    case.record(CODE, 2, updating=False)
    dossiers, events, messages = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)
    for name, role, agency in (("thanhtra", "inspector", ""), ("xa-khac", "unit_head", "H99.99")):
        user = User.objects.create_user(name, password="demo-motcua")
        Post.objects.create(user=user, role=role, agency=agency)


@pytest.fixture
def inspector(client: Client, province: None) -> Client:
    client.force_login(User.objects.get(username="thanhtra"))
    return client


def test_the_page_gives_a_pack_that_proves_and_keeps_who_made_it(inspector: Client) -> None:
    reply = inspector.post("/goi-chung-cu", {"ho-so": CODE, "black_out": "personal", "reason": "gửi tòa"})
    assert reply["Content-Disposition"].startswith('attachment; filename="chung-cu-H99.12-260302-0001-')
    assert check.Check(reply.content).answer["ok"]
    cover = envelope.opened(reply.content)["cover.html"].decode()
    assert "<script" not in cover and "chậm thao tác" in cover and "Trần Thị Thử" not in cover
    assert Pack.objects.get().made_by == "thanhtra"
    assert "gửi tòa" in inspector.get(ADDRESS).content.decode()


def test_personal_data_are_shown_only_with_a_reason(inspector: Client) -> None:
    refused = inspector.post("/goi-chung-cu", {"ho-so": CODE, "black_out": "none", "reason": ""})
    assert refused.status_code == 400 and "phải ghi lý do" in refused.content.decode()
    assert not Pack.objects.exists()
    given = inspector.post("/goi-chung-cu", {"ho-so": CODE, "black_out": "none", "reason": "gửi tòa án tỉnh"})
    assert "Trần Thị Thử".encode() in given.content


def test_a_pack_of_many_dossiers_is_made_by_a_process_with_its_progress_on_a_page(
    inspector: Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "AT_ONCE", 0)
    started: list[Path] = []
    monkeypatch.setattr(orders, "start", started.append)
    reply = inspector.post("/goi-chung-cu", {"ho-so": CODE, "black_out": "personal", "reason": "lưu"}, follow=True)
    order = Ordered.objects.get()
    address = f"/goi-chung-cu/yeu-cau/{order.pk}"
    assert started == [home] and reply.redirect_chain == [(address, 302)]
    assert "Đang lập: 0/1 hồ sơ" in reply.content.decode() and not Pack.objects.exists()
    assert inspector.get(f"{address}/tai-ve").status_code == 404
    Ordered.objects.update(leased_until=NOW + orders.LEASE)
    assert orders.work(home, papers=papers, clock=lambda: NOW) == 0, "somebody is at it"
    later = NOW + 2 * orders.LEASE
    assert orders.work(home, papers=papers, clock=lambda: later) == 1, "who was at it is dead"
    told = inspector.get(address).content.decode()
    pack = Pack.objects.get()
    assert "Đã lập lúc" in told and pack.sha256 in told and pack.reason == "lưu"
    file = b"".join(inspector.get(f"{address}/tai-ve").streaming_content)
    assert check.Check(file).answer["ok"]
    assert CODE in inspector.get(ADDRESS).content.decode()
    other = Client()
    other.force_login(User.objects.get(username="xa-khac"))
    assert other.get(address).status_code == other.get(f"{address}/tai-ve").status_code == 404
    assert orders.forget(home, at=later + orders.KEPT) == 0 and orders.forget(home, at=later + 2 * orders.KEPT) == 1
    assert inspector.get(f"{address}/tai-ve").status_code == 404
    assert "quá ngày giữ" in inspector.get(address).content.decode()


def test_an_order_whose_process_dies_again_and_again_is_given_up(inspector: Client, home: Path) -> None:
    order = orders.ask(make.dossiers([CODE]), black_out="personal", reason="", by="thanhtra", at=NOW)
    Ordered.objects.update(tries=3)
    assert orders.work(home, papers=papers, clock=lambda: NOW) == 0
    assert "Không lập được" in inspector.get(f"/goi-chung-cu/yeu-cau/{order.pk}").content.decode()
    assert orders.waiting(at=NOW) == []


def test_a_colleague_of_another_ward_makes_no_pack(client: Client, province: None) -> None:
    client.force_login(User.objects.get(username="xa-khac"))
    assert client.get(ADDRESS).status_code == 403
    assert client.post("/goi-chung-cu", {"ho-so": CODE}).status_code == 403
    assert client.get("/goi-chung-cu").status_code == client.get("/goi-chung-cu?ho-so=H99-NO").status_code == 404


@pytest.fixture
def page(live_server: Any, province: None) -> Iterator[Any]:
    """A page of the system's chromium, signed in."""
    with chromium() as browser:
        page = page_of(browser, live_server.url)
        sign_in(page, "thanhtra", "demo-motcua", at="/")
        page.locator(".tiles").wait_for()
        yield page


def test_an_inspector_makes_a_pack_and_checks_it_and_a_damaged_one(page: Any, tmp_path: Path) -> None:
    complaints = complaints_of(page)
    page.goto(f"/ho-so/{CODE}")
    page.get_by_role("link", name="Lập gói chứng cứ").click()
    assert not (found := violations(page)), found
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Lập gói chứng cứ 1 hồ sơ").click()
    file = tmp_path / "pack.zip"
    waiting.value.save_as(file)
    damaged = tmp_path / "damaged.zip"
    data = bytearray(file.read_bytes())
    data[data.index(b"H99.12-260302-0001", 9000)] ^= 1
    damaged.write_bytes(data)
    page.get_by_role("link", name="Kiểm tra một gói").click()
    for given, answer in ((file, "Đạt"), (damaged, "Không đạt")):
        page.set_input_files("input[type=file]", given)
        page.get_by_role("button", name="Kiểm tra").click()
        page.locator("section[role=status]").wait_for()
        assert page.locator("section[role=status] strong").inner_text() == answer
        assert "frame" not in page.locator("section[role=status]").inner_text(), "English where Vietnamese is read"
        assert not (found := violations(page)), found
    assert not complaints
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(ADDRESS)
    assert width_needed(page) <= 360
