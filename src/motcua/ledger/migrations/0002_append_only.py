"""Rows of the log are only ever added: the database refuses the rest, whoever asks."""

from django.db import migrations

from motcua.ledger.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [AppendOnly("ledger_event").operation()]
