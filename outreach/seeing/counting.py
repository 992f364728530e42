"""The figures of pictures: what passes the filters of a list, counted by place, theme, goal, year and pair of regions.

Only what everybody may read is counted. A country of which nothing was ever recorded has no figure; one whose records
do not pass the filters has 0.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Count, F, Q, QuerySet, When
from django.db.models.functions import TruncMonth
from django.http import QueryDict
from django.urls import reverse

from ground import listing
from outreach.choices import Told
from outreach.subjects import SUBJECTS
from partners.models import Country, Region
from projects.choices import NeedState, OfferState, Status, Vocabulary
from projects.models import FacetKind, ProjectCountry, Term
from projects.models.project import PROVIDING, RECEIVING

MOST_YEARS, MOST_MONTHS, MOST_FLOWS = 20, 24, 20
SHARED = ("q", "term", "country", "region", "group")  # filters that needs and offers have alike
SUBREGION = "country__region__parent"


@dataclass(frozen=True)
class Row:
    """One line of a picture's table: what it is about, its figures, and the list that has the records."""

    code: str
    label: str
    values: tuple[int, ...]
    address: str = ""
    to_code: str = ""  # of a flow: where it leads
    to_label: str = ""


def address_of(told: str, query: str, name: str, code: str) -> str:
    """The list of exactly the records that a figure counts, which also have this code. Empty where there is no such list:
    several codes of one filter are alternatives, so that another code beside them would let more in."""
    parameters = QueryDict(query, mutable=True)
    given = parameters.getlist(name)
    if given and code not in given:
        return ""
    parameters.setlist(name, [code])
    return f"{reverse(SUBJECTS[told].list_view)}?{parameters.urlencode()}"


def _filterset(told: str, query: str):
    filterset = SUBJECTS[told].filterset(query)
    filterset.is_valid()  # the query is canonical: it was checked when it came in
    return filterset


def _entries(told: str, query: str) -> QuerySet:
    return _filterset(told, query).entries().order_by()


def by_country(told: str, query: str) -> list[Row]:
    """Each country with a record, the most first."""
    filterset = _filterset(told, query)
    ever = filterset.ENTRY.objects.counts_for(AnonymousUser())
    now, ever = FacetKind.COUNTRY.among(filterset.counts()), FacetKind.COUNTRY.among(ever)
    rows = [
        Row(
            one.iso3,
            one.name,
            (now.get(one.pk, 0),),
            address_of(told, query, "country", one.iso3) if now.get(one.pk) else "",
        )
        for one in Country.objects.filter(pk__in=ever).by_name()
    ]
    return sorted(rows, key=lambda row: -row.values[0])


def _by_terms(told: str, query: str, terms: Iterable[Term], counts: dict[int, int]) -> list[Row]:
    return [
        Row(
            term.code, term.name, (n,),
            address_of(told, query, "term", f"{term.vocabulary}:{term.code}") if n else "",
        )
        for term in terms
        for n in [counts.get(term.pk, 0)]
    ]  # fmt: skip


def by_goal(told: str, query: str) -> list[Row]:
    """The seventeen Sustainable Development Goals, in their order; what counts for a target counts for its goal."""
    counts = FacetKind.TERM.among(_filterset(told, query).counts())
    goals = [term for term in Term.objects.filter(vocabulary=Vocabulary.SDG) if "." not in term.code]
    rows = _by_terms(told, query, sorted(goals, key=lambda term: int(term.code)), counts)
    return [Row(row.code, f"{row.code}. {row.label}", row.values, row.address) for row in rows]


def over_time(told: str, query: str) -> list[Row]:
    """Projects by the year in which they start; needs and offers by the month in which they came to be public. The newest,
    without gaps. The lists can't be narrowed to these, so there is no address."""
    if told != Told.PROJECTS:
        return _by_month(told, query)
    counts: dict[int, int] = {}
    for key, n in FacetKind.STARTED.among(_filterset(told, query).counts()).items():
        counts[key // 10] = counts.get(key // 10, 0) + n
    if not counts:
        return []
    first = max(min(counts), max(counts) - MOST_YEARS + 1)
    return [Row(str(year), str(year), (counts.get(year, 0),)) for year in range(first, max(counts) + 1)]


def _by_month(told: str, query: str) -> list[Row]:
    months = _entries(told, query).filter(published_at__isnull=False).annotate(month=TruncMonth("published_at"))
    found = {month.year * 12 + month.month - 1: n for month, n in months.values_list("month").annotate(n=Count("pk"))}
    if not found:
        return []
    first = max(min(found), max(found) - MOST_MONTHS + 1)
    codes = {place: f"{place // 12}-{place % 12 + 1:02}" for place in range(first, max(found) + 1)}
    return [Row(code, code, (found.get(place, 0),)) for place, code in codes.items()]


def needs_and_offers(told: str, query: str) -> list[Row]:
    """Needs that take responses beside offers that can be had, by theme; where neither is, the theme is left out."""
    given = QueryDict(query)
    shared = QueryDict(mutable=True)
    for name in SHARED:
        shared.setlist(name, given.getlist(name))
    tables, queries, states = (
        [],
        {},
        ((Told.NEEDS, (NeedState.OPEN, NeedState.IN_DIALOGUE)), (Told.OFFERS, (OfferState.ACTIVE,))),
    )
    for subject, wanted in states:
        parameters = shared.copy()
        parameters.setlist("state", list(wanted))
        queries[subject] = parameters.urlencode()
        tables.append(FacetKind.TERM.among(_filterset(subject, queries[subject]).counts()))
    asked, rows = queries[Told.NEEDS], []
    for theme in Term.objects.themes():
        values = tuple(table.get(theme.pk, 0) for table in tables)
        if any(values):
            address = address_of(Told.NEEDS, asked, "term", f"bsp-theme:{theme.code}") if values[0] else ""
            rows.append(Row(theme.code, theme.name, values, address))
    return sorted(rows, key=lambda row: (-row.values[0], row.values[1]))


DONE, UNDER_WAY = (Status.CLOSED, Status.FINALISATION), (Status.IMPLEMENTATION,)


def progress(told: str, query: str) -> list[Row]:
    """Projects of each theme: finished, in delivery, planned or not stated."""
    themes = list(Term.objects.themes())
    statuses = [int(code or 0) for code in Status.values]
    pairs = _entries(told, query).pairs(
        [FacetKind.TERM.of(theme.pk) for theme in themes], [FacetKind.STATUS.of(code) for code in statuses]
    )
    rows = []
    for theme in themes:
        own = {code: pairs.get((FacetKind.TERM.of(theme.pk), FacetKind.STATUS.of(code)), 0) for code in statuses}
        done, begun = sum(own[int(code)] for code in DONE), sum(own[int(code)] for code in UNDER_WAY)
        values = (done, begun, sum(own.values()) - done - begun)
        if any(values):
            rows.append(Row(theme.code, theme.name, values, address_of(told, query, "term", f"bsp-theme:{theme.code}")))
    return sorted(rows, key=lambda row: -sum(row.values))


def without_theme(query: str) -> int:
    """How many projects that pass have none of the themes, so that they are in no row of `progress`."""
    facets = [FacetKind.TERM.of(theme.pk) for theme in Term.objects.themes()]
    return _entries(Told.PROJECTS, query).exclude(facets__overlap=facets).count()


def without_goal(told: str, query: str) -> int:
    """How many records that pass name no goal, so that they are in no row of `by_goal`."""
    facets = [
        FacetKind.TERM.of(key) for key in Term.objects.filter(vocabulary=Vocabulary.SDG).values_list("pk", flat=True)
    ]
    return _entries(told, query).exclude(facets__overlap=facets).count()


def flows_of_regions(told: str, query: str) -> list[Row]:
    """In how many projects somebody of one sub-region (M49) shares with somebody of another, or of the same."""
    # A country belongs to a sub-region, or to an intermediate region within one.
    other = f"project__country_links__{SUBREGION}"
    giver = Case(
        When(**{f"{SUBREGION}__parent__parent__isnull": False}, then=F(SUBREGION)), default=F("country__region")
    )
    taker = Case(
        When(**{f"{other}__parent__parent__isnull": False}, then=F(other)),
        default=F("project__country_links__country__region"),
    )
    pairs = _links(told, query).values_list(giver, taker).annotate(n=Count("project", distinct=True))
    names = {region.pk: region for region in Region.objects.all()}
    rows = [Row(names[a].code, names[a].name, (n,), "", names[b].code, names[b].name) for a, b, n in pairs if a and b]
    return sorted(rows, key=lambda row: (-row.values[0], row.code, row.to_code))[:MOST_FLOWS]


def flows_of_countries(told: str, query: str) -> list[Row]:
    """In how many projects one country shares with another; the most frequent pairs."""
    pairs = _links(told, query).values_list("country", "project__country_links__country").annotate(
        n=Count("project", distinct=True)
    ).order_by("-n", "country__iso3", "project__country_links__country__iso3")  # fmt: skip
    found = list(pairs[:MOST_FLOWS])
    names = Country.objects.in_bulk({key for a, b, _n in found for key in (a, b)})
    return [
        Row(names[a].iso3, names[a].name, (n,), names[a].get_absolute_url(), names[b].iso3, names[b].name)
        for a, b, n in found
    ]


def _links(told: str, query: str) -> QuerySet:
    """Pairs of a country that shares and another that receives, in the projects that pass."""
    keys = _entries(told, query).values("pk")
    return ProjectCountry.objects.order_by().filter(
        ~Q(country=F("project__country_links__country")),
        project__in=keys,
        country__isnull=False,
        role__in=PROVIDING,
        project__country_links__country__isnull=False,
        project__country_links__role__in=RECEIVING,
    )


def total(told: str, query: str) -> int:
    return _filterset(told, query).count()


def names_of(rows: list[Row], most: int = 3) -> str:
    """The first rows in words: Kenya (5), Malawi (3)."""
    return listing.with_commas(f"{row.label} ({row.values[0]})" for row in rows[:most] if row.values[0])
