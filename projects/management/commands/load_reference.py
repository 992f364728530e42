"""Loads countries, groups, partners and vocabularies from fixtures/reference. Safe to run again at any time."""

from django.core.management.base import BaseCommand
from django.db import transaction

from partners.reference import Report, load_places_and_partners
from projects.vocabularies import load_terms


class Command(BaseCommand):
    help = (
        "Loads or refreshes the reference data: regions, countries, groups, partners, terms. Never doubles a record and "
        "never overwrites what staff edited; such fields are listed."
    )

    @transaction.atomic
    def handle(self, *args, **options):
        report = Report()
        load_places_and_partners(report)
        load_terms(report)
        for what, counts in report.counts.items():
            self.stdout.write(
                f"{what}: {counts['new']} new, {counts['updated']} updated, {counts['unchanged']} unchanged"
            )
        for line in report.kept:
            self.stdout.write(self.style.WARNING(f"kept: {line}"))
