"""Reads the rows that the facts are made of: our log and the portal's copy, as columns."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from django.db import connections

from motcua.catalogue import calendars, names
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, Procedure
from motcua.inspection.columns import MISSING
from motcua.inspection.ours import KIND_CODES, Catalogue, Events, Headers, ProcedureFacts
from motcua.inspection.theirs import Paper, Records, Steps
from motcua.mirror import held
from motcua.rules.clock import Mode, cutoff_minutes
from motcua.rules.instants import local_day, to_microseconds

#: Rows turned into columns at once.
_BATCH = 20_000

Side = Literal["held", "seen"]


def their_side() -> Side:
    """Which copy is the portal's: what was read back from a real portal, else what our stand-in holds."""
    return "seen" if os.environ.get("NATIONAL_PORTAL_URL") else "held"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dossiers to read: a range of codes [low, high), or a list of them."""

    low: str | None = None
    high: str | None = None
    codes: Sequence[str] | None = None

    def where(self, column: str) -> tuple[str, list[Any]]:
        """The condition and its parameters."""
        if self.codes is not None:
            return f"{column} IN ({', '.join(['%s'] * len(self.codes))})", list(self.codes)
        conditions, values = [], []
        if self.low is not None:
            conditions.append(f"{column} >= %s")
            values.append(self.low)
        if self.high is not None:
            conditions.append(f"{column} < %s")
            values.append(self.high)
        return " AND ".join(conditions) or "1 = 1", values


def catalogue(known_at: datetime | None = None) -> Catalogue:
    """The reference data as the facts read it; `known_at`: with the calendars as they had been made known by then."""
    known = calendars.load_all()
    if known_at is not None:
        known = {name: calendar.known_at(local_day(known_at)) for name, calendar in known.items()}
    procedures = {
        p.code: ProcedureFacts(
            code=p.code,
            core=p.core,
            field=p.field,
            name=p.name,
            limit=p.allotted,
            mode=Mode(p.mode),
            cutoff=cutoff_minutes(p.cutoff),
            payment_pauses=p.payment_pauses,
        )
        for p in Procedure.objects.all()
    }
    return Catalogue(
        procedures=procedures,
        agency_calendars=dict(Agency.objects.exclude(calendar="vn").values_list("code", "calendar")),
        calendars=known,
    )


def _fetch(alias: str, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _batches(alias: str, sql: str, parameters: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """The answer as columns, some thousand rows at a time: millions of tuples are never held at once."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_BATCH):
            yield list(zip(*rows, strict=True))


def _int(values: Iterable[int | None], count: int) -> Any:
    return np.fromiter((MISSING if value is None else value for value in values), np.int64, count)


_NO_EVENTS = [np.empty(0, kind) for kind in ("i4", "i4", "i1", "i8", "i8", "i8", "i4", "i4", "i4")]


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width


def owner_digest(name: str) -> str:
    """An owner's name as both sides can compare it, without keeping the name in the facts."""
    return hashlib.blake2b(fold(name).encode(), digest_size=8).hexdigest() if name else ""


def our_rows(choice: Choice) -> tuple[Headers, Events]:
    """Our dossiers and their events."""
    where, values = choice.where("code")
    rows = _fetch(
        "default",
        "SELECT code, procedure, agency, source, channel, origin, allotted, status, submitted_at, accepted_at,"
        f" slip_due_at FROM dossiers_dossier WHERE {where} ORDER BY code",
        values,
    )
    # A dossier whose load was withdrawn is in the log and registered no more.
    withdrawn = {row[0] for row in rows if not row[1] and not row[2]}
    rows = [row for row in rows if row[0] not in withdrawn]
    n = len(rows)
    c = _columns(rows, 11)
    index = {code: number for number, code in enumerate(c[0])}
    where, values = choice.where("dossier")
    owners, submitters = [""] * n, [""] * n
    for dossier, field, value in _fetch(
        "default",
        f"SELECT dossier, field, value FROM ledger_personal WHERE field IN ('applicant', 'submitter') AND {where}",
        values,
    ):
        if dossier in index:
            (owners if field == "applicant" else submitters)[index[dossier]] = owner_digest(value)
    headers = Headers(
        code=c[0], procedure=c[1], agency=c[2], source=c[3], channel=c[4], origin=c[5], owner=owners, allotted=c[6],
        status=np.fromiter(c[7], np.int64, n), submitted_at=_int(c[8], n), accepted_at=_int(c[9], n),
        slip_due_at=_int(c[10], n), submitter=submitters,
    )  # fmt: skip
    numbers: dict[str, int] = {"": 0}
    bodies: dict[int, str] = {}
    parts: list[tuple[Any, ...]] = []
    count = 0

    def coded(texts: tuple[str, ...]) -> Any:
        for text in dict.fromkeys(texts):
            numbers.setdefault(text, len(numbers))
        return np.fromiter(map(numbers.__getitem__, texts), np.int32, len(texts))

    for codes, seqs, kinds, ats, recorded, stored, actors, units, steps, texts in _batches(
        "default",
        "SELECT dossier, seq, kind, at, recorded_at, stored_at, actor, unit, step, body FROM ledger_event"
        f" WHERE {where}",
        values,
    ):
        if withdrawn and (kept := [n for n, code in enumerate(codes) if code not in withdrawn]) != [*range(len(codes))]:
            codes, seqs, kinds, ats, recorded, stored, actors, units, steps, texts = (
                tuple(column[n] for n in kept)
                for column in (codes, seqs, kinds, ats, recorded, stored, actors, units, steps, texts)
            )
        size = len(codes)
        parts.append(
            (
                np.fromiter(map(index.__getitem__, codes), np.int32, size),
                np.fromiter(seqs, np.int32, size),
                np.fromiter(map(KIND_CODES.__getitem__, kinds), np.int8, size),
                np.fromiter(ats, np.int64, size),
                np.fromiter(recorded, np.int64, size),
                np.fromiter(stored, np.int64, size),
                coded(actors),
                coded(units),
                coded(steps),
            )
        )
        bodies |= {count + row: body for row, body in enumerate(texts) if body != "{}"}
        count += size
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else _NO_EVENTS
    names = ("dossier", "seq", "kind", "at", "recorded_at", "stored_at", "actor", "unit", "step")
    events = Events(**dict(zip(names, columns, strict=True)), names=list(numbers), bodies=bodies)
    return headers, events


#: A record that lists something in one of these is read whole; most list nothing.
_LISTED = tuple(
    f'"{name}":{gap}[{{'
    for name in ("TaiLieuNop", "DanhSachLePhi", "DanhSachGiayToKetQua", "DanhSachHoSoBoSung")
    for gap in ("", " ")
)
_PAID_ONLINE = re.compile(r'"DuocThanhToanTrucTuyen": ?"?([1-9])')


def _papers(row: int, whole: Mapping[str, Any]) -> list[Paper]:
    """The documents that a record names; those taken back are left out."""

    def listed(of: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        return [
            each for each in of.get(key) or () if isinstance(each, dict) and str(each.get("IsDeleted")) not in _GONE
        ]

    found = [("handed_in", each) for each in listed(whole, "TaiLieuNop")]
    for asked in listed(whole, "DanhSachHoSoBoSung"):
        found += [("supplement", each) for each in listed(asked, "DanhSachGiayToBoSung")]
    papers = [
        Paper(
            row, role, str(each.get("MaThanhPhanHoSo") or ""), str(each.get("TenTepDinhKem") or ""),
            _digest(str(each.get("DuongDanTaiTepTin") or "").partition("?")[0]), str(each.get("DuocSoHoa")) == "1",
            str(each.get("DuocTaiSuDung") or "0") != "0" or str(each.get("DuocLayTuKhoDMQG")) == "1",
        )
        for role, each in found
    ]  # fmt: skip
    return papers + [
        Paper(row, "result", str(each.get("MaGiayToKetQua") or ""), str(each.get("TenGiayTo") or ""),
              _digest(str(each.get("DuongDanTepTinKetQua") or "").partition("?")[0]), True, False)
        for each in listed(whole, "DanhSachGiayToKetQua")
    ]  # fmt: skip


_GONE = frozenset({"True", "true", "1"})


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest() if text else ""


def _money(value: Any) -> int:
    """An amount in đồng as clients write it: 150000, "150.000"."""
    digits = re.sub(r"\D", "", str(value or ""))
    return int(digits) if digits else 0


#: (dossier, đồng, online, paid last at, the last payment known at): instants in seconds.
Paid = tuple[str, int, bool, int, int]


def paid(choice: Choice, as_of: datetime | None = None, known_at: datetime | None = None) -> list[Paid]:
    """What was paid for each dossier by our own record of payments, up to an instant and as known at another."""
    where, values = choice.where("dossier")
    known = "coalesce(known_at, paid_at)"
    for column, limit in (("paid_at", as_of), (known, known_at)):
        if limit is not None:
            where += f" AND {column} <= %s"
            values = [*values, to_microseconds(limit)]
    return [
        (dossier, int(amount), bool(online), int(at) // 1_000_000, int(learnt) // 1_000_000)
        for dossier, amount, online, at, learnt in _fetch(
            "default",
            "SELECT dossier, sum(amount), max(CASE WHEN channel = 'desk' THEN 0 ELSE 1 END), max(paid_at),"
            f" max({known}) FROM payments_payment WHERE state = 'paid' AND {where} GROUP BY dossier",
            values,
        )
    ]


_OF_RECORD = ("code", "procedure", "unit", "sender", "owner", "channel", "status", "submitted_at", "received_at",
              "due_at", "finished_at", "returned_at", "stored_at", "body")  # fmt: skip


def their_rows(
    choice: Choice, side: Side, known_at: datetime | None = None, *, or_newest: bool = False
) -> tuple[Records, Steps]:
    """The portal's records and their steps; `known_at`: as they had arrived by then.

    `or_newest`: a record of which nothing had arrived is given as it is now; it was loaded or read back afterwards.
    """
    where, values = choice.where("code")
    sql = f"SELECT {', '.join(_OF_RECORD)} FROM mirror_record WHERE side = %s AND {where} ORDER BY code"
    rows = _fetch("mirror", sql, [side, *values])
    arrived = ""
    if known_at is not None:
        limit = to_microseconds(known_at)
        arrived = f" AND stored_at <= {limit}"
        later = [row[0] for row in rows if row[12] > limit]
        earlier = held.as_known(later, known_at) if side == "held" else []
        had = {record["code"] for record in earlier}
        rows = sorted(
            [row for row in rows if row[12] <= limit or (or_newest and row[0] not in had)]
            + [tuple(record[name] for name in _OF_RECORD) for record in earlier]
        )
    n = len(rows)
    c = _columns(rows, 14)
    index = {code: number for number, code in enumerate(c[0])}
    units = names.resolver()
    supplements: dict[int, str] = {}
    for row, body in enumerate(c[13]):
        if '"DanhSachHoSoBoSung": [{' in body or '"DanhSachHoSoBoSung":[{' in body:
            supplements[row] = json.dumps(json.loads(body)["DanhSachHoSoBoSung"], ensure_ascii=False)
    papers: list[Paper] = []
    fees: dict[int, int] = {}
    paid: dict[int, int] = {}
    for row, body in enumerate(c[13]):
        if '"DuocThanhToanTrucTuyen": "0"' not in body and (match := _PAID_ONLINE.search(body)):
            paid[row] = int(match[1])
        if any(mark in body for mark in _LISTED):
            whole = json.loads(body)
            papers += _papers(row, whole)
            fees[row] = sum(_money(fee.get("Gia")) for fee in whole.get("DanhSachLePhi") or () if isinstance(fee, dict))
    by_post = [row for row, body in enumerate(c[13]) if '"HinhThuc": "1"' in body]
    records = Records(
        code=c[0], procedure=c[1], unit=[units(name) for name in c[2]], unit_name=c[2], sender=c[3],
        owner=[owner_digest(name) for name in c[4]], channel=c[5],
        status=np.fromiter((int(s) if s.isdigit() else 0 for s in c[6]), np.int64, n),
        submitted_at=_int(c[7], n), received_at=_int(c[8], n), due_at=_int(c[9], n), finished_at=_int(c[10], n),
        returned_at=_int(c[11], n), stored_at=_int(c[12], n), supplements=supplements,
        papers=papers, fees=fees, paid_online=paid, by_post=by_post,
    )  # fmt: skip
    rows = _fetch(
        "mirror",
        "SELECT code, status, at, mirror_step.stored_at, CASE WHEN http IS NULL THEN NULL ELSE mirror_step.stored_at"
        " END FROM mirror_step LEFT JOIN mirror_message ON mirror_message.id = mirror_step.message AND message > 0"
        f" WHERE side = %s AND {where}{arrived} ORDER BY mirror_step.id",
        [side, *values],
    )
    rows = [row for row in rows if row[0] in index]
    m = len(rows)
    s = _columns(rows, 5)
    steps = Steps(
        record=np.fromiter((index[code] for code in s[0]), np.int64, m),
        status=np.fromiter((int(status) for status in s[1]), np.int64, m),
        at=_int(s[2], m),
        arrived_at=_int(s[4], m),
    )
    np.maximum.at(records.stored_at, steps.record, _int(s[3], m))
    return records, steps


#: The national status of a refused message that named none of the ten.
UNKNOWN_STATUS = -1


#: (dossier, seq, national status, state, message, stated at and done at in seconds).
Delivered = tuple[str, int, int, str, str, int | None, int | None]


def deliveries(choice: Choice, known_at: datetime | None = None) -> list[Delivered]:
    """Each delivery, and what the mirror refused to others; `known_at`: as it stood then.

    A message that a collector refused tells as much of a vendor's software as a delivery does of ours; its `seq`
    is 0: it is matched by its status, UNKNOWN_STATUS where it named none of the ten.
    """
    limit = None if known_at is None else to_microseconds(known_at)
    where, values = choice.where("dossier")
    rows: list[Delivered] = [
        (dossier, seq, status or 0, "waiting" if limit is not None and (done is None or done > limit) else state, error,
         None, None if done is None else done // 1_000_000)
        for dossier, seq, status, state, error, done in _fetch(
            "default",
            f"SELECT dossier, seq, status, state, error, done_at FROM exchange_delivery WHERE {where}",
            values,
        )
    ]  # fmt: skip
    where, values = choice.where("code")
    arrived = "" if limit is None else f" AND stored_at <= {limit}"
    rows += [
        (code, 0, int(status) if status in _TEN else UNKNOWN_STATUS, "dead" if status in _TEN else "unmapped", reason,
         None if at is None else at // 1_000_000, None)
        for code, status, reason, at in _fetch(
            "mirror", f"SELECT code, status, reason, at FROM mirror_refusal WHERE {where}{arrived}", values
        )
    ]  # fmt: skip
    return rows


_TEN = frozenset(map(str, range(1, 11)))


def alternative_codes() -> list[tuple[str, str]]:
    """(code, dossier): other codes under which our dossiers are known."""
    return [(c, d) for c, d in _fetch("default", "SELECT code, dossier FROM dossiers_alternative_code", ())]
