"""The findings of a round: its signs become findings bound to it, answered by the units and concluded by two persons.

The room `findings` keeps requests, explanations, attachments and outcomes; a round sends, hears and concludes there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from django.db.models import QuerySet

from motcua.findings import record, requests, update
from motcua.findings.models import Finding
from motcua.inspection.life import ASKED, OPEN, Outcome, Person, State
from motcua.inspection.signs import Sign
from motcua.oversight import scan
from motcua.rounds import frozen
from motcua.rounds.models import Item, Round
from motcua.rules.moves import Refused


def inspector(name: str) -> Person:
    """A member of a round, as the life of a finding knows them."""
    return Person(name=name, role="inspector")


def gather(round_: Round, *, home: Path, at: datetime) -> list[int]:
    """Opens what is not open yet of the sample's signs, binds all of them to the round, returns their numbers.

    A sign that another open round has bound stays there.
    """
    items = {item.dossier: item for item in round_.items.all()}
    kept = frozen.signs(frozen.folder(home, round_.pk), list(items))
    signs = [
        Sign(check=sign["check"], subject=code, agency=items[code].agency, confidence=sign["confidence"],
             evidence=sign["evidence"], values=sign["values"], own=tuple(sign["own"]))
        for code in items
        for sign in kept.get(code, [])
    ]  # fmt: skip
    update.settle(home, signs, seen=(), library=scan.library(), at=at, round_=round_.pk)
    wanted = {sign.key for sign in signs}
    numbers = [
        number
        for number, check, subject in _of(items).filter(state__in=[str(state) for state in OPEN])
        .values_list("pk", "check_code", "subject")
        if (check, subject) in wanted
    ]  # fmt: skip
    for start in range(0, len(numbers), record.AT_ONCE):
        Finding.objects.filter(pk__in=numbers[start : start + record.AT_ONCE], round=None).update(round=round_.pk)
    return numbers


def _of(codes: Iterable[str]) -> QuerySet[Finding]:
    return Finding.objects.filter(kind="dossier", subject__in=list(codes)).order_by("pk")


def send(round_: Round, *, home: Path, by: str, at: datetime) -> int:
    """Asks the units to explain the signs of the sample, with the round's answer date. Returns how many were sent."""
    bound = Finding.objects.filter(pk__in=gather(round_, home=home, at=at), round=round_.pk, state=str(State.NEW))
    numbers = list(bound.exclude(agency="").values_list("pk", flat=True))
    if not numbers:
        return 0
    sent = requests.send(numbers, by=inspector(by), at=at, days=round_.answer_days, note=round_.title)
    return len(numbers) - len(sent.refused)


def extend(round_: Round, *, due_at: datetime, note: str, by: str, at: datetime) -> None:
    """The same later date for every finding of the round that still waits."""
    waiting = Finding.objects.filter(round=round_.pk, state__in=[str(state) for state in ASKED])
    requests.extend(list(waiting.values_list("pk", flat=True)), by=inspector(by), at=at, due_at=due_at, note=note)


def of(round_: Round, dossiers: Iterable[str]) -> dict[str, list[Finding]]:
    """The findings that were sent, by dossier."""
    found: dict[str, list[Finding]] = {}
    for row in _of(dossiers).filter(round=round_.pk):
        found.setdefault(row.subject, []).append(row)
    return found


def conclude(round_: Round, item: Item, *, by: str, at: datetime) -> list[tuple[int, Refused]]:
    """What two persons found becomes the outcome of the dossier's findings; a disputed one stays open.

    A sign that the checklist denies is overturned; of the others, a rejected dossier's are violations, an accepted
    one's excused where the checklist says that the sign was true, else overturned. Returns the findings whose life does
    not allow it, each with why.
    """
    refused: list[tuple[int, Refused]] = []
    if item.finding == Item.Finding.DISPUTED:
        return refused
    for row in _of([item.dossier]).filter(round=round_.pk):
        said = item.checklist.get(f"sign:{row.check_code}")
        if item.finding == Item.Finding.REJECTED:
            outcome = Outcome.OVERTURNED if said == "no" else Outcome.VIOLATION
        else:
            outcome = Outcome.EXCUSED if said == "yes" else Outcome.OVERTURNED
        note = item.note or round_.title
        body = {"outcome": str(outcome), "note": note}
        refused += record.act_on_all([row.pk], "concluded", by=inspector(by), at=at, body=body).refused
    return refused


def reconsider(round_: Round, dossier: str, *, note: str, by: str, at: datetime) -> None:
    """Concluded findings of a dossier wait again; one that the unit appealed waits already."""
    numbers = list(_of([dossier]).filter(round=round_.pk).values_list("pk", flat=True))
    record.act_on_all(numbers, "reconsidered", by=inspector(by), at=at, body={"note": note})
