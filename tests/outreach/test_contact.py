"""Writing to us: once for each form, told to both, kept from programs without puzzles, answered by staff."""

import email
import email.policy
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from outreach import contact
from outreach.choices import ContactState
from outreach.models import ContactMessage, Topic
from partners.tasks import send_mail

pytestmark = pytest.mark.django_db
STAFF = {"desk", "publisher", "administrator"}


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def message(client, filled_in, patient):
    client.post("/contact/", filled_in())
    return ContactMessage.objects.get()


def sent() -> list:
    """The messages that wait in the queue, sent and read by a mail parser."""
    for job in ProcrastinateJob.objects.filter(task_name="partners.send_mail").order_by("pk"):
        send_mail.func(**job.args)
    return [email.message_from_bytes(one.message().as_bytes(), policy=email.policy.default) for one in mail.outbox]


def test_a_message_is_kept_and_told_to_both(client, filled_in, patient):
    answer = client.post("/contact/", filled_in(), follow=True)
    message = ContactMessage.objects.get()
    assert re.fullmatch(r"C-\d{4}-\d{4}", message.reference) and message.state == ContactState.NEW
    page = answer.content.decode()
    assert message.reference in page and "How do I begin?" in page and "within 5 working days" in page
    assert '<meta name="robots" content="noindex">' in page
    desk, writer = sent()
    assert (desk["To"], desk["Reply-To"]) == ("ssc-needs@example.org", "person@example.org")
    assert message.reference in desk["Subject"]
    text = desk.get_body(("plain",)).get_content()
    assert "How do I begin?" in text and f"/admin/outreach/contactmessage/{message.pk}/change/" in text
    assert writer["To"] == "person@example.org" and writer["Auto-Submitted"] == "auto-generated"
    for part in ("plain", "html"):
        body = writer.get_body((part,)).get_content()
        assert message.reference in body and "How do I begin?" not in body  # nobody can send words through us
    link = re.search(r"http://\S+/contact/\S+", writer.get_body(("plain",)).get_content())[0]
    assert client.get(link.partition("8000")[2]).status_code == 200


def test_mail_and_page_speak_the_writers_language(client, filled_in, patient):
    client.post("/fr/contact/", filled_in())
    message = ContactMessage.objects.get()
    assert message.language == "fr"
    desk, writer = sent()
    assert "Exprimer un besoin" in writer.get_body(("plain",)).get_content() and "/fr/contact/" in writer.get_body(("plain",)).get_content()  # fmt: skip
    assert "Stating a need" in desk["Subject"]


def test_the_same_form_is_taken_once(client, filled_in, patient):
    form = filled_in()
    first, again = client.post("/contact/", form), client.post("/contact/", form)
    assert first["Location"] == again["Location"] and ContactMessage.objects.count() == 1
    assert ProcrastinateJob.objects.filter(task_name="partners.send_mail").count() == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"topic": "nothing"}, "Choose one from the list"), ({"topic": ""}, "required"), ({"email": "nobody"}, "valid email"),
        ({"text": ""}, "required"), ({"text": "x" * 5001}, "at most 5000"), ({"text": "a\x00b"}, "NUL sign"),
        ({"key": "made up"}, "Something went wrong with this page"), ({"name": "x" * 151}, "at most 150"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_nothing_is_lost(values, words, client, filled_in, patient):
    answer = client.post("/contact/", filled_in(**values))
    page = answer.content.decode()
    assert answer.status_code == 400 and words in page and page.count("<title>Error:") == 1
    if "email" not in values:
        assert 'value="person@example.org"' in page
    assert not ContactMessage.objects.exists() and not ProcrastinateJob.objects.exists()


def test_a_form_that_was_open_for_a_week_can_be_sent_again(client, filled_in, patient, monkeypatch):
    form = filled_in()
    with monkeypatch.context() as later:
        later.setattr(contact, "TOO_OLD", -1)
        page = client.post("/contact/", form).content.decode()
    assert "This page was open for long" in page and "How do I begin?" in page
    form["key"] = re.search(r'name="key" value="([^"]+)"', page)[1]
    assert client.post("/contact/", form).status_code == 302


@pytest.mark.parametrize(
    ("values", "quick", "why"),
    [
        ({"website": "http://x"}, -1, "a field that people do not see"), ({}, 60, "within three seconds"),
        ({"text": "http://a " * 6}, -1, "more than 5 links"),
    ],
)  # fmt: skip
def test_what_looks_unwanted_is_kept_and_told_to_nobody(values, quick, why, client, filled_in, monkeypatch):
    monkeypatch.setattr(contact, "TOO_QUICK", quick)
    answer = client.post("/contact/", filled_in(**values), follow=True)
    message = ContactMessage.objects.get()
    assert message.state == ContactState.SPAM and why in message.suspicion
    assert message.reference in answer.content.decode() and "suspicion" not in answer.content.decode()
    assert not ProcrastinateJob.objects.exists()


def test_too_many_are_stopped_without_loss(client, filled_in, patient):
    for _n in range(5):
        assert client.post("/contact/", filled_in()).status_code == 302
    answer = client.post("/contact/", filled_in())
    assert answer.status_code == 429 and "How do I begin?" in answer.content.decode()
    assert client.post("/contact/", filled_in(email="other@example.org")).status_code == 302
    assert ContactMessage.objects.count() == 6


def test_the_address_of_a_message_is_secret(client, message):
    path = message.get_absolute_url()
    assert client.get(path).status_code == 200
    for wrong in (path[:-2] + "x/", f"/contact/{message.reference}/", "/contact/C-2026-9999:abc/"):
        assert client.get(wrong).status_code == 404
    assert message.reference.encode() not in client.get("/sitemap.xml").content


def test_a_person_signed_in_need_not_say_who(people, sign_in, patient):
    page = sign_in(people["contributor"]).get("/contact/?topic=data&about=/projects/").content.decode()
    assert f'value="{people["contributor"].email}"' in page and 'value="data" selected' in page and "/projects/" in page
    assert "evil.org" not in sign_in(None).get("/contact/?about=https://evil.org/").content.decode().split("<form")[-1]


# --- at the desk ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("act", contact.MOVES)
@pytest.mark.parametrize("state", ContactState.values)
def test_every_role_and_every_act(act, state, message, people):
    sources, target = contact.MOVES[act]
    for name, person in people.items():
        ContactMessage.objects.filter(pk=message.pk).update(state=state, answer="", note="")
        if name not in STAFF:
            from django.contrib.auth.models import AnonymousUser

            with pytest.raises(PermissionDenied):
                contact.move(message, act, by=person or AnonymousUser(), text="x")
        elif state not in sources:
            with pytest.raises(ValidationError, match="by now"):
                contact.move(message, act, by=person, text="x")
        else:
            assert contact.move(message, act, by=person, text="x").state == target
        message.refresh_from_db()
        assert message.state == (target if name in STAFF and state in sources else state), name


@pytest.mark.ignore_template_errors
def test_the_queue_from_the_start_page_to_the_answer(client, message, people, sign_in):
    desk = people["desk"]
    at_desk = sign_in(desk)
    assert "Messages to us that wait for an answer" in at_desk.get("/admin/").content.decode()
    change = reverse("admin:outreach_contactmessage_change", args=[message.pk])
    assert "How do I begin?" in at_desk.get(change).content.decode()
    move = {act: reverse("admin:outreach_contactmessage_move", args=[message.pk, act]) for act in contact.MOVES}
    assert "in your hands" in at_desk.post(move["take"], follow=True).content.decode()
    empty = at_desk.post(move["answer"], {"text": "  "}).content.decode()
    assert "Say it in words first" in empty
    late = at_desk.post(move["reopen"], {"text": "Kept words"}).content.decode()
    assert "by now" in late and "Kept words" in late
    mail.outbox.clear()
    ProcrastinateJob.objects.all().delete()
    assert at_desk.post(move["answer"], {"text": "Sign up, then draft."}).status_code == 302
    message.refresh_from_db()
    assert (message.state, message.answer, message.assignee) == ("answered", "Sign up, then draft.", desk)
    (told,) = sent()
    assert told["To"] == "person@example.org" and "Sign up, then draft." in told.get_body(("plain",)).get_content()
    second = sign_in(people["publisher"]).post(move["answer"], {"text": "Written at the same time", "note": ""})
    assert "by now" in second.content.decode() and "Written at the same time" in second.content.decode()
    client.logout()
    assert "Sign up, then draft." in client.get(message.get_absolute_url()).content.decode()


@pytest.mark.ignore_template_errors
def test_others_see_no_message_in_admin(message, people, sign_in):
    change = reverse("admin:outreach_contactmessage_change", args=[message.pk])
    for name, person in people.items():
        client = sign_in(person)
        assert (client.get(change).status_code == 200) == (name in STAFF), name
        client.post(reverse("admin:outreach_contactmessage_move", args=[message.pk, "spam"]))
        message.refresh_from_db()
        assert (message.state == "spam") == (name in STAFF), name
        ContactMessage.objects.filter(pk=message.pk).update(state="new")
    assert sign_in(people["administrator"]).get(reverse("admin:outreach_contactmessage_add")).status_code == 403
    assert sign_in(people["desk"]).get(reverse("admin:outreach_contactmessage_move", args=[message.pk, "take"])).status_code == 404  # fmt: skip


def test_old_messages_are_erased(message):
    now = timezone.now()
    for state, days, stays in (
        ("spam", 29, 1),
        ("spam", 31, 0),
        ("answered", 729, 1),
        ("closed", 731, 0),
        ("new", 900, 1),
    ):
        ContactMessage.objects.all().delete()
        ContactMessage.objects.create(
            topic=Topic.objects.first(), email="a@example.org", text="x", state=state, state_since=now - timedelta(days=days), submission_key=f"{state}{days}"
        )  # fmt: skip
        contact.forget_old()
        kept = ContactMessage.pgh_event_model.objects.filter(submission_key=f"{state}{days}").exists()
        assert (ContactMessage.objects.count(), kept) == (stays, bool(stays)), (state, days)


def seen_on(client, message) -> str:
    page = client.get(reverse("admin:outreach_contactmessage_change", args=[message.pk])).content.decode()
    return re.search(r'name="seen" value="([^"]*)"', page)[1]


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize("act", ["take", "answer", "close", "spam"])
def test_what_somebody_else_has_taken_meanwhile_is_not_taken_from_them_unseen(act, message, people, sign_in):
    move = {one: reverse("admin:outreach_contactmessage_move", args=[message.pk, one]) for one in contact.MOVES}
    words = {"text": "Sign up first." if act == "answer" else "", "note": "by phone" if act == "close" else ""}
    stale = seen_on(sign_in(people["desk"]), message)
    assert sign_in(people["administrator"]).post(move["take"], {"seen": stale}).status_code == 302
    ProcrastinateJob.objects.all().delete()
    for missing in ({"seen": stale}, {}):  # also from a page that does not say what it showed
        refused = sign_in(people["desk"]).post(move[act], words | missing)
        page = refused.content.decode()
        assert f"It is in the hands of {people['administrator']} since" in page and "press again" in page
        assert all(text in page for text in words.values())
        message.refresh_from_db()
        assert (message.state, message.assignee) == ("taken", people["administrator"])
        assert not ProcrastinateJob.objects.exists()
    fresh = re.search(r'name="seen" value="([^"]*)"', page)[1]
    sign_in(people["desk"]).post(move[act], words | {"seen": fresh})
    message.refresh_from_db()
    assert message.state == contact.MOVES[act][1]
    assert message.assignee == people["desk" if act in ("take", "answer") else "administrator"]


@pytest.mark.ignore_template_errors
def test_the_history_names_people_and_not_their_keys(message, people, sign_in):
    for name in ("administrator", "desk"):
        contact.move(message, "take", by=people[name])
    page = (
        sign_in(people["desk"])
        .get(reverse("admin:outreach_contactmessage_history", args=[message.pk]))
        .content.decode()
    )
    assert f"<del>{people['administrator']}</del> → <ins>{people['desk']}</ins>" in page
