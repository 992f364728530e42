"""What nobody is known to have typed is no longer kept."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def drop_forms_of_nobody(apps, schema_editor):
    apps.get_model("partners", "UnsentForm").objects.filter(user=None).delete()


class Migration(migrations.Migration):
    dependencies = [("partners", "0008_counted_calls")]

    operations = [
        migrations.RunPython(drop_forms_of_nobody, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="unsentform",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
    ]  # fmt: skip
