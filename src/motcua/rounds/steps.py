"""Where a round stands: the ten steps of a remote inspection, and the acts that end it. Source: law paper §6.5."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from motcua.ledger import audit
from motcua.rounds import explanations
from motcua.rounds.models import Item, Paper, Round
from motcua.rounds.refusals import lead, locked, member
from motcua.rules.moves import Refused

STEPS = ("plan", "freeze", "scan", "sample", "explain", "decide", "draft", "remedy", "recheck", "close")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: done, running or to come, since when, and how far where it counts dossiers."""

    name: str
    state: str  # done | now | later
    at: datetime | None = None
    done: int | None = None
    of: int | None = None


def steps(round_: Round) -> list[Step]:
    """The ten steps in their order; the first that is not done is the one that runs."""
    items = round_.items
    asked = list(items.exclude(sort=Item.Sort.CLEAN))
    said = explanations.heard(round_, asked)
    answered = sum(bool(told.answer) for told in said.values())
    of_asked, size = len(asked), items.count()
    confirmed = items.filter(confirmed_at__isnull=False).count()
    remedies = round_.remedies.count()
    open_ = round_.remedies.filter(closed_at=None).count()
    heard = round_.asked_at is not None and (answered == of_asked or round_.decided_at is not None)
    told: list[tuple[str, bool, datetime | None, int | None, int | None]] = [
        ("plan", bool(round_.decision_number), round_.created_at, None, None),
        ("freeze", round_.frozen_at is not None, round_.frozen_at, None, None),
        ("scan", round_.frozen_at is not None, round_.frozen_at, None, None),
        ("sample", round_.drawn_at is not None, round_.drawn_at, size or None, round_.population or None),
        ("explain", heard, round_.asked_at, answered if round_.asked_at else None, of_asked),
        ("decide", round_.decided_at is not None, round_.decided_at, confirmed if round_.drawn_at else None, size),
        ("draft", round_.concluded_at is not None, round_.drafted_at, None, None),
        ("remedy", remedies > 0, round_.requested_at, remedies or None, None),
        ("recheck", round_.rechecked_at is not None and not open_, round_.rechecked_at,
         remedies - open_ if remedies else None, remedies),
        ("close", round_.closed_at is not None, round_.closed_at, None, None),
    ]  # fmt: skip
    running = next((name for name, done, *_ in told if not done), "")
    return [
        Step(name, "done" if done else "now" if name == running else "later", at if done or name == running else None,
             part, whole)
        for name, done, at, part, whole in told
    ]  # fmt: skip


@transaction.atomic
def drafted(number: int, kind: str, *, agency: str = "", by: str, at: datetime) -> Paper:
    """Notes that a paper was made (its first time; the newest maker stays on it). Raises `Refused`."""
    round_ = locked(number)
    member(round_, by)
    if kind in (Paper.Kind.DRAFT, Paper.Kind.CONCLUSION) and round_.decided_at is None:
        raise Refused("round.not_all_decided", left=round_.items.filter(confirmed_at=None).count())
    paper, new = Paper.objects.get_or_create(
        round=round_, kind=kind, agency=agency, defaults={"made_at": at, "made_by": by}
    )
    if kind == Paper.Kind.DRAFT and round_.drafted_at is None:
        round_.drafted_at = at
        round_.save(update_fields=["drafted_at"])
    if new:
        audit.record(
            at=at, actor=by, table="rounds_paper", key=f"{number}/{kind}/{agency}", before=None,
            after={"made": at.isoformat()},
        )  # fmt: skip
    return paper


@transaction.atomic
def typed(
    number: int, kind: str, *, agency: str = "", paper_number: str, dated_on: date, signer: str, by: str, at: datetime
) -> Paper:
    """Types back number, date and signer of a paper from the document system. Raises `Refused`.

    The conclusion's number concludes the round; nothing concludes it by itself.
    """
    round_ = locked(number)
    lead(round_, by)
    if not paper_number.strip() or not signer.strip():
        raise Refused("round.no_number")
    if kind == Paper.Kind.CONCLUSION and round_.drafted_at is None:
        raise Refused("round.no_step")
    paper = drafted(number, kind, agency=agency, by=by, at=at)
    before = {"number": paper.number, "dated_on": str(paper.dated_on or ""), "signer": paper.signer}
    paper.number, paper.dated_on, paper.signer = paper_number.strip()[:100], dated_on, signer.strip()[:200]
    paper.typed_at, paper.typed_by = at, by
    paper.save()
    audit.record(
        at=at, actor=by, table="rounds_paper", key=f"{number}/{kind}/{agency}", before=before,
        after={"number": paper.number, "dated_on": str(dated_on), "signer": paper.signer},
    )  # fmt: skip
    if kind == Paper.Kind.CONCLUSION:
        Round.objects.filter(pk=number, concluded_at=None).update(concluded_at=at)
    return paper


@transaction.atomic
def publish(number: int, *, by: str, at: datetime) -> Round:
    """Publishes the conclusion inside the house: every unit of the round may read it. Raises `Refused`."""
    round_ = locked(number)
    lead(round_, by)
    if round_.concluded_at is None:
        raise Refused("round.not_concluded")
    if round_.published_at is None:
        round_.published_at = at
        round_.save(update_fields=["published_at"])
        audit.record(
            at=at, actor=by, table="rounds_round", key=str(number), before={"published": None},
            after={"published": at.isoformat()},
        )  # fmt: skip
    return round_


@transaction.atomic
def close(number: int, *, by: str, at: datetime) -> Round:
    """Closes a round: concluded, published, and nothing asked for is open. Raises `Refused`."""
    round_ = locked(number)
    lead(round_, by)
    if round_.concluded_at is None or round_.published_at is None:
        raise Refused("round.not_concluded")
    if open_ := round_.remedies.filter(closed_at=None).count():
        raise Refused("round.remedy_open", open=open_)
    round_.closed_at = at
    round_.save(update_fields=["closed_at"])
    audit.record(
        at=at, actor=by, table="rounds_round", key=str(number), before={"closed": None},
        after={"closed": at.isoformat()},
    )  # fmt: skip
    return round_


def seen(user: Any, agencies: frozenset[str] | None) -> Q:
    """Which rounds a person sees: their own seat, the whole province, or those that ask their unit."""
    if agencies is None:
        return Q()
    return Q(members__user=user.username) | Q(items__agency__in=sorted(agencies), asked_at__isnull=False)
