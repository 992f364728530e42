"""SQL functions of the change feed: what the public reads of a record, and the telling of what has changed at commit."""

from django.db import migrations, models

# What the API answers of each kind to everybody (the serializers in api/partners.py and projects/api/), but for words of the portal,
# addresses, the moment of the change and what only some may read. Tests change every column in turn and compare.
SAID = """
CREATE FUNCTION projects_said_country(key bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_array(iso3, name_ar, name_zh_hans, name_en, name_fr, name_ru, name_es) FROM partners_country WHERE id = key
$$;
CREATE FUNCTION projects_said_partner(key bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_array(slug, acronym, name_ar, name_zh_hans, name_en, name_fr, name_ru, name_es)
  FROM partners_partner WHERE id = key
$$;
-- The same rule as projects.timeline._side_of: for whom a person acted.
CREATE FUNCTION projects_side_of(person bigint, own_country bigint, own_partner bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN (SELECT email FROM partners_user WHERE id = person) = 'system@portal.invalid' THEN '"portal"'
    WHEN EXISTS (SELECT FROM partners_membership m
                 WHERE m.user_id = person AND (m.country_id = own_country OR m.partner_id = own_partner))
      THEN coalesce(projects_said_country(own_country), projects_said_partner(own_partner))
    WHEN EXISTS (SELECT FROM partners_membership m
                 WHERE m.user_id = person AND m.role IN ('desk', 'publisher', 'administrator')) THEN '"unep"'
    ELSE (SELECT coalesce(projects_said_partner(m.partner_id), projects_said_country(m.country_id))
          FROM partners_membership m WHERE m.user_id = person ORDER BY m.role, m.id LIMIT 1) END
$$;
"""

PROJECT = """
  SELECT p.reference::text, p.state = 'published', 
    (SELECT m.reference::text FROM projects_project m WHERE m.id = p.merged_into_id AND m.state = 'published'),
    jsonb_build_array(
      p.iati_identifier, p.title, p.summary, p.language, p.status, p.instrument, p.modality, p.delivery_level, p.planned_start,
      p.planned_end, p.actual_start, p.actual_end, p.quality_score, p.is_illustrative, p.published_at, p.description, p.objectives,
      p.lessons, p.source, p.only_in_transactions, projects_provenance(p.import_run_id, p.source = 'imported'), projects_checked(p.id),
      (SELECT o.reference FROM projects_project o WHERE o.id = p.parent_id AND o.state = 'published'),
      (SELECT jsonb_agg(jsonb_build_array(l.language, l.title, l.summary, l.description, l.objectives, l.lessons) ORDER BY l.language)
       FROM projects_projecttranslation l WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(c.iso3, l.role, l.provider_order, l.share, l.note, l.reported_code, l.reported_name)
                        ORDER BY l.provider_order, l.id)
       FROM projects_projectcountry l LEFT JOIN partners_country c ON c.id = l.country_id WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(c.code, l.share, l.reported_code, l.reported_name) ORDER BY l.id)
       FROM projects_projectregion l LEFT JOIN partners_region c ON c.id = l.region_id WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(b.slug, l.role, l.is_reporting, l.reported_code, l.reported_name) ORDER BY l.role, l.id)
       FROM projects_projectpartner l LEFT JOIN partners_partner b ON b.id = l.partner_id WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(t.vocabulary, t.code, l.share, l.reported_vocabulary, l.reported_code, l.reported_name)
                        ORDER BY l.id)
       FROM projects_projectterm l LEFT JOIN projects_term t ON t.id = l.term_id WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(c.iso3, b.slug, l.kind, l.text, l.quantity, l.delivered, l.unit, l.women, l.men, l.amount,
                                          l.spent, l.currency) ORDER BY l.id)
       FROM projects_contribution l LEFT JOIN partners_country c ON c.id = l.country_id
       LEFT JOIN partners_partner b ON b.id = l.partner_id WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(l.kind, l.starts_on, l.ends_on, l.amount, l.currency, l.valued_on, l.status) ORDER BY l.starts_on, l.id)
       FROM projects_budget l WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(l.kind, l.made_on, l.amount, l.currency, l.valued_on, l.text) ORDER BY l.made_on, l.id)
       FROM projects_transaction l WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(l.kind, l.title, l.indicator, l.unit, l.baseline, l.baseline_year, l.target, l.target_on,
                                          l.actual, l.actual_on, l.women, l.men, l.comment) ORDER BY l.id)
       FROM projects_result l WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(l.name, l.latitude, l.longitude) ORDER BY l.name, l.id)
       FROM projects_location l WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(l.title, l.url, l.language, l.published_on) ORDER BY l.published_on DESC, l.id)
       FROM projects_document l WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(l.made_on, l.text) ORDER BY l.made_on DESC, l.id DESC)
       FROM projects_update l WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(o.reference, l.relation, l.reported_identifier) ORDER BY l.relation, l.id)
       FROM projects_relatedproject l LEFT JOIN projects_project o ON o.id = l.other_id AND o.state = 'published'
       WHERE l.project_id = p.id),
      (SELECT jsonb_agg(jsonb_build_array(c.iso3, b.slug, l.is_right, l.text, l.at) ORDER BY l.at, l.id)
       FROM projects_recordcheck l LEFT JOIN partners_country c ON c.id = l.country_id
       LEFT JOIN partners_partner b ON b.id = l.partner_id WHERE l.project_id = p.id),
      (SELECT jsonb_agg(n.reference ORDER BY n.reference) FROM projects_need n WHERE n.project_id = p.id AND n.published_at IS NOT NULL)
    )
  FROM projects_project p WHERE p.id = key
"""

# Private of a need: models/need.py AUDIENCE. `unlisted_at` leaves it out of the lists.
NEED = """
  SELECT n.reference::text, n.published_at IS NOT NULL, NULL::text,
    jsonb_build_array(
      n.kind, c.iso3, n.title, n.language, n.public_summary, n.state, n.state_since, n.due_on, n.is_illustrative, n.published_at,
      n.unlisted_at IS NULL, n.technology_sought, n.technology_purpose, n.maturity, n.national_plan, n.institution, n.scope, n.place,
      n.beneficiaries, n.women, n.men, n.is_for_women, n.is_for_youth, n.is_for_indigenous, n.languages, n.endorsed_on, n.expires_on,
      n.outcome, n.rating, n.lessons, projects_provenance(n.import_run_id, n.source = 'imported'),
      (SELECT m.reference FROM projects_need m WHERE m.id = n.merged_into_id),
      (SELECT o.reference FROM projects_project o WHERE o.id = n.project_id AND o.state = 'published'),
      (SELECT jsonb_agg(jsonb_build_array(t.vocabulary, t.code) ORDER BY l.id)
       FROM projects_needterm l JOIN projects_term t ON t.id = l.term_id WHERE l.need_id = n.id),
      (SELECT jsonb_agg(jsonb_build_array(l.id, l.text, t.code, l.quantity, l.unit, l.by_when,
         (SELECT jsonb_agg(jsonb_build_array(r.state <> 'expressed', to_jsonb(a) - '{id,response_id,line_id}'::text[]) ORDER BY a.id)
          FROM projects_answer a JOIN projects_response r ON r.id = a.response_id
          WHERE a.line_id = l.id AND r.state IN ('expressed', 'accepted', 'agreed', 'converted'))
       ) ORDER BY l.position, l.id)
       FROM projects_lineitem l LEFT JOIN projects_term t ON t.id = l.assistance_id WHERE l.need_id = n.id),
      (SELECT jsonb_agg(jsonb_build_array(l.step, l.side, b.iso3, p.slug, l.at) ORDER BY l.step, l.at, l.id)
       FROM projects_confirmation l LEFT JOIN partners_country b ON b.id = l.country_id
       LEFT JOIN partners_partner p ON p.id = l.partner_id WHERE l.need_id = n.id),
      (SELECT jsonb_agg(jsonb_build_array(e.at, e.action, CASE WHEN e.is_note_public THEN e.note ELSE '' END,
                                          projects_side_of(e.by_id, n.country_id, NULL)) ORDER BY e.at, e.id)
       FROM projects_event e WHERE e.need_id = n.id AND e.is_public),
      (SELECT jsonb_agg(jsonb_build_array(e.at, e.action, e.from_state = 'suggested', CASE WHEN e.is_note_public THEN e.note ELSE '' END,
           coalesce(projects_said_partner(r.partner_id), projects_said_country(r.country_id)),
           CASE WHEN e.action = 'express' OR (e.action = 'decline' AND e.from_state = 'suggested')
                     OR (e.action = 'take_back' AND e.from_state <> 'suggested') THEN NULL
                ELSE projects_side_of(e.by_id, n.country_id, NULL) END,
           (SELECT jsonb_agg(l.text ORDER BY l.position, l.id, a.id)
            FROM projects_answer a JOIN projects_lineitem l ON l.id = a.line_id WHERE a.response_id = r.id)
         ) ORDER BY e.at, e.id)
       FROM projects_response r JOIN projects_event e ON e.response_id = r.id
       WHERE r.need_id = n.id AND e.is_public AND e.action <> 'ask')
    )
  FROM projects_need n JOIN partners_country c ON c.id = n.country_id WHERE n.id = key
"""

# Private of an offer: models/offer.py AUDIENCE.
OFFER = """
  SELECT o.reference::text, o.published_at IS NOT NULL AND o.state IN ('active', 'paused', 'expired', 'withdrawn'), NULL::text,
    jsonb_build_array(
      o.kind, b.slug, c.iso3, o.title, o.language, o.summary, o.state, o.state_since, o.expires_on, o.deadline, o.is_illustrative,
      o.published_at, o.description, o.languages, o.available_from, o.available_until, o.how_to_apply, o.website, o.maturity,
      o.past_cooperation, o.evidence, projects_provenance(o.import_run_id, o.source = 'imported'),
      (SELECT p.reference FROM projects_project p WHERE p.id = o.project_id AND p.state = 'published'),
      (SELECT jsonb_agg(jsonb_build_array(t.vocabulary, t.code) ORDER BY l.id)
       FROM projects_offerterm l JOIN projects_term t ON t.id = l.term_id WHERE l.offer_id = o.id),
      (SELECT jsonb_agg(jsonb_build_array(l.id, l.text, t.code, l.cost, l.quantity, l.unit, l.note) ORDER BY l.position, l.id)
       FROM projects_offerline l LEFT JOIN projects_term t ON t.id = l.assistance_id WHERE l.offer_id = o.id),
      (SELECT jsonb_agg(coalesce(lc.iso3, g.code, r.code) ORDER BY l.id)
       FROM projects_eligible l LEFT JOIN partners_country lc ON lc.id = l.country_id
       LEFT JOIN partners_countrygroup g ON g.id = l.group_id LEFT JOIN partners_region r ON r.id = l.region_id
       WHERE l.offer_id = o.id),
      (SELECT jsonb_agg(jsonb_build_array(e.at, e.action, CASE WHEN e.is_note_public THEN e.note ELSE '' END,
                                          projects_side_of(e.by_id, o.country_id, o.partner_id)) ORDER BY e.at, e.id)
       FROM projects_event e WHERE e.offer_id = o.id AND e.is_public)
    )
  FROM projects_offer o LEFT JOIN partners_partner b ON b.id = o.partner_id LEFT JOIN partners_country c ON c.id = o.country_id
  WHERE o.id = key
"""

COUNTRY = """
  SELECT c.iso3::text, true, NULL::text,
    jsonb_build_array(projects_said_country(c.id), c.iso2, c.m49, c.formal_name, r.code, c.is_un_member, c.latitude, c.longitude,
      projects_provenance(c.import_run_id, false),
      (SELECT jsonb_agg(g.code ORDER BY g.code) FROM partners_groupmember m JOIN partners_countrygroup g ON g.id = m.group_id
       WHERE m.country_id = c.id AND m.standing = 'member'))
  FROM partners_country c LEFT JOIN partners_region r ON r.id = c.region_id WHERE c.id = key
"""

PARTNER = """
  SELECT p.slug::text, true, NULL::text,
    jsonb_build_array(projects_said_partner(p.id), p.kind, p.iati_identifier, c.iso3, o.slug, p.website, p.offers,
      p.verified_at IS NOT NULL, p.is_illustrative, projects_provenance(p.import_run_id, p.is_from_import),
      (SELECT jsonb_agg(m.iso3 ORDER BY m.iso3) FROM partners_partnercountry l JOIN partners_country m ON m.id = l.country_id
       WHERE l.partner_id = p.id))
  FROM partners_partner p LEFT JOIN partners_country c ON c.id = p.country_id LEFT JOIN partners_partner o ON o.id = p.parent_id
  WHERE p.id = key
"""

TERM = """
  SELECT t.vocabulary || ':' || t.code, true, NULL::text,
    jsonb_build_array(t.name_ar, t.name_zh_hans, t.name_en, t.name_fr, t.name_ru, t.name_es, o.vocabulary, o.code, s.code, t.source,
      t.is_verified, t.is_withdrawn)
  FROM projects_term t LEFT JOIN projects_term o ON o.id = t.parent_id LEFT JOIN projects_term s ON s.id = t.default_crs_id
  WHERE t.id = key
"""

REGION = """
  SELECT r.code::text, true, NULL::text,
    jsonb_build_array(r.name_ar, r.name_zh_hans, r.name_en, r.name_fr, r.name_ru, r.name_es, o.code)
  FROM partners_region r LEFT JOIN partners_region o ON o.id = r.parent_id WHERE r.id = key
"""

GROUP = """
  SELECT g.code::text, true, NULL::text,
    jsonb_build_array(g.acronym, g.name_ar, g.name_zh_hans, g.name_en, g.name_fr, g.name_ru, g.name_es, g.kind, g.source, g.as_of,
      g.is_verified,
      (SELECT jsonb_agg(c.iso3 ORDER BY c.iso3) FROM partners_groupmember m JOIN partners_country c ON c.id = m.country_id
       WHERE m.group_id = g.id AND m.standing = 'member'))
  FROM partners_countrygroup g WHERE g.id = key
"""

KINDS = {
    "project": PROJECT, "need": NEED, "offer": OFFER, "country": COUNTRY, "partner": PARTNER, "term": TERM, "region": REGION,
    "group": GROUP,
}  # fmt: skip

# No row where there is no such record. In PL/pgSQL a statement is planned once for each connection.
ANSWER = """
CREATE FUNCTION projects_public_answer(kind text, key bigint)
RETURNS TABLE (reference text, is_public boolean, merged_into text, answer jsonb)
LANGUAGE plpgsql STABLE SET timezone = 'UTC' SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  CASE projects_public_answer.kind
{}
  END CASE;
END $$;
""".format("\n".join(f"  WHEN '{kind}' THEN RETURN QUERY {query};" for kind, query in KINDS.items()))

# Called once, last of all, when a transaction commits (partners/models/change.py). The lock is held until the commit is done, so
# whoever reads a number reads all lower ones; what others committed before is seen, since each statement looks anew.
TELL = """
CREATE FUNCTION projects_tell_changes() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  one record;
  number bigint;
  moment timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('projects_tell_changes', 0));
  moment := greatest(clock_timestamp(), (SELECT c.at FROM partners_change c ORDER BY c.sequence DESC LIMIT 1));
  FOR one IN
    SELECT t.kind, t.record, t.what, t.is_quiet, coalesce(a.is_public, false) AS is_public, a.reference, a.merged_into,
      sha256(convert_to(a.answer::text, 'UTF8')) AS digest, k.id AS known, k.reference AS was_called, k.is_gone AS was_gone,
      k.digest AS was
    FROM (
      SELECT kind, record, bool_and(is_quiet) AS is_quiet, max(id) AS place,
        coalesce((array_agg(what ORDER BY id DESC) FILTER (WHERE what <> 'changed'))[1], 'changed') AS what
      FROM partners_touched WHERE NOT is_last GROUP BY kind, record
    ) t
    LEFT JOIN LATERAL projects_public_answer(t.kind, t.record) a ON true
    LEFT JOIN partners_publicrecord k ON k.kind = t.kind AND k.record = t.record
    ORDER BY t.place
  LOOP
    IF one.is_public THEN
      CONTINUE WHEN NOT one.was_gone AND one.was = one.digest AND one.was_called = one.reference;
      IF NOT one.was_gone AND one.was_called <> one.reference THEN  -- a copy knows it by its reference
        INSERT INTO partners_change (kind, record, reference, what, is_gone, merged_into, is_quiet, at)
        VALUES (one.kind, one.record, one.was_called, 'renamed', true, one.reference, one.is_quiet, moment);
      END IF;
    ELSE
      CONTINUE WHEN one.known IS NULL OR one.was_gone;
    END IF;
    INSERT INTO partners_change (kind, record, reference, what, is_gone, merged_into, is_quiet, at)
    VALUES (
      one.kind, one.record, CASE WHEN one.is_public THEN one.reference ELSE one.was_called END,
      CASE WHEN one.what <> 'changed' THEN one.what WHEN one.reference IS NULL THEN 'deleted'
           WHEN NOT one.is_public AND one.merged_into IS NOT NULL THEN 'merge'
           WHEN one.is_public AND one.was_gone IS NOT FALSE THEN 'added' ELSE 'changed' END,
      NOT one.is_public, coalesce(one.merged_into, ''), one.is_quiet, moment
    ) RETURNING sequence INTO number;
    INSERT INTO partners_publicrecord AS k (kind, record, reference, digest, is_gone, sequence, changed_at)
    VALUES (one.kind, one.record, coalesce(one.reference, one.was_called), coalesce(one.digest, ''), NOT one.is_public, number, moment)
    ON CONFLICT (kind, record) DO UPDATE SET
      reference = excluded.reference, digest = excluded.digest, is_gone = excluded.is_gone, sequence = excluded.sequence,
      changed_at = excluded.changed_at;
  END LOOP;
  DELETE FROM partners_touched;  -- of this transaction: nobody sees those of others
  PERFORM set_config('portal.is_told_last', '', true);
END $$;
"""

# Carried out by the migration that brings the last of the columns named above (0007).
# What is public already, in the order of its last change as it was known until now, so that cursors go on where they stood.
FILL = """
INSERT INTO partners_touched (kind, record, what, is_quiet, is_last)
  SELECT 'region', id, 'changed', true, false FROM partners_region ORDER BY id;
INSERT INTO partners_touched (kind, record, what, is_quiet, is_last)
  SELECT 'group', id, 'changed', true, false FROM partners_countrygroup ORDER BY id;
INSERT INTO partners_touched (kind, record, what, is_quiet, is_last)
  SELECT 'country', id, 'changed', true, false FROM partners_country ORDER BY id;
INSERT INTO partners_touched (kind, record, what, is_quiet, is_last)
  SELECT 'partner', id, 'changed', true, false FROM partners_partner ORDER BY id;
INSERT INTO partners_touched (kind, record, what, is_quiet, is_last)
  SELECT 'term', id, 'changed', true, false FROM projects_term ORDER BY id;
INSERT INTO partners_touched (kind, record, what, is_quiet, is_last)
  SELECT kind, id, 'changed', true, false FROM (
    SELECT 'project', id, modified_at FROM projects_project UNION ALL
    SELECT 'need', id, modified_at FROM projects_need UNION ALL
    SELECT 'offer', id, modified_at FROM projects_offer
  ) AS known(kind, id, modified_at) ORDER BY modified_at, id;
SELECT projects_tell_changes();
UPDATE partners_publicrecord k SET changed_at = known.modified_at FROM (
    SELECT 'project', id, modified_at FROM projects_project UNION ALL
    SELECT 'need', id, modified_at FROM projects_need UNION ALL
    SELECT 'offer', id, modified_at FROM projects_offer
  ) AS known(kind, id, modified_at) WHERE known.kind = k.kind AND known.id = k.record
  AND NOT EXISTS (SELECT FROM projects_feedposition WHERE reader = 'webhooks');
"""

NOW_KNOWN = """
INSERT INTO projects_feedposition (reader, sequence) SELECT 'webhooks', coalesce(max(sequence), 0) FROM partners_change
ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0005_as_it_came"), ("partners", "0004_change_feed")]
    operations = [
        migrations.CreateModel(
            name="FeedPosition",
            fields=[
                ("reader", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "position in the change feed",
                "verbose_name_plural": "positions in the change feed",
            },
        ),
        migrations.RunSQL(
            SAID,
            "DROP FUNCTION projects_side_of(bigint, bigint, bigint); DROP FUNCTION projects_said_partner(bigint);"
            "DROP FUNCTION projects_said_country(bigint);",
        ),
        migrations.RunSQL(ANSWER, "DROP FUNCTION projects_public_answer(text, bigint)"),
        migrations.RunSQL(TELL, "DROP FUNCTION projects_tell_changes()"),
    ]
