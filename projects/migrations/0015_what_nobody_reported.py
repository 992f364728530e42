"""Answers of before 0014: nothing was delivered only where somebody said so."""

from django.db import migrations

# A zero that nobody entered: nobody ever recorded a delivery of the need, or the contributions that carry the answer out, which
# are written together with it, are empty. A zero that took the place of another figure was entered.
NOT_REPORTED = """
UPDATE projects_answer a SET delivered = NULL
FROM projects_response r
WHERE r.id = a.response_id AND a.delivered = 0
  AND NOT EXISTS (SELECT FROM projects_answerevent v WHERE v.pgh_obj_id = a.id AND v.delivered > 0)
  AND (
    NOT EXISTS (SELECT FROM projects_event e WHERE e.need_id = r.need_id AND e.action = 'record_delivered')
    OR (
      SELECT count(*) > 0 AND bool_and(c.delivered IS NULL)
      FROM projects_contribution c JOIN projects_planactivity p ON p.id = c.activity_id JOIN projects_lineitem l ON l.id = p.line_id
      WHERE l.id = a.line_id AND c.unit = l.unit AND c.quantity IS NOT NULL
        AND (c.country_id IN (r.country_id, r.second_country_id) OR c.partner_id IN (r.partner_id, r.second_partner_id))
    )
  )
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0014_delivered_not_reported")]

    operations = [migrations.RunSQL(NOT_REPORTED, migrations.RunSQL.noop)]
