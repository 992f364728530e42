"""What the sitemap costs at many records, beside the way it was made before: each record loaded for the index.

    python -m benchmarks.sitemap --projects 100000

Then the home page alone, and while eight at once ask for the sitemap; and the description of the API beside the home page.
"""

import argparse
import io
import os
import statistics
import threading
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ssc_portal.settings")


def timed(act) -> tuple[float, int]:
    """Seconds and queries of the second of two runs; the first loads what is loaded once."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    act()
    with CaptureQueriesContext(connection) as queries:
        start = time.perf_counter()
        act()
        return time.perf_counter() - start, len(queries)


def as_before() -> None:
    """The index as django.contrib.sitemaps makes it: the newest change is looked for in all loaded records."""
    from partners.models import Country, Partner
    from projects.models import Need, Offer, Project, Term

    for records in (
        Project.objects.published().only("reference", "modified_at"),
        Need.objects.public().filter(unlisted_at=None).only("reference", "modified_at"),
        Offer.objects.public().only("reference", "modified_at"),
        Country.objects.all(),
        Partner.objects.all(),
        Term.objects.themes(),
    ):
        max(
            (getattr(one, "modified_at", None) or 0 for one in records.order_by("pk") if hasattr(one, "modified_at")),
            default=0,
        )
        records.count()


def at_once(act, many: int, times: int = 20) -> float:
    """Median seconds of a call while so many are made at once."""
    from django.db import connection

    found = []

    def repeat():
        act()
        for _n in range(times):
            start = time.perf_counter()
            act()
            found.append(time.perf_counter() - start)
        connection.close()

    threads = [threading.Thread(target=repeat) for _n in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.median(found)


def beside_eight(act, other) -> float:
    """Seconds of one call while eight threads repeat another."""
    from django.db import connection

    stop = threading.Event()

    def repeat():
        while not stop.is_set():
            other()
        connection.close()

    threads = [threading.Thread(target=repeat) for _n in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)  # all of them are at it
    start = time.perf_counter()
    act()
    seconds = time.perf_counter() - start
    stop.set()
    for thread in threads:
        thread.join()
    return seconds


def measure(projects: int) -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from benchmarks.database import throw_away
    from projects.models import Project

    settings.ALLOWED_HOSTS = ["*"]
    settings.DEBUG = False  # which keeps every query
    settings.RATES = dict.fromkeys(settings.RATES, "")
    with throw_away():
        call_command("load_reference", stdout=io.StringIO())
        call_command("generate_records", projects=projects, stdout=io.StringIO())
        count = Project.objects.published().count()

        def asked(address):
            answer = Client().get(address, headers={"Accept-Encoding": "gzip"})
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code}")

        def home():
            asked("/")

        last = f"/sitemap-projects.xml?p={-(-count // 5000)}"
        for name, act in (
            ("index as before", as_before),
            ("index", lambda: asked("/sitemap.xml")),
            ("first part", lambda: asked("/sitemap-projects.xml")),
            ("last part", lambda: asked(last)),
            ("home page", home),
        ):
            seconds, queries = timed(act)
            print(f"{count} projects, {name}: {seconds * 1000:.0f} ms, {queries} queries")
        for address in ("/api/v1/schema/", "/api/v1/docs/"):
            for many in (1, 4):
                described, front = (at_once(lambda a=one: asked(a), many) for one in (address, "/"))
                print(f"{address}, {many} at once: {described * 1000:.0f} ms, {described / front:.1f} x the home page")
        for name, other in (("the index as before", as_before), ("the index", lambda: asked("/sitemap.xml"))):
            seconds = beside_eight(home, other)
            print(f"{count} projects, home page while eight ask for {name}: {seconds:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=10_000)
    django.setup()
    measure(parser.parse_args().projects)
