"""The API of this app, one file per kind of record."""

from projects.api.matches import MatchViewSet
from projects.api.need_write import NeedViewSet
from projects.api.offer import OfferViewSet
from projects.api.project import ProjectViewSet, TermViewSet
from projects.api.response import ResponseViewSet

__all__ = ["MatchViewSet", "NeedViewSet", "OfferViewSet", "ProjectViewSet", "ResponseViewSet", "TermViewSet"]
