"""Filters of countries and partners, for the pages and the API."""

import datetime as dt

import django_filters
from django import forms
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _
from django_filters.fields import IsoDateTimeField

from ground.parameters import FilterSet
from ground.widgets import NamedSelect
from partners.choices import PartnerKind, PublicKind
from partners.models import Change, Country, CountryGroup, Partner, PublicRecord, Region
from partners.models.naming import Fold

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


class MomentField(IsoDateTimeField):
    """A moment of ISO 8601, as UTC: PostgreSQL takes no offset of 16 hours and more, which the standard allows."""

    def clean(self, value):
        found = super().clean(value)
        try:
            return found and found.astimezone(dt.UTC)
        except OverflowError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A moment of ISO 8601."""

    field_class = MomentField

    def api_schema(self) -> dict:
        return {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "maxLength": 0}]}


class SequenceField(forms.IntegerField):
    """A number of the change feed that was given already."""

    def validate(self, value):
        super().validate(value)
        if value and value > Change.objects.last_number():
            raise forms.ValidationError(_("No change has this number. Was it another portal's? Begin again with 0."))


class SequenceFilter(django_filters.NumberFilter):
    field_class = SequenceField

    def api_schema(self) -> dict:
        return {"type": "integer", "minimum": 0, "format": "int64"}


class ChangeFilter(FilterSet):
    """Of the change feed."""

    after = SequenceFilter(
        field_name="sequence", lookup_expr="gt", label=_("After this number"), min_value=0,
        help_text=_("`last` of the page read before; 0 at first."),
    )  # fmt: skip
    kind = django_filters.MultipleChoiceFilter(choices=PublicKind.choices, label=_("Kinds"))

    class Meta:
        model = Change
        fields: list[str] = []


class FollowedFilter(FilterSet):
    """Base: what has changed in public since a moment, as the change feed tells it."""

    modified_since = MomentFilter(
        label=_("Changed since"),
        method="by_last_change",
        widget=forms.HiddenInput,  # for programs: the forms of the pages don't ask
        help_text=_("A moment of ISO 8601, such as 2026-01-31T00:00:00Z."),
    )

    def by_last_change(self, queryset, name, moment):
        return queryset.filter(pk__in=PublicRecord.objects.changed_since(queryset.model, moment))


class RegionFilter(FollowedFilter):
    class Meta:
        model = Region
        fields: list[str] = []


class GroupFilter(FollowedFilter):
    class Meta:
        model = CountryGroup
        fields: list[str] = []


class CountryFilter(FollowedFilter):
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


class PartnerFilter(FollowedFilter):
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
