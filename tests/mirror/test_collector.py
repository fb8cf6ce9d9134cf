"""The collector beside the live line: what passes is unchanged and kept, and the line never depends on us."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx
import pytest
from django.db import DatabaseError
from tests.served import answers, served
from tests.story import at

from motcua.cli.demo import free_port
from motcua.mirror import door, watch
from motcua.mirror.collector import Collector
from motcua.mirror.models import Message, Record, Step
from motcua.mirror.server import Server
from motcua.mirror.tee import Tee
from motcua.wire.messages import build_record, build_step
from motcua.wire.profile import Profile

ROOT = Path(__file__).resolve().parents[2]
NOW = at("2026-04-01T09:00")
CODE = "H99.12-260302-0001"
ANSWER = '{ "error_code" : "0",\n "message":"Đồng bộ hồ sơ thành công" }'.encode()

for_real = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)


def _record(code: str = CODE) -> dict[str, Any]:
    return build_record({"MaHoSo": code, "MaTTHC": "1.000001", "DonViXuLy": "UBND xã Mẫu", "ChuHoSo": "Người",
                         "KenhThucHien": "1", "NgayTiepNhan": "20260302090000", "NgayHenTra": "20260309170000",
                         "TrangThaiHoSo": "2"})  # fmt: skip


def _step(code: str = CODE) -> dict[str, Any]:
    return build_step({"MaHoSo": code, "NguoiXuLy": "Lê Thị Mẫu", "ThoiDiemXuLy": "20260303090000",
                       "NoiDungXuLy": "Thẩm định", "TrangThai": "4"})  # fmt: skip


class Portal(ThreadingHTTPServer):
    """A portal that remembers each call and answers as it is told to, after a while."""

    daemon_threads = True

    def __init__(self, *, wait_s: float = 0.0, packed: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wait_s, self.packed = wait_s, packed
        self.calls: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Portal

    def log_message(self, *args: Any) -> None: ...

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.calls.append((self.command, self.path, dict(self.headers), body))
        time.sleep(self.server.wait_s)
        with suppress(ConnectionError):  # the collector was killed meanwhile
            self._answer()

    def _answer(self) -> None:
        answer = gzip.compress(ANSWER) if self.server.packed else ANSWER
        self.send_response(201 if "teapot" in self.path else 200, "Da nhan")
        self.send_header("Content-Type", "text/json;charset=UTF-8")
        self.send_header("X-Portal", "một".encode().decode("latin-1"))
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        if self.server.packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST


@contextmanager
def portal(**words: Any) -> Iterator[Portal]:
    server = Portal(**words)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def tee(real: Portal, collector: Collector | None = None, kept: Callable[[], object] | None = None) -> Iterator[str]:
    way = Tee(real.url)
    collector = collector or Collector(Server(Profile(forward_to=real.url)))
    with served(door.teed(way, collector, lambda: NOW, kept)) as url:
        yield url
    way.close()


@for_real
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_a_call_and_its_answer_pass_unchanged(packed: bool) -> None:
    body = json.dumps({"service": "DongBoHoSoMC", "madonvi": "H99", "data": [_record()]}, indent=2).encode()
    sent = {
        "Content-Type": "text/json",
        "dstcode": "VN:GOV:G22",
        "Authorization": "Basic eA==",
        "X-Own": "riêng".encode(),
    }
    with portal(packed=packed) as real, tee(real) as ours, httpx.Client(trust_env=False) as client:
        direct, through = (
            client.send(
                client.build_request("POST", f"{url}/teapot/api?a=1&b=%20x", content=body, headers=sent), stream=True
            )
            for url in (real.url, ours)
        )
        assert b"".join(direct.iter_raw()) == b"".join(through.iter_raw())
        assert (direct.status_code, direct.reason_phrase) == (through.status_code, through.reason_phrase)
        kept = [pair for pair in direct.headers.raw if pair[0].lower() not in (b"date", b"server", b"connection")]
        assert [pair for pair in kept if pair not in through.headers.raw] == []
    (_, path, headers, content), (_, path_2, headers_2, content_2) = real.calls
    assert (path, content) == (path_2, content_2)
    differing = {name for name in {*headers, *headers_2} if headers.get(name) != headers_2.get(name)}
    assert {name.lower() for name in differing if name.lower() not in {n.lower() for n in headers_2}} <= {"connection"}
    assert {n.lower(): v for n, v in headers_2.items() if n.lower() in ("dstcode", "authorization", "x-own")} == {
        "dstcode": "VN:GOV:G22", "authorization": "Basic eA==", "x-own": "riêng".encode().decode("latin-1"),
    }  # fmt: skip
    message = Message.objects.get()
    assert bytes(message.body) == body and message.reply == ANSWER.decode() and not message.unread
    assert (message.service, message.sender, message.error_code) == ("DongBoHoSoMC", "H99", 0)


@for_real
@pytest.mark.parametrize(
    ("address", "document"),
    [
        ("/hcm/api/SynsTTHCC/DongBoHoSoMC?" + urlencode({"MaDinhDanhDV": "H99", "isUpdating": "True"}), [_record()]),
        ("/hcm/api/SynsTTHCC/CapNhatTienDoHoSoMC?MaDinhDanhDV=H99", [_step()]),
        ("/dongbo/themmoi", [_record()]),
        ("/dongbo/tiendo", [_step()]),
        ("/x/KetNoiMotCuaQuocGia/DongBoTrangThaiHoSoKM", {"data": [{"MaHoSoKM": "1"}]}),
        ("/VXPAdapter/RestService/forward/mapi/g", {"service": "DongBoHoSoMC", "madonvi": "H99", "data": _record()}),
    ],
    ids=["A records", "A steps", "B records", "B steps", "C notices", "the contract behind the axis"],
)
def test_every_way_of_calling_the_portal_is_understood(address: str, document: Any) -> None:
    with portal() as real, tee(real) as ours:
        reply = httpx.post(ours + address, json=document, trust_env=False)
    assert reply.content == ANSWER and real.calls[0][1] == address
    message = Message.objects.get()
    assert message.address == address.replace("%20", " ") and message.error_code == 0
    found = (Record.objects.filter(code=CODE).count(), Step.objects.filter(code=CODE).count())
    assert found == {"DongBoHoSoMC": (1, 0), "CapNhatTienDoHoSoMC": (0, 1)}.get(message.service, (0, 0))
    if address.startswith("/hcm"):
        assert message.sender == "H99"


@for_real
def test_a_question_passes_and_is_not_kept() -> None:
    with portal() as real, tee(real) as ours:
        reply = httpx.get(f"{ours}/x/KetNoiMotCuaQuocGia/LayThuTuc?maTTHC=1.000001", trust_env=False)
    assert reply.content == ANSWER and real.calls[0][:2] == ("GET", "/x/KetNoiMotCuaQuocGia/LayThuTuc?maTTHC=1.000001")
    assert not Message.objects.exists()


@for_real
def test_while_the_database_is_away_the_line_goes_on_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "collector" / "spool.ndjson"
    body = json.dumps({"service": "DongBoHoSoMC", "madonvi": "H99", "data": [_record()]}).encode()

    def away(self: Any, rows: Any) -> None:
        raise DatabaseError("the server closed the connection")

    with portal() as real, monkeypatch.context() as patch:
        patch.setattr(Collector, "_insert", away)
        collector = Collector(Server(Profile(forward_to=real.url)), spool)
        with tee(real, collector, lambda: None) as ours:
            assert httpx.post(f"{ours}/mapi/g", content=body, trust_env=False).content == ANSWER
    assert spool.exists() and spool.stat().st_mode & 0o077 == 0 and not Message.objects.exists()
    assert collector.fetch() == 1 and collector.read() == 1 and not spool.exists()
    assert bytes(Message.objects.get().body) == body and Record.objects.get().code == CODE


@for_real
def test_a_message_that_nothing_can_be_made_of_holds_nobody_up() -> None:
    with portal() as real, tee(real) as ours:
        for content in (b"[" * 50_000, b"\xff\xfe", b"", b'{"service": "DongBoHoSoMC", "data": [17, null]}'):
            assert httpx.post(f"{ours}/mapi/g", content=content, trust_env=False).content == ANSWER
        httpx.post(f"{ours}/mapi/g", json={"service": "DongBoHoSoMC", "data": [_record()]}, trust_env=False)
    assert Message.objects.count() == 5 and not Message.objects.filter(unread=True).exists()
    assert Record.objects.get().code == CODE


@for_real
def test_connections_to_the_portal_are_kept_open_and_a_closed_one_is_noticed() -> None:
    with portal() as real, tee(real) as ours, httpx.Client(trust_env=False) as client:
        for _ in range(3):
            client.post(f"{ours}/mapi/g", json={"service": "x"})
        port = real.server_port
        real.shutdown()
        real.server_close()
        again = Portal.__new__(Portal)
        ThreadingHTTPServer.__init__(again, ("127.0.0.1", port), _Handler)
        again.wait_s, again.packed, again.calls = 0.0, False, []
        threading.Thread(target=again.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        statuses = [client.post(f"{ours}/mapi/g", json={"service": "x"}).status_code for _ in range(3)]
        again.shutdown()
        again.server_close()
    assert statuses.count(200) >= 2 and len(real.calls) + len(again.calls) >= 5


@pytest.mark.django_db(databases=["default", "mirror"])
def test_what_was_not_watched_is_a_gap_and_not_a_zero() -> None:
    minutes = lambda n: NOW + timedelta(minutes=n)  # noqa: E731
    assert watch.gaps(NOW, minutes(60)) == []
    first = watch.begin(NOW)
    watch.beat(first, minutes(10))
    assert watch.gaps(NOW, minutes(10)) == []
    assert watch.gaps(NOW, minutes(20)) == [(minutes(10), None)]
    second = watch.begin(minutes(22))
    watch.beat(second, minutes(60))
    assert watch.gaps(NOW, minutes(60)) == [(minutes(10), minutes(22))]
    assert watch.gaps(minutes(30), minutes(60)) == []
    watch.begin(minutes(59))  # a second process beside the first is no gap
    assert watch.gaps(NOW, minutes(60)) == [(minutes(10), minutes(22))]


# ---- the documented fallback, with the real proxy ------------------------------------------------------------------


def _proxy(folder: Path, ports: dict[str, int], real: Portal) -> Path:
    """`deploy/nginx/collector.conf` on these ports, for a portal without TLS."""
    conf = (ROOT / "deploy" / "nginx" / "collector.conf").read_text()
    for told, meant in (
        ("https://portal.example.vn;", f"{real.url};"),
        ("Host portal.example.vn;", f"Host 127.0.0.1:{real.server_port};"),
        ("8766", str(ports["motcua"])),
        ("8799", str(ports["beside"])),
        ("listen 8790", f"listen 127.0.0.1:{ports['line']}"),
        ("/var/log/motcua", str(folder)),
    ):
        assert told in conf
        conf = conf.replace(told, meant)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 256; }}\nhttp {{ {temporary}\naccess_log off;\n{conf}\n}}\n"
    )
    return file


@pytest.mark.skipif(not Path("/usr/sbin/nginx").exists(), reason="nginx is not on this machine")
def test_killed_in_the_middle_of_traffic_the_line_goes_on_and_the_gap_is_found_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "MIRROR_DATABASE_URL")}
    env["MOTCUA_HOME"] = str(home)
    ports = {name: free_port() for name in ("motcua", "beside", "line")}
    codes = [f"H99.12-260302-{n:04}" for n in range(240)]
    answered: dict[str, bytes] = {}

    def motcua(*words: str) -> list[str]:
        return [sys.executable, "-m", "motcua.cli", *words]

    def collector() -> subprocess.Popen[bytes]:
        words = ("mirror", "serve", "--port", str(ports["motcua"]), "--profile", str(tmp_path / "portal.toml"))
        return subprocess.Popen(motcua(*words), env=env, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)

    with portal(wait_s=0.02) as real:
        (tmp_path / "portal.toml").write_text(f'forward_to = "{real.url}"\n')
        nginx = subprocess.Popen(
            ["/usr/sbin/nginx", "-c", str(_proxy(tmp_path, ports, real))], stderr=subprocess.DEVNULL
        )
        process = collector()
        try:
            assert answers(f"http://127.0.0.1:{ports['motcua']}/healthz"), "the collector does not start"

            def send(own: list[str]) -> None:
                with httpx.Client(trust_env=False, timeout=30) as client:
                    for code in own:
                        request = {
                            "service": "DongBoHoSoMC",
                            "madonvi": "H99",
                            "isUpdating": "True",
                            "data": [_record(code)],
                        }
                        reply = client.post(f"http://127.0.0.1:{ports['line']}/mapi/g", json=request)
                        if reply.status_code == 200:
                            answered[code] = reply.content

            vendors = [threading.Thread(target=send, args=(codes[n::4],)) for n in range(4)]
            for each in vendors:
                each.start()
            while len(answered) < len(codes) // 4:
                time.sleep(0.005)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            while len(answered) < len(codes) // 2:
                time.sleep(0.005)
            process = collector()
            for each in vendors:
                each.join()
            assert answered.keys() == set(codes) and set(answered.values()) == {ANSWER}, "a call of the vendor was lost"
            assert {json.loads(body)["data"][0]["MaHoSo"] for *_, body in real.calls if body} >= set(codes)
            passed_by = (tmp_path / "passed-by.ndjson").read_text().splitlines()
            assert passed_by and json.loads(passed_by[0])["path"] == "/mapi/g"
            assert answers(f"http://127.0.0.1:{ports['motcua']}/healthz")
            time.sleep(0.5)
        finally:
            with_group = process.poll() is None
            if with_group:
                os.killpg(process.pid, signal.SIGTERM)
            nginx.terminate()
            process.wait()
            nginx.wait()

    def held() -> set[str]:
        with closing(sqlite3.connect(home / "mirror.sqlite3")) as database:
            return {code for [code] in database.execute("SELECT code FROM mirror_record WHERE side = 'held'")}

    missing = set(codes) - held()
    assert missing and len(missing) <= len(passed_by), "what passed by is missing here, and no more"
    loaded = subprocess.run(
        motcua("mirror", "load", str(tmp_path / "passed-by.ndjson"), "--json"),
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert held() == set(codes)
    shutil.rmtree(home)


@for_real
def test_the_page_and_the_metrics_tell_the_gap(client: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.utils import timezone

    from motcua.accounts.models import Post, User
    from motcua.oversight import extract

    now = timezone.now()
    watch.beat(watch.begin(now - timedelta(hours=3)), now - timedelta(hours=2))
    extract.run(home=home, at=now)
    user = User.objects.create_user("an", password="một-mật-khẩu-dài")
    Post.objects.create(user=user, role="inspector", agency="")
    client.force_login(user)
    page = client.get("/muc-du-lieu").content.decode()
    assert "Lúc điểm thu dữ liệu không chạy" in page and "đến nay" in page
    monkeypatch.setenv("MOTCUA_METRICS_HOSTS", "127.0.0.1")
    told = client.get("/metrics").content.decode()
    [away] = [float(line.split()[1]) for line in told.splitlines() if line.startswith("motcua_collector_away_seconds ")]
    assert 7_200 <= away < 7_300
