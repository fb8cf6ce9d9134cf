"""The canonical rows: `dossiers.csv` and `events.csv`, checked value by value.

docs/reference/canonical-csv.md is the promise; every fault names the file, the row and the column.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from motcua.dossiers.importing.sources import Fault
from motcua.rules.clock import Allotted
from motcua.rules.enclosures import COLLECTED, FEE_KINDS, LISTS, fault, from_values, to_values
from motcua.rules.events import ENCLOSING
from motcua.rules.instants import VIET_NAM, Unreadable, parse_instant

DOSSIER_COLUMNS = (
    "dossier", "procedure", "agency", "channel", "applicant", "submitted_at", "received_at", "allotted", "due_at",
)  # fmt: skip
_PAPER = ("paper_component", "paper_name", "paper_file", "paper_address", "paper_digitised")
DOSSIER_OPTIONAL = ("source", "submitter", *_PAPER)
EVENT_COLUMNS = (
    "dossier", "kind", "at", "recorded_at", "unit", "actor", "step", "due_at", "evidence_at", "document", "note",
)  # fmt: skip
#: What an event encloses, several values of a column parted by `|`: list → its columns, each with the field it fills.
ENCLOSED: Mapping[str, Mapping[str, str]] = {
    "fees": {"fee_code": "code", "fee_name": "name", "fee_amount": "amount", "fee_kind": "kind",
             "fee_collected": "collected"},
    "results": {"result_code": "code", "result_name": "name", "result_component": "component",
                "result_file": "file", "result_address": "address"},
    "papers": {name: name.removeprefix("paper_") for name in _PAPER},
}  # fmt: skip
EVENT_OPTIONAL = tuple(column for columns in ENCLOSED.values() for column in columns)
CHANNELS = ("desk", "online", "post")
KINDS = (
    "received", "refused", "step_started", "step_finished", "supplement_requested", "supplement_received",
    "suspended", "resumed", "payment_requested", "paid", "leg_sent", "leg_returned", "extended", "withdrawn", "stopped",
    "finished", "returned",
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
    enclosed: str


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
    enclosed: str  # what the event encloses, as JSON; empty: nothing


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
        self.encloses = [name for name in EVENT_OPTIONAL if name in self.at]


def header(file: str, names: Sequence[str]) -> Header:
    """Recognises a canonical file by its header. Raises `Fault`."""
    cleaned = {name.strip().lower() for name in names}
    if "kind" in cleaned:
        return Header(file, names, EVENT_COLUMNS, EVENT_OPTIONAL)
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
    enclosed, told = checked_enclosed(file, line, "registered", values)
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
        digest(own, [*(values.get(name, "") for name in (*DOSSIER_COLUMNS, "source", "submitter")), *told]),
        enclosed,
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
        head.file, line, source, dossier, kind, at, recorded, unit, actor, step, due, evidence, document, note,
        {name: row[head.at[name]].strip() for name in head.encloses} if head.encloses else None,
    )  # fmt: skip


def checked_event(
    file: str, line: int, source: str, dossier: str, kind: str, at: str, recorded: str, unit: str, actor: str,
    step: str, due: str, evidence: str, document: str, note: str, more: Mapping[str, str] | None = None,
) -> EventRow:  # fmt: skip
    """Checks an event's values; `more`: the columns of EVENT_OPTIONAL. Raises `Fault`."""
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
    enclosed, told = checked_enclosed(file, line, kind, more) if more else ("", ())
    return EventRow(
        dossier, kind, at_us, recorded_us if recorded_us is not None else at_us, unit, actor, step, due_us,
        evidence_us, _DOCUMENT[document], note,
        digest(source, (dossier, kind, at, recorded, unit, actor, step, due, evidence, document, note, *told)),
        enclosed,
    )  # fmt: skip


def checked_enclosed(file: str, line: int, kind: str, more: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """What an act encloses, as JSON, and the texts that tell its row from another; both empty where it has none.

    Raises `Fault`.
    """
    body: dict[str, list[dict[str, Any]]] = {}
    told: list[str] = []
    for name, columns in ENCLOSED.items():
        given = {column: more[column] for column in columns if more.get(column)}
        if not given:
            continue
        first = next(iter(given))
        if name not in ENCLOSING.get(kind, ()):
            kinds = ", ".join(other for other, lists in ENCLOSING.items() if name in lists)
            raise Fault(file, line, first, f"stands on {kinds}, not on {kind}")
        parted = {column: [part.strip() for part in text.split("|")] for column, text in given.items()}
        count = max(map(len, parted.values()))
        for column, parts in parted.items():
            if len(parts) not in (1, count) or (len(parts) == 1 < count and parts[0] and column in _OWN):
                raise Fault(file, line, column, f"has {len(parts)} values parted by |, {first} has {count}")
        body[name] = [
            _item(file, line, name, {c: parts[n] if len(parts) == count else parts[0] for c, parts in parted.items()})
            for n in range(count)
        ]
        told += [f"{column}={text}" for column, text in given.items()]
    return (json.dumps(body, ensure_ascii=False) if body else ""), tuple(told)


#: Columns that one value cannot fill for several items.
_OWN = frozenset({"fee_code", "fee_amount", "result_file", "result_address", "paper_file", "paper_address"})
_FAULTS = {
    "fee.bad_amount": ("fee_amount", "is no amount in whole đồng such as 150000"),
    "fee.unknown_kind": ("fee_kind", f"fee_kind is one of {', '.join(filter(None, FEE_KINDS))}; fee_collected one of "
                         f"{', '.join(filter(None, COLLECTED))}"),
    "fee.nameless": ("fee_name", "a fee needs its name or its code"),
    "enclosure.bad_address": ("", "is no address of a file such as https://kho.example.vn/kq/12.pdf"),
    "enclosure.nameless": ("", "needs a name, a code or the number of its file"),
}  # fmt: skip


def _item(file: str, line: int, name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """One fee, result or paper of a row. Raises `Fault`."""
    facts: dict[str, Any] = {ENCLOSED[name][column]: text for column, text in values.items() if text}
    if name == "fees":
        amount = facts.get("amount", "")
        facts["amount"] = int(amount) if amount.isascii() and amount.isdigit() else -1
    if "digitised" in facts:
        if facts["digitised"] not in ("yes", "no"):
            raise Fault(file, line, "paper_digitised", f"{facts['digitised']!r} is none of yes, no")
        facts["digitised"] = facts["digitised"] == "yes"
    item = from_values(LISTS[name], facts)
    code = fault(item)
    if code:
        column, reason = _FAULTS[code]
        column = column or f"{name[:-1]}_{'address' if code == 'enclosure.bad_address' else 'name'}"
        shown = f"{values[column]!r} " if values.get(column) and code != "fee.unknown_kind" else ""
        raise Fault(file, line, column, shown + reason)
    return to_values(item)


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
