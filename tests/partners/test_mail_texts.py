"""Mail in staff's own words: only known places, never without its way on, and the portal's own words everywhere else."""

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from partners import letters
from partners.models import MailText
from partners.models.mail_text import ALWAYS, PLACES, MailKind

pytestmark = pytest.mark.django_db


def test_every_mail_can_be_written_in_own_words():
    files = {path.stem for path in (settings.BASE_DIR / "templates" / "mail").glob("*.txt")}
    assert set(MailKind.values) == files - {"newsletter"}  # whose words are written for each issue


def test_own_words_replace_those_of_the_portal():
    before = letters.compose("choices", "en", {}, "/x/")
    MailText.objects.create(
        name="choices", language="en", subject="Re: {subject}", body="Dear reader,\n\n{text}\n\nYour {site}, {link}"
    )
    after = letters.compose("choices", "en", {}, "/x/")
    assert (
        after.subject == f"Re: {before.subject}"
        and before.text.strip() in after.text
        and after.text.startswith("Dear reader,")
    )
    assert f"{settings.PORTAL_URL}/x/" in after.text and "Dear reader," in after.html
    french = letters.compose("choices", "fr", {}, "/x/")
    assert "Dear reader" not in french.text and french.subject != after.subject


def test_what_is_filled_in_cannot_break_out():
    MailText.objects.create(name="choices", language="en", subject="{subject}", body="<b>{text}</b> {link}")
    own = MailText.objects.get()
    assert (
        own.filled("body", {"text": "A <i> {link}", "link": "/x/"}) == "<b>A <i> {link}</b> /x/"
    )  # places in words stay words
    letter = letters.compose("choices", "en", {}, "/x/")
    assert "\n" not in letter.subject and "&lt;b&gt;" in letter.html and "<b>" not in letter.html


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"body": "Hello {nobody} {link}"}, "does not know {nobody}"), ({"subject": "{topic}"}, "does not know {topic}"), ({"body": "Hello {}{link}"}, "does not know {}"),
        ({"body": "Hello."}, "Leave {text} or {link}"), ({"name": "updates", "body": "New {link}"}, "Leave {text} or {choices}"),
    ],
)  # fmt: skip
def test_what_would_not_work_is_refused(values, says):
    with pytest.raises(ValidationError) as error:
        MailText(**{"name": "choices", "language": "en", "subject": "x", "body": "{text}", **values}).full_clean()
    assert says in " ".join(error.value.messages)


def test_a_subject_is_one_line():
    text = MailText(name="choices", language="en", subject="Two\r\nlines", body="{text}")
    text.full_clean()
    assert text.subject == "Two lines"


@pytest.mark.parametrize("name", MailKind.values)
def test_the_places_of_each_mail_are_taken(name):
    places = "".join(f"{{{place}}}" for place in (*ALWAYS, *PLACES.get(name, ())))
    MailText(name=name, language="ar", subject="{subject}", body=places).full_clean()


def test_staff_write_it_in_admin_with_its_history(client, people):
    client.force_login(people["desk"])
    values = {"name": "contact_received", "language": "en", "subject": "{subject}", "body": "Thank you. {text}"}
    assert client.post("/admin/partners/mailtext/add/", values | {"body": "Thank you."}).status_code == 200
    assert not MailText.objects.exists()
    client.post("/admin/partners/mailtext/add/", values)
    made = MailText.objects.get()
    page = client.get(f"/admin/partners/mailtext/{made.pk}/change/").content.decode()
    assert "{message}, {topic}" in page and "What became of it you can see at any time:" in page
    assert client.get(f"/admin/partners/mailtext/{made.pk}/history/").status_code == 200
    client.force_login(people["focal_point"])
    assert client.get("/admin/partners/mailtext/").status_code == 302


def test_a_title_of_two_lines_is_a_subject_of_one():
    letter = letters.Letter("Gauges\nfor rivers", "Text", "")
    assert letters.message("reader@example.org", letter).message()["Subject"] == "Gauges for rivers"
