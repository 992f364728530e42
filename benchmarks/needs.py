"""What needs cost as their number grows: one's own page, queues, lists, a page, a move, the clocks of a night."""

import io
import time

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from benchmarks.database import throw_away
from benchmarks.reading import median_ms, tell
from partners.models import Country, User
from projects import clocks, lifecycle
from projects.demonstration import load_accounts
from projects.models import Need

# name, who (None: anybody), address, the SQL that nobody can do without
CALLS = [
    ("list of needs", None, "/needs/", "SELECT need_id FROM projects_needentry WHERE is_public ORDER BY published_at DESC, need_id DESC LIMIT 20"),
    ("filtered list with facets", None, "/needs/?country=KEN&state=open",
     "SELECT f, count(*) FROM (SELECT unnest(facets) f FROM projects_needentry WHERE is_public AND facets @> ARRAY[{kenya}]) x GROUP BY f"),
    ("unanswered needs", None, "/needs/unanswered/",
     "SELECT count(*) FROM projects_need n WHERE state = 'open' AND published_at < now() - interval '30 days' AND NOT EXISTS (SELECT FROM projects_response r WHERE r.need_id = n.id)"),
    ("page of a need", None, "{need}", "SELECT * FROM projects_need WHERE id = {id}"),
    ("API list of 50", None, "/api/v1/needs/", "SELECT need_id FROM projects_needentry WHERE is_public ORDER BY published_at DESC, need_id DESC LIMIT 50"),
    ("focal point's own page", "focal-point", "/dashboard/", "SELECT count(*) FROM projects_need WHERE country_id = {kenya_id}"),
    ("focal point's whole country", "focal-point", "/needs/?country=KEN",
     "SELECT need_id FROM projects_needentry WHERE facets @> ARRAY[{kenya}] ORDER BY published_at DESC LIMIT 20"),
    ("desk's own page", "desk", "/dashboard/", "SELECT id FROM projects_need WHERE state IN ('submitted', 'plan_agreed', 'on_hold') ORDER BY due_on LIMIT 50"),
    ("desk's queue in admin", "desk", "/admin/projects/need/?state__exact=submitted",
     "SELECT count(*) FROM projects_need WHERE state = 'submitted'"),
    ("desk's calendar", "desk", "/dashboard/calendar/",
     "SELECT count(*) FROM projects_need WHERE due_on BETWEEN current_date AND current_date + 56"),
]  # fmt: skip


def measure(sizes: list[int], runs: int) -> None:
    """One line per size and call: median ms, queries, median ms of the bare SQL; then one move and one night."""
    settings.ALLOWED_HOSTS, settings.DEBUG = ["testserver"], True  # accounts of the demonstration
    with throw_away():
        call_command("load_reference", stdout=io.StringIO())
        load_accounts()
        settings.DEBUG = False
        for size in sorted(sizes):
            start = time.perf_counter()
            call_command("generate_needs", needs=size - Need.objects.count())
            print(f"generate {size:>9,} needs: {time.perf_counter() - start:.1f} s", flush=True)
            _measure_size(size, runs)


def _measure_size(size: int, runs: int) -> None:
    from projects.models import FacetKind

    kenya = Country.objects.get(iso3="KEN")
    need = Need.objects.filter(state="in_dialogue").order_by("pk")[size // 40]
    names = {
        "need": need.get_absolute_url(),
        "id": need.pk,
        "kenya_id": kenya.pk,
        "kenya": FacetKind.COUNTRY.of(kenya.pk),
    }
    for name, who, address, sql in CALLS:
        tell(size, name, address.format(**names), sql.format(**names), runs, f"{who}@example.org" if who else "")
    print(f"{size:>9,} {'one move':<34} {median_ms(_move, runs):>8.1f} ms", flush=True)
    with transaction.atomic():
        start = time.perf_counter()
        due = sum(clocks.run(dry_run=True).values())
        looked = time.perf_counter() - start
        done = sum(clocks.run().values())
        took = time.perf_counter() - start - looked
        transaction.set_rollback(True)
    print(f"{size:>9,} {'one night of clocks':<34} {looked * 1000:>8.1f} ms to find {due:,} things due; "
          f"{took:.1f} s to do {done:,} ({took / max(done, 1) * 1000:.1f} ms each)", flush=True)  # fmt: skip


def _move() -> None:
    """One move with its event, its job and the search entry; undone."""
    desk = User.objects.get(email="desk@example.org")
    with transaction.atomic():
        need = Need.objects.filter(state="submitted").order_by("pk").first()
        lifecycle.transition(need, "return", by=desk, note="because")
        transaction.set_rollback(True)
