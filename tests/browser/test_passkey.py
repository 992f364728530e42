"""A passkey is added and signs in, with Chromium's virtual authenticator; the policy of the site holds meanwhile."""

import pytest

from partners.choices import Role
from tests.browser.conftest import BROWSER, page_of
from tests.factories import MembershipFactory

pytestmark = [*BROWSER, pytest.mark.xdist_group("subscribing")]
PASSWORD = "a long enough password"


def test_a_passkey_is_added_and_signs_in(chromium, live_server, settings):
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
    base = live_server.url.replace("127.0.0.1", "localhost")  # passkeys belong to names, not to numbers
    settings.ALLOWED_HOSTS = ["localhost"]
    person = MembershipFactory(role=Role.DESK).user
    person.vouch_for_address()
    page = page_of(chromium, base, None)
    context = page.context
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    page.goto(base + "/accounts/login/")
    page.fill("#id_login", person.email)
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/")
    page.goto(base + "/accounts/2fa/webauthn/add/")
    if "reauthenticate" in page.url:
        page.fill("#id_password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/webauthn/add/**")
    page.fill("#id_name", "Laptop")
    page.check("#id_passwordless")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "webauthn/add" not in url)
    assert person.authenticator_set.filter(type="webauthn").exists()
    assert person.authenticator_set.filter(type="recovery_codes").exists()
    assert page.evaluate("window.__refused") == []

    context.clear_cookies()
    page.goto(base + "/accounts/login/")
    page.click("text=Sign in with a passkey")
    page.click("#passkey_login")
    page.wait_for_url("**/dashboard/")
    assert page.evaluate("window.__refused") == []
