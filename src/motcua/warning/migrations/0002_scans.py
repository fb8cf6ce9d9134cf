"""Each look at the open dossiers is a row, and warnings are its rows: "none" is told from "not looked at yet".

Warnings said before are dropped: the next scan, half an hour later at most, says them anew.
"""

from django.db import migrations, models

import motcua.ledger.fields


class Migration(migrations.Migration):
    dependencies = [("warning", "0001_warnings")]

    operations = [
        migrations.AddField("learned", "beside", models.CharField(blank=True, default="", max_length=32)),
        migrations.AddField("learned", "trust", models.FloatField(default=0.0)),
        migrations.DeleteModel("Warned"),
        migrations.CreateModel(
            name="Scan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", motcua.ledger.fields.InstantField()),
                ("done", models.BooleanField(default=False)),
                ("position", models.BigIntegerField(default=0)),
                (
                    "learned",
                    models.ForeignKey(
                        null=True,
                        on_delete=models.deletion.PROTECT,
                        related_name="scans",
                        to="warning.learned",
                    ),
                ),
                ("looked", models.BigIntegerField(default=0)),
                ("warned", models.BigIntegerField(default=0)),
                ("past_help", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "warning_scan"},
        ),
        migrations.CreateModel(
            name="Warned",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.deletion.CASCADE,
                        related_name="rows",
                        to="warning.scan",
                    ),
                ),
                ("dossier", models.CharField(max_length=200)),
                ("procedure", models.CharField(max_length=64)),
                ("agency", models.CharField(max_length=64)),
                ("at", motcua.ledger.fields.InstantField()),
                ("due_at", motcua.ledger.fields.InstantField()),
                ("state", models.CharField(max_length=500)),
                ("paused", models.BooleanField(default=False)),
                ("left", models.IntegerField()),
                ("in_state", models.IntegerField()),
                ("usual_in_state", models.IntegerField(null=True)),
                ("quick", models.IntegerField()),
                ("usual", models.IntegerField()),
                ("helped_until", motcua.ledger.fields.InstantField(null=True)),
                ("share", models.FloatField(null=True)),
                ("low", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("least_at", motcua.ledger.fields.InstantField(null=True)),
                ("most_at", motcua.ledger.fields.InstantField(null=True)),
                ("procedure_late", models.FloatField(null=True)),
                ("reasons", models.JSONField(default=list)),
            ],
            options={
                "db_table": "warning_warned",
                "indexes": [
                    models.Index(fields=["scan", "helped_until", "dossier"], name="warning_by_help"),
                    models.Index(fields=["scan", "agency", "helped_until", "dossier"], name="warning_of_agency"),
                ],
                "constraints": [models.UniqueConstraint(fields=("scan", "dossier"), name="warning_once_a_scan")],
            },
        ),
    ]
