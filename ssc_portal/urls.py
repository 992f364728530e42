"""Addresses of the site. Other languages than English stand under /fr/ and so on; the API and admin have one address."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from pages.discovery import site
from pages.discovery.sitemaps import SITEMAPS

urlpatterns = [
    path("robots.txt", site.robots, name="robots"),
    path(".well-known/security.txt", site.security, name="security"),
    path(".well-known/api-catalog", site.api_catalog, name="api-catalog"),
    path("sitemap.xml", site.sitemap_index, {"sections": SITEMAPS}, name="sitemap"),
    path("sitemap-<section>.xml", site.sitemap_part, {"sections": SITEMAPS}, name="sitemap-part"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("api.urls")),
    *i18n_patterns(
        path("", include("pages.urls")),
        prefix_default_language=False,
    ),
]

if settings.TOOLBAR:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()

handler400 = "ground.error_pages.bad_request"
handler403 = "ground.error_pages.permission_denied"
handler404 = "ground.error_pages.not_found"
handler500 = "ground.error_pages.server_error"
