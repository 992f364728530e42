"""Loads countries, groups, partners, vocabularies and the site's own pages from fixtures/reference. Safe to run again."""

from django.core.management.base import BaseCommand
from django.db import transaction

from outreach.reference import load_milestones, load_pages, load_topics
from partners.reference import Report, files_changed, load_places_and_partners, remember_files
from projects.vocabularies import load_near_themes, load_terms, load_thesaurus


class Command(BaseCommand):
    help = (
        "Loads or refreshes the reference data: regions, countries, groups, partners, terms, pages, milestones. Never doubles a record and "
        "never overwrites what staff edited; such fields are listed."
    )

    def add_arguments(self, parser):
        parser.add_argument("--if-changed", action="store_true", help="do nothing when these files were loaded before")

    @transaction.atomic
    def handle(self, *args, if_changed=False, **options):
        if if_changed and not files_changed():
            return
        report = Report()
        load_places_and_partners(report)
        load_terms(report)
        load_near_themes(report)
        load_thesaurus(report)
        load_pages(report)
        load_milestones(report)
        load_topics(report)
        remember_files()
        for what, counts in report.counts.items():
            self.stdout.write(
                f"{what}: {counts['new']} new, {counts['updated']} updated, {counts['unchanged']} unchanged"
            )
        for line in report.kept:
            self.stdout.write(self.style.WARNING(f"kept: {line}"))
