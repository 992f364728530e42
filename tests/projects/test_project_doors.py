"""Entering and writing projects through the API: the same rules as in admin, and the same history."""

import json

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partners.models import Partner
from projects import recording
from projects.models import Contribution, Project, ProjectCountry, ProjectPartner
from tests import THOROUGH
from tests.factories import ContributionFactory, NeedFactory, ProjectFactory, commit
from tests.projects.test_need_doors import Api, fields

pytestmark = pytest.mark.django_db
STAFF = {"desk", "publisher", "administrator"}
NEW = {
    "title": "Clean cookstoves", "summary": "Workshops in two countries.", "language": "en", "status": "2", "modality": "triangular",
    "planned_start": "2026-01-01", "planned_end": "2027-12-31", "default_currency": "KES",
    "countries": [
        {"country": "KEN", "role": "provider", "provider_order": 1, "share": "20"},
        {"country": "MOZ", "role": "recipient", "share": "60"},
    ],
    "regions": [{"region": "002", "share": "20"}],
    "partners": [{"partner": "fao", "role": "1"}, {"partner": "undp", "role": "4"}],
    "terms": [{"term": "bsp-theme:air"}, {"term": "sdg:7", "share": "100"}],
    "translations": [{"language": "fr", "title": "Foyers propres"}],
    "contributions": [{"country": "KEN", "kind": "D011", "text": "Trainers", "quantity": "40", "unit": "expert-days"}],
    "results": [{"kind": "1", "title": "People trained", "unit": "people", "target": "120"}],
    "budgets": [{"kind": "1", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "amount": "50000", "currency": "USD"}],
    "transactions": [{"kind": "3", "made_on": "2026-02-01", "amount": "1000", "currency": "USD"}],
    "locations": [{"name": "Nampula", "latitude": "-15.1", "longitude": "39.3"}],
    "documents": [{"title": "Plan", "url": "https://example.org/plan.pdf", "language": "en"}],
    "updates": [{"made_on": "2026-03-01", "text": "The first course began."}],
}  # fmt: skip


def entered(people, **changes) -> dict:
    answer = Api(people["desk"])("post", "projects/", {**NEW, **changes})
    assert answer.status_code == 201, answer.content
    return answer.json()


def holds(given, told) -> bool:
    """What was given is told again, each row with what it gave."""
    if isinstance(given, list):
        return len(given) == len(told) and all(holds(a, b) for a, b in zip(given, told, strict=True))
    if isinstance(given, dict):
        return all(holds(value, told[name]) for name, value in given.items())
    try:
        return float(given) == float(told)
    except (TypeError, ValueError):
        return given == told


def test_what_is_entered_is_read_again_row_by_row(people):
    told = entered(people)
    for name, sent in NEW.items():
        assert holds(sent, told[name]), (name, sent, told[name])
    project = Project.objects.get()
    assert (project.state, project.created_by, project.updates.get().entered_by) == ("draft", *2 * (people["desk"],))
    assert project.quality_score > 80
    assert Client().get(f"/api/v1/projects/{project.reference}/").status_code == 404  # a draft


def test_entered_published_and_on_its_page_through_the_api_alone(people, client):
    reference, api = entered(people)["reference"], Api(people["publisher"])
    assert Api(people["desk"])("post", f"projects/{reference}/moves/submit/").json()["reference"] == reference
    assert api("post", f"projects/{reference}/moves/publish/").status_code == 200
    assert client.get(f"/api/v1/projects/{reference}/").json()["title"] == NEW["title"]
    assert NEW["title"] in client.get(f"/projects/{reference}/").content.decode()


def test_only_staff_enters_and_writes(people):
    project = ProjectFactory(published=True)
    for name, person in people.items():
        api = Api(person)
        enter = api("post", "projects/", {"title": "Mine"})
        write = api("patch", f"projects/{project.reference}/", {"title": f"By {name}"})
        wanted = (201, 200) if name in STAFF else (401, 401) if person is None else (403, 403)
        assert (enter.status_code, write.status_code) == wanted, name
        if name not in STAFF:
            assert {enter["Content-Type"], write["Content-Type"]} == {"application/problem+json"}
    assert Project.objects.filter(title="Mine").count() == len(STAFF)


def test_a_list_of_rows_stands_for_all_and_rows_that_stay_keep_their_history(people):
    reference = entered(people)["reference"]
    project = Project.objects.get(reference=reference)
    mozambique = project.country_links.get(country__iso3="MOZ")
    told = Api(people["desk"])(
        "patch",
        f"projects/{reference}/",
        {"countries": [{"country": "MOZ", "role": "both"}, {"country": "FJI"}], "modality": "bilateral"},
    ).json()
    assert {(c["country"], c["role"], c["share"]) for c in told["countries"]} == {
        ("MOZ", "both", None),  # what a row leaves out is empty
        ("FJI", "recipient", None),
    }
    assert project.country_links.get(country__iso3="MOZ").pk == mozambique.pk
    assert len(told["partners"]) == 2  # a list that is not named stays


@pytest.mark.parametrize("is_published", [False, True])
@pytest.mark.parametrize(
    "body", [{}, {"title": NEW["title"]}, {"parent": None}, NEW], ids=["none", "title", "empty", "all"]
)
def test_a_write_that_changes_nothing_writes_nothing(people, is_published, body):
    address, api = f"projects/{entered(people)['reference']}/", Api(people["desk"])
    if is_published:
        Project.objects.update(state="published", published_at=timezone.now(), published_by=people["publisher"])
        commit()
    models = [Project, *(Project._meta.get_field(kind.manager).related_model for kind in recording.ROWS.values())]
    events = [model.pgh_event_model for model in models if hasattr(model, "pgh_event_model")]
    stored, kept = (
        [list(model.objects.order_by("pk").values()) for model in models],
        [one.objects.count() for one in events],
    )
    seen = api.get(address)
    answer = api("patch", address, body, **{"If-Match": seen["ETag"]})
    assert (answer.status_code, answer.json()["modified_at"]) == (200, seen.json()["modified_at"])
    assert api.get(address)["ETag"] == seen["ETag"]
    assert [list(model.objects.order_by("pk").values()) for model in models] == stored
    assert [one.objects.count() for one in events] == kept and len(events) > 5


@pytest.mark.parametrize(
    "body", [{"updates": []}, {"documents": [{**NEW["documents"][0], "title": "Other"}]}, {"terms": [*NEW["terms"], {"term": "bsp-theme:land"}]}],
    ids=["gone", "other", "more"],
)  # fmt: skip
def test_another_row_moves_the_time_of_a_project(people, body):
    address, api = f"projects/{entered(people)['reference']}/", Api(people["desk"])
    before = Project.objects.get().modified_at
    assert api("patch", address, body).status_code == 200
    assert Project.objects.get().modified_at > before


FULL = {  # a row of each kind with all that it can say; delivered figures have rules of their own
    "countries": {"country": "KEN", "role": "provider", "provider_order": 1, "share": "20", "note": "Trains."},
    "regions": {"region": "002", "share": "20"},
    "partners": {"partner": "fao", "role": "1", "is_reporting": True},
    "terms": {"term": "sdg:7", "share": "40"},
    "translations": {"language": "fr", "title": "Foyers", "summary": "A", "description": "B", "objectives": "C", "lessons": "D"},
    "contributions": {
        "country": "KEN", "kind": "D011", "text": "Trainers", "quantity": "40", "unit": "people", "women": 5, "men": 6, "amount": "9",
        "spent": "8", "currency": "USD",
    },
    "results": {
        "kind": "2", "title": "Trained", "indicator": "People", "unit": "people", "baseline": "1", "baseline_year": 2020, "target": "9",
        "target_on": "2027-01-01", "actual": "7", "actual_on": "2026-07-01", "women": 3, "men": 4, "comment": "By hand.",
    },
    "budgets": {
        "kind": "1", "status": "2", "starts_on": "2024-01-01", "ends_on": "2024-12-31", "amount": "7777", "currency": "EUR",
        "valued_on": "2024-02-01",
    },
    "transactions": {
        "kind": "3", "made_on": "2026-02-01", "valued_on": "2026-02-03", "amount": "1000", "currency": "USD", "text": "A part",
    },
    "locations": {"name": "Nampula", "latitude": "-15.1", "longitude": "39.3"},
    "documents": {"title": "Plan", "url": "https://example.org/plan.pdf", "language": "en", "published_on": "2026-01-01"},
    "related": {"project": "", "relation": "3"},
    "updates": {"made_on": "2026-03-01", "text": "The first course began."},
}  # fmt: skip
KNOWN_BY = {
    "countries": {"country"}, "regions": {"region"}, "partners": {"partner", "role"}, "terms": {"term"}, "translations": {"language"},
    "contributions": {"country", "kind", "text"}, "results": {"kind", "title", "indicator"}, "budgets": {"kind", "starts_on", "ends_on"},
    "transactions": {"kind", "made_on", "amount", "currency", "text"}, "locations": {"name"}, "documents": {"url"},
    "related": {"project", "relation"}, "updates": {"made_on", "text"},
}  # fmt: skip


@settings(max_examples=100 if THOROUGH else 6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_row_that_is_sent_says_nothing_that_stood_in_it_before(people, data):
    name = data.draw(st.sampled_from(sorted(FULL)))
    full = FULL[name]
    if name == "related":
        full = full | {"project": ProjectFactory(published=True).reference}
    left_out = data.draw(st.sets(st.sampled_from(sorted(set(full) - KNOWN_BY[name]) or [""])))
    sent = {name: [{field: value for field, value in full.items() if field not in left_out}]}
    api, base = Api(people["desk"]), {"title": "A title", "language": "en", "status": "2", "modality": "triangular"}
    before = api("post", "projects/", base | {name: [full]}).json()
    assert holds([full], before[name]), before
    address = f"projects/{before['reference']}/"
    answer, anew = api("patch", address, sent), api("post", "projects/", base | sent)
    assert answer.status_code == {201: 200}.get(anew.status_code, 400), answer.content
    if answer.status_code == 200:
        assert answer.json()[name] == anew.json()[name] == api.get(address).json()[name]
        assert holds(sent[name], answer.json()[name])
    else:
        assert answer.json()["errors"] == anew.json()["errors"] and api.get(address).json()[name] == before[name]


def test_a_row_without_what_every_row_needs_is_refused_not_completed(people):
    address = f"projects/{entered(people)['reference']}/"
    budget = {"kind": "1", "starts_on": "2026-01-01", "ends_on": "2026-12-31"}
    for body, wrong in (
        ({"budgets": [budget]}, {"budgets.0.amount", "budgets.0.currency"}),
        ({"terms": [{"share": "5"}]}, {"terms.0.term"}),
        ({"countries": [{"role": "both"}]}, {"countries.0.country"}),
    ):
        answer = Api(people["desk"])("patch", address, body)
        assert (answer.status_code, fields(answer)) == (400, wrong)


def test_a_delivered_figure_left_out_is_what_one_sent_as_nothing_is(people):
    row = FULL["contributions"] | {"delivered": "38"}
    found = []
    for changed in ({}, {"delivered": None}):
        address = f"projects/{entered(people, contributions=[row])['reference']}/"
        answer = Api(people["desk"])("patch", address, {"contributions": [FULL["contributions"] | changed]})
        found.append((answer.status_code, Api(people["desk"]).get(address).json()["contributions"]))
    assert found[0] == found[1]


def test_what_an_import_kept_as_reported_stays(people):
    project = ProjectFactory()
    ProjectPartner.objects.create(project=project, reported_name="Some institute", role="4")
    ProjectCountry.objects.create(project=project, reported_code="XK", role="recipient")
    told = Api(people["desk"])("patch", f"projects/{project.reference}/", {"partners": [], "countries": []}).json()
    assert [p["reported_name"] for p in told["partners"]] == ["Some institute"]
    assert [c["reported_code"] for c in told["countries"]] == ["XK"]


def test_quantities_of_a_plan_stay_tied_to_it(people):
    project = ProjectFactory()
    tied = ContributionFactory(project=project, kind="D011", text="Trainers", quantity=10, unit="expert-days")
    row = {"country": tied.country and tied.country.iso3, "partner": tied.partner and tied.partner.slug}
    row |= {"kind": "D011", "text": "Trainers", "quantity": "10", "unit": "expert-days", "delivered": "4"}
    answer = Api(people["desk"])("patch", f"projects/{project.reference}/", {"contributions": [row]})
    assert answer.status_code == 200, answer.content
    assert Contribution.objects.get().pk == tied.pk
    assert Contribution.objects.get().delivered == 4


WRONG = [
    ({"title": ""}, "title"),
    ({"titel": "x"}, "titel"),
    ({"status": "99"}, "status"),
    ({"planned_start": "2027-01-01", "planned_end": "2026-01-01"}, "__all__"),
    ({"countries": [{"country": "XYZ"}]}, "countries"),
    ({"countries": [{"country": "KEN", "rolle": "provider"}]}, "countries"),
    ({"countries": [{"country": "KEN"}, {"country": "KEN"}]}, "countries"),
    ({"countries": [{"country": "KEN", "share": "70"}], "regions": [{"region": "002", "share": "40"}]}, "countries"),
    ({"modality": "bilateral"}, "countries"),
    ({"partners": [{"partner": "nobody"}]}, "partners"),
    ({"partners": {"partner": "undp"}}, "partners"),
    ({"terms": [{"term": "bsp-theme:nothing"}]}, "terms"),
    ({"contributions": [{"kind": "D011", "text": "x", "quantity": "1", "unit": "people"}]}, "contributions"),
    ({"contributions": [{"country": "KEN", "kind": "D011", "text": "x", "quantity": "-1", "unit": "people"}]}, "contributions"),
    ({"contributions": [{"country": "KEN", "kind": "D011", "text": "x", "amount": "5"}]}, "contributions"),
    ({"budgets": [{"starts_on": "2026-01-01", "ends_on": "2028-01-01", "amount": "1", "currency": "USD"}]}, "budgets"),
    ({"locations": [{"name": "Nowhere", "latitude": "91", "longitude": "0"}]}, "locations"),
    ({"documents": [{"title": "x", "url": "javascript:alert(1)"}]}, "documents"),
    ({"related": [{"project": "P-1999-0001"}]}, "related"),
    ({"parent": "P-1999-0001"}, "parent"),
    ({"iati_identifier": "a b/c"}, "iati_identifier"),
    *(({"default_currency": code}, "default_currency") for code in ("€€€", "usd", "US", "ZZZ")),
    ({"budgets": [{"starts_on": "2026-01-01", "ends_on": "2026-12-31", "amount": "1", "currency": "ZZZ"}]}, "budgets"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_what_can_not_be_is_told_by_field_and_nothing_is_written(changes, field, people):
    answer = Api(people["desk"])("post", "projects/", {**NEW, **changes})
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert field in {name.split(".")[0] for name in fields(answer)}, fields(answer)
    assert not Project.objects.exists()


def test_a_change_of_what_changed_meanwhile_is_refused(people):
    reference, api = entered(people)["reference"], Api(people["desk"])
    seen = api.get(f"projects/{reference}/")
    assert api("patch", f"projects/{reference}/", {"summary": "A"}, **{"If-Match": seen["ETag"]}).status_code == 200
    late = api("patch", f"projects/{reference}/", {"summary": "B"}, **{"If-Match": seen["ETag"]})
    assert (late.status_code, Project.objects.get().summary) == (412, "A")
    body, kind = json.dumps({"summary": "C"}), "application/json"
    assert api.client.patch(f"/api/v1/projects/{reference}/", body, kind).status_code == 428


def test_needs_follow_the_project_that_is_written(people):
    need = NeedFactory(in_state="in_delivery")
    project = need.project
    answer = Api(people["desk"])("patch", f"projects/{project.reference}/", {"status": "6"})  # suspended
    assert answer.status_code == 200, answer.content
    need.refresh_from_db()
    assert need.state == "on_hold"


def test_partners_are_named_by_their_own_address(people):
    fao = Partner.objects.get(slug="fao")
    entered(people, partners=[{"partner": "fao", "role": "1", "is_reporting": True}])
    link = ProjectPartner.objects.get()
    assert (link.partner, link.is_reporting) == (fao, True)


def test_shares_of_terms_add_up_by_the_rule_of_every_door(people):
    api = Api(people["desk"])
    terms = [{"term": "sdg:13", "share": "60"}, {"term": "sdg:14", "share": "60"}]
    answer = api("post", "projects/", {**NEW, "terms": terms})
    assert answer.status_code == 400 and "add up to 120, more than 100" in answer.content.decode()
    told = entered(people, terms=[{"term": "sdg:13", "share": "100.01"}], regions=[])
    assert [float(term["share"]) for term in told["terms"]] == [100]
    answer = api("post", "projects/", {**NEW, "terms": [{"term": "sdg:13", "share": "100.2"}]})
    assert answer.status_code == 400
