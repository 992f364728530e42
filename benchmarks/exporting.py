"""What it takes to take everything away: each format as the API streams it, beside PostgreSQL's own COPY of the same columns.

    python -m benchmarks.exporting --projects 100000

Memory is the growth of this process while the list is read, sampled at each piece.
"""

import argparse
import io
import os
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ssc_portal.settings")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def copied(records, table) -> tuple[float, int]:
    """Seconds and bytes of COPY of the columns of a table, as they are."""
    from django.db import connection

    query = records.order_by("pk").values_list(*(column.source for column in table.columns)).query
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    start, size = time.perf_counter(), 0
    whole = connection.ops.compose_sql(sql, parameters)
    with connection.cursor() as cursor, cursor.copy(f"COPY ({whole}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        for piece in copy:
            size += len(piece)
    return time.perf_counter() - start, size


def streamed(client, address: str) -> tuple[float, float, int, int]:
    """Seconds to the first byte and to the last, bytes, growth of memory."""
    before, peak, size, first = resident(), 0, 0, None
    start = time.perf_counter()
    answer = client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code}")
    for piece in answer.streaming_content:
        first = first or time.perf_counter() - start
        size += len(piece)
        peak = max(peak, resident())
    return first, time.perf_counter() - start, size, max(0, peak - before)


def measure(projects: int) -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client
    from django.utils import timezone

    from benchmarks.database import throw_away
    from projects.interchange.datasets import PROJECTS
    from projects.models import Project

    settings.ALLOWED_HOSTS = ["*"]
    with throw_away():
        call_command("load_reference", stdout=io.StringIO())
        call_command("generate_records", projects=projects, stdout=io.StringIO())
        records, client = Project.objects.published(), Client()
        count = records.count()
        streamed(client, "/api/v1/projects/?format=csv&q=nudibranch")  # everything is loaded once
        seconds, size = copied(records, PROJECTS)
        print(f"{count} projects, COPY of the same columns: {seconds:.1f} s, {size / 1e6:.0f} MB")
        for name, address in (
            ("CSV", "/api/v1/projects/?format=csv"),
            ("JSON Lines", "/api/v1/projects/?format=jsonl"),
            ("GeoJSON", "/api/v1/projects/?format=geojson"),
            ("TOSSD, CSV", "/api/v1/tossd/?format=csv"),
            ("quantities, CSV", "/api/v1/quantities/?format=csv"),
            ("IATI", "/api/v1/projects/?format=iati"),
        ):
            first, whole, written, memory = streamed(client, address)
            print(
                f"{count} projects, {name}: first byte {first * 1000:.0f} ms, all {whole:.1f} s ({whole / seconds:.1f} x COPY), "
                f"{count / whole:.0f} records/s, {written / 1e6:.0f} MB, memory +{memory / 1e6:.0f} MB"
            )
        year = timezone.localdate().year - 1
        for address in (
            "/countries/KEN/brief/",
            "/countries/KEN/brief.pdf",
            f"/data/report/{year}/",
            f"/data/report/{year}.pdf",
        ):
            start = time.perf_counter()
            answer = client.get(address)
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code}")
            seconds, size = time.perf_counter() - start, len(answer.content)
            print(f"{count} projects, {address}: {seconds * 1000:.0f} ms, {size / 1e3:.0f} kB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=10_000)
    django.setup()
    measure(parser.parse_args().projects)
