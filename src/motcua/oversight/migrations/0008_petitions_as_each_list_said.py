from django.db import migrations, models

import motcua.ledger.fields


class Migration(migrations.Migration):
    dependencies = [("oversight", "0007_petitions")]

    operations = [
        migrations.AlterField("petition", "code", models.CharField(max_length=100)),
        migrations.AddField("petition", "withdrawn_at", motcua.ledger.fields.InstantField(null=True)),
        migrations.AddConstraint(
            "petition",
            models.UniqueConstraint(fields=["code", "stored_at"], name="oversight_petition_once_in_a_list"),
        ),
    ]
