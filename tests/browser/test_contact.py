"""Writing to a desk and reading the answer: at 360 px, by keyboard alone, without JavaScript; then axe."""

import pytest

from outreach import contact
from outreach.models import ContactMessage
from partners.choices import Role
from tests.browser.conftest import BROWSER
from tests.browser.person import Person, check_with_axe
from tests.factories import MembershipFactory

pytestmark = [*BROWSER, pytest.mark.xdist_group("subscribing")]


def test_a_message_and_its_answer(chromium, live_server, monkeypatch):
    monkeypatch.setattr(contact, "TOO_QUICK", -1)
    met: dict = {}
    anybody = Person(chromium, live_server.url, None, met)
    anybody.go("/about/history/")
    anybody.press("Contact us")
    anybody.write("Topic", "Something else")
    anybody.write("Your name", "A. Person")
    anybody.write("Your e-mail address", "person@example.org")
    anybody.write("Your message", "Which pumps does Kenya mend?")
    anybody.press("Send the message")
    message = ContactMessage.objects.get()
    anybody.says(message.reference, "Which pumps does Kenya mend?", "within 10 working days")
    contact.move(message, "answer", by=MembershipFactory(role=Role.DESK).user, text="Solar pumps, in 40 villages.")
    anybody.go(message.get_absolute_url())
    anybody.says("It was answered.", "Solar pumps, in 40 villages.")
    check_with_axe(chromium, live_server.url, met, {None: None})
