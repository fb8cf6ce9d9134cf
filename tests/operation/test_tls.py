"""The documented way in: nginx with TLS before the web, `deploy/nginx/motcua.conf` as it is shipped."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from tests.served import running

from motcua.cli.demo import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "một-mật-khẩu-đủ-dài"
pytestmark = pytest.mark.skipif(
    not Path("/usr/sbin/nginx").exists() or not shutil.which("openssl"),
    reason="nginx or openssl is not on this machine",
)


def _config(folder: Path, ports: dict[str, int]) -> Path:
    """The shipped file on these ports, with a certificate made for this test."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    conf = (ROOT / "deploy" / "nginx" / "motcua.conf").read_text()
    for told, meant in (
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{ports['plain']};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{ports['tls']} ssl"),
        ("https://$host$request_uri", f"https://$host:{ports['tls']}$request_uri"),
        ("127.0.0.1:8765", f"127.0.0.1:{ports['web']}"),
        ("Host $host;", "Host $http_host;"),
        ("motcua.example.vn", "localhost"),
        ("/etc/ssl/motcua", str(folder)),
    ):
        assert told in conf, told
        conf = conf.replace(told, meant)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 64; }}\nhttp {{ {temporary}\naccess_log off;\n{conf}\n}}\n"
    )
    return file


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, str, ssl.SSLContext]]:
    """The plain and the TLS address of a house with one inspector, and whom to trust."""
    ports = {name: free_port() for name in ("plain", "tls", "web")}
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "MIRROR_DATABASE_URL")}
    env |= {
        "MOTCUA_HOME": str(tmp_path / "home"), "MOTCUA_BEHIND_TLS": "1", "MOTCUA_HOSTS": "localhost,127.0.0.1",
    }  # fmt: skip
    secret = tmp_path / "secret.txt"
    secret.write_text(PASSWORD)
    motcua = [sys.executable, "-m", "motcua.cli"]
    add = [*motcua, "user", "add", "an", "--role", "inspector", "--password-file", str(secret)]
    subprocess.run(add, env=env, cwd=ROOT, check=True, capture_output=True)
    config = _config(tmp_path, ports)
    subprocess.run(["/usr/sbin/nginx", "-t", "-q", "-c", str(config)], check=True)
    trust = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
    plain, secure = f"http://localhost:{ports['plain']}", f"https://localhost:{ports['tls']}"
    web = running(
        [*motcua, "serve", "--port", str(ports["web"])], f"http://127.0.0.1:{ports['web']}/healthz", env=env, cwd=ROOT
    )
    with web, running(["/usr/sbin/nginx", "-c", str(config)], f"{secure}/healthz", trust):
        yield plain, secure, trust


def test_a_person_signs_in_over_tls_and_in_no_other_way(site: tuple[str, str, ssl.SSLContext]) -> None:
    plain, secure, trust = site
    moved = httpx.get(f"{plain}/dang-nhap?next=/ho-so", trust_env=False)
    assert moved.status_code == 301 and moved.headers["location"] == f"{secure}/dang-nhap?next=/ho-so"
    with httpx.Client(base_url=secure, verify=trust, trust_env=False, follow_redirects=True, timeout=60) as browser:
        page = browser.get("/dang-nhap")
        assert page.headers["strict-transport-security"].startswith("max-age=31536000")
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        fields = {"csrfmiddlewaretoken": token, "username": "an", "password": PASSWORD}
        headers = {"Origin": secure, "Referer": f"{secure}/dang-nhap"}
        done = browser.post("/dang-nhap", data=fields, headers=headers)
        assert done.status_code == 200 and done.url.path != "/dang-nhap", done.text[:600]
        assert all(cookie.secure for cookie in browser.cookies.jar)
        assert "sessionid" in {cookie.name for cookie in browser.cookies.jar}
        assert browser.get("/metrics").status_code == 403
        forged = browser.get("/dang-nhap", headers={"X-Forwarded-Proto": "http", "X-Forwarded-For": "127.0.0.1"})
        assert forged.status_code == 200 and "strict-transport-security" in forged.headers
