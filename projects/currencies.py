"""Currencies by the letters of ISO 4217, those that are gone included: records are older than some of them."""

from babel.numbers import list_currencies

CURRENCIES = frozenset(list_currencies()) - {"XTS", "XXX"}  # without the codes for tests and for no currency
