"""What a pack may be about beside dossiers: a finding with its acts, a round with its sample."""

from __future__ import annotations

from collections.abc import Iterable

from motcua.evidence import documents
from motcua.evidence.make import Subject
from motcua.findings.models import Attachment, Finding
from motcua.rounds.models import Round
from motcua.rules.instants import Unreadable, iso


def finding(number: int) -> Subject:
    """The subject of a finding about a dossier: what was seen, and who did what in which post, without their words.

    Raises `Unreadable`: no such finding, or one that is not about a dossier.
    """
    found = Finding.objects.filter(pk=number).first()
    if found is None or found.kind != "dossier":
        raise Unreadable(f"finding {number}: there is none of this number about a dossier")
    acts = [
        {"seq": act.seq, "kind": act.kind, "at": iso(act.at), "role": act.role, "agency": act.agency}
        for act in found.acts.order_by("seq")
    ]
    facts = {
        "check": found.check_code,
        "severity": found.severity,
        "confidence": f"{found.confidence:.3f}",
        "opened_at": iso(found.opened_at),
        "state": found.state,
        "outcome": found.outcome,
        "evidence": {name: None if value is None else str(value) for name, value in found.evidence.items()},
        "acts": acts,
    }
    return Subject(kind="finding", code=str(number), title=found.check_code, codes=[found.subject], facts=facts)


def round_(number: int) -> Subject:
    """The subject of a round: its plan, what sealed the draw, and every dossier of the sample with its decision.

    Raises `Unreadable`: no such round, or none is drawn yet.
    """
    found = Round.objects.filter(pk=number).first()
    if found is None or found.drawn_at is None:
        raise Unreadable(f"round {number}: there is none of this number whose sample is drawn")
    items = list(found.items.order_by("dossier"))
    plan = ("title", "decision_number", "measure", "period", "policy", "agencies", "fields", "procedures", "checks",
            "size", "least", "stratify")  # fmt: skip
    sealed = ("population", "population_digest", "manifest_digest", "commitment", "plan_digest", "head_size",
              "record_digest")  # fmt: skip
    facts = {
        "plan": {name: getattr(found, name) for name in plan},
        "sealed": {name: getattr(found, name) for name in sealed},
        "drawn_at": iso(found.drawn_at),
        "sample": [
            {"dossier": item.dossier, "stratum": item.stratum, "risk": item.risk, "signs": item.signs,
             "probability": [item.numerator, item.denominator], "sort": item.sort, "answer": item.answer,
             "decision": item.finding}
            for item in items
        ],
    }  # fmt: skip
    return Subject(
        kind="round", code=str(number), title=found.title, codes=[item.dossier for item in items], facts=facts
    )


def _handed_in(dossier: str) -> Iterable[documents.Document]:
    """Files that units handed in with their explanations, by number or kind: their names may name people."""
    given = Attachment.objects.filter(finding__subject=dossier, finding__kind="dossier").exclude(digest="")
    for one in given.order_by("pk"):
        yield {
            "kind": "attached", "name": one.number or one.media, "sha256": one.digest, "at": iso(one.at),
            "standing": one.standing,
        }  # fmt: skip


documents.KEEPERS.append(_handed_in)
