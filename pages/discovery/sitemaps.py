"""The sitemap: every page of a record that everybody may read. Only English addresses are listed; each page names its other
languages.

Asked for by strangers at any time, so its cost does not grow with the records: the index is one query over all kinds, a
part is two, and no record is loaded (`benchmarks/sitemap.py` measures it).
"""

from collections.abc import Iterator

from django.contrib.auth.models import AnonymousUser
from django.contrib.sitemaps import Sitemap
from django.db.models import Count, DateTimeField, QuerySet, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.functional import cached_property

from outreach.models import Announcement, Page, Story
from partners.models import Country, Partner, last_change_of, newest_change_of
from projects.interchange import briefs
from projects.models import Need, Offer, Project, Term

PART = 5000  # addresses in one file
NEVER = Cast(Value(None), DateTimeField())  # for kinds of records that don't say when they changed


class Records(Sitemap):
    """Base: the public records of one kind, as (what its address is made of, when it last changed)."""

    limit = PART
    view: str
    code: str
    tells_change = True  # not where the page shows more than the record
    sample = "xxx"  # of what the address is made of

    def records(self) -> QuerySet:
        raise NotImplementedError

    def items(self):
        records = self.records().order_by("pk")
        return records.values_list(self.code, last_change_of(records.model) if self.tells_change else NEVER)

    @cached_property
    def _address(self) -> tuple[str, str]:
        before, _sample, after = reverse(self.view, args=[self.sample]).rpartition(self.sample)
        return before, after

    def location(self, row):
        before, after = self._address
        return f"{before}{row[0]}{after}"

    def lastmod(self, row):
        return row[1]

    def told(self, section: str) -> QuerySet:
        """One row: this section, how many addresses it has, when one of them changed last."""
        records = self.records().order_by()
        counted = records.annotate(section=Value(section)).values("section").annotate(n=Count("pk"))
        last = newest_change_of(records.model) if self.tells_change else NEVER
        return counted.annotate(last=last).values_list("section", "n", "last")


class Projects(Records):
    view, code = "project", "reference"

    def records(self):
        return Project.objects.published()


class Needs(Records):
    view, code = "need", "reference"

    def records(self):
        return Need.objects.public().filter(unlisted_at=None)


class Offers(Records):
    view, code = "offer", "reference"

    def records(self):
        return Offer.objects.public()


class Countries(Records):
    view, code, tells_change = "country", "iso3", False

    def records(self):
        return Country.objects.all()


class Partners(Records):
    view, code, tells_change = "partner", "slug", False

    def records(self):
        return Partner.objects.all()


class Themes(Records):
    view, code, tells_change = "theme", "code", False

    def records(self):
        return Term.objects.themes()


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


class Pages(Sitemap):
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


class Reports(Sitemap):
    def items(self):
        return briefs.years()

    def location(self, year):
        return reverse("year-report", args=[year])


def parts_of(sections: dict[str, type[Sitemap]]) -> Iterator[tuple[str, int, object]]:
    """(section, which part of it, when it last changed) for each file of the sitemap."""
    queries = [section().told(name) for name, section in sections.items() if issubclass(section, Records)]
    told = {name: (count, last) for name, count, last in queries[0].union(*queries[1:], all=True)}
    for name in sections:
        count, last = told.get(name, (1, None))
        for part in range(max(1, -(-count // PART))):
            yield name, part + 1, last


SITEMAPS = {
    "pages": Pages, "reports": Reports, "projects": Projects, "needs": Needs, "offers": Offers, "countries": Countries, "partners": Partners, "themes": Themes,
    "about": About, "news": News, "stories": Stories,
}  # fmt: skip
