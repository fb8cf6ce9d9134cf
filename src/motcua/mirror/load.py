"""Messages from a file, as if received: one request body a line. The first pass checks and stores nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from motcua.mirror import adapters
from motcua.mirror.models import About, Message, Step
from motcua.mirror.server import RECORDS, STEPS, Server, about_of, is_updating_of, sender_of
from motcua.rules.instants import Unreadable, parse_instant
from motcua.wire.messages import read_json
from motcua.wire.profile import Profile

#: Messages applied in one transaction.
BATCH = 1_000
#: Services that hold nothing of a dossier's state (contract §3.3, §3.8), and how those that only ask begin.
_BESIDE = frozenset({"DongBoTrangThaiHoSo", "DongBoHoiDap", "DongBoKetQuaHoiDapGuiTuDVCQG", "DongBoDanhGia"})
_QUESTIONS = ("Lay", "TraCuu")


class PassedBy(dict[str, Any]):
    """A call that the proxy passed on by itself while the collector was away: the portal has answered it."""


@dataclass(slots=True)
class Loaded:
    """What a load stored: of steps, those that were not there yet."""

    messages: int = 0
    records: int = 0
    steps: int = 0
    duplicates: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)


def load(
    paths: list[Path], *, at: datetime, keep_going: bool = False, advance: Callable[[int], None] = lambda n: None
) -> Loaded:
    """Loads request bodies. Raises `Unreadable`, naming file and line: then nothing was stored."""
    bad: list[str] = []
    for path in paths:
        for line, body, error in _bodies(path):
            if error is not None:
                if not keep_going:
                    raise Unreadable(f"{path.name}, line {line}: {error}")
                bad.append(f"{path.name}, line {line}: {error}")
            elif body is not None:
                _received_at(path, line, body, at)
    result = Loaded(refused=[{"place": text, "reason": text.split(": ", 1)[1]} for text in bad])
    server = Server(Profile(name="load"))
    before = Step.objects.filter(side="held").count()
    batch: list[tuple[Path, int, dict[str, Any]]] = []
    for path in paths:
        for line, body, error in _bodies(path):
            if error is None and body is not None:
                batch.append((path, line, body))
                if len(batch) >= BATCH:
                    _apply(server, batch, at, result)
                    advance(len(batch))
                    batch = []
    _apply(server, batch, at, result)
    result.steps = Step.objects.filter(side="held").count() - before
    return result


def _bodies(path: Path) -> Iterator[tuple[int, dict[str, Any] | None, str | None]]:
    """Each line as a request body, or what is wrong with it; log-ins and questions pass as None."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}") from None
    with file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            try:
                body = read_json(raw)
            except Unreadable:
                cut = "; is the last line cut off?" if not raw.endswith(b"\n") else ""
                yield number, None, f"not JSON: one request body a line{cut}"
                continue
            if isinstance(body, dict) and "service" not in body and "body" in body and "path" in body:
                try:
                    body = _passed_by(body)
                except Unreadable as error:
                    yield number, None, str(error)
                    continue
                if body is None:
                    yield number, None, None
                    continue
            if not isinstance(body, dict):
                yield number, None, "not a request body: a JSON object is wanted"
            elif not body.get("service") and "username" not in body:
                yield number, None, "no service is named; write DongBoHoSoMC or CapNhatTienDoHoSoMC"
            elif _says_nothing_of_dossiers(str(body.get("service") or "")):
                yield number, None, None
            else:
                yield number, body, None


def _passed_by(line: dict[str, Any]) -> PassedBy | None:
    """The call in a line that the proxy wrote while the collector was away; None where the portal took nothing."""
    status = str(line.get("status", "200"))
    if not status.startswith("2") or not line["body"]:
        return None
    address = f"{line['path']}?{line.get('query') or ''}"
    document = adapters.called(Profile(), address, read_json(str(line["body"]).encode()))
    if not isinstance(document, dict):
        raise Unreadable(f"a call to {line['path']}: its body is no request of the contract")
    return PassedBy(document, received_at=line.get("received_at", ""))


def _says_nothing_of_dossiers(service: str) -> bool:
    return not service or service in _BESIDE or service.startswith(_QUESTIONS)


def _received_at(path: Path, line: int, body: dict[str, Any], at: datetime) -> datetime:
    text = body.get("received_at")
    if not text:
        return at
    try:
        return parse_instant(str(text))
    except Unreadable as error:
        raise Unreadable(f"{path.name}, line {line}, received_at: {error}") from None


def _apply(server: Server, batch: list[tuple[Path, int, dict[str, Any]]], at: datetime, result: Loaded) -> None:
    """Applies messages in order; neighbours of the same kind that touch different dossiers go together."""
    if not batch:
        return
    with transaction.atomic(using="mirror"):
        group: list[tuple[Path, int, dict[str, Any], list[Any], datetime]] = []
        key: tuple[Any, ...] = ()
        codes: set[str] = set()
        for path, line, body in batch:
            items = body.get("data")
            items = [items] if isinstance(items, dict) else items
            arrived = _received_at(path, line, body, at)
            if body["service"] not in (RECORDS, STEPS) or not isinstance(items, list):
                _flush(server, group, key, result)
                group, key, codes = [], (), set()
                _refuse(path, line, body, arrived, result)
                continue
            passed = isinstance(body, PassedBy)
            own = (body["service"], passed or is_updating_of(body.get("isUpdating")), sender_of(body), arrived, passed)
            touched = {str(item.get("MaHoSo", "")) if isinstance(item, dict) else "" for item in items}
            if own != key or (own[0] == RECORDS and touched & codes):
                _flush(server, group, key, result)
                group, key, codes = [], own, set()
            group.append((path, line, body, items, arrived))
            codes |= touched
        _flush(server, group, key, result)


def _refuse(path: Path, line: int, body: dict[str, Any], arrived: datetime, result: Loaded) -> None:
    """A message that no item of can be read from: kept raw, and listed with the portal's answer."""
    service = str(body["service"])
    reason = "Thiếu data" if service in (RECORDS, STEPS) else f"Không có service {service}"
    Message.objects.create(
        received_at=arrived, sender=sender_of(body), service=service[:64],
        body=json.dumps(body, ensure_ascii=False).encode(), error_code=-1,
    )  # fmt: skip
    result.messages += 1
    result.refused.append({"place": f"{path.name}, line {line}", "dossier": "", "reason": reason})


def _flush(server: Server, group: list[Any], key: tuple[Any, ...], result: Loaded) -> None:
    if not group:
        return
    service, updating, sender, arrived, passed = key
    rows = Message.objects.bulk_create(
        [
            Message(
                received_at=arrived, sender=sender, service=service,
                body=json.dumps(body, ensure_ascii=False).encode(), error_code=0,
            )
            for _, _, body, _, _ in group
        ]
    )  # fmt: skip
    About.objects.bulk_create(
        [About(code=code[:200], message=row.pk) for row, (_, _, body, _, _) in zip(rows, group, strict=True)
         for code in dict.fromkeys(about_of(body))],
        ignore_conflicts=True, batch_size=5_000,
    )  # fmt: skip
    items = [item for _, _, _, own, _ in group for item in own]
    outcome = (server.lenient if passed else server).apply(service, updating, items, arrived, rows[-1])
    places = [(path.name, line) for path, line, _, own, _ in group for _ in own]
    for (name, line), code, (error, reason) in zip(places, outcome.codes, outcome.errors, strict=True):
        if error == server.profile.duplicate_code and error:
            continue
        if error:
            result.refused.append({"place": f"{name}, line {line}", "dossier": code, "reason": reason})
    result.messages += len(group)
    result.records += outcome.records
    result.duplicates += outcome.duplicates
