"""JSON in forms: what can't be read or stored is an error of the form, at every door, and never breaks a page."""

import json
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from fido2 import cbor
from fido2.utils import websafe_encode
from hypothesis import given
from hypothesis import strategies as st

from partners import passkeys
from tests.factories import UserFactory

ODD = {
    "deep": "[" * 100_000,
    "closed": "[" * 5000 + "]" * 5000,
    "objects": '{"id":' * 300 + "1" + "}" * 300,
    "digits": "9" * 5000,
    "surrogate": '{"id": "\\ud800", "rawId": "\\ud800", "type": "public-key", "response": {"clientDataJSON": "\\ud800"}}',
    "nul": '{"id": "a\\u0000b"}',
    "nan": '{"id": NaN}',
    "without end": '{"id": 1e999}',
}
NO_PASSKEY = {
    "number": '{"id": 1}', "empty": "{}", "list": "[1]", "text": '"x"', "one": "1", "null inside": '{"id": "AAAA", "response": null}',
    "list inside": '{"id": 1, "response": []}',
    "short": '{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"AAAA","attestationObject":"AAAA","authenticatorData":"AAAA","signature":"AAAA","userHandle":"MQ"}}',
    "cbor": '{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"bnVsbA","attestationObject":"n5-fn5-fn5-fn5-f","authenticatorData":"AAAA","signature":"AAAA","userHandle":"MQ"}}',
}  # fmt: skip


MANY = 10**15  # octets that the library would make, more than any machine has
for name in ("id", "rawId"):
    NO_PASSKEY[f"many octets as {name}"] = json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key", name: MANY})
for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"):
    inner = json.loads(NO_PASSKEY["short"])["response"] | {name: MANY}
    NO_PASSKEY[f"many octets as {name}"] = json.dumps(json.loads(NO_PASSKEY["short"]) | {"response": inner})
HELD = json.loads(NO_PASSKEY["short"])
HELD["response"]["attestationObject"] = websafe_encode(cbor.encode({"fmt": "none", "attStmt": {}, "authData": MANY}))
NO_PASSKEY["many octets in CBOR"] = json.dumps(HELD)


class Named(forms.Form):
    about = forms.JSONField()


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_json_that_cannot_be_kept_is_an_error_of_its_field_and_shown_again(text):
    form = Named({"about": text})
    assert form.errors.as_data()["about"][0].code == "invalid"
    assert len(str(form)) > min(len(text), 10) and form["about"].value() == text


@pytest.mark.parametrize("value", [[], {}, [1, {"a": ["b", None, 1.5]}], "text", 10**300, "ق"])
def test_json_of_every_day_is_read_as_before(value):
    form = Named({"about": json.dumps(value)})
    assert form.is_valid() if value not in ([], {}) else form.errors
    assert form.fields["about"].clean(json.dumps([value])) == [value]


@pytest.mark.parametrize("text", (ODD | NO_PASSKEY).values(), ids=ODD | NO_PASSKEY)
@pytest.mark.django_db
def test_whatever_a_stranger_sends_as_a_passkey_is_refused(client, text):
    answer = client.post(reverse("mfa_login_webauthn"), {"credential": text})
    assert (answer.status_code, answer["Location"]) == (302, reverse("account_login"))


@pytest.mark.parametrize("text", (ODD | NO_PASSKEY).values(), ids=ODD | NO_PASSKEY)
@pytest.mark.django_db
def test_whatever_is_sent_as_a_new_passkey_is_refused_at_the_form(client, text):
    client.force_login(UserFactory())
    address = reverse("mfa_add_webauthn")
    assert client.get(address).status_code == 200
    answer = client.post(address, {"credential": text, "name": "Mine"})
    assert answer.status_code == 200 and answer.context["form"].errors
    body = urlencode({"name": "Mine"}) + "&credential=%ED%A0%80"  # half a sign, as bytes
    assert client.post(address, body, content_type="application/x-www-form-urlencoded").status_code == 200


@pytest.mark.parametrize("text", (ODD | NO_PASSKEY).values(), ids=ODD | NO_PASSKEY)
@pytest.mark.django_db
def test_whatever_is_sent_to_confirm_who_it_is_is_refused(client, text):
    client.force_login(UserFactory())
    for name in ("mfa_reauthenticate_webauthn", "mfa_reauthenticate"):
        assert client.post(reverse(name), {"credential": text, "code": "1"}).status_code in (200, 302)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["AAAA", "bnVsbA", "public-key"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "rawId", "type", "response", "clientDataJSON", "attestationObject", "authenticatorData", "signature",
             "userHandle", "clientExtensionResults"]
        ), inner, max_size=6,
    ),
    max_leaves=12,
)  # fmt: skip


@given(TREES)
def test_reading_a_passkey_ends_in_one_kind_of_error(tree):
    for read in (auth.parse_registration_response, auth.parse_authentication_response, auth.extract_user_from_response):
        step = passkeys.refused_where_unreadable(lambda form, read=read: read(form.cleaned_data["credential"]))
        try:
            step(SimpleNamespace(cleaned_data={"credential": tree}))
        except ValidationError as error:
            assert error.code == "incorrect_code"
        except RuntimeError as error:  # the database is not asked in this test
            assert "Database access not allowed" in str(error)
