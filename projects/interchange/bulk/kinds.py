"""Which kinds of tables come in."""

from projects.interchange.bulk.countries_partners import CountryResource, PartnerResource
from projects.interchange.bulk.needs_offers import NeedResource, OfferResource
from projects.interchange.bulk.projects import ProjectResource
from projects.interchange.bulk.resources import TableResource

KINDS: dict[str, type[TableResource]] = {
    "countries": CountryResource, "partners": PartnerResource, "projects": ProjectResource, "needs": NeedResource,
    "offers": OfferResource,
}  # fmt: skip
