"""What a page costs as the number of projects grows, beside the bare SQL that it can't do without, in the same run."""

import io
import statistics
import time
from collections.abc import Callable

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from benchmarks.database import throw_away
from partners.models import User
from projects.demonstration import load_accounts
from projects.models import Project

# name, address, signed in as the desk?, the SQL that nobody can do without
CALLS = [
    ("project list", "/projects/", False, "SELECT project_id FROM projects_searchentry WHERE is_public ORDER BY published_at DESC, project_id DESC LIMIT 20"),
    (
        "filtered list with facets", "/projects/?country=KEN&term=bsp-theme:forests", False,
        "SELECT f, count(*) FROM (SELECT unnest(facets) f FROM projects_searchentry WHERE is_public AND facets @> ARRAY[{kenya}, {forests}]) x GROUP BY f",
    ),
    (
        "search, rare word, with facets", "/projects/?q=nudibranch", False,
        "SELECT project_id FROM projects_searchentry WHERE is_public AND vector @@ 'nudibranch'::tsquery ORDER BY ts_rank(vector, 'nudibranch'::tsquery) DESC LIMIT 20",
    ),
    (
        "search, common word, with facets", "/projects/?q=water", False,
        "SELECT f, count(*) FROM (SELECT unnest(facets) f FROM projects_searchentry WHERE is_public AND vector @@ 'water'::tsquery) x GROUP BY f",
    ),
    ("project page", "{project}", False, "SELECT * FROM projects_project WHERE id = {id}"),
    (
        "country page", "/countries/KEN/", False,
        "SELECT role, count(*) FROM projects_projectcountry l JOIN projects_project p ON p.id = l.project_id AND p.state = 'published' WHERE country_id = {kenya_id} GROUP BY role",
    ),
    ("API list of 50", "/api/v1/projects/", False, "SELECT count(*) FROM projects_searchentry WHERE is_public"),
    ("admin list", "/admin/projects/project/", True, "SELECT count(*) FROM projects_project"),
]  # fmt: skip


def median_ms(call: Callable, runs: int) -> float:
    call()
    times = []
    for _n in range(runs):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def _bare(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.fetchall()


def tell(size: int, name: str, path: str, sql: str, runs: int, email: str = "") -> None:
    """One line: median ms of a page as this person, its queries, median ms of the bare SQL."""
    client = Client()
    if email:
        client.force_login(User.objects.get(email=email))

    def call():
        response = client.get(path)
        if response.status_code != 200:
            raise SystemExit(f"{name}: {path} answered {response.status_code}")

    queries = []
    with connection.execute_wrapper(lambda execute, *args: (queries.append(args[0]), execute(*args))[1]):
        call()
    ours, bare = median_ms(call, runs), median_ms(lambda: _bare(sql), runs)
    print(f"{size:>9,} {name:<34} {ours:>8.1f} ms, {len(queries):>2} queries; bare SQL {bare:>8.1f} ms", flush=True)


def measure(sizes: list[int], runs: int) -> None:
    """One line per size and call: median ms of the call, queries, median ms of the bare SQL."""
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.DEBUG = True  # demonstration accounts exist in development only
    with throw_away():
        call_command("load_reference", stdout=io.StringIO())
        load_accounts()
        settings.DEBUG = False
        for size in sorted(sizes):
            start = time.perf_counter()
            call_command("generate_records", projects=size - Project.objects.count(), verbosity=0)
            print(f"generate {size:>9,} projects: {time.perf_counter() - start:.1f} s", flush=True)
            _measure_size(size, runs)


def _measure_size(size: int, runs: int) -> None:
    from partners.models import Country
    from projects.models import FacetKind, Term

    kenya = Country.objects.get(iso3="KEN")
    forests = Term.objects.get(vocabulary="bsp-theme", code="forests")
    project = Project.objects.published().order_by("-pk")[size // 3]
    names = {
        "project": project.get_absolute_url(), "id": project.pk, "kenya_id": kenya.pk,
        "kenya": FacetKind.COUNTRY.of(kenya.pk), "forests": FacetKind.TERM.of(forests.pk),
    }  # fmt: skip
    for name, address, as_desk, sql in CALLS:
        tell(size, name, address.format(**names), sql.format(**names), runs, "desk@example.org" if as_desk else "")
