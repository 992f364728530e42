"""Personal tokens of the API: whose they are, what they open, how they end."""

import datetime as dt
import json

import pghistory.models
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import Client
from django.utils import timezone

from partners.models import ApiToken, User
from projects.choices import NeedState
from projects.models import Need
from tests import THOROUGH
from tests.api_calls import call, is_problem, token_of
from tests.factories import (
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    ResponseFactory,
)
from tests.projects.test_need_doors import NEW

WRITING = ("post", "put", "patch", "delete")


def test_a_token_stands_for_its_owner_and_is_known_by_its_digest_only(people):
    token, secret = token_of(people["contributor"])
    begun = call("post", "needs/", secret, NEW)
    assert begun.status_code == 201, begun.content
    need = Need.objects.get()
    assert need.created_by == people["contributor"]
    kept = pghistory.models.Events.objects.tracks(need).latest("pgh_created_at")
    assert (kept.pgh_context["user"], kept.pgh_context["token"]) == (people["contributor"].pk, token.pk)
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values().get())
    assert ApiToken.objects.get().last_used_at is not None
    assert call("get", f"needs/{need.reference}/", secret).status_code == 200
    assert call("get", f"needs/{need.reference}/").status_code == 404


def test_a_token_stops_at_once(people):
    token, secret = token_of(people["contributor"])
    assert call("get", "responses/", secret).status_code == 200
    token.revoke()
    refused = call("get", "responses/", secret)
    assert is_problem(refused, 401)
    assert refused["WWW-Authenticate"].startswith("Bearer")
    other, secret = token_of(people["contributor"])
    ApiToken.objects.filter(pk=other.pk).update(expires_on=timezone.localdate() - dt.timedelta(days=1))
    assert is_problem(call("get", "responses/", secret), 401)
    _token, secret = token_of(people["contributor"])
    people["contributor"].is_active = False
    people["contributor"].save()
    assert is_problem(call("get", "responses/", secret), 401)
    assert is_problem(call("get", "needs/?format=nonsense", "ssc_nonsense"), 406)  # told before anybody is asked for
    for wrong in ("ssc_nonsense", "x" * 5000, ""):
        assert is_problem(call("get", "needs/", Authorization=f"Bearer {wrong}"), 401)


def routes():
    """Every address of the API with the methods of its views."""
    from api.urls import urlpatterns

    for pattern in urlpatterns:
        actions = getattr(pattern.callback, "actions", None) or {}
        yield pattern, actions


def test_a_reading_token_writes_nowhere(people):
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    project, response = ProjectFactory(published=True), ResponseFactory(need=need)
    values = {
        "needs": need.reference, "offers": offer.reference, "projects": project.reference, "responses": response.reference,
        "matches": f"{need.reference}+{offer.reference}",
    }  # fmt: skip
    _token, secret = token_of(people["administrator"], scope="read")
    tried = 0
    for pattern, actions in routes():
        path = str(pattern.pattern).removeprefix("^").removesuffix("$")
        record = values.get(path.split("/")[0], "x")
        for group in pattern.pattern.regex.groupindex:
            path = _put(path, group, record if group in ("reference", "id", "slug", "iso3", "code") else "submit")
        for method in set(actions) & set(WRITING):
            answer = call(method, path.replace("\\", ""), secret, {}, **{"If-Match": "*"})
            assert is_problem(answer, 403), (method, path, answer.status_code, answer.content[:200])
            assert "only reads" in answer.json()["detail"]
            tried += 1
    assert tried >= 18


def _put(path: str, group: str, value: str) -> str:
    """The path with a group of its pattern filled in; with the first of its alternatives, where it names some."""
    start = path.index(f"(?P<{group}>")
    depth = 0
    for place in range(start, len(path)):
        depth += {"(": 1, ")": -1}.get(path[place], 0)
        if depth == 0:
            inside = path[start + len(f"(?P<{group}>") : place]
            return path[:start] + (inside.split("|")[0] if "|" in inside else value) + path[place + 1 :]
    raise AssertionError(path)


@pytest.mark.parametrize("scope", ["read", "write"])
def test_what_a_token_sees_and_may_is_what_its_owner_sees_and_may(scope, people):
    hidden = NeedFactory()  # Kenya's draft
    for person in people.values():
        if person is None:
            continue
        _token, secret = token_of(person, scope)
        client = Client()
        client.force_login(person)
        for address in (f"needs/{hidden.reference}/", "needs/", "responses/")[
            : 3 if THOROUGH or scope == "read" else 1
        ]:
            by_token, by_session = call("get", address, secret), client.get(f"/api/v1/{address}")
            assert by_token.status_code == by_session.status_code
            assert by_token.json() == by_session.json()
        if scope == "write":
            body, kind = json.dumps({"title": "x"}), "application/json"
            in_session = client.patch(f"/api/v1/needs/{hidden.reference}/", body, kind, headers={"If-Match": "*"})
            with_token = call("patch", f"needs/{hidden.reference}/", secret, {"title": "x"}, **{"If-Match": "*"})
            assert with_token.status_code == in_session.status_code


def test_tokens_open_nothing_but_the_api(people):
    _token, secret = token_of(people["administrator"])
    for address in ("/dashboard/", "/admin/", "/account/tokens/"):
        assert Client().get(address, headers={"Authorization": f"Bearer {secret}"}).status_code == 302


def test_one_makes_lists_and_revokes_ones_own_tokens(people, sign_in):
    client = sign_in(people["partner_member"])
    page = client.post("/account/tokens/", {"name": "Nightly copy", "scope": "read", "days": "30"})
    assert (page.status_code, "no-store" in page["Cache-Control"]) == (200, True)
    token = ApiToken.objects.get()
    assert (token.user, token.expires_on) == (people["partner_member"], timezone.localdate() + dt.timedelta(days=30))
    secret = page.context["secret"]
    assert page.content.decode().count(secret) == 1
    assert secret not in client.get("/account/tokens/").content.decode()
    assert call("get", "responses/", secret).status_code == 200
    assert sign_in(people["stranger"]).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert call("get", "responses/", secret).status_code == 200
    assert sign_in(people["partner_member"]).get(f"/account/tokens/{token.pk}/revoke/").status_code == 405
    assert sign_in(people["partner_member"]).post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert call("get", "responses/", secret).status_code == 401
    assert "revoked" in sign_in(people["partner_member"]).get("/account/tokens/").content.decode()


@pytest.mark.parametrize("role", ["focal_point", "desk", "publisher", "administrator", "contributor", "partner_lead"])
def test_a_token_is_refused_while_the_second_factor_of_its_person_is_missing(role, people, settings, sign_in):
    person = people[role]
    _token, secret = token_of(person)
    settings.SECOND_FACTOR_REQUIRED = True
    needs = role not in ("contributor", "partner_lead")
    signed_in = sign_in(person).get("/api/v1/needs/").json()
    assert (signed_in.get("code") == "permission_denied") is needs
    for answer in (call("get", "needs/", secret), call("post", "needs/", secret, NEW)):
        told = answer.json()
        assert (told.get("title") == "Second factor missing") is needs
        if needs:
            assert is_problem(answer, 403) and "/accounts/2fa/" in told["detail"]
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    assert call("get", "needs/", secret).status_code == 200
    settings.SECOND_FACTOR_REQUIRED = False
    Authenticator.objects.filter(user=person).delete()
    assert call("get", "needs/", secret).status_code == 401


def _deactivated_and_back(person):
    User.objects.filter(pk=person.pk).update(is_active=False)
    User.objects.filter(pk=person.pk).update(is_active=True)


def _new_password(person):
    person.set_password("another long password")
    person.save()


def _password_in_sql(person):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE partners_user SET password = '!' WHERE id = %s", [person.pk])


def _factor_removed(person):
    person.authenticator_set.get(type="totp").delete()


@pytest.mark.parametrize("change", [_deactivated_and_back, _new_password, _password_in_sql, _factor_removed])
def test_a_token_ends_with_what_its_person_was_known_by(change, people):
    person = people["contributor"]
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    token, secret = token_of(person)
    _other, others = token_of(people["desk"])
    assert call("get", "responses/", secret).status_code == 200
    change(person)
    assert is_problem(call("get", "responses/", secret), 401)
    token.refresh_from_db()
    assert not token.is_active and token.revoked_at is not None
    assert call("get", "responses/", others).status_code == 200


def test_a_token_stays_while_its_person_is_known_as_before(people, settings):
    """A new name, another second factor, used recovery codes, and the same password kept in a stronger way."""
    person = people["contributor"]
    person.set_password("a long enough password")
    person.save()
    _token, secret = token_of(person)
    person.full_name = "Somebody Else"
    person.save()
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(person).instance.delete()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    before = person.password
    assert person.check_password("a long enough password") and person.password != before
    assert User.objects.get(pk=person.pk).password == person.password
    assert call("get", "responses/", secret).status_code == 200


@pytest.mark.parametrize(
    "given", [{}, {"name": "x", "scope": "all", "days": "30"}, {"name": "x", "scope": "read", "days": "9999"}]
)
def test_a_token_that_can_not_be_is_refused_with_words(given, people, sign_in):
    page = sign_in(people["desk"]).post("/account/tokens/", given)
    assert (page.status_code, ApiToken.objects.count()) == (400, 0)
    assert page.context["form"].errors


def test_one_has_a_limited_number_of_tokens(people, sign_in, monkeypatch):
    monkeypatch.setattr("partners.models.program.MOST_TOKENS", 1)
    token_of(people["desk"])
    page = sign_in(people["desk"]).post("/account/tokens/", {"name": "Another", "scope": "read", "days": "30"})
    assert (page.status_code, "Revoke one first" in page.content.decode()) == (400, True)
    assert 'value="Another"' in page.content.decode()
