"""The mirror's HTTP door: a small WSGI application in front of `server`, as fast as the storage behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from motcua.mirror import adapters, gateway
from motcua.mirror.clock import MovableClock
from motcua.mirror.collector import Collector
from motcua.mirror.server import Dropped, Reply, Server
from motcua.mirror.tee import Silent, Tee
from motcua.rules.instants import Unreadable, iso, parse_instant
from motcua.wire.messages import read_json

#: The addresses of the contract: bare, and behind both axis prefixes (contract §1.1).
PREFIXES = ("", "/XrdAdapter/RestService/forward", "/VXPAdapter/RestService/forward")
LOGIN = {f"{prefix}/mapi/login" for prefix in PREFIXES}
DATA = {f"{prefix}/mapi/g" for prefix in PREFIXES}
#: Where a test reads and moves the sandbox's clock.
CLOCK = "/sandbox/clock"
#: Where a watcher, or a proxy before us, sees whether the process answers.
HEALTH = "/healthz"
_MAX_BODY = 32 * 1024 * 1024
#: The line is the sender's: what is too long for the portal, the portal says.
_MAX_RELAYED = 256 * 1024 * 1024

Start = Callable[[str, list[tuple[str, str]]], Any]


def teed(
    tee: Tee,
    collector: Collector,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    kept: Callable[[], object] | None = None,
) -> Callable[..., Any]:
    """The WSGI application before the real portal: every call goes on, whatever its address, and what passed is kept.

    `kept` is told that there is something to read; without it each message is read before it is answered.
    """
    told = kept or collector.read

    def handle(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        if path == HEALTH:
            return _send(start, 200, {"ok": True})
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > _MAX_RELAYED:
            return _send(start, 413, {"error_code": -1, "message": "Nội dung quá dài"})
        with_body = length or "HTTP_TRANSFER_ENCODING" in environ
        body = environ["wsgi.input"].read(*([length] if length else [])) if with_body else b""
        at = clock()
        # Questions by GET are nothing to keep, and neither is a password.
        keeps = environ.get("REQUEST_METHOD") == "POST" and path not in LOGIN
        address = path + (f"?{query}" if query else "")
        began = time.perf_counter()
        try:
            relayed = tee.relay(environ, body)
        except Silent:
            if keeps:
                collector.keep(address, body, None, at, to=tee.url, took_s=time.perf_counter() - began)
            return _send(start, 504, None)
        if keeps:
            collector.keep(address, body, relayed, at, to=tee.url, took_s=time.perf_counter() - began)
            told()
        start(f"{relayed.status} {relayed.reason}", [*relayed.headers, ("Content-Length", str(len(relayed.body)))])
        return [relayed.body]

    return handle


def application(
    server: Server, clock: Callable[[], datetime] = lambda: datetime.now(UTC), payments: gateway.Door | None = None
) -> Callable[..., Any]:
    """The WSGI application of one server, and of a payment gateway beside it. `clock` is read once per request."""
    if server.profile.forward_to:
        return teed(Tee(server.profile.forward_to), Collector(server), clock)

    def handle(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
        if path == HEALTH:
            return _send(start, 200, {"ok": True})
        if payments is not None and payments.owns(path):
            return _send(start, *payments.handle(environ, clock()))
        adapter = adapters.variant(server.profile, path)
        clocked = path == CLOCK and server.profile.movable_clock and isinstance(clock, MovableClock)
        if not (adapter or clocked or path in LOGIN or path in DATA):
            return _send(start, 404, {"error_code": -1, "message": f"Không có địa chỉ {path}"})
        if method != "POST" and not (method == "GET" and (adapter == "C" or clocked)):
            return _send(start, 405, {"error_code": -1, "message": "Chỉ nhận POST"})
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > _MAX_BODY:
            return _send(start, 413, {"error_code": -1, "message": "Nội dung quá dài"})
        body = b"" if method == "GET" else environ["wsgi.input"].read(*([length] if length else []))
        if clocked and isinstance(clock, MovableClock):
            return _send(start, *_clock(clock, body))
        at = clock()
        try:
            reply: Reply | str
            if adapter:
                reply = adapters.answer(server, adapter, environ, body, at)
            elif path in LOGIN:
                reply = server.login(body, at)
            else:
                reply = server.data(body, at, address=path)
        except Dropped:
            return _send(start, 504, None)
        except Unreadable as error:  # a list where a code belongs; clients read status 200 alone (contract §2.2)
            return _send(start, 200, {"error_code": -1, "message": str(error)})
        if isinstance(reply, str):
            return _send_bytes(start, 200, reply.encode(), "text/plain; charset=utf-8")
        return _send(start, reply.http, reply.body)

    return handle


def _clock(clock: MovableClock, body: bytes) -> tuple[int, Mapping[str, Any]]:
    """Reads the sandbox's clock, puts it (`now`) or moves it (`advance_s`)."""
    try:
        asked = read_json(body) if body else {}
        if asked.get("now"):
            clock.put(parse_instant(str(asked["now"])))
        clock.advance(timedelta(seconds=float(asked.get("advance_s", 0))))
    except (Unreadable, AttributeError, TypeError, ValueError) as error:
        return 400, {"error_code": -1, "message": str(error)}
    return 200, {"now": iso(clock())}


_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
            413: "Content Too Large", 500: "Internal Server Error", 504: "Gateway Timeout"}  # fmt: skip


def _send(start: Start, status: int, body: Any) -> Iterable[bytes]:
    return _send_bytes(start, status, b"" if body is None else json.dumps(body, ensure_ascii=False).encode())


def _send_bytes(
    start: Start, status: int, data: bytes, kind: str = "application/json; charset=utf-8"
) -> Iterable[bytes]:
    start(f"{status} {_REASONS.get(status, 'Status')}", [("Content-Type", kind), ("Content-Length", str(len(data)))])
    return [data]
