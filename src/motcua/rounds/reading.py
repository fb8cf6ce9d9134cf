"""Reading the sample: a checklist for each dossier, a finding, a second person who confirms; looks at personal data.

The machine has signs; a person finds, another confirms. No finding is made against a named official: it says whether
the dossier's sign stands. Source: law paper §6.5, step 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from motcua.findings.models import Attachment
from motcua.ledger import audit
from motcua.ledger.models import PersonalValue
from motcua.rounds import bound
from motcua.rounds.explanations import heard
from motcua.rounds.models import Item, Look, Round
from motcua.rounds.refusals import lead, locked, member
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused

#: What a reader looks at in every dossier; then one question for each sign.
QUESTIONS = ("facts_agree", "due_right", "pauses_grounded", "documents_seen", "result_returned")
ANSWERS = ("yes", "no", "unknown")
#: For so long a file stays open to whoever said why.
OPEN_FOR = timedelta(minutes=30)


def questions(item: Item) -> list[str]:
    """The checklist of a dossier: what is always looked at, and whether each of its signs stands."""
    return [*QUESTIONS, *(f"sign:{check}" for check in item.signs)]


def waiting(round_: Round, user: str) -> QuerySet[Item]:
    """The dossiers that wait for this person: sent back first, then unread, then those to confirm.

    A dossier whose unit has not answered yet, while it still may, waits behind the others.
    """
    mine = Q(read_at=None) & (Q(reader="") | Q(reader=user))
    to_confirm = Q(read_at__isnull=False, confirmed_at=None) & ~Q(reader=user)
    return round_.items.filter(mine | to_confirm).order_by("-returned_note", "read_at", "answered_at", "agency",
                                                           "dossier")  # fmt: skip


def next_(round_: Round, user: str, *, now: datetime, after: str = "") -> Item | None:
    """The next dossier for this person, behind `after` where one is named; None where nothing waits."""
    rows = list(waiting(round_, user))
    said = heard(round_, rows)

    def place(item: Item) -> tuple[bool, bool, bool, str, str]:
        until = said[item.dossier].owes_until
        later = item.read_at is None and until is not None and now <= until
        return not item.returned_note, later, item.read_at is not None, item.agency, item.dossier

    rows.sort(key=place)
    codes = [item.dossier for item in rows]
    start = codes.index(after) + 1 if after in codes else 0
    return next(iter([*rows[start:], *rows[:start]]), None)


def _item(round_: Round, dossier: str) -> Item:
    found = round_.items.select_for_update().filter(dossier=dossier).first()
    if found is None:
        raise Refused("round.not_in_sample", dossier=dossier)
    return found


@transaction.atomic
def decide(
    number: int, dossier: str, *, finding: str, checklist: Mapping[str, str] | None = None, note: str = "", by: str,
    at: datetime,
) -> Item:  # fmt: skip
    """A member finds: accepted (no violation), rejected (the sign stands), or disputed. Raises `Refused`, `Unreadable`.

    Rejecting waits until the unit has answered or its answer date has passed. Rejected and disputed say why.
    """
    round_ = locked(number)
    member(round_, by)
    if round_.drawn_at is None:
        raise Refused("round.not_drawn")
    item = _item(round_, dossier)
    if item.confirmed_at is not None:
        raise Refused("round.is_confirmed", dossier=dossier, at=item.confirmed_at)
    if not finding or finding not in Item.Finding.values:
        raise Unreadable(f"finding: {finding!r} is none of accepted, rejected, disputed")
    told = {name: value for name, value in (checklist or {}).items() if value}
    if set(told) - set(questions(item)) or set(told.values()) - set(ANSWERS):
        raise Unreadable("checklist: an answer is yes, no or unknown to a question of this dossier")
    note = note.strip()
    if finding != Item.Finding.ACCEPTED:
        if not note:
            raise Refused("round.no_reason")
        until = heard(round_, [item])[dossier].owes_until
        if until is not None and at <= until:
            raise Refused("round.answer_awaited", dossier=dossier)
    before = _found(item)
    item.finding, item.checklist, item.note, item.reader, item.read_at = finding, told, note, by, at
    item.returned_note = ""
    item.save(update_fields=["finding", "checklist", "note", "reader", "read_at", "returned_note"])
    audit.record(at=at, actor=by, table="rounds_item", key=f"{number}/{dossier}", before=before, after=_found(item))
    return item


def _found(item: Item) -> dict[str, Any] | None:
    if not item.finding and not item.returned_note:
        return None
    return {"finding": item.finding, "checklist": item.checklist, "note": item.note, "reader": item.reader,
            "returned": item.returned_note, "confirmed_by": item.confirmed_by}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of a second look: the dossier, and the findings that were passed over, each with why."""

    item: Item
    refused: Sequence[tuple[int, Refused]] = ()


@transaction.atomic
def confirm(number: int, dossier: str, *, agree: bool, note: str = "", by: str, at: datetime) -> Confirmed:
    """A second member confirms a finding, or sends the dossier back to its reader with a note. Raises `Refused`.

    What of the dossier's findings could not be concluded with it is told, and kept in the audit.
    """
    round_ = locked(number)
    member(round_, by)
    item = _item(round_, dossier)
    if item.read_at is None:
        raise Refused("round.not_found_yet", dossier=dossier)
    if item.confirmed_at is not None:
        raise Refused("round.is_confirmed", dossier=dossier, at=item.confirmed_at)
    if item.reader == by:
        raise Refused("round.confirms_own", dossier=dossier)
    if not agree and not note.strip():
        raise Refused("round.no_reason")
    before = _found(item)
    if agree:
        item.confirmed_by, item.confirmed_at = by, at
    else:
        item.finding, item.read_at, item.returned_note = "", None, note.strip()
    item.save(update_fields=["confirmed_by", "confirmed_at", "finding", "read_at", "returned_note"])
    refused = bound.conclude(round_, item, by=by, at=at) if agree else []
    after = _found(item) or {}
    if refused:
        after["passed_over"] = {str(finding): refusal.code for finding, refusal in refused}
    audit.record(at=at, actor=by, table="rounds_item", key=f"{number}/{dossier}", before=before, after=after or None)
    if agree and not round_.items.filter(confirmed_at=None).exists():
        round_.decided_at = at
        round_.save(update_fields=["decided_at"])
        audit.record(
            at=at, actor=by, table="rounds_round", key=str(number), before={"decided": None},
            after={"decided": round_.items.count()},
        )  # fmt: skip
    return Confirmed(item, refused)


@transaction.atomic
def reopen(number: int, dossier: str, *, reason: str, by: str, at: datetime) -> Item:
    """Takes back what was found and confirmed of a dossier, because of an appeal or a fact that came later.

    It is read and confirmed anew by two persons; a finding of it that stands concluded is reconsidered. The lead does
    it, until the round is closed. Raises `Refused`.
    """
    round_ = locked(number)
    lead(round_, by)
    item = _item(round_, dossier)
    if item.confirmed_at is None:
        raise Refused("round.not_found_yet", dossier=dossier)
    if not reason.strip():
        raise Refused("round.no_reason")
    before = _found(item)
    item.finding, item.read_at, item.returned_note = "", None, reason.strip()
    item.reader = item.confirmed_by = ""
    item.confirmed_at = None
    item.save(update_fields=["finding", "read_at", "returned_note", "reader", "confirmed_by", "confirmed_at"])
    bound.reconsider(round_, dossier, note=reason.strip(), by=by, at=at)
    if round_.decided_at is not None:
        round_.decided_at = None
        round_.save(update_fields=["decided_at"])
    audit.record(at=at, actor=by, table="rounds_item", key=f"{number}/{dossier}", before=before, after=_found(item))
    return item


@transaction.atomic
def look(number: int, dossier: str, *, reason: str, by: str, at: datetime) -> dict[str, str]:
    """The personal values of a dossier of the sample, for a member who says why; the look is listed. Raises `Refused`.

    Where a value was erased it is not there.
    """
    _look(number, dossier, document="", reason=reason, by=by, at=at)
    rows = PersonalValue.objects.filter(dossier=dossier).order_by("seq")
    return {row.field: row.value for row in rows}


def _look(number: int, dossier: str, *, document: str, reason: str, by: str, at: datetime) -> None:
    round_ = locked(number)
    member(round_, by)
    if not round_.items.filter(dossier=dossier).exists():
        raise Refused("round.not_in_sample", dossier=dossier)
    reason = reason.strip()[:500]
    if len(reason) < 5:
        raise Refused("round.no_reason")
    Look.objects.create(round=round_, dossier=dossier, at=at, by=by, reason=reason, document=document)
    audit.record(
        at=at, actor=by, table="rounds_look", key=f"{number}/{dossier}", before=None,
        after={"reason": reason, "at": at.isoformat(), **({"document": document} if document else {})},
    )  # fmt: skip


# ---- documents -----------------------------------------------------------------------------------------------------


def documents(dossier: str) -> QuerySet[Attachment, Attachment]:
    """What units handed in about a dossier, in this round or before: files, and numbers of documents."""
    return Attachment.objects.filter(finding__subject=dossier, finding__kind="dossier").order_by("pk")


@transaction.atomic
def look_at_document(number: int, dossier: str, attachment: int, *, reason: str, by: str, at: datetime) -> Attachment:
    """A file of a dossier of the sample, for a member who says why; the look is listed. Raises `Refused`.

    A file may name people: nobody knows before it was looked at.
    """
    file = documents(dossier).exclude(digest="").filter(pk=attachment).first()
    if file is None:
        raise Refused("round.no_such_document", dossier=dossier)
    _look(number, dossier, document=file.digest, reason=reason, by=by, at=at)
    return file


def may_look(number: int, attachment: Attachment, *, by: str, at: datetime) -> bool:
    """Whether a person said a short while ago why they look at this file."""
    said = Look.objects.filter(round=number, dossier=attachment.finding.subject, document=attachment.digest, by=by)
    return said.filter(at__gt=at - OPEN_FOR, at__lte=at).exists()
