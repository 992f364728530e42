"""Several words as one list, in the writing of whoever reads it: Arabic and Chinese have commas and semicolons of their own."""

from collections.abc import Iterable

from django.utils.translation import pgettext


def comma() -> str:
    return pgettext("between two words of a list", ", ")


def semicolon() -> str:
    return pgettext("between two entries of a list", "; ")


def with_commas(values: Iterable) -> str:
    return comma().join(map(str, values))


def with_semicolons(values: Iterable) -> str:
    """For entries that may hold commas themselves."""
    return semicolon().join(map(str, values))
