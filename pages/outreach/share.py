"""Cards of pages for other sites: as pictures, in frames, and by oEmbed (oembed.com, 2.0 of the text)."""

from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html
from django.utils.translation import get_language, get_language_from_path, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from ground.parameters import one_value
from outreach import sharing
from outreach.framing import framed
from outreach.sharing.png import HEIGHT, WIDTH
from partners.callers import costly

DAY = 24 * 3600
FRAME = (600, 320)  # width and height of a card in a frame
PICTURE_FRAME = (600, 560)


def _card(kind: str, code: str) -> sharing.Card:
    card = sharing.card_of(kind, code)
    if card is None:
        raise Http404
    return card


@costly("file")
@require_safe
@cache_control(public=True, max_age=DAY)
def card_picture(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """The card as PNG, drawn once an hour at most."""
    card = _card(kind, code)
    key = f"card:{kind}:{code}:{get_language()}"
    png = caches["pictures"].get_or_set(key, lambda: sharing.draw(card), 3600)
    answer = HttpResponse(png, content_type="image/png")
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@require_safe
@cache_control(public=True, max_age=300)
@xframe_options_exempt
def card_frame(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """The card for a frame on another site."""
    card = _card(kind, code)
    context = {"card": card, "address": request.build_absolute_uri(card.address)}
    return framed(render(request, "outreach/card_frame.html", context))


@require_safe
@cache_control(public=True, max_age=300)
def oembed(request: HttpRequest) -> HttpResponse:
    """What to show of an address here, for programs. 404 for what has no card, 501 for a form other than JSON and XML."""
    wanted = one_value(request.GET, "format", "json")
    if wanted not in ("json", "xml"):
        return HttpResponse(_("Ask for json or xml."), status=501, content_type="text/plain; charset=utf-8")
    try:
        parts = urlsplit(one_value(request.GET, "url")[:2000])
    except ValueError as error:
        raise Http404 from error
    if parts.netloc and parts.netloc != request.get_host():
        raise Http404
    path = parts.path
    with override(get_language_from_path(path) or "en"):
        try:
            found = sharing.of_page(resolve(path))
        except Resolver404 as error:
            raise Http404 from error
        if found is None:
            raise Http404
        card = _card(*found)
        told = _told(request, found, card, parts.query)
    return (
        JsonResponse(told) if wanted == "json" else HttpResponse(_as_xml(told), content_type="text/xml; charset=utf-8")
    )


def _told(request: HttpRequest, found: tuple[str, str], card: sharing.Card, query: str) -> dict:
    here = request.build_absolute_uri
    width, height = PICTURE_FRAME if found[0] == "see" else FRAME
    frame = reverse("card", args=found)
    if found[0] == "see":
        told, _dash, slug = found[1].partition("-")
        frame = reverse("picture-frame", args=[told, slug]) + (f"?{query}" if query else "")
    width, height = min(width, _limit(request, "maxwidth")), min(height, _limit(request, "maxheight"))
    html = format_html(
        '<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy"></iframe>',
        here(frame),
        card.title,
        width,
        height,
    )
    return {
        "version": "1.0", "type": "rich", "title": card.title, "html": str(html), "width": width, "height": height,
        "provider_name": _("South-South cooperation on the environment"), "provider_url": here(reverse("home")),
        "thumbnail_url": here(reverse("card-picture", args=found)), "thumbnail_width": WIDTH, "thumbnail_height": HEIGHT,
        "cache_age": 300,
    }  # fmt: skip


def _limit(request: HttpRequest, name: str) -> int:
    """The largest width or height that is asked for; anything that is no number sets no limit."""
    given = one_value(request.GET, name)
    return max(int(given), 1) if given.isascii() and given.isdigit() and len(given) < 6 else 100_000


def _as_xml(told: dict) -> bytes:
    root = Element("oembed")
    for name, value in told.items():
        SubElement(root, name).text = str(value)
    return tostring(root, encoding="utf-8", xml_declaration=True)
