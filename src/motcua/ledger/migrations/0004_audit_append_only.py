"""Recorded changes are only ever added: the database refuses the rest, whoever asks."""

from django.db import migrations

from motcua.ledger.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_audit_chained")]
    operations = [AppendOnly("ledger_change").operation()]
