"""A country without projects or needs costs nothing when its groups change: loading the groups took 5 s, planning the
empty refresh once for each of their members."""

from django.db import migrations

PLACES = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  touched bigint[];
BEGIN
  touched := ARRAY({rows} = ANY(
      CASE WHEN TG_TABLE_NAME = 'partners_country' THEN ARRAY[NEW.id]
           WHEN TG_OP = 'INSERT' THEN ARRAY[NEW.country_id]
           WHEN TG_OP = 'DELETE' THEN ARRAY[OLD.country_id]
           ELSE ARRAY[OLD.country_id, NEW.country_id] END));
  IF cardinality(touched) > 0 THEN
    PERFORM {refresh}(touched);
  END IF;
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0006_deadlines")]
    operations = [
        migrations.RunSQL(
            PLACES.format(
                function="projects_refresh_after_places",
                rows="SELECT l.project_id FROM projects_projectcountry l WHERE l.country_id",
                refresh="projects_refresh_search",
            ),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            PLACES.format(
                function="projects_refresh_needs_after_places",
                rows="SELECT n.id FROM projects_need n WHERE n.country_id",
                refresh="projects_refresh_needs",
            ),
            migrations.RunSQL.noop,
        ),
    ]
