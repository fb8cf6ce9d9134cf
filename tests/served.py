"""A WSGI application on a port of its own, for as long as a block runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
