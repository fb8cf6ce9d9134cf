"""Changes of the catalogue, posts and settings are chained, as events are. Nothing was recorded before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only")]
    operations = [
        migrations.AddField(
            "change", "previous_hash", models.BinaryField(max_length=32, default=bytes(32)), preserve_default=False
        ),
        migrations.AddField(
            "change", "hash", models.BinaryField(max_length=32, default=bytes(32)), preserve_default=False
        ),
        migrations.AddIndex("change", models.Index(fields=["table", "key"], name="ledger_change_of")),
    ]
