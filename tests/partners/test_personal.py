"""What is stored about a person, to take along and to erase: nothing is forgotten, nothing of others is given."""

import json

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from outreach.models import ContactMessage, Subscriber, Topic
from partners import letters, personal
from partners.choices import Role
from partners.models import ApiToken, Country, Invitation, JoinRequest, Membership, Partner, User
from projects.choices import NeedState
from projects.lifecycle import transition
from projects.models import Follow, MailPreference
from tests.factories import MembershipFactory, NeedFactory, ProjectFactory, UserFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
NAME, EMAIL = "Wanjiru Unmistakable", "wanjiru.unmistakable@example.org"


@pytest.fixture
def wanjiru(people):
    """A focal point who did a bit of everything."""
    person = UserFactory(email=EMAIL, full_name=NAME)
    kenya = Country.objects.get(iso3="KEN")
    MembershipFactory(user=person, role=Role.FOCAL_POINT, country=kenya)
    person = User.objects.get(pk=person.pk)
    EmailAddress.objects.create(user=person, email=EMAIL, verified=True, primary=True)
    need = NeedFactory(country=kenya, created_by=person)
    transition(need, "submit", by=person)
    Follow.objects.create(user=person, need=NeedFactory(in_state=NeedState.OPEN))
    MailPreference.objects.create(user=person, kind="your_move", frequency="daily")
    JoinRequest.objects.create(
        user=person, role=Role.PARTNER_MEMBER, partner=Partner.objects.get(slug="undp"), note=f"I am {NAME}"
    )
    Invitation.objects.create(email=EMAIL, role=Role.CONTRIBUTOR, country=kenya, invited_by=people["desk"])
    Invitation.objects.create(email="other@example.org", role=Role.CONTRIBUTOR, country=kenya, invited_by=person)
    ContactMessage.objects.create(
        topic=Topic.objects.first(), name=NAME, email=EMAIL.upper(), text="Hello", submission_key="k"
    )
    Subscriber.objects.create(email=EMAIL).subscriptions.create(told="needs", query="country=KEN")
    letters.send_later(EMAIL, "en", "choices", {}, "/x/")
    person.full_name = f"{NAME} "
    person.save()  # one more row of history
    return person


def tables_with(words: str) -> list[str]:
    """The tables of which a row has these words, whatever the column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        names = [name for (name,) in cursor.fetchall()]
        found = []
        for name in names:
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{name}" AS t WHERE t::text ILIKE %s)', [f"%{words}%"])  # noqa: S608
            if cursor.fetchone()[0]:
                found.append(name)
        return found


def test_the_file_has_all_that_is_stored(wanjiru, client):
    client.force_login(wanjiru)
    answer = client.get("/account/data/file/")
    assert "attachment" in answer["Content-Disposition"] and "no-store" in answer["Cache-Control"]
    told = json.loads(answer.content)
    assert told["account"]["email"] == EMAIL and "password" not in told["account"]
    own = told["rows_of_the_account"]
    assert {
        "partners.membership",
        "projects.follow",
        "projects.mailpreference",
        "partners.joinrequest",
        "account.emailaddress",
    } <= set(own)
    assert told["by_e_mail_address"]["messages_to_the_desks"][0]["text"] == "Hello"
    assert told["by_e_mail_address"]["updates_by_mail"][0]["subscriptions"][0]["query"] == "country=KEN"
    named = told["records_that_name_you"]
    assert named["projects.event.by"] and named["projects.need.created_by"] and named["partners.invitation.invited_by"]


def test_every_column_that_names_a_person_is_known():
    """Whatever record comes to name people is in the file by itself."""
    columns = {(model._meta.label, column) for model, column, _own in personal._relations()}
    for wanted in (
        ("projects.Notice", "user"),
        ("projects.Webhook", "user"),
        ("partners.KeptAnswer", "user"),
        ("outreach.Story", "asked_by"),
        ("mfa.Authenticator", "user"),
    ):
        assert wanted in columns, wanted
    assert not any("Event" in label and label != "projects.Event" for label, _column in columns)


def test_secrets_are_in_no_file(wanjiru, client):
    client.force_login(wanjiru)
    client.post("/account/tokens/", {"name": "Mine", "scope": "read", "days": "30"})
    text = client.get("/account/data/file/").content.decode()
    for token in ApiToken.objects.filter(user=wanjiru):
        assert token.digest not in text
    assert "pbkdf2" not in text and "argon2" not in text and client.session.session_key not in text


def test_nobody_gets_the_data_of_another(wanjiru, client, people):
    client.force_login(people["administrator"])
    assert EMAIL not in client.get("/account/data/file/").content.decode()
    client.logout()
    for path in ("/account/data/", "/account/data/file/"):
        assert client.get(path)["Location"].startswith("/accounts/login/")


def test_nothing_that_says_who_it_was_is_left(wanjiru):
    assert len(tables_with(EMAIL)) >= 6 and len(tables_with(NAME)) >= 4
    personal.erase(wanjiru, by=wanjiru)
    assert tables_with(EMAIL) == [] and tables_with(NAME) == []
    gone = User.objects.get(pk=wanjiru.pk)
    assert str(gone) == "erased account" and not gone.is_active and not gone.has_usable_password()
    assert (
        not gone.memberships.active().exists()
        and Membership.objects.filter(user=gone, revoked_at__isnull=False).exists()
    )
    assert not Follow.objects.filter(user=gone).exists() and not EmailAddress.objects.filter(user=gone).exists()
    assert not ProcrastinateJob.objects.filter(args__email=EMAIL).exists()
    assert not Subscriber.objects.exists() and not ContactMessage.objects.exists()


def test_what_the_person_did_stays(wanjiru):
    need = NeedFactory(created_by=wanjiru, in_state=NeedState.OPEN)
    project = ProjectFactory(published=True, created_by=wanjiru)
    events = list(need.events.values_list("action", "at"))
    personal.erase(wanjiru, by=wanjiru)
    need.refresh_from_db()
    project.refresh_from_db()
    assert (
        str(need.created_by) == str(project.created_by) == "erased account"
        and list(need.events.values_list("action", "at")) == events
    )


def test_a_person_erases_themselves_with_their_password(wanjiru, client):
    wanjiru.set_password("a long enough password")
    wanjiru.save()
    client.force_login(wanjiru)
    page = client.get("/account/data/").content.decode()
    assert "Erase your account" in page and reverse("my-data-file") in page
    for values, words in (
        ({}, "required"),
        ({"password": "wrong", "is_sure": "on"}, "not your password"),
        ({"password": "a long enough password"}, "required"),
    ):
        answer = client.post("/account/data/", values)
        assert (
            answer.status_code == 400 and words in answer.content.decode() and User.objects.get(pk=wanjiru.pk).is_active
        )
    answer = client.post("/account/data/", {"password": "a long enough password", "is_sure": "on"}, follow=True)
    assert "Your account was erased" in answer.content.decode() and not User.objects.get(pk=wanjiru.pk).is_active
    assert client.get("/account/").status_code == 302  # signed out


def test_who_has_no_password_types_the_address(wanjiru, client):
    wanjiru.set_unusable_password()
    wanjiru.save()
    client.force_login(wanjiru)
    assert (
        "not the address of your account"
        in client.post("/account/data/", {"email": "x@example.org", "is_sure": "on"}).content.decode()
    )
    assert client.post("/account/data/", {"email": EMAIL.upper(), "is_sure": "on"}).status_code == 302


def test_who_may_erase_whom(wanjiru, people):
    for name, person in people.items():
        if person is not None and name != "administrator":
            with pytest.raises(PermissionDenied):
                personal.erase(wanjiru, by=person)
    personal.erase(wanjiru, by=people["administrator"])
    assert not User.objects.get(pk=wanjiru.pk).is_active


def test_the_last_administrator_stays(people, client):
    last = people["administrator"]
    User.objects.exclude(pk=last.pk).filter(memberships__role=Role.ADMINISTRATOR).update(is_active=False)
    with pytest.raises(ValidationError, match="last administrator"):
        personal.erase(last, by=last)
    client.force_login(last)
    page = client.post(f"/admin/partners/user/{last.pk}/erase/", follow=True).content.decode()
    assert "last administrator" in page and User.objects.get(pk=last.pk).is_active


@pytest.mark.ignore_template_errors  # Django's own field of a password
def test_an_administrator_erases_in_admin(wanjiru, people, client):
    LogEntry.objects.create(user=people["administrator"], object_id="1", object_repr=f"{NAME}: role", action_flag=2)
    client.force_login(people["desk"])
    assert client.post(f"/admin/partners/user/{wanjiru.pk}/erase/").status_code == 403
    client.force_login(people["administrator"])
    assert (
        f"/admin/partners/user/{wanjiru.pk}/erase/"
        in client.get(f"/admin/partners/user/{wanjiru.pk}/change/").content.decode()
    )
    assert (
        EMAIL in client.get(f"/admin/partners/user/{wanjiru.pk}/erase/").content.decode()
        and User.objects.get(pk=wanjiru.pk).is_active
    )
    assert (
        "The account was erased"
        in client.post(f"/admin/partners/user/{wanjiru.pk}/erase/", follow=True).content.decode()
    )
    assert tables_with(NAME) == []
