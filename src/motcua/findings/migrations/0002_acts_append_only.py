"""The history of a finding is only ever added to: the database refuses the rest, whoever asks."""

from django.db import migrations

from motcua.ledger.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("findings", "0001_initial")]
    operations = [AppendOnly("findings_act").operation()]
