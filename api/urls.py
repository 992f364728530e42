"""Addresses of the API, stable from the first release. An incompatible change would get /api/v2/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from api import matches, need_write, offer, partners, project, project_write, response, standards
from api.description import api_docs, api_schema

router = SimpleRouter()
router.register("changes", partners.ChangeViewSet, basename="api-change")
router.register("countries", partners.CountryViewSet, basename="api-country")
router.register("regions", partners.RegionViewSet, basename="api-region")
router.register("groups", partners.GroupViewSet, basename="api-group")
router.register("partners", partners.PartnerViewSet, basename="api-partner")
router.register("terms", project.TermViewSet, basename="api-term")
router.register("needs", need_write.NeedViewSet, basename="api-need")
router.register("offers", offer.OfferViewSet, basename="api-offer")
router.register("matches", matches.MatchViewSet, basename="api-match")
router.register("responses", response.ResponseViewSet, basename="api-response")
router.register("tossd", standards.TossdViewSet, basename="api-tossd")
router.register("quantities", standards.QuantitiesViewSet, basename="api-quantities")
router.register("projects", project_write.ProjectViewSet, basename="api-project")

urlpatterns = [
    path("schema/", api_schema, name="api-schema"),
    path("docs/", api_docs, name="api-docs"),
    *router.urls,
]
