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
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

_OURS = f"{os.sep}motcua{os.sep}"


def until_it_ends(work: Callable[[int], None], *, seed: int, kills: int) -> dict[str, int]:
    """Does `work(attempt)` in forks and kills them, `kills` times at most; then lets it end."""
    chosen = random.Random(seed)
    found = {"line": 0, "any_line": 0, "time": 0, "unharmed": 0}
    for attempt in range(kills):
        how = chosen.choice(("line", "any_line", "time"))
        many = int(2 ** chosen.uniform(4, 15 if how == "line" else 18))
        pid = os.fork()
        if pid == 0:
            if how != "time":
                _die_at_line(many, ours=how == "line")
            work(attempt)
            os._exit(0)
        if how == "time":
            time.sleep(chosen.uniform(0.0, 0.4))
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
    answer = (
        deliver(target, seed, kills)
        if what == "deliver"
        else load([Path(target) / name for name in ("dossiers.csv", "events.csv")], seed, kills)
    )
    sys.__stdout__.write(json.dumps(answer))  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    os._exit(0)
