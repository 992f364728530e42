"""Filters of milestones, news and stories."""

from functools import reduce
from operator import or_

import django_filters
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _
from django_filters.fields import ModelChoiceField, ModelChoiceIterator

from ground.parameters import FilterSet
from ground.widgets import NamedSelect
from outreach.choices import AnnouncementKind, MilestoneKind
from outreach.models import Announcement, AnnouncementText, Issue, Milestone, Story, StoryText
from partners.filters import LANGUAGES, named_like
from partners.models import Country, Partner, Region
from partners.models.naming import Fold
from projects.models import Term

WORLD = "001"  # M49


class _InUse(ModelChoiceIterator):
    def __init__(self, field):
        super().__init__(field)
        self.queryset = field.in_use(field.queryset)


class InUseField(ModelChoiceField):
    """Takes any record, and offers those that lead somewhere."""

    iterator = _InUse

    def __init__(self, *args, in_use, **kwargs):
        self.in_use = in_use
        super().__init__(*args, **kwargs)


class InUseFilter(django_filters.ModelChoiceFilter):
    """A choice of records. A search for one of which there is nothing yet is no error: it can be followed."""

    field_class = InUseField


def _used_by(rows, column: str):
    return lambda records: records.filter(pk__in=rows.values(column))


class MilestoneFilter(FilterSet):
    q = django_filters.CharFilter(label=_("Words"), method="by_words", max_length=100)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=MilestoneKind, empty_label=_("all kinds"))
    country = InUseFilter(
        label=_("Country"), to_field_name="iso3", empty_label=_("all countries"), widget=NamedSelect,
        queryset=Country.objects.all(), in_use=_used_by(Milestone.objects, "country"),
    )  # fmt: skip

    class Meta:
        model = Milestone
        fields: list[str] = []

    def by_words(self, queryset, name, value):
        return named_like(queryset, value, *(f"text_{code}" for code in LANGUAGES), "place", "document_title")


def _with_words(texts, of: str, *columns: str):
    """A filter by words in a text of any language, whatever accents and case."""

    def by_words(self, queryset, name, value):
        wanted = Fold(Value(value.strip()))
        folded = {f"folded_{column}": Fold(column) for column in columns}
        hits = reduce(or_, (Q(**{f"{column}__contains": wanted}) for column in folded))
        return queryset.filter(pk__in=texts.objects.alias(**folded).filter(hits).values(of))

    return by_words


class AnnouncementFilter(FilterSet):
    q = django_filters.CharFilter(label=_("Words"), method="by_words", max_length=100)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=AnnouncementKind, empty_label=_("all kinds"))
    country = InUseFilter(
        label=_("Country"), to_field_name="iso3", empty_label=_("all countries"), widget=NamedSelect,
        queryset=Country.objects.all(), in_use=_used_by(Announcement.objects, "country"),
    )  # fmt: skip
    region = django_filters.ModelChoiceFilter(
        label=_("Region"), method="by_region", to_field_name="code", empty_label=_("all regions"), widget=NamedSelect,
        queryset=Region.objects.exclude(code=WORLD),
    )  # fmt: skip
    partner = InUseFilter(
        label=_("Partner"), field_name="partners", to_field_name="slug", empty_label=_("all partners"), widget=NamedSelect,
        queryset=Partner.objects.all(), in_use=_used_by(Announcement.partners.through.objects, "partner"),
    )  # fmt: skip
    theme = django_filters.ModelChoiceFilter(
        label=_("Theme"), field_name="themes", to_field_name="code", empty_label=_("all themes"), widget=NamedSelect,
        queryset=Term.objects.themes(),
    )  # fmt: skip

    class Meta:
        model = Announcement
        fields: list[str] = []

    def by_region(self, queryset, name, value):
        """Those of a country in the region or in a part of it."""
        return queryset.filter(country__in=Country.objects.within([value]))

    by_words = _with_words(AnnouncementText, "announcement", "title", "lede", "body")


class IssueFilter(FilterSet):
    """Issues of the newsletter have no filters; their feed is made like those of the other lists."""

    class Meta:
        model = Issue
        fields: list[str] = []


class StoryFilter(FilterSet):
    q = django_filters.CharFilter(label=_("Words"), method="by_words", max_length=100)
    theme = django_filters.ModelChoiceFilter(
        label=_("Theme"), field_name="project__terms", to_field_name="code", empty_label=_("all themes"), widget=NamedSelect,
        queryset=Term.objects.themes(), distinct=True,
    )  # fmt: skip
    country = InUseFilter(
        label=_("Country"), field_name="project__countries", to_field_name="iso3", empty_label=_("all countries"), widget=NamedSelect,
        queryset=Country.objects.all(), in_use=_used_by(Story.objects, "project__countries"), distinct=True,
    )  # fmt: skip

    class Meta:
        model = Story
        fields: list[str] = []

    by_words = _with_words(StoryText, "story", "title", "lede", "problem", "body", "lessons")
