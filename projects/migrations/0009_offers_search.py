"""The search entries of offers."""

from importlib import import_module

from django.db import migrations

# Only texts that everybody may read (models/offer.py AUDIENCE): a search must not tell what a page hides.
OFFERS = """
CREATE FUNCTION projects_refresh_offers(ids bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO projects_offerentry AS entry
    (offer_id, is_public, vector, facets, sort_title, ends_on, published_at, modified_at)
  SELECT o.id,
    o.published_at IS NOT NULL AND o.state IN ('active', 'paused'),
    projects_words(o.language, o.title, 'A')
      || projects_words('simple', o.reference, 'A')
      || projects_words(o.language, o.summary, 'B')
      || projects_words(o.language, lines.words, 'B')
      || projects_words('en', coalesce(c.name_en, '') || ' ' || coalesce(b.name_en || ' ' || b.acronym, '') || ' ' || names.words, 'B')
      || projects_words(o.language, o.description || ' ' || o.past_cooperation || ' ' || o.evidence, 'C'),
    coalesce(f.facets, '{}'),
    left(fold(o.title), 80),
    o.expires_on,
    o.published_at,
    o.modified_at
  FROM projects_offer o
  LEFT JOIN partners_partner b ON b.id = o.partner_id
  LEFT JOIN partners_country c ON c.id = coalesce(o.country_id, b.country_id)
  LEFT JOIN LATERAL (
    SELECT coalesce(string_agg(l.text, ' '), '') AS words FROM projects_offerline l WHERE l.offer_id = o.id
  ) lines ON true
  LEFT JOIN LATERAL (
    SELECT coalesce(string_agg(t.name_en, ' '), '') AS words
    FROM projects_offerterm l JOIN projects_term t ON t.id = l.term_id WHERE l.offer_id = o.id
  ) names ON true
  LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT x.facet) AS facets FROM (
      SELECT (c.id * 16)::int AS facet WHERE c.id IS NOT NULL
      UNION ALL
      SELECT (u.region_id * 16 + 3)::int FROM partners_region r1
        LEFT JOIN partners_region r2 ON r2.id = r1.parent_id
        LEFT JOIN partners_region r3 ON r3.id = r2.parent_id
        LEFT JOIN partners_region r4 ON r4.id = r3.parent_id
        CROSS JOIN LATERAL unnest(ARRAY[r1.id, r2.id, r3.id, r4.id]) AS u(region_id)
        WHERE r1.id = c.region_id AND u.region_id IS NOT NULL
      UNION ALL
      SELECT (m.group_id * 16 + 4)::int FROM partners_groupmember m
        WHERE m.country_id = c.id AND m.standing = 'member'
      UNION ALL
      SELECT (e.country_id * 16 + 2)::int FROM projects_eligible e
        WHERE e.offer_id = o.id AND e.country_id IS NOT NULL
      UNION ALL
      SELECT (m.country_id * 16 + 2)::int FROM projects_eligible e
        JOIN partners_groupmember m ON m.group_id = e.group_id AND m.standing = 'member' WHERE e.offer_id = o.id
      UNION ALL
      SELECT (k.id * 16 + 2)::int FROM projects_eligible e
        JOIN partners_country k ON true
        JOIN partners_region r1 ON r1.id = k.region_id
        LEFT JOIN partners_region r2 ON r2.id = r1.parent_id
        LEFT JOIN partners_region r3 ON r3.id = r2.parent_id
        WHERE e.offer_id = o.id AND e.region_id IN (r1.id, r2.id, r3.id, r3.parent_id)
      UNION ALL
      SELECT 2 WHERE NOT EXISTS (SELECT FROM projects_eligible e WHERE e.offer_id = o.id)
      UNION ALL
      SELECT (u.term_id * 16 + 5)::int FROM (
          SELECT l.term_id FROM projects_offerterm l WHERE l.offer_id = o.id
          UNION SELECT l.assistance_id FROM projects_offerline l WHERE l.offer_id = o.id
        ) own JOIN projects_term t1 ON t1.id = own.term_id
        CROSS JOIN LATERAL unnest(ARRAY[t1.id, t1.parent_id]) AS u(term_id) WHERE u.term_id IS NOT NULL
      UNION ALL
      SELECT (o.partner_id * 16 + 6)::int WHERE o.partner_id IS NOT NULL
      UNION ALL
      SELECT (array_position(ARRAY['expertise', 'training', 'technology', 'experience', 'funding'], o.kind::text) - 1) * 16 + 13
      UNION ALL
      SELECT (array_position(ARRAY['draft', 'submitted', 'verified', 'active', 'paused', 'expired', 'withdrawn'],
        o.state::text) - 1) * 16 + 14
      UNION ALL
      SELECT (array_position(ARRAY['free', 'cost'], l.cost::text) - 1) * 16 + 15
        FROM projects_offerline l WHERE l.offer_id = o.id
    ) x
  ) f ON true
  WHERE o.id = ANY(ids)
  ON CONFLICT (offer_id) DO UPDATE SET
    is_public = excluded.is_public, vector = excluded.vector, facets = excluded.facets,
    sort_title = excluded.sort_title, ends_on = excluded.ends_on, published_at = excluded.published_at,
    modified_at = excluded.modified_at
$$;
"""

# A change of a country's region or groups changes where an offer comes from and who can have it.
PLACES = import_module("projects.migrations.0007_places").PLACES.format(
    function="projects_refresh_offers_after_places",
    rows="""
      SELECT o.id FROM projects_offer o LEFT JOIN partners_partner b ON b.id = o.partner_id
        WHERE coalesce(o.country_id, b.country_id) = ANY(places)
      UNION SELECT e.offer_id FROM projects_eligible e
        WHERE CASE TG_TABLE_NAME WHEN 'partners_country' THEN e.region_id IS NOT NULL
              ELSE e.group_id::text IN (to_jsonb(OLD) ->> 'group_id', to_jsonb(NEW) ->> 'group_id') END""",
    refresh="projects_refresh_offers",
)
TRIGGERS = """
CREATE TRIGGER projects_refresh_offers AFTER INSERT OR UPDATE OR DELETE ON partners_groupmember
  FOR EACH ROW EXECUTE FUNCTION projects_refresh_offers_after_places();
CREATE TRIGGER projects_refresh_offers AFTER UPDATE OF region_id ON partners_country
  FOR EACH ROW WHEN (OLD.region_id IS DISTINCT FROM NEW.region_id) EXECUTE FUNCTION projects_refresh_offers_after_places();
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0008_offers")]
    operations = [
        migrations.RunSQL(OFFERS, "DROP FUNCTION projects_refresh_offers(bigint[])"),
        migrations.RunSQL(
            PLACES + TRIGGERS,
            "DROP TRIGGER projects_refresh_offers ON partners_groupmember;"
            "DROP TRIGGER projects_refresh_offers ON partners_country; DROP FUNCTION projects_refresh_offers_after_places()",
        ),
    ]
