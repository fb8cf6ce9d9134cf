"""A process that is killed again and again, at random points, until it comes to its end.

Run as a program, so that what is killed is a process of its own. Each attempt is a fork that dies by SIGKILL: at its
n-th line of ours, at its n-th line of any code, or after a random time, wherever it is then.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

_OURS = f"{os.sep}motcua{os.sep}"


def until_it_ends(work: Callable[[int], None], *, seed: int, kills: int) -> dict[str, int]:
    """Does `work(attempt)` in forks and kills them, `kills` times at most; then lets it end.

    An attempt that came to its end unharmed lets the next ones be struck twice as early: on a fast machine as on a slow
    one most attempts die at work.
    """
    chosen = random.Random(seed)
    found = {"line": 0, "any_line": 0, "time": 0, "unharmed": 0}
    for attempt in range(kills):
        how = chosen.choice(("line", "any_line", "time"))
        reach = 0.5 ** found["unharmed"]
        many = int(2 ** chosen.uniform(4, 15 if how == "line" else 18) * reach)
        pid = os.fork()
        if pid == 0:
            if how != "time":
                _die_at_line(many, ours=how == "line")
            work(attempt)
            os._exit(0)
        if how == "time":
            time.sleep(chosen.uniform(0.0, 0.4) * reach)
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed by itself"
        found[how if os.WIFSIGNALED(status) else "unharmed"] += 1
        time.sleep(0.05)  # what the killed one had sent is with the server by now
    pid = os.fork()
    if pid == 0:
        work(kills)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0, "let alone, it does not end well"
    return found


def _die_at_line(many: int, *, ours: bool) -> None:
    left = many

    def line(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, event: str, arg: Any) -> Any:
        return line if not ours or _OURS in frame.f_code.co_filename else None

    sys.settrace(call)


def deliver(url: str, seed: int, kills: int) -> dict[str, Any]:
    """Dossiers of our desk on their way to the mirror."""
    from motcua.cli.home import open_home

    open_home()
    from django.db import connections
    from tests.exchange import desk

    codes = [f"H99.12-2603{day:02}-{seed:04}" for day in range(2, 10)]
    for number, code in enumerate(codes):
        desk.LIVES[number % len(desk.LIVES)](code)
    connections.close_all()

    def work(attempt: int) -> None:
        from motcua.exchange import deliveries
        from motcua.exchange.deliver import Deliverer
        from motcua.mirror.client import Portal

        deliveries.plan()
        portal = Portal(url, "demo-h99", "demo-password", "H99")
        batch = (1, 3)[seed % 2]
        Deliverer(portal, batch=batch, seed=seed).run(at=desk.NOW + timedelta(hours=attempt))

    found = until_it_ends(work, seed=seed, kills=kills)
    return {**found, "wrong": desk.differences(codes)}


def read_back(url: str, seed: int, kills: int) -> dict[str, Any]:
    """A portal that lost some of what it acknowledged is read back, and what it lacks sent again."""
    from motcua.cli.home import open_home

    open_home()
    from django.db import connections
    from tests.exchange import desk

    from motcua.exchange import deliver, deliveries
    from motcua.exchange import read_back as reading
    from motcua.exchange.models import Delivery, Difference, Repair
    from motcua.mirror.client import Portal
    from motcua.mirror.models import Record, Step

    codes = [f"H99.12-2603{day:02}-{seed:04}" for day in range(2, 10)]
    for number, code in enumerate(codes):
        desk.LIVES[number % len(desk.LIVES)](code)
    deliveries.plan()
    first = Portal(url, "demo-h99", "demo-password", "H99")
    for minutes in range(0, 55, 5):  # on a busy machine the portal may be slow to answer
        deliver.Deliverer(first).run(at=desk.NOW + timedelta(minutes=minutes))
        if not Delivery.objects.filter(state="waiting").exists():
            break
    Step.objects.filter(side="held", code__in=codes[:4], status__in=("9", "3", "7", "8")).delete()
    Record.objects.filter(side="held", code__in=codes[4:6]).delete()
    connections.close_all()

    def work(attempt: int) -> None:
        portal = Portal(url, "demo-h99", "demo-password", "H99")
        at = desk.NOW + timedelta(hours=2 * attempt + 1)
        reading.run(portal=portal, at=at, repair="ours")
        deliver.Deliverer(portal, seed=seed).run(at=at + timedelta(minutes=10))
        if attempt == kills:
            reading.run(portal=portal, at=at + timedelta(hours=1), codes=codes)

    found = until_it_ends(work, seed=seed, kills=kills)
    wrong = desk.differences(codes)
    wrong += [f"{row.dossier}: {row.name} still differs" for row in Difference.objects.filter(closed_at=None)]
    wrong += [
        f"{row.dossier}: repaired {row.before}, never seen to work" for row in Repair.objects.filter(worked_at=None)
    ]
    return {**found, "repairs": Repair.objects.count(), "wrong": wrong}


def collect(url: str, seed: int, kills: int) -> dict[str, Any]:
    """A collector between a sender that sends again whatever it got no answer to, and the real portal at `url`."""
    from motcua.cli.home import open_home

    home = open_home()
    import io

    from django.db import connections

    from motcua.mirror import door
    from motcua.mirror.server import Server
    from motcua.wire.profile import Profile

    sent = Path(home) / "acknowledged"
    sent.write_text("0")
    messages = list(_told(seed))
    connections.close_all()

    def work(attempt: int) -> None:
        handle = door.application(Server(Profile(forward_to=url)))

        def post(path: str, document: dict[str, Any]) -> dict[str, Any]:
            body = json.dumps(document).encode()
            environ = {"PATH_INFO": path, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)),
                       "wsgi.input": io.BytesIO(body), "CONTENT_TYPE": "application/json"}  # fmt: skip
            answer: dict[str, Any] = json.loads(b"".join(handle(environ, lambda *head: None)))
            return answer

        session = post("/mapi/login", {"username": "demo-h99", "password": "demo-password"})["session"]
        share = len(messages) * (attempt + 1) // (kills + 1)  # so that no attempt but the last has nothing left to send
        for number in range(int(sent.read_text()), share):
            request = {"session": session, "madonvi": "H99", **messages[number]}
            reply = post("/mapi/g", request)
            if "đã tồn tại" in reply["message"]:
                reply = post("/mapi/g", {**request, "isUpdating": "True"})
            assert reply["error_code"] == 0, reply
            draft = sent.with_suffix(".draft")
            draft.write_text(str(number + 1))
            draft.replace(sent)

    return {**until_it_ends(work, seed=seed, kills=kills), "messages": len(messages)}


def _told(seed: int) -> Iterator[dict[str, Any]]:
    """What a sender tells of a few dossiers."""
    for number in range(24):
        code = f"H99.12-2603{number + 2:02}-{seed:04}"
        for status in (2, 4, 9):
            record = {"MaHoSo": code, "MaTTHC": "1.000001", "DonViXuLy": "H99.12", "TrangThaiHoSo": str(status),
                      "NgayTiepNhan": "20260302083000", "NgayHenTra": "20260309170000"}  # fmt: skip
            yield {"service": "DongBoHoSoMC", "isUpdating": str(status > 2), "data": [record]}
            step = {"MaHoSo": code, "NguoiXuLy": "A", "ThoiDiemXuLy": f"202603{status:02}090000", "NoiDungXuLy": "x",
                    "TrangThai": str(status)}  # fmt: skip
            yield {"service": "CapNhatTienDoHoSoMC", "data": [step]}


def load(files: list[Path], seed: int, kills: int) -> dict[str, Any]:
    """An import of canonical files."""
    from motcua.cli import main
    from motcua.cli.home import open_home

    open_home()
    from django.db import connections

    from motcua.dossiers.importing import run

    run.BATCH = 20
    connections.close_all()

    def work(attempt: int) -> None:
        sys.stdout = sys.stderr
        assert main.run(["import", *map(str, files), "--create-missing"]) == 0

    return dict(until_it_ends(work, seed=seed, kills=kills))


if __name__ == "__main__":
    what, target, seed, kills = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    trials: dict[str, Callable[[], dict[str, Any]]] = {
        "deliver": lambda: deliver(target, seed, kills),
        "read_back": lambda: read_back(target, seed, kills),
        "collect": lambda: collect(target, seed, kills),
        "import": lambda: load([Path(target) / name for name in ("dossiers.csv", "events.csv")], seed, kills),
    }
    answer = trials[what]()
    sys.__stdout__.write(json.dumps(answer))  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    os._exit(0)
