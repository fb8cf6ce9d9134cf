"""The portal's side in columns: from its records and step log to one row of facts a record.

`wire.verdict.reduce` is the meaning. A record without a supplement is reduced over columns, the rest one by
one. A property test holds the two equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from motcua.inspection import clocks
from motcua.inspection.columns import MISSING, Columns, masked, texts
from motcua.inspection.ours import Catalogue
from motcua.rules.clock import Allotted, Mode
from motcua.rules.instants import from_microseconds, to_microseconds
from motcua.rules.verdicts import RECEPTION_MINUTES
from motcua.wire import verdict
from motcua.wire.codes import procedure_core

TEXTS = ("t_code", "t_procedure", "t_core", "t_unit", "t_unit_name", "t_sender", "t_owner", "t_channel")
INSTANTS = ("t_submitted_at", "t_received_at", "t_due_at", "t_nine_at", "t_nine_last_at", "t_ten_at", "t_closed_at",
            "t_withdrawn_at", "t_answer_at", "t_request_open_at", "t_limit_due_at", "t_reception_due_at",
            "t_last_at", "t_stored_at")  # fmt: skip
NUMBERS = ("t_status", "t_requests", "t_supplement_s", "t_papers", "t_fee", "t_paid_online")
FLAGS = ("t_accepted", "t_post_return")
_TERMINAL = (3, 7, 8, 9, 10)


@dataclass(slots=True, kw_only=True)
class Records:
    """Records of the portal in columns; instants int64 microseconds, MISSING where absent."""

    code: Sequence[str]
    procedure: Sequence[str]
    unit: Sequence[str]  # the agency code that its unit name resolves to, else ""
    unit_name: Sequence[str]
    sender: Sequence[str]
    owner: Sequence[str]  # a digest, comparable with ours
    channel: Sequence[str]
    status: NDArray[np.int64]
    submitted_at: NDArray[np.int64]
    received_at: NDArray[np.int64]
    due_at: NDArray[np.int64]
    finished_at: NDArray[np.int64]
    returned_at: NDArray[np.int64]
    stored_at: NDArray[np.int64]
    supplements: Mapping[int, str]  # by row: DanhSachHoSoBoSung as JSON, where not empty
    papers: Sequence[Paper] = ()
    fees: Mapping[int, int] = field(default_factory=dict)  # by row: the sum of DanhSachLePhi, đồng
    paid_online: Mapping[int, int] = field(default_factory=dict)  # by row: DuocThanhToanTrucTuyen, where not 0
    by_post: Sequence[int] = ()  # rows whose result goes by post (HinhThuc 1)


class Paper(NamedTuple):
    """A document that a record names (contract §3.1): handed in, asked for as a supplement, or the result."""

    record: int  # index into Records
    role: str  # handed_in | supplement | result
    component: str  # MaThanhPhanHoSo, of a result MaGiayToKetQua
    title: str
    file: str  # a digest of its address; empty: no file
    digitised: bool
    reused: bool  # of another dossier, of an issued result, or from the national store


@dataclass(slots=True, kw_only=True)
class Steps:
    """The portal's step log in columns, in order of arrival."""

    record: NDArray[np.int64]  # index into Records
    status: NDArray[np.int64]
    at: NDArray[np.int64]
    arrived_at: NDArray[np.int64]  # when it came over the wire; MISSING where it was loaded or read back


def theirs(
    records: Records,
    steps: Steps,
    catalogue: Catalogue,
    *,
    as_of: datetime | None = None,
    by_rules: bool = False,
    rule: verdict.Rule | None = None,
) -> Columns:
    """The portal's facts: a row a record. `as_of` cuts the step log by stated time."""
    n = len(records.code)
    cut = to_microseconds(as_of) if as_of else None
    known = steps.at != MISSING
    if cut is not None:
        known &= steps.at <= cut
    record, status, at = steps.record[known], steps.status[known], steps.at[known]
    order = np.lexsort((np.arange(len(at)), at, record))
    record, status, at = record[order], status[order], at[order] // 1_000_000
    slow = np.zeros(n, bool)
    slow[record[status == 5]] = True
    slow[list(records.supplements)] = True
    if by_rules:
        slow[:] = True
    instants = {name: np.full(n, MISSING) for name in INSTANTS}
    numbers = {name: np.zeros(n, np.int64) for name in NUMBERS}

    def first(*statuses: int) -> NDArray[np.int64]:
        rows = np.flatnonzero(np.isin(status, statuses))
        found = np.full(n, MISSING)
        owners, index = np.unique(record[rows], return_index=True)
        found[owners] = at[rows[index]]
        return found

    for name, values in (
        ("t_submitted_at", records.submitted_at),
        ("t_received_at", records.received_at),
        ("t_due_at", records.due_at),
        ("t_stored_at", records.stored_at),
    ):
        instants[name] = np.where(values == MISSING, MISSING, values // 1_000_000)
    numbers["t_status"] = records.status if cut is None else _status_by_then(records, steps, cut)
    instants["t_nine_at"], instants["t_ten_at"] = first(9), first(10)
    nines = np.flatnonzero(status == 9)
    instants["t_nine_last_at"][record[nines]] = at[nines]
    instants["t_closed_at"] = first(8, 3)
    instants["t_answer_at"] = first(2, 3, 5)
    instants["t_last_at"][record] = at
    worked = np.zeros(n, bool)
    worked[record[np.isin(status, (2, 4, 5, 6, 9, 10))]] = True
    has_received = instants["t_received_at"] != MISSING
    accepted = has_received & (worked | ~np.isin(records.status, (1, 3)))
    instants["t_withdrawn_at"] = np.where(accepted, first(7), MISSING)

    starts = np.searchsorted(record, np.arange(n + 1))
    for row in np.flatnonzero(slow).tolist():
        rows = slice(starts[row], starts[row + 1])
        reduced = verdict.reduce(
            supplements=_rounds(records.supplements.get(row)),
            steps=[
                (int(s), from_microseconds(int(t) * 1_000_000)) for s, t in zip(status[rows], at[rows], strict=True)
            ],
            as_of=as_of,
            rule=rule,
        )
        numbers["t_requests"][row] = reduced.requests
        numbers["t_supplement_s"][row] = reduced.supplement_s
        if reduced.request_open_at is not None:
            instants["t_request_open_at"][row] = to_microseconds(reduced.request_open_at) // 1_000_000

    for paper in records.papers:
        numbers["t_papers"][paper.record] += paper.role == "handed_in"
    for name, given in (("t_fee", records.fees), ("t_paid_online", records.paid_online)):
        numbers[name][list(given)] = list(given.values())
    by_post = np.zeros(n, bool)
    by_post[list(records.by_post)] = True
    cores = {code: procedure_core(code) for code in set(records.procedure)}
    _limits(records, cores, instants, catalogue)
    return {
        "t_code": texts(records.code),
        "t_procedure": texts(records.procedure),
        "t_core": texts([cores[code] for code in records.procedure]),
        "t_unit": texts(records.unit),
        "t_unit_name": texts(records.unit_name),
        "t_sender": texts(records.sender),
        "t_owner": texts(records.owner),
        "t_channel": texts(records.channel),
        **{name: masked(values) for name, values in instants.items()},
        **numbers,
        "t_accepted": accepted,
        "t_post_return": by_post,
    }


def _status_by_then(records: Records, steps: Steps, cut: int) -> NDArray[np.int64]:
    """The status of each record, in processing where its end is stated after `cut`: by its dates, or by its steps."""
    later = np.zeros(len(records.code), bool)
    for status, stated in ((9, records.finished_at), (10, records.returned_at)):
        later |= (records.status == status) & (stated != MISSING) & (stated > cut)
    ended = np.isin(steps.status, _TERMINAL) & (steps.at != MISSING) & (steps.at > cut)
    rows = steps.record[ended & (steps.status == records.status[steps.record])]
    later[rows] = True
    return np.where(later, 4, records.status)


def _rounds(text: str | None) -> list[tuple[datetime | None, datetime | None]]:
    rows: list[dict[str, Any]] = json.loads(text) if text else []
    return [verdict.supplement_round(row) for row in rows]


def _limits(
    records: Records, cores: Mapping[str, str], instants: dict[str, NDArray[np.int64]], catalogue: Catalogue
) -> None:
    """What the published limit of the procedure named there allows, and when eight working hours are over."""
    calendar = catalogue.calendars["vn"]
    by_core = {known.core: known for known in catalogue.procedures.values()}
    received, submitted = instants["t_received_at"], instants["t_submitted_at"]
    rows_of: dict[str, list[int]] = {}
    for row, code in enumerate(records.procedure):
        rows_of.setdefault(code, []).append(row)
    for code, members in rows_of.items():
        known = catalogue.procedures.get(code) or by_core.get(cores[code])
        rows = np.array(members)
        rows = rows[received[rows] != MISSING]
        if known is not None and known.limit and len(rows):
            instants["t_limit_due_at"][rows] = clocks.due_at(
                received[rows], Allotted.parse(known.limit), calendar, mode=Mode.DAY_END, cutoff=known.cutoff
            )
    rows = np.flatnonzero(submitted != MISSING)
    if len(rows):
        instants["t_reception_due_at"][rows] = clocks.due_at(
            submitted[rows], Allotted.parse(f"{RECEPTION_MINUTES}m"), calendar, mode=Mode.HOURS
        )
