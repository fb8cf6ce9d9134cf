"""The history of a finding is only ever added to: the database refuses the rest, whoever asks."""

from django.db import migrations

_SQLITE = [
    f"CREATE TRIGGER findings_act_no_{act} BEFORE {act.upper()} ON findings_act "
    "BEGIN SELECT RAISE(ABORT, 'findings_act is append-only'); END"
    for act in ("update", "delete")
]
_POSTGRES = [
    "CREATE FUNCTION findings_act_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'findings_act is append-only'; END $$",
    "CREATE TRIGGER findings_act_append_only BEFORE UPDATE OR DELETE ON findings_act "
    "FOR EACH ROW EXECUTE FUNCTION findings_act_refuse()",
    "CREATE TRIGGER findings_act_no_truncate BEFORE TRUNCATE ON findings_act "
    "FOR EACH STATEMENT EXECUTE FUNCTION findings_act_refuse()",
]


def add_triggers(apps, schema_editor):
    for statement in _SQLITE if schema_editor.connection.vendor == "sqlite" else _POSTGRES:
        schema_editor.execute(statement, params=None)


def drop_triggers(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for act in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER findings_act_no_{act}")
        return
    schema_editor.execute("DROP FUNCTION findings_act_refuse() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("findings", "0001_initial")]
    operations = [migrations.RunPython(add_triggers, drop_triggers)]
