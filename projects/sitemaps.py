"""The sitemap: every page of a record that everybody may read, in all languages."""

from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from partners.models import Country, Partner, last_change, with_last_change
from projects.interchange import briefs
from projects.models import Need, Offer, Project, Term


class Records(Sitemap):
    """Base: the public records of one kind. Only English addresses are listed; each page names its other languages."""

    limit = 5000  # addresses in one file

    def lastmod(self, record):
        return last_change(record) if hasattr(record, "modified_at") else None


class Projects(Records):
    def items(self):
        return with_last_change(Project.objects.published().only("reference", "modified_at")).order_by("pk")


class Needs(Records):
    def items(self):
        return with_last_change(
            Need.objects.public().filter(unlisted_at=None).only("reference", "modified_at")
        ).order_by("pk")


class Offers(Records):
    def items(self):
        return with_last_change(Offer.objects.public().only("reference", "modified_at")).order_by("pk")


class Countries(Records):
    def items(self):
        return Country.objects.order_by("iso3")


class Partners(Records):
    def items(self):
        return Partner.objects.order_by("slug")


class Themes(Records):
    def items(self):
        return Term.objects.themes()


class Pages(Records):
    def items(self):
        return [
            "home",
            "project-list",
            "need-list",
            "need-unanswered",
            "offer-list",
            "demand",
            "country-list",
            "partner-list",
            "theme-list",
            "data",
        ]

    def location(self, name):
        return reverse(name)


class Reports(Records):
    def items(self):
        return briefs.years()

    def location(self, year):
        return reverse("year-report", args=[year])


SITEMAPS = {
    "pages": Pages, "reports": Reports, "projects": Projects, "needs": Needs, "offers": Offers, "countries": Countries, "partners": Partners, "themes": Themes,
}  # fmt: skip
