"""What checks leave out: accounts of machines, and spans in which a system was known to be down.

Both are said by a person, with a reason or the number of a decision, and stand in the audit. The extract puts them
into the facts (`reference`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from motcua.catalogue.models import Agency
from motcua.ledger import audit
from motcua.oversight.models import MachineAccount, Outage
from motcua.rules.instants import Unreadable, iso

#: How long after an outage what was left undone may be entered, where nothing else is said.
CATCH_UP = timedelta(days=1)
_LONGEST = 200


# ---- machines ----------------------------------------------------------------------------------------------------


def machines() -> list[MachineAccount]:
    """The accounts that a machine acts by, by name."""
    return list(MachineAccount.objects.order_by("account"))


@transaction.atomic
def name_machine(
    account: str, *, by: str, at: datetime, note: str, valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> MachineAccount:  # fmt: skip
    """Says that an account is a machine's, from and to an instant where it was not always. Raises `Unreadable`."""
    account = account.strip()
    if not account or len(account) > _LONGEST:
        raise Unreadable(f"account {account[:40]!r}: 1 to {_LONGEST} letters, as the acts name it")
    if not note.strip():
        raise Unreadable("say why")
    if valid_from and valid_to and valid_from >= valid_to:
        raise Unreadable("the span ends before it begins")
    before = MachineAccount.objects.filter(account=account).first()
    after = {"valid_from": valid_from, "valid_to": valid_to, "note": note.strip()[:500], "by": by}
    audit.record(at=at, actor=by, table="oversight_machine_account", key=account,
                 before=_machine(before) if before else None, after=_told(after))  # fmt: skip
    row, _ = MachineAccount.objects.update_or_create(account=account, defaults={**after, "set_at": at})
    return row


@transaction.atomic
def forget_machine(account: str, *, by: str, at: datetime) -> None:
    """Takes that back. Raises `Unreadable` where it was never said."""
    row = MachineAccount.objects.select_for_update().filter(account=account).first()
    if row is None:
        raise Unreadable(f"{account!r} is no machine's account")
    audit.record(at=at, actor=by, table="oversight_machine_account", key=account, before=_machine(row), after=None)
    row.delete()


def _machine(row: MachineAccount) -> dict[str, Any]:
    return _told({"valid_from": row.valid_from, "valid_to": row.valid_to, "note": row.note, "by": row.by})


def _told(content: dict[str, Any]) -> dict[str, Any]:
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in content.items()}


# ---- outages -----------------------------------------------------------------------------------------------------


def outages() -> list[Outage]:
    """The outages that were declared and not taken back, the newest first."""
    return list(Outage.objects.filter(withdrawn_at=None).order_by("-from_at", "-pk"))


@transaction.atomic
def declare_outage(
    *, what: str, from_at: datetime, to_at: datetime, document: str, by: str, at: datetime, agency: str = "",
    caught_up_at: datetime | None = None, note: str = "",
) -> Outage:  # fmt: skip
    """Declares a span of an agency (empty: the province) in which a system was down. Raises `Unreadable`."""
    if what not in Outage.What.values:
        raise Unreadable(f"{what!r}: one of {', '.join(Outage.What.values)}")
    caught_up_at = caught_up_at or to_at + CATCH_UP
    if not from_at < to_at <= caught_up_at:
        raise Unreadable("an outage ends after it begins, and is caught up after it ended")
    if not document.strip():
        raise Unreadable("name the decision that records the outage")
    if agency and not Agency.objects.filter(code=agency).exists():
        raise Unreadable(f"no agency {agency!r}")
    row = Outage.objects.create(
        what=what, agency=agency, from_at=from_at, to_at=to_at, caught_up_at=caught_up_at,
        document=document.strip()[:200], note=note.strip()[:500], by=by, set_at=at,
    )  # fmt: skip
    audit.record(at=at, actor=by, table="oversight_outage", key=str(row.pk), before=None, after=_outage(row))
    return row


@transaction.atomic
def withdraw_outage(number: int, *, by: str, at: datetime) -> None:
    """Takes an outage back. Raises `Unreadable` where there is none of this number."""
    row = Outage.objects.select_for_update().filter(pk=number, withdrawn_at=None).first()
    if row is None:
        raise Unreadable(f"no outage {number}")
    audit.record(at=at, actor=by, table="oversight_outage", key=str(number), before=_outage(row), after=None)
    row.withdrawn_at, row.withdrawn_by = at, by
    row.save(update_fields=["withdrawn_at", "withdrawn_by"])


def _outage(row: Outage) -> dict[str, Any]:
    names = ("what", "agency", "from_at", "to_at", "caught_up_at", "document", "note")
    return _told({name: getattr(row, name) for name in names})


def spans() -> Iterator[tuple[str, str, datetime, datetime, datetime]]:
    """(agency, what, from, to, caught up) of every outage, none of an agency overlapping another of its kind."""
    every = list(Agency.objects.values_list("code", flat=True))
    by_place: dict[tuple[str, str], list[Outage]] = {}
    for row in Outage.objects.filter(withdrawn_at=None).order_by("from_at", "pk"):
        for agency in [row.agency] if row.agency else every:
            by_place.setdefault((agency, row.what), []).append(row)
    for (agency, what), rows in sorted(by_place.items()):
        start, end, caught_up = rows[0].from_at, rows[0].to_at, rows[0].caught_up_at
        for row in rows[1:]:
            if row.from_at <= end:
                end, caught_up = max(end, row.to_at), max(caught_up, row.caught_up_at)
                continue
            yield agency, what, start, end, caught_up
            start, end, caught_up = row.from_at, row.to_at, row.caught_up_at
        yield agency, what, start, end, caught_up
