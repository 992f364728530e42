"""The API: same filters and visibility as the pages, problem documents, pages with links, a true description."""

import pytest
from django.db import OperationalError
from procrastinate.exceptions import ConnectorException

from projects.models import Project
from tests.factories import ContributionFactory, ProjectFactory, first_and_second_provider

pytestmark = pytest.mark.django_db


def test_project_is_told_whole(client):
    project = ProjectFactory(published=True, triangular=True, iati_identifier="XX-1")
    first_and_second_provider(project)
    ContributionFactory(project=project)
    data = client.get(f"/api/v1/projects/{project.reference}/").json()
    assert data["iati_identifier"] == "XX-1"
    assert [(c["country"], c["role"], c["provider_order"]) for c in data["countries"]] == [
        ("BRA", "provider", 1), ("PRT", "provider", 2), ("KEN", "recipient", None),
    ]  # fmt: skip
    assert data["terms"] == [
        {
            "term": "bsp-theme:wetlands",
            "share": None,
            "reported_vocabulary": "",
            "reported_code": "",
            "reported_name": "",
        }
    ]
    assert data["contributions"][0]["quantity"] == "40.00"
    assert data["url"] == f"http://testserver/projects/{project.reference}/"
    assert not {"created_by", "published_by", "import_run", "state"} & set(data)  # least data


@pytest.mark.parametrize(
    "query",
    [
        "country=KEN",
        "term=bsp-theme:wetlands",
        "region=002",
        "group=g77",
        "q=wetlands",
        "year=2025",
        "country=BRA&role=provider",
    ],
)
def test_pages_and_api_find_the_same(client, query):
    ProjectFactory(published=True)
    ProjectFactory(published=True, countries={"FJI": "both"}, terms=[])
    ProjectFactory()
    page = [p.reference for p in client.get(f"/projects/?{query}").context["records"]]
    api = [p["reference"] for p in client.get(f"/api/v1/projects/?{query}").json()["results"]]
    assert page == api


def test_pages_are_linked(client):
    for _n in range(3):
        ProjectFactory(published=True)
    response = client.get("/api/v1/projects/?page_size=1&page=2")
    assert response.json()["count"] == 3
    assert 'rel="next"' in response["Link"]
    assert 'rel="prev"' in response["Link"]


@pytest.mark.parametrize(
    ("address", "status", "named"),
    [
        ("/api/v1/projects/?countri=KEN", 400, "countri"),
        ("/api/v1/projects/?country=ZZZ", 400, "country"),
        ("/api/v1/projects/?page_size=100000", 400, "page_size"),
        ("/api/v1/projects/?page_size=0", 400, "page_size"),
        ("/api/v1/projects/?page=x", 404, None),
        ("/api/v1/projects/?format=nothing", 406, None),
        ("/api/v1/projects/P-1999-0001/", 404, None),
        ("/api/v1/nothing/", 404, None),
        ("/api/v1/countries/XXX/", 404, None),
        ("/api/v1/terms/sdg:99/", 404, None),
        ("/api/v1/projects/?sort=random", 400, "sort"),
    ],
)
def test_refusals_are_problem_documents(client, address, status, named):
    response = client.get(address)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    body = response.json()
    assert body["status"] == status
    assert {"type", "title"} <= set(body)
    if named:
        assert named in [error["field"] for error in body["errors"]]


def test_answers_can_be_kept_and_asked_about(client):
    ProjectFactory(published=True)
    first = client.get("/api/v1/projects/")
    again = client.get("/api/v1/projects/", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert first["Access-Control-Allow-Origin"] == "*"
    assert int(first["RateLimit-Remaining"]) < int(first["RateLimit-Limit"])


def test_too_many_requests_are_told_so(client, settings):
    settings.RATES = settings.RATES | {"api": "2/day"}
    statuses = [client.get("/api/v1/regions/").status_code for _n in range(3)]
    assert statuses == [200, 200, 429]


def test_own_drafts_are_in_the_api_of_those_who_take_part(client, people, sign_in):
    project = ProjectFactory()
    assert sign_in(people["partner_member"]).get(f"/api/v1/projects/{project.reference}/").status_code == 200
    assert sign_in(people["stranger"]).get(f"/api/v1/projects/{project.reference}/").status_code == 404


def test_description_is_openapi_31_and_every_operation_tells_its_errors(client):
    schema = client.get("/api/v1/schema/").json()
    assert schema["openapi"].startswith("3.1")
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert len(operations) == 43
    assert all(operation["summary"] and "400" in operation["responses"] for operation in operations)
    names = {p["name"] for p in schema["paths"]["/api/v1/projects/"]["get"]["parameters"]}
    assert {
        "q",
        "term",
        "country",
        "region",
        "group",
        "role",
        "partner",
        "modality",
        "status",
        "year",
        "sort",
        "page",
        "page_size",
    } <= names
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"<script" not in page.content


@pytest.mark.parametrize("library", [None, ConnectorException])
def test_database_away_is_said_not_a_bare_500(client, monkeypatch, library):
    """Also where a library raises an error of its own over that of the database, as the queue does."""

    def away(*args):
        try:
            raise OperationalError("server closed the connection")
        except OperationalError as error:
            raise (library() if library else error) from error

    monkeypatch.setattr(Project.objects._queryset_class, "visible_to", away)
    client.raise_request_exception = False
    page, api = client.get("/projects/P-2026-0001/"), client.get("/api/v1/projects/")
    assert (page.status_code, api.status_code) == (503, 503)
    assert page["Retry-After"] == "5"
    assert "away for a moment" in page.content.decode()
    assert api["Content-Type"] == "application/problem+json"
