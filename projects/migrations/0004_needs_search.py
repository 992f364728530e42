"""The search entries of needs, one more facet of projects, and the counts of facets as they are now."""

from importlib import import_module

from django.db import migrations

# The function of 0002 with the year of start and the status together, from which the chart of the home page is made.
OLD = import_module("projects.migrations.0002_search_and_checks").REFRESH.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
STARTED = """      UNION ALL
      SELECT extract(year FROM coalesce(p.actual_start, p.planned_start))::int * 160
        + coalesce(nullif(p.status, ''), '0')::int * 16 + 12
        WHERE coalesce(p.actual_start, p.planned_start) IS NOT NULL
    ) x
"""
NEW = OLD.replace("    ) x\n", STARTED)
assert OLD.count("    ) x\n") == 1

FILL = """
SET LOCAL statement_timeout = 0;
UPDATE projects_searchentry e SET facets = facets ||
    (extract(year FROM e.starts_on)::int * 160 + coalesce(nullif(p.status, ''), '0')::int * 16 + 12)
  FROM projects_project p WHERE p.id = e.project_id AND e.starts_on IS NOT NULL;
DELETE FROM projects_facettally;
INSERT INTO projects_facettally (record, facet, n)
  SELECT 'project', facet, count(*) FROM projects_searchentry, unnest(facets) AS facet WHERE is_public GROUP BY facet;
"""

# Only texts that everybody may read (models/need.py AUDIENCE): a search must not tell what a page hides.
NEEDS = """
CREATE FUNCTION projects_refresh_needs(ids bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO projects_needentry AS entry
    (need_id, is_public, vector, facets, sort_title, due_on, is_answered, published_at, modified_at)
  SELECT n.id,
    n.published_at IS NOT NULL,
    projects_words(n.language, n.title, 'A')
      || projects_words('simple', n.reference, 'A')
      || projects_words(n.language, n.public_summary, 'B')
      || projects_words(n.language, lines.words, 'B')
      || projects_words('en', c.name_en || ' ' || names.words, 'B')
      || projects_words(n.language, n.technology_sought || ' ' || n.national_plan || ' ' || n.institution, 'C'),
    coalesce(f.facets, '{}'),
    left(fold(n.title), 80),
    n.due_on,
    EXISTS (SELECT FROM projects_response r WHERE r.need_id = n.id),
    n.published_at,
    n.modified_at
  FROM projects_need n
  JOIN partners_country c ON c.id = n.country_id
  LEFT JOIN LATERAL (
    SELECT coalesce(string_agg(l.text, ' '), '') AS words FROM projects_lineitem l WHERE l.need_id = n.id
  ) lines ON true
  LEFT JOIN LATERAL (
    SELECT coalesce(string_agg(t.name_en, ' '), '') AS words
    FROM projects_needterm l JOIN projects_term t ON t.id = l.term_id WHERE l.need_id = n.id
  ) names ON true
  LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT x.facet) AS facets FROM (
      SELECT (n.country_id * 16)::int AS facet
      UNION ALL
      SELECT (u.region_id * 16 + 3)::int FROM partners_region r1
        LEFT JOIN partners_region r2 ON r2.id = r1.parent_id
        LEFT JOIN partners_region r3 ON r3.id = r2.parent_id
        LEFT JOIN partners_region r4 ON r4.id = r3.parent_id
        CROSS JOIN LATERAL unnest(ARRAY[r1.id, r2.id, r3.id, r4.id]) AS u(region_id)
        WHERE r1.id = c.region_id AND u.region_id IS NOT NULL
      UNION ALL
      SELECT (m.group_id * 16 + 4)::int FROM partners_groupmember m
        WHERE m.country_id = n.country_id AND m.standing = 'member'
      UNION ALL
      SELECT (u.term_id * 16 + 5)::int FROM (
          SELECT l.term_id FROM projects_needterm l WHERE l.need_id = n.id
          UNION SELECT l.assistance_id FROM projects_lineitem l WHERE l.need_id = n.id
        ) own JOIN projects_term t1 ON t1.id = own.term_id
        CROSS JOIN LATERAL unnest(ARRAY[t1.id, t1.parent_id]) AS u(term_id) WHERE u.term_id IS NOT NULL
      UNION ALL
      SELECT (array_position(ARRAY['capacity', 'technology'], n.kind::text) - 1) * 16 + 13
      UNION ALL
      SELECT (array_position(ARRAY['draft', 'submitted', 'returned', 'eligible', 'not_eligible', 'open', 'in_dialogue',
        'plan_agreed', 'in_delivery', 'delivered', 'closed', 'partially_met', 'withdrawn', 'on_hold', 'expired', 'merged',
        'archived'], n.state::text) - 1) * 16 + 14
    ) x
  ) f ON true
  WHERE n.id = ANY(ids)
  ON CONFLICT (need_id) DO UPDATE SET
    is_public = excluded.is_public, vector = excluded.vector, facets = excluded.facets,
    sort_title = excluded.sort_title, due_on = excluded.due_on, is_answered = excluded.is_answered,
    published_at = excluded.published_at, modified_at = excluded.modified_at
$$;
"""

# A change of a country's region or groups changes the facets of its needs, as it does those of its projects (0002).
PLACES = """
CREATE FUNCTION projects_refresh_needs_after_places() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM projects_refresh_needs(ARRAY(SELECT n.id FROM projects_need n WHERE n.country_id = ANY(
      CASE WHEN TG_TABLE_NAME = 'partners_country' THEN ARRAY[NEW.id]
           WHEN TG_OP = 'INSERT' THEN ARRAY[NEW.country_id]
           WHEN TG_OP = 'DELETE' THEN ARRAY[OLD.country_id]
           ELSE ARRAY[OLD.country_id, NEW.country_id] END)));
  RETURN NULL;
END $$;
CREATE TRIGGER projects_refresh_needs AFTER INSERT OR UPDATE OR DELETE ON partners_groupmember
  FOR EACH ROW EXECUTE FUNCTION projects_refresh_needs_after_places();
CREATE TRIGGER projects_refresh_needs AFTER UPDATE OF region_id ON partners_country
  FOR EACH ROW WHEN (OLD.region_id IS DISTINCT FROM NEW.region_id) EXECUTE FUNCTION projects_refresh_needs_after_places();
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_needs")]
    operations = [
        migrations.RunSQL(NEW, OLD),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(NEEDS, "DROP FUNCTION projects_refresh_needs(bigint[])"),
        migrations.RunSQL(
            PLACES,
            "DROP TRIGGER projects_refresh_needs ON partners_groupmember;"
            "DROP TRIGGER projects_refresh_needs ON partners_country; DROP FUNCTION projects_refresh_needs_after_places()",
        ),
    ]
