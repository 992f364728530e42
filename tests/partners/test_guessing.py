"""Guessing: slow for one account from however many addresses, never a lock for its owner, and nothing told by the time."""

import re
import time
from unittest import mock

import pytest
from allauth.mfa.totp.internal import auth as totp_auth
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from lxml import html
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.models import User

pytestmark = [pytest.mark.sql, pytest.mark.django_db]
AS_SET, LIMIT = (
    settings.ACCOUNT_RATE_LIMITS,
    8,
)  # attempts at one account from all addresses, so that few are enough here
RIGHT, NEW = "a long enough password", "another long enough password"
EMAIL = "owner@example.org"


@pytest.fixture(autouse=True)
def counts_anew(settings):
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {**AS_SET, "login_failed_anywhere": f"{LIMIT}/h/key"}


@pytest.fixture
def owner():
    person = User.objects.create_user(EMAIL, RIGHT)
    person.vouch_for_address()
    return person


def sign_in(client, password=RIGHT, address="192.0.2.1", email=EMAIL) -> bool:
    client.post(reverse("account_login"), {"login": email, "password": password}, REMOTE_ADDR=address)
    return "_auth_user_id" in client.session


def guess(times: int, email=EMAIL) -> None:
    for n in range(times):
        sign_in(Client(), "a wrong password", f"198.51.100.{n}", email)


def warnings() -> int:
    return ProcrastinateJob.objects.filter(
        task_name="partners.send_mail", args__subject__icontains="failed attempts"
    ).count()


def test_guessing_from_many_addresses_is_slowed(owner, settings):
    settings.ACCOUNT_RATE_LIMITS = AS_SET
    guess(30)
    assert not sign_in(Client(), RIGHT, "203.0.113.9")


def test_the_owner_is_told_once_a_day(owner):
    guess(LIMIT - 1)
    assert not warnings()
    guess(5)
    assert warnings() == 1


def test_a_known_browser_still_signs_in_while_others_guess(owner):
    known = Client()
    assert sign_in(known)
    known.post(reverse("account_logout"))
    guess(LIMIT + 1)
    assert sign_in(known)


def test_a_guesser_in_the_same_office_does_not_lock_the_owners_browser(owner):
    known = Client()
    assert sign_in(known)
    known.post(reverse("account_logout"))
    for _n in range(6):
        sign_in(Client(), "a wrong password")
    assert not sign_in(Client())
    assert sign_in(known)


def test_the_cookie_of_another_account_or_a_forged_one_does_not_help(owner):
    other = User.objects.create_user("other@example.org", RIGHT)
    other.vouch_for_address()
    client = Client()
    assert sign_in(client, email=other.email)
    client.post(reverse("account_logout"))
    guess(LIMIT + 1)
    assert not sign_in(client)
    client.cookies["known"] = client.cookies["known"].value[:-2] + "xx"
    assert not sign_in(client, address="192.0.2.7")


def test_a_known_browser_has_a_total_too(owner):
    known = Client()
    sign_in(known)
    known.post(reverse("account_logout"))
    for n in range(LIMIT):
        sign_in(known, "a wrong password", f"198.51.100.{n}")
    assert not sign_in(known, RIGHT, "203.0.113.9")


def test_setting_a_new_password_lets_the_owner_in(owner):
    guess(LIMIT + 1)
    client = Client()
    client.post(reverse("account_reset_password"), {"email": EMAIL})
    link = re.search(r"https?://[^/]+(/\S+)", ProcrastinateJob.objects.latest("pk").args["text"])[1]
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW, "password2": NEW})
    assert sign_in(client, NEW)


def test_signing_in_takes_nothing_from_the_total(owner):
    for n in range(LIMIT + 5):
        assert sign_in(Client(), RIGHT, f"198.51.100.{n}")


def test_an_unknown_address_is_refused_after_as_many_attempts():
    guess(LIMIT, "nobody@example.org")
    answer = Client().post(
        reverse("account_login"), {"login": "nobody@example.org", "password": RIGHT}, REMOTE_ADDR="203.0.113.9"
    )
    assert "too many failed attempts" in answer.content.decode()


def test_sign_up_does_equal_work_for_a_known_address(owner, client):
    made = []
    for email in (EMAIL, "new@example.org"):
        with mock.patch("django.contrib.auth.base_user.make_password", return_value="!") as hashing:
            client.post(reverse("account_signup"), {"email": email, "password1": RIGHT})
        made.append(hashing.call_count)
    assert made == [1, 1]


# --- what is said to whom is slowed --------------------------------------------------------------------------------------
def refusal_of(email: str, address: str) -> str:
    """What the page of the sign-in says after another attempt."""
    values = {"login": email, "password": "a wrong password"}
    page = Client().post(reverse("account_login"), values, REMOTE_ADDR=address)
    found = html.fromstring(page.content.decode()).xpath("//*[contains(@class, 'summary')]")[0]
    assert [link.get("href") for link in found.iter("a")] == ["#id_login", reverse("account_reset_password")]
    return " ".join(found.text_content().split())


def test_who_is_slowed_is_told_how_long_to_wait_and_how_to_get_in(owner):
    told = {}
    for email in (EMAIL, "nobody@example.org"):
        for _n in range(5):
            sign_in(Client(), "a wrong password", "192.0.2.7", email)
        told[email] = refusal_of(email, "192.0.2.7")
        assert "Wait 5 minutes" in told[email] and "Set a new password" in told[email]
        guess(LIMIT - 5, email)
        told[email, "anywhere"] = refusal_of(email, "203.0.113.9")
        assert "Wait 60 minutes" in told[email, "anywhere"]
    assert told[EMAIL] == told["nobody@example.org"]  # whether there is an account is told to nobody
    assert told[EMAIL, "anywhere"] == told["nobody@example.org", "anywhere"]


def test_the_time_to_wait_gets_shorter(owner, monkeypatch):
    for _n in range(5):
        sign_in(Client(), "a wrong password", "192.0.2.7")
    later = time.time() + 200
    monkeypatch.setattr(time, "time", lambda: later)
    assert "Wait 2 minutes" in refusal_of(EMAIL, "192.0.2.7")
    later += 60
    assert "Wait 1 minute," in refusal_of(EMAIL, "192.0.2.7")


def test_who_is_slowed_at_the_second_factor_is_told_how_long_to_wait(owner):
    totp_auth.TOTP.activate(owner, totp_auth.generate_totp_secret())
    client = Client()
    client.post(reverse("account_login"), {"login": EMAIL, "password": RIGHT})
    for _n in range(5):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    page = client.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    assert "too many failed attempts" in page and "Wait 5 minutes" in page
