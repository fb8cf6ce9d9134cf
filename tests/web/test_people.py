"""Pages about people: in and out, two steps, sheets and e-mails; a unit's administrator sees that unit alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.accounts.house import OTHER, SECRET, WARD, person, units, workbook
from tests.accounts.post_office import open_office
from tests.browsers import chromium, complaints_of, known_as, page_of, violations, width_needed

from motcua.accounts import codes, factors, invitations, posts, totp, tries
from motcua.accounts.models import Factor, Invitation, Post, Roster, SignedIn, User
from motcua.catalogue.models import Agency
from motcua.ledger.models import Change
from motcua.notices import sending
from motcua.notices.models import Sending
from motcua.rules.instants import local_day
from motcua.web import mail
from motcua.web.notices import outbox

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NEW = "mot-cau-moi-cung-dai"


@pytest.fixture(autouse=True)
def _house(home: Path) -> None:
    units()


@pytest.fixture
def officer() -> User:
    return _fresh(person("canbo", "officer", WARD, full_name="Đặng Minh Đức", email="duc@mau.gov.vn", password=SECRET))


@pytest.fixture
def chief(client: Client) -> Client:
    """The ward's administrator, signed in."""
    client.force_login(_fresh(person("quantriphuong", "administrator", WARD, full_name="Phan Văn Tú", password=SECRET)))
    return client


def _fresh(someone: User) -> User:
    """Whose days to set a second factor up have just begun."""
    User.objects.filter(pk=someone.pk).update(activated_at=timezone.now())
    return User.objects.get(pk=someone.pk)


def _enter(client: Client, name: str, password: str = SECRET, **how: str) -> Any:
    return client.post("/dang-nhap", {"username": name, "password": password}, **how)


# ---- in ---------------------------------------------------------------------------------------------------------


def test_one_comes_in_by_account_name_or_by_work_e_mail(client: Client, officer: User) -> None:
    for name in ("canbo", "DUC@mau.gov.vn"):
        assert _enter(client, name)["Location"] == "/trang-dau"
        client.post("/dang-xuat")
    assert "chưa đúng" in _enter(client, "canbo", "sai").content.decode()
    User.objects.update(is_active=False)
    assert "chưa đúng" in _enter(client, "canbo").content.decode(), "locked looks like wrong"


def test_signing_in_leads_to_the_page_that_was_wanted_and_to_no_other_house(client: Client, officer: User) -> None:
    assert client.get("/trang-cua-toi")["Location"] == "/dang-nhap?next=/trang-cua-toi"
    for wanted, there in (
        ("/trang-cua-toi", "/trang-cua-toi"),
        ("https://khac.example/", "/trang-dau"),
        ("//x", "/trang-dau"),
        ("/", "/trang-dau"),  # the house's bare address is no wish: each begins at their own work
    ):
        reply = client.post("/dang-nhap", {"username": "canbo", "password": SECRET, "next": wanted})
        assert reply["Location"] == there
        client.post("/dang-xuat")


def test_guessing_is_slowed_down_by_account_and_address_and_others_come_in(client: Client, officer: User) -> None:
    person("motcua", "clerk", WARD, password=SECRET)
    for _ in range(tries.PASSWORD.count):
        assert _enter(client, "canbo", "sai").status_code == 200
    waits = _enter(client, "canbo", SECRET)
    assert waits.status_code == 429 and re.search(r"Chờ \d phút", waits.content.decode())
    assert _enter(client, "CANBO", SECRET).status_code == 429, "the same account, written otherwise"
    assert _enter(Client(), "motcua").status_code == 302
    assert _enter(Client(), "canbo", REMOTE_ADDR="10.0.0.9").status_code == 302, "its owner elsewhere"


def test_behind_a_proxy_on_this_machine_each_address_counts_for_itself(client: Client, officer: User) -> None:
    for _ in range(tries.PASSWORD.count):
        _enter(client, "canbo", "sai", HTTP_X_FORWARDED_FOR="1.1.1.1, 10.0.0.1")
    assert _enter(client, "canbo", HTTP_X_FORWARDED_FOR="10.0.0.1").status_code == 429
    assert _enter(client, "canbo", HTTP_X_FORWARDED_FOR="10.0.0.2").status_code == 302


# ---- two steps --------------------------------------------------------------------------------------------------


def _with_app(someone: User) -> tuple[str, list[str]]:
    seed, before = totp.new_seed(), timezone.now() - timedelta(minutes=5)
    return seed, factors.add_app(someone, seed=seed, code=totp.code(seed, totp.step_of(before)), by="x", at=before)


def test_with_a_second_factor_a_password_alone_opens_nothing(client: Client, officer: User) -> None:
    seed, recovery = _with_app(officer)
    assert _enter(client, "canbo")["Location"] == "/dang-nhap/lop-hai"
    assert client.get("/trang-cua-toi").status_code == 302
    wrong = client.post("/dang-nhap/lop-hai", {"code": "12"})
    assert wrong.status_code == 400 and "Mã chưa đúng" in wrong.content.decode()
    digits = totp.code(seed, totp.step_of(timezone.now()))
    assert client.post("/dang-nhap/lop-hai", {"code": digits})["Location"] == "/trang-dau"
    assert client.get("/trang-cua-toi").status_code == 200
    other = Client()
    _enter(other, "canbo")
    assert other.post("/dang-nhap/lop-hai", {"code": recovery[0]}).status_code == 302
    assert "Còn 7 mã dự phòng" in other.get("/trang-cua-toi").content.decode()


def test_who_owes_one_sets_it_up_before_any_other_page(client: Client) -> None:
    inspector = _fresh(person("thanhtra", "inspector", "", password=SECRET))
    _enter(client, "thanhtra")
    assert "Bật xác thực hai lớp trước ngày" in client.get("/trang-cua-toi").content.decode()
    User.objects.filter(pk=inspector.pk).update(activated_at=timezone.now() - timedelta(days=8))
    for address in ("/", "/ho-so", "/trang-cua-toi", "/tim?q=H99"):
        assert client.get(address)["Location"] == "/trang-cua-toi/hai-lop"
    text = client.get("/trang-cua-toi/hai-lop").content.decode()
    seed = client.session["app_seed"]
    assert "<svg" in text and seed[:4] in text
    given = {"act": "app", "code": totp.code(seed, totp.step_of(timezone.now()))}
    shown = client.post("/trang-cua-toi/hai-lop", given).content.decode()
    assert len(re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", shown)) >= factors.RECOVERY_CODES
    assert client.get("/trang-cua-toi").status_code == 200
    assert Change.objects.filter(table="accounts_factor", key="thanhtra").exists()


def test_a_session_from_before_shows_it_too_and_a_password_alone_adds_no_second(client: Client, officer: User) -> None:
    client.force_login(officer)
    assert client.get("/trang-cua-toi").status_code == 200
    _with_app(officer)
    assert client.get("/trang-cua-toi")["Location"] == "/dang-nhap/lop-hai"
    assert client.get("/trang-cua-toi/hai-lop")["Location"] == "/dang-nhap/lop-hai"
    assert (
        client.post("/trang-cua-toi/hai-lop", {"act": "remove", "factor": Factor.objects.get().pk}).status_code == 302
    )
    assert Factor.objects.count() == 1


@pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
def test_a_security_key_in_a_real_browser(live_server: Any, officer: User) -> None:
    with chromium() as browser:
        page = page_of(browser, live_server.url.replace("127.0.0.1", "localhost"))
        complaints = complaints_of(page)
        machine = page.context.new_cdp_session(page)
        machine.send("WebAuthn.enable")
        machine.send("WebAuthn.addVirtualAuthenticator", {"options": {
            "protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}})  # fmt: skip
        page.goto("/dang-nhap")
        assert not (found := violations(page)), found
        _type_in(page)
        page.goto("/trang-cua-toi/hai-lop")
        assert not (found := violations(page)), found
        page.fill("[data-passkey] [name=name]", "khóa xanh")
        page.click("[data-passkey] button")
        page.locator("h1", has_text="Mã dự phòng").wait_for()
        assert page.locator(".codes li").count() == factors.RECOVERY_CODES
        assert not (found := violations(page)), found
        page.goto("/trang-cua-toi")
        assert "khóa xanh" in page.locator("#hai-lop").inner_text()
        page.click(".menu summary")
        page.click("form[action='/dang-xuat'] button")
        _type_in(page)
        page.locator("h1", has_text="Xác thực lớp hai").wait_for()
        assert not (found := violations(page)), found
        page.click("[data-passkey] button")
        page.locator(".menu").wait_for()
        assert "/dang-nhap" not in page.url and not complaints
    key = Factor.objects.get(kind="key")
    assert key.name == "khóa xanh" and key.used_at is not None and key.counter > 0


def _type_in(page: Any) -> None:
    page.fill("#id_username", "canbo")
    page.fill("#id_password", SECRET)
    page.click("button.main")
    page.locator("h1").wait_for()


# ---- the first password -----------------------------------------------------------------------------------------


def test_a_link_becomes_a_password_and_its_code_leaves_the_address(client: Client) -> None:
    new = person("moi", "clerk", WARD, full_name="Trần Thị Mới")
    ((_, code, _),) = invitations.issue([new], by="x", at=timezone.now())
    opened = client.get(f"/kich-hoat/{code}")
    assert opened["Location"] == "/kich-hoat" and code not in client.get("/kich-hoat").content.decode()
    assert "Trần Thị Mới" in client.get("/kich-hoat").content.decode()
    weak = client.post("/kich-hoat", {"password": "ngan", "again": "ngan"})
    assert weak.status_code == 400 and "ít nhất 10 ký tự" in weak.content.decode()
    assert "khác nhau" in client.post("/kich-hoat", {"password": NEW, "again": NEW + "x"}).content.decode()
    assert client.post("/kich-hoat", {"password": NEW, "again": NEW})["Location"] == "/trang-dau"
    assert client.get("/trang-cua-toi").status_code == 200
    assert "không dùng được" in Client().post("/kich-hoat", {"code": code}).content.decode()


def test_a_typed_code_does_the_same_and_guessing_codes_ends_in_waiting(client: Client) -> None:
    new = person("moi", "clerk", WARD)
    ((_, code, _),) = invitations.issue([new], by="x", at=timezone.now())
    assert "moi" in client.post("/kich-hoat", {"code": code.lower().replace("-", " ")}).content.decode()
    guesser = Client()
    for _ in range(tries.CODE.count):
        assert guesser.post("/kich-hoat", {"code": codes.new(4)}).status_code == 400
    assert "Chờ" in guesser.post("/kich-hoat", {"code": code}).content.decode()


def test_sheets_are_a_page_a_person_with_everything_to_type(chief: Client, officer: User, tmp_path: Path) -> None:
    new = person("moi", "clerk", WARD, full_name="Nguyễn Thị Ngọc Ưởng")
    reply = chief.post("/tai-khoan/cap-phieu", {"person": [new.pk, officer.pk], "way": "print"})
    assert reply["Content-Type"] == "application/pdf" and Invitation.objects.count() == 2
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine (apt-get install poppler-utils)")
    (tmp_path / "phieu.pdf").write_bytes(reply.content)
    drawn = subprocess.run(["pdftotext", "-layout", str(tmp_path / "phieu.pdf"), "-"], capture_output=True, check=True)
    first, second = drawn.stdout.decode().split("\f")[:2]
    assert "Nguyễn Thị Ngọc Ưởng" in second + first and "http://testserver/kich-hoat" in first
    for sheet in (first, second):
        found = re.search(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){3}", sheet)
        assert found and invitations.find(found[0], at=timezone.now()).user.username in sheet


def test_links_go_out_by_the_outbox_over_one_connection_and_the_list_says_how_each_stands(
    chief: Client, officer: User, settings: Any
) -> None:
    moi = person("moi", "clerk", WARD, email="moi@mau.gov.vn")
    ghost = person("hong", "clerk", WARD, email="hong@mau.gov.vn")
    bare = person("khong", "clerk", WARD)
    settings.EMAIL_BACKEND, settings.MAIL_FROM = "motcua.web.training.post.Backend", "motcua@mau.gov.vn"
    given = {"person": [moi.pk, officer.pk, ghost.pk, bare.pk], "way": "mail"}
    said = chief.post("/tai-khoan/cap-phieu", given, follow=True).content.decode()
    assert "của 3 người vào hàng gửi" in said and "1 người không có email công vụ" in said
    assert said.count("email đang chờ gửi") == 2, "the officer has a password: nothing is shown there"
    assert not moi.invitations.exists(), "the code is made when the letter goes out"
    now = timezone.now()
    with open_office(refuses=frozenset({"hong@mau.gov.vn"})) as office:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", office.port
        assert sending.run(outbox.letter, now=now) == 2
    assert office.connections == 1
    texts = office.texts()
    assert set(texts) == {"moi@mau.gov.vn", "duc@mau.gov.vn"}
    said = chief.get("/tai-khoan").content.decode()
    assert "email đã gửi" in said and "email gửi lại lúc" in said and "no such mailbox" in said
    kept = json.dumps(list(Sending.objects.values("facts", "error", "once", "address")))
    found = re.search(r"http://testserver(/kich-hoat/(\S+))", texts["moi@mau.gov.vn"])
    assert found and "Đặng Minh Đức" in texts["duc@mau.gov.vn"] and found[2] not in kept
    stranger = Client()
    stranger.get(found[1])
    assert stranger.post("/kich-hoat", {"password": NEW, "again": NEW}).status_code == 302
    with open_office() as office:
        settings.EMAIL_PORT = office.port
        assert sending.run(outbox.letter, now=now + timedelta(minutes=1)) == 1, "the mailbox is there by now"
    chief.post("/tai-khoan/cap-phieu", {"person": [ghost.pk], "way": "mail"})
    chief.post("/tai-khoan/cap-phieu", {"person": [ghost.pk], "way": "mail"})
    assert Sending.objects.filter(invites=ghost).count() == 1, "asked twice, sent once"
    User.objects.filter(pk=ghost.pk).update(is_active=False)
    with open_office() as office:
        settings.EMAIL_PORT = office.port
        assert sending.run(outbox.letter, now=now + timedelta(minutes=5)) == 0 and not office.messages
    assert Sending.objects.get(invites=ghost).error == "tài khoản đã khóa"


def test_the_mail_server_is_read_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "mat-khau").write_text("bi-mat\n")
    given = {
        "MOTCUA_SMTP": "smtp://nguoi%40mau.vn@mail.mau.vn",
        "MOTCUA_SMTP_PASSWORD_FILE": str(tmp_path / "mat-khau"),
    }
    sender, server = mail.configuration(given)
    assert sender == "nguoi@mau.vn" and (server.host, server.port, server.starttls) == ("mail.mau.vn", 587, True)
    assert server.password == "bi-mat" and "bi-mat" not in repr(server)
    assert mail.configuration({}) == ("", mail.Server())
    for wrong in ({"MOTCUA_SMTP": "mail.mau.vn"}, {"MOTCUA_SMTP": "smtp://mail.mau.vn"}):
        with pytest.raises(ValueError, match="MOTCUA_"):
            mail.configuration(wrong)


# ---- whose ------------------------------------------------------------------------------------------------------


def test_a_units_administrator_sees_and_touches_that_unit_alone(chief: Client, officer: User) -> None:
    neighbour = person("phuongkhac", "officer", OTHER, full_name="Hồ Thị Yến")
    inspector = person("thanhtra", "inspector", "", full_name="Trần Thị Mai")
    posts.give(person=inspector, role="officer", agency=WARD, first=None, by="x", at=timezone.now())
    page = chief.get("/tai-khoan").content.decode()
    assert "Đặng Minh Đức" in page and "Hồ Thị Yến" not in page and "Trần Thị Mai" in page
    assert "Hồ Thị Yến" not in str(chief.get("/tai-khoan.xlsx").content)
    assert chief.get(f"/tai-khoan/{neighbour.pk}").status_code == 404
    assert chief.post(f"/tai-khoan/{neighbour.pk}", {"act": "lock", "sure": "1"}).status_code == 404
    # Who is an inspector too is seen, and keeps the password that opens the province.
    seen = chief.get(f"/tai-khoan/{inspector.pk}").content.decode()
    assert "do quản trị tỉnh làm" in seen and "In phiếu" not in seen
    for act in ("link", "lock", "factors", "sign_out", "correct"):
        given = {"act": act, "sure": "1", "full_name": "Tên Khác"}
        assert chief.post(f"/tai-khoan/{inspector.pk}", given).status_code == 400, act
    chief.post("/tai-khoan/cap-phieu", {"person": [inspector.pk, neighbour.pk], "way": "print"})
    assert not Invitation.objects.exists()
    for role, unit in (("inspector", ""), ("officer", OTHER), ("administrator", "")):
        given = {"act": "give", "role": role, "unit": unit, "first": "2026-03-06"}
        assert chief.post(f"/tai-khoan/{officer.pk}", given).status_code == 400
    assert set(officer.posts.values_list("role", "agency")) == {("officer", WARD)}


@pytest.mark.parametrize("role", [role for role in Post.Role.values if role != "administrator"])
def test_nobody_else_has_the_pages(client: Client, role: str) -> None:
    client.force_login(_fresh(person("ai-do", role, "" if role in ("inspector", "leader", "operator") else WARD)))
    for address in ("/tai-khoan", "/tai-khoan/moi", "/tai-khoan/danh-sach", "/tai-khoan/mau.xlsx", "/tai-khoan.xlsx"):
        assert client.get(address).status_code == 403, address
    assert 'href="/tai-khoan"' not in client.get("/trang-cua-toi").content.decode()


def test_a_list_of_another_administrator_is_not_there(chief: Client) -> None:
    given = Roster.objects.create(file="x", by="ai-khac", given_at=timezone.now())
    assert chief.get(f"/tai-khoan/danh-sach/{given.pk}").status_code == 404
    assert chief.get(f"/tai-khoan/danh-sach/{given.pk}/tu-choi.xlsx").status_code == 404


def test_a_person_by_hand_with_a_link_to_copy(chief: Client) -> None:
    given = {
        "full_name": "Trần Thị Mới",
        "email": "moi@mau.gov.vn",
        "role": "clerk",
        "unit": WARD,
        "first": "06/03/2026",
    }
    wrong = chief.post("/tai-khoan/moi", {**given, "unit": OTHER})
    assert wrong.status_code == 400 and 'value="Trần Thị Mới"' in wrong.content.decode()
    assert not User.objects.filter(username="moi").exists(), "the account with its post, or neither"
    there = chief.post("/tai-khoan/moi", given)["Location"]
    shown = chief.post(there, {"act": "link"}).content.decode()
    link = re.search(r'value="http://testserver(/kich-hoat/[^"]+)"', shown)
    assert link and Client().get(link[1]).status_code == 302
    assert link[1] not in chief.get(there).content.decode(), "shown once"


def test_the_list_is_searched_without_diacritics_and_filtered(chief: Client, officer: User) -> None:
    person("moi", "clerk", WARD, full_name="Trần Thị Mới")
    for query, found in (("text=dang%20duc", {"canbo"}), ("state=new", {"moi"}), ("role=officer", {"canbo"}),
                         ("text=khong", set())):  # fmt: skip
        page = chief.get(f"/tai-khoan?{query}").content.decode()
        assert {name for name in ("canbo", "moi") if f"<small>{name}" in page} == found, query


def test_a_province_of_many_is_listed_in_few_questions(client: Client, django_assert_max_num_queries: Any) -> None:
    client.force_login(_fresh(person("quantri", "administrator", "", password=SECRET)))
    for n in range(150):
        person(f"nguoi{n:03}", "officer", WARD if n % 2 else OTHER)
    with django_assert_max_num_queries(30):
        page = client.get("/tai-khoan").content.decode()
    assert page.count('<th scope="row">') == 100 and "1–100 trong 151" in page
    assert client.get("/tai-khoan?from=100").content.decode().count('<th scope="row">') == 51


def test_who_came_and_who_leaves_is_told_the_next_first(chief: Client) -> None:
    on = local_day(timezone.now())
    days = {"saptoi": 3, "hom-kia": -2, "xua": -90}
    for name, far in days.items():
        person(name, "officer", WARD, full_name=f"Người {name}", first=on + timedelta(days=far))
    person("thoi", "clerk", WARD, full_name="Người thoi", first=on - timedelta(days=400), last=on + timedelta(days=9))
    person("noikhac", "clerk", OTHER, full_name="Người noikhac", first=on)
    page = chief.get("/tai-khoan").content.decode()
    told = page[page.index('class="card moves"') : page.index('class="controls"')]
    assert re.findall(r">Người ([\w-]+)</a>", told) == ["saptoi", "thoi", "hom-kia"]
    assert told.count("sắp tới</span>") == 2 + 1  # and in the title


_PAGES = ("/tai-khoan", "/tai-khoan?text=khong", "/tai-khoan/moi", "/tai-khoan/danh-sach", "/trang-cua-toi",
          "/trang-cua-toi/hai-lop", "/kich-hoat")  # fmt: skip


def test_pages_in_english_say_nothing_in_vietnamese(chief: Client) -> None:
    User.objects.update(full_name="Phan")
    Agency.objects.update(name="Ward")
    given = Roster.objects.create(
        file="x.xlsx", by="quantriphuong", given_at=timezone.now(), headings=["a"], columns={"full_name": 0, "role": 1},
        rows=[[2, ["An", "clerk"]], [3, ["", "guard"]]],
    )  # fmt: skip
    who = User.objects.get(username="quantriphuong").pk
    chief.cookies["django_language"] = "en"
    for address in (*_PAGES, f"/tai-khoan/{who}", f"/tai-khoan/danh-sach/{given.pk}"):
        said = re.sub(r">Tiếng Việt<", "", unescape(chief.get(address).content.decode()))
        assert not re.search("[À-ỹđĐ]", said), (address, re.findall(".{30}[À-ỹđĐ].{30}", said)[:3])
    stranger = Client()
    stranger.cookies["django_language"] = "en"
    for address in ("/dang-nhap", "/kich-hoat"):
        said = re.sub(r">Tiếng Việt<", "", unescape(stranger.get(address).content.decode()))
        assert not re.search("[À-ỹđĐ]", said), address


@pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
def test_every_page_is_accessible_and_no_wider_than_a_phone(live_server: Any, officer: User) -> None:
    on = local_day(timezone.now())
    chief = _fresh(person("quantriphuong", "administrator", WARD, full_name="Phan Văn Tú", password=SECRET, first=on))
    Post.objects.create(user=officer, role="focal_point", agency=WARD, valid_to=on)
    Post.objects.create(user=person("den"), role="officer", agency=WARD, valid_from=on, proposed=True)
    client = Client()
    client.force_login(chief)
    with chromium() as browser:
        page = known_as(page_of(browser, live_server.url), client, live_server.url)
        for address in (*_PAGES, f"/tai-khoan/{officer.pk}"):
            page.set_viewport_size({"width": 1366, "height": 768})
            page.goto(address)
            assert not (found := violations(page)), (address, found)
            tops = page.eval_on_selector_all("header.top > *:not(.owed)", "all => all.map(e => e.offsetTop)")
            assert max(tops) - min(tops) < 30, "the head is one line"
            page.set_viewport_size({"width": 360, "height": 740})
            assert width_needed(page) <= 360, address


# ---- several posts ----------------------------------------------------------------------------------------------


def test_the_post_is_chosen_at_the_top_and_home_and_menu_follow(client: Client, officer: User) -> None:
    posts.give(person=officer, role="administrator", agency=WARD, first=None, by="x", at=timezone.now())
    client.force_login(officer)
    assert client.get("/trang-dau")["Location"] != "/tai-khoan"
    refused = client.get("/tai-khoan")
    chief = officer.posts.get(role="administrator")
    assert refused.status_code == 403 and f'value="{chief.pk}"' in refused.content.decode()
    reply = client.post("/trang-cua-toi/chuc-danh", {"post": chief.pk, "next": "/tai-khoan"}, follow=True)
    assert "Đang làm việc với chức danh: Quản trị đơn vị" in reply.content.decode()
    assert client.get("/trang-dau")["Location"] == "/tai-khoan"
    neighbour = person("phuongkhac", "administrator", OTHER)
    client.post("/trang-cua-toi/chuc-danh", {"post": neighbour.posts.get().pk})
    assert User.objects.get(pk=officer.pk).chosen_post == chief, "nobody takes another's post"


def test_without_a_post_today_a_page_says_what_to_do(client: Client, officer: User) -> None:
    posts.end(post=officer.posts.get(), last=local_day(timezone.now()) - timedelta(days=1), by="x", at=timezone.now())
    client.force_login(officer)
    assert "Chưa có chức danh" in client.get("/trang-dau").content.decode()


def test_a_new_password_wants_the_old_one_and_ends_other_sessions(client: Client, officer: User) -> None:
    other = Client()
    for browser in (client, other):
        _enter(browser, "canbo")
        browser.get("/trang-cua-toi")
    assert SignedIn.objects.count() == 2
    wrong = client.post("/trang-cua-toi/mat-khau", {"now": "sai", "password": NEW, "again": NEW})
    assert wrong.status_code == 400 and "chưa đúng" in wrong.content.decode()
    assert client.post("/trang-cua-toi/mat-khau", {"now": SECRET, "password": NEW, "again": NEW}).status_code == 302
    assert client.get("/trang-cua-toi").status_code == 200 and other.get("/trang-cua-toi").status_code == 302


# ---- lists ------------------------------------------------------------------------------------------------------


def test_a_list_by_the_page_is_looked_at_corrected_and_taken(chief: Client) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    rows = [("Trần Thị Mai", "mai@mau.gov.vn", "", "Bộ phận trả kết quả", "Công chức một cửa"),
            ("Lê Văn Bình", "khong-phai", "", WARD, "Công chức thụ lý")]  # fmt: skip
    there = chief.post("/tai-khoan/danh-sach", {"file": SimpleUploadedFile("ds.xlsx", workbook(rows))})["Location"]
    page = chief.get(there).content.decode()
    assert "<b>2</b> từ chối" in page and 'name="said" value="Bộ phận trả kết quả"' in page
    chief.post(there, {"act": "units", "said": ["Bộ phận trả kết quả"], "meant": [f"{WARD} UBND phường Mẫu"]})
    assert "<b>1</b> người mới" in chief.get(there).content.decode()
    assert chief.get(there + "/tu-choi.xlsx").content[:2] == b"PK"
    assert "Đã nạp: 1 người mới" in chief.post(there, {"act": "take"}, follow=True).content.decode()
    assert Post.objects.get(user__username="mai").agency == WARD
    for name, content in (("x.pdf", b"%PDF-1.7"), ("x.xlsx", b"")):
        reply = chief.post("/tai-khoan/danh-sach", {"file": SimpleUploadedFile(name, content)})
        assert reply.status_code == 400 and 'role="alert"' in reply.content.decode()
