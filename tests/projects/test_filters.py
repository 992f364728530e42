"""Filters and facets: the same codes everywhere, unknown values refused, counts exact."""

from types import SimpleNamespace

import django_filters
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import QueryDict

from ground.parameters import FilterSet
from partners.choices import Role
from partners.models import GroupMember
from projects import search
from projects.choices import Checked, DeliveryLevel, Instrument, Modality
from projects.filters import ProjectFilter, facets_of
from projects.models import FacetKind, FacetTally, Project, SearchEntry
from tests.factories import MembershipFactory, ProjectFactory, UserFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def ask(query: str, user=None) -> ProjectFilter:
    request = SimpleNamespace(user=user or AnonymousUser())
    filterset = ProjectFilter(QueryDict(query), queryset=Project.objects.all(), request=request)
    filterset.is_valid()
    return filterset


@pytest.fixture
def collection():
    return {
        "kenya": ProjectFactory(
            published=True, countries={"KEN": "recipient"}, terms=["bsp-theme:forests"], partners=["undp"]
        ),
        "brazil": ProjectFactory(
            published=True, countries={"BRA": "provider", "MOZ": "recipient"}, terms=["sdg:14.2"], partners=["fao"]
        ),
        "fiji": ProjectFactory(
            published=True, countries={"FJI": "both"}, terms=[], partners=[], modality="", status="4"
        ),
        "draft": ProjectFactory(countries={"KEN": "recipient"}),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"kenya", "brazil", "fiji"}),
        ("country=KEN", {"kenya"}),
        ("country=ke", {"kenya"}),
        ("country=KEN&country=FJI", {"kenya", "fiji"}),
        ("country=MOZ&role=provider", set()),
        ("country=MOZ&role=recipient", {"brazil"}),
        ("country=FJI&role=provider", {"fiji"}),
        ("region=002", {"kenya", "brazil"}),
        ("region=014&country=BRA", {"brazil"}),
        ("group=sids", {"fiji"}),
        ("group=ldc", {"brazil"}),
        ("term=bsp-theme:forests", {"kenya"}),
        ("term=sdg:14", {"brazil"}),
        ("partner=fao&partner=undp", {"kenya", "brazil"}),
        ("modality=unstated", {"fiji"}),
        ("status=4", {"fiji"}),
        ("year=2025", {"kenya", "brazil", "fiji"}),
        ("year=2019", set()),
        ("instrument=action", set()),
        ("q=wetlands&country=KEN", {"kenya"}),
    ],
)
def test_filter_finds(collection, query, names):
    assert set(ask(query).entries().values_list("pk", flat=True)) == {collection[name].pk for name in names}


@pytest.mark.parametrize(
    "query",
    ["country=ZZZ", "region=Africa", "group=none", "term=forests", "term=bsp-theme:none", "partner=nobody", "modality=x", "status=9",
     "year=abc", "year=99999999999999999999", "year=１２３４", "role=donor", "sort=random", "country=" + "K" * 300],
)  # fmt: skip
def test_unknown_value_is_an_error_and_never_everything(query):
    filterset = ask(query)
    assert not filterset.is_valid()
    assert list(filterset.errors) == [query.split("=")[0]]


def test_too_many_values_are_refused():
    assert "At most 50" in str(ask("&".join(f"year={1900 + n}" for n in range(51))).errors)


def test_facet_counts_are_exact_and_ignore_their_own_choice(collection):
    total, facets = facets_of(ask("country=KEN"))
    assert total == 1
    countries = {
        o.code: (o.count, o.is_chosen) for f in facets if f.parameter == "country" for o in [*f.options, *f.more]
    }
    assert countries == {"KEN": (1, True), "BRA": (1, False), "MOZ": (1, False), "FJI": (1, False)}
    regions = {o.code: o.count for f in facets if f.parameter == "region" for o in [*f.options, *f.more]}
    assert regions == {"002": 1, "014": 1, "202": 1}


def test_every_facet_kind_is_written_by_the_database_as_python_reads_it():
    project = ProjectFactory(
        published=True, modality="triangular", status="3", instrument="programme", delivery_level="regional"
    )
    kinds = {FacetKind(facet % 16) for facet in SearchEntry.objects.get(pk=project.pk).facets}
    assert kinds == set(FacetKind) - {FacetKind.KIND, FacetKind.COST}  # those are of needs and offers
    facets = set(SearchEntry.objects.get(pk=project.pk).facets)
    assert {
        FacetKind.MODALITY.of(Modality.values.index("triangular")),
        FacetKind.STATUS.of(3),
        FacetKind.INSTRUMENT.of(Instrument.values.index("programme")),
        FacetKind.LEVEL.of(DeliveryLevel.values.index("regional")),
        FacetKind.YEAR.of(2024),
        FacetKind.YEAR.of(2026),
        FacetKind.STARTED.of(2024 * 10 + 3),
        FacetKind.CHECKED.of(Checked.values.index("none")),
    } <= facets


def test_tallies_are_what_counting_gives_whoever_wrote(collection):
    def agree():
        assert FacetTally.objects.counts("project") == SearchEntry.objects.public().counts()

    agree()
    Project.objects.filter(pk=collection["draft"].pk).update(status="5")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE projects_project SET modality = '' WHERE state = 'published'")
        cursor.execute("DELETE FROM projects_projectcountry WHERE role = 'recipient'")
    agree()
    collection["brazil"].delete()
    GroupMember.objects.filter(country__iso3="KEN").delete()
    agree()
    rows = FacetTally.objects.count()
    FacetTally.objects.fold()
    agree()
    assert FacetTally.objects.count() < rows
    search.rebuild()
    agree()


def test_unfiltered_counts_are_those_of_what_a_person_sees(collection):
    member = MembershipFactory(role=Role.CONTRIBUTOR).user
    for user, seen in (
        (AnonymousUser(), 3),
        (member, 4),
        (MembershipFactory(role=Role.DESK).user, 4),
        (UserFactory(), 3),
    ):
        filterset = ask("", user)
        assert filterset.count() == facets_of(filterset)[0] == seen
        assert filterset.counts() == SearchEntry.objects.visible_to(user).counts()


def test_sorting_is_total(collection):
    for sort in ("newest", "start", "title"):
        filterset = ask(f"sort={sort}")
        assert len(set(filterset.ordered(filterset.entries()).values_list("pk", flat=True))) == 3


# --- one value given twice -----------------------------------------------------------------------------------------------
ONCE = "Give this parameter once."


@pytest.mark.parametrize(
    "address",
    [
        "/projects/?q=water&q=forest", "/projects/?sort=title&sort=newest", "/projects/?role=provider&role=recipient",
        "/projects/?page=1&page=2", "/projects/?modified_since=2026-01-01T00:00:00Z&modified_since=2026-02-01T00:00:00Z",
        "/needs/?answered=no&answered=yes", "/needs/?due=7&due=30", "/offers/?sort=title&sort=newest",
        "/projects/feed.atom?q=a&q=b", "/countries/?region=014&region=015", "/partners/?kind=government&kind=academic",
        "/countries/?modified_since=2026-01-01T00:00:00Z&modified_since=2026-02-01T00:00:00Z",
        "/news/?kind=event&kind=call", "/stories/?theme=forests&theme=wetlands", "/calendar/?month=2026-01&month=2026-02",
        "/data/quality/?publisher=undp&publisher=fao", "/matches/?help=finance&help=expert", "/responses/?state=agreed&state=declined",
        "/subscribe/to/needs/?answered=no&answered=yes",
        "/api/v1/matches/?need=N-KEN-2026-0001&need=N-KEN-2026-0002", "/api/v1/projects/?q=water&q=forest", "/api/v1/countries/KEN/?format=json&format=json", "/api/v1/countries/?q=a&q=b",
    ],
)  # fmt: skip
def test_a_parameter_that_takes_one_value_is_refused_twice(client, address):
    client.force_login(UserFactory())
    answer = client.get(address)
    assert answer.status_code == 400 and ONCE in answer.content.decode(), address


def test_words_given_twice_are_all_searched_for(client):
    assert client.get("/search/?q=blue&q=carbon").context["words"] == "blue carbon"


def test_several_values_of_a_filter_that_takes_them_are_all_used(client, collection):
    page = client.get("/projects/?country=KEN&country=FJI")
    assert {one.pk for one in page.context["records"]} == {collection["kenya"].pk, collection["fiji"].pk}


def test_every_filter_of_every_list_knows_whether_it_takes_several_values():
    from api import project as of_api
    from outreach import filters as of_outreach
    from partners import filters as of_partners
    from projects import filters as of_projects

    found = {one for module in (of_outreach, of_partners, of_projects, of_api) for one in vars(module).values()
             if isinstance(one, type) and issubclass(one, django_filters.FilterSet)} - {django_filters.FilterSet}  # fmt: skip
    assert len(found) > 10 and all(issubclass(one, FilterSet) for one in found)
