"""The plan of a round: decision, scope, period, checks, inspectors, sample rule, answer limit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from motcua.accounts.models import User
from motcua.catalogue.models import Agency, Field, Procedure
from motcua.inspection.sampling import MOST_RISK
from motcua.inspection.verdicts import MEASURES
from motcua.ledger import audit
from motcua.ledger.chain import canonical
from motcua.oversight import periods, scan
from motcua.oversight.figures import Question
from motcua.rounds.models import Member, Round
from motcua.rounds.refusals import lead, locked, unfrozen
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused
from motcua.rules.policies import policy

#: What makes a dossier likelier to be drawn, and how much, where the plan says nothing else.
WEIGHTS: Mapping[str, int] = {
    "grave": 9, "unproven": 6, "late_true": 5, "late_recorded": 4, "disputed": 3, "sign": 3, "late_shown": 2,
}  # fmt: skip
STRATA = ("agency", "field", "procedure", "")
MOST = 5_000  # dossiers of a sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a round is to look at, and how."""

    title: str
    period: str
    lead: str
    members: Sequence[str] = ()
    decision_number: str = ""
    decision_on: date | None = None
    grounds: str = ""
    agencies: Sequence[str] = ()
    fields: Sequence[str] = ()
    procedures: Sequence[str] = ()
    measure: str = "all"
    policy: str = "default"
    checks: Sequence[str] = ()
    size: int = 60
    least: int = 1
    stratify: str = "agency"
    weights: Mapping[str, int] = field(default_factory=lambda: dict(WEIGHTS))
    answer_days: int = 5


def checked(plan: Plan) -> None:
    """Raises `Unreadable`, its first word the part of the plan that cannot be."""
    if not plan.title.strip():
        raise Unreadable("title: a round has a title")
    periods.parse(plan.period)
    policy(plan.policy)
    scan.chosen(list(plan.checks))
    if plan.measure not in MEASURES:
        raise Unreadable(f"measure: no measure {plan.measure!r}")
    for name, codes, table in (
        ("agencies", plan.agencies, Agency), ("fields", plan.fields, Field), ("procedures", plan.procedures, Procedure),
    ):  # fmt: skip
        known = set(table.objects.filter(code__in=list(codes)).values_list("code", flat=True))
        if missing := sorted(set(codes) - known):
            raise Unreadable(f"{name}: {missing[0]!r} is not in the catalogue")
    if not 1 <= plan.size <= MOST:
        raise Unreadable(f"size: a sample has 1 to {MOST} dossiers, not {plan.size}")
    if not 0 <= plan.least <= plan.size:
        raise Unreadable(f"least: {plan.least} of each group do not fit in a sample of {plan.size}")
    if plan.stratify not in STRATA:
        raise Unreadable(f"stratify: {plan.stratify!r} is none of {', '.join(filter(None, STRATA))}")
    if unknown := set(plan.weights) - set(WEIGHTS):
        raise Unreadable(f"weights: no mark {min(unknown)!r}")
    if not all(1 <= weight <= MOST_RISK for weight in plan.weights.values()):
        raise Unreadable(f"weights: a risk is from 1 to {MOST_RISK}")
    if not 1 <= plan.answer_days <= 60:
        raise Unreadable(f"answer_days: 1 to 60 working days, not {plan.answer_days}")
    people = _people(plan)
    known_people = set(User.objects.filter(username__in=people, is_active=True).values_list("username", flat=True))
    if strangers := [person for person in people if person not in known_people]:
        raise Unreadable(f"members: {strangers[0]!r} is no active account")
    if len(people) < 2:
        raise Unreadable("members: a round has a lead and at least one more: what one decides another confirms")


def _people(plan: Plan) -> list[str]:
    return list(dict.fromkeys(name for name in (plan.lead, *plan.members) if name))


@transaction.atomic
def open_(plan: Plan, *, by: str, at: datetime) -> Round:
    """A new round. Raises `Unreadable`."""
    checked(plan)
    round_ = Round.objects.create(created_at=at, created_by=by, **_columns(plan))
    _seat(round_, plan)
    audit.record(at=at, actor=by, table="rounds_round", key=str(round_.pk), before=None, after=document(round_))
    return round_


@transaction.atomic
def change(number: int, plan: Plan, *, by: str, at: datetime) -> Round:
    """Another plan, as long as no figures are frozen; only the lead changes it. Raises `Refused`, `Unreadable`."""
    round_ = locked(number)
    lead(round_, by)
    unfrozen(round_)
    checked(plan)
    before = document(round_)
    for name, value in _columns(plan).items():
        setattr(round_, name, value)
    round_.save()
    round_.members.all().delete()
    _seat(round_, plan)
    audit.record(at=at, actor=by, table="rounds_round", key=str(number), before=before, after=document(round_))
    return round_


@transaction.atomic
def decree(number: int, *, decision_number: str, decision_on: date, by: str, at: datetime) -> Round:
    """Types in the number and date of the decision that orders the round. Raises `Refused`."""
    round_ = locked(number)
    lead(round_, by)
    if not decision_number.strip():
        raise Refused("round.no_number")
    before = {"decision_number": round_.decision_number, "decision_on": str(round_.decision_on or "")}
    round_.decision_number, round_.decision_on = decision_number.strip()[:100], decision_on
    round_.save(update_fields=["decision_number", "decision_on"])
    after = {"decision_number": round_.decision_number, "decision_on": str(decision_on)}
    audit.record(at=at, actor=by, table="rounds_round", key=str(number), before=before, after=after)
    return round_


def _columns(plan: Plan) -> dict[str, Any]:
    columns = asdict(plan)
    for name in ("lead", "members"):
        del columns[name]
    for name in ("agencies", "fields", "procedures", "checks"):
        columns[name] = sorted(set(columns[name]))
    columns["weights"] = dict(plan.weights)
    columns["title"] = plan.title.strip()[:300]
    return columns


def _seat(round_: Round, plan: Plan) -> None:
    names = dict(User.objects.filter(username__in=_people(plan)).values_list("username", "full_name"))
    Member.objects.bulk_create(
        Member(round=round_, user=person, name=names.get(person, ""),
               role=Member.Role.LEAD if person == plan.lead else Member.Role.MEMBER)
        for person in _people(plan)
    )  # fmt: skip


_PLANNED = (
    "title", "decision_number", "grounds", "agencies", "fields", "procedures", "measure", "period", "policy", "checks",
    "size", "least", "stratify", "weights", "answer_days",
)  # fmt: skip


def document(round_: Round) -> dict[str, Any]:
    """The plan as it is sealed and printed; JSON values."""
    return {
        "round": round_.pk,
        **{name: getattr(round_, name) for name in _PLANNED},
        "decision_on": str(round_.decision_on or ""),
        "members": [[seat.user, seat.role] for seat in round_.members.order_by("user")],
    }


def digest(round_: Round) -> str:
    """SHA-256 of the plan in canonical form (hexadecimal)."""
    return hashlib.sha256(canonical(document(round_))).hexdigest()


def question(round_: Round, *, known_at: datetime | None = None) -> Question:
    """The figures whose dossiers are the population, before fields and procedures narrow it."""
    return Question(
        measure=round_.measure,  # type: ignore[arg-type]
        period=round_.period,
        known_at=known_at,
        policy=round_.policy,
        scope_of=frozenset(round_.agencies) or None,
    )
