"""The site's own pages and news in the sitemap."""

from django.contrib.auth.models import AnonymousUser

from outreach.models import Announcement, Page, Story
from projects.sitemaps import Records


class About(Records):
    def items(self):
        return Page.objects.filter(is_public=True).order_by("pk")


class News(Records):
    def items(self):
        return Announcement.objects.visible_to(AnonymousUser()).order_by("pk")


class Stories(Records):
    def items(self):
        return Story.objects.published().order_by("pk")


SITEMAPS = {"about": About, "news": News, "stories": Stories}
