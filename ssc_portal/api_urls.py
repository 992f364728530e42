"""Addresses of the API, stable from the first release. An incompatible change would get /api/v2/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from partners import api as partners
from projects import api as projects
from ssc_portal.api_description import api_docs, api_schema

router = SimpleRouter()
router.register("changes", partners.ChangeViewSet, basename="api-change")
router.register("countries", partners.CountryViewSet, basename="api-country")
router.register("regions", partners.RegionViewSet, basename="api-region")
router.register("groups", partners.GroupViewSet, basename="api-group")
router.register("partners", partners.PartnerViewSet, basename="api-partner")
router.register("terms", projects.TermViewSet, basename="api-term")
router.register("needs", projects.NeedViewSet, basename="api-need")
router.register("offers", projects.OfferViewSet, basename="api-offer")
router.register("matches", projects.MatchViewSet, basename="api-match")
router.register("responses", projects.ResponseViewSet, basename="api-response")
router.register("tossd", projects.TossdViewSet, basename="api-tossd")
router.register("quantities", projects.QuantitiesViewSet, basename="api-quantities")
router.register("projects", projects.ProjectViewSet, basename="api-project")

urlpatterns = [
    path("schema/", api_schema, name="api-schema"),
    path("docs/", api_docs, name="api-docs"),
    *router.urls,
]
