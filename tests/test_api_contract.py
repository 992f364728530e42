"""What holds for the whole API: personal tokens, calls sent twice, lost updates, whom it lets in."""

import datetime as dt
import json
import re
import threading

import jsonschema
import pghistory.models
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from lxml import etree
from pyld import jsonld

from outreach.models import Story, StoryText
from partners.models import ApiToken, KeptAnswer, User
from projects.api import TermViewSet
from projects.choices import NeedState
from projects.models import Need, Project
from ssc_portal.api_examples import examples, used_whole
from ssc_portal.api_records import Leaving
from tests.factories import (
    ContributionFactory,
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    ResponseFactory,
    UserFactory,
    commit,
)
from tests.projects.test_need_doors import NEW

WRITING = ("post", "put", "patch", "delete")


def token_of(user, scope="write", days=30) -> tuple[ApiToken, str]:
    until = timezone.localdate() + dt.timedelta(days=days)
    return ApiToken.objects.make(user, name="test", scope=scope, expires_on=until)


def call(method: str, address: str, secret: str = "", body=None, **headers):
    client = Client(enforce_csrf_checks=True)
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    if method == "get":
        return client.get(f"/api/v1/{address}", headers=headers)
    return getattr(client, method)(
        f"/api/v1/{address}", json.dumps(body or {}), content_type="application/json", headers=headers
    )


def is_problem(answer, status: int) -> bool:
    return (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


# --- tokens ----------------------------------------------------------------------------------------------------------------
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
    assert call("get", "needs/", Authorization="Basic abc").status_code == 200  # another scheme is not ours


def routes():
    """Every address of the API with the methods of its views."""
    from ssc_portal.api_urls import urlpatterns

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
        for address in (f"needs/{hidden.reference}/", "needs/", "responses/"):
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
def test_a_token_is_refused_while_the_second_factor_of_its_person_is_missing(role, people, settings):
    person = people[role]
    _token, secret = token_of(person)
    settings.SECOND_FACTOR_REQUIRED = True
    needs = role not in ("contributor", "partner_lead")
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


# --- calls that are sent twice ------------------------------------------------------------------------------------------------
def test_a_call_sent_twice_is_done_once_and_answered_the_same(people):
    _token, secret = token_of(people["contributor"])
    first = call("post", "needs/", secret, NEW, **{"Idempotency-Key": "one"})
    again = call("post", "needs/", secret, NEW, **{"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code, Need.objects.count()) == (201, 201, 1)
    assert (first.json(), first["Location"]) == (again.json(), again["Location"])
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    other = call("post", "needs/", secret, NEW | {"title": "Another"}, **{"Idempotency-Key": "one"})
    assert is_problem(other, 409)
    assert is_problem(call("post", "needs/", secret, NEW, **{"Idempotency-Key": "k" * 201}), 400)


def test_keys_belong_to_a_person_and_are_kept_for_a_day(people):
    (_a, contributor), (_b, focal) = token_of(people["contributor"]), token_of(people["focal_point"])
    body = {"country": "KEN", "title": "Clean rivers", "kind": "capacity"}
    assert call("post", "needs/", contributor, body, **{"Idempotency-Key": "same"}).status_code == 201
    assert call("post", "needs/", focal, body, **{"Idempotency-Key": "same"}).status_code == 201
    assert (Need.objects.count(), KeptAnswer.objects.count()) == (2, 2)
    KeptAnswer.objects.update(created_at=timezone.now() - dt.timedelta(hours=25))
    assert KeptAnswer.objects.outdated().count() == 2
    Need.objects.update(submission_key=None)
    later = call("post", "needs/", contributor, body, **{"Idempotency-Key": "same"})
    assert (later.status_code, "Idempotent-Replayed" in later, Need.objects.count()) == (201, False, 3)


def test_what_is_refused_is_not_kept(people):
    _token, secret = token_of(people["contributor"])
    wrong = call("post", "needs/", secret, NEW | {"kind": "nonsense"}, **{"Idempotency-Key": "k"})
    assert (wrong.status_code, KeptAnswer.objects.count()) == (400, 0)
    assert call("post", "needs/", secret, NEW, **{"Idempotency-Key": "k"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_are_one(reference_again):
    from partners.models import Country
    from tests.factories import MembershipFactory

    person = UserFactory()
    MembershipFactory(user=person, role="contributor", country=Country.objects.get(iso3="KEN"), partner=None)
    _token, secret = token_of(person)
    found = []

    def send():
        try:
            found.append(call("post", "needs/", secret, NEW, **{"Idempotency-Key": "race"}))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in found} == {201}
    assert len({answer.json()["reference"] for answer in found}) == 1
    assert Need.objects.count() == 1


# --- lost updates ---------------------------------------------------------------------------------------------------------------
def test_a_change_says_what_it_is_a_change_of(people):
    _token, secret = token_of(people["contributor"])
    need = NeedFactory(created_by=people["contributor"])
    address = f"needs/{need.reference}/"
    assert is_problem(call("patch", address, secret, {"title": "A"}), 428)
    seen = call("get", address, secret)["ETag"]
    assert call("patch", address, secret, {"title": "A"}, **{"If-Match": seen}).status_code == 200
    assert is_problem(call("patch", address, secret, {"title": "B"}, **{"If-Match": seen}), 412)
    assert call("get", address, secret, **{"If-None-Match": call("get", address, secret)["ETag"]}).status_code == 304


# --- headers --------------------------------------------------------------------------------------------------------------------
def test_every_answer_can_be_traced(client, db):
    assert len(client.get("/api/v1/projects/")["X-Request-Id"]) == 32
    assert client.get("/", headers={"X-Request-Id": "abc-12345"})["X-Request-Id"] == "abc-12345"
    assert client.get("/", headers={"X-Request-Id": "<script>alert(1)"})["X-Request-Id"] != "<script>alert(1)"


def test_other_sites_may_read(client, db):
    answer = client.options("/api/v1/projects/", headers={"Origin": "https://example.org"})
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "Access-Control-Allow-Credentials" not in answer


# --- what of a record, and in which order ------------------------------------------------------------------------------------------
def test_a_caller_chooses_what_is_answered(client, db):
    project = ProjectFactory(published=True)
    ContributionFactory(project=project)
    row = client.get("/api/v1/projects/?fields=reference,title").json()["results"][0]
    assert list(row) == ["reference", "title"]
    row = client.get("/api/v1/projects/?omit=title,summary").json()["results"][0]
    assert "title" not in row and "reference" in row
    row = client.get("/api/v1/projects/?expand=contributions,terms").json()["results"][0]
    whole = client.get(f"/api/v1/projects/{project.reference}/").json()
    assert (row["contributions"], row["terms"]) == (whole["contributions"], whole["terms"])
    assert "budgets" not in row
    one = client.get(f"/api/v1/projects/{project.reference}/?fields=title,contributions").json()
    assert list(one) == ["title", "contributions"]
    assert list(client.get("/api/v1/countries/?fields=iso3").json()["results"][0]) == ["iso3"]


@pytest.mark.parametrize(
    "query", ["fields=nonsense", "omit=nonsense", "expand=nonsense", "expand=title", "cursor=nonsense", "modified_since=yesterday", "fields=nonsense&format=csv", "page_size=0&cursor="]
)  # fmt: skip
def test_a_choice_that_does_not_exist_is_refused(query, client, db):
    answer = client.get(f"/api/v1/projects/?{query}")
    assert answer.status_code in (400, 404), answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_lists_expand_nothing_that_is_restricted(people, sign_in):
    need = NeedFactory(in_state=NeedState.OPEN)
    offer = OfferFactory(in_state="active")
    client = sign_in(people["administrator"])
    for name, part in (
        ("needs", "problem"),
        ("needs", "contact_email"),
        ("needs", "plan"),
        ("needs", "activities"),
        ("offers", "conditions"),
    ):
        assert is_problem(client.get(f"/api/v1/{name}/?expand={part}"), 400)
    assert client.get("/api/v1/needs/?expand=lines,terms").json()["results"][0]["reference"] == need.reference
    assert client.get("/api/v1/offers/?expand=lines,eligible").json()["results"][0]["reference"] == offer.reference


def test_expanded_lists_cost_the_same_at_any_length(people, sign_in, count_queries):
    addresses = [
        "projects/?expand=contributions,partners,related,needs,updates",
        "needs/?expand=lines,terms,project",
        "offers/?expand=lines,eligible",
    ]
    client, counts = sign_in(people["partner_lead"]), []
    for more in (1, 2, 12):
        for _n in range(more):
            ContributionFactory(project=ProjectFactory(published=True))
            ResponseFactory(need=NeedFactory(in_state=NeedState.OPEN))
            OfferFactory(in_state="active")
        found = []
        for address in addresses:
            client.get(f"/api/v1/{address}")
            with count_queries() as n:
                assert client.get(f"/api/v1/{address}").status_code == 200
            found.append(n())
        counts.append(found)
    assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize(
    "body", ['{"title": "a\\u0000b"}', '{"a\\u0000": 1}', '{"countries": [{"country": "\\u0000"}]}', '["\\u0000"]', '"\\u0000"'],
)  # fmt: skip
def test_a_nul_sign_is_refused_wherever_it_stands(body, people):
    _token, secret = token_of(people["desk"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    for address in ("projects/", "needs/"):
        assert is_problem(client.post(f"/api/v1/{address}", body, content_type="application/json"), 400)


def test_what_leaves_nothing_to_answer_is_refused(client, db):
    answer = client.get("/api/v1/countries/?format=csv&fields=iso3&omit=iso3")
    assert is_problem(answer, 404)


@pytest.mark.parametrize("name", ["terms", "projects", "needs", "offers", "countries", "partners"])
def test_an_empty_page_is_an_empty_file(name, client, db):
    nothing = "code=nowhere&vocabulary=crs" if name == "terms" else "q=xyzzy" if name != "countries" else "q=xyzzyxyzzy"
    for kind, lines in (("csv", 1), ("jsonl", 0)):
        answer = client.get(f"/api/v1/{name}/?format={kind}&page=1&{nothing}")
        assert answer.status_code == 200
        assert len(b"".join(answer.streaming_content).splitlines()) == lines


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2000-01-01T00:00:00%2B18:00", 200), ("1180-03-02T22:22:26.4%2B18:22", 200), ("0001-01-01T00:00:00%2B10:00", 400),
        ("9999-12-31T23:59:59-10:00", 400), ("yesterday", 400),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["projects", "tossd"])
def test_any_moment_of_iso_8601_is_taken_or_refused(name, moment, status, client, db):
    assert client.get(f"/api/v1/{name}/?modified_since={moment}").status_code == status


def test_a_record_in_another_format_has_no_fields_to_choose(client, db):
    project = ProjectFactory(published=True)
    assert is_problem(client.get(f"/api/v1/projects/{project.reference}/?format=iati&omit=nonsense"), 404)


def test_what_will_go_says_so(client, db, monkeypatch):
    going = Leaving(dt.date(2027, 1, 1), dt.date(2028, 1, 1), "/api/v2/terms/")
    monkeypatch.setattr(TermViewSet, "leaving", going)
    answer = client.get("/api/v1/terms/?page_size=1")
    assert answer["Deprecation"] == f"@{int(dt.datetime(2027, 1, 1, tzinfo=dt.UTC).timestamp())}"
    assert answer["Sunset"] == "Sat, 01 Jan 2028 00:00:00 GMT"
    assert '</api/v2/terms/>; rel="successor-version"' in answer["Link"]
    assert 'rel="next"' in answer["Link"]
    assert "Deprecation" not in client.get("/api/v1/regions/?page_size=1")
    operations = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    assert operations["/api/v1/terms/"]["get"]["deprecated"]
    assert "deprecated" not in operations["/api/v1/regions/"]["get"]


def test_every_body_and_answer_has_an_example_that_fits_its_schema(db):
    schema = SchemaGenerator().get_schema(request=None, public=True)
    known, used = schema["components"]["schemas"], used_whole(schema)
    assert used - set(examples()) == set()
    assert set(examples()) - used == set()  # none is left over
    for name, example in examples().items():
        jsonschema.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        ).validate(example)
        assert known[name]["examples"] == [example]
    for methods in schema["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert answer["content"]["application/problem+json"]["example"]["status"] == int(status)


@pytest.mark.parametrize(
    ("name", "address"), [("NeedBegin", "needs/"), ("ProjectWrite", "projects/"), ("OfferBegin", "offers/")]
)
def test_the_example_of_a_body_can_be_sent(name, address, people):
    person = {"needs/": "contributor", "projects/": "desk", "offers/": "partner_member"}[address]
    _token, secret = token_of(people[person])
    answer = call("post", address, secret, examples()[name])
    assert answer.status_code == 201, answer.content


def test_the_description_tells_of_webhooks(db):
    told = SchemaGenerator().get_schema(request=None, public=True)["webhooks"]["changed"]["post"]
    body = told["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(body).validate(body["examples"][0])
    assert "offer.activate" in body["properties"]["type"]["enum"]


def test_a_copy_is_kept_by_cursor_and_misses_nothing(client, db):
    for n in range(25):
        ProjectFactory(published=True, title=f"Project {n}")
    ProjectFactory(title="Not public")
    commit()
    seen, address, pages = [], "/api/v1/projects/?cursor=&page_size=7", 0
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        page = answer.json()
        seen += [row["reference"] for row in page["results"]]
        pages += 1
        if pages == 2:  # somebody changes a record that was seen, and one that was not
            Project.objects.filter(reference=seen[0]).update(summary="Changed by raw SQL")
            Project.objects.get(reference=seen[1]).save()  # nothing that the public reads is another now
            commit()
        assert ('rel="next"' in answer["Link"]) == bool(page["next"])
        address = page["next"]
    assert len(set(seen)) == 25
    assert seen[-1] == seen[0]  # it comes again, as it is now
    changed = dt.datetime.fromisoformat(client.get(f"/api/v1/projects/{seen[0]}/").json()["modified_at"])
    found = client.get("/api/v1/projects/", {"modified_since": changed.isoformat()}).json()
    assert [row["reference"] for row in found["results"]] == [seen[0]]
    assert found["count"] == 1
    rows = b"".join(
        client.get("/api/v1/projects/", {"modified_since": changed.isoformat(), "format": "csv"}).streaming_content
    )
    assert len(rows.splitlines()) == 2
    assert client.get("/api/v1/countries/?cursor=").status_code == 200
    assert is_problem(client.get("/api/v1/tossd/?cursor="), 404)


# --- where programs look ------------------------------------------------------------------------------------------------------------
def test_the_site_says_what_there_is_for_programs(client, db):
    catalogue = client.get("/.well-known/api-catalog")
    assert catalogue["Content-Type"].startswith("application/linkset+json")
    links = catalogue.json()["linkset"][0]
    assert client.get(links["service-desc"][0]["href"].replace("http://127.0.0.1:8000", "")).status_code == 200
    security = client.get("/.well-known/security.txt").content.decode()
    fields = dict(line.split(": ", 1) for line in security.splitlines())
    assert fields["Contact"].startswith("mailto:")
    assert dt.datetime.fromisoformat(fields["Expires"]) > dt.datetime.now(dt.UTC)
    assert "Sitemap: " in client.get("/robots.txt").content.decode()


@pytest.mark.parametrize("name", ["projects", "needs", "offers"])
def test_lists_are_atom_feeds_with_their_filters(name, client, db, sign_in, people):
    chosen = {"projects": lambda: ProjectFactory(published=True, title="<b>Mangroves & more"),
              "needs": lambda: NeedFactory(in_state=NeedState.OPEN, title="Mangroves"),
              "offers": lambda: OfferFactory(in_state="active", title="Mangroves")}[name]()  # fmt: skip
    hidden = {"projects": ProjectFactory, "needs": NeedFactory, "offers": OfferFactory}[name](title="Mangroves hidden")
    commit()
    for reader in (client, sign_in(people["administrator"])):
        answer = reader.get(f"/{name}/feed.atom?q=mangroves")
        assert answer["Content-Type"].startswith("application/atom+xml")
        feed = etree.fromstring(answer.content)
        atom = {"a": "http://www.w3.org/2005/Atom"}
        assert feed.xpath("//a:entry/a:title/text()", namespaces=atom) == [chosen.title]
        assert feed.xpath("//a:entry/a:updated", namespaces=atom)
        assert hidden.reference not in answer.content.decode()
    assert len(etree.fromstring(client.get(f"/{name}/feed.atom?q=nothing-like-it").content).findall("{*}entry")) == 0
    assert client.get(f"/{name}/feed.atom?country=ZZZ").status_code == 400
    assert f"/{name}/feed.atom?q=mangroves" in client.get(f"/{name}/?q=mangroves").content.decode()


def test_the_sitemap_lists_what_everybody_may_read(client, db):
    public, hidden = ProjectFactory(published=True), ProjectFactory()
    need, draft, offer = NeedFactory(in_state=NeedState.OPEN), NeedFactory(), OfferFactory(in_state="active")
    index = etree.fromstring(client.get("/sitemap.xml").content)
    name = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
    listed = []
    for part in index.iter(name):
        listed += [
            e.text for e in etree.fromstring(client.get(part.text.removeprefix("http://testserver")).content).iter(name)
        ]
    paths = {address.removeprefix("http://testserver") for address in listed}
    assert {r.get_absolute_url() for r in (public, need, offer)} | {
        "/",
        "/data/",
        "/countries/KEN/",
        "/themes/wetlands/",
    } <= paths
    assert not {r.get_absolute_url() for r in (hidden, draft)} & paths


def _schema_org(url: str, _options) -> dict:
    """The context of schema.org, as far as its programs need it: all its words are under its own address."""
    assert url == "https://schema.org"
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": {"@vocab": f"{url}/"}}, "contentType": "application/ld+json"}  # fmt: skip


def test_pages_carry_linked_data(client, db):
    project = ProjectFactory(published=True, title="</script><b>&", partners=["undp"])
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    story = Story.objects.create(slug="a-story", project=project, is_public=True, published_at=timezone.now())
    StoryText.objects.create(story=story, title="</script> told", lede="Short.")
    pages = {
        "/": "WebSite", "/data/": "Dataset", project.get_absolute_url(): "Project", need.get_absolute_url(): "Demand",
        offer.get_absolute_url(): "Offer", story.get_absolute_url(): "Article", "/countries/KEN/": "Country", "/partners/undp/": "Organization",
    }  # fmt: skip
    for address, kind in pages.items():
        (text,) = re.findall(
            r'<script type="application/ld\+json">(.*?)</script>', client.get(address).content.decode(), re.DOTALL
        )
        found = json.loads(text)
        assert (found["@context"], found["@type"]) == ("https://schema.org", kind)
        (read,) = jsonld.expand(found, {"documentLoader": _schema_org})  # another program reads the same (JSON-LD 1.1)
        assert read["@type"] == [f"https://schema.org/{kind}"] and all(
            name.startswith(("@", "https://schema.org/")) for name in read
        )
    text = client.get(project.get_absolute_url()).content.decode()
    assert "\\u003C/script\\u003E\\u003Cb\\u003E\\u0026" in text
