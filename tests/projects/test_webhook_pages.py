"""The pages of webhooks: made, looked at, paused, sent again, by their owners and administrators."""

import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings

from ground import networks
from projects import drafting, webhooks
from projects.choices import CallState
from projects.models import Webhook, WebhookCall
from projects.models.webhook import why_not_called
from tests.admin_form import shown
from tests.api_calls import token_of
from tests.factories import NeedFactory
from tests.projects.test_webhooks import GIVEN, made, noted, told

pytestmark = pytest.mark.django_db


# --- the pages ---------------------------------------------------------------------------------------------------------------
def test_one_makes_tries_pauses_and_removes_ones_own(people, sign_in):
    client = sign_in(people["stranger"])
    page = client.post("/account/webhooks/", GIVEN, follow=True)
    webhook = Webhook.objects.get()
    assert (webhook.user, webhook.query) == (people["stranger"], "country=KEN&state=open")
    assert webhook.shown_secret in page.content.decode()
    assert webhook.shown_secret not in client.get("/account/webhooks/").content.decode()
    own = f"/account/webhooks/{webhook.pk}/"
    client.post(f"{own}test/")
    call = webhook.calls.get()
    WebhookCall.objects.update(state=CallState.FAILED, status=503, attempts=8, next_at=None)
    assert "HTTP 503" in client.get(own).content.decode()
    client.post(f"{own}calls/{call.pk}/again/")
    assert webhook.calls.get().state == CallState.WAITING
    client.post(f"{own}pause/")
    assert Webhook.objects.get().paused_by == "owner"
    assert client.get(own).status_code == 200
    client.post(f"{own}resume/")
    assert Webhook.objects.get().paused_at is None
    client.post(f"{own}remove/")
    assert not Webhook.objects.exists()


def test_webhooks_of_others_are_hidden_from_every_role(people, sign_in):
    webhook = made(people["stranger"])
    call = webhooks.ping(webhook)
    for name, person in people.items():
        if name == "stranger":
            continue
        client = sign_in(person)
        wanted = 302 if person is None else 404
        own = f"/account/webhooks/{webhook.pk}/"
        assert client.get(own).status_code == wanted, name
        for act in ("test", "pause", "resume", "remove", f"calls/{call.pk}/again"):
            assert client.post(f"{own}{act}/").status_code == wanted, (name, act)
        if person:
            assert webhook.url not in client.get("/account/webhooks/").content.decode()
    assert Webhook.objects.get().paused_at is None
    assert webhook.calls.count() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://example.org/"}, "https://"),
        ({"url": "javascript:alert(1)"}, "full web address"),
        ({"url": ""}, "required"),
        ({"subject": "people"}, "Choose one from the list"),
        ({"query": "colour=red"}, "colour"),
        ({"query": "country=nowhere"}, "country"),
    ],
)
def test_what_can_not_be_is_refused_with_words(changes, said, people, sign_in):
    page = sign_in(people["stranger"]).post("/account/webhooks/", {**GIVEN, **changes})
    assert page.status_code == 400
    assert said in page.content.decode()
    assert not Webhook.objects.exists()


def test_one_has_a_limited_number(people, sign_in):
    for _number in range(10):
        made(people["stranger"])
    page = sign_in(people["stranger"]).post("/account/webhooks/", GIVEN)
    assert (page.status_code, Webhook.objects.count()) == (400, 10)


@override_settings(SECRET_KEY="another secret of the portal, as long as it must be, to be told apart")
def _other_secret(webhook):
    return webhook.secret


def test_no_copy_of_the_database_holds_a_secret(people):
    webhook = made(people["stranger"])
    assert webhook.shown_secret not in str(Webhook.objects.values().get())
    assert webhook.secret != _other_secret(webhook)
    assert webhook.secret != made(people["stranger"]).secret


def test_a_correction_of_what_is_public_is_told(people):
    need = NeedFactory(in_state="open")
    made(people["stranger"], subject="need")
    noted()
    need.title = "Air that can be measured"
    need.save()
    drafting.correct(need, by=people["desk"], note="The title had an error.")
    assert told() == ["need.changed"]


def test_administrators_look_and_remove_and_end_tokens(people, sign_in):
    webhook = made(people["stranger"])
    webhooks.ping(webhook)
    token, _secret = token_of(people["stranger"])
    for name, person in people.items():
        client = sign_in(person)
        wanted = 200 if name == "administrator" else 403 if name in ("desk", "publisher") else None
        for address in (
            "projects/webhook/",
            f"projects/webhook/{webhook.pk}/change/",
            "projects/webhookcall/",
            "partners/apitoken/",
        ):
            answer = client.get(f"/admin/{address}")
            assert answer.status_code == wanted or (wanted is None and answer.status_code in (302, 403)), (
                name,
                address,
            )
            assert webhook.shown_secret not in answer.content.decode()
    client = sign_in(people["administrator"])
    client.post("/admin/partners/apitoken/", {"action": "revoke_selected", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at is not None
    address = f"/admin/projects/webhook/{webhook.pk}/delete/"
    client.post(address, shown(client.get(address)))
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "64:ff9b:1::808:808",
        "192.88.99.1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:808:808::1", "fec0::1", "fe80::1", "fc00::1",
        "2001:4860::5efe:7f00:1", "2001:4860::200:5efe:a00:1", "198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1",
        "2001:db8::1", "3fff::1", "5f00::1", "2001:2::1", "2001:10::1", "100::1", "100:0:0:1::1", "192.0.0.8", "240.0.0.1",
        "224.0.0.1", "ff02::1", "ff0e::1", "100.64.0.1", "::", "::1", "255.255.255.255", "64:ff9b::c058:6301",
        "192.52.193.1", "192.31.196.1", "192.175.48.1", "4000::1", "e000::1", "3ffe::1", "64:ff9b::c034:c101", "64:ff9b::c0a8:1",
        "::ffff:192.175.48.1",
    ],
)  # fmt: skip
def test_no_notation_of_a_private_address_is_called(address):
    assert not networks.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_called(address):
    assert networks.is_public(address)


@pytest.mark.parametrize("host", ["localhost", "10.0.0.1", "[::1]", "[64:ff9b::7f00:1]", "169.254.169.254"])
def test_an_address_that_is_plainly_private_is_refused_at_once(people, settings, host):
    settings.WEBHOOKS_TO_PRIVATE = False
    with pytest.raises(ValidationError) as raised:
        Webhook(user=people["desk"], url=f"https://{host}/in").clean()
    assert "private network" in str(raised.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.org:8443/", "Only port 443 is called."),
        ("https://user:pw@example.org/", "Leave the user name and password out of the address"),
        ("https://user@example.org/", "Leave the user name and password out of the address"),
    ],
)
def test_an_address_that_would_not_be_called_is_refused_when_it_is_entered(people, sign_in, settings, url, said):
    settings.WEBHOOKS_TO_PRIVATE = False
    page = sign_in(people["stranger"]).post("/account/webhooks/", {**GIVEN, "url": url})
    assert page.status_code == 400 and said in page.content.decode()
    with pytest.raises(webhooks.NotAllowed, match=said):
        webhooks.post(url, "{}", {})
    assert why_not_called("https://example.org:443/in") == ""
