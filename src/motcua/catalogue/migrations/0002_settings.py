from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Setting",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("value", models.JSONField()),
            ],
            options={"db_table": "catalogue_setting"},
        ),
    ]
