"""The site's own pages in the sitemap."""

from outreach.models import Page
from projects.sitemaps import Records


class About(Records):
    def items(self):
        return Page.objects.filter(is_public=True).order_by("pk")


SITEMAPS = {"about": About}
