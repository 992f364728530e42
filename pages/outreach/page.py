"""The site's own pages and their pictures."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from outreach import markup
from outreach.choices import Menu, Shows
from outreach.filters import MilestoneFilter
from outreach.models import Channel, Milestone, Page, PageText, Picture
from partners.models import Country
from projects.models import FacetKind, FacetTally, Project, Term


@require_safe
def page_detail(request: HttpRequest, path: str) -> HttpResponse:
    page = get_object_or_404(
        Page.objects.visible_to(request.user).with_texts().select_related("partner", "group"), path=path
    )
    return page_as_read(request, page, page.text)


def page_as_read(request: HttpRequest, page: Page, text: PageText | None, *, is_preview: bool = False) -> HttpResponse:
    """A page as its readers see it; in admin also before it is kept."""
    named = Picture.objects.in_bulk(markup.pictures_in(text.body), field_name="name") if text else {}
    more, status = SHOWN[page.shows](request, page) if page.shows else {}, 200
    if "filter" in more and not more["filter"].is_valid():
        status = 400
    context = {
        "page": page,
        "text": text,
        "body": markup.render(text.body, named) if text else None,
        "siblings": _menu(request),
        "channels": Channel.objects.visible_to(request.user),
        "is_preview": is_preview,
        "may_edit": request.user.has_perm("outreach.change_page", page),
        **more,
    }
    return render(request, "outreach/page.html", context, status=status)


def _menu(request: HttpRequest) -> list[tuple[str, list[Page]]]:
    """The pages under each heading, in the order of Menu."""
    pages = list(Page.objects.visible_to(request.user).for_menu())
    return [(menu.label, [page for page in pages if page.menu == menu and page.text]) for menu in Menu]


def _milestones(request: HttpRequest, page: Page) -> dict:
    milestones = Milestone.objects.visible_to(request.user).select_related("country")
    filterset = MilestoneFilter(request.GET, queryset=milestones, request=request)
    return {"filter": filterset, "milestones": filterset.qs if filterset.is_valid() else []}


def _areas(request: HttpRequest, page: Page) -> dict:
    """The thematic areas with how many needs, offers and projects were recorded for each."""
    counts = [FacetKind.TERM.among(FacetTally.objects.counts(record)) for record in ("need", "offer", "project")]
    return {"areas": [(term, *(found.get(term.pk, 0) for found in counts)) for term in Term.objects.themes()]}


def _places(request: HttpRequest, page: Page) -> dict:
    """The countries of a group, with how many projects were recorded in each."""
    counts = Project.objects.figures().by_country
    countries = Country.objects.filter(memberships_in_groups__group=page.group).by_name() if page.group_id else []
    return {"places": [(country, counts.get(country.pk, 0)) for country in countries]}


SHOWN = {Shows.MILESTONES: _milestones, Shows.AREAS: _areas, Shows.PLACES: _places}


@require_safe
@cache_control(public=True, max_age=3600)
def picture(request: HttpRequest, name: str) -> FileResponse:
    """A picture of a page. All of them are public."""
    found = get_object_or_404(Picture, name=name)
    try:
        return FileResponse(found.file.open("rb"), content_type="image/jpeg")
    except FileNotFoundError as error:  # a restored database without its files
        raise Http404 from error
