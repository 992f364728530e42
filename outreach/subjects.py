"""What one can ask to be told of: each kind of record with its own list, its filters, and what is new in it.

A search is kept as the query of the list's address, so that whoever gets mail can open the same list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from ground import listing
from ground.templatetags.portal import day
from outreach.choices import Told
from outreach.filters import AnnouncementFilter
from outreach.models import Announcement
from outreach.models.subscriber import LONGEST_QUERY
from projects.filters import NeedFilter, OfferFilter, ProjectFilter, in_words
from projects.models import Need, Offer, Project

NOT_KEPT = ("page", "sort", "modified_since", "format")  # of an address: no part of what is looked for
MOST_FOUND = 200  # of one search, in one digest


@dataclass(frozen=True)
class Row:
    """One thing that a digest tells of."""

    title: str
    note: str
    address: str


class Subject:
    """Base: a list that one can be told of, as everybody sees it."""

    filters: type
    records: type
    list_view: str

    def filterset(self, query: str):
        """The filters that a query means, for somebody who is not signed in."""
        request = HttpRequest()
        request.user = AnonymousUser()
        return self.filters(QueryDict(query), queryset=self.records.objects.visible_to(request.user), request=request)

    def canonical(self, parameters: QueryDict) -> str:
        """The parameters as they are kept: in one order, without those that do not narrow the list.

        Raises ValidationError where the list could not be shown, or where they are too long to be kept.
        """
        known = [name for name in self.filters.base_filters if name not in NOT_KEPT]
        pairs = {(name, v.strip()) for name in known for v in parameters.getlist(name) if v.strip()}
        query = urlencode(sorted(pairs))
        if len(query) > LONGEST_QUERY:
            raise ValidationError(_("This search is too long to be kept. Leave some of its filters out."))
        filterset = self.filterset(query)
        if not filterset.is_valid():
            raise ValidationError([text for texts in filterset.errors.values() for text in texts])
        return query

    def narrowed(self, chosen: dict[str, str]) -> str:
        """The query for a choice of theme, region, country and partner, each as its code. Raises ValidationError."""
        theme = f"bsp-theme:{chosen['theme']}" if chosen.get("theme") else ""
        values = {**chosen, "term": theme} if "term" in self.filters.base_filters else chosen
        parameters = QueryDict(mutable=True)
        parameters.update({name: value for name, value in values.items() if value})
        return self.canonical(parameters)

    def address(self, query: str) -> str:
        return reverse(self.list_view) + (f"?{query}" if query else "")

    def words(self, query: str) -> list[str]:
        """The filters of a query in the reader's words."""
        raise NotImplementedError

    def found(self, query: str, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
        """What came to be public after one moment and until another: (when, key), the newest first, at most MOST_FOUND."""
        raise NotImplementedError

    def rows(self, keys: Iterable[int]) -> list[Row]:
        """What a digest says of these, in their order; without those that are not public any more."""
        raise NotImplementedError

    def _public(self, keys: Iterable[int]):
        loaded = self._loaded(self.records.objects.visible_to(AnonymousUser())).in_bulk(list(keys))
        return [loaded[key] for key in keys if key in loaded]

    def _loaded(self, records):
        return records


class Records(Subject):
    """Needs, offers and projects: found by their search entries."""

    def words(self, query):
        filterset = self.filterset(query)
        return in_words(filterset) if filterset.is_valid() else []

    def found(self, query, since, until):
        filterset = self.filterset(query)
        if not filterset.is_valid():
            return []
        new = filterset.entries().filter(is_public=True, published_at__gt=since, published_at__lte=until)
        return list(new.newest().values_list("published_at", "pk")[:MOST_FOUND])

    def rows(self, keys):
        return [Row(one.text("title")[0], self.note(one), one.get_absolute_url()) for one in self._public(keys)]

    def note(self, record) -> str:
        raise NotImplementedError


class Needs(Records):
    filters, records, list_view = NeedFilter, Need, "need-list"

    def _loaded(self, records):
        return records.select_related("country")

    def note(self, need):
        due = _("responses by %(day)s") % {"day": day(need.due_on)} if need.due_on else ""
        return listing.with_commas(filter(None, [need.reference, need.country, due]))


class Offers(Records):
    filters, records, list_view = OfferFilter, Offer, "offer-list"

    def _loaded(self, records):
        return records.select_related("country", "partner")

    def note(self, offer):
        return f"{offer.reference}, {offer.provider}"


class Projects(Records):
    filters, records, list_view = ProjectFilter, Project, "project-list"

    def note(self, project):
        return project.reference


class News(Subject):
    filters, records, list_view = AnnouncementFilter, Announcement, "news-list"

    def words(self, query):
        filterset = self.filterset(query)
        if not filterset.is_valid():
            return []
        chosen = {name: value for name, value in filterset.form.cleaned_data.items() if value}
        kinds = dict(filterset.filters["kind"].extra["choices"].choices)
        return [f"{filterset.filters[name].label}: {kinds.get(v, v)}" for name, v in chosen.items()]

    def found(self, query, since, until):
        filterset = self.filterset(query)
        if not filterset.is_valid():
            return []
        new = filterset.qs.shown_between(since, until)
        return list(new.values_list("shown_at", "pk")[:MOST_FOUND])

    def rows(self, keys):
        found = [(one, one.text) for one in self._public(keys)]
        return [Row(text.title, text.lede, one.get_absolute_url()) for one, text in found if text]

    def _loaded(self, records):
        return records.with_texts()


SUBJECTS: dict[str, Subject] = {
    Told.NEEDS: Needs(),
    Told.OFFERS: Offers(),
    Told.PROJECTS: Projects(),
    Told.NEWS: News(),
}


def label(told: str, query: str) -> str:
    """What a subscription is about, in the reader's words: new needs (Theme: wetlands, Country: Kenya)."""
    words = SUBJECTS[told].words(query) if told in SUBJECTS else []
    name = str(Told(told).label)
    return f"{name} ({', '.join(words)})" if words else name
