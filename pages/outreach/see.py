"""Pictures of what was recorded, with the figures behind them: as pages, as files, and in frames on other sites."""

from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from ground import tables
from outreach import seeing
from outreach.framing import framed
from outreach.seeing import Picture
from outreach.seeing.pictures import FIGURE_OF, KEPT, PATTERN
from outreach.subjects import SUBJECTS
from partners.callers import costly
from partners.models import Region

FORMATS = ("csv", "jsonl")
for_all = cache_control(public=True, max_age=KEPT)


def _asked(request: HttpRequest, told: str, slug: str) -> tuple[Picture, str]:
    """The picture and the canonical query that an address asks for. Raises Http404, or ValidationError for wrong filters."""
    picture = seeing.PICTURES.get(slug)
    if picture is None or told not in picture.of:
        raise Http404
    return picture, SUBJECTS[told].canonical(request.GET)


def _usable(request: HttpRequest, told: str, slug: str) -> tuple[Picture, str]:
    """The same for files and frames, which have no page to explain themselves on."""
    try:
        return _asked(request, told, slug)
    except ValidationError as error:
        raise BadRequest(" ".join(error.messages)) from error


@costly("file")
@require_safe
def see_index(request: HttpRequest) -> HttpResponse:
    groups = [
        (FIGURE_OF[told], [(picture, told, seeing.made(picture, told, "").sentence) for picture in seeing.of(told)])
        for told in FIGURE_OF
    ]
    return render(request, "outreach/see_index.html", {"groups": groups})


@costly("file")
@require_safe
def see_picture(request: HttpRequest, told: str, slug: str) -> HttpResponse:
    try:
        picture, query = _asked(request, told, slug)
    except ValidationError as error:
        context = {"messages_of_search": error.messages, "list_url": reverse("see")}
        return render(request, "outreach/see_picture.html", context, status=400)
    made, question = seeing.made(picture, told, query), f"?{query}" if query else ""
    edges = [*made.edges, None]
    context = {
        "picture": picture,
        "told": told,
        "made": made,
        "series": [(pattern, heading) for pattern, _name, heading in picture.series_of(told)],
        "bands": list(enumerate(zip(edges, edges[1:], strict=False), 1)),
        "question": question,
        "words": SUBJECTS[told].words(query),
        "list_url": SUBJECTS[told].address(query),
        "others": [one for one in seeing.of(told) if one != picture],
        "kinds": [(one, FIGURE_OF[one]) for one in picture.of if one != told],
        "regions": _regions(query) if picture.slug == "map" else [],
        "frame_url": request.build_absolute_uri(reverse("picture-frame", args=[told, slug]) + question),
        "pattern": PATTERN[told],
    }
    return render(request, "outreach/see_picture.html", context)


def _regions(query: str) -> list[tuple[Region, str]]:
    """The continents, each with the query that narrows to it."""
    found = []
    for region in Region.objects.filter(parent__code="001").by_name():
        parameters = QueryDict(query, mutable=True)
        parameters["region"] = region.code
        found.append((region, parameters.urlencode()))
    return found


@costly("file")
@require_safe
@for_all
def see_file(request: HttpRequest, told: str, slug: str, format: str) -> HttpResponse:
    """The drawing as SVG, or its figures as a table."""
    picture, query = _usable(request, told, slug)
    if format == "svg":
        drawn = seeing.made(picture, told, query).svg.replace('href="/', f'href="{request.build_absolute_uri("/")}')
        answer = HttpResponse(drawn, content_type="image/svg+xml; charset=utf-8")
        answer["Content-Disposition"] = f'inline; filename="{told}-{slug}.svg"'
        return answer
    if format not in FORMATS:
        raise Http404
    return tables.answer(
        f"{told}-{slug}", format, picture.columns(told), seeing.made(picture, told, query).cells(picture)
    )


@costly("file")
@require_safe
@for_all
@xframe_options_exempt
def see_frame(request: HttpRequest, told: str, slug: str) -> HttpResponse:
    """The picture for a frame on another site: no script, no cookie, one style sheet."""
    picture, query = _usable(request, told, slug)
    context = {
        "made": seeing.made(picture, told, query),
        "picture": picture,
        "address": request.build_absolute_uri(
            reverse("picture-of", args=[told, slug]) + (f"?{query}" if query else "")
        ),
    }
    return framed(render(request, "outreach/picture_frame.html", context))
