"""News, events and calls: who reads what when, filters, feed, and one calendar of all that has a day."""

import datetime as dt

import feedparser
import pytest
import vobject
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar
from lxml import etree

from outreach import finding
from outreach.demonstration import load_news
from outreach.models import Announcement, AnnouncementText
from partners.models import Country, Partner
from projects.choices import NeedState, OfferState
from projects.models import Need, Offer, Term
from tests.factories import NeedFactory, OfferFactory

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
STAFF = {"desk", "publisher", "administrator"}
ATOM = "{http://www.w3.org/2005/Atom}"


def told(slug: str, title: str = "", *, languages=("en",), themes=(), **values) -> Announcement:
    one = Announcement(slug=slug, **{"is_public": True, **values})
    one.full_clean()
    one.save()
    one.themes.set(Term.objects.themes().filter(code__in=themes))
    for language in languages:
        AnnouncementText.objects.create(
            announcement=one, language=language, title=f"{title or slug} {language}", lede="First words.", body="## Why\n\nBecause."
        )  # fmt: skip
    return one


@pytest.fixture
def three():
    return [
        told("a-report", "Report"),
        told("a-course", "Course", kind="event", starts_on=TODAY, ends_on=TODAY + dt.timedelta(days=3), place="Nairobi",
             country=Country.objects.get(iso3="KEN"), themes=["wetlands"]),
        told("a-call", "Call", kind="call", deadline=TODAY + dt.timedelta(days=5), url="https://apply.example.org/x"),
    ]  # fmt: skip


def test_the_list_and_its_filters(client, three):
    page = client.get("/news/").content.decode()
    assert "3 items" in page and all(f">{one.text.title}</a>" in page for one in three)
    for query, found in (
        ("kind=call", "Call en"),
        ("country=KEN", "Course en"),
        ("theme=wetlands", "Course en"),
        ("q=REPÓRT", "Report en"),
    ):
        page = client.get(f"/news/?{query}").content.decode()
        assert "1 item<" in page and found in page, query
    assert "Nothing passes these filters" in client.get("/news/?q=zeppelin").content.decode()
    assert client.get("/news/?kind=nonsense").status_code == 400
    assert client.get("/news/?page=9").status_code == 404


def test_an_empty_list_says_so(client):
    assert "Nothing has been told yet" in client.get("/news/").content.decode()


def test_an_item_says_all_of_it(client, three):
    three[1].partners.add(Partner.objects.get(slug="undp"))
    page = client.get("/news/a-course/").content.decode()
    for said in ("<h1>Course en</h1>", '<h2 id="why">Why</h2>', "Nairobi", 'href="/countries/KEN/"', 'href="/themes/wetlands/"', 'href="/partners/undp/"'):  # fmt: skip
        assert said in page, said
    assert "Apply at apply.example.org" in client.get("/news/a-call/").content.decode()
    assert client.get("/news/nothing/").status_code == 404


def test_who_reads_what_and_when(people, sign_in):
    """Law 2, and a day that has not come."""
    records = {
        "public": told("one"),
        "hidden": told("two", is_public=False),
        "later": told("three", published_on=TODAY + dt.timedelta(days=1)),
    }
    for name, person in people.items():
        user, client = person or AnonymousUser(), sign_in(person)
        for state, one in records.items():
            may = state == "public" or name in STAFF
            assert user.has_perm("outreach.view_announcement", one) == may, (name, state)
            assert Announcement.objects.visible_to(user).filter(pk=one.pk).exists() == may, (name, state)
            assert client.get(one.get_absolute_url()).status_code == (200 if may else 404), (name, state)
        assert client.get("/news/feed.atom").content.decode().count("<entry>") == 1


def test_what_is_over_says_so_and_asks_for_nothing(client):
    told("past", kind="call", deadline=TODAY - dt.timedelta(days=1), url="https://x.example.org/")
    page = client.get("/news/past/").content.decode()
    assert ">over<" in page and "Apply at" not in page and "More at x.example.org" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [({"kind": "event"}, "on which day"), ({"kind": "call"}, "until when"), ({"starts_on": TODAY, "ends_on": TODAY - dt.timedelta(days=1)}, "comes before"),
     ({"url": "http://x.org"}, "full web address"), ({"kind": "rumour"}, "Choose one from the list")],
)  # fmt: skip
def test_what_can_not_be_is_refused(values, said):
    with pytest.raises(ValidationError, match=said):
        told("x", **values)


def test_the_readers_language_else_english_marked(client):
    told("both", languages=("en", "fr"))
    told("one", languages=("en",))
    page = client.get("/fr/news/").content.decode()
    assert ">both fr</a>" in page and '<span lang="en" dir="ltr">one en</span>' in page
    assert 'lang="en" dir="ltr"><h1>one en</h1>' in client.get("/fr/news/one/").content.decode()


def test_the_feed_is_atom_with_the_filters_of_its_address(client, three):
    feed = etree.fromstring(client.get("/news/feed.atom?kind=event").content)
    assert feed.tag == f"{ATOM}feed"
    (entry,) = feed.iter(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Course en" and entry.find(f"{ATOM}link").get("href").endswith(
        "/news/a-course/"
    )
    assert client.get("/news/feed.atom?kind=nonsense").status_code == 400
    assert 'href="/news/feed.atom?kind=event"' in client.get("/news/?kind=event").content.decode()


def test_more_news_cost_no_more_queries(client, count_queries):
    def many(prefix, n):
        for number in range(n):
            told(f"{prefix}-{number}", themes=["wetlands", "forests"], country=Country.objects.get(iso3="KEN"))

    counts = []
    for prefix, n in (("one", 1), ("three", 2), ("many", 12)):
        many(prefix, n)
        with count_queries() as queries:
            client.get("/news/")
        counts.append(queries())
    assert counts[0] == counts[1] == counts[2]


# --- the calendar ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def busy(three):
    need = NeedFactory(in_state=NeedState.OPEN, title="Gauges for rivers")
    Need.objects.filter(pk=need.pk).update(due_on=TODAY + dt.timedelta(days=2))
    hidden = NeedFactory(title="A draft")
    Need.objects.filter(pk=hidden.pk).update(due_on=TODAY + dt.timedelta(days=2))
    offer = OfferFactory(in_state=OfferState.ACTIVE, title="Places in a course")
    Offer.objects.filter(pk=offer.pk).update(deadline=TODAY + dt.timedelta(days=4))
    return need, offer


def test_the_calendar_tells_all_days(client, busy):
    page = client.get("/calendar/").content.decode()
    for said in ("Event: ", "Course en", "Last day of the call", "Responses to the need are due", "Gauges for rivers", "Last day of the offer", "Places in a course"):  # fmt: skip
        assert said in page, said
    assert "A draft" not in page and "Nothing in this month" in page


@pytest.mark.parametrize(("month", "status"), [("2027-01", 200), ("2027-13", 404), ("x", 404), ("1066-01", 404), ("2099-12", 200), ("2100-01", 404), ("2027-1\x00", 400)])  # fmt: skip
def test_months_of_the_calendar(month, status, client):
    assert client.get("/calendar/", {"month": month}).status_code == status


def test_the_file_is_read_by_another_program(client, busy):
    answer = client.get("/calendar/calendar.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    events = {str(event["uid"]).split("/")[1] + ":" + str(event["summary"]): event for event in Calendar.from_ical(answer.content).walk("VEVENT")}  # fmt: skip
    assert len(events) == 4
    course = events["news:Event: Course en"]
    assert (course["dtstart"].dt, course["dtend"].dt) == (TODAY, TODAY + dt.timedelta(days=4))  # the day after the last
    assert str(course["url"]).endswith("/news/a-course/")
    assert all(line.endswith(b"\r\n") and len(line) <= 77 for line in answer.content.splitlines(keepends=True))
    other = vobject.readOne(answer.content.decode())  # not the library that wrote it
    assert {one.uid.value for one in other.vevent_list} == {str(event["uid"]) for event in events.values()}
    assert {one.dtstart.value for one in other.vevent_list} == {event["dtstart"].dt for event in events.values()}
    again = Calendar.from_ical(client.get("/calendar/calendar.ics").content)
    assert {str(event["uid"]) for event in again.walk("VEVENT")} == {str(event["uid"]) for event in events.values()}


def test_the_file_shows_staff_no_more_than_the_public(people, sign_in):
    told("secret", kind="call", deadline=TODAY, is_public=False)
    assert b"secret" not in sign_in(people["desk"]).get("/calendar/calendar.ics").content
    assert b"secret en" in sign_in(people["desk"]).get("/calendar/").content


def test_the_calendar_costs_the_same_at_any_length(client, count_queries, busy):
    with count_queries() as few:
        client.get("/calendar/")
    for number in range(6):
        told(f"more-{number}", kind="call", deadline=TODAY)
        need = NeedFactory(in_state=NeedState.OPEN)
        Need.objects.filter(pk=need.pk).update(due_on=TODAY)
    with count_queries() as many:
        client.get("/calendar/")
    assert few() == many()


def test_the_demonstration_is_valid_and_loads_once(client):
    assert (load_news(), load_news()) == (4, 0)
    for one in Announcement.objects.all():
        one.full_clean()
        for text in one.texts.all():
            text.full_clean()
        assert ">illustrative<" in client.get(one.get_absolute_url()).content.decode()


# --- in admin ------------------------------------------------------------------------------------------------------------
def test_staff_writes_news_with_a_preview(people, sign_in, client):
    at_desk = sign_in(people["desk"])
    said = {
        "slug": "new", "kind": "news", "published_on": str(TODAY), "is_public": "on", "texts-TOTAL_FORMS": 1, "texts-INITIAL_FORMS": 0,
        "texts-0-language": "en", "texts-0-title": "Tried", "texts-0-body": "Words",
    }  # fmt: skip
    address = reverse("admin:outreach_announcement_add")
    assert "<h1>Tried</h1>" in at_desk.post(address, said | {"_preview": "ar"}).content.decode()
    assert not Announcement.objects.exists()
    assert at_desk.post(address, said).status_code == 302
    client.logout()
    assert "<h1>Tried</h1>" in client.get("/news/new/").content.decode()
    for name in ("contributor", "partner_lead", "stranger"):
        assert sign_in(people[name]).get(address).status_code != 200


def test_the_search_finds_pages_news_and_stories(client, three):
    page = client.get("/search/?q=SOUTH-south%20cooperation").content.decode()
    assert 'href="/about/"' in page and "/subscribe/to/needs/?q=SOUTH-south%20cooperation" in page
    assert "/needs/feed.atom?q=SOUTH-south%20cooperation" in page
    assert [(hit.kind, hit.title) for hit in finding.texts_with("COURSÉ because", None)] == [("news", "Course en")]
    assert {hit.kind for hit in finding.texts_with("environment", None)} == {"page"}
    assert (
        finding.texts_with("nothingofthiskind", None)
        == finding.texts_with(" ", None)
        == finding.texts_with("a", None)
        == []
    )
    Announcement.objects.update(is_public=False)
    assert finding.texts_with("course because", None) == []


def test_programs_of_readers_understand_the_feed(client, three):
    feed = feedparser.parse(client.get("/news/feed.atom").content)
    assert (
        not feed.bozo
        and feed.version == "atom10"
        and {one.title for one in feed.entries} == {"Report en", "Course en", "Call en"}
    )
    assert all(one.id and one.updated_parsed and one.link.startswith("http") for one in feed.entries)
