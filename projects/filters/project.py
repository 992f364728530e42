"""The filters of the list of projects."""

import django_filters
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from partners.models import Country, Partner
from projects.choices import Checked, CountryRole, DeliveryLevel, Instrument, Modality, Status
from projects.filters.base import (
    Codes,
    FacetFilter,
    RecordFilter,
    by,
    choice_labels,
    choices_of,
    facet,
    group_labels,
    labels,
    region_labels,
    sorts,
    term_facets,
)
from projects.models import FacetKind, Project, SearchEntry

STATUSES = {code or "unstated": int(code or 0) for code in Status.values}
YEARS = {str(year): year for year in range(1900, 2201)}
statuses = Codes(lambda codes: {code: STATUSES[code] for code in codes if code in STATUSES}, lambda: list(STATUSES))
years = Codes(lambda codes: {code: YEARS[code] for code in codes if code in YEARS}, lambda: list(YEARS))


def _status_labels(keys):
    return {k: (str(k) if k else "unstated", Status(str(k) if k else "").label) for k in keys}


class ProjectFilter(RecordFilter):
    """Filters of the list of projects."""

    ENTRY, ONE_EACH = SearchEntry, FacetKind.STATUS
    SORTS = {"title": ["sort_title", "pk"], "start": [F("starts_on").desc(nulls_last=True), "-pk"]}

    role = django_filters.ChoiceFilter(
        label=_("Role of the country"), method="keep",
        choices=[(CountryRole.PROVIDER, _("provides")), (CountryRole.RECIPIENT, _("receives"))],
        help_text=_("Narrows the filter by country: provider or recipient."),
    )  # fmt: skip
    partner = FacetFilter(FacetKind.PARTNER, by(Partner, "slug"), _("Partners"), _("As in the partner's address."))
    modality = FacetFilter(
        FacetKind.MODALITY, choices_of(Modality), _("Modality"), ", ".join(v or "unstated" for v in Modality.values)
    )
    status = FacetFilter(FacetKind.STATUS, statuses, _("Status"), _("IATI activity status, 1 to 6, or unstated."))
    year = FacetFilter(FacetKind.YEAR, years, _("Years"), _("A year in which it ran."))
    instrument = FacetFilter(
        FacetKind.INSTRUMENT, choices_of(Instrument), _("Instrument"), ", ".join(Instrument.values)
    )
    level = FacetFilter(
        FacetKind.LEVEL,
        choices_of(DeliveryLevel),
        _("Delivery level"),
        ", ".join(v or "unstated" for v in DeliveryLevel.values),
    )
    confirmed = FacetFilter(
        FacetKind.CHECKED, choices_of(Checked), _("Confirmed by those who take part"), ", ".join(Checked.values)
    )
    sort = sorts(("start", _("latest start")))

    class Meta:
        model = Project
        fields: list[str] = []

    def kind_of(self, name):
        kinds = {CountryRole.PROVIDER.value: FacetKind.PROVIDER, CountryRole.RECIPIENT.value: FacetKind.RECIPIENT}
        kind = super().kind_of(name)
        return kinds.get(self.values.get("role"), kind) if name == "country" else kind

    @property
    def choices_in_use(self):
        role = self.values.get("role")
        label = _("Role")
        return {"role": f"{label}: {dict(self.filters['role'].extra['choices'])[role]}"} if role else {}

    def facets(self, own):
        return [
            *term_facets(self, own["term"]),
            facet(self, "region", _("Region"), own["region"], region_labels),
            facet(self, "country", _("Country"), own["country"], labels(Country, "iso3")),
            facet(self, "group", _("Country group"), own["group"], group_labels),
            facet(self, "modality", _("Modality"), own["modality"], choice_labels(Modality)),
            facet(self, "status", _("Status"), own["status"], _status_labels),
            facet(self, "instrument", _("Instrument"), own["instrument"], choice_labels(Instrument)),
            facet(self, "confirmed", _("Confirmed by those who take part"), own["confirmed"], choice_labels(Checked)),
            facet(self, "partner", _("Partner"), own["partner"], labels(Partner, "slug")),
            facet(self, "year", _("Year"), own["year"], lambda keys: {k: (str(k), str(k)) for k in keys}, newest=True),
        ]
