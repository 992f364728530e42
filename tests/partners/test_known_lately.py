"""How lately a person was known: an open session alone makes no token, webhook or address, and takes no data along."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.models import ApiToken, User
from projects import webhooks
from projects.models import Webhook
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
TOKEN = {"name": "Nightly copy", "scope": "read", "days": "30"}


@pytest.fixture
def person():
    made = UserFactory(email="awa@example.org")
    made.set_password(PASSWORD)
    made.save()
    EmailAddress.objects.create(user=made, email=made.email, verified=True, primary=True)
    return made


@pytest.fixture
def long_ago(client, person):
    """A session that was opened an hour ago, and left open."""
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1.0}]
    session.save()
    return client


def asks(answer) -> bool:
    return answer.status_code == 302 and "/accounts/reauthenticate/?" in answer["Location"]


def confirm(client, answer, password=PASSWORD):
    page = client.get(answer["Location"])
    assert page.status_code == 200 and "Confirm that it is you" in page.content.decode()
    values = {"password": password, "next": page.context["redirect_field_value"]}
    return client.post("/accounts/reauthenticate/", values)


def test_a_token_is_made_after_the_password_is_given_again(long_ago):
    assert long_ago.get("/account/tokens/").status_code == 200
    answer = long_ago.post("/account/tokens/", TOKEN)
    assert asks(answer) and not ApiToken.objects.exists()
    wrong = confirm(long_ago, answer, "wrong")
    assert "Error:" in wrong.content.decode() and not ApiToken.objects.exists()
    page = confirm(long_ago, answer)
    assert page.status_code == 200 and ApiToken.objects.get().name == "Nightly copy"
    assert page.context["secret"] in page.content.decode() and "no-store" in page["Cache-Control"]
    assert 'action="/account/tokens/"' in page.content.decode()  # the next one is not sent to the page that asked
    assert long_ago.post("/account/tokens/", TOKEN | {"name": "Another"}).status_code == 200  # known by now


def test_a_second_factor_serves_as_well(long_ago, person):
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    answer = long_ago.post("/account/tokens/", TOKEN)
    page = long_ago.get(answer["Location"]).content.decode()
    assert "/accounts/2fa/reauthenticate/?next=" in page
    other = long_ago.get("/accounts/2fa/reauthenticate/?next=/account/tokens/")
    assert other.status_code == 200 and "Confirm that it is you" in other.content.decode()


def test_a_webhook_is_made_after_the_password_is_given_again(long_ago):
    values = {"name": "x", "url": "https://example.org/hook", "subject": "need", "query": ""}
    assert long_ago.get("/account/webhooks/").status_code == 200
    assert asks(long_ago.post("/account/webhooks/", values)) and not Webhook.objects.exists()


@pytest.fixture
def webhook(person):
    made = Webhook(user=person, url="https://example.org/hook", subject="need")
    made.save()
    webhooks.pause(made)
    return made


def test_the_secret_of_a_webhook_is_shown_after_the_password_is_given_again(long_ago, webhook):
    own = f"/account/webhooks/{webhook.pk}/"
    page = long_ago.get(own)
    assert page.status_code == 200 and webhook.shown_secret not in page.content.decode()
    answer = long_ago.get(f"{own}secret/")
    assert f"{own}secret/" in page.content.decode() and asks(answer)
    confirm(long_ago, answer)
    page = long_ago.get(f"{own}secret/", follow=True)
    assert webhook.shown_secret in page.content.decode() and page.request["PATH_INFO"] == own


@pytest.mark.parametrize("act", ["test", "resume", "pause", "remove", "again"])
def test_a_webhook_is_acted_on_after_the_password_is_given_again(long_ago, webhook, act):
    call = webhooks.ping(webhook)
    own = f"/account/webhooks/{webhook.pk}/"
    before = Webhook.objects.values().get(), webhook.calls.count(), ProcrastinateJob.objects.count()
    answer = long_ago.post(f"{own}calls/{call.pk}/again/" if act == "again" else f"{own}{act}/")
    assert asks(answer)
    assert (Webhook.objects.values().get(), webhook.calls.count(), ProcrastinateJob.objects.count()) == before
    done = confirm(long_ago, answer)  # what was sent is done now
    assert done.status_code == 302 and done["Location"].startswith("/account/webhooks/")
    if act == "resume":
        assert Webhook.objects.get().paused_at is None


def test_an_address_is_added_and_removed_after_the_password_is_given_again(long_ago, person):
    EmailAddress.objects.create(user=person, email="old@example.org", verified=True)
    assert long_ago.get("/accounts/email/").status_code == 200
    for values in ({"action_add": "1", "email": "new@example.org"}, {"action_remove": "1", "email": "old@example.org"}):
        assert asks(long_ago.post("/accounts/email/", values))
    assert set(person.emailaddress_set.values_list("email", flat=True)) == {"awa@example.org", "old@example.org"}
    confirm(long_ago, long_ago.post("/accounts/email/", {"action_add": "1", "email": "new@example.org"}))
    assert person.emailaddress_set.filter(email="new@example.org").exists()


def test_ones_data_are_taken_along_after_the_password_is_given_again(long_ago):
    assert long_ago.get("/account/data/").status_code == 200
    answer = long_ago.get("/account/data/file/")
    assert asks(answer)
    assert confirm(long_ago, answer)["Location"] == "/account/data/file/"
    assert "attachment" in long_ago.get("/account/data/file/")["Content-Disposition"]


def test_an_account_without_password_is_erased_after_the_second_factor(long_ago, person):
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    User.objects.filter(pk=person.pk).update(password="!")
    session = long_ago.session
    session["_auth_user_hash"] = User.objects.get(pk=person.pk).get_session_auth_hash()
    session.save()
    answer = long_ago.post("/account/data/", {"email": person.email, "is_sure": "on"})
    assert "/accounts/2fa/reauthenticate/?" in answer["Location"] and User.objects.get(pk=person.pk).is_active
    for answer in (long_ago.get("/accounts/password/set/"),
                   long_ago.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD}, follow=True)):  # fmt: skip
        where = answer["Location"] if answer.status_code == 302 else answer.redirect_chain[-1][0]
        assert "/accounts/2fa/reauthenticate/?" in where
    assert not User.objects.get(pk=person.pk).has_usable_password()
    assert PASSWORD not in str(dict(long_ago.session))


def test_who_has_just_signed_in_is_known(person):
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert client.post("/account/tokens/", TOKEN).status_code == 200
    assert client.get("/account/data/file/").status_code == 200


def test_the_owner_of_a_new_token_is_told_by_mail(client, person):
    person.language = "fr"
    person.save()
    client.force_login(person)
    assert (
        client.post("/account/tokens/", {"name": "Nightly copy", "scope": "write", "days": "9999"}).status_code == 400
    )
    assert not ProcrastinateJob.objects.filter(args__email=person.email).exists()
    page = client.post("/account/tokens/", TOKEN)
    mail = ProcrastinateJob.objects.get(args__email=person.email).args
    assert "Nightly copy" in mail["text"] and "/account/tokens/" in mail["text"]
    assert page.context["secret"] not in str(mail)
