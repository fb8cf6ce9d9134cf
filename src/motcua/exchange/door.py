"""The province's door: what the national portal calls, behind the axis (contract §3.11). Always HTTP 200."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from motcua.exchange import take_in
from motcua.rules.instants import Unreadable
from motcua.wire.messages import read_json, text_of

LOOK_UP = "/search/call"
_MAX_BODY = 32 * 1024 * 1024

Start = Callable[[str, list[tuple[str, str]]], Any]


def application(
    clock: Callable[[], datetime] = lambda: datetime.now(UTC), *, token: str = ""
) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The WSGI application. `token`: what the axis must show as bearer; empty on this machine only."""

    def handle(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "").rstrip("/")
        if path == "/healthz":
            return _send(start, "200 OK", {"ok": True})
        given = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        if token and not secrets.compare_digest(token.encode(), given.encode()):
            return _send(start, "401 Unauthorized", {"error_code": -1, "message": "Chưa được phép gọi"})
        door = path.rsplit("/", 1)[-1]
        if environ.get("REQUEST_METHOD") != "POST" or not (door in take_in.DOORS or path.endswith(LOOK_UP)):
            return _send(start, "404 Not Found", {"error_code": -1, "message": f"Không có địa chỉ {path}"})
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > _MAX_BODY:
            return _send(start, "200 OK", {"error_code": -1, "message": "Nội dung quá dài"})
        body = environ["wsgi.input"].read(length)
        if path.endswith(LOOK_UP):
            return _send(start, "200 OK", _look_up(body, environ.get("CONTENT_TYPE", "")))
        return _send(start, "200 OK", take_in.take(body, door=door, at=clock()).document())

    return handle


def _look_up(body: bytes, kind: str) -> dict[str, str]:
    """A form or JSON with `masohoso`."""
    try:
        if "form" in kind:
            code = parse_qs(body.decode()).get("masohoso", [""])[0].strip()
        else:
            asked = read_json(body)
            code = text_of(asked.get("masohoso")) if isinstance(asked, dict) else ""
    except (Unreadable, UnicodeDecodeError) as error:
        return {"error_code": "-1", "message": str(error)}
    return take_in.look_up(code) if code else {"error_code": "-1", "message": "Thiếu masohoso"}


def _send(start: Start, status: str, body: Any) -> Iterable[bytes]:
    data = json.dumps(body, ensure_ascii=False).encode()
    start(status, [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(data)))])
    return [data]
