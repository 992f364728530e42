"""Filters of countries and partners, for the pages and the API."""

import django_filters
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from partners.choices import PartnerKind
from partners.models import Country, CountryGroup, Partner, Region
from partners.models.naming import Fold
from ssc_portal.widgets import NamedSelect

LANGUAGES = ("ar", "zh_hans", "en", "fr", "ru", "es")


def named_like(queryset, words: str, *also: str):
    """Rows with the words in a name in any language, whatever accents and case; or in one of the other columns."""
    words = words.strip()
    if not words:
        return queryset
    wanted = Q()
    for place, column in enumerate([*(f"name_{code}" for code in LANGUAGES), *also]):
        queryset = queryset.alias(**{f"folded_{place}": Fold(column)})
        wanted |= Q(**{f"folded_{place}__contains": Fold(Value(words))})
    return queryset.filter(wanted)


class RegionChoice(django_filters.ModelChoiceFilter):
    """A region with everything inside it."""

    def __init__(self, path: str, **kwargs):
        self.path = path
        super().__init__(
            queryset=Region.objects.exclude(code="001"), to_field_name="code", widget=NamedSelect, **kwargs
        )

    def filter(self, qs, value):
        if not value:
            return qs
        inside = Q()
        for depth in range(4):
            inside |= Q(**{f"{self.path}{'__parent' * depth}": value})
        return qs.filter(inside)


class CountryFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or code"), method="by_words", max_length=100)
    region = RegionChoice("region", label=_("Region"), empty_label=_("all regions"))
    group = django_filters.ModelChoiceFilter(
        label=_("Country group"), queryset=CountryGroup.objects.order_by("-is_priority", "name_en"), to_field_name="code",
        method="by_group", empty_label=_("all groups"), widget=NamedSelect,
    )  # fmt: skip

    class Meta:
        model = Country
        fields: list[str] = []

    def by_words(self, queryset, name, value):
        return named_like(queryset, value, "iso3", "iso2", "formal_name")

    def by_group(self, queryset, name, value: str):
        return queryset.filter(memberships_in_groups__group=value, memberships_in_groups__standing="member")


class PartnerFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or acronym"), method="by_words", max_length=100)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=PartnerKind.choices, empty_label=_("all kinds"))
    country = django_filters.ModelChoiceFilter(
        label=_("Country"), queryset=Country.objects.order_by("name_en"), to_field_name="iso3", method="by_country",
        empty_label=_("all countries"),
    )  # fmt: skip

    class Meta:
        model = Partner
        fields: list[str] = []

    def by_words(self, queryset, name, value):
        return named_like(queryset, value, "acronym", "iati_identifier")

    def by_country(self, queryset, name, value: str):
        return queryset.filter(Q(country=value) | Q(member_countries=value)).distinct()
