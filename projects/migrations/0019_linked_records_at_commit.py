"""Records that are linked to a changed row are looked for at commit, when the links that others made meanwhile are seen; and
what goes is told before what comes, so that a reference that passes to another record is not lost."""

from importlib import import_module

from django.db import migrations

change_feed = import_module("projects.migrations.0006_change_feed")

# As `linked_at_commit` in projects/models/telling.py gives it; a test holds the two together.
LINKED = """
CREATE FUNCTION projects_linked_at_commit() RETURNS TABLE (kind text, record bigint, is_quiet boolean, place bigint)
LANGUAGE plpgsql AS $$

DECLARE
  source text;
BEGIN
  FOR source IN SELECT DISTINCT t.source FROM partners_touched t WHERE t.source <> '' LOOP
    CASE source
    WHEN 'projects_project' THEN RETURN QUERY
      SELECT 'project', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_project l ON l.parent_id = r.record WHERE r.source = 'projects_project' AND l.id IS NOT NULL
      UNION ALL SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_relatedproject l ON l.other_id = r.record WHERE r.source = 'projects_project' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'need', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_need l ON l.project_id = r.record WHERE r.source = 'projects_project' AND l.id IS NOT NULL
      UNION ALL SELECT 'offer', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_offer l ON l.project_id = r.record WHERE r.source = 'projects_project' AND l.id IS NOT NULL;
    WHEN 'projects_response' THEN RETURN QUERY
      SELECT 'need', a.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_response a ON a.id = r.record WHERE r.source = 'projects_response' AND a.need_id IS NOT NULL;
    WHEN 'projects_term' THEN RETURN QUERY
      SELECT 'term', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_term l ON l.parent_id = r.record WHERE r.source = 'projects_term' AND l.id IS NOT NULL
      UNION ALL SELECT 'term', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_term l ON l.default_crs_id = r.record WHERE r.source = 'projects_term' AND l.id IS NOT NULL
      UNION ALL SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_projectterm l ON l.term_id = r.record WHERE r.source = 'projects_term' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'need', l.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_needterm l ON l.term_id = r.record WHERE r.source = 'projects_term' AND l.need_id IS NOT NULL
      UNION ALL SELECT 'need', l.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_lineitem l ON l.assistance_id = r.record WHERE r.source = 'projects_term' AND l.need_id IS NOT NULL
      UNION ALL SELECT 'offer', l.offer_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_offerterm l ON l.term_id = r.record WHERE r.source = 'projects_term' AND l.offer_id IS NOT NULL
      UNION ALL SELECT 'offer', l.offer_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_offerline l ON l.assistance_id = r.record WHERE r.source = 'projects_term' AND l.offer_id IS NOT NULL;
    WHEN 'projects_importrun' THEN RETURN QUERY
      SELECT 'project', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_project l ON l.import_run_id = r.record WHERE r.source = 'projects_importrun' AND l.id IS NOT NULL
      UNION ALL SELECT 'need', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_need l ON l.import_run_id = r.record WHERE r.source = 'projects_importrun' AND l.id IS NOT NULL
      UNION ALL SELECT 'offer', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_offer l ON l.import_run_id = r.record WHERE r.source = 'projects_importrun' AND l.id IS NOT NULL
      UNION ALL SELECT 'country', l.id, r.is_quiet, r.id FROM partners_touched r JOIN partners_country l ON l.import_run_id = r.record WHERE r.source = 'projects_importrun' AND l.id IS NOT NULL
      UNION ALL SELECT 'partner', l.id, r.is_quiet, r.id FROM partners_touched r JOIN partners_partner l ON l.import_run_id = r.record WHERE r.source = 'projects_importrun' AND l.id IS NOT NULL;
    WHEN 'partners_country' THEN RETURN QUERY
      SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_projectcountry l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_contribution l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_recordcheck l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'need', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_need l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.id IS NOT NULL
      UNION ALL SELECT 'need', l.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_response l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.need_id IS NOT NULL
      UNION ALL SELECT 'need', l.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_confirmation l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.need_id IS NOT NULL
      UNION ALL SELECT 'offer', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_offer l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.id IS NOT NULL
      UNION ALL SELECT 'offer', l.offer_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_eligible l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.offer_id IS NOT NULL
      UNION ALL SELECT 'partner', l.id, r.is_quiet, r.id FROM partners_touched r JOIN partners_partner l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.id IS NOT NULL
      UNION ALL SELECT 'partner', l.partner_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_partnercountry l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.partner_id IS NOT NULL
      UNION ALL SELECT 'group', l.group_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_groupmember l ON l.country_id = r.record WHERE r.source = 'partners_country' AND l.group_id IS NOT NULL
      UNION ALL SELECT 'need', e.need_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_membership m ON m.country_id = r.record JOIN projects_event e ON e.by_id = m.user_id WHERE r.source = 'partners_country' AND e.need_id IS NOT NULL
      UNION ALL SELECT 'need', a.need_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_membership m ON m.country_id = r.record JOIN projects_event e ON e.by_id = m.user_id JOIN projects_response a ON a.id = e.response_id WHERE r.source = 'partners_country' AND a.need_id IS NOT NULL
      UNION ALL SELECT 'offer', e.offer_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_membership m ON m.country_id = r.record JOIN projects_event e ON e.by_id = m.user_id WHERE r.source = 'partners_country' AND e.offer_id IS NOT NULL;
    WHEN 'partners_partner' THEN RETURN QUERY
      SELECT 'partner', l.id, r.is_quiet, r.id FROM partners_touched r JOIN partners_partner l ON l.parent_id = r.record WHERE r.source = 'partners_partner' AND l.id IS NOT NULL
      UNION ALL SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_projectpartner l ON l.partner_id = r.record WHERE r.source = 'partners_partner' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_contribution l ON l.partner_id = r.record WHERE r.source = 'partners_partner' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_recordcheck l ON l.partner_id = r.record WHERE r.source = 'partners_partner' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'need', l.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_response l ON l.partner_id = r.record WHERE r.source = 'partners_partner' AND l.need_id IS NOT NULL
      UNION ALL SELECT 'need', l.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_confirmation l ON l.partner_id = r.record WHERE r.source = 'partners_partner' AND l.need_id IS NOT NULL
      UNION ALL SELECT 'offer', l.id, r.is_quiet, r.id FROM partners_touched r JOIN projects_offer l ON l.partner_id = r.record WHERE r.source = 'partners_partner' AND l.id IS NOT NULL
      UNION ALL SELECT 'need', e.need_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_membership m ON m.partner_id = r.record JOIN projects_event e ON e.by_id = m.user_id WHERE r.source = 'partners_partner' AND e.need_id IS NOT NULL
      UNION ALL SELECT 'need', a.need_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_membership m ON m.partner_id = r.record JOIN projects_event e ON e.by_id = m.user_id JOIN projects_response a ON a.id = e.response_id WHERE r.source = 'partners_partner' AND a.need_id IS NOT NULL
      UNION ALL SELECT 'offer', e.offer_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_membership m ON m.partner_id = r.record JOIN projects_event e ON e.by_id = m.user_id WHERE r.source = 'partners_partner' AND e.offer_id IS NOT NULL;
    WHEN 'partners_region' THEN RETURN QUERY
      SELECT 'region', l.id, r.is_quiet, r.id FROM partners_touched r JOIN partners_region l ON l.parent_id = r.record WHERE r.source = 'partners_region' AND l.id IS NOT NULL
      UNION ALL SELECT 'country', l.id, r.is_quiet, r.id FROM partners_touched r JOIN partners_country l ON l.region_id = r.record WHERE r.source = 'partners_region' AND l.id IS NOT NULL
      UNION ALL SELECT 'project', l.project_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_projectregion l ON l.region_id = r.record WHERE r.source = 'partners_region' AND l.project_id IS NOT NULL
      UNION ALL SELECT 'offer', l.offer_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_eligible l ON l.region_id = r.record WHERE r.source = 'partners_region' AND l.offer_id IS NOT NULL;
    WHEN 'partners_countrygroup' THEN RETURN QUERY
      SELECT 'country', l.country_id, r.is_quiet, r.id FROM partners_touched r JOIN partners_groupmember l ON l.group_id = r.record WHERE r.source = 'partners_countrygroup' AND l.country_id IS NOT NULL
      UNION ALL SELECT 'offer', l.offer_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_eligible l ON l.group_id = r.record WHERE r.source = 'partners_countrygroup' AND l.offer_id IS NOT NULL;
    WHEN 'partners_user' THEN RETURN QUERY
      SELECT 'need', e.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_event e ON e.by_id = r.record WHERE r.source = 'partners_user' AND e.need_id IS NOT NULL
      UNION ALL SELECT 'need', a.need_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_event e ON e.by_id = r.record JOIN projects_response a ON a.id = e.response_id WHERE r.source = 'partners_user' AND a.need_id IS NOT NULL
      UNION ALL SELECT 'offer', e.offer_id, r.is_quiet, r.id FROM partners_touched r JOIN projects_event e ON e.by_id = r.record WHERE r.source = 'partners_user' AND e.offer_id IS NOT NULL;
    END CASE;
  END LOOP;
END $$;
"""

# Called once, last of all, when a transaction commits (partners/models/change.py). The lock is held until the commit is done, so
# whoever reads a number reads all lower ones; what others committed before is seen, since each statement looks anew. Numbers are
# given in the order of `news`: one reference may go with one record and come with another.
TELL = """
CREATE OR REPLACE FUNCTION projects_tell_changes() RETURNS void LANGUAGE plpgsql SET jit = off AS $$
DECLARE
  moment timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('projects_tell_changes', 0));
  moment := greatest(clock_timestamp(), (SELECT c.at FROM partners_change c ORDER BY c.sequence DESC LIMIT 1));
  WITH touched AS (
    SELECT kind, record, bool_and(is_quiet) AS is_quiet, max(place) AS place,
      coalesce((array_agg(what ORDER BY place DESC) FILTER (WHERE what <> 'changed'))[1], 'changed') AS what
    FROM (
      SELECT t.kind, t.record, t.what, t.is_quiet, t.id FROM partners_touched t WHERE NOT t.is_last AND t.source = ''
      UNION ALL
      SELECT l.kind, l.record, 'changed', l.is_quiet, l.place FROM projects_linked_at_commit() l
    ) AS one(kind, record, what, is_quiet, place)
    GROUP BY kind, record
  ), seen AS MATERIALIZED (
    SELECT t.kind, t.record, t.what, t.is_quiet, t.place, coalesce(a.is_public, false) AS is_public, a.reference, a.merged_into,
      sha256(convert_to(a.answer::text, 'UTF8')) AS digest, k.reference AS was_called, k.is_gone AS was_gone, k.digest AS was
    FROM touched t
    LEFT JOIN LATERAL projects_public_answer(t.kind, t.record) a ON true
    LEFT JOIN partners_publicrecord k ON k.kind = t.kind AND k.record = t.record
  ), news AS (  -- a copy knows a record by its reference
    SELECT kind, record, was_called AS reference, 'renamed' AS what, true AS is_gone, reference AS merged_into, is_quiet, place
    FROM seen WHERE is_public AND NOT was_gone AND was_called <> reference
    UNION ALL
    SELECT kind, record, CASE WHEN is_public THEN reference ELSE was_called END,
      CASE WHEN what <> 'changed' THEN what WHEN reference IS NULL THEN 'deleted'
           WHEN NOT is_public AND merged_into IS NOT NULL THEN 'merge'
           WHEN is_public AND was_gone IS NOT FALSE THEN 'added' ELSE 'changed' END,
      NOT is_public, coalesce(merged_into, ''), is_quiet, place
    FROM seen
    WHERE CASE WHEN is_public THEN was_gone IS NOT FALSE OR was <> digest OR was_called <> reference ELSE NOT was_gone END
  ), told AS (
    INSERT INTO partners_change (kind, record, reference, what, is_gone, merged_into, is_quiet, at)
    SELECT kind, record, reference, what, is_gone, merged_into, is_quiet, moment FROM news ORDER BY is_gone DESC, place
    RETURNING sequence, kind, record
  )
  INSERT INTO partners_publicrecord AS k (kind, record, reference, digest, is_gone, sequence, changed_at)
  SELECT kind, record, coalesce(reference, was_called), coalesce(digest, ''), NOT is_public, number, moment
  FROM seen JOIN (SELECT kind, record, max(sequence) FROM told GROUP BY kind, record) AS last(kind, record, number)
    USING (kind, record)
  ON CONFLICT (kind, record) DO UPDATE SET
    reference = excluded.reference, digest = excluded.digest, is_gone = excluded.is_gone, sequence = excluded.sequence,
    changed_at = excluded.changed_at;
  DELETE FROM partners_touched;  -- of this transaction: nobody sees those of others
  PERFORM set_config('portal.is_told_last', '', true);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0018_mark_of_what_was_sent"),
        ("partners", "0011_linked_records_at_commit"),
    ]

    operations = [
        migrations.RunSQL(LINKED, "DROP FUNCTION projects_linked_at_commit()"),
        migrations.RunSQL(TELL, change_feed.TELL.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")),
    ]
