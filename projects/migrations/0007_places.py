"""What a change of a country's region or groups does to the entries of its projects and needs, mended.

A country without projects or needs costs nothing now: loading the groups took 5 s, planning an empty refresh once for
each of their members. And a change of a country's region goes through: it failed on the name of the country's key.
"""

from django.db import migrations

# `places`: keys of the countries concerned, whichever of the two tables has changed.
PLACES = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  key text := CASE TG_TABLE_NAME WHEN 'partners_country' THEN 'id' ELSE 'country_id' END;
  places bigint[] := ARRAY(
    SELECT (changed ->> key)::bigint FROM unnest(ARRAY[to_jsonb(OLD), to_jsonb(NEW)]) AS changed WHERE changed IS NOT NULL);
  touched bigint[] := ARRAY({rows});
BEGIN
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
                rows="SELECT l.project_id FROM projects_projectcountry l WHERE l.country_id = ANY(places)",
                refresh="projects_refresh_search",
            ),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            PLACES.format(
                function="projects_refresh_needs_after_places",
                rows="SELECT n.id FROM projects_need n WHERE n.country_id = ANY(places)",
                refresh="projects_refresh_needs",
            ),
            migrations.RunSQL.noop,
        ),
    ]
