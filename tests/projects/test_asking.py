"""Asking for an offer and being asked: responses, their questions and documents, through pages and API."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.test import Client

from partners.models import Country, Partner
from projects import actions, dashboard, uploads
from projects.choices import NeedState, ResponseState, Side
from projects.coverage import coverage_of
from projects.lifecycle import transition
from projects.models import (
    Answer,
    Need,
    Response,
)
from projects.notify import recipients
from tests.drafts import PDF
from tests.factories import NeedFactory, OfferFactory, ResponseFactory
from tests.projects.test_draft_documents import close
from tests.projects.test_rules import OWN, UNEP

pytestmark = pytest.mark.django_db


def test_a_country_asks_for_an_offer_and_the_provider_takes_it_up(people):
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    line = need.lines.first()
    asked = Response(need=need, offer=offer, partner=offer.partner, text="Could your engineers come?")
    for name in ("partner_lead", "stranger", "contributor", "publisher"):
        with pytest.raises(PermissionDenied):
            actions.suggest(Response(need=need, partner=offer.partner, text="x"), [Answer(line=line)], by=people[name])
    actions.suggest(asked, [Answer(line=line, quantity=30)], by=people["focal_point"])
    assert (asked.state, asked.suggested_by) == (ResponseState.SUGGESTED, Side.COUNTRY)
    assert {t.user for t in recipients(asked.events.get())} == {people["partner_lead"], people["partner_member"]}
    assert coverage_of(need)[0].offered == 0  # nothing is offered yet
    with pytest.raises(ValidationError):  # once is enough
        actions.suggest(Response(need=need, partner=offer.partner, text="x"), [Answer(line=line)], by=people["desk"])
    with pytest.raises(PermissionDenied):
        actions.respond(asked, [Answer(line=line, quantity=20)], by=people["focal_point"])
    asked.text = "Two of them, for ten days."
    actions.respond(asked, [Answer(line=line, quantity=20)], by=people["partner_lead"])
    assert asked.state == ResponseState.EXPRESSED
    assert coverage_of(Need.objects.get(pk=need.pk))[0].offered == 20
    with pytest.raises(ValidationError):  # not a second time
        actions.respond(asked, [Answer(line=line, quantity=40)], by=people["partner_lead"])


def test_who_was_asked_declines_and_who_asked_takes_it_back(people):
    for mover, action in (("partner_lead", "decline"), ("focal_point", "take_back"), ("desk", "take_back")):
        need = NeedFactory(in_state=NeedState.OPEN)
        asked = Response(need=need, partner=Partner.objects.get(slug="undp"), text="Could you?")
        actions.suggest(asked, [Answer(line=need.lines.first(), quantity=1)], by=people["desk"])
        for name in {"partner_lead", "focal_point", "desk", "stranger"} - {mover} - ({"focal_point", "desk"} if action == "take_back" else set()):  # fmt: skip
            with pytest.raises(PermissionDenied):
                transition(asked, action, by=people[name], note="x")
        transition(asked, action, by=people[mover], note="No people in these months.")


def test_questions_are_read_by_both_sides_and_the_desk_and_give_time(people):
    response = ResponseFactory()
    Response.objects.filter(pk=response.pk).update(due_on="2026-01-01")
    actions.ask(response, "Who pays for travel?", by=people["focal_point"])
    actions.ask(response, "We do.", by=people["partner_lead"])
    response.refresh_from_db()
    assert response.due_on > response.created_at.date()
    with pytest.raises(ValidationError):
        actions.ask(response, "  ", by=people["desk"])
    for name in ("stranger", "contributor", "publisher"):
        with pytest.raises(PermissionDenied):
            actions.ask(response, "x", by=people[name])
    for name, person in people.items():
        client = Client()
        if person:
            client.force_login(person)
        page = client.get(f"/responses/{response.reference}/")
        reads = name in ("contributor", "focal_point", "partner_member", "partner_lead", "desk", "publisher", "administrator")  # fmt: skip
        assert (page.status_code == 200) is reads, name
        assert (b"Who pays for travel?" in page.content) is reads, name
        public = client.get(response.need.get_absolute_url())
        assert b"Who pays for travel?" not in public.content, name
    assert any("writes about what" in entry.what for entry in dashboard.news(people["partner_member"]))
    assert not dashboard.news(people["stranger"])
    transition(response, "decline", by=people["focal_point"], note="Too late.")
    with pytest.raises(ValidationError):
        actions.ask(response, "Why?", by=people["partner_lead"])


def test_documents_of_a_response_are_for_its_parties(people, media):
    response = ResponseFactory()
    pdf = ContentFile(PDF, "cv.pdf")
    with pytest.raises(PermissionDenied):
        uploads.add_to_response(response, pdf, by=people["focal_point"])
    document = uploads.add_to_response(response, pdf, by=people["partner_lead"], title="Profiles")
    seen = set()
    for name, person in people.items():
        client = Client()
        if person:
            client.force_login(person)
        answer = client.get(f"/documents/{document.pk}/")
        close(answer)
        if answer.status_code == 200:
            seen.add(name)
    assert seen == UNEP | OWN
    uploads.remove_document(document, by=people["partner_lead"])
    assert not response.documents.exists()


def test_the_second_provider_reads_all_and_is_another(people):
    undp = Partner.objects.get(slug="undp")
    response = ResponseFactory(partner=Partner.objects.get(slug="fao"), second_partner=undp)
    assert Response.objects.visible_to(people["partner_lead"]).get() == response
    with pytest.raises(PermissionDenied):  # only the first one takes it back
        transition(response, "take_back", by=people["partner_lead"], note="x")
    for same in ({"partner": undp, "second_partner": undp}, {"partner": undp, "second_country": Country.objects.get(iso3="KEN")}):  # fmt: skip
        with pytest.raises(ValidationError):
            Response(need=response.need, text="x", **same).full_clean()
    seen = {name for name, p in people.items() if p and p.has_perm("projects.view_response", response)}
    assert seen == {
        n for n, p in people.items() if p and Response.objects.visible_to(p).filter(pk=response.pk).exists()
    }


def test_double_offers_are_seen():
    need = NeedFactory(in_state=NeedState.OPEN)
    for _n in range(2):
        ResponseFactory(need=need, answers={0: 30})
    design, sensors = coverage_of(Need.objects.for_page().get(pk=need.pk))
    assert (design.over, design.is_double, sensors.over) == (20, True, 0)
    assert {name: amount for name, amount in design.parts if amount} == {"offered": 40}
    page = Client().get(need.get_absolute_url()).content.decode()
    assert "Several cover the same: 20 expert-days more than is asked for." in page


def test_responses_through_pages(people):
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    line, client = need.lines.first(), Client()
    client.force_login(people["focal_point"])
    assert client.get(f"/needs/{need.reference}/ask/?offer={offer.reference}").status_code == 200
    assert client.post(f"/needs/{need.reference}/ask/", {"offer": "O-1999-1", "text": "x"}).status_code == 400
    asked = client.post(f"/needs/{need.reference}/ask/", {"offer": offer.reference, "text": "Could you?", f"line_{line.pk}": "10"})  # fmt: skip
    assert asked.status_code == 302
    response = Response.objects.get()
    address = f"/responses/{response.reference}/"
    assert client.get("/responses/").status_code == 200 and client.get("/responses/?state=nothing").status_code == 400
    lead = Client()
    lead.force_login(people["partner_lead"])
    assert "Offer what was asked for" in lead.get("/dashboard/").content.decode()
    assert lead.get(address + "express/").status_code == 200
    fao = Partner.objects.get(slug="fao")
    given = {"text": "Ten days", "cost": "free", f"line_{line.pk}": "10", "second": f"partner:{fao.pk}"}
    assert lead.post(address + "express/", given).status_code == 302
    response.refresh_from_db()
    assert (response.state, response.second, response.offer) == (ResponseState.EXPRESSED, fao, offer)
    assert lead.post(address, {"text": "Any dates?"}).status_code == 302
    assert lead.post(address, {"text": ""}).status_code == 400
    assert "Any dates?" in client.get(address).content.decode()
    assert Client().get(address).status_code == 302
    page = lead.get("/responses/")
    assert response.reference in page.content.decode()
    listed = Client().get("/api/v1/needs/").json()["results"][0]
    assert (listed["lines_asked"], listed["lines_open"]) == (2, 2)


def test_responses_through_the_api(people):
    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    line = need.lines.first()

    def send(name, address, body):
        client = Client()
        client.force_login(people[name])
        return client.post(f"/api/v1/{address}", json.dumps(body), content_type="application/json")

    body = {"offer": offer.reference, "text": "Could you?", "answers": [{"line": line.pk, "quantity": "10"}]}
    assert send("partner_lead", f"needs/{need.reference}/suggestions/", body).status_code == 403
    asked = send("focal_point", f"needs/{need.reference}/suggestions/", body)
    assert asked.status_code == 201 and asked.json()["state"] == "suggested", asked.content
    address = f"responses/{asked.json()['reference']}/"
    taken = send(
        "partner_lead", address + "express/", {"text": "Yes", "second_partner": "fao", "answers": body["answers"]}
    )
    assert taken.status_code == 200 and taken.json()["second_partner"] == "fao", taken.content
    said = send("focal_point", address + "questions/", {"text": "When?"})
    assert [one["text"] for one in said.json()["questions"]] == ["When?"]
    assert send("stranger", address + "questions/", {"text": "When?"}).status_code == 404
    assert send("focal_point", address + "questions/", {}).status_code == 400
