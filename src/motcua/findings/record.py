"""The history of findings: the only place that writes acts, and the rows that project them.

Take, decide, keep, for one finding or for thousands: rows are locked in the order of their numbers, `inspection.life`
decides each, acts and projections are kept in one transaction, a few set statements for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from motcua.findings.models import Act, Finding
from motcua.inspection import life
from motcua.inspection.life import Life, Outcome, Person, State
from motcua.rules.moves import Refused

#: What a finding's row keeps of its life.
PROJECTED = (
    "state", "seq", "inspector", "officer", "due_at", "asked", "extension_to", "answer", "outcome", "remedy_due_at",
    "remedied_at", "concluded_at", "closed_at", "closed_by_data", "reopened", "last_at",
)  # fmt: skip
#: Rows in one statement.
AT_ONCE = 500

Body = Mapping[str, Any] | Callable[[Finding], Mapping[str, Any]] | None


@dataclass(slots=True)
class Done:
    """What became of an act on several findings: those on which it was done, and those that refused it."""

    done: list[int] = field(default_factory=list)
    refused: list[tuple[int, Refused]] = field(default_factory=list)


def as_life(row: Finding) -> Life:
    """The life that a row projects."""
    values = {name: getattr(row, name) for name in PROJECTED}
    return Life(
        agency=row.agency, **values | {"state": State(row.state), "outcome": Outcome(row.outcome) if row.outcome else
                                       None},
    )  # fmt: skip


def project(row: Finding, after: Life) -> None:
    """Puts a life into its row."""
    for name in PROJECTED:
        value = getattr(after, name)
        match name:
            case "state":
                value = str(value)
            case "outcome":
                value = str(value or "")
            case "answer":
                value = dict(value)
        setattr(row, name, value)


def as_value(row: Act) -> life.Act:
    """The act that a row of the history holds."""
    return life.Act(
        kind=row.kind, at=row.at, seq=row.seq, by=Person(name=row.actor, role=row.role, agency=row.agency),
        body=row.body,
    )  # fmt: skip


def as_row(finding: int, act: life.Act) -> Act:
    """An act as the history keeps it."""
    return Act(
        finding_id=finding, seq=act.seq, kind=act.kind, at=act.at, actor=act.by.name, role=act.by.role,
        agency=act.by.agency, body=dict(act.body),
    )  # fmt: skip


def history(finding: int) -> list[life.Act]:
    """The acts of a finding in their order."""
    return [as_value(row) for row in Act.objects.filter(finding=finding).order_by("seq")]


def locked(numbers: Iterable[int]) -> QuerySet[Finding, Finding]:
    """The rows, locked until the transaction ends, in the order of their numbers."""
    return Finding.objects.select_for_update().filter(pk__in=list(numbers)).order_by("pk")


@transaction.atomic
def act(number: int, kind: str, *, by: Person, at: datetime, body: Body = None) -> Finding:
    """One act on one finding. Raises `Refused`, also where there is no such finding."""
    row = locked([number]).first()
    if row is None:
        raise Refused("finding.unknown", finding=number)
    decided = life.decide(as_life(row), kind, by=by, at=at, body=body(row) if callable(body) else body)
    keep([(row, decided)])
    return row


@transaction.atomic
def act_on_all(
    numbers: Sequence[int], kind: str, *, by: Person, at: datetime, body: Body = None, also: Mapping[str, Any] | None =
    None,
) -> Done:  # fmt: skip
    """One act on many findings: done where the rules allow it, refused one by one where not.

    `also` are further columns of the row (`request`, `round`) that go with the act.
    """
    result = Done()
    chosen = sorted(set(numbers))
    for start in range(0, len(chosen), AT_ONCE):
        part = chosen[start : start + AT_ONCE]
        kept: list[tuple[Finding, life.Act]] = []
        found = {row.pk: row for row in locked(part)}
        for number in part:
            row = found.get(number)
            if row is None:
                result.refused.append((number, Refused("finding.unknown", finding=number)))
                continue
            try:
                said = body(row) if callable(body) else body
                decided = life.decide(as_life(row), kind, by=by, at=at, body=said)
            except Refused as refusal:
                result.refused.append((number, refusal))
                continue
            for name, value in (also or {}).items():
                setattr(row, name, value)
            kept.append((row, decided))
            result.done.append(number)
        keep(kept, also=tuple(also or ()))
    return result


def keep(decided: Sequence[tuple[Finding, life.Act]], *, also: Sequence[str] = ()) -> None:
    """Keeps acts and the rows that project them, inside the caller's transaction; one act a finding at most."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an act is kept inside the transaction that decides it")
    if not decided:
        return
    for row, done in decided:
        project(row, life.apply(as_life(row), done))
    Act.objects.bulk_create([as_row(row.pk, done) for row, done in decided], batch_size=AT_ONCE)
    Finding.objects.bulk_update([row for row, _ in decided], [*PROJECTED, *also], batch_size=100)


def verify() -> dict[str, Any]:
    """Replays every finding. Keys: `findings`, `acts`, `faults` (the first hundred), `ok`."""
    faults: list[str] = []
    findings = acts = 0
    current: list[life.Act] = []
    numbers = Finding.objects.order_by("pk").iterator(chunk_size=2_000)
    rows = Act.objects.order_by("finding_id", "seq").iterator(chunk_size=5_000)
    waiting = next(rows, None)
    for finding in numbers:
        findings += 1
        current = []
        while waiting is not None and waiting.finding_id == finding.pk:
            current.append(as_value(waiting))
            waiting = next(rows, None)
        acts += len(current)
        if life.replay(current) != as_life(finding):
            faults.append(f"finding {finding.pk} is not what its {len(current)} acts leave")
    if waiting is not None:
        faults.append(f"acts of finding {waiting.finding_id}, which is gone")
    return {"findings": findings, "acts": acts, "faults": faults[:100], "ok": not faults}
