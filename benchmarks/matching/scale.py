"""What matching costs as needs and offers grow: the best twenty of one need and one offer, beside the bare SQL that finds
texts with the same terms; reading a text; the nightly run.

    python -m benchmarks.matching.scale --sizes 1000 10000 100000

A thousand different texts of each kind are written from the thesaurus and read; the rest are copies of these, made in SQL.
"""

import argparse
import io
import random
import time

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from benchmarks.database import throw_away
from benchmarks.reading import median_ms
from partners.models import Country, Partner, User
from projects import matching
from projects.choices import Matched, NeedState, OfferState, Unit
from projects.management.commands.generate_records import WORDS
from projects.matching import keeping, reading, texts
from projects.models import LineItem, Need, NeedTerm, Offer, OfferLine, OfferTerm, Term, Wording

DISTINCT = 1_000


def _text(chance: random.Random, phrases: list[str], length: int) -> str:
    return " ".join(chance.choice(phrases) if chance.random() < 0.1 else chance.choice(WORDS) for _ in range(length))


def write_distinct() -> None:
    chance, now, by = random.Random(7), timezone.now(), User.objects.system()
    phrases = {
        language: [word for w in Wording.objects.filter(language=language) for word in w.words]
        for language in ("en", "fr", "es")
    }
    countries, partners = list(Country.objects.filter(is_un_member=True)), list(Partner.objects.all())
    themes = list(Term.objects.themes())
    help_ = list(Term.objects.filter(vocabulary="assistance"))
    spoken = [chance.choice(("en", "en", "en", "fr", "es")) for _ in range(DISTINCT)]
    needs = Need.objects.bulk_create(
        Need(
            reference=f"N-{n}", country=chance.choice(countries), language=language, title=_text(chance, phrases[language], 6)[:200],
            public_summary=_text(chance, phrases[language], 60)[:2000], languages=[language], state=NeedState.OPEN, published_at=now,
            published_by=by, summary_approved_at=now, summary_approved_by=by,
        )
        for n, language in enumerate(spoken)
    )  # fmt: skip
    offers = Offer.objects.bulk_create(
        Offer(
            reference=f"O-{n}", partner=chance.choice(partners), language=language, title=_text(chance, phrases[language], 6)[:200],
            summary=_text(chance, phrases[language], 40)[:2000], description=_text(chance, phrases[language], 80), languages=[language],
            state=OfferState.ACTIVE, published_at=now, verified_at=now, verified_by=by,
        )
        for n, language in enumerate(spoken)
    )  # fmt: skip
    for model, link, owner, records in ((LineItem, NeedTerm, "need", needs), (OfferLine, OfferTerm, "offer", offers)):
        model.objects.bulk_create(
            model(**{owner: record}, position=place, text=_text(chance, phrases[record.language], 8)[:300], assistance=chance.choice(help_),
                  quantity=chance.randint(2, 60), unit=chance.choice((Unit.EXPERT_DAYS, Unit.PEOPLE, Unit.ITEMS)))
            for record in records
            for place in range(3)
        )  # fmt: skip
        link.objects.bulk_create(
            link(**{owner: record}, term=term) for record in records for term in chance.sample(themes, 2)
        )


def grow(size: int) -> None:
    """Copies the distinct records, their parts and what was read of them until there are `size` of each kind."""
    with connection.cursor() as cursor:
        for kind, table, parts in (
            (Matched.NEED, "projects_need", ("projects_lineitem", "projects_needterm")),
            (Matched.OFFER, "projects_offer", ("projects_offerline", "projects_offerterm")),
        ):
            owner = table.removeprefix("projects_")
            cursor.execute(f"SELECT min(id), max(id), count(*) FROM {table}")
            low, high, present = cursor.fetchone()
            step = DISTINCT
            for copy in range(present // DISTINCT, size // DISTINCT):
                shift = copy * step
                cursor.execute("BEGIN; SET LOCAL session_replication_role = replica")
                for name in (table, *parts, f"projects_{owner}entry"):
                    columns = [
                        c.name for c in connection.introspection.get_table_description(cursor, name) if c.name != "id"
                    ]
                    chosen = []
                    for column in columns:
                        if column == f"{owner}_id":
                            chosen.append(f"{owner}_id + {shift}")
                        elif column == "reference":
                            chosen.append(f"reference || '-{copy}'")
                        else:
                            chosen.append(column)
                    key = f"{owner}_id" if name != table else "id"
                    own = [f"id + {shift}"] if name == table else []
                    cursor.execute(
                        f"INSERT INTO {name} ({', '.join((['id'] if own else []) + columns)}) SELECT {', '.join(own + chosen)} FROM {name} "
                        f"WHERE {key} BETWEEN {low} AND {low + step - 1}"
                    )
                cursor.execute(
                    f"INSERT INTO projects_readtext (kind, record, language, held, parts, sought, meaning, fingerprint, read_at) SELECT kind, record + {shift}, "
                    f"language, held, parts, sought, meaning, fingerprint, now() FROM projects_readtext WHERE kind = {int(kind)} AND record BETWEEN {low} AND {low + step - 1}"
                )
                cursor.execute(
                    f"INSERT INTO projects_posting (kind, term, record, weight) SELECT kind, term, record + {shift}, weight FROM projects_posting "
                    f"WHERE kind = {int(kind)} AND record BETWEEN {low} AND {low + step - 1}"
                )
                cursor.execute("COMMIT")
            cursor.execute(
                "DELETE FROM projects_termcount WHERE kind = %s", [int(kind)],
            )  # fmt: skip
            cursor.execute(
                "INSERT INTO projects_termcount (kind, term, n) SELECT kind, term, count(*) FROM projects_posting WHERE kind = %s GROUP BY 1, 2 "
                "UNION ALL SELECT kind, 0, count(*) FROM projects_readtext WHERE kind = %s GROUP BY 1", [int(kind), int(kind)],
            )  # fmt: skip
        cursor.execute("VACUUM ANALYZE")


def _bare(terms: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT record FROM projects_posting WHERE kind = 1 AND term = ANY(%s) GROUP BY record ORDER BY sum(weight) DESC LIMIT 20",
            [terms],
        )
        cursor.fetchall()


def measure(sizes: list[int], runs: int) -> None:
    with throw_away():
        call_command("load_reference", stdout=io.StringIO())
        write_distinct()
        for kind in (Matched.NEED, Matched.OFFER):
            start = time.perf_counter()
            reading.refresh(kind)
            print(f"read 1,000 {kind.name.lower()}s: {(time.perf_counter() - start):.1f} ms each", flush=True)
        for size in sorted(sizes):
            grow(size)
            needs = list(Need.objects.order_by("pk")[: runs * 3 : 3])
            offers = list(Offer.objects.order_by("pk").select_related("entry")[: runs * 3 : 3])
            times = {
                "best 20 for a need": [(matching.offers_for, n) for n in needs],
                "best 20 for an offer": [(matching.needs_for, o) for o in offers],
            }
            for name, calls in times.items():
                took = [median_ms(lambda call=call, record=record: call(record), 3) for call, record in calls]
                print(
                    f"{size:>9,} {name:<28} median {sorted(took)[len(took) // 2]:>7.1f} ms, slowest {max(took):.1f} ms",
                    flush=True,
                )
            language, parts = reading.of_need(needs[0])
            terms = texts.terms_of(parts)
            rare = sorted((t for t in terms), key=texts.Rarity(Matched.OFFER, terms).held)[:12]
            print(
                f"{size:>9,} {'the bare SQL: 12 rarest terms':<28} median {median_ms(lambda rare=rare: _bare(rare), runs):>7.1f} ms",
                flush=True,
            )
            start = time.perf_counter()
            keeping.renew(Matched.NEED, [need.pk for need in needs])
            each = (time.perf_counter() - start) / len(needs)
            print(
                f"{size:>9,} {'night: one need found, kept':<28} {each * 1000:.1f} ms each, {each * size / 60:.0f} min for all by one worker",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    measure(arguments.sizes, arguments.runs)
