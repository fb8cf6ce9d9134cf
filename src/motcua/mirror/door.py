"""The mirror's HTTP door: a small WSGI application in front of `server`, as fast as the storage behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from motcua.mirror.models import PortalProcedure
from motcua.mirror.server import Dropped, Reply, Server

#: The addresses of the contract: bare, and behind both axis prefixes (contract §1.1).
PREFIXES = ("", "/XrdAdapter/RestService/forward", "/VXPAdapter/RestService/forward")
LOGIN = {f"{prefix}/mapi/login" for prefix in PREFIXES}
DATA = {f"{prefix}/mapi/g" for prefix in PREFIXES}
_MAX_BODY = 32 * 1024 * 1024

Start = Callable[[str, list[tuple[str, str]]], Any]


def application(server: Server, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Callable[..., Any]:
    """The WSGI application of one server. `clock` is read once per request."""

    def handle(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
        if path == "/healthz":
            return _send(start, 200, {"ok": True})
        if method == "GET" and path.endswith("/KetNoiMotCuaQuocGia/LayDanhSachTTHC"):
            rows = PortalProcedure.objects.order_by("code").values_list("code", "name")
            inner = {"result": [{"MATTHC": code, "TENTTHC": name} for code, name in rows]}
            return _send(start, 200, {"error_code": "0", "message": json.dumps(inner, ensure_ascii=False)})
        if path not in LOGIN and path not in DATA:
            return _send(start, 404, {"error_code": -1, "message": f"Không có địa chỉ {path}"})
        if method != "POST":
            return _send(start, 405, {"error_code": -1, "message": "Chỉ nhận POST"})
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > _MAX_BODY:
            return _send(start, 413, {"error_code": -1, "message": "Nội dung quá dài"})
        body = environ["wsgi.input"].read(length) if length else environ["wsgi.input"].read()
        try:
            reply: Reply = (server.login if path in LOGIN else server.data)(body, clock())
        except Dropped:
            return _send(start, 504, None)
        return _send(start, reply.http, reply.body)

    return handle


_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
            413: "Content Too Large", 500: "Internal Server Error", 504: "Gateway Timeout"}  # fmt: skip


def _send(start: Start, status: int, body: Any) -> Iterable[bytes]:
    data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    headers = [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(data)))]
    start(f"{status} {_REASONS.get(status, 'Error')}", headers)
    return [data]
