"""Addresses of the site. Other languages than English stand under /fr/ and so on; the API and admin have one address."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("ssc_portal.api_urls")),
    *i18n_patterns(
        path("", include("projects.urls")),
        path("", include("partners.urls")),
        prefix_default_language=False,
    ),
]

handler400 = "ssc_portal.views.bad_request"
handler403 = "ssc_portal.views.permission_denied"
handler404 = "ssc_portal.views.not_found"
handler500 = "ssc_portal.views.server_error"
