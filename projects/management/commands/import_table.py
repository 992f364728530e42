"""Brings in a table of countries, partners, projects, needs or offers, as admin does."""

from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from partners.models import User
from projects.interchange.bulk import running, sheets
from projects.interchange.bulk.kinds import KINDS
from projects.management.stating_source import add_source_options, stated_source
from projects.models import ImportRun

TOLD = 40


class Command(BaseCommand):
    help = (
        "Tries a table (CSV or XLSX), tells what would become of each record, and with --write carries it out: all or "
        "nothing, or with --only-good the records that are right. --template writes the table to fill in; --undo RUN takes "
        "an import back. Exits with 1 when nothing was written that should have been."
    )

    def add_arguments(self, parser):
        parser.add_argument("kind", nargs="?", choices=list(KINDS))
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
        parser.add_argument("--by", metavar="EMAIL", help="who does it: what this person may do is done")
        parser.add_argument("--write", action="store_true", help="carry it out; without it nothing is written")
        parser.add_argument("--only-good", action="store_true", help="leave out the records that are not right")
        parser.add_argument("--template", action="store_true", help="write the empty table to FILE (.csv or .xlsx)")
        add_source_options(parser)
        parser.add_argument("--undo", type=int, metavar="RUN", help="take back the import of this number")

    def handle(self, *args, kind, file, by, write, only_good, template, undo, **options):
        if template and kind and file:
            make = sheets.as_workbook if file.suffix.lower() == ".xlsx" else sheets.as_csv
            file.write_bytes(make(KINDS[kind](), []))
            self.stdout.write(f"{file}: the table of {kind}, to be filled in")
            return
        person = User.objects.filter(email__iexact=by or "", is_active=True).first()
        if person is None:
            raise CommandError("Say who does it: --by and the e-mail address of somebody who may.")
        if undo is not None:
            self._undo(undo, person)
        elif kind and file:
            run = ImportRun(
                kind=kind,
                file_name=file.name[:200],
                started_by=person,
                only_good=only_good,
                is_dry_run=True,
                **stated_source(options),
            )
            self._bring_in(run, file, write)
        else:
            raise CommandError("Name the kind of table and its file, or --undo and the number of an import.")

    def _bring_in(self, run: ImportRun, file: Path, write: bool) -> None:
        try:
            with file.open("rb") as content:
                run.file.save(file.name, File(content), save=False)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        running.carry_out(run, dry_run=True)
        if write and run.progress == ImportRun.Progress.WAITING:
            running.carry_out(run, dry_run=False)
        for row in run.rows.exclude(outcome="unchanged")[:TOLD]:
            self.stdout.write(f"  row {row.number} {row.key}: {row.get_outcome_display()}")
            for name, text in [*row.problems, *row.notes]:
                self.stdout.write(f"    {name + ': ' if name else ''}{text}")
            if row.outcome == "changed":
                for name, after in row.after.items():
                    self.stdout.write(f"    {name}: {row.before[name]!r} -> {after!r}")
        if run.rows.exclude(outcome="unchanged").count() > TOLD:
            self.stdout.write("  and more: all of them are in admin, under Imports")
        self.stdout.write(
            f"{file.name}: import {run.pk}, {run.done} records: {run.created} new, {run.updated} changed, {run.unchanged} "
            f"unchanged, {run.rejected} to be mended{'' if run.progress == ImportRun.Progress.DONE else '; nothing was written'}"
        )
        if run.message:
            self.stdout.write(f"  {run.message}")
        if run.progress == ImportRun.Progress.FAILED or (write and run.progress != ImportRun.Progress.DONE):
            raise CommandError("Nothing was written. The lines above say why.")

    def _undo(self, number: int, person: User) -> None:
        run = ImportRun.objects.filter(pk=number).first()
        if run is None:
            raise CommandError(f"There is no import {number}.")
        try:
            running.undo(run, by=person)
        except (ValidationError, PermissionDenied) as error:
            raise CommandError(" ".join(getattr(error, "messages", [str(error)]))) from None
        left = run.rows.filter(undo__in=("part", "left"))
        for row in left:
            self.stdout.write(f"  row {row.number} {row.key}: {row.get_undo_display()}. {row.undo_note}")
        self.stdout.write(f"{run.file_name}: undone, {left.count()} records left or undone in part")
