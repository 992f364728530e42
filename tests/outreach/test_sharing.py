"""What other sites show of pages here: pictures, cards in frames, oEmbed. Only of what everybody may read."""

import io
import re
from urllib.parse import quote

import pytest
from django.core.cache import caches
from lxml import etree, html
from micawber import Provider
from PIL import Image

from outreach import sharing
from outreach.models import Announcement, AnnouncementText, Issue, IssueText, Page
from partners.models import Country, Partner
from projects.choices import NeedState, OfferState
from tests.factories import NeedFactory, OfferFactory, ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    caches["pictures"].clear()


@pytest.fixture
def everything():
    """A public page of each kind: {kind: (code, path)}."""
    need, offer = NeedFactory(in_state=NeedState.OPEN, title='Air & "water"'), OfferFactory(in_state=OfferState.ACTIVE)
    project = ProjectFactory(published=True)
    news = Announcement.objects.create(slug="told", is_public=True)
    AnnouncementText.objects.create(announcement=news, title="Told", lede="It happened.")
    issue = Issue.objects.create(slug="one", is_public=True)
    IssueText.objects.create(issue=issue, title="An issue")
    page = Page.objects.get(path="about/history")
    return {
        "needs": (need.reference, need.get_absolute_url()), "offers": (offer.reference, offer.get_absolute_url()),
        "projects": (project.reference, project.get_absolute_url()), "countries": ("KEN", "/countries/KEN/"),
        "partners": ("undp", "/partners/undp/"), "news": ("told", "/news/told/"), "newsletter": ("one", "/newsletter/one/"),
        "about": ("about--history", page.get_absolute_url()), "see": ("projects-map", "/see/projects/map/"),
    }  # fmt: skip


def meta(text: str) -> dict[str, str]:
    found = html.fromstring(text).xpath("//meta[@property or starts-with(@name, 'twitter')]")
    return {one.get("property") or one.get("name"): one.get("content") for one in found}


def test_every_kind_of_page_has_its_picture_its_card_and_its_oembed(everything, client):
    assert set(everything) == {
        "needs",
        "offers",
        "projects",
        "countries",
        "partners",
        "news",
        "newsletter",
        "about",
        "see",
    }
    for kind, (code, path) in everything.items():
        page = client.get(path).content.decode()
        said = meta(page)
        assert said["og:image"] == f"http://127.0.0.1:8000/cards/{kind}/{code}.png", kind
        assert said["og:title"] and said["og:description"] and said["og:url"] == f"http://testserver{path}"
        assert said["twitter:card"] == "summary_large_image"
        picture = client.get(f"/cards/{kind}/{code}.png")
        assert picture["Content-Type"] == "image/png" and "max-age" in picture["Cache-Control"]
        assert Image.open(io.BytesIO(picture.content)).size == (1200, 630)
        frame = client.get(f"/cards/{kind}/{code}/")
        assert frame.status_code == 200 and f'href="http://testserver{path}"' in frame.content.decode()
        (link,) = re.findall(r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', page)
        told = client.get(link.replace("&amp;", "&")).json()
        assert told["title"] == sharing.card_of(kind, code).title
        source = re.search(r'src="([^"]+)"', told["html"])[1]
        shown = client.get(source.removeprefix("http://testserver"))
        assert shown.status_code == 200 and "frame-ancestors *" in shown["Content-Security-Policy"], kind


def test_a_frame_is_small_and_closed(everything, client):
    code, _path = everything["needs"]
    answer = client.get(f"/cards/needs/{code}/")
    policy, text = answer["Content-Security-Policy"], answer.content.decode()
    for rule in (
        "default-src 'none'",
        "script-src 'none'",
        "form-action 'none'",
        "style-src 'self'",
        "frame-ancestors *",
    ):
        assert rule in policy
    assert "X-Frame-Options" not in answer and not answer.cookies and "<script" not in text
    assert len(answer.content) < 3000 and "Air &amp; &quot;water&quot;" in text


def test_what_is_not_public_has_no_card(client, people):
    need, offer = NeedFactory(in_state=NeedState.SUBMITTED), OfferFactory()
    project = ProjectFactory(in_review=True)
    hidden = Announcement.objects.create(slug="hidden")
    AnnouncementText.objects.create(announcement=hidden, title="Hidden")
    client.force_login(people["desk"])  # not even for whoever sees the page
    for kind, code in (("needs", need.reference), ("offers", offer.reference), ("projects", project.reference), ("news", "hidden"),
                       ("countries", "XXX"), ("partners", "nobody"), ("about", "nothing"), ("see", "needs-regions"), ("nothing", "x")):  # fmt: skip
        for address in (f"/cards/{kind}/{code}.png", f"/cards/{kind}/{code}/"):
            assert client.get(address).status_code == 404, address
    for record in (need, project):
        page = client.get(record.get_absolute_url()).content.decode()
        assert "oembed" not in page and "Share this page" not in page
        assert meta(page)["og:image"].endswith("/cards/site/site.png")
        assert client.get("/oembed/", {"url": record.get_absolute_url()}).status_code == 404


def test_other_pages_show_the_card_of_the_site(client):
    for path in ("/", "/needs/", "/contact/"):
        page = client.get(path).content.decode()
        assert meta(page)["og:image"].endswith("/cards/site/site.png") and "Share this page" not in page
    assert client.get("/cards/site/site.png").status_code == 200


def test_links_to_other_sites_tell_them_nothing_before_they_are_followed(everything, client):
    code, path = everything["needs"]
    page = html.fromstring(client.get(f"/fr{path}").content.decode())
    links = [one.get("href") for one in page.xpath("//details[contains(@class, 'share')]//a")]
    quoted = quote(f"http://testserver/fr{path}", safe="")
    assert links[0] == f"mailto:?body={quoted}" and all(quoted in link for link in links[:5])
    assert links[-1] == f"/fr/contact/?topic=record&about={quote(f'/fr{path}')}"
    assert not page.xpath(
        "//script[@src and not(starts-with(@src, '/'))] | //img[starts-with(@src, 'http')] | //iframe"
    )
    assert "&lt;iframe" in client.get(path).content.decode()


@pytest.mark.parametrize("language", ["", "/fr", "/ar"])
def test_oembed_keeps_to_its_standard(language, everything, client):
    code, path = everything["projects"]
    told = client.get(
        "/oembed/", {"url": f"http://testserver{language}{path}", "maxwidth": "300", "maxheight": "200"}
    ).json()
    assert (told["version"], told["type"], told["width"], told["height"]) == ("1.0", "rich", 300, 200)
    assert {"html", "provider_name", "provider_url", "thumbnail_url", "thumbnail_width", "thumbnail_height"} <= set(
        told
    )
    assert f"http://testserver{language}/cards/projects/{code}/" in told["html"]
    root = etree.fromstring(client.get("/oembed/", {"url": f"{language}{path}", "format": "xml"}).content)
    assert root.tag == "oembed" and root.findtext("type") == "rich" and "<iframe" in root.findtext("html")


def test_oembed_follows_the_filters_of_a_picture(client):
    told = client.get("/oembed/", {"url": "/see/needs/map/?region=002"}).json()
    assert "/see/needs/map/frame/?region=002" in told["html"]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, 404), ({"url": "https://elsewhere.example.org/needs/N-1/"}, 404), ({"url": "/needs/"}, 404), ({"url": "/needs/N-NO-1/"}, 404),
        ({"url": "http://[bad"}, 404), ({"url": "/countries/KEN/", "format": "yaml"}, 501), ({"url": "/countries/KEN/", "maxwidth": "wide"}, 200),
        ({"url": "/countries/KEN/", "maxwidth": "٣"}, 200),
    ],
)  # fmt: skip
def test_oembed_refuses_what_it_does_not_know(values, status, client):
    assert client.get("/oembed/", values).status_code == status


def test_a_program_of_another_site_understands_it(everything, client, monkeypatch):
    """micawber, which other sites ask for oEmbed with; its connection is ours."""
    code, path = everything["needs"]
    provider = Provider("http://testserver/oembed/")
    monkeypatch.setattr(
        provider, "fetch", lambda url: client.get(url.removeprefix("http://testserver")).content.decode()
    )
    told = provider.request(f"http://testserver{path}")
    assert told["title"] == 'Air & "water"' and told["url"] == f"http://testserver{path}"
    assert html.fromstring(told["html"]).get("src") == f"http://testserver/cards/needs/{code}/"


def test_a_card_is_drawn_once(everything, client, monkeypatch):
    code, _path = everything["offers"]
    drawn = []
    real = sharing.draw
    monkeypatch.setattr(sharing, "draw", lambda card: drawn.append(card) or real(card))
    first = client.get(f"/cards/offers/{code}.png").content
    assert client.get(f"/cards/offers/{code}.png").content == first and len(drawn) == 1
    assert client.get(f"/ar/cards/offers/{code}.png").content != first


def test_long_words_do_not_run_out_of_the_picture():
    need = NeedFactory(in_state=NeedState.OPEN, title="Long " * 35, public_summary="Words " * 200)
    card = sharing.card_of("needs", need.reference)
    assert len(card.text) <= 220 and card.text.endswith("…")
    assert Image.open(io.BytesIO(sharing.draw(card))).size == (1200, 630)


def test_words_reach_the_picture_as_data():
    need = NeedFactory(in_state=NeedState.OPEN, title='#panic("x") $ * _ ` @ <b>', public_summary='#import "x"')
    assert sharing.draw(sharing.card_of("needs", need.reference))


def test_cards_say_what_is_made_up():
    assert (
        sharing.card_of("partners", Partner.objects.filter(is_illustrative=False).first().slug).is_illustrative is False
    )
    assert sharing.card_of("countries", Country.objects.first().iso3).title
    need = NeedFactory(in_state=NeedState.OPEN, is_illustrative=True)
    assert sharing.card_of("needs", need.reference).is_illustrative


def test_all_pages_with_a_card_are_known_addresses():
    from django.urls import get_resolver

    named = {key for key in get_resolver().reverse_dict if isinstance(key, str)}
    assert set(sharing.PAGES) <= named
