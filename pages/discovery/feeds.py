"""Atom feeds of the lists (RFC 4287): the records that changed last and pass the filters of the address."""

from django.contrib.syndication.views import Feed
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from ground.parameters import leave_foreign
from partners.models import PublicRecord, with_last_change
from projects.filters import NeedFilter, OfferFilter, ProjectFilter
from projects.models import Need, Offer, Project

MOST = 50


class ListFeed(Feed):
    """Base: a list with its filters, in the order of the change feed, the last first. Only what everybody may read, whoever asks."""

    feed_type = Atom1Feed
    filters: type
    records: type
    list_view: str
    text: str
    updated = "told_at"  # when what everybody reads of a record last changed

    def __call__(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        """Readers compare its ETag. A moment can't tell them all: that of the newest entry does not move when a record leaves, and in
        one second more may happen than was read."""
        response = super().__call__(request, *args, **kwargs)
        response.headers.pop("Last-Modified", None)
        return response

    def get_object(self, request: HttpRequest):
        leave_foreign(request, self.filters)
        filterset = self.filters(request.GET, queryset=self.records.objects.all(), request=request)
        if not filterset.is_valid():
            raise BadRequest("; ".join(f"{name}: {text}" for name, texts in filterset.errors.items() for text in texts))
        return filterset

    def link(self, filterset):
        query = filterset.data.urlencode()
        return reverse(self.list_view) + (f"?{query}" if query else "")

    def feed_url(self, filterset):
        query = filterset.data.urlencode()
        return reverse(f"{self.list_view}-feed") + (f"?{query}" if query else "")

    def items(self, filterset):
        told = PublicRecord.objects.of(
            self.records.objects.filter(pk__in=filterset.entries().filter(is_public=True).values("pk"))
        )
        keys = list(told.order_by("-sequence").values_list("record", flat=True)[:MOST])
        loaded = with_last_change(self.records.objects.all()).in_bulk(keys)
        return [loaded[key] for key in keys if key in loaded]

    def item_title(self, record):
        return record.title

    def item_description(self, record):
        return getattr(record, self.text)

    def item_guid(self, record):
        return record.get_absolute_url()

    def item_pubdate(self, record):
        return record.published_at

    def item_updateddate(self, record):
        return getattr(record, self.updated)


class ProjectFeed(ListFeed):
    filters, records, list_view, text = ProjectFilter, Project, "project-list", "summary"

    def title(self):
        return _("Projects")


class NeedFeed(ListFeed):
    filters, records, list_view, text = NeedFilter, Need, "need-list", "public_summary"

    def title(self):
        return _("Needs")


class OfferFeed(ListFeed):
    filters, records, list_view, text = OfferFilter, Offer, "offer-list", "summary"

    def title(self):
        return _("Offers")
