"""The filters of the lists: base.py what they share, then one file per record."""

from projects.filters.base import EntryOrder, RecordFilter, chips, facets_of, in_words
from projects.filters.match import MatchFilter
from projects.filters.need import NeedFilter
from projects.filters.offer import OfferFilter
from projects.filters.project import ProjectFilter
from projects.filters.response import ResponseFilter

__all__ = [
    "EntryOrder",
    "MatchFilter",
    "NeedFilter",
    "OfferFilter",
    "ProjectFilter",
    "RecordFilter",
    "ResponseFilter",
    "chips",
    "facets_of",
    "in_words",
]
