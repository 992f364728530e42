"""The table that keeps pictures for a while (CACHES in settings)."""

from django.core.management import call_command
from django.db import migrations


def make(apps, schema_editor):
    call_command("createcachetable", "portal_pictures", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("outreach", "0005_stories")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
