"""News, events and calls; and one calendar of all that has a day."""

import datetime as dt

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ground.parameters import leave_foreign, one_value
from outreach import calendar as days
from outreach import markup
from outreach.filters import AnnouncementFilter
from outreach.models import Announcement, AnnouncementText, Picture
from pages.discovery.feeds import MOST, ListFeed
from pages.listing import page_of

MONTHS = 3  # on a page of the calendar
FILE_DAYS = 400  # ahead


@require_safe
def news_list(request: HttpRequest) -> HttpResponse:
    leave_foreign(request, AnnouncementFilter)
    told = Announcement.objects.visible_to(request.user).for_listing()
    filterset = AnnouncementFilter(request.GET, queryset=told, request=request)
    page, is_valid = None, filterset.is_valid()
    if is_valid:
        page = page_of(request, filterset.qs, filterset.qs.count())
    query = request.GET.copy()
    query.pop("page", None)
    feed_url = reverse("news-list-feed") + (f"?{query.urlencode()}" if query else "")
    context = {"filter": filterset, "page": page, "total": page.paginator.count if page else 0, "feed_url": feed_url}
    return render(request, "outreach/news_list.html", context, status=200 if is_valid else 400)


@require_safe
def news_detail(request: HttpRequest, slug: str) -> HttpResponse:
    told = Announcement.objects.visible_to(request.user).for_listing().prefetch_related("partners")
    announcement = get_object_or_404(told, slug=slug)
    if announcement.text is None:
        raise Http404
    return news_as_read(request, announcement)


def news_as_read(request: HttpRequest, announcement: Announcement, *, is_preview: bool = False) -> HttpResponse:
    """An item as its readers see it; in admin also before it is kept."""
    text = announcement.text or AnnouncementText(title=announcement.slug)
    pictures = Picture.objects.in_bulk(markup.pictures_in(text.body), field_name="name")
    context = {
        "announcement": announcement,
        "text": text,
        "body": markup.render(text.body, pictures),
        "is_preview": is_preview,
        "may_edit": request.user.has_perm("outreach.change_announcement", announcement),
    }
    return render(request, "outreach/news_detail.html", context)


class NewsFeed(ListFeed):
    filters, records, list_view = AnnouncementFilter, Announcement, "news-list"
    updated = "modified_at"

    def title(self):
        return _("News, events and calls")

    def items(self, filterset):
        told = filterset.qs.visible_to(AnonymousUser()).with_texts()[:MOST]
        return [one for one in told if one.text]

    def item_title(self, one):
        return one.text.title

    def item_description(self, one):
        return one.text.lede

    def item_pubdate(self, one):
        return timezone.make_aware(dt.datetime.combine(one.published_on, dt.time()))


# --- the calendar --------------------------------------------------------------------------------------------------------
@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """Three months of what has a day, from this month or the one in the address."""
    first = _month_of(request)
    starts = [_later(first, months) for months in range(MONTHS + 1)]
    found = days.entries(request.user, first, starts[-1] - dt.timedelta(days=1))
    months = [
        (start, [one for one in found if max(one.starts_on, first) >= start and max(one.starts_on, first) < end])
        for start, end in zip(starts[:-1], starts[1:], strict=True)
    ]
    context = {
        "months": months,
        "before": f"{_later(first, -MONTHS):%Y-%m}",
        "after": f"{starts[-1]:%Y-%m}",
        "file_url": request.build_absolute_uri(reverse("calendar-file")),
    }
    return render(request, "outreach/calendar.html", context)


def _month_of(request: HttpRequest) -> dt.date:
    """The first day of the month that the address names, such as ?month=2027-01. Raises Http404 for what is none."""
    given = one_value(request.GET, "month")
    if not given:
        return timezone.localdate().replace(day=1)
    try:
        first = dt.datetime.strptime(given, "%Y-%m").date()  # noqa: DTZ007  a day has no time zone
    except ValueError:
        raise Http404(_("There is no such month.")) from None
    if not 2000 <= first.year < 2100:
        raise Http404(_("There is no such month."))
    return first


def _later(first: dt.date, months: int) -> dt.date:
    years, month = divmod(first.month - 1 + months, 12)
    return dt.date(first.year + years, month + 1, 1)


@require_safe
def calendar_file(request: HttpRequest) -> HttpResponse:
    """The same for calendars of people: from a month ago, as the public sees it."""
    today = timezone.localdate()
    found = days.entries(AnonymousUser(), today - dt.timedelta(days=31), today + dt.timedelta(days=FILE_DAYS))
    content = days.as_file(found, _("South-South cooperation on the environment"))
    headers = {"Content-Disposition": 'inline; filename="south-south-cooperation.ics"'}
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)
