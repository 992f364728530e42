"""What holds for the whole API: calls sent twice, lost updates, whom it lets in, what a caller chooses."""

import datetime as dt
import re
import threading

import jsonschema
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from lxml import html

from api.examples import examples, used_whole
from api.project import TermViewSet
from api.records import Leaving
from partners.models import KeptAnswer
from projects import webhooks
from projects.choices import NeedState
from projects.models import Need, Project
from tests.api_calls import call, is_problem, token_of
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

pytestmark = pytest.mark.sql


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


IDLE = "This parameter has no effect in this call. Leave it out."
UNKNOWN = "There is no such parameter."


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("needs/?cursor=&page=2", {"page": IDLE}), ("needs/?cursor=&sort=title", {"sort": IDLE}),
        ("needs/?format=csv&cursor=&page=1&sort=title", {"page": IDLE, "sort": IDLE}), ("countries/?cursor=&page=2", {"page": IDLE}),
        ("needs/?format=csv&expand=lines", {"expand": IDLE}), ("needs/?format=csv&sort=title", {"sort": IDLE}),
        ("projects/?format=iati&fields=reference", {"fields": IDLE}), ("projects/?format=iati&omit=x", {"omit": IDLE}),
        ("projects/{project}/?format=iati&fields=reference", {"fields": IDLE}), ("projects/{project}/?expand=terms", {"expand": IDLE}),
        ("countries/?expand=names", {"expand": IDLE}), ("tossd/?sort=title", {"sort": IDLE}),
        ("quantities/?format=csv&sort=title", {"sort": IDLE}), ("matches/?need={need}&country=KEN", {"country": IDLE}),
        ("matches/?offer={offer}&theme=air&help=x", {"theme": IDLE, "help": IDLE}), ("schema/?x=1", {"x": UNKNOWN}),
        ("docs/?x=1", {"x": UNKNOWN}), ("docs/?format=json", {"format": UNKNOWN}),
    ],
)  # fmt: skip
def test_a_parameter_without_effect_is_refused_by_its_name(query, wrong, client, db):
    records = {"need": NeedFactory(in_state=NeedState.OPEN), "offer": OfferFactory(in_state="active")}
    records["project"] = ProjectFactory(published=True)
    answer = client.get("/api/v1/" + query.format(**{name: one.reference for name, one in records.items()}))
    assert is_problem(answer, 400), answer.status_code
    assert {error["field"]: error["detail"] for error in answer.json()["errors"]} == wrong


@pytest.mark.parametrize("name", ["fields", "omit", "expand"])
@pytest.mark.parametrize("given", ["", ",", ", ,", "&{name}="])
def test_a_choice_of_nothing_is_refused(name, given, client, db):
    addresses = ["needs/?"] if name == "expand" else ["needs/?", "needs/?format=csv&", "countries/KEN/?"]
    for address in addresses:
        answer = client.get(f"/api/v1/{address}{name}={given.format(name=name)}")
        assert is_problem(answer, 400) and answer.json()["errors"][0]["detail"].startswith(
            "Name at least one of these: "
        )


def test_what_has_an_effect_is_taken_as_before(client, db):
    ContributionFactory(project=ProjectFactory(published=True))
    for query in ("projects/?sort=title&page=1", "projects/?format=csv&sort=title&page=1", "projects/?cursor=&page_size=2",
                  "projects/?format=csv&fields=title", "schema/", "schema/?format=json", "docs/"):  # fmt: skip
        assert client.get(f"/api/v1/{query}").status_code == 200, query
    assert is_problem(client.get("/api/v1/schema/?format=yaml"), 406)
    assert "there are: json." in client.get("/api/v1/schema/?format=yaml").json()["detail"]


@pytest.mark.parametrize("name", ["tossd", "quantities"])
def test_the_description_has_no_parameter_without_effect(name, db):
    described = SchemaGenerator().get_schema(request=None, public=True)["paths"][f"/api/v1/{name}/"]["get"][
        "parameters"
    ]
    assert {"country", "page"} <= {one["name"] for one in described} and "sort" not in {
        one["name"] for one in described
    }


def test_lists_taken_away_from_a_page_are_whole_in_every_format(client, db):
    ProjectFactory(published=True)
    page = html.fromstring(client.get("/projects/?sort=title&page=1").content)
    links = [link for link in page.xpath("//a/@href") if link.startswith("/api/") and "format=" in link]
    assert len(links) > 4
    links.remove(next(link for link in links if "xlsx" in link))  # like CSV, but for a file that would stay open
    for link in [*links, "/projects/?sort=title&format=csv"]:
        assert client.get(link, follow=True).status_code == 200, link


def test_what_leaves_nothing_to_answer_is_refused(client, db):
    for address in ("countries/?format=csv", "countries/?format=json", "countries/KEN/?format=json"):
        assert is_problem(client.get(f"/api/v1/{address}&fields=iso3&omit=iso3"), 400), address


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
    assert is_problem(client.get(f"/api/v1/projects/{project.reference}/?format=iati&omit=nonsense"), 400)


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
    assert f"{webhooks.CALL_SECONDS} seconds" in told["description"]
    assert f"{len(webhooks.WAITS) + 1} attempts" in told["description"]


def test_the_description_speaks_to_those_who_call(db):
    """No word of how the code is made, and none to whoever edits a code in admin where a field only names a record by it."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    operations = [one for methods in schema["paths"].values() for one in methods.values()]
    kinds = schema["components"]["schemas"].values()
    said = [one.get("description", "") for one in (*operations, *kinds)]
    said += [part.get("description", "") for one in kinds for part in one.get("properties", {}).values()]
    assert [text for text in said if re.search(r"^Base\b|\.py\b|lifecycle|DRF", text)] == []
    begin = schema["components"]["schemas"]["NeedBegin"]["properties"]["institution_partner"]
    assert ("description" in begin, begin["type"]) == (False, ["string", "null"])
    assert all("403" in one["responses"] for one in operations)
    assert "second factor" in schema["paths"]["/api/v1/needs/"]["get"]["responses"]["403"]["description"]


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
    assert is_problem(client.get("/api/v1/tossd/?cursor="), 400)
