"""Filters of milestones and of news."""

import django_filters
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from outreach.choices import AnnouncementKind, MilestoneKind
from outreach.models import Announcement, AnnouncementText, Milestone
from partners.filters import LANGUAGES, named_like
from partners.models import Country
from partners.models.naming import Fold
from projects.models import Term
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


class AnnouncementFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Words"), method="by_words", max_length=100)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=AnnouncementKind, empty_label=_("all kinds"))
    country = django_filters.ModelChoiceFilter(
        label=_("Country"), to_field_name="iso3", empty_label=_("all countries"), widget=NamedSelect,
        queryset=Country.objects.filter(pk__in=Announcement.objects.values("country")),
    )  # fmt: skip
    theme = django_filters.ModelChoiceFilter(
        label=_("Theme"), field_name="themes", to_field_name="code", empty_label=_("all themes"), widget=NamedSelect,
        queryset=Term.objects.themes(),
    )  # fmt: skip

    class Meta:
        model = Announcement
        fields: list[str] = []

    def by_words(self, queryset, name, value):
        """Those with the words in a text of any language, whatever accents and case."""
        wanted = Fold(Value(value.strip()))
        texts = AnnouncementText.objects.alias(t=Fold("title"), l=Fold("lede"), b=Fold("body")).filter(
            Q(t__contains=wanted) | Q(l__contains=wanted) | Q(b__contains=wanted)
        )
        return queryset.filter(pk__in=texts.values("announcement"))
