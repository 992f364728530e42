"""The site's own pages and news in the sitemap."""

from django.contrib.auth.models import AnonymousUser

from outreach.models import Announcement, Page, Story
from projects.sitemaps import Records


class About(Records):
    view, code, sample = "page", "path", "about"

    def records(self):
        return Page.objects.filter(is_public=True)


class News(Records):
    view, code = "news", "slug"

    def records(self):
        return Announcement.objects.visible_to(AnonymousUser())


class Stories(Records):
    view, code = "story", "slug"

    def records(self):
        return Story.objects.published()


SITEMAPS = {"about": About, "news": News, "stories": Stories}
