"""Addresses of the site. Other languages than English stand under /fr/ and so on; the API and admin have one address."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from outreach import sitemaps as of_pages
from projects import sitemaps as of_records
from ssc_portal import discovery

SITEMAPS = of_records.SITEMAPS | of_pages.SITEMAPS

urlpatterns = [
    path("robots.txt", discovery.robots, name="robots"),
    path(".well-known/security.txt", discovery.security, name="security"),
    path(".well-known/api-catalog", discovery.api_catalog, name="api-catalog"),
    path("sitemap.xml", discovery.sitemap_index, {"sections": SITEMAPS}, name="sitemap"),
    path("sitemap-<section>.xml", discovery.sitemap_part, {"sections": SITEMAPS}, name="sitemap-part"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("ssc_portal.api_urls")),
    *i18n_patterns(
        path("", include("projects.urls")),
        path("", include("partners.urls")),
        path("", include("outreach.urls")),
        prefix_default_language=False,
    ),
]

if settings.TOOLBAR:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()

handler400 = "ssc_portal.views.bad_request"
handler403 = "ssc_portal.views.permission_denied"
handler404 = "ssc_portal.views.not_found"
handler500 = "ssc_portal.views.server_error"
