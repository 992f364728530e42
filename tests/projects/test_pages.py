"""Pages: they answer, cost the same at any number of rows (law 1), write nothing (law 4), mark languages, help when empty."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.utils import timezone

from partners.models import Partner
from projects.models import Need, Project, Term
from tests import THOROUGH
from tests.factories import ContributionFactory, NeedFactory, OfferFactory, ProjectFactory, ResultFactory, UserFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]

LISTS = {
    "/": 9,
    "/projects/": 13,
    "/projects/?q=wetlands&country=KEN&term=bsp-theme:wetlands": 18,
    "/countries/": 5,
    "/countries/KEN/": 21,
    "/partners/": 3,
    "/partners/undp/": 17,
    "/themes/": 2,
    "/themes/wetlands/": 10,
    "/search/?q=wetlands": 29,
    "/api/v1/projects/": 8,
    "/api/v1/projects/?q=wetlands&country=KEN": 10,
    "/api/v1/countries/": 4,
    "/api/v1/partners/": 3,
    "/api/v1/terms/": 2,
    "/api/v1/groups/": 4,
    "/api/v1/regions/": 2,
    "/needs/": 10,
    "/needs/?q=air&country=KEN&state=open": 14,
    "/needs/unanswered/": 8,
    "/api/v1/needs/": 6,
}


def fill(count: int) -> None:
    person = UserFactory()
    for n in range(count):
        project = ProjectFactory(published=True, created_by=person, published_by=person, title=f"Wetlands {n}")
        ContributionFactory(project=project)
        ResultFactory(project=project)
        project.translations.create(language="fr", title=f"Zones humides {n}")
        OfferFactory(in_state="active")
        need = NeedFactory(in_state="open")
        Need.objects.filter(pk=need.pk).update(published_at=timezone.now() - dt.timedelta(days=40))


def test_lists_cost_the_same_at_any_length(client, count_queries):
    counts = {address: [] for address in LISTS}
    lengths = (1, 2, 27) if THOROUGH else (1, 4)
    for more in lengths:
        fill(more)
        for address, found in counts.items():
            if not found:
                client.get(address)  # names of search are kept in memory after the first time
            with count_queries() as n:
                assert client.get(address).status_code == 200
            found.append(n())
    assert counts == {address: [n] * len(lengths) for address, n in LISTS.items()}


LANGUAGES = ["/ar", "/zh-hans", "/fr", "/ru", "/es", ""]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_answers_in_every_language(language, client):
    """All pages in Arabic, each in two of the other languages or more; or all in all."""
    fill(1)
    project = Project.objects.first()
    paths = ["/", "/projects/", f"/projects/{project.reference}/", "/countries/", "/countries/KEN/", "/partners/", "/partners/undp/",
             "/themes/", "/themes/wetlands/", "/search/", "/search/?q=wetlands", "/accounts/login/"]  # fmt: skip
    for path in paths if THOROUGH or language == "/ar" else paths[LANGUAGES.index(language) % 2 :: 2]:
        response = client.get(language + path)
        assert response.status_code == 200, path
        if language == "/ar":
            assert b'lang="ar" dir="rtl"' in response.content


@pytest.mark.parametrize(
    "address", ["/needs/", "/fr/offers/", "/ar/projects/", "/countries/KEN/", "/themes/", "/search/"]
)
def test_the_navigation_says_where_one_is(address, client):
    page = client.get(address).content.decode()
    nav = page.partition('<nav class="nav"')[2].partition("</nav>")[0]
    here = re.findall(r'href="([^"]+)" aria-current="page"', nav)
    assert len(here) == 1 and address.startswith(here[0])


def test_translated_title_is_shown_and_an_untranslated_one_is_marked(client):
    fill(1)
    project = Project.objects.get()
    assert "Zones humides 0" in client.get(f"/fr/projects/{project.reference}/").content.decode()
    assert (
        '<span lang="en" dir="ltr">Wetlands 0</span>'
        in client.get(f"/ar/projects/{project.reference}/").content.decode()
    )


def test_drawings_hold_no_decimal_comma(client):
    fill(1)
    page = client.get(f"/fr/projects/{Project.objects.get().reference}/").content.decode()
    assert 'width="25.00%"' in page
    assert 'width="25,00%"' not in page


@pytest.mark.ignore_template_errors  # Django's own admin templates
def test_get_writes_nothing(client, people, sign_in, count_queries):
    fill(1)
    project = Project.objects.get()
    lists, own = list(LISTS), project.get_absolute_url()
    of_admin = ["/admin/", "/admin/projects/project/", f"/admin/projects/project/{project.pk}/change/"]
    # An administrator reads one list in three, or all.
    read = {None: [*lists, own], people["administrator"]: [*(lists if THOROUGH else lists[::3]), own, *of_admin]}
    for person, addresses in read.items():
        sign_in(person)
        for address in addresses:
            with connection.execute_wrapper(_refuse_writes):
                assert client.get(address).status_code in (200, 302)


def _refuse_writes(execute, sql, params, many, context):
    assert not sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "TRUNCATE")), sql
    return execute(sql, params, many, context)


def test_draft_is_hidden_from_the_public_and_shown_to_its_countries(client, people, sign_in):
    project = ProjectFactory()
    assert client.get(project.get_absolute_url()).status_code == 404
    assert client.get(f"/api/v1/projects/{project.reference}/").status_code == 404
    page = sign_in(people["focal_point"]).get(project.get_absolute_url())
    assert "Not public: draft" in page.content.decode()


def test_empty_result_says_what_to_loosen(client):
    fill(1)
    page = client.get("/projects/?country=FJI&q=nothing").content.decode()
    assert "Nothing passes all of these" in page
    assert "Without Country: Fiji" in page
    assert 'href="?q=nothing"' in page


@pytest.mark.parametrize(
    "address",
    ["/projects/?country=ZZZ", "/countries/?region=zz", "/partners/?kind=zz", "/countries/?group=%27%22%3Cscript%3E"],
)
def test_wrong_filter_is_refused_on_the_page(address, client):
    response = client.get(address)
    assert response.status_code == 400
    assert b"<script>" not in response.content


@pytest.mark.parametrize(
    "address",
    [
        "/projects/P-1999-0001/",
        "/countries/XXX/",
        "/partners/none/",
        "/themes/none/",
        "/nothing/",
        "/projects/?page=9",
        "/projects/?page=x",
        "/projects/?page=0",
    ],
)
def test_missing_page_helps(address, client):
    response = client.get(address)
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


@pytest.mark.parametrize("address", ["/?q=%00", "/projects/%00/", "/api/v1/projects/?q=%00", "/search/?q=a%00b"])
def test_nul_byte_is_a_bad_request(address, client):
    assert client.get(address).status_code == 400


def test_filters_survive_paging_and_sorting(client):
    fill(25)
    page = client.get("/projects/?country=KEN&page=1").content.decode()
    assert 'href="?country=KEN&amp;page=2" rel="next"' in page
    assert 'href="?country=KEN&amp;sort=title"' in page
    assert "1 to 20 of 25" in page


def test_country_page_tells_roles_and_flows(client):
    ProjectFactory(published=True, countries={"BRA": "provider", "KEN": "recipient"})
    ProjectFactory(published=True, countries={"KEN": "provider", "UGA": "recipient"})
    page = client.get("/countries/KEN/").content.decode()
    assert "shares what it knows in 1 projects and draws on others in 1" in page
    assert "United Nations." in page  # the disclaimer of the map
    flows = {f.country.iso3: (f.shares, f.draws) for f in client.get("/countries/KEN/").context["flows"]}
    assert flows == {"BRA": (1, 0), "UGA": (0, 1)}


def test_empty_portal_has_pages(client):
    Project.objects.all().delete()
    for path in [
        "/",
        "/projects/",
        "/countries/",
        "/countries/KEN/",
        "/partners/",
        "/partners/undp/",
        "/themes/",
        "/themes/forests/",
    ]:
        assert client.get(path).status_code == 200


def test_unverified_wording_is_said(client):
    assert not Term.objects.get(vocabulary="bsp-theme", code="wetlands").is_verified
    assert "wording not yet compared" in client.get("/themes/wetlands/").content.decode()


def test_partner_kept_only_as_reported_is_named(client):
    project = ProjectFactory(published=True)
    project.partner_links.create(reported_name="Ministry of Rivers", role="1")
    assert "Ministry of Rivers" in client.get(project.get_absolute_url()).content.decode()


def test_lower_case_address_leads_to_the_one_address(client):
    assert client.get("/countries/ken/")["Location"] == "/countries/KEN/"


def test_hostile_text_is_escaped_everywhere(client):
    bad = "<script>alert(1)</script>"
    project = ProjectFactory(published=True, title=bad, summary=bad, description=bad)
    Partner.objects.filter(slug="undp").update(name_en=bad)
    for path in [
        "/",
        "/projects/",
        project.get_absolute_url(),
        "/partners/undp/",
        "/partners/",
        f"/projects/?q={bad}",
        f"/search/?q={bad}",
    ]:
        assert bad not in client.get(path).content.decode(), path


def test_search_names_the_countries_and_partners_in_the_words(client):
    fill(1)
    context = client.get("/search/?q=wetlands in Kenya UNDP").context
    assert [c.iso3 for c in context["countries"]] == ["KEN"]
    assert [p.slug for p in context["partners"]] == ["undp"]


def test_better_spelling_keeps_the_filters(client):
    from projects import search

    fill(1)
    search.rebuild_words()
    page = client.get("/projects/?country=KEN&q=wetlnds").content.decode()
    assert 'href="?country=KEN&amp;q=wetlands"' in page
