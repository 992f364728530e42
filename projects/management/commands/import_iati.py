"""Imports IATI activity files."""

import csv
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from partners.models import User
from projects.interchange.findings import write_findings
from projects.interchange.iati_import import import_file, is_usable
from projects.management.stating_source import add_source_options, stated_source
from projects.models import ImportIssue, ImportRun

BROKEN_OFF = 2  # exit status


class Command(BaseCommand):
    help = (
        "Reads IATI activity files (1.0x to 2.03; plain, gzip or zip). Takes what is good, reports the rest by activity. "
        "Safe to run again: known activities are updated, staff's edits stay. What is written can't be undone: use --dry-run first. Exits with 1 when nothing could be read, with 2 when a file "
        "was not read to its end: what came before the break is taken, and reading the whole file later goes on."
    )

    def add_arguments(self, parser):
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, write nothing")
        parser.add_argument("--report", type=Path, metavar="CSV", help="write every finding to this file")
        parser.add_argument(
            "--drafts", action="store_true", help="keep new records as drafts instead of publishing them"
        )
        add_source_options(parser)

    def handle(self, *args, files, dry_run, report, drafts, **options):
        by, stated = User.objects.system(), stated_source(options)
        runs = []
        for path in files:
            run = ImportRun(file_name=path.name[:200], started_by=by, publishes=not drafts, **stated)
            import_file(path, run=run, by=by, dry_run=dry_run, progress=self._progress)
            runs.append(run)
            self._summary(run)
        if report:
            self._write_report(report, runs)
        if not any(is_usable(run) for run in runs):
            raise CommandError("Nothing could be read. The lines above say why.")
        if stopped := [run.file_name for run in runs if run.progress == ImportRun.Progress.FAILED]:
            raise CommandError(
                f"Not read to the end: {', '.join(stopped)}. What came before is taken. Get the file again and repeat.",
                returncode=BROKEN_OFF,
            )

    def _progress(self, run: ImportRun) -> None:
        if sys.stderr.isatty():
            bar = "#" * (run.percent // 4)
            self.stderr.write(f"\r{run.file_name}: [{bar:<25}] {run.percent:>3} %, {run.done} activities", ending="")
            if run.finished_at:
                self.stderr.write("")

    def _summary(self, run: ImportRun) -> None:
        trial = " (trial run, nothing was written)" if run.is_dry_run else ""
        version = run.version or "not stated"
        self.stdout.write(f"{run.file_name}: IATI version {version}, {run.done} activities{trial}")
        self.stdout.write(
            f"  {run.created} new, {run.updated} changed, {run.unchanged} unchanged, {run.rejected} not readable; {run.get_progress_display()}"
        )
        if run.message:
            self.stdout.write(f"  {run.message}")
        self.stdout.write(f"  {run.no_undo}")
        counts: dict[tuple[str, str, str], int] = {}
        for outcome, element, text in run.issues.values_list("outcome", "element", "text"):
            key = (outcome, element, text if outcome == ImportIssue.Outcome.REJECTED else "")
            counts[key] = counts.get(key, 0) + 1
        for (outcome, element, text), n in sorted(counts.items(), key=lambda item: -item[1]):
            label = ImportIssue.Outcome(outcome).label
            self.stdout.write(f"  {n:>5} × {element}: {label}{': ' + text if text else ''}")

    def _write_report(self, path: Path, runs: list[ImportRun]) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            write_findings(csv.writer(file), runs)
        self.stdout.write(f"Report: {path}")
