"""What programs look for at fixed places: robots.txt, security.txt, the catalogue of APIs, the sitemap."""

import datetime as dt
from collections.abc import Iterable
from xml.sax.saxutils import escape

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from pages.discovery.sitemaps import parts_of

SITEMAP_SECONDS = 3600  # that it may be kept
TEXT = "text/plain; charset=utf-8"


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """RFC 9309. What needs an account is of no use to a search engine."""
    closed = ("/admin/", "/account/", "/accounts/", "/dashboard/")
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in closed),
        f"Sitemap: {settings.PORTAL_URL}/sitemap.xml",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type=TEXT)


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """RFC 9116. It says until when it holds: a year from today, since it is made anew at each call."""
    until = timezone.now().replace(microsecond=0) + dt.timedelta(days=365)
    lines = [
        f"Contact: mailto:{settings.SECURITY_CONTACT}",
        f"Expires: {until.astimezone(dt.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}",
        f"Preferred-Languages: {', '.join(code.split('-')[0] for code, _name in settings.LANGUAGES)}",
        f"Canonical: {settings.PORTAL_URL}/.well-known/security.txt",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type=TEXT)


@require_safe
def api_catalog(request: HttpRequest) -> HttpResponse:
    """RFC 9727: which APIs there are, and where each is described (a linkset, RFC 9264)."""

    def link(name: str, kind: str) -> list[dict]:
        return [{"href": settings.PORTAL_URL + reverse(name), "type": kind}]

    api = {
        "anchor": f"{settings.PORTAL_URL}/api/v1/",
        "service-desc": link("api-schema", "application/vnd.oai.openapi+json"),
        "service-doc": link("api-docs", "text/html"),
        "service-meta": link("data-catalogue", "application/ld+json"),
    }
    kind = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
    return JsonResponse({"linkset": [api]}, content_type=kind, headers={"Access-Control-Allow-Origin": "*"})


@require_safe
@cache_control(public=True, max_age=SITEMAP_SECONDS)
def sitemap_index(request: HttpRequest, sections: dict[str, type[Sitemap]]) -> HttpResponse:
    """sitemaps.org: the files of the sitemap, each with a part of the addresses."""
    entries = []
    for section, part, changed in parts_of(sections):
        address = reverse("sitemap-part", args=[section]) + (f"?p={part}" if part > 1 else "")
        entries.append((address, changed))
    return _sitemap(request, "sitemapindex", "sitemap", entries)


@require_safe
@cache_control(public=True, max_age=SITEMAP_SECONDS)
def sitemap_part(request: HttpRequest, sections: dict[str, type[Sitemap]], section: str) -> HttpResponse:
    """The addresses of one file."""
    if section not in sections:
        raise Http404
    site = sections[section]()
    try:
        page = site.paginator.page(request.GET.get("p", 1))
    except InvalidPage as error:
        raise Http404 from error
    changed = getattr(site, "lastmod", lambda item: None)
    entries = ((site.location(item), changed(item)) for item in page.object_list)
    return _sitemap(request, "urlset", "url", entries)


def _sitemap(
    request: HttpRequest, name: str, inner: str, entries: Iterable[tuple[str, dt.datetime | None]]
) -> HttpResponse:
    here = request.build_absolute_uri("/").rstrip("/")
    lines = [
        f"<{inner}><loc>{escape(here + address)}</loc>"
        f"{f'<lastmod>{changed:%Y-%m-%d}</lastmod>' if changed else ''}</{inner}>"
        for address, changed in entries
    ]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    text = "\n".join([head, *lines, f"</{name}>", ""])
    # The list itself is of no use as a result of a search.
    return HttpResponse(text, content_type="application/xml", headers={"X-Robots-Tag": "noindex, noodp, noarchive"})
