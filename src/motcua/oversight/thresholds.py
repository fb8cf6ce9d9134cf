"""The parameters of checks that a province set itself: to what, from when on, by whom and why.

Kept by two clocks. A scan as of an instant runs with what was valid then (`valid_from`); one that asks what was known
at an instant leaves out what was set later (`set_at`). Where nothing is set the law's value or ours counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from motcua.inspection.checks.check import Check, Value
from motcua.ledger import audit
from motcua.oversight.models import CheckValue
from motcua.rules.instants import Unreadable, iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A value that the province set. `value` None: given back to the law's or ours."""

    value: Value | None
    valid_from: datetime
    set_at: datetime
    by: str
    note: str


InForce = dict[str, dict[str, Chosen]]


def in_force(*, as_of: datetime, known_at: datetime | None = None) -> InForce:
    """Check → parameter → what the province set, valid at an instant, as known at another."""
    rows = CheckValue.objects.filter(valid_from__lte=as_of)
    if known_at is not None:
        rows = rows.filter(set_at__lte=known_at)
    newest: InForce = {}
    for row in rows.order_by("valid_from", "pk"):
        newest.setdefault(row.check_code, {})[row.name] = _chosen(row)
    kept = {code: {n: one for n, one in of_it.items() if one.value is not None} for code, of_it in newest.items()}
    return {code: of_it for code, of_it in kept.items() if of_it}


def values(chosen: InForce) -> dict[str, dict[str, Value]]:
    """The bare values."""
    return {
        code: {name: one.value for name, one in of_it.items() if one.value is not None}
        for code, of_it in chosen.items()
    }


def history(code: str) -> dict[str, list[Chosen]]:
    """Every setting of a check's parameters, the newest first."""
    found: dict[str, list[Chosen]] = {}
    for row in CheckValue.objects.filter(check_code=code).order_by("-pk"):
        found.setdefault(row.name, []).append(_chosen(row))
    return found


def _chosen(row: CheckValue) -> Chosen:
    return Chosen(value=row.value, valid_from=row.valid_from, set_at=row.set_at, by=row.by, note=row.note)


@transaction.atomic
def choose(
    check: Check, name: str, value: Value | None, *, by: str, at: datetime, note: str,
    valid_from: datetime | None = None,
) -> bool:  # fmt: skip
    """Sets a parameter from an instant on (None: from now); `value` None gives it back. False: it was so already.

    Raises `Unreadable`: no such parameter, a value out of bounds, no reason.
    """
    parameter = check.parameter(name)
    if value is not None:
        value = parameter.read(str(value))
    if not note.strip():
        raise Unreadable("say why")
    since = valid_from or at
    if _at(check.code, name, since) == value:
        return False
    content = {"value": None if value is None else str(value), "from": iso(since), "note": note.strip()[:500]}
    audit.record(
        at=at, actor=by, table="oversight_check_value", key=f"{check.code}.{name}", before=_before(check.code, name),
        after=content,
    )  # fmt: skip
    CheckValue.objects.create(
        check_code=check.code, name=name, value=value, valid_from=since, set_at=at, by=by, note=note.strip()[:500]
    )
    return True


def _at(code: str, name: str, instant: datetime) -> Value | None:
    one = in_force(as_of=instant).get(code, {}).get(name)
    return one.value if one else None


def _before(code: str, name: str) -> Mapping[str, str | None] | None:
    row = CheckValue.objects.filter(check_code=code, name=name).order_by("-pk").first()
    if row is None:
        return None
    return {"value": None if row.value is None else str(row.value), "from": iso(row.valid_from), "note": row.note}
