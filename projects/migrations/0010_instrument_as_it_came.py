"""Files of other publishers do not say whether an activity is a programme, a project or a single action. "Project", which
stood there since it was the first choice, was nobody's word; where the import brought it, it is not stated from now on."""

from django.db import migrations

FACET = "array_position(ARRAY[''programme'', ''project'', ''action''%s], p.instrument::text)"
REPLACE = """DO $$ BEGIN
  EXECUTE replace(pg_get_functiondef('projects_refresh_search'::regproc), '{old}', '{new}');
END $$"""


def changed(old: str, new: str) -> str:
    return REPLACE.format(old=FACET % old, new=FACET % new)


# No triggers are there yet where the change feed comes with the same run of migrations, so that it is told here. Quietly:
# these may be thousands, and nobody did anything to them.
TELL = """
INSERT INTO partners_touched (kind, record, what, is_quiet, is_last)
  SELECT 'project', id, 'changed', true, false FROM projects_project WHERE instrument = '' ORDER BY id;
SELECT projects_tell_changes();
"""


def unsay(apps, schema_editor):
    schema_editor.execute("SELECT set_config('portal.quiet', 'on', true)", None)
    Project = apps.get_model("projects", "Project")
    ReferenceValue = apps.get_model("partners", "ReferenceValue")
    notes = ReferenceValue.objects.filter(model="projects.project")
    said = notes.filter(values__has_key="instrument").values_list("values__reference", flat=True)
    imported = notes.exclude(values__has_key="instrument").values_list("values__reference", flat=True)
    Project.objects.filter(source="imported", instrument="project", reference__in=set(imported) - set(said)).update(
        instrument=""
    )
    schema_editor.execute(TELL, None)  # several statements


class Migration(migrations.Migration):
    dependencies = [("projects", "0009_instrument_not_stated"), ("partners", "0004_change_feed")]

    operations = [
        migrations.RunSQL(changed("", ", ''''"), changed(", ''''", "")),
        migrations.RunPython(unsay, migrations.RunPython.noop),
    ]
