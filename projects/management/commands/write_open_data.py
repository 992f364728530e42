"""Writes the whole data sets that /data/ gives out, as the worker does each night."""

from django.core.management.base import BaseCommand

from projects.interchange import open_data


class Command(BaseCommand):
    help = "Writes all data sets anew (tables, IATI files, datapackage.json) and makes them the current ones."

    def add_arguments(self, parser):
        parser.add_argument("--if-missing", action="store_true", help="only where there are none yet")

    def handle(self, *args, if_missing, **options):
        if if_missing and open_data.current():
            return
        resources = open_data.write()["resources"]
        size = sum(resource["bytes"] for resource in resources)
        self.stdout.write(f"open data: {len(resources)} files, {size:,} bytes, in {open_data.folder() / 'current'}")
