"""What the units say: each is sent its dossiers of the sample, with the evidence and one question for each.

Signs are explained where all findings are (`bound`); a dossier under one of the four heads without a sign of a check
is answered here. One without anything is read all the same and needs no answer. A unit may admit, explain with a
document, or contest. Nobody is found at fault unheard (`reading.decide`). Source: law paper §6.5, steps 5, 6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from motcua.catalogue import calendars
from motcua.findings.models import Finding
from motcua.inspection.life import ASKED, State
from motcua.ledger import audit
from motcua.rounds import bound
from motcua.rounds.models import Item, Round
from motcua.rounds.refusals import lead, locked
from motcua.rules.instants import Unreadable, local_day
from motcua.rules.moves import Refused

#: What a unit is asked about a dossier, by its head; the door has the words.
QUESTIONS = {"true_late", "in_time", "no_data", "disputed", "other"}


@transaction.atomic
def ask(number: int, *, home: Path, by: str, at: datetime) -> Round:
    """Sends the questions to the units; the answer date follows in working days. Raises `Refused`."""
    round_ = locked(number)
    lead(round_, by)
    if round_.drawn_at is None:
        raise Refused("round.not_drawn")
    if round_.asked_at is not None:
        raise Refused("round.is_asked", at=round_.asked_at)
    round_.asked_at, round_.answer_due_at = at, _due(at, round_.answer_days)
    round_.save(update_fields=["asked_at", "answer_due_at"])
    audit.record(
        at=at, actor=by, table="rounds_round", key=str(number), before={"asked": None},
        after={"asked": round_.items.filter(sort__in=QUESTIONS).count(), "due_at": round_.answer_due_at.isoformat(),
               "findings": bound.send(round_, home=home, by=by, at=at)},
    )  # fmt: skip
    return round_


def _due(at: datetime, days: int) -> datetime:
    calendar = calendars.load("vn")
    return calendar.closing(calendar.add_workdays(local_day(at), days))


@transaction.atomic
def extend(number: int, days: int, *, reason: str, by: str, at: datetime) -> Round:
    """A later answer date, so many working days after the one before. Raises `Refused`, `Unreadable`."""
    round_ = locked(number)
    lead(round_, by)
    if round_.answer_due_at is None:
        raise Refused("round.not_asked")
    if not 1 <= days <= 60:
        raise Unreadable(f"days: 1 to 60 working days, not {days}")
    if not reason.strip():
        raise Refused("round.no_reason")
    before = round_.answer_due_at
    round_.answer_due_at = _due(before, days)
    round_.save(update_fields=["answer_due_at"])
    bound.extend(round_, due_at=round_.answer_due_at, note=reason, by=by, at=at)
    audit.record(
        at=at, actor=by, table="rounds_round", key=str(number), before={"due_at": before.isoformat()},
        after={"due_at": round_.answer_due_at.isoformat(), "reason": reason.strip()[:500]},
    )  # fmt: skip
    return round_


@transaction.atomic
def answer(
    number: int, dossier: str, *, kind: str, text: str = "", document: str = "", document_on: date | None = None,
    agency: str, by: str, at: datetime,
) -> Item:  # fmt: skip
    """A unit's answer about one of its dossiers. Raises `Refused`.

    It may be changed until the dossier is decided, and given late: how late stays on record. An answer that does not
    admit says why; one that explains names its document.
    """
    round_ = locked(number)
    if round_.asked_at is None:
        raise Refused("round.not_asked")
    item = _item(round_, dossier)
    if item.agency != agency:
        raise Refused("round.not_your_unit", dossier=dossier)
    if item.read_at is not None:
        raise Refused("round.is_decided", dossier=dossier)
    if bound.of(round_, [dossier]):
        raise Refused("round.answer_in_finding", dossier=dossier)
    if kind not in Item.Answer.values or not kind:
        raise Unreadable(f"answer: {kind!r} is none of admit, explain, contest")
    text, document = text.strip(), document.strip()[:200]
    if (kind != "admit" and not text) or (kind == "explain" and not document):
        raise Refused("round.answer_empty", dossier=dossier)
    before = _answered(item)
    item.answer, item.answer_text, item.answer_document, item.answer_document_on = kind, text, document, document_on
    item.answered_at, item.answered_by = at, by
    item.save(update_fields=["answer", "answer_text", "answer_document", "answer_document_on", "answered_at",
                             "answered_by"])  # fmt: skip
    audit.record(at=at, actor=by, table="rounds_item", key=f"{number}/{dossier}", before=before, after=_answered(item))
    return item


def _answered(item: Item) -> dict[str, Any] | None:
    if not item.answer:
        return None
    return {"answer": item.answer, "text": item.answer_text, "document": item.answer_document,
            "document_on": str(item.answer_document_on or ""), "by": item.answered_by}  # fmt: skip


def _item(round_: Round, dossier: str) -> Item:
    found = round_.items.select_for_update().filter(dossier=dossier).first()
    if found is None:
        raise Refused("round.not_in_sample", dossier=dossier)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a unit said about a dossier. `owes_until`: by when it may still answer, None where it owes nothing."""

    answer: str = ""
    text: str = ""
    document: str = ""
    document_on: str = ""
    at: datetime | None = None
    owes_until: datetime | None = None
    finding: int | None = None  # where it is answered; None: on the round's own page
    request: int | None = None  # in which request of the findings it was asked
    attachments: int = 0

    @property
    def owes(self) -> bool:
        """Whether an answer is still owed."""
        return self.owes_until is not None


#: An answer before anybody was asked: owed without end.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_OF_REASON = {"admitted": "admit", "other_evidence": "explain", "system": "contest", "other_agency": "contest"}


def heard(round_: Round, items: Iterable[Item]) -> dict[str, Heard]:
    """What was said about these dossiers, in their findings or here, by dossier: two questions to the database."""
    rows = list(items)
    findings = bound.of(round_, [item.dossier for item in rows])
    return {item.dossier: _heard(round_, item, findings.get(item.dossier, [])) for item in rows}


def _heard(round_: Round, item: Item, findings: list[Finding]) -> Heard:
    if not findings:
        owes = item.sort in QUESTIONS and not item.answer
        return Heard(
            answer=item.answer, text=item.answer_text, document=item.answer_document,
            document_on=str(item.answer_document_on or ""), at=item.answered_at,
            owes_until=(round_.answer_due_at or _NEVER) if owes else None,
        )  # fmt: skip
    waiting = [row for row in findings if State(row.state) in {State.NEW, *ASKED}]
    said = next((row for row in findings if row.answer and row not in waiting), None)
    told = said.answer if said else {}
    shown = (waiting or findings)[0]
    return Heard(
        answer=_OF_REASON.get(told.get("reason", ""), "") if not waiting else "", text=str(told.get("text", "")),
        document=str(told.get("number", "")), document_on=str(told.get("dated_on", "") or ""),
        at=said.last_at if said else None, finding=shown.pk, request=shown.request_id,
        owes_until=max((row.due_at or _NEVER for row in waiting), default=None),
        attachments=len(told.get("attachments") or ()),
    )  # fmt: skip
