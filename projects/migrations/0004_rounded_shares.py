"""Shares that were rounded one by one may add up to a little more than 100."""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("projects.migrations.0002_search_and_checks").COUNTRIES
AFTER = BEFORE.replace("found.shares > 100 ", "found.shares > 100.1 ")


def replacing(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_how_progress_will_be_seen")]

    operations = [migrations.RunSQL(replacing(AFTER), replacing(BEFORE))]
