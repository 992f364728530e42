"""The filters of the needs that fit one's offers."""

import django_filters
from django.utils.translation import gettext_lazy as _

from ground.parameters import FilterSet
from partners.models import Country
from projects.choices import Vocabulary
from projects.models import FoundMatch, Offer, Term


class MatchFilter(FilterSet):
    """Narrows the matches of a person's offers; only what occurs in them can be chosen."""

    offer = django_filters.ModelChoiceFilter(
        queryset=Offer.objects.none(), to_field_name="reference", label=_("Your offer"), empty_label=_("any")
    )
    country = django_filters.ModelChoiceFilter(
        field_name="need__country",
        queryset=Country.objects.none(),
        to_field_name="iso3",
        label=_("Country"),
        empty_label=_("any"),
    )
    theme = django_filters.ModelChoiceFilter(
        field_name="need__term_links__term",
        queryset=Term.objects.none(),
        to_field_name="code",
        label=_("Theme"),
        empty_label=_("any"),
    )
    help = django_filters.ModelChoiceFilter(
        field_name="need__lines__assistance", queryset=Term.objects.none(), to_field_name="code", label=_("Kind of help"),
        empty_label=_("any"),
    )  # fmt: skip

    class Meta:
        model = FoundMatch
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        needs = self.queryset.order_by().values("need")
        chosen = {
            "offer": Offer.objects.filter(pk__in=self.queryset.order_by().values("offer")).order_by("reference"),
            "country": Country.objects.filter(needs__in=needs).distinct().by_name(),
            "theme": Term.objects.filter(need_links__need__in=needs, vocabulary=Vocabulary.BSP_THEME)
            .distinct()
            .order_by("position"),
            "help": Term.objects.filter(vocabulary=Vocabulary.ASSISTANCE).order_by("position"),
        }
        for name, rows in chosen.items():
            self.filters[name].queryset = rows
