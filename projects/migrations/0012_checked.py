"""How far the record of a project is confirmed by those who take part, as a facet of its search entry."""

from importlib import import_module

from django.db import migrations

# The position in choices.Checked of how far a record is confirmed; the same rule as models.record_check.checked.
CHECKED = """
CREATE FUNCTION projects_checked(project bigint) RETURNS int LANGUAGE sql STABLE AS $$
  WITH said AS (
    SELECT k.id,
      CASE WHEN k.country_id IS NULL THEN at_home.role IS DISTINCT FROM 'recipient' ELSE own.role IN ('provider', 'both') END AS gives,
      CASE WHEN k.country_id IS NULL THEN at_home.role = 'recipient' ELSE own.role IN ('recipient', 'both') END AS gets
    FROM projects_recordcheck k
    LEFT JOIN projects_projectcountry own ON own.project_id = k.project_id AND own.country_id = k.country_id
    LEFT JOIN partners_partner b ON b.id = k.partner_id
    LEFT JOIN projects_projectcountry at_home ON at_home.project_id = k.project_id AND at_home.country_id = b.country_id
    WHERE k.project_id = project AND k.is_right
  )
  SELECT CASE
    WHEN EXISTS (SELECT FROM said a JOIN said b ON a.id <> b.id WHERE a.gives AND b.gets) THEN 0
    WHEN EXISTS (SELECT FROM said WHERE gives OR gets) THEN 1
    ELSE 2 END
$$;
"""
FACETS = """
      UNION ALL
      SELECT projects_checked(p.id) * 16 + 14
      UNION ALL
      SELECT 3 * 16 + 14 WHERE EXISTS (SELECT FROM projects_recordcheck k WHERE k.project_id = p.id AND NOT k.is_right)
    ) x
  ) f ON true"""
BEFORE = import_module("projects.migrations.0004_needs_search").NEW
REFRESH = BEFORE.replace("\n    ) x\n  ) f ON true", FACETS)


class Migration(migrations.Migration):
    dependencies = [("projects", "0011_agreement")]
    operations = [
        migrations.RunSQL(CHECKED, "DROP FUNCTION projects_checked(bigint)"),
        migrations.RunSQL(REFRESH, BEFORE),
        migrations.RunSQL(  # nobody has said anything of any record yet
            "UPDATE projects_searchentry SET facets = facets || (2 * 16 + 14)", migrations.RunSQL.noop
        ),
    ]
