"""What the collector adds to a call of the live line: direct to the portal and through the tee, turn by turn.

All on loopback and on this machine: a portal that answers in the time of a quick one (`BENCH_PORTAL_MS`, 20), the tee
before it, and one client with a connection kept open to each. Half of the bodies carry one step, half a dossier. The
peer is the direct call in the same run; printed are medians, their ratio and the added median, alone and with eight
clients at once.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.report import keep
from bench.serving import serving

CALLS = int(os.environ.get("BENCH_CALLS", "600"))
#: Milliseconds that may be added at the median.
WANTED_MS = 5.0
_CODE = "H99.12-260302-{:06}"


def portal(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """A portal that takes its time and stores nothing."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    time.sleep(float(os.environ.get("BENCH_PORTAL_MS", "20")) / 1000)
    answer = json.dumps({"error_code": 0, "message": f"Đồng bộ hồ sơ thành công {len(body)}"}).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


def bodies(many: int) -> list[bytes]:
    """Calls as senders make them."""
    from motcua.wire.messages import build_record, build_step

    made = []
    for n in range(many):
        code = _CODE.format(n // 2)
        if n % 2:
            item = build_step({"MaHoSo": code, "NguoiXuLy": "Lê Thị Mẫu", "ThoiDiemXuLy": "20260303090000",
                               "NoiDungXuLy": "Thẩm định", "TrangThai": "4"})  # fmt: skip
        else:
            item = build_record({"MaHoSo": code, "MaTTHC": "1.000001", "DonViXuLy": "UBND xã Mẫu", "ChuHoSo": "Người",
                                 "KenhThucHien": "1", "NgayTiepNhan": "20260302090000", "NgayHenTra": "20260309170000",
                                 "TrangThaiHoSo": "2"})  # fmt: skip
        service = "CapNhatTienDoHoSoMC" if n % 2 else "DongBoHoSoMC"
        made.append(json.dumps({"session": "s", "madonvi": "H99", "service": service, "isUpdating": "True",
                                "data": [item]}, ensure_ascii=False).encode())  # fmt: skip
    return made


def call(connection: http.client.HTTPConnection, body: bytes, path: str = "/mapi/g") -> tuple[float, bytes]:
    """One call; milliseconds and the answer's body."""
    start = time.perf_counter()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse().read()
    return (time.perf_counter() - start) * 1000, answer


def turn_by_turn(urls: dict[str, str], sent: list[bytes]) -> dict[str, list[float]]:
    """Each body on each way, by one client."""
    ways = {name: http.client.HTTPConnection(urlsplit(url).netloc, timeout=30) for name, url in urls.items()}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for body in sent:
        answers = set()
        for name, connection in ways.items():
            ms, answer = call(connection, body)
            took[name].append(ms)
            answers.add(answer)
        assert len(answers) == 1, "the tee changed an answer"
    return took


def together(urls: dict[str, str], sent: list[bytes], clients: int) -> dict[str, list[float]]:
    """The same by several clients at once."""
    found: dict[str, list[float]] = {name: [] for name in urls}

    def one(own: list[bytes]) -> None:
        for name, each in turn_by_turn(urls, own).items():
            found[name].extend(each)

    threads = [threading.Thread(target=one, args=(sent[n::clients],)) for n in range(clients)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MOTCUA_HOME"] = scratch
        from motcua.cli.home import open_home

        open_home()
        from motcua.mirror.models import Message, Record

        with serving("bench.tee:portal", threads=64) as real:
            profile = Path(scratch) / "portal.toml"
            profile.write_text(f'forward_to = "{real}"\n')
            with serving("motcua.mirror.wsgi:application", threads=64, MOTCUA_MIRROR_PROFILE=str(profile)) as tee:
                ways = {"direct": real, "tee": tee}
                turn_by_turn(ways, bodies(40))  # warm
                for name, took in (
                    ("alone", turn_by_turn(ways, bodies(CALLS))),
                    ("eight", together(ways, bodies(CALLS), 8)),
                ):
                    direct, through = (statistics.median(took[way]) for way in ("direct", "tee"))
                    high = [statistics.quantiles(took[way], n=100)[94] for way in ("direct", "tee")]
                    found[f"{name}_direct_ms"], found[f"{name}_tee_ms"] = direct, through
                    found[f"{name}_added_ms"], found[f"{name}_ratio"] = through - direct, through / direct
                    print(f"{name:<6} direct {direct:5.1f} ms, through the tee {through:5.1f} ms:"
                          f" {through / direct:.2f} x, {through - direct:+.2f} ms at the median (wanted under"
                          f" {WANTED_MS:.0f}); 95 of 100: {high[0]:.1f} and {high[1]:.1f} ms")  # fmt: skip
                for _ in range(200):
                    if not Message.objects.filter(unread=True).exists():
                        break
                    time.sleep(0.05)
                print(f"       {Message.objects.count()} calls kept, {Record.objects.count()} dossiers made of them")
    keep("tee", found)
    return found


if __name__ == "__main__":
    sys.exit(main()["alone_added_ms"] >= WANTED_MS)
