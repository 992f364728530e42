"""Asking for updates: nothing is kept before it is confirmed, one's choices by a secret address, the end by POST alone."""

import re

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from outreach import subjects, subscribing
from outreach.choices import Told
from outreach.models import Announcement, Subscriber, Subscription
from outreach.subjects import SUBJECTS
from outreach.subscribing import Wish
from partners.models import Country, Partner
from tests.outreach.test_contact import sent

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
ASKED = {"told": ["needs", "offers"], "rhythm": "weekly", "language": "en", "email": "Reader@Example.org"}


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


def link_in(message, what: str) -> str:
    """The path of the link to `what` in the plain part of a message."""
    return re.search(rf"http://127.0.0.1:8000(\S*/subscribe/{what}/\S+)", message.get_body(("plain",)).get_content())[1]


def reader(*wanted, **values) -> Subscriber:
    one = Subscriber.objects.create(**{"email": "reader@example.org", **values})
    for told, query in wanted or [(Told.NEEDS, "")]:
        Subscription.objects.create(subscriber=one, told=told, query=query)
    return one


def test_the_way_from_the_form_to_the_choices(client):
    answer = client.post("/subscribe/", ASKED | {"theme": "wetlands", "country": "KEN"})
    assert answer.status_code == 302 and answer["Location"] == "/subscribe/sent/"
    assert "A mail is on its way" in client.get("/subscribe/sent/").content.decode()
    assert not Subscriber.objects.exists()  # nothing is kept yet
    (message,) = sent()
    assert message["To"] == "Reader@Example.org" and message["Auto-Submitted"] == "auto-generated"
    for part in ("plain", "html"):
        body = message.get_body((part,)).get_content()
        assert "new needs (Theme: " in body and "Country: Kenya" in body and "/subscribe/confirm/" in body
    path = link_in(message, "confirm")
    page = client.get(path)
    assert page.status_code == 200 and "reader@example.org" in page.content.decode() and not Subscriber.objects.exists()
    assert '<meta name="robots" content="noindex">' in page.content.decode()
    for _twice in range(2):
        done = client.post(path, follow=True)
        assert done.status_code == 200 and "It is confirmed" in done.content.decode()
    one = Subscriber.objects.get()
    assert (one.email, one.rhythm, one.language) == ("reader@example.org", "weekly", "en")
    query = "country=KEN&term=bsp-theme%3Awetlands"
    assert list(one.subscriptions.values_list("told", "query")) == [("needs", query), ("offers", query)]


def test_in_french_everything_is_french(client):
    client.post("/fr/subscribe/", ASKED | {"language": "fr"})
    (message,) = sent()
    assert link_in(message, "confirm").startswith("/fr/subscribe/confirm/")
    with override("fr"):
        assert str(Told.NEEDS.label) in message.get_body(("plain",)).get_content()


def test_any_search_can_be_kept(client):
    listed = client.get("/needs/?q=water&country=KEN&page=1&sort=title").content.decode()
    address = re.search(r'href="(/subscribe/to/needs/[^"]*)"', listed)[1].replace("&amp;", "&")
    page = client.get(address).content.decode()
    assert "“water”" in page and "Country: Kenya" in page
    assert client.post(address, ASKED).status_code == 302
    confirmed = client.post(link_in(sent()[0], "confirm"), follow=True).content.decode()
    assert Subscription.objects.get().query == "country=KEN&q=water"
    assert "/needs/?country=KEN&amp;q=water" in confirmed  # the search as a list
    assert client.get("/needs/?country=KEN&q=water").status_code == 200


@pytest.mark.parametrize("told", SUBJECTS)
def test_searches_are_kept_in_one_form(told):
    keep = SUBJECTS[told].canonical
    assert keep(QueryDict("")) == keep(QueryDict("page=2&sort=title&nothing=1&q=%20")) == ""
    one, other = keep(QueryDict("q=a b&country=KEN")), keep(QueryDict("country=KEN&country=KEN&q=a%20b&format=csv"))
    assert one == other == "country=KEN&q=a+b"
    if told != Told.NEWS:
        assert keep(QueryDict("country=UGA&country=KEN")) == "country=KEN&country=UGA"
    with pytest.raises(ValidationError):
        keep(QueryDict("country=XXX"))
    with pytest.raises(ValidationError, match="too long"):
        keep(QueryDict("q=" + "é" * 200))
    assert SUBJECTS[told].filterset(one).is_valid()


def test_choices_are_told_in_words():
    label = subjects.label(Told.OFFERS, "country=KEN&partner=undp&q=solar&region=014&term=bsp-theme%3Awetlands")
    assert label.startswith("new offers (“solar”, Theme: ") and "Country: Kenya" in label and "Partner: " in label
    assert subjects.label(Told.NEWS, "kind=event&country=KEN") == "news, events and calls (Kind: event, Country: Kenya)"
    assert subjects.label(Told.NEWS, "kind=event") == "news, events and calls (Kind: event)"
    assert subjects.label(Told.NEWSLETTER, "") == "the newsletter"
    assert subjects.label(Told.NEEDS, "country=GONE") == "new needs"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"told": []}, "required"), ({"told": ["secrets"]}, "Choose one from the list"), ({"email": "nobody"}, "valid email"),
        ({"email": ""}, "required"), ({"rhythm": "hourly"}, "Choose one from the list"), ({"language": "xx"}, "Choose one from the list"),
        ({"country": "XXX"}, "Choose one from the list"), ({"partner": "undp"}, "Needs are of countries, not of partners"),
        ({"email": "a\x00b@example.org"}, "NUL sign"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_nothing_is_sent(values, words, client):
    answer = client.post("/subscribe/", ASKED | values)
    page = answer.content.decode()
    assert answer.status_code == 400 and words in page and page.count("<title>Error:") == 1
    assert not sent()
    if "email" not in values:
        assert 'value="Reader@Example.org"' in page


def test_a_search_that_cannot_be_shown_cannot_be_kept(client):
    for address in ("/subscribe/to/needs/?country=XXX", "/subscribe/to/needs/?q=" + "x" * 600):
        answer = client.get(address)
        assert answer.status_code == 400 and "This search can" in answer.content.decode()
    assert client.get("/subscribe/to/newsletter/").status_code == 404
    assert client.get("/subscribe/to/nothing/").status_code == 404


@pytest.mark.parametrize(
    ("path", "query", "chosen"),
    [("/countries/KEN/", "country=KEN", "Kenya"), ("/partners/undp/", "partner=undp", "United Nations Development Programme"), ("/themes/wetlands/", "theme=wetlands", "Wetlands")],
)  # fmt: skip
def test_pages_of_countries_partners_and_themes_lead_to_their_updates(path, query, chosen, client):
    assert f'href="/subscribe/?{query}"' in client.get(path).content.decode()
    page = client.get(f"/subscribe/?{query}").content.decode()
    assert re.search(rf"<option[^>]* selected[^>]*>{chosen}", page)
    assert client.get("/subscribe/?country=XXX&theme=%00").status_code in (200, 400)


def test_programs_and_floods_send_nothing(client):
    assert client.post("/subscribe/", ASKED | {"website": "http://x"}).status_code == 302
    assert not sent()
    for n in range(6):
        answer = client.post("/subscribe/", ASKED)
        assert answer.status_code == (302 if n < 4 else 400), n  # the fifth and later in an hour, the program's counts
    assert "Too many mails" in answer.content.decode() and len(sent()) == 4
    assert client.post("/subscribe/", ASKED | {"email": "other@example.org"}).status_code == 302


def test_a_link_that_is_old_or_cut_says_what_to_do(client, monkeypatch):
    client.post("/subscribe/", ASKED)
    path = link_in(sent()[0], "confirm")
    for wrong in (path[:-3] + "/", "/subscribe/confirm/x:y:z/"):
        answer = client.get(wrong)
        assert answer.status_code == 400 and "This link is not complete" in answer.content.decode()
    monkeypatch.setattr(subscribing, "KEPT_FOR", -1)
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 400 and "older than seven days" in answer.content.decode()
    assert not Subscriber.objects.exists()


def test_nobody_learns_whether_an_address_is_known(client):
    reader()
    pages = []
    for email in ("reader@example.org", "stranger@example.org"):
        for address, values in (("/subscribe/", ASKED), ("/subscribe/reminder/", {})):
            answer = client.post(address, values | {"email": email})
            pages.append((address, answer.status_code, answer["Location"]))
    assert pages[:2] == pages[2:]
    texts = {(m["To"], "gets updates already" in m.get_body(("plain",)).get_content()) for m in sent()}
    assert ("reader@example.org", True) in texts and ("stranger@example.org", False) in texts
    assert {m["To"] for m in sent() if "/subscribe/choices/" in m.as_string()} == {"reader@example.org"}


def test_a_stranger_changes_nothing_by_asking(client):
    one = reader(language="fr", rhythm="monthly")
    client.post("/subscribe/", ASKED | {"rhythm": "daily"})
    one.refresh_from_db()
    assert (one.rhythm, one.subscriptions.count()) == ("monthly", 1)


def test_choices_change_what_somebody_hears_of(client):
    one = reader((Told.NEEDS, ""), (Told.OFFERS, "country=KEN"))
    keep = one.subscriptions.get(told="offers")
    page = client.get(one.get_absolute_url()).content.decode()
    assert "New offers (Country: Kenya)" in page and "reader@example.org" in page
    answer = client.post(one.get_absolute_url(), {"kept": [keep.pk], "rhythm": "daily", "language": "es"})
    assert answer["Location"] == f"{one.get_absolute_url()}?saved=1"
    one.refresh_from_db()
    assert (one.rhythm, one.language, list(one.subscriptions.all())) == ("daily", "es", [keep])
    other = reader(email="other@example.org").subscriptions.get()
    answer = client.post(one.get_absolute_url(), {"kept": [other.pk], "rhythm": "daily", "language": "es"})
    assert answer.status_code == 400 and one.subscriptions.count() == 1
    answer = client.post(one.get_absolute_url(), {"kept": [], "rhythm": "daily", "language": "es"})
    assert "Your address was erased" in answer.content.decode()
    assert list(Subscriber.objects.values_list("email", flat=True)) == ["other@example.org"]


def test_the_end_needs_a_post_and_no_more(client):
    one = reader()
    path = reverse("stop", args=[one.token])
    assert client.get(path).status_code == 200 and Subscriber.objects.exists()
    program = Client(enforce_csrf_checks=True)
    answer = program.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200 and not answer.cookies and not Subscriber.objects.exists()
    assert program.post(path).status_code == 200  # pressed twice
    assert client.get(one.get_absolute_url()).status_code == 404


def test_secret_addresses_cannot_be_guessed(client):
    one = reader()
    for path in (
        f"/subscribe/choices/{one.pk}/",
        f"/subscribe/choices/{one.pk + 1}:abc/",
        one.get_absolute_url()[:-2] + "/",
    ):
        assert client.get(path).status_code == 404
    client.post(f"/subscribe/stop/{one.pk}:abc/")
    assert Subscriber.objects.exists()


def test_one_address_follows_twenty_searches():
    wish = Wish("reader@example.org", "en", "daily", tuple((Told.NEEDS, f"q={n}") for n in range(subscribing.MOST)))
    one = subscribing.confirm(wish)
    with pytest.raises(ValidationError, match="20 searches"):
        subscribing.confirm(Wish("READER@example.org".lower(), "en", "daily", ((Told.OFFERS, ""),)))
    assert one.subscriptions.count() == 20


def test_after_mail_came_back_confirming_anew_begins_anew(client):
    one = reader()
    subscribing.bounced(one, "550 no such user")
    assert "Mail to this address came back" in client.get(one.get_absolute_url()).content.decode()
    again = subscribing.confirm(Wish("reader@example.org", "en", "weekly", ((Told.NEWS, ""),)))
    assert again.pk == one.pk and again.bounced_at is None and again.told_until is not None


def test_news_can_be_narrowed_by_region_and_partner():
    kenyan = Announcement.objects.create(slug="kenyan", country=Country.objects.get(iso3="KEN"), is_public=True)
    kenyan.partners.add(Partner.objects.get(slug="undp"))
    Announcement.objects.create(slug="other", is_public=True)
    for query in ("region=014", "region=202", "region=002", "partner=undp", "country=KEN"):
        filterset = SUBJECTS[Told.NEWS].filterset(query)
        assert filterset.is_valid() and [one.slug for one in filterset.qs] == ["kenyan"], query
    assert not SUBJECTS[Told.NEWS].filterset("region=019").qs.exists()


def test_addresses_are_kept_in_small_letters():
    with pytest.raises(IntegrityError):
        Subscriber.objects.create(email="Reader@example.org")
