"""Provincial adapters: the same services in the forms in which a province's own software sees them (contract §2.6).

A: unit and `isUpdating` in the query, a bare array as body. B: one address each for create, update and steps. C: the
catalogue by GET, each answer JSON within JSON. D: one product's internal call, answered by the text OK. None carries
a session, so a profile that is open to a network answers none of them unless it says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from motcua.mirror import held, lists
from motcua.mirror.server import RECORDS, STEPS, Reply, Server
from motcua.rules.instants import Unreadable
from motcua.wire import messages
from motcua.wire.profile import Profile

_A, _C, _D = "/api/SynsTTHCC/", "/KetNoiMotCuaQuocGia/", "/bdtc/nps-dossier/--test-sync"
_NOTICE = "DongBoTrangThaiHoSoKM"


def variant(profile: Profile, path: str) -> str:
    """Which adapter an address belongs to; empty where none that the profile answers."""
    if _A in path and path.rsplit("/", 1)[1] in (RECORDS, STEPS):
        found = "A"
    elif path in profile.three_addresses:
        found = "B"
    elif _C in path:
        found = "C"
    elif path.endswith(_D):
        found = "D"
    else:
        return ""
    return found if found in profile.adapters else ""


def answer(server: Server, kind: str, environ: Mapping[str, str], body: bytes, at: datetime) -> Reply | str:
    """The answer of an adapter; a text is sent as it is. Raises `server.Dropped`."""
    path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
    address = path + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")
    query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    if kind == "C" and method == "GET":
        return _catalogue(path.rsplit("/", 1)[1], query)
    try:
        document = messages.read_json(body)
    except Unreadable as error:
        return server.unreadable(body, str(error), at, address=address)
    if kind == "D":
        return _internal(server, document, body, at, address)
    reply = server.adapted(in_contract(server.profile, kind, path, query, document), body, at, address=address)
    if kind == "B":
        return Reply(reply.http, {**reply.body, "error_code": str(reply.body["error_code"])})
    return reply


def in_contract(profile: Profile, kind: str, path: str, query: Mapping[str, str], document: Any) -> dict[str, Any]:
    """A call of adapter A, B or C in the form of the contract."""
    if kind == "A":
        return _envelope(path.rsplit("/", 1)[1], query.get("isUpdating"), query.get("MaDinhDanhDV"), document)
    if kind == "B":
        create, update, _ = profile.three_addresses
        return _envelope(RECORDS if path in (create, update) else STEPS, path == update, "", document)
    data = document.get("data", document) if isinstance(document, dict) else document
    return {"service": "DongBoTrangThaiHoSo" if path.endswith(_NOTICE) else path.rsplit("/", 1)[1], "data": data}


def called(profile: Profile, address: str, document: Any) -> Any:
    """What a call that the tee passed on says in the form of the contract: the real portal took it, whoever we are."""
    path, _, query = address.partition("?")
    kind = variant(replace(profile, adapters=("A", "B", "C", "D")), path)
    if kind in ("", "D"):
        return document
    return in_contract(profile, kind, path, {name: each[-1] for name, each in parse_qs(query).items()}, document)


def _envelope(service: str, updating: Any, unit: str | None, data: Any) -> dict[str, Any]:
    return {"service": service, "isUpdating": updating, "madonvi": unit or "", "data": data}


def _catalogue(service: str, query: Mapping[str, str]) -> Reply:
    result = lists.answer(service, query)
    if result is None:
        return Reply(200, {"error_code": "-1", "message": f"Không có {service}"})
    return Reply(200, {"error_code": "0", "message": json.dumps({"result": result}, ensure_ascii=False)})


def _internal(server: Server, document: Any, body: bytes, at: datetime, address: str) -> Reply | str:
    """A notice that a dossier of the product's own database is to be sent; its content is not in the message."""
    dossier = document.get("dossier") if isinstance(document, dict) else None
    code = messages.text_of(dossier.get("nationCode") or dossier.get("code")) if isinstance(dossier, dict) else ""
    if not code:
        return server.unreadable(body, "Thiếu dossier.code", at, address=address)
    raw = held.keep_raw(body, at, service="nps-dossier", address=address)
    raw.reply, raw.error_code, raw.http = "OK", 0, 200
    held.keep_answer(raw, [code])
    return "OK"
