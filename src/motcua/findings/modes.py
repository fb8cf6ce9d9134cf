"""What each check has earned from people's conclusions, and whether it only watches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from motcua.catalogue import settings
from motcua.findings.models import CheckMode, Finding
from motcua.inspection.life import OPEN, Outcome
from motcua.inspection.standing import Mode, Precision, WatchRule
from motcua.ledger import audit
from motcua.rules.instants import Unreadable

SETTING = "findings.watch"


def rule() -> WatchRule:
    """The rule in force: `{"on": …, "least": …, "below_percent": …}`, where nothing is set ours."""
    kept = settings.get(SETTING) or {}
    ours = WatchRule()
    below = kept.get("below_percent")
    return WatchRule(
        on=bool(kept.get("on", ours.on)),
        least=int(kept.get("least", ours.least)),
        below=ours.below if below is None else int(below) / 100,
    )


def change_rule(*, on: bool, least: int, below_percent: int, by: str, at: datetime) -> None:
    """Puts another rule in force. Raises `Unreadable`."""
    if not 1 <= least <= 10_000 or not 1 <= below_percent <= 100:
        raise Unreadable("least: 1 to 10000; below: 1 to 100 per cent")
    settings.put(SETTING, {"on": on, "least": least, "below_percent": below_percent}, by=by, at=at)


def measured() -> dict[str, Precision]:
    """The precision of every check of which a person concluded a finding."""
    rows = (
        Finding.objects.exclude(outcome="")
        .values("check_code")
        .annotate(concluded=Count("pk"), overturned=Count("pk", filter=Q(outcome=str(Outcome.OVERTURNED))))
    )
    return {
        row["check_code"]: Precision(concluded=row["concluded"], overturned=row["overturned"]) for row in rows
    }  # fmt: skip


def modes() -> dict[str, CheckMode]:
    """The checks that were ever moved, by code."""
    return {row.check_code: row for row in CheckMode.objects.all()}


def watching() -> frozenset[str]:
    """The checks that only watch: their findings alert nobody."""
    return frozenset(CheckMode.objects.filter(mode="watch").values_list("check_code", flat=True))


@transaction.atomic
def follow(*, at: datetime) -> list[str]:
    """Moves checks to watch, or back, as the rule says of their measured precision. Returns those that moved.

    A mode that a person chose stays until a person changes it.
    """
    rule_, earned = rule(), measured()
    known = {row.check_code: row for row in CheckMode.objects.select_for_update().order_by("check_code")}
    moved = []
    for code in sorted({*earned, *known}):
        row = known.get(code)
        if row is not None and not row.by_rule:
            continue
        before: Mode = "watch" if row is not None and row.mode == "watch" else "active"
        after = rule_.mode(earned.get(code, Precision(concluded=0, overturned=0)), before)
        if after != before:
            _put(code, after, by_rule=True, by="", note="", at=at, row=row)
            moved.append(code)
    return moved


@transaction.atomic
def choose(code: str, mode: Mode | None, *, by: str, at: datetime, note: str) -> None:
    """A person puts a check to watch or to work; None gives it back to the rule. Raises `Unreadable`."""
    if mode not in ("active", "watch", None):
        raise Unreadable(f"no mode {mode!r}")
    if not note.strip():
        raise Unreadable("say why")
    row = CheckMode.objects.select_for_update().filter(check_code=code).first()
    after: Mode = mode or rule().mode(measured().get(code, Precision(concluded=0, overturned=0)))
    _put(code, after, by_rule=mode is None, by=by, note=note.strip(), at=at, row=row)


def _put(code: str, mode: Mode, *, by_rule: bool, by: str, note: str, at: datetime, row: CheckMode | None) -> None:
    before = None if row is None else {"mode": row.mode, "by_rule": row.by_rule, "note": row.note}
    after = {"mode": mode, "by_rule": by_rule, "note": note[:500]}
    if audit.record(
        at=at, actor=by or "rule", table="findings_check_mode", key=code, before=before, after=after
    ):  # fmt: skip
        CheckMode.objects.update_or_create(check_code=code, defaults={**after, "since": at, "by": by})


def counts() -> dict[str, dict[str, Any]]:
    """Open, concluded and closed findings of each check."""
    rows = Finding.objects.values("check_code").annotate(
        open=Count("pk", filter=Q(state__in=[str(s) for s in OPEN])),
        violation=Count("pk", filter=Q(outcome=str(Outcome.VIOLATION))),
        excused=Count("pk", filter=Q(outcome=str(Outcome.EXCUSED))),
        overturned=Count("pk", filter=Q(outcome=str(Outcome.OVERTURNED))),
        by_data=Count("pk", filter=Q(closed_by_data=True)),
        all=Count("pk"),
    )
    return {row["check_code"]: row for row in rows}
