"""Makes many projects for measurements. Seeded: the same seed gives the same records."""

import random

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from partners.models import Country, Partner, User
from projects import search
from projects.models import Project, Term

BATCH = 10_000
PREFIX = "P-0000-"  # a year in which nothing was entered: generated references meet no real ones
WORDS = [
    "water",
    "forest",
    "soil",
    "coast",
    "river",
    "mangrove",
    "wetland",
    "solar",
    "energy",
    "waste",
    "plastic",
    "air",
    "health",
    "farmer",
    "fisher",
    "village",
    "city",
    "school",
    "law",
    "data",
    "training",
    "expert",
    "monitoring",
    "warning",
    "flood",
    "drought",
    "fire",
    "seed",
    "pasture",
    "reef",
    "island",
    "mountain",
    "glacier",
    "market",
    "policy",
    "border",
    "women",
    "youth",
]
RARE = ("nudibranch", "zeolite", "qanat")

PROJECTS = """
INSERT INTO projects_project (reference, iati_identifier, language, title, summary, description, objectives, lessons, status, state,
  instrument, modality, delivery_level, planned_start, planned_end, default_currency, is_illustrative, source, quality_score,
  published_at, published_by_id, created_at, modified_at)
SELECT 'P-0000-' || lpad(n::text, 7, '0'), NULL, 'en', words[1 + (n * 7) %% 997] || ' for ' || words[1 + (n * 13) %% 991], words[1 + (n * 3) %% 983] || '.',
  words[1 + (n * 11) %% 977] || '. ' || words[1 + (n * 17) %% 971] || '. ' || words[1 + (n * 19) %% 967] || '.', '', '',
  (1 + n %% 4)::text, CASE WHEN n %% 50 = 0 THEN 'draft' ELSE 'published' END, 'project',
  (ARRAY['bilateral', 'regional', 'multilateral', ''])[1 + n %% 4], (ARRAY['national', 'regional', 'global', ''])[1 + (n / 4) %% 4],
  date '2012-01-01' + (n * 37 %% 4700)::int, date '2012-01-01' + (n * 37 %% 4700 + 365 + n %% 900)::int, 'USD', true, 'entered', n %% 101,
  CASE WHEN n %% 50 = 0 THEN NULL ELSE timestamptz '2020-01-01' + n * interval '1 minute' END,
  CASE WHEN n %% 50 = 0 THEN NULL ELSE %(user)s END, timestamptz '2020-01-01' + n * interval '1 minute', timestamptz '2020-01-01' + n * interval '1 minute'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n, (SELECT %(words)s::text[] AS words) w
"""
# Skewed as in life: a few countries, partners and terms have most projects (the square of a uniform number).
LINKS = """
INSERT INTO projects_projectcountry (project_id, country_id, role, reported_code, reported_name, note)
SELECT DISTINCT ON (id, country) id, country, (ARRAY['provider', 'recipient', 'both'])[1 + (id + k) %% 3], '', '', '' FROM (
  SELECT p.id, k, (%(countries)s::bigint[])[1 + floor(power(((p.id * 7919 + k * 104729) %% 10007) / 10007.0, 2) * array_length(%(countries)s::bigint[], 1))::int] AS country
  FROM projects_project p, generate_series(1, 3) k WHERE p.id BETWEEN %(low)s AND %(high)s) x;
INSERT INTO projects_projectpartner (project_id, partner_id, role, is_reporting, reported_code, reported_name)
SELECT p.id, (%(partners)s::bigint[])[1 + floor(power(((p.id * 31 + 17) %% 1009) / 1009.0, 2) * array_length(%(partners)s::bigint[], 1))::int], '4', false, '', ''
FROM projects_project p WHERE p.id BETWEEN %(low)s AND %(high)s;
INSERT INTO projects_projectterm (project_id, term_id, reported_code, reported_name, reported_vocabulary)
SELECT DISTINCT ON (id, term) id, term, '', '', '' FROM (
  SELECT p.id, (%(terms)s::bigint[])[1 + floor(power(((p.id * 131 + k * 7907) %% 4999) / 4999.0, 2) * array_length(%(terms)s::bigint[], 1))::int] AS term
  FROM projects_project p, generate_series(1, 3) k WHERE p.id BETWEEN %(low)s AND %(high)s) x;
INSERT INTO projects_contribution (project_id, country_id, kind, text, quantity, delivered, unit)
SELECT l.project_id, l.country_id, 'D011', 'experts', 40, l.project_id %% 41, 'expert-days'
FROM projects_projectcountry l WHERE l.project_id BETWEEN %(low)s AND %(high)s AND l.role <> 'recipient';
"""


class Command(BaseCommand):
    help = "Makes illustrative projects in bulk, with realistic skew, for measurements on a throw-away database."

    def add_arguments(self, parser):
        parser.add_argument("--projects", type=int, required=True, metavar="N")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args, projects, seed, verbosity=1, **options):
        if not 1 <= projects <= 5_000_000:
            raise CommandError("--projects takes a number between 1 and 5 000 000.")
        rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
        phrases = [" ".join(rng.choices(WORDS, weights=range(len(WORDS), 0, -1), k=8)) for _n in range(1000)]
        for n in range(0, 1000, 331):
            phrases[n] = f"{RARE[n % 3]} {phrases[n]}"
        lists = {
            "countries": list(Country.objects.filter(is_un_member=True).order_by("pk").values_list("pk", flat=True)),
            "partners": list(Partner.objects.order_by("pk").values_list("pk", flat=True)),
            "terms": list(
                Term.objects.filter(vocabulary__in=["bsp-theme", "assistance", "sdg"])
                .order_by("vocabulary", "position")
                .values_list("pk", flat=True)
            ),
        }
        if not lists["countries"] or not lists["terms"]:
            raise CommandError("Load the reference data first: manage.py load_reference")
        for values in lists.values():
            rng.shuffle(values)
        user = User.objects.system().pk
        start = int(
            (
                Project.objects.filter(reference__startswith=PREFIX)
                .order_by("-pk")
                .values_list("reference", flat=True)
                .first()
                or f"{PREFIX}0"
            )[len(PREFIX) :]
        )
        for first in range(start + 1, start + projects + 1, BATCH):
            self._batch(first, min(first + BATCH - 1, start + projects), phrases, lists, user)
            if verbosity:
                self.stdout.write(f"\r{first - start + BATCH - 1:,} of {projects:,}", ending="")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        search.rebuild_words()
        if verbosity:
            self.stdout.write("\ndone")

    @transaction.atomic
    def _batch(self, first, last, phrases, lists, user) -> None:
        with connection.cursor() as cursor:
            # Bulk data for measurements keeps no history and gets its search entries once, at the end of the batch.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(PROJECTS, {"first": first, "last": last, "words": phrases, "user": user})
            cursor.execute(
                "SELECT min(id), max(id) FROM projects_project WHERE reference IN (%s, %s)",
                [f"{PREFIX}{first:07d}", f"{PREFIX}{last:07d}"],
            )
            low, high = cursor.fetchone()
            for statement in filter(str.strip, LINKS.split(";")):
                cursor.execute(statement, {"low": low, "high": high, **lists})
            cursor.execute("SET LOCAL session_replication_role = origin")  # the entries' own triggers count them
            cursor.execute(
                "SELECT projects_refresh_search(ARRAY(SELECT generate_series(%s::bigint, %s::bigint)))", [low, high]
            )
