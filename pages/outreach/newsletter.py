"""Issues of the newsletter, as they were sent."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ground.parameters import leave_foreign
from outreach import markup
from outreach.filters import IssueFilter
from outreach.models import Issue, Picture
from pages.listing import page_of
from pages.outreach.news import NewsFeed


class IssueFeed(NewsFeed):
    filters, records, list_view = IssueFilter, Issue, "issue-list"

    def title(self):
        return _("The newsletter")

    def item_pubdate(self, one):
        return one.mailing.started_at if one.is_sent else one.created_at


@require_safe
def issue_list(request: HttpRequest) -> HttpResponse:
    leave_foreign(request)
    issues = Issue.objects.visible_to(request.user).for_listing()
    return render(request, "outreach/issue_list.html", {"page": page_of(request, issues, issues.count())})


@require_safe
def issue_detail(request: HttpRequest, slug: str) -> HttpResponse:
    issue = get_object_or_404(Issue.objects.visible_to(request.user).for_listing(), slug=slug)
    if issue.text is None:
        raise Http404
    return issue_as_read(request, issue)


def issue_as_read(request: HttpRequest, issue: Issue, *, is_preview: bool = False) -> HttpResponse:
    """An issue as its readers see it; in admin also before it is sent."""
    text = issue.text
    if text is None:
        raise Http404
    pictures = Picture.objects.in_bulk(markup.pictures_in(text.body), field_name="name")
    context = {
        "issue": issue,
        "text": text,
        "body": markup.render(text.body, pictures),
        "is_preview": is_preview,
        "may_edit": request.user.has_perm("outreach.change_issue", issue),
    }
    return render(request, "outreach/issue_detail.html", context)
