"""Recorded changes are only ever added: the database refuses the rest, whoever asks."""

from django.db import migrations

_SQLITE = [
    f"CREATE TRIGGER ledger_change_no_{act} BEFORE {act.upper()} ON ledger_change "
    "BEGIN SELECT RAISE(ABORT, 'ledger_change is append-only'); END"
    for act in ("update", "delete")
]
_POSTGRES = [
    "CREATE FUNCTION ledger_change_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'ledger_change is append-only'; END $$",
    "CREATE TRIGGER ledger_change_append_only BEFORE UPDATE OR DELETE ON ledger_change "
    "FOR EACH ROW EXECUTE FUNCTION ledger_change_refuse()",
    "CREATE TRIGGER ledger_change_no_truncate BEFORE TRUNCATE ON ledger_change "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_change_refuse()",
]


def add_triggers(apps, schema_editor):
    for statement in _SQLITE if schema_editor.connection.vendor == "sqlite" else _POSTGRES:
        schema_editor.execute(statement, params=None)


def drop_triggers(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for act in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER ledger_change_no_{act}")
        return
    schema_editor.execute("DROP FUNCTION ledger_change_refuse() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_audit_chained")]
    operations = [migrations.RunPython(add_triggers, drop_triggers)]
