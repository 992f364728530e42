"""What holds for every address, page or API: writes that miss the last slash, sizes, who may keep an answer, other origins."""

import pytest

from tests.test_api_contract import token_of

pytestmark = pytest.mark.django_db
JSON = "application/json"
PROBLEM = "application/problem+json"


@pytest.fixture
def bearer(people):
    return {"Authorization": f"Bearer {token_of(people['contributor'])[1]}"}


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
@pytest.mark.parametrize("address", ["/api/v1/needs", "/contact", "/fr/contact"])
def test_write_without_the_last_slash_is_never_turned_into_a_read(client, settings, debug, method, address):
    settings.DEBUG = debug
    answer = getattr(client, method)(f"{address}?a=1", "{}", content_type=JSON)
    assert (answer.status_code, answer["Location"]) == (308, f"{address}/?a=1")


def test_read_without_the_last_slash_is_led_on_as_before(client):
    assert client.get("/needs").status_code == 301


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        '{"title":' + "[" * 200 + "]" * 200 + "}",
        '{"title": ' + "9" * 5000 + "}",
        '{"title": "\\ud800"}',
        '{"\\ud800": 1}',
        b'{"title": "\xff"}',
        '{"title": NaN}',
    ],
    ids=["arrays", "objects", "inside", "number", "surrogate", "name", "bytes", "nan"],
)
@pytest.mark.parametrize("address", ["/api/v1/needs/", "/api/v1/offers/"])
def test_json_that_cannot_be_read_is_a_problem_document(client, bearer, address, body):
    answer = client.post(address, body, content_type=JSON, headers=bearer)
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)


@pytest.mark.parametrize("address", ["/", "/account/", "/admin/", "/needs/", "/nowhere/", "/sitemap.xml", "/data/"])
def test_pages_of_somebody_are_kept_by_nobody(client, people, sign_in, address):
    answer = sign_in(people["administrator"]).get(address)
    assert "no-store" in answer["Cache-Control"]


def test_pages_for_everybody_carry_no_such_line(client):
    assert "no-store" not in client.get("/needs/").get("Cache-Control", "")


def test_answers_to_a_token_are_private_and_can_be_asked_about(client, bearer):
    answer = client.get("/api/v1/needs/", headers=bearer)
    assert answer["Cache-Control"] == "private, no-cache"
    assert client.get("/api/v1/needs/", headers=bearer | {"If-None-Match": answer["ETag"]}).status_code == 304
