"""What a picture costs to be made, how large it is, and what it costs once it is kept; and a card.

python -m benchmarks.pictures --projects 20000 --needs 2000
"""

import argparse
import gzip
import io
import time

from django.core.cache import caches
from django.core.management import call_command

from benchmarks.database import throw_away
from benchmarks.reading import median_ms
from outreach import seeing, sharing
from projects.models import Project


def measure(projects: int, needs: int) -> None:
    with throw_away():
        call_command("load_reference", stdout=io.StringIO())
        call_command("generate_records", projects=projects, stdout=io.StringIO())
        call_command("generate_needs", needs=needs, stdout=io.StringIO())
        for picture in seeing.PICTURES.values():
            for told in picture.of:
                caches["pictures"].clear()
                start = time.perf_counter()
                made = seeing.made(picture, told, "")
                first = (time.perf_counter() - start) * 1000
                kept = median_ms(lambda picture=picture, told=told: seeing.made(picture, told, ""), 7)
                size = len(gzip.compress(made.svg.encode())) / 1024
                print(f"{picture.slug:<10} of {told:<9} {first:>7.0f} ms, kept {kept:>5.1f} ms, {size:>5.1f} kB, {len(made.rows)} rows", flush=True)  # fmt: skip
        code = Project.objects.published().values_list("reference", flat=True)[0]
        drawn = median_ms(lambda: sharing.draw(sharing.card_of("projects", code)), 7)
        print(f"card of a project: {drawn:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--needs", type=int, default=1_000)
    arguments = parser.parse_args()
    measure(arguments.projects, arguments.needs)
