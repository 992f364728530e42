"""Exact figures of published projects, for the pages: how many by country, partner, theme, year."""

from collections import Counter
from functools import cached_property

from partners.models import Country
from projects.models.search import FacetKind, FacetTally, SearchEntry
from projects.models.term import Term


def facets_of(records: dict) -> list[int]:
    """{"country": a country, "term": a term, ...} as facets."""
    return [FacetKind[name.upper()].of(record.pk) for name, record in records.items()]


class Figures:
    """Figures of all published projects, or of those of one `country`, `partner` or `term`.

    Of all they cost the same at any size; else every entry that is counted is read, in one query.
    """

    def __init__(self, **of):
        facets = facets_of(of)
        self._counts: Counter = (
            SearchEntry.objects.public(*facets).counts() if facets else FacetTally.objects.counts("project")
        )

    @cached_property
    def total(self) -> int:
        return sum(FacetKind.STATUS.among(self._counts).values())  # every project has exactly one status

    @cached_property
    def by_country(self) -> dict[int, int]:
        """{country's key: projects}."""
        return FacetKind.COUNTRY.among(self._counts)

    @cached_property
    def by_partner(self) -> dict[int, int]:
        return FacetKind.PARTNER.among(self._counts)

    @cached_property
    def by_term(self) -> dict[int, int]:
        return FacetKind.TERM.among(self._counts)

    def by_year(self) -> dict[int, dict[str, int]]:
        """{year of start: {IATI status: projects}}."""
        found: dict[int, dict[str, int]] = {}
        for key, n in FacetKind.STARTED.among(self._counts).items():
            found.setdefault(key // 10, {})[str(key % 10) if key % 10 else ""] = n
        return found

    def countries(self, most: int) -> list[Country]:
        """The countries with the most projects, each with `n`."""
        return Country.objects.counted(self.by_country)[:most]

    def themes(self) -> list[Term]:
        """The themes in use, each with `n`, the most frequent first."""
        return Term.objects.themes().counted(self.by_term)

    def roles_of(self, country: Country) -> dict[str, int]:
        """In how many projects a country provides, receives, does both, and takes part at all."""
        provides, receives = (
            kind.among(self._counts).get(country.pk, 0) for kind in (FacetKind.PROVIDER, FacetKind.RECIPIENT)
        )
        count = self.by_country.get(country.pk, 0)
        return {"provides": provides, "receives": receives, "both": provides + receives - count, "count": count}
