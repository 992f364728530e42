"""Writing offers on pages: begin, parts, conflicts, who may, deleting; and a whole life from a draft to a response with it."""

import pytest
from django.test import Client

from partners.models import Country, Partner
from projects import drafting
from projects.choices import Matched, OfferState
from projects.matching import keeping
from projects.models import Offer
from tests.factories import MembershipFactory, NeedFactory, OfferFactory, ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(undp):
    return MembershipFactory(role="partner_lead", partner=undp, country=None).user


@pytest.fixture
def member(undp):
    return MembershipFactory(role="partner_member", partner=undp, country=None).user


def lines(*rows):
    """The rows of the lines' page as a form sends them."""
    data = {"lines-TOTAL_FORMS": str(len(rows)), "lines-INITIAL_FORMS": "0"}
    for n, row in enumerate(rows):
        data |= {f"lines-{n}-{name}": value for name, value in row.items()}
    return data


def test_an_offer_is_written_part_by_part_submitted_verified_and_answered_with(sign_in, lead, people, undp):
    client = sign_in(lead)
    begun = client.post(
        "/offers/new/", {"who": f"partner:{undp.pk}", "kind": "technology", "title": "Dust sensors", "key": "k1"}
    )
    offer = Offer.objects.get()
    assert begun["Location"] == f"/offers/{offer.reference}/draft/what/"
    again = client.post(
        "/offers/new/", {"who": f"partner:{undp.pk}", "kind": "technology", "title": "Dust sensors", "key": "k1"}
    )
    assert again["Location"] == begun["Location"]
    address = f"/offers/{offer.reference}/draft/"
    assert "missing before UNEP can verify it" in client.get(address).content.decode()
    project = ProjectFactory(published=True)
    help_ = str(offer.terms.model.objects.get(vocabulary="assistance", code="training").pk)
    theme = str(offer.terms.model.objects.get(vocabulary="bsp-theme", code="air").pk)
    kenya = Country.objects.get(iso3="KEN")
    parts = {
        "what": {
            "kind": "technology",
            "title": "Dust sensors",
            "language": "en",
            "summary": "Sensors with training.",
            "description": "",
        },
        "lines": lines(
            {"text": "Training", "assistance": help_, "cost": "cost", "quantity": "12", "unit": "places", "note": ""}
        ),
        "themes": {"themes": [theme]},
        "eligible": {"languages": "en, fr", "countries": [str(kenya.pk)]},
        "when": {"available_from": "2027-01-01", "website": "example.org"},
        "evidence": {
            "maturity": "proven",
            "project": project.reference,
            "past_cooperation": "With Uganda.",
            "evidence": "",
        },
        "private": {"contact_name": "A. Person", "contact_email": "a@example.org", "conditions": "PRIVATE"},
    }
    for slug, data in parts.items():
        assert client.get(f"{address}{slug}/").status_code == 200, slug
        assert client.post(f"{address}{slug}/", data).status_code == 302, slug
    offer.refresh_from_db()
    assert (offer.website, offer.languages, offer.project) == ("https://example.org", ["en", "fr"], project)
    assert [(line.cost, line.quantity, line.unit) for line in offer.lines.all()] == [("cost", 12, "places")]
    assert [row.place for row in offer.eligible.all()] == [kenya]
    assert "Nothing is missing" in client.get(address).content.decode()
    assert client.post(f"/offers/{offer.reference}/move/submit/").status_code == 302
    assert sign_in(people["desk"]).post(f"/offers/{offer.reference}/move/verify/").status_code == 302
    client = sign_in(lead)
    assert client.post(f"/offers/{offer.reference}/move/activate/").status_code == 302
    assert client.get(address)["Location"] == f"/offers/{offer.reference}/"  # it is no draft any more
    need = NeedFactory(in_state="open")
    answer = {
        "who": f"partner:{undp.pk}",
        "offer": offer.reference,
        "text": "We help.",
        "cost": "free",
        f"line_{need.lines.first().pk}": "4",
    }
    assert client.post(f"/needs/{need.reference}/respond/", answer).status_code == 302
    assert need.responses.get().offer == offer


@pytest.mark.parametrize(
    ("slug", "data", "said"),
    [
        ("what", {"kind": "nonsense", "title": "", "language": "english"}, "id_title"),
        (
            "when",
            {"available_from": "2027-02-01", "available_until": "2027-01-01"},
            "The last day comes before the first",
        ),
        ("evidence", {"project": "P-9999-0001"}, "There is no project with this reference"),
        ("evidence", {"project": "'; DROP"}, "There is no project with this reference"),
        ("eligible", {"languages": "english"}, "Use an ISO 639 code"),
        ("eligible", {"languages": "en", "countries": ["0"]}, "Choose one from the list"),
        ("private", {"contact_email": "nobody"}, "valid email"),
        (
            "lines",
            lines({"text": "Training", "quantity": "12", "unit": "", "cost": "free"}),
            "quantity together with its unit",
        ),
        (
            "lines",
            lines({"text": "Training", "quantity": "-1", "unit": "people", "cost": "gift"}),
            "Choose one from the list",
        ),
    ],
)
def test_bad_input_is_told_beside_its_field_and_nothing_is_saved(sign_in, lead, slug, data, said):
    offer = OfferFactory(created_by=lead)
    before = drafting.stored(offer, drafting.writable(offer))
    page = sign_in(lead).post(f"/offers/{offer.reference}/draft/{slug}/", data)
    assert page.status_code == 400
    assert said in page.content.decode()
    assert drafting.stored(Offer.objects.get(pk=offer.pk), drafting.writable(offer)) == before


def test_the_second_writer_is_told_what_the_first_changed(lead, member):
    offer = OfferFactory(created_by=lead)
    first, second = Client(), Client()
    first.force_login(lead)
    second.force_login(member)
    address, names = f"/offers/{offer.reference}/draft/eligible/", {"languages", "eligible"}
    seen = drafting.fingerprint(offer, names)
    kenya = str(Country.objects.get(iso3="KEN").pk)
    assert first.post(address, {"languages": "en", "countries": [kenya], "seen": seen}).status_code == 302
    page = second.post(address, {"languages": "fr", "seen": seen})
    assert page.status_code == 409
    assert "Kenya" in page.content.decode()
    saved = first.post(
        address,
        {"languages": "sw", "seen": drafting.fingerprint(Offer.objects.get(), names)},
        headers={"X-Background": "save"},
    )
    assert saved.status_code == 200
    assert not offer.eligible.exists()


def test_only_the_providers_people_write_and_only_a_draft(sign_in, lead, member, people):
    offer, active = OfferFactory(created_by=lead), OfferFactory(in_state=OfferState.ACTIVE)
    stranger = MembershipFactory(role="partner_lead", partner=Partner.objects.get(slug="fao"), country=None).user
    address = f"/offers/{offer.reference}/draft/"
    assert sign_in(stranger).get(address).status_code == 404  # a draft of others
    assert sign_in(stranger).get(f"/offers/{active.reference}/draft/what/").status_code == 403
    assert Client().get(address).status_code == 302
    assert Client().get("/offers/new/").status_code == 302
    client = sign_in(member)
    assert "Only the lead of the partner" in client.get(address).content.decode()
    assert client.post(f"/offers/{active.reference}/draft/what/", {"title": "x"}).status_code == 403
    assert client.post(f"{address}delete/").status_code == 403  # neither author nor lead
    client = sign_in(lead)
    assert "Delete this draft?" in client.get(f"{address}delete/").content.decode()
    assert client.post(f"{address}delete/").status_code == 302
    assert not Offer.objects.filter(pk=offer.pk).exists()
    assert "Make an offer" in client.get("/offers/").content.decode()
    assert "Make an offer" not in Client().get("/offers/").content.decode()


def test_the_desk_writes_on_a_providers_behalf(sign_in, people):
    client = sign_in(people["desk"])
    ghana = Country.objects.get(iso3="GHA")
    begun = client.post(
        "/offers/new/", {"who": f"country:{ghana.pk}", "kind": "training", "title": "A course", "key": "k"}
    )
    offer = Offer.objects.get()
    assert begun["Location"].endswith("/draft/what/")
    assert (offer.country, offer.is_on_behalf) == (ghana, True)
    assert client.post("/offers/new/", {"who": "partner:0", "kind": "training", "title": "A course"}).status_code == 400


# --- the API ---------------------------------------------------------------------------------------------------------
def test_an_offer_is_begun_written_and_moved_through_the_api(sign_in, lead, people):
    client = sign_in(lead)
    body = {"partner": "undp", "kind": "expertise", "title": "Dust sensors", "summary": "Sensors and training."}
    begun = client.post("/api/v1/offers/", body, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert begun.status_code == 201
    assert (
        client.post(
            "/api/v1/offers/", body, content_type="application/json", headers={"Idempotency-Key": "k"}
        ).status_code
        == 201
    )
    address = f"/api/v1/offers/{begun.json()['reference']}/"
    shown = client.get(address)
    rest = {
        "terms": ["bsp-theme:air"], "languages": ["en"], "eligible": ["KEN", "ldc", "014"], "contact_name": "A. Person",
        "contact_email": "a@example.org", "lines": [{"text": "Training", "assistance": "training", "cost": "cost", "quantity": "4", "unit": "people"}],
    }  # fmt: skip
    saved = client.patch(address, rest, content_type="application/json", headers={"If-Match": shown["ETag"]})
    assert saved.status_code == 200
    assert sorted(saved.json()["eligible"]) == ["014", "KEN", "ldc"]
    assert saved.json()["lines"][0]["cost"] == "cost"
    late = client.patch(
        address, {"title": "Other"}, content_type="application/json", headers={"If-Match": shown["ETag"]}
    )
    assert late.status_code == 412
    assert client.post(f"{address}moves/submit/", {}, content_type="application/json").json()["state"] == "submitted"
    assert client.post(f"{address}moves/verify/", {}, content_type="application/json").status_code == 403
    assert client.patch(address, {"title": "Other"}, content_type="application/json").status_code == 428
    whatever = client.patch(address, {"title": "Other"}, content_type="application/json", headers={"If-Match": "*"})
    assert whatever.status_code == 409
    assert client.post(f"{address}moves/nonsense/", {}, content_type="application/json").status_code == 404
    done = sign_in(people["desk"]).post(f"{address}moves/verify/", {}, content_type="application/json")
    assert done.json()["state"] == "verified"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"partner": "undp", "country": "KEN", "title": "x"}, 400),
        ({"partner": "nobody", "title": "x"}, 400),
        ({"partner": "fao", "title": "x"}, 403),
        ({"partner": "undp", "title": "x", "eligible": ["XXX"]}, 400),
        ({"partner": "undp", "title": "x", "state": "active"}, 400),
        ({"partner": "undp", "title": "x", "lines": [{"text": "y", "quantity": "1"}]}, 400),
        ({"partner": "undp", "title": "x", "available_from": "2027-02-01", "available_until": "2027-01-01"}, 400),
    ],
)
def test_the_api_refuses_with_a_problem_and_keeps_nothing(sign_in, lead, body, status):
    answer = sign_in(lead).post("/api/v1/offers/", body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not Offer.objects.exists()


# --- where one meets them ----------------------------------------------------------------------------------------------
def test_what_waits_is_on_ones_own_page(sign_in, lead, member, people):
    draft, verified = OfferFactory(created_by=member), OfferFactory(in_state=OfferState.VERIFIED)
    handed = OfferFactory(in_state=OfferState.SUBMITTED)
    NeedFactory(in_state="open")
    OfferFactory(in_state=OfferState.ACTIVE)
    for kind in Matched:
        keeping.refresh(kind)
    page = sign_in(lead).get("/dashboard/").content.decode()
    assert "Complete the offer and submit it" in page
    assert "Make the offer active" in page
    assert "1 need fits your offers" in page
    page = sign_in(member).get("/dashboard/").content.decode()
    assert draft.reference in page
    assert verified.reference not in page
    page = sign_in(people["desk"]).get("/dashboard/").content.decode()
    assert handed.reference in page
    assert "Verify the offer" in page
    assert draft.reference not in page


def test_partners_and_countries_show_what_they_offer(client):
    active, paused = OfferFactory(in_state=OfferState.ACTIVE), OfferFactory(in_state=OfferState.PAUSED)
    kenya = Country.objects.get(iso3="KEN")
    of_kenya = OfferFactory(in_state=OfferState.ACTIVE, partner=None, country=kenya)
    page = client.get("/partners/undp/").content.decode()
    assert active.title in page
    assert paused.title not in page
    assert of_kenya.title in client.get("/countries/KEN/").content.decode()
