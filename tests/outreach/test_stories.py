"""Stories: of finished projects, looked over by a second person, with the project's own figures."""

import json
import re

import feedparser
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from outreach import stories
from outreach.models import Story, StoryText
from projects.choices import NeedState, OfferState, Status
from tests.factories import ContributionFactory, NeedFactory, OfferFactory, ProjectFactory, ResultFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
WORDS = {
    "title": "Gauges that villages mend", "lede": "Short.", "problem": "They broke.", "body": "They were mended.",
    "lessons": "Bring spare parts.",
}  # fmt: skip


def story_of(project=None, *, words: dict | None = None, **values) -> Story:
    project = project or ProjectFactory(published=True, status=Status.CLOSED, terms=["bsp-theme:air"])
    made = Story.objects.create(**{"slug": f"s{project.pk}", "project": project, **values})
    if words is not False:
        StoryText.objects.create(story=made, **(WORDS | (words or {})))
    return made


@pytest.fixture
def published(people):
    made = stories.move(story_of(), "ask", by=people["desk"])
    return stories.move(made, "publish", by=people["publisher"])


# --- looked over by a second person ----------------------------------------------------------------------------------------
def test_a_story_is_published_by_a_second_person(people):
    story = story_of()
    with pytest.raises(ValidationError, match="draft"):
        stories.move(story, "publish", by=people["publisher"])
    asked = stories.move(story, "ask", by=people["publisher"])
    with pytest.raises(ValidationError, match="Somebody else"):
        stories.move(asked, "publish", by=people["publisher"])
    with pytest.raises(ValidationError, match="Say what to change"):
        stories.move(asked, "send_back", by=people["administrator"])
    back = stories.move(asked, "send_back", by=people["administrator"], note="Shorter.")
    assert (back.note, back.asked_at, back.is_public) == ("Shorter.", None, False)
    stories.move(back, "ask", by=people["desk"])
    done = stories.move(back, "publish", by=people["publisher"])
    assert done.is_public and done.published_at and done.published_by == people["publisher"] and done.note == ""
    first = done.published_at
    taken = stories.move(done, "take_back", by=people["publisher"])
    assert not taken.is_public
    stories.move(taken, "ask", by=people["desk"])
    assert stories.move(taken, "publish", by=people["administrator"]).published_at == first


MAY = {"ask": {"desk", "publisher", "administrator"}, "publish": {"publisher", "administrator"}, "send_back": {"publisher", "administrator"}, "take_back": {"publisher", "administrator"}}  # fmt: skip


@pytest.mark.parametrize("act", stories.MOVES)
def test_who_may_do_what(act, people):
    assert set(MAY) == set(stories.MOVES)
    for name, person in people.items():
        if person is None:
            continue
        story = story_of()
        if act != "ask":
            story = stories.move(story, "ask", by=people["desk"])
        if act == "take_back":
            story = stories.move(story, "publish", by=people["publisher"])
        assert (act in stories.possible(story, person)) is (name in MAY[act]), (act, name)
        if name in MAY[act]:
            stories.move(story, act, by=person, note="Because.")
        else:
            with pytest.raises(PermissionDenied):
                stories.move(story, act, by=person, note="Because.")


@pytest.mark.parametrize(
    ("project", "values", "words", "says"),
    [
        ({"status": Status.IMPLEMENTATION}, {}, {}, "has to be finished and public"), ({"published": False}, {}, {}, "has to be finished and public"),
        ({}, {}, False, "Write the text in English"), ({}, {}, {"language": "fr"}, "Write the text in English"),
        ({}, {}, {"lessons": " ", "problem": ""}, "lacks: the problem, what others can learn"),
        ({}, {}, {"quote": "Well done.", "quoted": "A. Person"}, "who agreed to be quoted"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(project, values, words, says, people):
    values = {"published": True, "status": Status.CLOSED, **project}
    story = story_of(ProjectFactory(**values), words=words)
    with pytest.raises(ValidationError, match=says):
        stories.move(story, "ask", by=people["desk"])
    assert not Story.objects.get().asked_at


def test_a_quote_needs_its_speaker_and_their_consent(people):
    with pytest.raises(IntegrityError), transaction.atomic():
        story_of(words={"quote": "Words."})
    with pytest.raises(IntegrityError), transaction.atomic():
        story_of(consent_by="Somebody")
    story = story_of(
        consent_by="Mail of 3 March, desk folder",
        consent_on="2026-03-03",
        words={"quote": "Well done.", "quoted": "A. Person"},
    )
    assert stories.lacks(story) == []


# --- as readers see it ------------------------------------------------------------------------------------------------------
def test_a_story_shows_the_figures_of_its_project(people, client):
    project = ProjectFactory(published=True, status=Status.CLOSED, terms=["bsp-theme:air"])
    ContributionFactory(project=project, quantity=40, delivered=30)
    ResultFactory(project=project)
    NeedFactory(in_state=NeedState.OPEN, title="Who needs the like", terms=["bsp-theme:air"])
    NeedFactory(in_state=NeedState.OPEN, title="Of another theme", terms=["bsp-theme:waste"])
    NeedFactory(title="A draft", terms=["bsp-theme:air"])
    OfferFactory(in_state=OfferState.ACTIVE, title="Who offers the like", terms=["bsp-theme:air"])
    story = story_of(
        project, consent_by="x", consent_on="2026-01-01", words={"quote": "It <b>works</b>", "quoted": "A. Person"}
    )
    stories.move(story, "ask", by=people["desk"])
    stories.move(story, "publish", by=people["publisher"])
    page = client.get(story.get_absolute_url()).content.decode()
    for words in ("They broke.", "They were mended.", "Bring spare parts.", "It &lt;b&gt;works", "A. Person", project.reference, "Brazil", "Kenya",
                  "<b>40</b>", "Who needs the like", "Who offers the like"):  # fmt: skip
        assert words in page, words
    assert "Of another theme" not in page and "A draft" not in page and "consent" not in page.lower()
    told = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)[1])
    assert (told["@type"], told["headline"], told["about"]["@type"]) == ("Article", WORDS["title"], "Project")
    assert "told as a story" in client.get(project.get_absolute_url()).content.decode()


def test_only_staff_see_a_story_before_it_is_published(people, client):
    story = story_of()
    for name, person in people.items():
        if person is not None:
            client.force_login(person)
        sees = name in {"desk", "publisher", "administrator"}
        assert (client.get(story.get_absolute_url()).status_code == 200) is sees, name
        assert (story in Story.objects.visible_to(person)) is sees
        assert person is None or person.has_perm("outreach.view_story", story) is sees
        client.logout()
    assert "Gauges" not in client.get("/stories/").content.decode() and not client.get(
        "/stories/feed.atom"
    ).content.count(b"<entry>")


def test_the_list_is_narrowed_and_followed(published, client):
    for query, found in (
        ("", 1),
        ("?q=SPARE", 1),
        ("?q=nothing", 0),
        ("?theme=air", 1),
        ("?theme=waste", 0),
        ("?country=BRA", 1),
        ("?country=FJI", 0),
    ):
        page = client.get(f"/stories/{query}")
        assert page.status_code == 200 and page.context["total"] == found, query
        feed = feedparser.parse(client.get(f"/stories/feed.atom{query}").content)
        assert not feed.bozo and feed.version == "atom10" and len(feed.entries) == found
    assert client.get("/stories/?theme=nonsense").status_code == 400
    assert published.get_absolute_url() in client.get("/sitemap-stories.xml").content.decode()
    assert client.get(f"/cards/stories/{published.slug}.png").status_code == 200


def test_lists_cost_the_same_at_any_length(people, client, count_queries):
    counts = []
    for n in (1, 3, 30):
        while Story.objects.published().count() < n:
            stories.move(stories.move(story_of(), "ask", by=people["desk"]), "publish", by=people["publisher"])
        client.get("/stories/")
        with count_queries() as found:
            client.get("/stories/")
        counts.append(found())
    assert len(set(counts)) == 1, counts


# --- in admin ---------------------------------------------------------------------------------------------------------------
def test_the_desk_writes_and_a_publisher_publishes(people, client):
    story = story_of()
    client.force_login(people["desk"])
    change = f"/admin/outreach/story/{story.pk}/change/"
    assert (
        "Ask for a review" in client.get(change).content.decode()
        and "Publish it" not in client.get(change).content.decode()
    )
    assert (
        "Somebody else looks it over"
        in client.post(f"/admin/outreach/story/{story.pk}/move/ask/", follow=True).content.decode()
    )
    assert client.post(f"/admin/outreach/story/{story.pk}/move/publish/").status_code == 403
    client.force_login(people["publisher"])
    assert "Stories that wait for a second person" in client.get("/admin/").content.decode()
    assert (
        "Say what to change"
        in client.post(f"/admin/outreach/story/{story.pk}/move/send_back/", follow=True).content.decode()
    )
    assert (
        "It is public." in client.post(f"/admin/outreach/story/{story.pk}/move/publish/", follow=True).content.decode()
    )
    assert client.get(f"/admin/outreach/story/{story.pk}/move/publish/").status_code == 404
    assert client.post(f"/admin/outreach/story/{story.pk}/move/nothing/").status_code == 404
    assert client.get(f"/admin/outreach/story/{story.pk}/history/").status_code == 200


def test_what_is_missing_stands_in_admin(people, client):
    story = story_of(words={"lessons": ""})
    client.force_login(people["desk"])
    assert (
        "The English text lacks: what others can learn."
        in client.get(f"/admin/outreach/story/{story.pk}/change/").content.decode()
    )
    page = client.post(f"/admin/outreach/story/{story.pk}/move/ask/", follow=True).content.decode()
    assert "lacks" in page and not Story.objects.get().asked_at
