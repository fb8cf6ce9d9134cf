"""Settings that people change while the house runs: kept in the database, each change in the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from motcua.catalogue.models import Setting
from motcua.ledger import audit


def get(name: str, otherwise: Any = None) -> Any:
    """The value kept under a name."""
    row = Setting.objects.filter(name=name).first()
    return otherwise if row is None else row.value


@transaction.atomic
def put(name: str, value: Any, *, by: str, at: datetime) -> None:
    """Keeps a value (texts, integers, booleans, lists and mappings of them) in place of what stood there."""
    row = Setting.objects.select_for_update().filter(name=name).first()
    before = None if row is None else {"value": row.value}
    if audit.record(at=at, actor=by, table="catalogue_setting", key=name, before=before, after={"value": value}):
        Setting.objects.update_or_create(name=name, defaults={"value": value})
