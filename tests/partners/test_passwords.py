"""Passwords: which are refused when they are set, and that the old ones still open the door."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.urls import reverse

from partners.models import User

EASY = (
    "123456789012", "passwordpassword", "PasswordPassword1", "abcdefghijkl", "qwertyuiopas", "112233445566", "121212121212",
    "aaaaaaaaaaaaa", "210987654321", "password12345", "P@ssw0rdP@ssw0rd", "unepportal2026", "South-South 2026", "abcabcabcabd",
    "1q2w3e4r5t6y", "Password2026!", "azertyuiopqs", "dragonmonkey1", "southsouthcooperation",
)  # fmt: skip
GOOD = (
    "a long enough password", "correct horse battery staple", "kH7-vq2LmX0z", "three lakes and a heron", "дом река поезд чашка",
    "Xk9wQz4pLr7mXk9wQz4pLr7m", "thirteen tall acacias",
)  # fmt: skip


@pytest.mark.parametrize("password", EASY)
def test_a_password_that_is_easy_to_guess_is_refused(password):
    with pytest.raises(ValidationError) as raised:
        validate_password(password)
    codes = {error.code for error in raised.value.error_list}
    assert codes & {"password_easy_to_guess", "password_too_common"}


@pytest.mark.parametrize("password", GOOD)
def test_a_password_of_several_words_or_of_chance_is_taken(password):
    validate_password(password)


@pytest.mark.django_db
def test_sign_up_says_what_to_do_about_an_easy_password(client):
    answer = client.post(reverse("account_signup"), {"email": "new@example.org", "password1": "passwordpassword"})
    assert "Enter four or more words" in answer.content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


@pytest.mark.django_db
def test_signing_in_with_a_password_of_before_works(client):
    person = User.objects.create_user("old@example.org", "passwordpassword")
    person.vouch_for_address()
    client.post(reverse("account_login"), {"login": person.email, "password": "passwordpassword"})
    assert client.session["_auth_user_id"] == str(person.pk)
