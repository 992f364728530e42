"""What the lists share: pages of a known length, and a list with its search, facets and filters in use."""

from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from ground.parameters import leave_foreign, one_value
from ground.tables import in_format
from projects import search
from projects.filters import RecordFilter, chips, facets_of

PAGE_SIZE = 20


class CountedPages(Paginator):
    """Pages of a list whose length is known already."""

    def __init__(self, rows, per_page, count: int):
        super().__init__(rows, per_page, allow_empty_first_page=True)
        self.count = count


def page_of(request: HttpRequest, rows, count: int, per_page: int = PAGE_SIZE):
    """The page that the address asks for. Raises Http404 for one that does not exist."""
    try:
        return CountedPages(rows, per_page, count).page(one_value(request.GET, "page", "1"))
    except (PageNotAnInteger, EmptyPage) as error:
        raise Http404(_("This list has no such page.")) from error


def list_page(request: HttpRequest, filterset: RecordFilter, template: str, more: dict) -> HttpResponse:
    """A list with search, facets and pages; with the errors where a filter can't be used."""
    if elsewhere := in_format(request, more["api_url"]):
        return elsewhere
    leave_foreign(request, type(filterset))
    words = request.GET.get("q", "")
    if not filterset.is_valid():
        return render(request, template, {"filter": filterset, "page": None, "words": words, **more}, status=400)
    total, facets = facets_of(filterset)
    page = page_of(request, filterset.ordered(filterset.entries()).values_list("pk", flat=True), total)
    keys = list(page.object_list)
    loaded = filterset.queryset.for_listing().in_bulk(keys)
    words = filterset.values.get("q") or ""
    return render(
        request,
        template,
        {
            "filter": filterset,
            "feed_url": f"{more['list_url']}feed.atom",
            "page": page,
            "records": [loaded[key] for key in keys if key in loaded],
            "total": total,
            "facets": facets,
            "chips": chips(filterset, facets, request.GET),
            "compiled": filterset.compiled,
            "words": words,
            "recognised": search.recognise(words),
            "did_you_mean": search.did_you_mean(words) if words and total < 3 else None,
            "sort": filterset.order,
            "sorts": filterset.filters["sort"].extra["choices"],
            "ranked": search.RANKED,
            **more,
            "is_iati_here": total > 0 and more.get("is_iati", False),  # IATI knows no empty file
        },
    )
