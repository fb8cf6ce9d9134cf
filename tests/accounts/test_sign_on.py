"""Sign-on by OpenID Connect against a provider over real HTTP: joined by national id, false answers refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from django.test import Client
from tests.accounts.house import SECRET, WARD, person, units
from tests.accounts.provider import CLIENT, Provider, running
from tests.accounts.provider import SECRET as CLIENT_SECRET

from motcua.accounts import sign_on, totp
from motcua.accounts.models import Factor, User
from motcua.ledger.models import Change
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NUMBER = "001099000123"
FAULTS = ("issuer", "audience", "expired", "nonce", "signature", "unsigned", "userinfo")


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    units()
    with running(SoDinhDanh=NUMBER, HoVaTen="Đặng Minh Đức", ThuDienTu="duc@mau.gov.vn") as provider:
        (tmp_path / "bi-mat").write_text(CLIENT_SECRET + "\n")
        file = tmp_path / "sign-on.toml"
        file.write_text(
            f'title = "VNConnect"\nissuer = "{provider.issuer}"\nclient_id = "{CLIENT}"\nsecret_file = "bi-mat"\n'
            'acr_values = "LoA1"\n'
        )
        monkeypatch.setenv("MOTCUA_SIGN_ON", str(file))
        yield provider


@pytest.fixture
def officer(provider: Provider) -> User:
    found = person("canbo", "officer", WARD, full_name="Đặng Minh Đức", email="cu@mau.gov.vn")
    User.objects.filter(pk=found.pk).update(national_id=NUMBER)
    return User.objects.get(pk=found.pk)


def _through(client: Client, wanted: str = "") -> Any:
    """The browser's way: our button, the provider, back to us."""
    there = client.get("/dang-nhap/tai-khoan-chung", {"next": wanted} if wanted else {})
    assert there.status_code == 302
    answer = httpx.get(there["Location"], follow_redirects=False)
    back = urlsplit(answer.headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def test_who_has_an_account_is_signed_in_by_the_national_id(client: Client, provider: Provider, officer: User) -> None:
    assert "Đăng nhập bằng VNConnect" in client.get("/dang-nhap").content.decode()
    assert _through(client, "/trang-cua-toi")["Location"] == "/trang-cua-toi"
    assert "Đặng Minh Đức" in client.get("/trang-cua-toi").content.decode()
    asked = provider.asked[0]
    assert asked["acr_values"] == "LoA1" and asked["response_type"] == "code" and "openid" in asked["scope"]
    assert asked["code_challenge_method"] == "S256" and len(asked["state"]) > 20 and len(asked["nonce"]) > 20
    officer.refresh_from_db()
    assert officer.activated_at is not None
    assert Change.objects.get(key="canbo").after == {"activated": "by sign-on"}


def test_the_same_e_mail_alone_opens_nothing_and_nobody_is_registered(client: Client, provider: Provider) -> None:
    person("nguoicu", "officer", WARD, email="duc@mau.gov.vn")
    reply = _through(client)
    assert reply.status_code == 403 and "Chưa có tài khoản mang số định danh này" in reply.content.decode()
    assert User.objects.count() == 1 and client.get("/trang-cua-toi").status_code == 302


def test_a_locked_account_and_one_without_an_id_stay_outside(client: Client, provider: Provider, officer: User) -> None:
    User.objects.update(is_active=False)
    assert "đã khóa" in _through(client).content.decode()
    provider.person["SoDinhDanh"] = ""
    assert "không cho biết số định danh" in _through(client).content.decode()
    assert client.get("/trang-cua-toi").status_code == 302


@pytest.mark.parametrize("fault", FAULTS)
def test_a_false_answer_of_the_provider_opens_nothing(
    client: Client, provider: Provider, officer: User, fault: str
) -> None:
    provider.fault = fault
    reply = _through(client)
    assert reply.status_code == 403 and "chưa trả lời đúng" in reply.content.decode()
    assert client.get("/trang-cua-toi").status_code == 302


@pytest.mark.parametrize(("fault", "said"), [("state", "quá lâu hoặc mở ở cửa sổ khác"), ("cancelled", "đã hủy")])
def test_another_windows_answer_and_a_cancelled_one(
    client: Client, provider: Provider, officer: User, fault: str, said: str
) -> None:
    provider.fault = fault
    assert said in _through(client).content.decode()


def test_an_answer_works_once_and_only_in_the_browser_that_asked(
    client: Client, provider: Provider, officer: User
) -> None:
    there = client.get("/dang-nhap/tai-khoan-chung")["Location"]
    back = urlsplit(httpx.get(there, follow_redirects=False).headers["Location"])
    address = f"{back.path}?{back.query}"
    assert Client().get(address).status_code == 403, "a stranger who saw the address"
    assert client.get(address).status_code == 302
    again = Client()
    again.cookies = client.cookies
    again.post("/dang-xuat")
    assert again.get(address).status_code == 403


def test_a_second_factor_is_still_asked_for(client: Client, provider: Provider, officer: User) -> None:
    Factor.objects.create(user=officer, kind="app", secret=totp.new_seed(), added_at=officer.date_joined)
    assert _through(client)["Location"] == "/dang-nhap/lop-hai"
    assert client.get("/trang-cua-toi").status_code == 302


def test_a_provider_that_is_away_is_said_and_the_password_still_works(client: Client, officer: User) -> None:
    officer.set_password(SECRET)
    officer.save()
    found = sign_on.provider()
    assert found is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sign_on, "provider", lambda: sign_on.Provider(issuer="http://127.0.0.1:1", client_id=CLIENT))
        reply = client.get("/dang-nhap/tai-khoan-chung")
    assert reply.status_code == 403 and "Dùng mật khẩu" in reply.content.decode()
    assert client.post("/dang-nhap", {"username": "canbo", "password": SECRET}).status_code == 302


def test_without_its_file_there_is_no_button_and_no_page(client: Client) -> None:
    units()
    person("canbo", "officer", WARD)
    assert "tai-khoan-chung" not in client.get("/dang-nhap").content.decode()
    assert client.get("/dang-nhap/tai-khoan-chung").status_code == 404
    assert client.get("/dang-nhap/tro-ve").status_code == 404


_ISSUER = 'issuer = "https://a.vn"\n'


@pytest.mark.parametrize(
    "text",
    [_ISSUER, 'issuer = "http://a.vn"\nclient_id = "m"', _ISSUER + 'client_id = "m"\nx = 1',
     _ISSUER + 'client_id = "m"\nsecret_file = "khong-co"', "= ="],
    ids=["no client", "not by TLS", "a word that is none", "no such secret", "no TOML"],
)  # fmt: skip
def test_a_file_that_is_wrong_names_itself(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sign-on.toml"
    file.write_text(text)
    with pytest.raises(Unreadable, match=r"sign-on\.toml"):
        sign_on.read(file)


def test_endpoints_that_the_file_names_need_no_discovery(provider: Provider) -> None:
    named = {name: f"{provider.issuer}/{name}" for name in ("authorize", "token", "userinfo", "jwks")}
    found = sign_on.Provider(issuer="https://sso.example", client_id=CLIENT, endpoints=named)
    address, kept = sign_on.begin(found, back="http://testserver/dang-nhap/tro-ve")
    assert address.startswith(f"{provider.issuer}/authorize?")
    assert parse_qs(urlsplit(address).query)["state"] == [kept["state"]]
