"""Brings in needs of countries from a table."""

import csv
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from partners.models import User
from projects.interchange.findings import harmless
from projects.interchange.needs_import import COLUMNS, Unreadable, import_needs, read_table
from projects.management.stating_source import add_source_options, stated_source
from projects.models import ImportRun
from projects.models.importing import ImportKind


class Command(BaseCommand):
    help = (
        "Reads needs of countries from a CSV file: each row becomes a draft held by its country. Safe to run again: rows "
        "that are here already stay as they are. Exits with 1 when nothing could be read."
    )

    columns, bring_in = COLUMNS, staticmethod(import_needs)

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--source", default="", help="what they are, as shown on their pages")
        add_source_options(parser, address="--source-url")
        parser.add_argument("--dry-run", action="store_true", help="say what would come, write nothing")
        parser.add_argument("--report", type=Path, metavar="CSV", help="write what needs a person to this file")

    def handle(self, *args, file, source, dry_run, report, **options):
        by, stated = User.objects.system(), stated_source(options)
        try:
            rows = read_table(file, self.columns)
        except Unreadable as error:
            raise CommandError(str(error)) from None
        run = ImportRun(
            kind=ImportKind.STATEMENTS, file_name=file.name[:200], started_by=by, is_dry_run=dry_run, **stated
        )
        found = self.bring_in(rows, by=by, source=source or file.name, run=run)
        trial = " (trial run, nothing was written)" if dry_run else ""
        self.stdout.write(
            f"{file.name}: {len(rows)} rows; {found.created} new drafts, {found.present} here already, "
            f"{found.rejected} not usable{trial}"
        )
        self.stdout.write(f"  {run.no_undo}")
        if report:
            with report.open("w", encoding="utf-8", newline="") as target:
                writer = csv.writer(target)
                writer.writerow(["row", "key", "to do"])
                writer.writerows([number, harmless(key), harmless(text)] for number, key, text in found.findings)
            self.stdout.write(f"{len(found.findings)} things need a person: {report}")
        else:
            for number, key, text in found.findings[:20]:
                self.stdout.write(f"  row {number} {key}: {text}")
            if len(found.findings) > 20:
                self.stdout.write(f"  and {len(found.findings) - 20} more; --report FILE writes them all")
        if not found.created and not found.present:
            raise CommandError("No row could be used. The lines above say why.")
