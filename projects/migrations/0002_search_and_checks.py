"""SQL functions behind the triggers: the search entry of a project, and the rules that span several rows."""

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

# `search.deferred()` sets portal.search_deferred while one record is written in many statements.
REFRESH = """
CREATE FUNCTION projects_refresh_search(ids bigint[]) RETURNS void LANGUAGE sql AS $$
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
    ) x
  ) f ON true
  WHERE p.id = ANY(ids) AND current_setting('portal.search_deferred', true) IS DISTINCT FROM 'on'
  ON CONFLICT (project_id) DO UPDATE SET
    is_public = excluded.is_public, vector = excluded.vector, facets = excluded.facets, quality = excluded.quality,
    sort_title = excluded.sort_title, starts_on = excluded.starts_on, published_at = excluded.published_at,
    modified_at = excluded.modified_at
$$;
"""

# A change of a country's region or groups changes the facets of its projects.
PLACES = """
CREATE FUNCTION projects_refresh_after_places() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM projects_refresh_search(ARRAY(
    SELECT l.project_id FROM projects_projectcountry l WHERE l.country_id = ANY(
      CASE WHEN TG_TABLE_NAME = 'partners_country' THEN ARRAY[NEW.id]
           WHEN TG_OP = 'INSERT' THEN ARRAY[NEW.country_id]
           WHEN TG_OP = 'DELETE' THEN ARRAY[OLD.country_id]
           ELSE ARRAY[OLD.country_id, NEW.country_id] END)));
  RETURN NULL;
END $$;
CREATE TRIGGER projects_refresh_search AFTER INSERT OR UPDATE OR DELETE ON partners_groupmember
  FOR EACH ROW EXECUTE FUNCTION projects_refresh_after_places();
CREATE TRIGGER projects_refresh_search AFTER UPDATE OF region_id ON partners_country
  FOR EACH ROW WHEN (OLD.region_id IS DISTINCT FROM NEW.region_id) EXECUTE FUNCTION projects_refresh_after_places();
"""

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
    dependencies = [("projects", "0001_initial"), ("partners", "0002_fold")]
    operations = [
        migrations.RunSQL(
            CONFIG,
            'DROP AGGREGATE projects_join_words(tsvector); DROP FUNCTION projects_words(text, text, "char");'
            "DROP FUNCTION projects_config(text);",
        ),
        migrations.RunSQL(REFRESH, "DROP FUNCTION projects_refresh_search(bigint[])"),
        migrations.RunSQL(
            PLACES,
            "DROP TRIGGER projects_refresh_search ON partners_groupmember;"
            "DROP TRIGGER projects_refresh_search ON partners_country; DROP FUNCTION projects_refresh_after_places()",
        ),
        migrations.RunSQL(COUNTRIES, "DROP FUNCTION projects_check_countries(bigint)"),
    ]
