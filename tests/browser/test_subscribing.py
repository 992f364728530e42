"""From a list to a search by mail, the link that confirms, one's choices, and the end of it: at 360 px, by keyboard alone,
without JavaScript; then axe."""

import re

import pytest

from outreach.models import Subscriber
from tests.browser.conftest import BROWSER
from tests.browser.person import Person, check_with_axe
from tests.outreach.test_contact import sent

pytestmark = [*BROWSER, pytest.mark.xdist_group("subscribing")]


def test_a_search_by_mail_and_its_end(chromium, live_server):
    met: dict = {}
    reader = Person(chromium, live_server.url, None, met)
    reader.go("/needs/?country=KEN")
    reader.press("Updates by mail")
    reader.says("New needs", "Country: Kenya")
    reader.write("Your e-mail address", "reader@example.org")
    reader.choose("Each day")
    reader.press("Send me the link")
    reader.says("A mail is on its way")
    assert not Subscriber.objects.exists()
    text = sent()[-1].get_body(("plain",)).get_content()
    reader.go(re.search(r"http://127.0.0.1:8000(/subscribe/confirm/\S+)", text)[1])
    reader.says("Mail goes to reader@example.org", "New needs (Country: Kenya)")
    reader.press("Yes, send it to me")
    one = Subscriber.objects.get()
    reader.says("It is confirmed", "New needs (Country: Kenya)")
    assert one.rhythm == "daily"
    reader.choose("Each month")
    reader.press("Save")
    reader.says("Saved.")
    one.refresh_from_db()
    assert one.rhythm == "monthly"
    reader.press("End all mail and erase my address")
    reader.says("Nothing more goes to reader@example.org")
    stop = reader.page.url.removeprefix(live_server.url)
    check_with_axe(chromium, live_server.url, met, {None: None})  # while the secret pages are there
    reader.go(stop)
    reader.press("End all mail")
    reader.says("Your address was erased")
    assert not Subscriber.objects.exists()


def test_choosing_kinds_and_a_theme(chromium, live_server):
    met: dict = {}
    reader = Person(chromium, live_server.url, None, met)
    reader.go("/")
    reader.press("Updates by mail")
    reader.choose("News, events and calls")
    reader.write("Your e-mail address", "nobody@example")  # passes the browser
    reader.press("Send me the link")
    reader.says("Nothing was saved yet")
    reader.write("Your e-mail address", "reader@example.org")
    reader.press("Send me the link")
    reader.says("A mail is on its way")
    text = sent()[-1].get_body(("plain",)).get_content()
    assert "- new needs" in text and "- new offers" in text and "- news, events and calls" in text
    check_with_axe(chromium, live_server.url, met, {None: None})
