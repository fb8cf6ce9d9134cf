"""The tee as a process: calls are relayed by many threads, and one thread reads what they kept."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import Error, connections

from motcua.mirror import door, watch
from motcua.mirror.collector import Collector
from motcua.mirror.server import Server
from motcua.mirror.tee import Tee

log = logging.getLogger("motcua.mirror.reading")

#: How long a relaying thread waits at most while the reading one computes; Python's own 5 ms would be the tee's delay.
_SWITCH_S = 0.0005


def before_the_portal(server: Server, clock: Callable[[], datetime]) -> Callable[..., Any]:
    """The WSGI application of a collector; reading and signs of life begin with it."""
    collector = Collector(server, Path(os.environ.get("MOTCUA_HOME", "var")).resolve() / "collector" / "spool.ndjson")
    news = threading.Event()
    sys.setswitchinterval(_SWITCH_S)
    threading.Thread(target=_run, args=(collector, news, clock), name="reading", daemon=True).start()
    return door.teed(Tee(server.profile.forward_to), collector, clock, news.set)


def _run(collector: Collector, news: threading.Event, clock: Callable[[], datetime]) -> None:
    number, beaten = 0, None
    while True:
        try:
            now = clock()
            if beaten is None or now - beaten >= watch.BEAT:
                if number:
                    watch.beat(number, now)
                else:
                    number = watch.begin(now)
                    collector.read()  # what a killed process had kept and not read
                beaten = now
            collector.fetch()
            collector.read()
        except Error:
            log.exception("the database cannot be used; calls are still passed on")
            connections.close_all()
            threading.Event().wait(2)
        except OSError:
            log.exception("what waits in a file cannot be fetched; calls are still passed on")
            threading.Event().wait(2)
        news.wait(watch.BEAT.total_seconds() / 2)
        news.clear()
