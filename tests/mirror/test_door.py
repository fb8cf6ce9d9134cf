"""Whatever a sender writes, it is answered with status 200 and words: clients read nothing else (contract §2.2)."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from tests.story import at

from motcua.mirror import door
from motcua.mirror.models import Message
from motcua.mirror.server import Server
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T09:00")


def _answer(path: str, body: bytes) -> tuple[str, dict[str, Any]]:
    told: list[str] = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)),
               "wsgi.input": io.BytesIO(body)}  # fmt: skip
    application = door.application(Server(Profile()), lambda: NOW)
    parts = application(environ, lambda status, headers: told.append(status))
    return told[0][:3], json.loads(b"".join(parts))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"[" * 50_000, "JSON"),
        (b'{"service": "DongBoHoSoMC", "madonvi": "\\ud800"}', "JSON"),
        (b"\xff\xfe", "JSON"),
        (b'{"session": "SESSION", "madonvi": ["H99"], "service": "DongBoHoSoMC", "data": []}', "giá trị đơn"),
        (b'{"session": "SESSION", "madonvi": "H99", "service": "TraCuuHoSo", "mahoso": {"a": 1}}', "giá trị đơn"),
    ],
    ids=["fifty thousand brackets", "half a character", "bytes", "a list for the sender", "an object for a code"],
)
def test_a_body_that_cannot_be_read_is_answered_and_kept(body: bytes, word: str) -> None:
    _, login = _answer("/mapi/login", b'{"username": "demo-h99", "password": "demo-password"}')
    status, reply = _answer("/mapi/g", body.replace(b"SESSION", login["session"].encode()))
    assert status == "200" and reply["error_code"] == -1 and word in reply["message"]
    assert Message.objects.count() == 1
