"""Filters of the milestones."""

import django_filters
from django.utils.translation import gettext_lazy as _

from outreach.choices import MilestoneKind
from outreach.models import Milestone
from partners.filters import LANGUAGES, named_like
from partners.models import Country
from ssc_portal.widgets import NamedSelect


class MilestoneFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Words"), method="by_words", max_length=100)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=MilestoneKind, empty_label=_("all kinds"))
    country = django_filters.ModelChoiceFilter(
        label=_("Country"), to_field_name="iso3", empty_label=_("all countries"), widget=NamedSelect,
        queryset=Country.objects.filter(pk__in=Milestone.objects.values("country")),
    )  # fmt: skip

    class Meta:
        model = Milestone
        fields: list[str] = []

    def by_words(self, queryset, name, value):
        return named_like(queryset, value, *(f"text_{code}" for code in LANGUAGES), "place", "document_title")
