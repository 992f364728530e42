"""From accepted responses to delivery: suggestions, questions, the plan and its confirmation, the project, and back."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.test import Client

from partners.choices import Role
from partners.models import Country, Partner
from projects import actions, agreement, dashboard, uploads
from projects.choices import ConfirmedStep, Modality, NeedState, ResponseState, Side, State, Status
from projects.coverage import coverage_of
from projects.drafting import Conflict
from projects.forms.draft import MonthField
from projects.lifecycle import transition
from projects.lifecycle.need import unconfirmed
from projects.models import (
    Answer,
    Confirmation,
    Contribution,
    Need,
    Notice,
    Project,
    RecordCheck,
    Response,
    SearchEntry,
)
from projects.models.record_check import checked
from projects.models.search import FacetKind
from projects.notify import recipients
from tests.factories import MembershipFactory, NeedFactory, OfferFactory, ProjectFactory, ResponseFactory
from tests.projects.test_drafting import PDF, close

pytestmark = pytest.mark.django_db
INDICATOR = {"text": "Stations that run", "unit": "items", "baseline": 0, "target": 10}


@pytest.fixture
def triangular(people):
    """Kenya's need in dialogue: Ghana provides, with UNDP as second provider; FAO provides the rest."""
    ghana, fao = Country.objects.get(iso3="GHA"), Partner.objects.get(slug="fao")
    need = NeedFactory(in_state=NeedState.OPEN)
    one = ResponseFactory(
        need=need, partner=None, country=ghana, second_partner=Partner.objects.get(slug="undp"), answers={0: 40}
    )
    other = ResponseFactory(need=need, partner=fao, answers={1: 10})
    people["ghana"] = MembershipFactory(role=Role.FOCAL_POINT, country=ghana).user
    people["ghana writer"] = MembershipFactory(role=Role.CONTRIBUTOR, country=ghana).user
    people["fao"] = MembershipFactory(role=Role.PARTNER_LEAD, partner=fao).user
    for response in (one, other):
        actions.accept_response(response, by=people["focal_point"])
    need.refresh_from_db()
    return need


def plan_of(need: Need) -> dict:
    found = agreement.proposed(need)
    for row in found["activities"]:
        if row["quantity"] is None:  # of the second provider, who says how much
            row |= {"text": "Travel", "quantity": 2, "unit": "visits", "line_id": None}
    return {**found, "indicators": [INDICATOR]}


def agreed(need: Need, people) -> Need:
    agreement.write_plan(need, plan_of(need), by=people["focal_point"])
    for name in ("focal_point", "ghana", "partner_lead", "fao", "desk"):
        agreement.confirm(need, ConfirmedStep.PLAN, by=people[name])
    return Need.objects.get(pk=need.pk)


# --- asking, and being asked ----------------------------------------------------------------------------------------------
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
    assert seen == {
        "contributor",
        "focal_point",
        "partner_member",
        "partner_lead",
        "desk",
        "publisher",
        "administrator",
    }
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


# --- the plan -------------------------------------------------------------------------------------------------------------
def test_a_plan_begins_with_what_was_accepted(triangular):
    found = agreement.proposed(triangular)
    assert [(a["text"], a["quantity"], a["unit"]) for a in found["activities"]] == [("Network design", 40, "expert-days"), ("Network design", None, ""), ("Sensors", 10, "items")]  # fmt: skip
    roles = [r["role"] for r in found["roles"]]
    assert roles == ["recipient", "provider", "implementing", "implementing"]


def test_every_provider_confirms_for_itself(triangular, people):
    agreement.write_plan(triangular, plan_of(triangular), by=people["ghana"])
    with pytest.raises(PermissionDenied):  # a contributor speaks for nobody
        agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["ghana writer"])
    for name in ("focal_point", "ghana", "desk", "fao"):
        assert not agreement.confirm(triangular, ConfirmedStep.PLAN, by=people[name]), name
    assert unconfirmed(triangular, ConfirmedStep.PLAN) == [(Side.PARTNER, Partner.objects.get(slug="undp"))]
    with pytest.raises(ValidationError):
        agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["fao"])
    assert agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["partner_member"])
    triangular.refresh_from_db()
    assert triangular.state == NeedState.PLAN_AGREED
    assert set(triangular.responses.values_list("state", flat=True)) == {ResponseState.AGREED}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"activities": []}, "at least one activity for each provider"),
        ({"indicators": []}, "at least one indicator"),
        ({"indicators": [{"text": "x", "unit": "items"}]}, "each with its target"),
    ],
)
def test_a_plan_that_lacks_something_is_not_confirmed(triangular, people, values, says):
    agreement.write_plan(triangular, plan_of(triangular) | values, by=people["focal_point"])
    with pytest.raises(ValidationError, match=says):
        agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["focal_point"])


def test_bad_rows_are_told_and_nothing_is_half_written(triangular, people):
    foreign = NeedFactory().lines.first()
    row = plan_of(triangular)["activities"][0]
    uganda = Country.objects.get(iso3="UGA")
    for bad in (
        {"activities": [row | {"line_id": foreign.pk}]},
        {"activities": [row | {"country_id": uganda.pk, "partner_id": None}]},
        {"activities": [row, row | {"text": ""}]},
        {"activities": [row | {"starts_on": "2027-05-01", "ends_on": "2027-04-01"}]},
        {"activities": [row | {"quantity": None}]},
        {"roles": [{"country_id": triangular.country_id, "partner_id": None, "role": "provider"}]},
        {"roles": [{"country_id": triangular.country_id, "partner_id": None, "role": "funding"}]},
        {"roles": [{"country_id": Country.objects.get(iso3="GHA").pk, "partner_id": None, "role": "second"}]},
    ):
        with pytest.raises(ValidationError):
            agreement.write_plan(triangular, bad, by=people["focal_point"])
            raise AssertionError(bad)
    assert not triangular.activities.exists() and not triangular.plan_roles.exists()
    for name in ("stranger", "contributor", "publisher"):
        with pytest.raises(PermissionDenied):
            agreement.write_plan(triangular, plan_of(triangular), by=people[name])


def test_a_change_takes_back_what_was_confirmed_and_overwrites_nobody(triangular, people):
    agreement.write_plan(triangular, plan_of(triangular), by=people["focal_point"])
    agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["ghana"])
    seen = agreement.fingerprint(triangular)
    assert not agreement.write_plan(triangular, plan_of(triangular), by=people["fao"])  # the same again changes nothing
    assert triangular.confirmations.count() == 1
    assert agreement.write_plan(triangular, {"plan": "Travel is paid by the provider."}, by=people["fao"], seen=seen)
    assert not triangular.confirmations.exists()
    with pytest.raises(Conflict):
        agreement.write_plan(triangular, {"plan": "No."}, by=people["ghana"], seen=seen)


def test_a_plan_written_again_as_it_is_keeps_what_was_confirmed(triangular, people):
    plan = plan_of(triangular) | {"plan": "Who decides.\nWho pays."}
    plan["activities"] = [{**row, "kind": None} for row in plan["activities"]]
    agreement.write_plan(triangular, plan, by=people["focal_point"])
    agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["ghana"])
    again = plan | {
        "plan": "Who decides.\r\nWho pays. ",
        "roles": plan["roles"][::-1],
    }  # another order is no other role
    again["activities"] = [{n: v for n, v in row.items() if n != "kind"} for row in plan["activities"]]
    assert not agreement.write_plan(triangular, again, by=people["fao"])
    assert triangular.confirmations.count() == 1
    Need.objects.filter(pk=triangular.pk).update(plan="Who decides.\r\nWho pays.\r\n")  # as it was stored once
    assert not agreement.write_plan(triangular, again, by=people["fao"])
    assert triangular.confirmations.count() == 1


def test_the_desk_confirms_for_a_country_on_whose_behalf_it_acts(triangular, people):
    Need.objects.filter(pk=triangular.pk).update(is_on_behalf=True)
    triangular.refresh_from_db()
    agreement.write_plan(triangular, plan_of(triangular), by=people["desk"])
    for name in ("ghana", "partner_lead", "fao"):
        assert not agreement.confirm(triangular, ConfirmedStep.PLAN, by=people[name])
    client = Client()
    client.force_login(people["desk"])
    assert client.post(f"/needs/{triangular.reference}/confirm/plan/").status_code == 302
    triangular.refresh_from_db()
    assert triangular.state == NeedState.PLAN_AGREED
    assert triangular.confirmations.filter(side=Side.COUNTRY, by=people["desk"]).exists()


def test_who_takes_an_accepted_response_back_leaves_another_plan(triangular, people):
    agreement.write_plan(triangular, plan_of(triangular), by=people["focal_point"])
    agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["ghana"])
    fao = triangular.responses.get(partner__slug="fao")
    actions.answer_response(fao, "take_back", by=people["fao"], note="No people in these months.")
    assert not triangular.confirmations.exists()
    with pytest.raises(ValidationError, match="choose one who takes part"):  # FAO is still named in it
        agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["focal_point"])
    agreement.write_plan(triangular, plan_of(triangular), by=people["focal_point"])
    for name in ("focal_point", "ghana", "partner_lead"):
        assert not agreement.confirm(triangular, ConfirmedStep.PLAN, by=people[name])
    assert agreement.confirm(triangular, ConfirmedStep.PLAN, by=people["desk"])


def test_an_agreed_plan_goes_back_to_the_dialogue_when_it_is_changed(triangular, people):
    need = agreed(triangular, people)
    assert need.state == NeedState.PLAN_AGREED
    agreement.write_plan(need, {"plan": "Otherwise."}, by=people["fao"])
    need.refresh_from_db()
    assert need.state == NeedState.IN_DIALOGUE and need.due_on
    assert set(need.responses.values_list("state", flat=True)) == {ResponseState.ACCEPTED}
    assert not need.confirmations.exists()


# --- the project ------------------------------------------------------------------------------------------------------------
def test_a_plan_becomes_a_project_with_roles_contributions_and_indicators(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])
    need.refresh_from_db()
    assert (need.state, need.project) == (NeedState.IN_DELIVERY, project)
    assert (project.state, project.status, project.modality) == (
        State.REVIEW,
        Status.IMPLEMENTATION,
        Modality.TRIANGULAR,
    )
    roles = {(link.country.iso3, link.role) for link in project.country_links.all()}
    assert roles == {("KEN", "recipient"), ("GHA", "provider")}
    assert {(link.partner.slug, link.role) for link in project.partner_links.all()} == {("undp", "4"), ("fao", "4")}
    told = {(c.who, c.text, c.quantity, c.unit) for c in project.contributions.all()}
    assert told == {(Country.objects.get(iso3="GHA"), "Network design", 40, "expert-days"), (Partner.objects.get(slug="undp"), "Travel", 2, "visits"), (Partner.objects.get(slug="fao"), "Sensors", 10, "items")}  # fmt: skip
    assert [(r.title, r.target) for r in project.results.all()] == [("Stations that run", 10)]
    assert set(need.responses.values_list("state", flat=True)) == {ResponseState.CONVERTED}
    assert list(project.needs.all()) == [need]
    for name in ("publisher", "desk"):
        assert people[name].has_perm("projects.view_project", project)


def test_two_countries_provide_as_first_and_second(people):
    need = NeedFactory(in_state=NeedState.OPEN)
    ghana, germany = (Country.objects.get(iso3=code) for code in ("GHA", "DEU"))
    response = ResponseFactory(need=need, partner=None, country=ghana, second_country=germany)
    actions.accept_response(response, by=people["focal_point"])
    agreement.write_plan(need, plan_of(need), by=people["focal_point"])
    for person in (people["focal_point"], *(MembershipFactory(role=Role.FOCAL_POINT, country=c).user for c in (ghana, germany)), people["desk"]):  # fmt: skip
        agreement.confirm(need, ConfirmedStep.PLAN, by=person)
    need.refresh_from_db()
    project = agreement.start(need, None, by=people["desk"])
    order = {link.country.iso3: link.provider_order for link in project.country_links.all()}
    assert order == {"KEN": None, "GHA": 1, "DEU": 2}
    assert project.modality == Modality.TRIANGULAR


def test_a_running_project_takes_the_plan_and_keeps_what_it_has(triangular, people):
    need = agreed(triangular, people)
    running = ProjectFactory(published=True, status=Status.IMPLEMENTATION)
    before = running.country_links.count()
    with pytest.raises(ValidationError):
        agreement.start(need, ProjectFactory(published=True, status=Status.CLOSED), by=people["desk"])
    agreement.start(need, running, by=people["desk"])
    assert running.country_links.count() == before + 1  # Ghana; Kenya was there
    assert running.contributions.count() == 3 and running.state == State.PUBLISHED
    agreement.carry_over(Need.objects.get(pk=need.pk))  # again: nothing twice
    assert running.contributions.count() == 3 and running.results.count() == 1


def test_what_is_delivered_flows_both_ways(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])
    need.refresh_from_db()
    design = Answer.objects.get(response__need=need, line__text="Network design")
    agreement.record_delivered(need, {design.pk: 15}, by=people["ghana"])
    assert project.contributions.get(text="Network design").delivered == 15
    agreement.confirm(need, ConfirmedStep.DELIVERY, by=people["fao"])
    project.contributions.filter(text="Sensors").update(delivered=8)  # entered with the project
    agreement.follow(project)
    assert {row.letter: row.delivered for row in coverage_of(Need.objects.get(pk=need.pk))} == {"A": 15, "B": 8}
    assert not need.confirmations.filter(step=ConfirmedStep.DELIVERY).exists()  # other figures, another word
    events = need.events.count()
    agreement.follow(project)
    assert need.events.count() == events  # nothing new, nothing told


def test_the_same_quantities_again_keep_the_confirmations_of_the_delivery(triangular, people):
    need = agreed(triangular, people)
    agreement.start(need, None, by=people["desk"])
    need.refresh_from_db()
    design = Answer.objects.get(response__need=need, line__text="Network design")
    agreement.record_delivered(need, {design.pk: 15}, by=people["ghana"])
    agreement.confirm(need, ConfirmedStep.DELIVERY, by=people["fao"])
    events = need.events.count()
    agreement.record_delivered(need, {design.pk: 15}, by=people["ghana"])
    assert need.confirmations.filter(step=ConfirmedStep.DELIVERY).count() == 1
    assert need.events.count() == events
    agreement.record_delivered(need, {design.pk: 16}, by=people["ghana"])
    assert not need.confirmations.filter(step=ConfirmedStep.DELIVERY).exists()


def test_a_second_provider_that_also_answers_keeps_its_own_figures(people):
    """UNDP helps Ghana with the first line and answers the same line itself, twice."""
    need, undp = NeedFactory(in_state=NeedState.OPEN), Partner.objects.get(slug="undp")
    ghana = Country.objects.get(iso3="GHA")
    one = ResponseFactory(need=need, partner=None, country=ghana, second_partner=undp, answers={0: 20, 1: 4})
    others = [ResponseFactory(need=need, partner=undp, answers={0: n}) for n in (10, 6)]
    for response in (one, *others):
        actions.accept_response(response, by=people["focal_point"])
    need.refresh_from_db()
    agreement.write_plan(need, plan_of(need), by=people["focal_point"])
    lead = MembershipFactory(role=Role.FOCAL_POINT, country=ghana).user
    for by in (people["focal_point"], lead, people["partner_lead"], people["desk"]):
        agreement.confirm(need, ConfirmedStep.PLAN, by=by)
    need.refresh_from_db()
    project = agreement.start(need, None, by=people["desk"])
    need.refresh_from_db()
    given = {
        Answer.objects.get(response=r, line__position=0).pk: n for r, n in ((one, 12), (others[0], 10), (others[1], 3))
    }
    agreement.record_delivered(need, given, by=lead)
    told = {(c.who, c.quantity): c.delivered for c in project.contributions.filter(activity__line__position=0)}
    assert told == {(ghana, 20): 12, (undp, 10): 10, (undp, 6): 3}
    events = need.events.count()
    agreement.follow(project)
    assert need.events.count() == events  # what was entered here is what the project says
    assert {a.pk: a.delivered for a in Answer.objects.filter(pk__in=given)} == given
    project.contributions.filter(partner=undp, quantity=6).update(delivered=6)
    agreement.follow(project)
    assert [a.delivered for a in Answer.objects.filter(response__in=others).order_by("response_id")] == [10, 6]


def test_a_need_follows_its_project(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])

    def now(status) -> str:
        Project.objects.filter(pk=project.pk).update(status=status)
        agreement.follow(Project.objects.get(pk=project.pk))
        need.refresh_from_db()
        return need.state

    assert now(Status.SUSPENDED) == NeedState.ON_HOLD
    assert now(Status.SUSPENDED) == NeedState.ON_HOLD
    assert now(Status.IMPLEMENTATION) == NeedState.IN_DELIVERY
    assert now(Status.CLOSED) == NeedState.IN_DELIVERY
    now(Status.CLOSED)
    assert need.events.filter(action="project_ended").count() == 1
    transition(need, "hold", by=people["desk"], note="Elections")  # by a person: the project does not undo it
    assert now(Status.IMPLEMENTATION) == NeedState.ON_HOLD


def test_a_change_during_delivery_holds_when_all_have_confirmed_it_again(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])
    need.refresh_from_db()
    rows = [{**row, "id": a.pk} for a, row in zip(need.activities.all(), agreement.stored(need)["activities"], strict=True)]  # fmt: skip
    agreement.write_plan(need, {"activities": [rows[0] | {"quantity": 50}, *rows[1:]]}, by=people["ghana"])
    assert need.state == NeedState.IN_DELIVERY
    assert project.contributions.get(text="Network design").quantity == 40  # not yet
    names = ("focal_point", "ghana", "partner_lead", "fao", "desk")
    done = [agreement.confirm(need, ConfirmedStep.PLAN, by=people[name]) for name in names]
    assert done == [False] * 4 + [True]
    assert project.contributions.get(text="Network design").quantity == 50
    assert Contribution.objects.filter(project=project).count() == 3


# --- the word on a record ------------------------------------------------------------------------------------------------
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


# --- doors ------------------------------------------------------------------------------------------------------------------
def test_the_plan_through_pages(triangular, people):
    need, client = triangular, Client()
    client.force_login(people["ghana"])
    address = f"/needs/{need.reference}/plan/"
    page = client.get(address)
    assert page.status_code == 200 and b"Network design" in page.content
    form = page.context["form"]
    data = {field.html_name: field.value() for field in form if field.value() is not None}
    for rows in form.sets:
        data |= {f.html_name: f.value() for f in rows.management_form}
        for row in rows:
            data |= {f.html_name: f.value() for f in row if f.value() not in (None, False)}
            for f in row:
                if isinstance(f.field, MonthField) and f.value():
                    data |= {f"{f.html_name}_month": f.value().month, f"{f.html_name}_year": f.value().year}
    data["seen"] = page.context["seen"]
    bad = client.post(address, data | {"activities-0-quantity": "-3", "activities-1-unit": ""})
    assert bad.status_code == 400 and b"Nothing was saved yet" in bad.content
    data |= {"activities-1-quantity": "2", "activities-1-unit": "visits", "activities-1-text": "Travel"}
    data |= {"indicators-0-text": "Stations that run", "indicators-0-unit": "items", "indicators-0-target": "10"}
    assert client.post(address, data).status_code == 302
    assert need.activities.count() == 3 and need.indicators.count() == 1
    assert {a.ends_on for a in need.activities.all()} == {line.by_when for line in need.lines.all()}
    late = client.post(address, data | {"plan": "Mine"})
    assert late.status_code == 409 and b"Mine" in late.content
    detail = client.get(need.get_absolute_url()).content.decode()
    assert "Who does what, by when" in detail and "Still to confirm:" in detail
    assert "Who does what, by when" not in Client().get(need.get_absolute_url()).content.decode()
    assert client.post(f"/needs/{need.reference}/confirm/plan/").status_code == 302
    assert Confirmation.objects.get().who == Country.objects.get(iso3="GHA")
    client.force_login(people["stranger"])
    assert client.get(address).status_code == 403


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
