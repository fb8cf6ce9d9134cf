"""Servers for as long as a block runs: an application in a thread, or a process from its first answer to its end."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None: ...


@contextmanager
def served(handle: Callable[..., Any]) -> Iterator[str]:
    """The address under which the application answers."""
    from django.db import connections

    def closing(environ: Any, start: Any) -> list[bytes]:
        try:
            return list(handle(environ, start))
        finally:
            for connection in connections.all():
                connection.close()

    server = make_server("127.0.0.1", 0, closing, handler_class=_Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


#: A busy machine is no fault of a server.
PATIENCE_S = 120


def answers(address: str, trust: SSLContext | None = None) -> bool:
    """Whether anything answers there at last, whatever it says."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=PATIENCE_S, context=trust).close()
        except urllib.error.HTTPError as reply:
            reply.close()
            return True
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


@contextmanager
def running(
    command: list[str], address: str, trust: SSLContext | None = None, **how: Any
) -> Iterator[subprocess.Popen[Any]]:
    """A server's process that answers; told to stop, it ends."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **how)
    try:
        assert answers(address, trust), f"{address} does not answer"
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
