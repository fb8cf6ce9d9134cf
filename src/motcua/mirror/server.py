"""The portal's stand-in: a request body in, a reply out, and what it now holds.

Raw messages are kept first, then interpreted. An update keeps the version before it; steps are appended,
exact duplicates dropped, and never change the record's status (contract §2.5, §6.5).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import transaction

from motcua.mirror import held, lists, submissions
from motcua.mirror.faults import Fault, Plan
from motcua.mirror.models import Message, Orphan, PortalProcedure, Refusal, Session, Step
from motcua.rules.instants import Unreadable, to_microseconds
from motcua.wire import dates, messages
from motcua.wire.messages import BadItem
from motcua.wire.profile import Profile

#: Services that store; everything else answers a question.
RECORDS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
#: Dossiers in one answer to the list of dossiers.
_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers: HTTP status and a JSON object."""

    http: int
    body: Mapping[str, Any]


class Dropped(Exception):
    """The sandbox plays a lost message: no answer at all."""


@dataclass(slots=True)
class Outcome:
    """What became of the items of one message."""

    codes: list[str] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)  # (error_code, message), 0 and "" where stored
    records: int = 0
    steps: int = 0
    duplicates: int = 0


def _reply(code: int, message: str, **more: Any) -> dict[str, Any]:
    return {"error_code": code, "message": message, **more}


class Server:
    """One portal: its profile and the faults that it plays."""

    def __init__(self, profile: Profile, faults: Plan | None = None) -> None:
        self.profile = profile
        self.faults = faults or Plan()
        self._live: dict[str, tuple[str, datetime]] = {}

    @cached_property
    def lenient(self) -> Server:
        """Takes over whatever the real portal took, from wherever in a dossier's life the collector began."""
        lenient = replace(
            self.profile, unknown_dossier="accept", refuse_empty_content=False, max_note=10**9, max_person=10**9,
            unknown_procedure="accept", older_steps="accept",
        )  # fmt: skip
        return Server(lenient)

    # ---- doors -------------------------------------------------------------------------------------------------

    def login(self, body: bytes, at: datetime) -> Reply:
        """`mapi/login`: a session for a known user."""
        try:
            request = messages.read_json(body)
        except Unreadable as error:
            return Reply(self.profile.not_json_http, _reply(-1, str(error)))
        user = str(request.get("username", "")) if isinstance(request, dict) else ""
        known = self.profile.users.get(user)
        given = str(request.get("password", "")) if isinstance(request, dict) else ""
        if known is None or not secrets.compare_digest(known.encode(), given.encode()):
            return Reply(200, _reply(-1, "Sai tên đăng nhập hoặc mật khẩu"))
        token = secrets.token_urlsafe(24)
        expires_at = at + timedelta(minutes=self.profile.session_minutes)
        Session.objects.create(token=token, username=user, expires_at=expires_at)
        self._live[token] = (user, expires_at)
        return Reply(200, _reply(0, "Đăng nhập thành công", session=token))

    def data(self, body: bytes, at: datetime, *, address: str = "") -> Reply:
        """`mapi/g`: every service. Raises `Dropped` where the sandbox loses the message."""
        raw = held.keep_raw(body, at, address=address)
        try:
            request = messages.read_json(body)
            if not isinstance(request, dict):
                raise Unreadable("Nội dung JSON phải là một đối tượng")
        except Unreadable as error:
            return self._answer(raw, self.profile.not_json_http, _reply(-1, str(error)))
        raw.service, raw.sender = str(request.get("service", ""))[:64], sender_of(request)
        about = about_of(request)
        user = self._user(str(request.get("session", "")), at)
        if user is None:
            reply = _reply(-1, "Phiên làm việc không hợp lệ hoặc đã hết hạn")
            return self._answer(raw, self.profile.expired_session_http, reply, about)
        allowed = self.profile.units.get(user)
        if allowed is not None and raw.sender not in allowed:
            reply = _reply(-1, f"Tài khoản không được gửi thay cho đơn vị {raw.sender!r}")
            return self._answer(raw, 200, reply, about)
        return self._answer(raw, *self._serve(request, at, raw), about)

    def adapted(self, request: Mapping[str, Any], body: bytes, at: datetime, *, address: str = "") -> Reply:
        """A call through a provincial adapter, put into the form of the contract: the adapter vouches for the sender.

        Raises `Dropped`.
        """
        service = str(request.get("service", ""))[:64]
        raw = held.keep_raw(body, at, service=service, sender=sender_of(request), address=address)
        return self._answer(raw, *self._serve(request, at, raw), about_of(request))

    def unreadable(self, body: bytes, reason: str, at: datetime, *, address: str = "") -> Reply:
        """A body that cannot be read is kept raw and answered."""
        raw = held.keep_raw(body, at, address=address)
        return self._answer(raw, self.profile.not_json_http, _reply(-1, reason))

    def _serve(self, request: Mapping[str, Any], at: datetime, raw: Message) -> tuple[int, Mapping[str, Any]]:
        if raw.service in (RECORDS, STEPS):
            return self._write(request, at, raw)
        if raw.service in submissions.SERVICES:
            code, message = submissions.store(request, self.profile, at=at, message=raw.pk, sender=raw.sender)
            return 200, _reply(code, message)
        return 200, self._read(request)

    def _answer(self, raw: Message, http: int, reply: Mapping[str, Any], about: Sequence[str] = ()) -> Reply:
        if self.profile.error_code_as == "text":
            reply = {**reply, "error_code": str(reply["error_code"])}
        raw.reply = json.dumps({k: v for k, v in reply.items() if k != "result"}, ensure_ascii=False)
        raw.error_code, raw.http = int(reply["error_code"]), http
        held.keep_answer(raw, about)
        return Reply(http, reply)

    def _user(self, token: str, at: datetime) -> str | None:
        live = self._live.get(token)
        if live is None:
            row = Session.objects.filter(token=token).first()
            if row is None:
                return None
            live = self._live[token] = (row.username, row.expires_at)
        return live[0] if at < live[1] else None

    # ---- writes ------------------------------------------------------------------------------------------------

    def _write(self, request: Mapping[str, Any], at: datetime, raw: Message) -> tuple[int, dict[str, Any]]:
        items = request.get("data")
        if isinstance(items, dict):
            items = [items]
        if not isinstance(items, list):
            return 200, _reply(-1, "Thiếu data")
        if 0 < self.profile.max_batch < len(items):
            return 200, _reply(-1, f"data: nhiều hơn {self.profile.max_batch} phần tử")
        kept: list[Any] = []
        struck: dict[int, Fault] = {}
        answered = True
        for index, item in enumerate(items):
            code, status = _code_and_status(item)
            fault = self.faults.strike(code, str(request["service"]), status)
            if fault is None or fault.kind == "lose_answer":
                kept.append(item)
                answered = answered and fault is None
                continue
            if fault.kind == "lose":
                raise Dropped
            if fault.kind == "error_500":
                return 500, _reply(-1, "Lỗi hệ thống")
            struck[index] = fault
        updating = is_updating_of(request.get("isUpdating"))
        # Both phrases occur in replies to updates: before any step it is an update, after it a synchronisation.
        codes = [code for code, _ in map(_code_and_status, items)]
        plain = updating and not Step.objects.filter(side="held", code__in=codes).exists()
        outcome = self.apply(request["service"], updating, kept, at, raw)
        if not answered:
            raise Dropped
        merged = iter(zip(outcome.codes, outcome.errors, strict=True))
        results = []
        for index, item in enumerate(items):
            played = struck.get(index)
            if played is not None:
                code = _code_and_status(item)[0]
                refused = played.kind == "refuse"
                if refused:
                    self.log_refusal(item, str(request["service"]), played.message, at, raw)
                results.append((code, (-1, f"Hồ sơ {code}: {played.message}") if refused else (0, "")))
            else:
                results.append(next(merged))
        return 200, self._result(str(request["service"]), results, plain)

    def _result(self, service: str, results: Sequence[tuple[str, tuple[int, str]]], plain: bool) -> dict[str, Any]:
        bad = [(code, error) for code, error in results if error[0] != 0]
        good = "Cập nhật tiến độ thành công"
        if service == RECORDS:
            good = "Cập nhật hồ sơ thành công" if plain else "Đồng bộ hồ sơ thành công"
        reply = _reply(0, good)
        if bad:
            worst = -1 if any(error[0] == -1 for _, error in bad) else bad[0][1][0]
            reply = _reply(worst, "; ".join(dict.fromkeys(error[1] for _, error in bad)))
        several = len({code for code, _ in results}) > 1 or (bad and len(results) > 1)
        if several and self.profile.per_item_replies:
            reply["result"] = [
                {"MaHoSo": code, "error_code": error[0], "message": error[1] or "thành công"} for code, error in results
            ]
        return reply

    def log_refusal(self, item: Any, service: str, reason: str, at: datetime, raw: Message) -> None:
        """An item that was not taken, kept with the reason."""
        code, status = _code_and_status(item)
        Refusal.objects.create(
            code=code, service=service, status=str(status or ""), at=_stated(item), reason=reason, stored_at=at,
            body=json.dumps(item, ensure_ascii=False), message=raw.pk,
        )  # fmt: skip

    def apply(
        self, service: str, is_updating: Any, items: Sequence[Any], at: datetime, raw: Message | None = None
    ) -> Outcome:
        """Stores what can be stored of these items; refused ones are kept raw with the reason."""
        number = raw.pk if raw else 0
        with transaction.atomic(using="mirror"):
            if service == RECORDS:
                sender = raw.sender if raw else ""
                return self._records(is_updating_of(is_updating), items, at, number, sender)
            return self._steps(items, at, number)

    def _records(self, updating: bool, items: Sequence[Any], at: datetime, number: int, sender: str) -> Outcome:
        outcome = Outcome()
        known = held.known({code for code, _ in map(_code_and_status, items) if code})
        procedures: set[str] = set()
        if self.profile.unknown_procedure == "refuse":
            procedures.update(PortalProcedure.objects.values_list("code", flat=True))
        rows: dict[str, held.Row] = {}
        versions: list[held.Row] = []
        refusals: list[Refusal] = []
        fresh: list[str] = []
        stored_at = to_microseconds(at)
        for item in items:
            code, _ = _code_and_status(item)
            outcome.codes.append(code)
            there = known.get(code)
            try:
                if there is not None and not updating:
                    outcome.duplicates += 1
                    outcome.errors.append((self.profile.duplicate_code, f"Hồ sơ {code} đã tồn tại"))
                    continue
                if there is None and updating and self.profile.unknown_dossier == "refuse":
                    raise BadItem(code, "không tìm thấy hồ sơ")
                parsed = messages.parse_record(item, self.profile, stored=json.loads(there.body) if there else None)
                if parsed.procedure not in procedures and self.profile.unknown_procedure == "refuse":
                    raise BadItem(code, f"mã thủ tục {parsed.procedure} không có trong danh mục")
            except BadItem as error:
                refusals.append(_refusal(item, RECORDS, str(error), at, number))
                outcome.errors.append((-1, str(error)))
                continue
            outcome.errors.append((0, ""))
            outcome.records += 1
            body = json.dumps(parsed.body, ensure_ascii=False)
            if there is not None and there.body == body:  # sent again: nothing changes, so there is no new version
                continue
            version, said_by = 1, sender
            if there is None:
                fresh.append(code)
            else:
                version, said_by = there.version + 1, sender or there.sender
                versions.append((code, there.version, there.body, there.stored_at, there.message))
            rows[code] = held.row(
                "held", parsed, body=body, version=version, at=at, message=number, sender=said_by
            )  # fmt: skip
            known[code] = held.Known(version, body, said_by, stored_at, number)
        held.store(list(rows.values()), versions=versions)
        if fresh:
            Orphan.objects.filter(code__in=fresh, linked_at=None).update(linked_at=at)
        if refusals:
            Refusal.objects.bulk_create(refusals)
        return outcome

    def _steps(self, items: Sequence[Any], at: datetime, number: int) -> Outcome:
        outcome = Outcome()
        known = held.known({code for code, _ in map(_code_and_status, items) if code})
        rows: list[held.Row] = []
        orphans: list[Orphan] = []
        refusals: list[Refusal] = []
        for item in items:
            code, _ = _code_and_status(item)
            outcome.codes.append(code)
            try:
                parsed = messages.parse_step(item, self.profile)
                if code not in known and self.profile.unknown_dossier == "refuse":
                    orphans.append(Orphan(code=code, body=json.dumps(item, ensure_ascii=False), stored_at=at,
                                          message=number))  # fmt: skip
                    outcome.errors.append((-1, f"Hồ sơ {code}: không tìm thấy hồ sơ"))
                    continue
                if self.profile.older_steps == "refuse" and _is_older(parsed):
                    raise BadItem(code, "ThoiDiemXuLy trước bước đã có")
            except BadItem as error:
                refusals.append(_refusal(item, STEPS, str(error), at, number))
                outcome.errors.append((-1, str(error)))
                continue
            rows.append(held.step_row("held", parsed, at=at, message=number))
            outcome.errors.append((0, ""))
            outcome.steps += 1
        held.store((), rows)
        if orphans:
            Orphan.objects.bulk_create(orphans)
        if refusals:
            Refusal.objects.bulk_create(refusals)
        return outcome

    # ---- reads -------------------------------------------------------------------------------------------------

    def _read(self, request: Mapping[str, Any]) -> dict[str, Any]:
        service = str(request.get("service", ""))
        if service == "TraCuuHoSo":
            code = messages.text_of(request.get("mahoso"))
            found = held.lookup(code)
            if not found and self.profile.lookup_unknown == "refuse":
                return _reply(-1, f"Hồ sơ {code}: không tìm thấy hồ sơ")
            return _reply(0, "", result=found)
        if service and service == self.profile.list_service:
            count = messages.text_of(request.get("soLuong"))
            many = min(int(count) if count.isdigit() else _LISTED, _LISTED)
            return _reply(0, "", result=held.listed(messages.text_of(request.get("sau")), many))
        result = lists.answer(service, request)
        if result is None:
            return _reply(-1, f"Không có service {service}".strip())
        return _reply(0, "", result=result)


def sender_of(request: Mapping[str, Any]) -> str:
    """Who sends: `madonvi`, or what a look-up names in its place."""
    return messages.text_of(request.get("madonvi") or request.get("donViXuLy") or "")[:64]


def about_of(request: Mapping[str, Any]) -> list[str]:
    """The codes of the dossiers that a request is about, as far as they can be read."""
    items = request.get("data")
    items = items if isinstance(items, list) else [items]
    codes = [_code_and_status(item)[0] for item in items]
    asked = request.get("mahoso")
    return [code for code in (*codes, asked if isinstance(asked, str) else "") if code]


def is_updating_of(value: Any) -> bool:
    """`isUpdating` in every form that clients send it."""
    return str(value).strip().lower() in ("true", "1")


def _code_and_status(item: Any) -> tuple[str, int]:
    if not isinstance(item, dict):
        return "", 0
    try:
        code = messages.text_of(item.get("MaHoSo"))
        status = messages.text_of(item.get("TrangThaiHoSo") or item.get("TrangThai"))
    except Unreadable:
        return "", 0
    return code, int(status) if status.isdigit() else 0


def _stated(item: Any) -> datetime | None:
    try:
        return dates.parse(item.get("ThoiDiemXuLy") or item.get("NgayKetThucXuLy")) if isinstance(item, dict) else None
    except Unreadable:
        return None


def _is_older(step: messages.Step) -> bool:
    return step.at is not None and Step.objects.filter(side="held", code=step.code, at__gt=step.at).exists()


def _refusal(item: Any, service: str, reason: str, at: datetime, number: int) -> Refusal:
    code, status = _code_and_status(item)
    return Refusal(
        code=code, service=service, status=str(status or ""), at=_stated(item), reason=reason, stored_at=at,
        body=json.dumps(item, ensure_ascii=False), message=number,
    )  # fmt: skip
