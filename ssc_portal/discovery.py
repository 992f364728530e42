"""What programs look for at fixed places: robots.txt, security.txt, the catalogue of APIs. The sitemap is in urls.py."""

import datetime as dt

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

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
