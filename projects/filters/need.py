"""The filters of the list of needs."""

import datetime as dt

import django_filters
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners.models import Country
from projects.choices import NeedKind, NeedState
from projects.filters.base import (
    FacetFilter,
    RecordFilter,
    choice_labels,
    choices_of,
    facet,
    group_labels,
    labels,
    region_labels,
    sorts,
    term_facets,
)
from projects.models import FacetKind, Need, NeedEntry

WAITING = {"30": _("more than 30 days"), "90": _("more than 90 days"), "180": _("more than 180 days")}
DUE = {"7": _("within 7 days"), "30": _("within 30 days"), "60": _("within 60 days")}


class NeedFilter(RecordFilter):
    """Filters of the list of needs."""

    ENTRY, ONE_EACH = NeedEntry, FacetKind.LIFE
    SORTS = {
        "title": ["sort_title", "pk"],
        "deadline": [F("due_on").asc(nulls_last=True), "-pk"],
        "longest": [F("published_at").asc(nulls_last=True), "pk"],
    }

    kind = FacetFilter(FacetKind.KIND, choices_of(NeedKind), _("Kind"), ", ".join(NeedKind.values))
    state = FacetFilter(FacetKind.LIFE, choices_of(NeedState), _("State"), ", ".join(NeedState.values))
    answered = django_filters.ChoiceFilter(
        label=_("Responses"), method="keep", choices=[("no", _("none yet")), ("yes", _("at least one"))],
        help_text=_("Whether anybody has responded: yes or no."),
    )  # fmt: skip
    waiting = django_filters.ChoiceFilter(
        label=_("Open for"),
        method="keep",
        choices=list(WAITING.items()),
        help_text=_("Days since it was opened, at least: 30, 90 or 180."),
    )
    due = django_filters.ChoiceFilter(
        label=_("Deadline"),
        method="keep",
        choices=list(DUE.items()),
        help_text=_("Days until its deadline, at most: 7, 30 or 60."),
    )
    sort = sorts(("deadline", _("nearest deadline")), ("longest", _("longest open")))

    class Meta:
        model = Need
        fields: list[str] = []

    @property
    def is_narrowed(self):
        return any(self.values.get(name) for name in ("answered", "waiting", "due"))

    def narrowed(self, entries):
        if answered := self.values.get("answered"):
            entries = entries.filter(is_answered=answered == "yes")
        if waiting := self.values.get("waiting"):
            entries = entries.filter(published_at__lte=timezone.now() - dt.timedelta(days=int(waiting)))
        if due := self.values.get("due"):
            today = timezone.localdate()
            entries = entries.filter(due_on__range=(today, today + dt.timedelta(days=int(due))))
        return entries

    @property
    def choices_in_use(self):
        return {
            name: f"{self.filters[name].label}: {dict(self.filters[name].extra['choices'])[value]}"
            for name in ("answered", "waiting", "due")
            if (value := self.values.get(name))
        }

    def facets(self, own):
        return [
            facet(self, "state", _("State"), own["state"], choice_labels(NeedState)),
            facet(self, "kind", _("Kind"), own["kind"], choice_labels(NeedKind)),
            *term_facets(self, own["term"]),
            facet(self, "region", _("Region"), own["region"], region_labels),
            facet(self, "country", _("Country"), own["country"], labels(Country, "iso3")),
            facet(self, "group", _("Country group"), own["group"], group_labels),
        ]
