"""Codes that a person pastes: each dossier here, on the portal, where they differ, and its last message.

Nothing is asked of the portal: what it shows is the copy that read-back kept, else what the collector holds.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Max

from motcua.dossiers.models import AlternativeCode, DossierRow
from motcua.exchange.messages import Limits
from motcua.exchange.models import Delivery, Looked
from motcua.exchange.reconcile import Found, Ours, Reader
from motcua.mirror import profiles
from motcua.mirror.models import Message, Record, Step

#: Codes that are compared at once.
MANY = 1_000
_BLOCK = 200


class Verdict(StrEnum):
    """What the two sides are to each other."""

    EQUAL = "equal"
    DIFFERS = "differs"
    OUTDATED = "outdated"  # something happened here since the copy of the portal was taken
    NOT_LOOKED = "not_looked"  # nothing is known of what the portal shows
    ONLY_THERE = "only_there"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Last:
    """The last message about a dossier: `state` of our delivery, or empty where another software sent it."""

    at: datetime | None
    state: str
    words: str = ""
    sender: str = ""
    accepted: bool | None = None  # of another software's message: whether the portal took it


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table. Statuses are national ones; None: not there."""

    asked: str
    dossier: str
    verdict: Verdict
    here: int | None = None
    there: int | None = None
    there_at: datetime | None = None  # when the copy of the portal was taken
    found: Sequence[Found] = ()
    last: Last | None = None
    source: str = ""
    agency: str = ""
    ours: bool = False  # our own deliveries carry it

    def evidence(self) -> dict[str, Any]:
        """What a ticket writes down of it."""
        return {
            "here": self.here, "there": self.there,
            "there_at": self.there_at and self.there_at.isoformat(),
            "differences": [[each.name, each.ours, each.there, each.why, each.words] for each in self.found],
            "last_at": self.last and self.last.at and self.last.at.isoformat(),
            "last_state": self.last.state if self.last else "",
            "last_words": self.last.words if self.last else "",
            "sender": self.last.sender if self.last else "",
        }  # fmt: skip


@dataclass(slots=True)
class Pasted:
    """What a person typed: the codes once each, how many came again, and how many were too many."""

    codes: list[str] = field(default_factory=list)
    repeated: int = 0
    left_out: int = 0


def read(text: str) -> Pasted:
    """Codes out of pasted text, one a line or parted by blanks, commas or semicolons."""
    words = unicodedata.normalize("NFC", text).replace(",", " ").replace(";", " ").split()
    codes = list(dict.fromkeys(word.strip(".\"'") for word in words if word.strip(".\"'")))
    return Pasted(codes[:MANY], len(words) - len(codes), max(len(codes) - MANY, 0))


def compare(codes: Iterable[str]) -> list[Line]:
    """The table of these codes, in their order."""
    asked = list(codes)
    lines: list[Line] = []
    reader = Reader(Limits.of(profiles.current())) if asked else None
    for start in range(0, len(asked), _BLOCK):
        assert reader is not None
        lines += _block(asked[start : start + _BLOCK], reader)
    return lines


def _block(asked: Sequence[str], reader: Reader) -> list[Line]:
    known = _here(asked)
    dossiers = [known.get(code, code) for code in asked]
    ours = reader.load(list(dict.fromkeys(known.values())))
    rows = {row.code: row for row in DossierRow.objects.filter(code__in=list(ours))}
    looked = {row.dossier: row for row in Looked.objects.filter(dossier__in=dossiers)}
    names = list(dict.fromkeys([*dossiers, *asked]))
    copies = _copies(names)
    lasts = _lasts(dossiers, copies)
    taken = Delivery.objects.filter(dossier__in=dossiers, state=Delivery.State.DELIVERED).order_by()
    done = dict(taken.values_list("dossier").annotate(at=Max("done_at")))
    lines = []
    for code, dossier in zip(asked, dossiers, strict=True):
        copy = copies.get(dossier) or copies.get(code)
        side, look = ours.get(dossier), looked.get(dossier)
        if side is None:
            verdict = Verdict.NOWHERE if copy is None else Verdict.ONLY_THERE
            lines.append(Line(code, code, verdict, there=_status(copy), there_at=copy.at if copy else None,
                              last=lasts.get(dossier)))  # fmt: skip
            continue
        seen_at = (look.seen_at if look else None) or (copy.at if copy else None)
        verdict, found = _held_together(side, copy, look, seen_at, done.get(dossier), reader)
        row = rows[dossier]
        lines.append(
            Line(code, dossier, verdict, int(row.status), _status(copy), seen_at, found, lasts.get(dossier),
                 row.source, row.agency, not side.by_others)
        )  # fmt: skip
    return lines


@dataclass(frozen=True, slots=True)
class _Copy:
    """What the portal shows of a dossier, and when that was known."""

    at: datetime
    body: Mapping[str, Any]
    message: int
    sender: str


def _held_together(
    ours: Ours, copy: _Copy | None, look: Looked | None, seen_at: datetime | None, done_at: datetime | None,
    reader: Reader,
) -> tuple[Verdict, Sequence[Found]]:  # fmt: skip
    """The verdict. `seen_at`: when the copy was taken; `done_at`: when the portal last took something of it."""
    sent = any(each.state == Delivery.State.DELIVERED for each in ours.sent)
    if seen_at is None and (sent or ours.by_others):
        return Verdict.NOT_LOOKED, ()
    found = reader.compare(ours, copy.body if copy else None, was_equal_at=look.equal_at if look else None)
    if not found:
        return Verdict.EQUAL, ()
    if seen_at is not None and done_at is not None and done_at > seen_at:
        return Verdict.OUTDATED, found
    return Verdict.DIFFERS, found


def _here(codes: Sequence[str]) -> dict[str, str]:
    """The codes that we know, each with the dossier's own code."""
    found = dict(AlternativeCode.objects.filter(code__in=codes).values_list("code", "dossier"))
    found.update({code: code for code in DossierRow.objects.filter(code__in=codes).values_list("code", flat=True)})
    return found


def _copies(codes: Sequence[str]) -> dict[str, _Copy]:
    """The portal's copies: as read back, else as the collector holds them."""
    records: dict[str, Record] = {}
    for record in Record.objects.filter(code__in=codes, side__in=("held", "seen")).order_by("side"):
        records[record.code] = record  # `seen` comes last
    steps: dict[tuple[str, str], list[Any]] = {}
    for step in Step.objects.filter(code__in=list(records)).order_by("at", "pk"):
        steps.setdefault((step.side, step.code), []).append(json.loads(step.body))
    return {
        code: _Copy(record.stored_at, {**json.loads(record.body), "TienTrinh": steps.get((record.side, code), [])},
                    record.message, record.sender)
        for code, record in records.items()
    }  # fmt: skip


def _lasts(dossiers: Sequence[str], copies: Mapping[str, _Copy]) -> dict[str, Last]:
    """The last message about each dossier: ours, else the one that the collector took."""
    found: dict[str, Last] = {}
    sent = Delivery.objects.filter(dossier__in=dossiers).order_by("position")
    for delivery in sent.only("dossier", "sent_at", "state", "error"):
        found[delivery.dossier] = Last(delivery.sent_at, delivery.state, delivery.error)
    others = {code: copy for code, copy in copies.items() if code not in found and copy.message}
    messages = {m.pk: m for m in Message.objects.filter(pk__in=[c.message for c in others.values()]).defer("body")}
    for code, copy in others.items():
        message = messages.get(copy.message)
        if message is not None:
            accepted = None if message.error_code is None else message.error_code == 0
            found[code] = Last(message.received_at, "", "", copy.sender, accepted)
    return found


def _status(copy: _Copy | None) -> int | None:
    if copy is None:
        return None
    text = str(copy.body.get("TrangThaiHoSo") or "")
    return int(text) if text.isdigit() else None
