"""SQL functions behind the triggers: the search entries of projects, needs and offers, and the rules that span several rows."""

from django.db import migrations

CONFIG = """
CREATE FUNCTION projects_config(language text) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE split_part(language, '-', 1)
    WHEN 'en' THEN 'english' WHEN 'fr' THEN 'french' WHEN 'es' THEN 'spanish' WHEN 'ru' THEN 'russian'
    WHEN 'ar' THEN 'arabic' WHEN 'pt' THEN 'portuguese' WHEN 'de' THEN 'german' WHEN 'it' THEN 'italian'
    WHEN 'nl' THEN 'dutch' WHEN 'sv' THEN 'swedish' WHEN 'no' THEN 'norwegian' WHEN 'da' THEN 'danish'
    WHEN 'fi' THEN 'finnish' ELSE 'simple' END::regconfig
$$;
CREATE FUNCTION projects_words(language text, value text, weight "char") RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT setweight(to_tsvector(projects_config(language), fold(value)), weight)
$$;
CREATE AGGREGATE projects_join_words(tsvector) (SFUNC = tsvector_concat, STYPE = tsvector, INITCOND = '');
"""

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

# Planning such a statement takes five times as long as running it for one record. In PL/pgSQL it is planned once for each
# connection, whatever the keys. `search.deferred()` sets portal.search_deferred while one record is written in many statements.
PROJECTS = """
CREATE FUNCTION projects_refresh_search(ids bigint[]) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  IF current_setting('portal.search_deferred', true) = 'on' THEN RETURN; END IF;
  INSERT INTO projects_searchentry AS entry
    (project_id, is_public, vector, facets, quality, sort_title, starts_on, published_at, modified_at)
  SELECT p.id,
    p.state = 'published',
    projects_words(p.language, p.title, 'A')
      || projects_words('simple', p.reference || ' ' || coalesce(p.iati_identifier, ''), 'A')
      || projects_words(p.language, p.summary, 'B')
      || projects_words(p.language, p.description, 'C')
      || projects_words(p.language, p.objectives || ' ' || p.lessons, 'D')
      || coalesce(texts.words, '') || projects_words('en', names.all_names, 'B'),
    coalesce(f.facets, '{}'),
    p.quality_score,
    left(fold(p.title), 80),
    coalesce(p.actual_start, p.planned_start),
    p.published_at,
    p.modified_at
  FROM projects_project p
  LEFT JOIN LATERAL (
    SELECT projects_join_words(projects_words(t.language, t.title, 'A') || projects_words(t.language, t.summary, 'B')
      || projects_words(t.language, t.description, 'C') || projects_words(t.language, t.objectives || ' ' || t.lessons, 'D')) AS words
    FROM projects_projecttranslation t WHERE t.project_id = p.id
  ) texts ON true
  LEFT JOIN LATERAL (
    SELECT coalesce(string_agg(n.name, ' '), '') AS all_names FROM (
      SELECT coalesce(c.name_en, l.reported_name) AS name
        FROM projects_projectcountry l LEFT JOIN partners_country c ON c.id = l.country_id WHERE l.project_id = p.id
      UNION ALL
      SELECT coalesce(o.name_en || ' ' || o.acronym, l.reported_name)
        FROM projects_projectpartner l LEFT JOIN partners_partner o ON o.id = l.partner_id WHERE l.project_id = p.id
      UNION ALL
      SELECT coalesce(t.name_en, l.reported_name)
        FROM projects_projectterm l LEFT JOIN projects_term t ON t.id = l.term_id WHERE l.project_id = p.id
    ) n
  ) names ON true
  LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT x.facet) AS facets FROM (
      SELECT (l.country_id * 16)::int AS facet FROM projects_projectcountry l
        WHERE l.project_id = p.id AND l.country_id IS NOT NULL
      UNION ALL
      SELECT (l.country_id * 16 + 1)::int FROM projects_projectcountry l
        WHERE l.project_id = p.id AND l.country_id IS NOT NULL AND l.role IN ('provider', 'both')
      UNION ALL
      SELECT (l.country_id * 16 + 2)::int FROM projects_projectcountry l
        WHERE l.project_id = p.id AND l.country_id IS NOT NULL AND l.role IN ('recipient', 'both')
      UNION ALL
      SELECT (u.region_id * 16 + 3)::int FROM (
          SELECT c.region_id FROM projects_projectcountry l JOIN partners_country c ON c.id = l.country_id
            WHERE l.project_id = p.id
          UNION SELECT l.region_id FROM projects_projectregion l WHERE l.project_id = p.id
        ) own
        JOIN partners_region r1 ON r1.id = own.region_id
        LEFT JOIN partners_region r2 ON r2.id = r1.parent_id
        LEFT JOIN partners_region r3 ON r3.id = r2.parent_id
        LEFT JOIN partners_region r4 ON r4.id = r3.parent_id
        CROSS JOIN LATERAL unnest(ARRAY[r1.id, r2.id, r3.id, r4.id]) AS u(region_id)
        WHERE u.region_id IS NOT NULL
      UNION ALL
      SELECT (m.group_id * 16 + 4)::int FROM projects_projectcountry l
        JOIN partners_groupmember m ON m.country_id = l.country_id AND m.standing = 'member'
        WHERE l.project_id = p.id
      UNION ALL
      SELECT (u.term_id * 16 + 5)::int FROM projects_projectterm l
        JOIN projects_term t1 ON t1.id = l.term_id
        LEFT JOIN projects_term t2 ON t2.id = t1.parent_id
        CROSS JOIN LATERAL unnest(ARRAY[t1.id, t2.id]) AS u(term_id)
        WHERE l.project_id = p.id AND u.term_id IS NOT NULL
      UNION ALL
      SELECT (l.partner_id * 16 + 6)::int FROM projects_projectpartner l
        WHERE l.project_id = p.id AND l.partner_id IS NOT NULL
      UNION ALL
      SELECT (array_position(ARRAY['bilateral', 'triangular', 'regional', 'multilateral', ''], p.modality::text) - 1) * 16 + 7
      UNION ALL
      SELECT coalesce(nullif(p.status, ''), '0')::int * 16 + 8
      UNION ALL
      SELECT y * 16 + 9 FROM generate_series(
        extract(year FROM coalesce(p.actual_start, p.planned_start))::int,
        least(extract(year FROM coalesce(p.actual_end, p.planned_end, p.actual_start, p.planned_start))::int,
              extract(year FROM coalesce(p.actual_start, p.planned_start))::int + 60)) y
      UNION ALL
      SELECT (array_position(ARRAY['programme', 'project', 'action'], p.instrument::text) - 1) * 16 + 10
      UNION ALL
      SELECT (array_position(ARRAY['national', 'subregional', 'regional', 'global', ''], p.delivery_level::text) - 1) * 16 + 11
      UNION ALL
      SELECT extract(year FROM coalesce(p.actual_start, p.planned_start))::int * 160
        + coalesce(nullif(p.status, ''), '0')::int * 16 + 12
        WHERE coalesce(p.actual_start, p.planned_start) IS NOT NULL
      UNION ALL
      SELECT projects_checked(p.id) * 16 + 14
      UNION ALL
      SELECT 3 * 16 + 14 WHERE EXISTS (SELECT FROM projects_recordcheck k WHERE k.project_id = p.id AND NOT k.is_right)
    ) x
  ) f ON true
  WHERE p.id = ANY(ids)
  ON CONFLICT (project_id) DO UPDATE SET
    is_public = excluded.is_public, vector = excluded.vector, facets = excluded.facets, quality = excluded.quality,
    sort_title = excluded.sort_title, starts_on = excluded.starts_on, published_at = excluded.published_at,
    modified_at = excluded.modified_at;
END $$;
"""

# Only texts that everybody may read (models/need.py AUDIENCE): a search must not tell what a page hides. Needs of which
# nothing was heard for long are left out of lists and the search; their pages stay.
NEEDS = """
CREATE FUNCTION projects_refresh_needs(ids bigint[]) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  INSERT INTO projects_needentry AS entry
    (need_id, is_public, vector, facets, sort_title, due_on, is_answered, published_at, modified_at)
  SELECT n.id,
    n.published_at IS NOT NULL AND n.unlisted_at IS NULL,
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
    published_at = excluded.published_at, modified_at = excluded.modified_at;
END $$;
"""

# Only texts that everybody may read (models/offer.py AUDIENCE).
OFFERS = """
CREATE FUNCTION projects_refresh_offers(ids bigint[]) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
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
    modified_at = excluded.modified_at;
END $$;
"""

# A change of a country's region or groups changes the facets of its records, and who can have an offer.
# `places`: keys of the countries concerned, whichever of the two tables has changed.
PLACES = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER {refresh} AFTER INSERT OR UPDATE OR DELETE ON partners_groupmember
  FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE TRIGGER {refresh} AFTER UPDATE OF region_id ON partners_country
  FOR EACH ROW WHEN (OLD.region_id IS DISTINCT FROM NEW.region_id) EXECUTE FUNCTION {function}();
"""
AFTER_PLACES = [  # the function that refreshes, its trigger's function, and which records change with a country
    (
        "projects_refresh_search",
        "projects_refresh_after_places",
        "SELECT l.project_id FROM projects_projectcountry l WHERE l.country_id = ANY(places)",
    ),
    (
        "projects_refresh_needs",
        "projects_refresh_needs_after_places",
        "SELECT n.id FROM projects_need n WHERE n.country_id = ANY(places)",
    ),
    (
        "projects_refresh_offers",
        "projects_refresh_offers_after_places",
        """
      SELECT o.id FROM projects_offer o LEFT JOIN partners_partner b ON b.id = o.partner_id
        WHERE coalesce(o.country_id, b.country_id) = ANY(places)
      UNION SELECT e.offer_id FROM projects_eligible e
        WHERE CASE TG_TABLE_NAME WHEN 'partners_country' THEN e.region_id IS NOT NULL
              ELSE e.group_id::text IN (to_jsonb(OLD) ->> 'group_id', to_jsonb(NEW) ->> 'group_id') END""",
    ),
]

# The rule of models/parts.py `misfit_of_countries`, for writers that pass no form.
COUNTRIES = """
CREATE FUNCTION projects_check_countries(project bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  found record;
BEGIN
  SELECT p.modality,
    count(l.provider_order) AS ordered,
    count(*) FILTER (WHERE l.provider_order = 1) AS firsts,
    count(*) FILTER (WHERE l.provider_order = 2) AS seconds,
    coalesce(sum(l.share), 0) + coalesce((SELECT sum(r.share) FROM projects_projectregion r WHERE r.project_id = p.id), 0) AS shares
  INTO found
  FROM projects_project p LEFT JOIN projects_projectcountry l ON l.project_id = p.id
  WHERE p.id = project GROUP BY p.id;
  IF found.ordered > 0 AND found.modality <> 'triangular' THEN
    RAISE EXCEPTION 'First and second provider exist in triangular cooperation only (project %)', project
      USING ERRCODE = 'check_violation', CONSTRAINT = 'roles_fit_modality';
  ELSIF found.firsts > 1 OR (found.seconds > 0 AND found.firsts = 0) THEN
    RAISE EXCEPTION 'A triangular project has one first provider (project %)', project
      USING ERRCODE = 'check_violation', CONSTRAINT = 'roles_fit_modality';
  ELSIF found.shares > 100 THEN
    RAISE EXCEPTION 'Shares of countries and regions add up to % %%, more than 100 (project %)', found.shares, project
      USING ERRCODE = 'check_violation', CONSTRAINT = 'shares_at_most_100';
  END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0001_tables"), ("partners", "0002_fold")]
    replaces = [
        ("projects", "0004_needs_search"),
        ("projects", "0007_places"),
        ("projects", "0009_offers_search"),
        ("projects", "0012_checked"),
    ]
    operations = [
        migrations.RunSQL(
            CONFIG,
            'DROP AGGREGATE projects_join_words(tsvector); DROP FUNCTION projects_words(text, text, "char");'
            "DROP FUNCTION projects_config(text);",
        ),
        migrations.RunSQL(CHECKED, "DROP FUNCTION projects_checked(bigint)"),
        migrations.RunSQL(PROJECTS, "DROP FUNCTION projects_refresh_search(bigint[])"),
        migrations.RunSQL(NEEDS, "DROP FUNCTION projects_refresh_needs(bigint[])"),
        migrations.RunSQL(OFFERS, "DROP FUNCTION projects_refresh_offers(bigint[])"),
        *(
            migrations.RunSQL(
                PLACES.format(refresh=refresh, function=function, rows=rows),
                f"DROP TRIGGER {refresh} ON partners_groupmember; DROP TRIGGER {refresh} ON partners_country;"
                f"DROP FUNCTION {function}()",
            )
            for refresh, function, rows in AFTER_PLACES
        ),
        migrations.RunSQL(COUNTRIES, "DROP FUNCTION projects_check_countries(bigint)"),
    ]
