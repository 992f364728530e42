"""What a program is told when a call is refused: by whom it is, in its language, and before anything of the body costs or tells."""

import gzip
import json

import pytest
from django.test import Client
from django.utils.translation import override
from rest_framework.exceptions import NotAuthenticated, NotFound

from projects.choices import NeedState
from projects.models import Need, Offer, Project, Response
from tests.api_calls import call, is_problem, token_of
from tests.factories import NeedFactory, OfferFactory, ProjectFactory, ResponseFactory, commit

pytestmark = pytest.mark.django_db
JSON = "application/json"


# --- credentials ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "given", ["Token ssc_abc", "Basic YTpi", "basic YTpi", "ssc_abc", "Digest a=b", "Negotiate x", "Bearer", "Bearer ssc_no"]
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_credentials_that_are_not_understood_are_never_answered_as_nobody(method, given, client):
    answer = call(method, "needs/", Authorization=given)
    assert is_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")
    if not given.startswith("Bearer"):
        assert "Authorization: Bearer" in answer.json()["detail"]
    assert "public" not in answer["Cache-Control"]


@pytest.mark.parametrize("name", ["changes", "countries", "terms", "matches", "tossd", "quantities", "nowhere/x"])
def test_every_address_of_the_api_refuses_them(name):
    assert call("get", f"{name}/", Authorization="Token x").status_code == (404 if name == "nowhere/x" else 401)


def test_a_signed_in_person_is_not_taken_for_an_unknown_scheme(client, people):
    client.force_login(people["desk"])
    assert client.get("/api/v1/responses/").status_code == 200
    assert client.get("/api/v1/responses/", headers={"Authorization": ""}).status_code == 200


def test_pages_and_questions_of_browsers_ask_for_no_token(client):
    """A test site may stand behind a proxy that asks for a password: browsers then send it with every page."""
    assert client.get("/needs/", headers={"Authorization": "Basic YTpi"}).status_code == 200
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET", "Authorization": "Token x"}
    assert client.options("/api/v1/needs/", headers=asked).status_code == 204
    refused = client.get("/api/v1/needs/", headers={"Origin": "https://example.org", "Authorization": "Token x"})
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (401, "*")


# --- languages ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["fr", "es", "ru", "ar", "zh-hans"])
def test_a_problem_is_told_in_the_language_that_the_caller_asks_for(language, client):
    header = {"Accept-Language": f"{language}, en;q=0.5"}
    with override(language):
        titles = {
            "needs/N-KEN-2020-9999/": str(NotFound.default_detail),
            "responses/": str(NotAuthenticated.default_detail),
        }
    for address, title in titles.items():
        answer = client.get(f"/api/v1/{address}", headers=header)
        assert (answer.json()["title"], answer["Content-Language"]) == (title, language)
        assert "Accept-Language" in answer["Vary"]
        assert client.get(f"/api/v1/{address}").json()["title"] != title
    nowhere = client.get("/api/v1/nowhere/", headers=header)
    assert nowhere["Content-Language"] == language and "Accept-Language" in nowhere["Vary"]
    assert nowhere.json()["title"] != client.get("/api/v1/nowhere/").json()["title"]


def test_fields_at_fault_are_told_in_the_callers_language(people):
    _token, secret = token_of(people["contributor"])
    need = NeedFactory(created_by=people["contributor"])
    told = {}
    for language in ("fr", "en"):
        headers = {"If-Match": "*", "Accept-Language": language}
        answer = call("patch", f"needs/{need.reference}/", secret, {"contact_email": "nobody"}, **headers)
        assert (answer.status_code, answer["Content-Language"]) == (400, language)
        told[language] = answer.json()["errors"][0]["detail"]
    assert told["fr"] != told["en"]


def test_a_missing_second_factor_is_told_in_the_callers_language(client, people, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client.force_login(people["desk"])
    told = [client.get("/api/v1/needs/", headers={"Accept-Language": one}) for one in ("fr", "en")]
    assert [(one.status_code, one["Content-Language"]) for one in told] == [(403, "fr"), (403, "en")]
    assert told[0].json()["title"] != told[1].json()["title"]


@pytest.mark.parametrize("accepted", ["de", "*", "xx;q=nonsense", "fr-CA"])
def test_a_language_that_is_not_spoken_is_answered_in_one_that_is(accepted, client):
    answer = client.get("/api/v1/needs/N-KEN-2020-9999/", headers={"Accept-Language": accepted})
    assert answer["Content-Language"] == ("fr" if accepted == "fr-CA" else "en")


def test_contents_are_the_same_in_every_language(client, people):
    """So that one copy is good for all, and an ETag that was read in one language holds for a write in another."""
    response = ResponseFactory(need=NeedFactory(in_state=NeedState.IN_DIALOGUE))
    need, offer, project = response.need, OfferFactory(in_state="active"), ProjectFactory(published=True)
    commit()
    client.force_login(people["desk"])
    for address in (
        *("needs/", f"needs/{need.reference}/", "needs/?format=csv", "projects/?format=iati", "offers/"),
        *(f"offers/{offer.reference}/", "projects/", f"projects/{project.reference}/", "projects/?format=geojson"),
        *("responses/", f"responses/{response.reference}/", "tossd/", "quantities/", "terms/?page_size=5", "changes/"),
    ):
        found = []
        for headers in ({}, {"Accept-Language": "fr"}):
            answer = client.get(f"/api/v1/{address}", headers=headers)
            assert (answer.status_code, answer["Content-Language"]) == (200, "en"), address
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            found.append((body if "iati" not in address else len(body), answer.get("ETag")))
        assert found[0] == found[1], address


def test_what_was_read_in_one_language_may_be_written_in_another(people):
    _token, secret = token_of(people["contributor"])
    address = f"needs/{NeedFactory(created_by=people['contributor']).reference}/"
    seen = call("get", address, secret, **{"Accept-Language": "fr"})["ETag"]
    written = call("patch", address, secret, {"title": "A"}, **{"If-Match": seen, "Accept-Language": "es"})
    assert (written.status_code, written["Content-Language"]) == (200, "en")
    assert written.json() == call("get", address, secret).json()


# --- compressed bodies ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "gzip, identity"])
def test_a_compressed_body_is_refused_with_what_to_do(coding, people):
    _token, secret = token_of(people["contributor"])
    headers = {"Authorization": f"Bearer {secret}", "Content-Encoding": coding}
    body = gzip.compress(b'{"country": "KEN", "title": "T"}')
    answer = Client().post("/api/v1/needs/", body, content_type=JSON, headers=headers)
    assert is_problem(answer, 415)
    assert answer.json()["code"] == "unsupported_media_type"
    assert "uncompressed" in answer.json()["detail"] and answer["Accept-Encoding"] == "identity"
    page = Client().post(
        "/contact/", body, content_type="application/x-www-form-urlencoded", headers={"Content-Encoding": coding}
    )
    assert page.status_code == 415 and "uncompressed" in page.content.decode()


def test_a_body_that_is_not_compressed_may_say_so(people):
    _token, secret = token_of(people["contributor"])
    body = {"country": "KEN", "title": "T", "kind": "capacity"}
    assert call("post", "needs/", secret, body, **{"Content-Encoding": "identity"}).status_code == 201


# --- who may, before what ---------------------------------------------------------------------------------------------------
BAD = [{"nonsense": 1, "id": "x"}] * 20


def writes() -> dict[str, tuple[str, str, dict]]:
    """Every write with items or texts in its body: {name: (method, address, body with much that is wrong)}."""
    need = NeedFactory(in_state=NeedState.OPEN)
    offer, project = OfferFactory(in_state="active"), ProjectFactory(published=True)
    wrong = {"lines": BAD, "terms": ["no:such"] * 20, "answers": BAD, "note": 1, "text": 1}
    at = f"needs/{need.reference}/"
    return {
        "begin a need": ("post", "needs/", wrong | {"country": "KEN"}),
        "write a need": ("patch", at, wrong),
        "screen": ("post", f"{at}screening/", wrong),
        "plan": ("put", f"{at}plan/", {"roles": BAD, "activities": BAD}),
        "progress": ("post", f"{at}progress/", wrong),
        "respond": ("post", f"{at}responses/", wrong | {"partner": "undp"}),
        "suggest": ("post", f"{at}suggestions/", wrong),
        "begin an offer": ("post", "offers/", wrong | {"partner": "undp", "eligible": ["no"] * 20}),
        "write an offer": ("patch", f"offers/{offer.reference}/", wrong | {"eligible": ["no"] * 20}),
        "enter a project": ("post", "projects/", {"countries": BAD, "terms": BAD}),
        "write a project": ("patch", f"projects/{project.reference}/", {"countries": BAD, "terms": BAD}),
        "check a project": ("post", f"projects/{project.reference}/check/", wrong),
    }  # fmt: skip


def test_who_may_not_write_learns_nothing_of_the_items_of_a_body(people, count_queries):
    _token, secret = token_of(people["stranger"])
    before = [kind.objects.count() for kind in (Need, Offer, Project, Response)]
    for name, (method, address, body) in writes().items():
        with count_queries() as n:
            answer = call(method, address, secret, body, **{"If-Match": "*"})
        assert is_problem(answer, 403), (name, answer.status_code, answer.content)
        assert "errors" not in answer.json()
        assert n() <= 12, name  # none for each item
    assert [kind.objects.count() for kind in (Need, Offer, Project, Response)] == [
        n + d for n, d in zip(before, (1, 1, 1, 0), strict=True)
    ]


@pytest.mark.parametrize("move", ["accept", "decline", "take_back"])
def test_a_side_that_may_not_answer_a_response_is_refused_before_its_note_is_read(move, people):
    """Who reads a response and may not do this to it: the provider does not accept, the country does not take back."""
    response = ResponseFactory(need=NeedFactory(in_state=NeedState.OPEN))
    person = people["contributor" if move == "take_back" else "partner_member"]
    _token, secret = token_of(person)
    assert call("get", f"responses/{response.reference}/", secret).status_code == 200
    answer = call("post", f"responses/{response.reference}/{move}/", secret, {"note": ["x"]})
    assert is_problem(answer, 403)


def test_who_may_write_is_told_what_is_wrong_as_before(people):
    _token, secret = token_of(people["contributor"])
    answer = call("post", "needs/", secret, {"country": "KEN", "title": "T", "lines": BAD})
    assert is_problem(answer, 400) and answer.json()["errors"][0]["field"].startswith("lines.0.")
    assert is_problem(call("post", "needs/", secret, {"title": "T"}), 400)
    assert is_problem(call("post", "needs/", secret, []), 400)
    assert json.loads(call("post", "offers/", secret, {"title": "T"}).content)["errors"][0]["field"] == "partner"
