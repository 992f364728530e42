"""The API of this app, one file per kind of record."""

from projects.api.matches import MatchViewSet
from projects.api.need_write import NeedViewSet
from projects.api.offer import OfferViewSet
from projects.api.project import TermViewSet
from projects.api.project_write import ProjectViewSet
from projects.api.response import ResponseViewSet
from projects.api.standards import QuantitiesViewSet, TossdViewSet

__all__ = [
    "QuantitiesViewSet",
    "TossdViewSet",
    "MatchViewSet",
    "NeedViewSet",
    "OfferViewSet",
    "ProjectViewSet",
    "ResponseViewSet",
    "TermViewSet",
]
