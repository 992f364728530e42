"""Where programs look: catalogue of APIs, feeds, sitemap, linked data in pages."""

import datetime as dt
import json
import re

import pytest
from django.utils import timezone
from lxml import etree
from pyld import jsonld

from outreach.models import Story, StoryText
from projects.choices import NeedState
from tests.factories import (
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    commit,
)


def test_the_site_says_what_there_is_for_programs(client, db):
    catalogue = client.get("/.well-known/api-catalog")
    assert catalogue["Content-Type"].startswith("application/linkset+json")
    links = catalogue.json()["linkset"][0]
    assert client.get(links["service-desc"][0]["href"].replace("http://127.0.0.1:8000", "")).status_code == 200
    security = client.get("/.well-known/security.txt").content.decode()
    fields = dict(line.split(": ", 1) for line in security.splitlines())
    assert fields["Contact"].startswith("mailto:")
    assert dt.datetime.fromisoformat(fields["Expires"]) > dt.datetime.now(dt.UTC)
    assert "Sitemap: " in client.get("/robots.txt").content.decode()


@pytest.mark.parametrize("name", ["projects", "needs", "offers"])
def test_lists_are_atom_feeds_with_their_filters(name, client, db, sign_in, people):
    chosen = {"projects": lambda: ProjectFactory(published=True, title="<b>Mangroves & more"),
              "needs": lambda: NeedFactory(in_state=NeedState.OPEN, title="Mangroves"),
              "offers": lambda: OfferFactory(in_state="active", title="Mangroves")}[name]()  # fmt: skip
    hidden = {"projects": ProjectFactory, "needs": NeedFactory, "offers": OfferFactory}[name](title="Mangroves hidden")
    commit()
    for reader in (client, sign_in(people["administrator"])):
        answer = reader.get(f"/{name}/feed.atom?q=mangroves")
        assert answer["Content-Type"].startswith("application/atom+xml")
        feed = etree.fromstring(answer.content)
        atom = {"a": "http://www.w3.org/2005/Atom"}
        assert feed.xpath("//a:entry/a:title/text()", namespaces=atom) == [chosen.title]
        assert feed.xpath("//a:entry/a:updated", namespaces=atom)
        assert hidden.reference not in answer.content.decode()
    assert len(etree.fromstring(client.get(f"/{name}/feed.atom?q=nothing-like-it").content).findall("{*}entry")) == 0
    assert client.get(f"/{name}/feed.atom?country=ZZZ").status_code == 400
    assert f"/{name}/feed.atom?q=mangroves" in client.get(f"/{name}/?q=mangroves").content.decode()


def test_the_sitemap_lists_what_everybody_may_read(client, db):
    public, hidden = ProjectFactory(published=True), ProjectFactory()
    need, draft, offer = NeedFactory(in_state=NeedState.OPEN), NeedFactory(), OfferFactory(in_state="active")
    index = etree.fromstring(client.get("/sitemap.xml").content)
    name = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
    listed = []
    for part in index.iter(name):
        listed += [
            e.text for e in etree.fromstring(client.get(part.text.removeprefix("http://testserver")).content).iter(name)
        ]
    paths = {address.removeprefix("http://testserver") for address in listed}
    assert {r.get_absolute_url() for r in (public, need, offer)} | {
        "/",
        "/data/",
        "/countries/KEN/",
        "/themes/wetlands/",
    } <= paths
    assert not {r.get_absolute_url() for r in (hidden, draft)} & paths


def _schema_org(url: str, _options) -> dict:
    """The context of schema.org, as far as its programs need it: all its words are under its own address."""
    assert url == "https://schema.org"
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": {"@vocab": f"{url}/"}}, "contentType": "application/ld+json"}  # fmt: skip


def test_pages_carry_linked_data(client, db):
    project = ProjectFactory(published=True, title="</script><b>&", partners=["undp"])
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    story = Story.objects.create(slug="a-story", project=project, is_public=True, published_at=timezone.now())
    StoryText.objects.create(story=story, title="</script> told", lede="Short.")
    pages = {
        "/": "WebSite", "/data/": "Dataset", project.get_absolute_url(): "Project", need.get_absolute_url(): "Demand",
        offer.get_absolute_url(): "Offer", story.get_absolute_url(): "Article", "/countries/KEN/": "Country", "/partners/undp/": "Organization",
    }  # fmt: skip
    for address, kind in pages.items():
        (text,) = re.findall(
            r'<script type="application/ld\+json">(.*?)</script>', client.get(address).content.decode(), re.DOTALL
        )
        found = json.loads(text)
        assert (found["@context"], found["@type"]) == ("https://schema.org", kind)
        (read,) = jsonld.expand(found, {"documentLoader": _schema_org})  # another program reads the same (JSON-LD 1.1)
        assert read["@type"] == [f"https://schema.org/{kind}"] and all(
            name.startswith(("@", "https://schema.org/")) for name in read
        )
    text = client.get(project.get_absolute_url()).content.decode()
    assert "\\u003C/script\\u003E\\u003Cb\\u003E\\u0026" in text
