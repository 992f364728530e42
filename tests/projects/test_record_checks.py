"""The word of a country or a partner on the record of a project."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from partners.choices import Role
from partners.models import Country, Partner
from projects import actions
from projects.models import (
    Notice,
    Project,
    RecordCheck,
    SearchEntry,
)
from projects.models.record_check import checked
from projects.models.search import FacetKind
from tests.factories import MembershipFactory, ProjectFactory

pytestmark = pytest.mark.django_db


def test_a_record_is_confirmed_by_both_sides_and_disputes_are_shown(people):
    project = ProjectFactory(published=True)  # Brazil provides, Kenya receives, UNDP implements
    brazil = MembershipFactory(role=Role.FOCAL_POINT, country=Country.objects.get(iso3="BRA")).user
    kenya = Country.objects.get(iso3="KEN")

    def facets() -> set[str]:
        found = SearchEntry.objects.get(pk=project.pk).facets
        return {["both", "one", "none", "disputed"][f // 16] for f in found if f % 16 == FacetKind.CHECKED}

    assert (checked(project), facets()) == ("none", {"none"})
    word = RecordCheck(project=project, country=kenya, is_right=True)
    for name in ("desk", "stranger", "contributor", "partner_member"):
        with pytest.raises(PermissionDenied):
            actions.check_record(RecordCheck(project=project, country=kenya, is_right=True), by=people[name])
    actions.check_record(word, by=people["focal_point"])
    assert (checked(project), facets()) == ("one", {"one"})
    with pytest.raises(PermissionDenied):  # in the name of another country
        actions.check_record(RecordCheck(project=project, country=kenya, is_right=True), by=brazil)
    with pytest.raises(ValidationError):
        actions.check_record(RecordCheck(project=project, country=Country.objects.get(iso3="BRA"), is_right=False), by=brazil)  # fmt: skip
    actions.check_record(RecordCheck(project=project, partner=Partner.objects.get(slug="undp"), is_right=True), by=people["partner_lead"])  # fmt: skip
    assert (checked(Project.objects.get(pk=project.pk)), facets()) == ("both", {"both"})
    wrong = RecordCheck(project=project, country=Country.objects.get(iso3="BRA"), is_right=False, text="We sent ten.")
    actions.check_record(wrong, by=brazil)
    assert facets() == {"both", "disputed"}
    page = Client().get(project.get_absolute_url()).content.decode()
    assert "Confirmed by provider and recipient" in page and "We sent ten." in page
    assert project.reference in Client().get("/projects/?confirmed=disputed").content.decode()
    assert project.reference not in Client().get("/projects/?confirmed=none").content.decode()
    assert Client().get(f"/api/v1/projects/{project.reference}/").json()["confirmed"] == "both"


@pytest.mark.parametrize(
    "roles", [{"KEN": "both", "BRA": "both"}, {"KEN": "both"}, {"KEN": "provider", "BRA": "recipient"}, {}]
)
def test_python_and_database_agree_on_how_far_a_record_is_confirmed(roles):
    project, by = ProjectFactory(published=True, countries=roles, partners=["undp", "fao"]), MembershipFactory().user
    words = [{"country": Country.objects.get(iso3=code)} for code in roles] + [
        {"partner": Partner.objects.get(slug="fao")}
    ]
    for word in words:
        RecordCheck.objects.create(project=project, by=by, is_right=True, **word)
        fresh = Project.objects.get(pk=project.pk)
        facet = next(f for f in SearchEntry.objects.get(pk=project.pk).facets if f % 16 == FacetKind.CHECKED)
        assert ["both", "one", "none"][facet // 16] == checked(fresh), word


def test_a_word_on_a_record_through_page_and_api(people):
    project = ProjectFactory(published=True)
    client = Client()
    client.force_login(people["focal_point"])
    address = f"/projects/{project.reference}/check/"
    assert client.post(address, {"is_right": "no", "text": ""}).status_code == 400
    assert client.post(address, {"is_right": "yes"}).status_code == 302
    assert checked(project) == "one"
    api = f"/api/v1/projects/{project.reference}/check/"
    said = client.post(
        api, json.dumps({"country": "KEN", "is_right": False, "text": "No"}), content_type="application/json"
    )
    assert said.status_code == 200 and not said.json()["is_right"]
    assert RecordCheck.objects.count() == 1
    client.force_login(people["desk"])
    assert client.get(address).status_code == 403
    assert client.post(api, json.dumps({"country": "KEN", "is_right": True}), content_type="application/json").status_code == 403  # fmt: skip
    assert not Notice.objects.exists()
