"""Evidence that an agency hands in: what fixes or bounds the completion becomes an event of the dossier, and its
verdicts are computed anew at once; a mere claim waits for an inspector.

The unit sees what the inspector sees: the file, what the look at its signature found, the verdicts before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from django.db import transaction

from motcua.catalogue import settings
from motcua.dossiers import log, result
from motcua.findings import files, record, signatures
from motcua.findings.models import Attachment, Finding
from motcua.findings.requests import calendar_of
from motcua.inspection import life
from motcua.inspection.life import Person
from motcua.oversight import extract, figures
from motcua.oversight.figures import Question
from motcua.rules.dossier import corrected
from motcua.rules.events import EvidenceAttached
from motcua.rules.instants import Unreadable, iso
from motcua.rules.moves import Actor, Refused

#: When a trusted time stamp counts: "at_once", or "after_inspector" where a province wants a person to look first.
SETTING = "findings.evidence"
Standing = Attachment.Standing
_SIDES = ("shown", "recorded", "true")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of something handed in, with the verdicts of its dossier before and after."""

    attachment: Attachment
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        """Whether a verdict is another one now."""
        return any(self.before.get(side) != self.after.get(side) for side in _SIDES)


def at_once() -> bool:
    """Whether a trusted time stamp counts as soon as it is handed in."""
    return bool(settings.get(SETTING, "at_once") == "at_once")


def verdicts(home: Path, subject: str, *, now: datetime) -> dict[str, Any]:
    """Late or not by each side, and the causes, of a dossier as the facts have it; empty where it is none."""
    row = figures.one(home, subject, Question(), now=now)
    if row is None:
        return {}
    causes = {f"{leg}_cause": row[f"{leg}_cause"] or None for leg in ("sync", "record")}
    return {**{side: bool(row[side]) for side in _SIDES}, **causes}


def hand_in(home: Path, number: int, *, name: str, content: bytes, by: Person, at: datetime) -> Received:
    """A file for a finding. Raises `Unreadable` for what may not come in, `Refused` where it is not the person's."""
    kept = files.keep(home, content)
    looked = signatures.look(home, content, now=at) if kept.media == "application/pdf" else None
    standing: signatures.Standing = looked.standing if looked else "none"
    with transaction.atomic():
        row = _taken(number, by=by, at=at)
        if row.attachments.filter(digest=kept.digest).exclude(standing=Standing.REJECTED).exists():
            raise Unreadable("known")
        counts = standing == "fixes" and row.kind == "dossier"
        attachment = Attachment.objects.create(
            finding=row, digest=kept.digest, name=files.safe_name(name, kept.media), size=kept.size, media=kept.media,
            at=at, by=by.name, looked=looked.code if looked else "", facts=looked.facts if looked else {},
            standing=standing if not counts or at_once() else Standing.CLAIM, evidence_at=looked.at if looked else None,
        )  # fmt: skip
    if attachment.standing == Standing.FIXES:
        return _count(home, attachment, by=by, at=at)
    return _noted(home, attachment, by=by, at=at)


def claim(home: Path, number: int, *, document: str, dated_on: date, by: Person, at: datetime) -> Received:
    """Number and date of a document that the agency has: a claim until an inspector has verified it.

    Raises `Unreadable` where one of them is missing or in the future.
    """
    if not document.strip():
        raise Unreadable("number")
    with transaction.atomic():
        row = _taken(number, by=by, at=at)
        stated = _end_of(dated_on, row.agency)
        if stated.date() > at.date():
            raise Unreadable("future")
        attachment = Attachment.objects.create(
            finding=row, number=document.strip()[:100], dated_on=dated_on, at=at, by=by.name, evidence_at=stated,
            standing=Standing.CLAIM,
        )  # fmt: skip
    return _noted(home, attachment, by=by, at=at)


def _end_of(day: date, agency: str) -> datetime:
    """A document dated by the day alone was complete at the end of its working day at the latest."""
    return calendar_of(agency).closing(day)


def _taken(number: int, *, by: Person, at: datetime) -> Finding:
    """The finding, locked, where this person may add evidence. Raises `Refused`."""
    row = record.locked([number]).first()
    if row is None:
        raise Refused("finding.unknown", finding=number)
    life.decide(record.as_life(row), "evidence_added", by=by, at=at)
    return row


def _count(home: Path, attachment: Attachment, *, by: Person, at: datetime) -> Received:
    """The document becomes an event of the dossier; where the record refuses it, it waits as a claim and says why."""
    row = attachment.finding
    before = verdicts(home, row.subject, now=at)
    try:
        _into_the_log(attachment, "fixes", by=by, at=at)
    except Refused as refusal:
        attachment.standing = Standing.CLAIM
        attachment.facts = {**attachment.facts, "refused": refusal.code}
        attachment.save(update_fields=["standing", "facts"])
        return _noted(home, attachment, by=by, at=at, before=before)
    after = _anew(home, row.subject, at=at)
    _act(attachment, "evidence_added", by=by, at=at, before=before, after=after)
    return Received(attachment=attachment, before=before, after=after)


def _noted(
    home: Path, attachment: Attachment, *, by: Person, at: datetime, before: Mapping[str, Any] | None = None
) -> Received:  # fmt: skip
    known = before if before is not None else verdicts(home, attachment.finding.subject, now=at)
    _act(attachment, "evidence_added", by=by, at=at, before=known, after=known)
    return Received(attachment=attachment, before=known, after=known)


def _into_the_log(attachment: Attachment, standing: Literal["fixes", "bounds"], *, by: Person, at: datetime) -> None:
    """Appends the event and remembers its number. Raises `Refused`."""
    assert attachment.evidence_at is not None
    code = attachment.finding.subject
    with transaction.atomic():
        after = result.attach_evidence(
            code=code, by=Actor(name=by.name, unit=by.agency), at=attachment.evidence_at, now=at, standing=standing,
            digest=attachment.digest, number=attachment.number, note=f"finding {attachment.finding_id}",
        )  # fmt: skip
        attachment.event_seq = after.seq
        attachment.save(update_fields=["event_seq"])


def _anew(home: Path, subject: str, *, at: datetime) -> dict[str, Any]:
    """The verdicts after the facts were brought up to date."""
    extract.run(home=home, at=at)
    return verdicts(home, subject, now=at)


def _act(
    attachment: Attachment, kind: str, *, by: Person, at: datetime, before: Any, after: Any, note: str = ""
) -> None:
    body = {
        "attachment": attachment.pk, "standing": str(attachment.standing), "digest": attachment.digest,
        "number": attachment.number, "evidence_at": attachment.evidence_at and iso(attachment.evidence_at),
        "looked": attachment.looked, "before": before, "after": after, **({"note": note} if note else {}),
    }  # fmt: skip
    record.act(attachment.finding_id, kind, by=by, at=at, body=body)


# ---- what an inspector says of it --------------------------------------------------------------------------------


def verify(
    home: Path, attachment_id: int, *, standing: Literal["fixes", "bounds"], evidence_at: datetime, by: Person,
    at: datetime, note: str,
) -> Received:  # fmt: skip
    """An inspector looked the document up: it fixes or bounds the completion at this instant.

    Raises `Refused` where the rules say no, `Unreadable` where it was decided before or no reason is given.
    """
    attachment = _undecided(attachment_id, note)
    row = attachment.finding
    life.decide(record.as_life(row), "evidence_verified", by=by, at=at)
    before = verdicts(home, row.subject, now=at)
    attachment.evidence_at = evidence_at
    with transaction.atomic():
        attachment.standing, attachment.decided_by, attachment.decided_at = standing, by.name, at
        attachment.save(update_fields=["standing", "decided_by", "decided_at", "evidence_at"])
        _into_the_log(attachment, standing, by=by, at=at)
    after = _anew(home, row.subject, at=at)
    _act(attachment, "evidence_verified", by=by, at=at, before=before, after=after, note=note)
    return Received(attachment=attachment, before=before, after=after)


def reject(home: Path, attachment_id: int, *, by: Person, at: datetime, note: str) -> Received:
    """An inspector does not take the document; where it had counted, its event is made void by a correcting one."""
    attachment = _undecided(attachment_id, note)
    row = attachment.finding
    life.decide(record.as_life(row), "evidence_rejected", by=by, at=at, body={"note": note})
    before = verdicts(home, row.subject, now=at)
    with transaction.atomic():
        if attachment.event_seq is not None and _stands(row.subject, attachment.event_seq):
            result.correct(
                code=row.subject, by=Actor(name=by.name, unit=by.agency), now=at, corrects=attachment.event_seq,
                void=True, note=note,
            )  # fmt: skip
        attachment.standing, attachment.decided_by, attachment.decided_at = Standing.REJECTED, by.name, at
        attachment.save(update_fields=["standing", "decided_by", "decided_at"])
    after = _anew(home, row.subject, at=at)
    _act(attachment, "evidence_rejected", by=by, at=at, before=before, after=after, note=note)
    return Received(attachment=attachment, before=before, after=after)


def _stands(code: str, seq: int) -> bool:
    """Whether an event of evidence is still in force."""
    return any(isinstance(event, EvidenceAttached) and event.seq == seq for event in corrected(log.events(code)))


def _undecided(attachment_id: int, note: str) -> Attachment:
    attachment = Attachment.objects.select_related("finding").filter(pk=attachment_id).first()
    if attachment is None:
        raise Unreadable("gone")
    if attachment.decided_at is not None:
        raise Unreadable("decided")
    if not note.strip():
        raise Refused("finding.reason_missing")
    return attachment


def shared_with(attachment: Attachment) -> int:
    """For how many other dossiers the same file was handed in: one paper for many is worth a look."""
    if not attachment.digest:
        return 0
    others = Attachment.objects.filter(digest=attachment.digest).exclude(finding__subject=attachment.finding.subject)
    return others.values("finding__subject").distinct().count()
