"""The filters of the lists: base.py what they share, then one file per record."""

from projects.filters.base import EntryOrder, RecordFilter, chips, facets_of
from projects.filters.need import NeedFilter
from projects.filters.project import ProjectFilter

__all__ = ["EntryOrder", "NeedFilter", "ProjectFilter", "RecordFilter", "chips", "facets_of"]
