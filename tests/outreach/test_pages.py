"""The site's own pages: what comes with the portal, who reads what, in which language; milestones and their filter."""

import re

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from outreach.models import Channel, Milestone, Page, PageText
from outreach.models.page import LINKED
from outreach.reference import load_pages
from partners.models import Country
from partners.reference import Report
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db
PAGES = ["about", "about/history", "about/bali-strategic-plan", "about/how-it-works", "about/glossary", "about/accessibility",
         "about/privacy", "about/terms", "about/forums/amcen"]  # fmt: skip


@pytest.fixture
def hidden():
    page = Page.objects.create(path="about/in-the-making")
    PageText.objects.create(page=page, title="Not yet", body="Words in the making")
    return page


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_there_from_the_beginning(path, client):
    page = Page.objects.get(path=path)
    answer = client.get(f"/{path}/")
    said = answer.content.decode()
    assert answer.status_code == 200
    assert f"<h1>{page.text.title}</h1>" in said and f'<meta name="description" content="{page.text.lede}">' in said


def test_every_link_of_the_texts_leads_somewhere(client):
    """Addresses in the texts exist: nothing else would tell when one is renamed."""
    found = {address for text in PageText.objects.all() for address in re.findall(r"\]\((/[^)#]*)", text.body)}
    assert len(found) > 15
    for address in found:
        assert client.get(address, follow=True).status_code == 200, address


def test_the_footer_leads_to_them(client):
    said = client.get("/").content.decode()
    for path in ("about", "about/how-it-works", "about/accessibility", "about/privacy", "about/terms"):
        assert f'href="/{path}/"' in said


@pytest.mark.parametrize(
    "path", ["/", "/about/", "/needs/", "/projects/?q=water", "/news/", "/calendar/", "/countries/KEN/", "/fr/about/"]
)
def test_whoever_reads_gets_no_cookie(path, client):
    """As the privacy page says."""
    assert not client.get(path).cookies


def test_rules_and_rows_agree(people, hidden):
    """Law 2: who may see a page finds it, and nobody else does."""
    milestone = Milestone.objects.create(
        code="x", happened_on="2000-01-01", kind="plan", name_en="Hidden", is_public=False
    )
    channel = Channel.objects.create(kind="x", title="Hidden", url="https://x.example.org/", is_public=False)
    from django.contrib.auth.models import AnonymousUser

    for name, person in people.items():
        user = person or AnonymousUser()
        for record in (hidden, milestone, channel, Page.objects.get(path="about")):
            model = type(record)
            seen = model.objects.visible_to(user).filter(pk=record.pk).exists()
            assert user.has_perm(f"outreach.view_{model._meta.model_name}", record) == seen, (name, record)
            assert seen == (record.is_public or name in ("desk", "publisher", "administrator")), (name, record)


def test_what_is_not_public_is_read_by_staff_alone(people, sign_in, hidden):
    for name, person in people.items():
        answer = sign_in(person).get(hidden.get_absolute_url())
        if name in ("desk", "publisher", "administrator"):
            assert "Not public yet" in answer.content.decode() and "Words in the making" in answer.content.decode()
        else:
            assert answer.status_code == 404 and b"Words in the making" not in answer.content, name


def test_a_text_in_the_readers_language_else_marked(client):
    PageText.objects.filter(page__path="about/glossary").exclude(language="en").delete()
    said = client.get("/fr/about/glossary/").content.decode()
    assert 'lang="en" dir="ltr"><h1>Glossary</h1>' in said and "Il n’y a pas encore de texte" in said
    PageText.objects.create(page=Page.objects.get(path="about/glossary"), language="fr", title="Glossaire")
    said = client.get("/fr/about/glossary/").content.decode()
    assert "<h1>Glossaire</h1>" in said and "Il n’y a pas encore de texte" not in said
    said = client.get("/ar/about/").content.decode()
    assert "<h1>التعاون فيما بين بلدان الجنوب</h1>" in said and 'href="/ar/needs/"' in said


@pytest.mark.parametrize(("address", "status"), [("/about/nothing/", 404), ("/about/Über/", 404), ("/about", 301), ("/about/pictures/no.jpg", 404)])  # fmt: skip
def test_addresses_that_are_not_there(address, status, client):
    assert client.get(address).status_code == status


def test_more_pages_cost_no_more_queries(client, count_queries):
    client.get("/about/")
    with count_queries() as n:
        client.get("/about/")
    for number in range(5):
        page = Page.objects.create(path=f"about/page-{number}", is_public=True)
        for language in ("en", "fr"):
            PageText.objects.create(page=page, language=language, title=f"Page {number}")
    with count_queries() as again:
        client.get("/about/")
    assert again() == n() == 5


# --- what stands below a text ----------------------------------------------------------------------------------------------
def test_milestones_and_their_filters(client):
    said = client.get("/about/history/").content.decode()
    assert "Buenos Aires Plan of Action" in said and 'datetime="1978-09-12"' in said
    assert said.count("not checked against the document yet") == Milestone.objects.filter(is_verified=False).count()
    said = client.get("/about/history/?kind=plan&country=ARG").content.decode()
    assert "Buenos Aires Plan of Action" in said and "Doha" not in said.split("<ol")[-1]
    assert "No milestone passes these filters" in client.get("/about/history/?q=zeppelin").content.decode()
    assert "Gleneagles" in client.get("/about/history/?q=glenéagles").content.decode().split("<ol")[-1]
    bad = client.get("/about/history/?kind=nonsense")
    assert bad.status_code == 400 and "Choose one from the list" in bad.content.decode()


@pytest.mark.parametrize(
    ("precision", "shown", "machine"),
    [("year", "1985", "1985"), ("month", "December 1985", "1985-12"), ("day", "1 December 1985", "1985-12-01")],
)
def test_days_are_told_as_exactly_as_they_are_known(precision, shown, machine, client):
    Milestone.objects.filter(code="amcen").update(precision=precision, happened_on="1985-12-01")
    item = client.get("/about/history/").content.decode().split('id="m-amcen"')[1].split("</time>")[0]
    assert item.endswith(shown) and f'datetime="{machine}"' in item


def test_areas_tell_what_is_recorded(client):
    ProjectFactory(published=True)
    said = client.get("/about/bali-strategic-plan/").content.decode()
    assert 'href="/themes/wetlands/"' in said and "none recorded" in said
    theme = Page.objects.get(path="about/bali-strategic-plan")
    assert theme.shows == "areas" and "/projects/?term=bsp-theme:" in said


def test_a_forum_names_its_countries(client):
    said = client.get("/about/forums/caricom/").content.decode()
    assert 'href="/partners/caricom/"' in said and 'href="/countries/JAM/"' in said and "none recorded" in said
    assert Country.objects.get(iso3="KEN").get_absolute_url() not in said.split("<main")[1]


def test_channels_are_plain_links(client):
    Channel.objects.create(kind="youtube", title="UNEP on YouTube", url="https://www.youtube.com/unep")
    assert '<a href="https://www.youtube.com/unep" rel="external noopener">UNEP on YouTube</a>' in client.get("/about/").content.decode()  # fmt: skip


def test_a_video_is_a_link_with_its_transcript(client):
    text = PageText.objects.get(page__path="about", language="en")
    text.video_url = "https://video.example.org/about"
    with pytest.raises(ValidationError, match="title and a transcript"):
        text.full_clean()
    text.video_title, text.transcript = "What it is", "A voice says this.\n\nAnd that."
    text.full_clean()
    text.save()
    said = client.get("/about/").content.decode()
    assert "Watch it at video.example.org" in said and "<p>And that.</p>" in said
    assert "<iframe" not in said and "<video" not in said and "img-src" not in said


# --- what is refused, what is kept -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["", "needs", "about/", "about/A", "about/a/b/c/d", "about/../x", "aboutx"])
def test_addresses_that_a_page_can_not_have(path):
    with pytest.raises(ValidationError):
        Page(path=path).full_clean()


def test_a_picture_that_is_not_there_is_named():
    with pytest.raises(ValidationError, match="There is no picture “lagoon”"):
        PageText(
            page=Page.objects.get(path="about"), language="es", title="x", body="![a](picture:lagoon)"
        ).full_clean()


def test_what_staff_wrote_stays_when_the_reference_is_loaded_again():
    PageText.objects.filter(page__path="about", language="en").update(title="As staff says")
    Page.objects.get(path="about/glossary").delete()
    load_pages(Report())
    assert PageText.objects.get(page__path="about", language="en").title == "As staff says"
    assert not Page.objects.filter(path="about/glossary").exists()


def test_pages_are_in_the_sitemap(client, hidden):
    said = client.get("/sitemap-about.xml").content.decode()
    assert "/about/history/</loc>" in said and "in-the-making" not in said
    assert reverse("page", args=["about"]) == "/about/"


def test_every_page_of_the_portal_is_there_in_six_languages():
    for page in Page.objects.with_texts():
        assert {text.language for text in page.texts.all()} == {code for code, _name in settings.LANGUAGES}, page.path
        headings = {text.language: [len(line) - len(line.lstrip("#")) for line in text.body.splitlines() if line.startswith("#")] for text in page.texts.all()}  # fmt: skip
        assert len({tuple(found) for found in headings.values()}) == 1, (page.path, headings)
        links = {text.language: sorted(re.findall(r"\]\(([^)]+)\)", text.body)) for text in page.texts.all()}
        assert len({tuple(found) for found in links.values()}) == 1, (page.path, links)


def test_a_page_that_every_page_leads_to_keeps_its_address():
    page = Page.objects.get(path="about/privacy")
    page.path = "about/data-protection"
    with pytest.raises(ValidationError, match="The portal itself leads to “about/privacy”"):
        page.full_clean()
    other = Page.objects.exclude(path__in=LINKED).first()
    other.path = "about/another-place"
    other.full_clean()
