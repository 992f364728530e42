"""What holds for every address, page or API: writes that miss the last slash, sizes, who may keep an answer, other origins."""

import gzip
import json

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from pages.listing import PAGE_SIZE
from partners.choices import Role
from partners.models import Partner
from projects import actions
from projects.choices import NeedState
from projects.models import Answer, Response
from tests import THOROUGH
from tests.api_calls import is_problem, token_of
from tests.factories import MembershipFactory, NeedFactory, ProjectFactory, commit

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


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"title": ' + "9" * 5000 + "}", "A number has more than 1000 digits. Send a shorter one."),
        ('{"title": -' + "9" * 1001 + "}", "A number has more than 1000 digits. Send a shorter one."),
        ('{"title": NaN}', "“NaN” is no number that can be stored."),
        ('{"women": 1e999}', "“1e999” is no number that can be stored."),
        (b'{"title": "\xff"}', "The body is not in UTF-8."),
        ('{"title":\n 1,, }', "This is not JSON. Look at line 2, column 4."),
    ],
)
def test_json_that_cannot_be_read_is_told_in_words_of_ours(client, bearer, body, said):
    answer = client.generic("POST", "/api/v1/needs/", body, content_type=JSON, headers=bearer)
    assert is_problem(answer, 400) and answer.json()["detail"] == said


@pytest.mark.parametrize(
    "kind",
    ["*/*", "application/*", "text/plain", "application/json; charset=klingon", "application/json; charset=zlib",
     "application/json; charset=utf-16", 'application/json; charset="latin-1"'],
)  # fmt: skip
def test_a_body_that_is_not_named_as_json_in_utf_8_is_refused(client, bearer, kind):
    answer = client.generic(
        "POST", "/api/v1/needs/", b'{"country": "KEN", "title": "A"}', content_type=kind, headers=bearer
    )
    assert is_problem(answer, 415)
    assert answer.json()["detail"] == "Send JSON in UTF-8, with “Content-Type: application/json”."


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=UTF-8",
        'application/JSON;charset="utf8"',
        "application/json; charset=UTF_8",
    ],
)
def test_json_in_utf_8_is_taken_however_that_is_written(client, people, kind):
    secret = token_of(people["desk"])[1]
    body = json.dumps({"title": "Déchets", "status": "2"}, ensure_ascii=False).encode()
    headers = {"Authorization": f"Bearer {secret}"}
    answer = client.generic("POST", "/api/v1/projects/", body, content_type=kind, headers=headers)
    assert (answer.status_code, answer.json().get("title")) == (201, "Déchets")


FORM = "application/x-www-form-urlencoded"
UTF_8 = ["utf-8", "UTF-8", "utf8", "UTF_8", '"utf-8"', ""]  # however it is written
OTHERS = [
    "zlib",
    "hex",
    "rot13",
    "undefined",
    "idna",
    "klingon",
    "latin-1",
    "iso-8859-1",
    "windows-1252",
    "us-ascii",
    "iso-8859-8",
    "koi8_t",
    "utf-16",
    "utf-7",
    "unicode_escape",
    "cp037",
    "mbcs",
    "punycode",
]  # fmt: skip  codecs of Python, and names that are none
LISTS = [
    "/needs/?q=%C3%A9",
    "/projects/?q=%C3%A9&sort=title",
    "/offers/?q=%C3%A9&page=1",
    "/fr/needs/?q=%C3%A9&country=KEN",
]


READ_AT = [*LISTS, "/contact/?q=..", "/api/v1/needs/?q=%C3%A9"]


@pytest.mark.parametrize("address", READ_AT)
def test_a_charset_that_is_none_breaks_no_address(client, address):
    """In `make test` each charset at one of the addresses."""
    charsets = [*UTF_8, *OTHERS]
    for charset in charsets if THOROUGH else charsets[READ_AT.index(address) :: len(READ_AT)]:
        answer = client.get(address, headers={"Content-Type": f"text/plain; charset={charset}"})
        assert answer.status_code == 200, charset
        assert answer.wsgi_request.GET["q"] == ("é" if "%C3%A9" in address else ".."), charset


def test_links_of_a_list_write_the_address_again_in_utf_8(client):
    ProjectFactory.create_batch(PAGE_SIZE + 1, title="Café", published=True)
    commit()
    plain = client.get("/projects/?q=Caf%C3%A9").content.decode()
    assert "q=Caf%C3%A9&amp;page=2" in plain
    for charset in ("us-ascii", "iso-8859-1", "utf-16", "koi8_t"):
        answer = client.get("/projects/?q=Caf%C3%A9", headers={"Content-Type": f"text/plain; charset={charset}"})
        assert "q=Caf%C3%A9&amp;page=2" in answer.content.decode()


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=b"])
def test_a_form_in_another_charset_is_refused_with_what_to_do(client, settings, debug, kind):
    settings.DEBUG = debug
    for charset in OTHERS:
        answer = client.generic("POST", "/contact/", b"name=%E9", content_type=f"{kind}; charset={charset}")
        assert answer.status_code == 415 and "“charset=utf-8”" in answer.content.decode(), charset
        answer = client.generic("POST", "/api/v1/needs/", b"title=%E9", content_type=f"{kind}; charset={charset}")
        assert answer["Content-Type"] == PROBLEM and answer.status_code in (401, 415), charset


@pytest.mark.parametrize("charset", UTF_8)
def test_a_form_in_utf_8_is_read_however_that_is_written(client, charset):
    answer = client.generic("POST", "/contact/", b"name=%C3%A9", content_type=f"{FORM}; charset={charset}")
    assert answer.wsgi_request.POST["name"] == "é" and 'value="é"' in answer.content.decode()


@pytest.mark.parametrize("parameter", ["charset*=klingon''%41", "title*=undefined''%41", "boundary*=idna''%FF"])
def test_a_header_in_a_charset_that_is_none_is_refused_where_it_is_needed(client, bearer, parameter):
    assert client.get("/needs/?q=%C3%A9", headers={"Content-Type": f"text/plain; {parameter}"}).status_code == 200
    for kind in (FORM, "multipart/form-data"):
        assert client.generic("POST", "/contact/", b"a=1", content_type=f"{kind}; {parameter}").status_code in (
            400,
            415,
        )
    answer = client.generic("POST", "/api/v1/needs/", b"{}", content_type=f"{JSON}; {parameter}", headers=bearer)
    assert is_problem(answer, 415)


def test_what_is_wrong_at_no_field_has_one_name(client, people):
    headers = {"Authorization": f"Bearer {token_of(people['desk'])[1]}"}
    days = {"planned_start": "2027-01-01", "planned_end": "2026-01-01"}
    bodies = ["[1]", '"x"', '["\\u0000"]', json.dumps({"title": "A", "status": "2", **days}), '{"budgets": [1]}']
    found = []
    for body in bodies:
        answer = client.generic("POST", "/api/v1/projects/", body, content_type=JSON, headers=headers)
        assert answer.status_code == 400, answer.content
        found += [error["field"] for error in answer.json()["errors"]]
    assert [name for name in found if not name.endswith("__all__")] == ["title"] and "budgets.0.__all__" in found


@pytest.mark.parametrize("address", ["/api/v1/needs", "/api/v1/nowhere", "/api/v1/needs/N-KEN-2020-0001"])
@pytest.mark.parametrize("asked", [{}, {"Origin": "https://example.org"}, {"Access-Control-Request-Method": "GET"}])
def test_a_question_of_a_browser_is_answered_without_the_last_slash_too(client, address, asked):
    answer = client.options(address, headers=asked)
    assert (answer.status_code, answer["Access-Control-Allow-Methods"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("address", ["/", "/account/", "/admin/", "/needs/", "/nowhere/", "/sitemap.xml", "/data/"])
def test_pages_of_somebody_are_kept_by_nobody(client, people, sign_in, address):
    answer = sign_in(people["administrator"]).get(address)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    "address",
    ["/nowhere/", "/fr/nowhere/", "/%00", "/needs/?q=%00", "/needs/?page=x", "/needs", "/api/v1/docs/", "/api/v1/nowhere/", "/api/v1/%00",
     "/projects/?page=1&page=2", "/admin/login/"],
)  # fmt: skip
def test_refusals_and_redirects_of_somebody_are_kept_by_nobody(people, sign_in, settings, debug, address):
    settings.DEBUG = debug
    answer = sign_in(people["contributor"]).get(address)
    assert "no-store" in answer.get("Cache-Control", ""), answer.status_code


def test_signing_in_and_out_is_kept_by_nobody(client, people):
    client.force_login(people["contributor"])
    assert "no-store" in client.post("/accounts/logout/")["Cache-Control"]
    too_much = b"a" * 3_000_000
    client.force_login(people["contributor"])
    answer = client.post("/contact/", too_much, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413 and "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "address", ["/api/v1/docs/", "/api/v1/schema/", "/api/v1/needs/", "/api/v1/changes/", "/api/v1/terms/"]
)
def test_what_the_api_lets_everybody_keep_has_nothing_of_a_person(address, client, people):
    public = client.get(address)
    assert "public" in public["Cache-Control"] and "no-store" not in public["Cache-Control"]
    client.force_login(people["contributor"])
    answer = client.get(address)
    assert "private" in answer["Cache-Control"] or answer.content == public.content
    assert "private" in answer["Cache-Control"] or "csrfmiddlewaretoken" not in answer.content.decode()


def test_pages_for_everybody_carry_no_such_line(client):
    assert "no-store" not in client.get("/needs/").get("Cache-Control", "")


def test_answers_to_a_token_are_private_and_can_be_asked_about(client, bearer):
    answer = client.get("/api/v1/needs/", headers=bearer)
    assert answer["Cache-Control"] == "private, no-cache"
    assert client.get("/api/v1/needs/", headers=bearer | {"If-None-Match": answer["ETag"]}).status_code == 304


# --- problems, parameters, other origins ------------------------------------------------------------------------------------
def test_a_problem_says_its_kind_without_placeholders(client, bearer, people):
    need = NeedFactory(in_state=NeedState.OPEN)
    kinds = {
        "method_not_allowed": client.delete(f"/api/v1/needs/{need.reference}/", headers=bearer),
        "unsupported_media_type": client.post("/api/v1/needs/", {"a": "b"}, headers=bearer),
        "not_found": client.get("/api/v1/needs/N-KEN-2020-9999/"),
        "invalid": client.get("/api/v1/needs/?country=Kenya"),
        "not_authenticated": client.post("/api/v1/needs/", "{}", content_type=JSON),
    }
    for code, answer in kinds.items():
        found = answer.json()
        assert (answer["Content-Type"], found["code"]) == (PROBLEM, code)
        assert "{" not in found["title"]
        assert found["status"] == answer.status_code


def test_conflicts_are_told_apart(client, bearer):
    draft, opened = NeedFactory(problem=""), NeedFactory(in_state=NeedState.OPEN)
    focal = {"Authorization": f"Bearer {token_of(MembershipFactory(role=Role.FOCAL_POINT).user)[1]}"}
    found = {}
    for name, reference, key in [
        ("incomplete", draft.reference, "a"),
        ("state", opened.reference, "b"),
        ("key", opened.reference, "c"),
    ]:
        if name == "key":
            client.post(
                "/api/v1/needs/",
                json.dumps({"country": "KEN", "title": "One"}),
                content_type=JSON,
                headers=bearer | {"Idempotency-Key": key},
            )
            body, address, headers = (
                {"country": "KEN", "title": "Two"},
                "/api/v1/needs/",
                bearer | {"Idempotency-Key": key},
            )
        else:
            body, address, headers = {}, f"/api/v1/needs/{reference}/moves/submit/", focal
        answer = client.post(address, json.dumps(body), content_type=JSON, headers=headers)
        assert answer.status_code == 409, answer.content
        found[name] = answer.json()["code"]
    assert found == {name: name for name in found}


@pytest.mark.parametrize(
    "query", ["fields=reference&fields=title", "fields=reference,title", "state=open&state=closed&fields=reference,title",
              "state=open,closed&fields=reference,title"],
)  # fmt: skip
def test_lists_are_repeated_or_separated_by_commas(client, query):
    for state in (NeedState.OPEN, NeedState.CLOSED):
        NeedFactory(in_state=state)
    rows = client.get(f"/api/v1/needs/?{query}").json()["results"]
    assert [set(row) for row in rows] == [{"reference", "title"}] * 2


@pytest.mark.parametrize("name", ["page_size", "q", "sort", "modified_since"])
def test_a_single_value_given_twice_is_refused(client, name):
    value = {"page_size": "1", "q": "water", "sort": "newest", "modified_since": "2026-01-01T00:00:00Z"}[name]
    answer = client.get(f"/api/v1/needs/?{name}={value}&{name}={value}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name)


ADDRESSES = [
    "/api/v1/responses/",
    "/api/v1/needs/",
    "/api/v1/schema/",
    "/api/v1/nowhere/",
    "/api/v1/needs/N-KEN-2020-9999/",
    "/api/v1/changes/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_of_other_sites_read_every_address(client, address):
    asked = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    preflight = client.options(address, headers=asked)
    assert preflight.status_code == 204
    assert "Authorization" in preflight["Access-Control-Allow-Headers"]
    answer = client.get(address, headers={"Origin": "https://example.org"})
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert {"Retry-After", "Content-Disposition"} <= set(answer["Access-Control-Expose-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer


def test_a_copy_that_is_good_still_is_read_by_other_sites_too(client, db):
    need = NeedFactory(in_state=NeedState.OPEN)
    for address in (f"/api/v1/needs/{need.reference}/", "/api/v1/needs/", "/api/v1/schema/", "/api/v1/docs/"):
        seen = client.get(address)["ETag"]
        same = client.get(address, headers={"If-None-Match": seen, "Origin": "https://example.org"})
        assert (same.status_code, same["Access-Control-Allow-Origin"]) == (304, "*"), address
        assert "ETag" in same["Access-Control-Expose-Headers"] and "X-Request-Id" in same


def test_who_reads_on_condition_of_another_state_is_told_in_words(client, db):
    address = f"/api/v1/needs/{NeedFactory(in_state=NeedState.OPEN).reference}/"
    answer = client.get(address, headers={"If-Match": '"of-nothing"', "Accept-Language": "fr"})
    assert is_problem(answer, 412)
    assert (answer.json()["code"], answer.json()["status"], answer["Content-Language"]) == ("changed", 412, "fr")
    assert answer["Access-Control-Allow-Origin"] == "*" and answer["Cache-Control"]
    assert client.get(address, headers={"If-Match": client.get(address)["ETag"]}).status_code == 200
    assert client.get("/needs/", headers={"If-Match": '"of-nothing"'}).content


def test_history_is_plain_text(client):
    need = NeedFactory(in_state=NeedState.OPEN, language="es")
    response = Response(need=need, partner=Partner.objects.get(slug="undp"), text="Mapas")
    lead = MembershipFactory(role=Role.PARTNER_LEAD, partner=response.partner).user
    actions.respond(response, [Answer(line=need.lines.first(), quantity=1)], by=lead)
    history = client.get(f"/api/v1/needs/{need.reference}/").json()["history"]
    assert history[0]["what"] == f"offers help with: {need.lines.first().text}."
    assert not [entry for entry in history if "<" in entry["what"] + entry["who"]]


def test_the_page_of_the_api_says_which_lists_do_not_count(client):
    said = "the change feed and lists read by cursor do not count"
    assert said in client.get("/api/v1/docs/", headers={"Accept-Language": "en"}).content.decode()
    for address in ("changes/", "needs/?cursor="):
        assert "count" not in client.get(f"/api/v1/{address}").json(), address
    assert "count" in client.get("/api/v1/needs/").json()


def test_the_description_of_the_api_is_made_once(client, monkeypatch):
    first = client.get("/api/v1/schema/")
    assert "max-age" in first["Cache-Control"]
    client.get("/api/v1/docs/")
    monkeypatch.setattr(SchemaGenerator, "get_schema", None)  # would be called
    again = client.get("/api/v1/docs/")
    assert (again.status_code, "max-age" in again["Cache-Control"]) == (200, True)
    assert client.get("/api/v1/docs/", headers={"If-None-Match": again["ETag"]}).status_code == 304
    packed = client.get("/api/v1/schema/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.content) == first.content
    assert client.get("/api/v1/schema/", headers={"If-None-Match": first["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("number", "is_taken"),
    [
        ("12", True),
        (12, True),
        ("1.000", False),
        ("1_200", False),
        ("١٢", False),
        ("1 200", False),
        ("1,200", False),
        ("", False),
    ],
)
def test_a_number_in_a_text_is_never_read_as_another(client, bearer, number, is_taken):
    need = NeedFactory(women=None)
    address = f"/api/v1/needs/{need.reference}/"
    answer = client.patch(address, json.dumps({"women": number}), content_type=JSON, headers=bearer | {"If-Match": "*"})
    assert answer.status_code == (200 if is_taken else 400), answer.content
    need.refresh_from_db()
    assert need.women == (12 if is_taken else None)


@pytest.mark.parametrize("number", ["1_000", "1E3", "1,5", "1.2.3", "٥"])
def test_a_quantity_in_a_text_is_never_read_as_another(client, bearer, number):
    need = NeedFactory()
    line = {"text": "Stations", "quantity": number, "unit": "items"}
    answer = client.patch(
        f"/api/v1/needs/{need.reference}/",
        json.dumps({"lines": [line]}),
        content_type=JSON,
        headers=bearer | {"If-Match": "*"},
    )
    assert answer.status_code == 400
    assert "quantity" in answer.json()["errors"][0]["field"]


@pytest.mark.django_db
def test_refusals_are_the_same_in_development(client, settings):
    settings.DEBUG = True
    answer = client.get("/projects/?page=1&page=2")
    assert answer.status_code == 400 and "page: Give this parameter once." in answer.content.decode()
    assert "DEBUG" not in answer.content.decode()
    unknown = client.get("/api/v1/nothing/", headers={"Origin": "https://another.example"})
    assert unknown.status_code == 404 and unknown["Access-Control-Allow-Origin"] == "*"


# --- the sitemap -------------------------------------------------------------------------------------------------------
def test_the_sitemap_takes_one_query_and_its_parts_two(client, count_queries, monkeypatch):
    monkeypatch.setattr("pages.discovery.sitemaps.PART", 2)
    monkeypatch.setattr("pages.discovery.sitemaps.Records.limit", 2)
    made = [ProjectFactory(published=True) for _n in range(5)]
    commit()  # the moment of a change is that of the feed
    with count_queries() as n:
        index = client.get("/sitemap.xml").content.decode()
    assert n() == 1
    assert "max-age" in client.get("/sitemap.xml")["Cache-Control"]
    found = []
    for part in ("/sitemap-projects.xml", "/sitemap-projects.xml?p=2", "/sitemap-projects.xml?p=3"):
        assert f"<loc>http://testserver{part}</loc><lastmod>{timezone.localdate():%Y-%m-%d}" in index
        with count_queries() as n:
            found.append(client.get(part).content.decode())
        assert n() <= 2
    assert "/sitemap-projects.xml?p=4" not in index
    assert all(project.get_absolute_url() in "".join(found) for project in made)
    assert [text.count("<url>") for text in found] == [2, 2, 1]
    assert [client.get(f"/sitemap-projects.xml?p={page}").status_code for page in ("4", "0", "x")] == [404] * 3


def test_the_sitemap_has_the_addresses_that_records_say(client):
    from ssc_portal.urls import SITEMAPS

    for name, section in SITEMAPS.items():
        if hasattr(section, "records"):
            said = {record.get_absolute_url() for record in section().records()}
            assert {section().location(row) for row in section().items()} == said, name


def test_a_list_too_long_is_refused_before_its_items_are_looked_at(client):
    client.force_login(MembershipFactory().user)
    answer = client.post("/api/v1/needs/", {"title": "T", "languages": ["x"] * 1001}, content_type="application/json")
    assert answer.status_code == 400 and "more than 1000 items" in answer.json()["detail"]
    assert len(answer.content) < 1000
