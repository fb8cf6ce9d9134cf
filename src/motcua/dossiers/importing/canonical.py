"""The canonical rows: `dossiers.csv` and `events.csv`, checked value by value.

docs/reference/canonical-csv.md is the promise; every fault names the file, the row and the column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from motcua.dossiers.importing.sources import Fault
from motcua.rules.clock import Allotted
from motcua.rules.instants import VIET_NAM, Unreadable, parse_instant

DOSSIER_COLUMNS = (
    "dossier", "procedure", "agency", "channel", "applicant", "submitted_at", "received_at", "allotted", "due_at",
)  # fmt: skip
DOSSIER_OPTIONAL = ("source", "submitter")
EVENT_COLUMNS = (
    "dossier", "kind", "at", "recorded_at", "unit", "actor", "step", "due_at", "evidence_at", "document", "note",
)  # fmt: skip
CHANNELS = ("desk", "online", "post")
KINDS = (
    "received", "refused", "step_started", "step_finished", "supplement_requested", "supplement_received",
    "suspended", "resumed", "payment_requested", "paid", "extended", "withdrawn", "stopped", "finished", "returned",
)  # fmt: skip
_KINDS = frozenset(KINDS)
_DOCUMENT = {"": None, "yes": 1, "no": 0}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX = {"dossier": 200, "step": 500, "unit": 200, "actor": 200, "procedure": 64, "agency": 64, "source": 64}


class DossierRow(NamedTuple):
    """A checked row of dossiers.csv; instants in microseconds UTC, None where empty."""

    dossier: str
    procedure: str
    agency: str
    channel: str
    applicant: str
    submitted_at: int | None
    received_at: int | None
    allotted: str
    due_at: int | None
    source: str
    submitter: str
    digest: bytes


class EventRow(NamedTuple):
    """A checked row of events.csv; instants in microseconds UTC, None where empty."""

    dossier: str
    kind: str
    at: int
    recorded_at: int
    unit: str
    actor: str
    step: str
    due_at: int | None
    evidence_at: int | None
    document: int | None
    note: str
    digest: bytes


def microseconds(text: str) -> int:
    """An instant as the log keeps it. Raises `Unreadable`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = parse_instant(text)
    if len(text) < 8 or not text[4:5] == "-":
        raise Unreadable(f"{text!r} is not an ISO 8601 instant such as 2026-03-02T08:30:00+07:00")
    if at.tzinfo is None:
        at = at.replace(tzinfo=VIET_NAM)
    if not 1900 <= at.year <= 2200:
        raise Unreadable(f"{text!r} is not a plausible day")
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def digest(source: str, values: Sequence[str]) -> bytes:
    """The identity of a row: its values and the source that it came from."""
    return hashlib.blake2b("\x1f".join((source, *values)).encode(), digest_size=16).digest()


class Header:
    """Where the columns of a canonical file stand; `read` checks a row."""

    def __init__(self, file: str, names: Sequence[str], needed: Sequence[str], optional: Sequence[str]) -> None:
        cleaned = [name.strip().lower() for name in names]
        for name in needed:
            if name not in cleaned:
                raise Fault(file, 1, name, f"this column is missing; the columns are: {', '.join(needed)}")
        repeated = {name for name in cleaned if cleaned.count(name) > 1}
        if repeated:
            raise Fault(file, 1, sorted(repeated)[0], "this column stands twice")
        self.file = file
        self.at = {name: cleaned.index(name) for name in (*needed, *optional) if name in cleaned}
        self.in_order = cleaned[: len(needed)] == list(needed)


def header(file: str, names: Sequence[str]) -> Header:
    """Recognises a canonical file by its header. Raises `Fault`."""
    cleaned = {name.strip().lower() for name in names}
    if "kind" in cleaned:
        return Header(file, names, EVENT_COLUMNS, ())
    if "procedure" in cleaned:
        return Header(file, names, DOSSIER_COLUMNS, DOSSIER_OPTIONAL)
    other = next((mark for mark in ";\t|" if mark in names[0] and len(names) == 1), "")
    if other:
        raise Fault(
            file, 1, "", f"the columns are parted by {other!r}; save the file with commas, or read it with --map"
        )
    raise Fault(
        file, 1, "", "neither dossiers.csv (column procedure) nor events.csv (column kind); another form needs --map"
    )


def dossier_row(head: Header, line: int, row: Sequence[str], source: str) -> DossierRow:
    """Checks a row of dossiers.csv. Raises `Fault`."""
    values = {name: row[at].strip() for name, at in head.at.items()}
    return checked_dossier(head.file, line, values, source)


def checked_dossier(file: str, line: int, values: Mapping[str, str], source: str) -> DossierRow:
    """Checks a dossier's values. Raises `Fault`."""
    _texts(file, line, values, ("dossier", "procedure", "agency", "source"))
    for name in ("dossier", "procedure", "agency"):
        if not values.get(name):
            raise Fault(file, line, name, "is empty")
    channel = values.get("channel", "") or "desk"
    if channel not in CHANNELS:
        raise Fault(file, line, "channel", f"{channel!r} is none of {', '.join(CHANNELS)}")
    allotted = values.get("allotted", "")
    if allotted:
        try:
            Allotted.parse(allotted)
        except Unreadable as error:
            raise Fault(file, line, "allotted", str(error)) from None
    own = values.get("source", "") or source
    return DossierRow(
        values["dossier"],
        values["procedure"],
        values["agency"],
        channel,
        values.get("applicant", ""),
        _instant(file, line, "submitted_at", values.get("submitted_at", "")),
        _instant(file, line, "received_at", values.get("received_at", "")),
        allotted,
        _instant(file, line, "due_at", values.get("due_at", "")),
        own,
        values.get("submitter", ""),
        digest(own, [values.get(name, "") for name in (*DOSSIER_COLUMNS, *DOSSIER_OPTIONAL)]),
    )


def event_row(head: Header, line: int, row: Sequence[str], source: str) -> EventRow:
    """Checks a row of events.csv; written for speed, millions of rows go through it. Raises `Fault`."""
    if head.in_order:
        dossier, kind, at, recorded, unit, actor, step, due, evidence, document, note = map(str.strip, row[:11])
    else:
        dossier, kind, at, recorded, unit, actor, step, due, evidence, document, note = (
            row[head.at[name]].strip() for name in EVENT_COLUMNS
        )
    return checked_event(
        head.file, line, source, dossier, kind, at, recorded, unit, actor, step, due, evidence, document, note
    )


def checked_event(
    file: str, line: int, source: str, dossier: str, kind: str, at: str, recorded: str, unit: str, actor: str,
    step: str, due: str, evidence: str, document: str, note: str,
) -> EventRow:  # fmt: skip
    """Checks an event's values. Raises `Fault`."""
    if not dossier:
        raise Fault(file, line, "dossier", "is empty")
    if kind not in _KINDS:
        raise Fault(file, line, "kind", f"{kind!r} is none of {', '.join(KINDS)}")
    if len(step) > 500 or len(actor) > 200 or len(unit) > 200 or len(dossier) > 200:
        _texts(file, line, {"dossier": dossier, "step": step, "actor": actor, "unit": unit},
               ("dossier", "step", "actor", "unit"))  # fmt: skip
    if not at:
        raise Fault(file, line, "at", "is empty; every event needs the instant at which it happened")
    at_us = _instant(file, line, "at", at)
    assert at_us is not None
    recorded_us = _instant(file, line, "recorded_at", recorded) if recorded else at_us
    due_us = None
    if kind == "extended":
        if not due:
            raise Fault(file, line, "due_at", "is empty; an extension needs its new due instant")
        due_us = _instant(file, line, "due_at", due)
    elif due:
        raise Fault(file, line, "due_at", f"only an event of kind extended has one, not {kind}")
    if document not in _DOCUMENT:
        raise Fault(file, line, "document", f"{document!r} is none of yes, no, or empty where unknown")
    evidence_us = None
    if evidence:
        if kind not in ("step_finished", "finished", "returned"):
            raise Fault(file, line, "evidence_at", f"stands on step_finished, finished and returned, not on {kind}")
        evidence_us = _instant(file, line, "evidence_at", evidence)
    return EventRow(
        dossier, kind, at_us, recorded_us if recorded_us is not None else at_us, unit, actor, step, due_us,
        evidence_us, _DOCUMENT[document], note,
        digest(source, (dossier, kind, at, recorded, unit, actor, step, due, evidence, document, note)),
    )  # fmt: skip


def _instant(file: str, line: int, column: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return microseconds(text)
    except Unreadable as error:
        raise Fault(file, line, column, f"{error}; correct it, or leave the row out with --keep-going") from None


def _texts(file: str, line: int, values: Mapping[str, str], names: Sequence[str]) -> None:
    for name in names:
        if len(values.get(name, "")) > _MAX[name]:
            raise Fault(file, line, name, f"longer than {_MAX[name]} characters")
