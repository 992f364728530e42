"""Makes many needs for measurements, in every state of their lives. Seeded: the same number gives the same records."""

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from partners.models import Country, Partner, User
from projects.models import Need, Term

BATCH = 10_000
PREFIX = "N-GEN-0000-"  # no country has this code: generated references meet no real ones
STATES = (
    "draft", "draft", "draft", "submitted", "returned", "eligible", "open", "open", "open", "open", "open", "open",
    "in_dialogue", "in_dialogue", "plan_agreed", "in_delivery", "in_delivery", "delivered", "closed", "closed",
)  # fmt: skip
OPENED = "s.state IN ('open', 'in_dialogue', 'plan_agreed', 'in_delivery', 'delivered', 'closed')"
NEED = {  # column -> SQL over n (number), s (state), w (words), and the row t that all are copies of
    "reference": "'N-GEN-0000-' || lpad(n::text, 7, '0')",
    "title": "w.words[1 + (n * 7) %% 997] || ' for ' || w.words[1 + (n * 13) %% 991]",
    "public_summary": "w.words[1 + (n * 3) %% 983] || '.'",
    "problem": "w.words[1 + (n * 11) %% 977] || '.'",
    "kind": "(ARRAY['capacity', 'technology'])[1 + n %% 2]",
    "country_id": "(%(countries)s::bigint[])[1 + floor(power((n * 7919 %% 10007) / 10007.0, 2) * array_length(%(countries)s::bigint[], 1))::int]",
    "state": "s.state",
    "state_since": "now() - (n %% 50) * interval '1 day'",
    "due_on": "CASE WHEN s.state IN ('draft', 'closed', 'plan_agreed') THEN NULL ELSE current_date + (n %% 101 - 1)::int END",
    "created_at": "now() - (60 + n %% 50) * interval '1 day'",
    "modified_at": "now() - (n %% 364) * interval '1 day'",
    "expires_on": f"CASE WHEN {OPENED} THEN current_date + (n %% 365)::int END",
    "published_at": f"CASE WHEN {OPENED} THEN now() - (n %% 90) * interval '1 day' END",
    "published_by_id": f"CASE WHEN {OPENED} THEN %(user)s END",
    "summary_approved_at": f"CASE WHEN {OPENED} OR s.state = 'eligible' THEN now() END",
    "summary_approved_by_id": f"CASE WHEN {OPENED} OR s.state = 'eligible' THEN %(user)s END",
}  # fmt: skip
PARTS = """
INSERT INTO projects_lineitem (need_id, position, text, assistance_id, quantity, unit, by_when, note)
SELECT id, k, 'Line ' || k, (%(assistance)s::bigint[])[1 + (id + k) %% array_length(%(assistance)s::bigint[], 1)], 10 + id %% 40, 'people', current_date + 400, ''
FROM projects_need, generate_series(0, 2) k WHERE id BETWEEN %(low)s AND %(high)s;
INSERT INTO projects_needterm (need_id, term_id)
SELECT DISTINCT id, (%(themes)s::bigint[])[1 + floor(power(((id * 131 + k * 7907) %% 4999) / 4999.0, 2) * array_length(%(themes)s::bigint[], 1))::int]
FROM projects_need, generate_series(0, 1) k WHERE id BETWEEN %(low)s AND %(high)s;
INSERT INTO projects_event (need_id, action, from_state, to_state, by_id, at, note, is_public, is_note_public)
SELECT id, 'submit', 'draft', 'submitted', %(user)s, created_at + interval '1 day', '', true, false
FROM projects_need WHERE state <> 'draft' AND id BETWEEN %(low)s AND %(high)s;
INSERT INTO projects_event (need_id, action, from_state, to_state, by_id, at, note, is_public, is_note_public)
SELECT id, 'publish', 'eligible', 'open', %(user)s, published_at, '', true, false
FROM projects_need WHERE published_at IS NOT NULL AND id BETWEEN %(low)s AND %(high)s;
INSERT INTO projects_response (reference, need_id, partner_id, text, terms_text, cost, state, suggested_by, due_on, created_at)
SELECT 'R-GEN-' || id, id, (%(partners)s::bigint[])[1 + id %% array_length(%(partners)s::bigint[], 1)], 'We help.', '', 'free',
  CASE state WHEN 'open' THEN 'expressed' WHEN 'in_dialogue' THEN 'accepted' ELSE 'agreed' END, '', current_date + (id %% 30)::int, published_at
FROM projects_need WHERE published_at IS NOT NULL AND id %% 3 > 0 AND id BETWEEN %(low)s AND %(high)s;
INSERT INTO projects_answer (response_id, line_id, quantity)
SELECT r.id, l.id, 5 FROM projects_response r JOIN projects_lineitem l ON l.need_id = r.need_id AND l.position = 0
WHERE r.need_id BETWEEN %(low)s AND %(high)s;
"""


class Command(BaseCommand):
    help = "Makes illustrative needs in bulk, in every state, for measurements on a throw-away database."

    def add_arguments(self, parser):
        parser.add_argument("--needs", type=int, required=True, metavar="N")

    def handle(self, *args, needs, **options):
        if not 1 <= needs <= 5_000_000:
            raise CommandError("--needs takes a number between 1 and 5 000 000.")
        from projects.management.commands.generate_records import RARE, WORDS

        phrases = [" ".join(WORDS[(n * k + k) % len(WORDS)] for k in range(1, 9)) for n in range(1000)]
        for n in range(0, 1000, 331):
            phrases[n] = f"{RARE[n % 3]} {phrases[n]}"
        values = {
            "countries": list(Country.objects.filter(is_un_member=True).order_by("iso3").values_list("pk", flat=True)),
            "partners": list(Partner.objects.order_by("pk").values_list("pk", flat=True)),
            "themes": list(Term.objects.themes().order_by("pk").values_list("pk", flat=True)),
            "assistance": list(Term.objects.filter(vocabulary="assistance").order_by("pk").values_list("pk", flat=True)),
            "words": phrases, "states": list(STATES), "user": User.objects.system().pk,
        }  # fmt: skip
        if not values["themes"]:
            raise CommandError("Load the reference data first: manage.py load_reference")
        start = Need.objects.filter(reference__startswith=PREFIX).count()
        for first in range(start + 1, start + needs + 1, BATCH):
            self._batch(first, min(first + BATCH - 1, start + needs), values)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    @transaction.atomic
    def _batch(self, first: int, last: int, values: dict) -> None:
        template = Need.objects.create(
            title="Template", country_id=values["countries"][0], is_illustrative=True, languages=["en"]
        )
        columns = [f.column for f in Need._meta.concrete_fields if not f.primary_key]
        chosen = ", ".join(NEED.get(column, f"t.{column}") for column in columns)
        with connection.cursor() as cursor:
            # Bulk data for measurements keeps no history and gets its search entries once, at the end of the batch.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                f"INSERT INTO projects_need ({', '.join(columns)}) SELECT {chosen} "  # noqa: S608
                "FROM generate_series(%(first)s::bigint, %(last)s::bigint) n, projects_need t, (SELECT %(words)s::text[] AS words) w, "
                "LATERAL (SELECT (%(states)s::text[])[1 + n %% array_length(%(states)s::text[], 1)] AS state) s WHERE t.id = %(template)s",
                {"first": first, "last": last, "template": template.pk, **values},
            )
            cursor.execute(
                "SELECT min(id), max(id) FROM projects_need WHERE reference IN (%s, %s)",
                [f"{PREFIX}{first:07d}", f"{PREFIX}{last:07d}"],
            )
            low, high = cursor.fetchone()
            for statement in filter(str.strip, PARTS.split(";")):
                cursor.execute(statement, {"low": low, "high": high, **values})
            cursor.execute("SET LOCAL session_replication_role = origin")  # the entries' own triggers count them
            cursor.execute(
                "SELECT projects_refresh_needs(ARRAY(SELECT generate_series(%s::bigint, %s::bigint)))", [low, high]
            )
        template.delete()
