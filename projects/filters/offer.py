"""The filters of the list of offers."""

from collections import Counter

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from partners.models import Country, Partner
from projects.choices import CostTerms, OfferKind, OfferState
from projects.filters.base import (
    FacetFilter,
    RecordFilter,
    by,
    choice_labels,
    choices_of,
    countries,
    facet,
    group_labels,
    labels,
    region_labels,
    sorts,
    term_facets,
)
from projects.models import FacetKind, Offer, OfferEntry

EVERYBODY = FacetKind.RECIPIENT.of(0)


def _with_everybody(counts: Counter) -> Counter:
    """What is open to all is counted for each country that is named by some offer."""
    return Counter(
        {f: n + counts[EVERYBODY] * (f % 16 == FacetKind.RECIPIENT and f != EVERYBODY) for f, n in counts.items()}
    )


class OfferFilter(RecordFilter):
    """Filters of the list of offers. `country`, `region` and `group` say where the provider is."""

    ENTRY, ONE_EACH = OfferEntry, FacetKind.LIFE
    SORTS = {"title": ["sort_title", "pk"], "ends": [F("ends_on").asc(nulls_last=True), "-pk"]}

    kind = FacetFilter(FacetKind.KIND, choices_of(OfferKind), _("Kind"), ", ".join(OfferKind.values))
    state = FacetFilter(FacetKind.LIFE, choices_of(OfferState), _("State"), ", ".join(OfferState.values))
    cost = FacetFilter(FacetKind.COST, choices_of(CostTerms), _("Cost"), ", ".join(CostTerms.values))
    partner = FacetFilter(FacetKind.PARTNER, by(Partner, "slug"), _("Partners"), _("As in the partner's address."))
    open_to = FacetFilter(
        FacetKind.RECIPIENT, countries, _("Open to"), _("A country that can have it: ISO 3166-1 alpha-3, such as KEN.")
    )
    sort = sorts(("ends", _("ends soonest")))

    class Meta:
        model = Offer
        fields: list[str] = []

    def chosen(self, without=""):
        """What is open to a country is also what is open to all."""
        return [
            [*facets, EVERYBODY] if facets[0] % 16 == FacetKind.RECIPIENT else facets
            for facets in super().chosen(without)
        ]

    def facets(self, own):
        return [
            facet(self, "kind", _("Kind"), own["kind"], choice_labels(OfferKind)),
            facet(self, "cost", _("Cost"), own["cost"], choice_labels(CostTerms)),
            *term_facets(self, own["term"]),
            facet(self, "open_to", _("Open to"), _with_everybody(own["open_to"]), labels(Country, "iso3")),
            facet(self, "partner", _("Partner"), own["partner"], labels(Partner, "slug")),
            facet(self, "country", _("Country"), own["country"], labels(Country, "iso3")),
            facet(self, "region", _("Region"), own["region"], region_labels),
            facet(self, "group", _("Country group"), own["group"], group_labels),
            facet(self, "state", _("State"), own["state"], choice_labels(OfferState)),
        ]
