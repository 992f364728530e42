"""Brings in offers of countries and partners from a table."""

from projects.interchange.offers_import import COLUMNS, import_offers
from projects.management.commands.import_needs import Command as ImportNeeds


class Command(ImportNeeds):
    help = (
        "Reads offers from a CSV file: rows with the same offer_id become one draft of their provider, entered on its "
        "behalf. Safe to run again: offers that are here already stay as they are. Exits with 1 when nothing could be read."
    )
    columns, bring_in = COLUMNS, staticmethod(import_offers)
