"""Stories: what finished projects did well, with the figures of the project and what fits it now."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ground.parameters import leave_foreign
from outreach import markup, stories
from outreach.filters import StoryFilter
from outreach.models import Picture, Story, StoryText
from pages.discovery.linked_data import story as as_linked_data
from pages.listing import page_of
from pages.outreach.news import NewsFeed
from projects import charts


@require_safe
def story_list(request: HttpRequest) -> HttpResponse:
    leave_foreign(request, StoryFilter)
    filterset = StoryFilter(request.GET, queryset=Story.objects.visible_to(request.user).for_listing(), request=request)
    is_valid = filterset.is_valid()
    page = page_of(request, filterset.qs, filterset.qs.count()) if is_valid else None
    context = {"filter": filterset, "page": page, "total": page.paginator.count if page else 0}
    return render(request, "outreach/story_list.html", context, status=200 if is_valid else 400)


@require_safe
def story_detail(request: HttpRequest, slug: str) -> HttpResponse:
    story = get_object_or_404(
        Story.objects.visible_to(request.user).for_listing().select_related("picture", "need"), slug=slug
    )
    if story.text is None:
        raise Http404
    return story_as_read(request, story)


def story_as_read(request: HttpRequest, story: Story, *, is_preview: bool = False) -> HttpResponse:
    """A story as its readers see it; in admin also before it is kept."""
    text = story.text or StoryText(title=story.slug)
    named = Picture.objects.in_bulk(
        markup.pictures_in("\n\n".join([text.problem, text.body, text.lessons])), field_name="name"
    )
    project, user = story.project, request.user
    may_see = user.has_perm("projects.view_project", project)
    context = {
        "story": story,
        "text": text,
        "parts": [
            (name, title, markup.render(words, named))
            for name, title, words in (
                ("problem", _("The problem"), text.problem),
                ("done", _("What was done"), text.body),
                ("lessons", _("What others can learn"), text.lessons),
            )
            if words
        ],
        "project": project if may_see else None,
        "countries": [link for link in project.country_links.select_related("country") if link.country],
        "partners": [link.partner for link in project.partner_links.select_related("partner") if link.partner],
        "contributions": [(line, charts.contribution_strip(line)) for line in project.contributions.all()],
        "results": [(result, charts.result_strip(result)) for result in project.results.all()],
        "need": story.need if story.need and user.has_perm("projects.view_need", story.need) else None,
        "related": stories.related(story),
        "linked_data": as_linked_data(story, text),
        "is_preview": is_preview,
        "may_edit": user.has_perm("outreach.change_story", story),
    }
    return render(request, "outreach/story_detail.html", context)


class StoryFeed(NewsFeed):
    filters, records, list_view = StoryFilter, Story, "story-list"

    def title(self):
        return _("Stories")

    def item_pubdate(self, one):
        return one.published_at
