"""Passwords: which are refused when they are set, and that the old ones still open the door."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.urls import reverse

from partners.models import User

EASY = (
    "contributor2026", "sustainable1", "focalpoint2026",
    "123456789012", "passwordpassword", "PasswordPassword1", "abcdefghijkl", "qwertyuiopas", "112233445566", "121212121212",
    "aaaaaaaaaaaaa", "210987654321", "password12345", "P@ssw0rdP@ssw0rd", "unepportal2026", "South-South 2026", "abcabcabcabd",
    "1234-5678-9012", "12/34/56/78/90", "2026-11-30-2026", "30.11.2026.30.11", "p.a.s.s.w.o.r.d", "p a s s w o r d 1", "pass\u00adwordpassword",
    "password\u200bpassword", "password\u2064\u200e\u2062\u061c\u2066\u200f\u2063\u202c", "password_password", "pässwordpassword", "P@ss.Word.P@ss.Word", "thisisapassword", "this is my password",
    "correcthorsebatterystaple", "correct horse battery staple", "Correct-Horse-Battery-Staple!", "пароль2026год", "Пароль-2026-год",
    "Январь2026!!", "décembre2026", "DÉCEMBRE-2026", "كلمةالسر1234", "كلمة السر ١٢٣٤", "كـلـمـةالسر1234", "kelimemotdepasse",
    "motdepasse-2026", "contraseña contraseña", "密码123456789", "密码密码密码密码密码密码", "一二三四五六密码123456", "mot de passe 2026", "１２３４-５６７８-９０１２",
    "septiembre2026", "november-november", "my new password", "Unep-Portal-2026", "юнеппроект2026", "1-2-3-4-5-6-7-8",
    "1q2w3e4r5t6y", "Password2026!", "azertyuiopqs", "dragonmonkey1", "southsouthcooperation",
)  # fmt: skip
GOOD = (
    "a long enough password", "another long enough password", "Vierzehn Lampen singen 77", "V!3r-zehn;Lampen", "x%Q&)(_@!~|{}:;", ",.-#+<>|~*?=)(/&%$",
    "quatre lampes chantent fort", "cuatro garzas sobre el lago", "четыре цапли над озером", "أربع مالك الحزين فوق البحيرة", "四只苍鹭飞过清晨的湖面上空", "Décembre trois hérons gris",
    "the heron saw my password twice on monday", "9f-2c-71-be-04-d8", "3f2504e0-4f89-11d3", "pelican.tripod.ember.quartz", "мойкотлюбитсыр и рыбу",
    "kH7-vq2LmX0z", "three lakes and a heron", "дом река поезд чашка",
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
