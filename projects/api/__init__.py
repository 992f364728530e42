"""The API of this app, one file per kind of record."""

from projects.api.need import NeedViewSet
from projects.api.project import ProjectViewSet, TermViewSet

__all__ = ["NeedViewSet", "ProjectViewSet", "TermViewSet"]
