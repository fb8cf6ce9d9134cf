"""The audit of changes: who, when, what, before and after; chained, and only ever added to."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from tests.story import at

from motcua.ledger import audit
from motcua.ledger.append_only import AppendOnly
from motcua.ledger.models import Change

databases = pytest.mark.django_db(databases=["default", "mirror"])
for_real = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)


def _change(key: str, before: Any, after: Any) -> None:
    with transaction.atomic():
        audit.record(
            at=at("2026-03-10T09:00"), actor="Nguyễn Văn Lịch", table="accounts_post", key=key, before=before,
            after=after,
        )  # fmt: skip


def _three() -> None:
    _change("an", None, {"role": "inspector", "units": ["H99.12", "Sở Y tế"], "active": True})
    _change("an", {"role": "inspector"}, {"role": "leader"})
    _change("bình", {"role": "leader"}, None)


@databases
def test_changes_follow_one_another_and_prove_themselves() -> None:
    _three()
    _change("an", {"role": "leader"}, {"role": "leader"})  # nothing is different: nothing is kept
    assert audit.verify() == {"changes": 3, "faults": [], "ok": True}


@databases
@pytest.mark.parametrize("sql", ["UPDATE ledger_change SET actor = 'x'", "DELETE FROM ledger_change"])
def test_the_database_refuses_to_alter_or_remove_a_change(sql: str) -> None:
    _three()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Change.objects.count() == 3


@databases
def test_a_change_outside_a_transaction_is_refused() -> None:
    if connection.in_atomic_block:
        connection.in_atomic_block = False
    try:
        with pytest.raises(transaction.TransactionManagementError):
            audit.record(at=at("2026-03-10T09:00"), actor="x", table="t", key="k", before=None, after={})
    finally:
        connection.in_atomic_block = True


@for_real
@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE ledger_change SET after = '{\"role\": \"x\"}' WHERE key = 'an'", "was altered"),
        ("DELETE FROM ledger_change WHERE before IS NOT NULL AND after IS NOT NULL", "does not follow"),
    ],
)
def test_whoever_takes_the_triggers_away_is_found_out(sql: str, told: str) -> None:
    _three()
    changes = AppendOnly("ledger_change")
    with connection.schema_editor() as editor:
        changes.drop(editor)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
    finally:
        with connection.schema_editor() as editor:
            changes.add(editor)
    found = audit.verify()
    assert not found["ok"] and told in " ".join(found["faults"])
