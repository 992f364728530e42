"""The links of lists: they carry what the list knows, and nothing that other sites add to their own."""

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from lxml import etree, html

from ground.parameters import leave_foreign
from projects.filters import ProjectFilter
from tests.factories import NeedFactory, OfferFactory, ProjectFactory

pytestmark = pytest.mark.django_db
FOREIGN = "utm_source=a+newsletter&utm_medium=mail&fbclid=x&utm_source=b"
LISTS = [
    "/projects/?country=KEN", "/needs/?country=KEN", "/offers/?q=water", "/countries/?q=ken", "/partners/?q=un", "/news/?q=water", "/stories/?q=water",
    "/newsletter/?page=1", "/matches/?", "/responses/?state=accepted",
]  # fmt: skip


def links_of(answer) -> list[str]:
    page = html.fromstring(answer.content)
    found = [a.get("href") for a in page.xpath("//main//a[@href]")]
    return found + [f"?{one.get('name')}={one.get('value')}" for one in page.xpath("//main//input[@type='hidden']")]


@pytest.fixture
def some(people):
    for _n in range(21):
        ProjectFactory(published=True)
    NeedFactory(in_state="open")
    OfferFactory(in_state="active")


@pytest.mark.parametrize("address", LISTS)
def test_links_of_a_list_carry_no_parameter_of_others_and_lead_somewhere(address, some, people, sign_in):
    client = sign_in(people["focal_point"])
    plain, answer = client.get(address), client.get(f"{address}&{FOREIGN}")
    assert (plain.status_code, answer.status_code) == (200, 200)
    links = links_of(answer)
    assert not [link for link in links if "utm_" in link or "fbclid" in link]
    assert links == links_of(plain)
    for link in links:
        if link.startswith("/api/v1/") and "xlsx" not in link:  # which the others tell for
            assert client.get(link).status_code == 200, link


def test_pages_of_a_list_go_on_to_the_next(some, client):
    (link,) = html.fromstring(client.get(f"/projects/?{FOREIGN}").content).xpath("//a[@rel='next']/@href")
    assert link == "?page=2" and client.get(f"/projects/{link}").status_code == 200


@pytest.mark.parametrize("address", ["/projects/feed.atom?country=KEN", "/needs/feed.atom?q=a", "/news/feed.atom?q=a"])
def test_a_feed_names_itself_without_them(address, client):
    answer = client.get(f"{address}&{FOREIGN}")
    said = etree.fromstring(answer.content).xpath("//*[local-name()='link']/@href")
    assert said and not [link for link in said if "utm_" in link]


def test_what_the_list_knows_stays_in_its_order():
    request = RequestFactory().get("/projects/?utm_source=x&country=KEN&q=a&country=UGA&page=2&sort=title&utm_source=y")
    leave_foreign(request, ProjectFilter)
    assert request.GET.urlencode() == "country=KEN&country=UGA&q=a&page=2&sort=title"
    assert isinstance(request.GET, QueryDict)


def test_a_format_that_is_asked_of_a_page_refuses_them_still(client):
    """Nobody has seen a list then, so a misspelt filter must not answer with everything."""
    answer = client.get("/projects/?format=csv&contry=KEN", follow=True)
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == "contry"
