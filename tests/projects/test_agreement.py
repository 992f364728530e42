"""From accepted responses to delivery: the plan and its confirmation, the project, and back."""

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from partners.choices import Role
from partners.models import Country, Partner
from projects import actions, agreement
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
    Project,
    Response,
)
from tests.factories import MembershipFactory, NeedFactory, ProjectFactory, ResponseFactory

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
    agreement.record_delivered(need, given, by=people["desk"])
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


def test_an_empty_box_says_nothing_of_what_was_delivered(people, sign_in):
    need = NeedFactory(in_state=NeedState.IN_DELIVERY)
    answer = Answer.objects.filter(response__need=need).first()
    ResponseFactory(need=need, state=ResponseState.CONVERTED, answers={1: 10})
    Answer.objects.filter(response__need=need).update(delivered=None)
    client, address = sign_in(people["partner_lead"]), f"/needs/{need.reference}/delivered/"
    form = client.get(address).context["form"]
    assert all(box.value() is None and not box.field.required for box in form)
    empty = client.post(address, {})
    assert empty.status_code == 400 and "at least one line" in empty.content.decode()
    assert client.post(address, {str(answer.pk): "3"}).status_code == 302
    others = Answer.objects.filter(response__need=need).exclude(pk=answer.pk)
    assert Answer.objects.get(pk=answer.pk).delivered == 3 and others.get().delivered is None
    assert client.get(address).context["form"][str(answer.pk)].value() == "3"


def test_what_is_entered_of_one_line_states_nothing_of_the_others_in_the_project(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])
    answer = Answer.objects.filter(response__need=need).order_by("pk").first()
    agreement.record_delivered(Need.objects.get(pk=need.pk), {answer.pk: 15}, by=people["ghana"])
    silent = project.contributions.filter(activity__line__isnull=False).exclude(activity__line=answer.line)
    assert silent.exists() and not silent.exclude(delivered=None).exists()


def test_a_response_does_not_say_that_nothing_was_delivered(people, sign_in):
    response, client = ResponseFactory(need=NeedFactory(in_state=NeedState.OPEN)), sign_in(people["focal_point"])

    def cell() -> str:
        page = client.get(response.get_absolute_url()).content.decode()
        return re.search(r'<td class="n">([^<]*)</td></tr>', page)[1]

    assert cell() == "–"
    Response.objects.filter(pk=response.pk).update(state=ResponseState.ACCEPTED)
    assert cell() == "not reported"
    response.answers.update(delivered=0)
    assert cell() == "0"


# --- not reported is not zero --------------------------------------------------------------------------------------------
def in_delivery(need: Need, people) -> Need:
    agreement.start(agreed(need, people), None, by=people["desk"])
    return Need.objects.get(pk=need.pk)


def said_on(client, address: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", client.get(address).content.decode()).split())


def test_what_nobody_reported_is_shown_as_not_reported_everywhere(triangular, people, client):
    """Ghana reports that none of its 40 days were given; of FAO's sensors nobody says anything."""
    need = in_delivery(triangular, people)
    design, sensors = (Answer.objects.get(response__need=need, line__text=t) for t in ("Network design", "Sensors"))
    agreement.record_delivered(need, {design.pk: 0}, by=people["ghana"])
    assert [Answer.objects.get(pk=a.pk).delivered for a in (design, sensors)] == [0, None]
    published = {"state": "published", "published_at": timezone.now(), "published_by": people["desk"]}
    Project.objects.filter(needs=need).update(**published)
    lines = client.get(f"/api/v1/needs/{need.reference}/").json()["lines"]
    told = [(line["delivered"], line["agreed"], line["not_reported"]) for line in lines]
    assert told == [("0.00", "40.00", "0.00"), (None, "10.00", "10.00")]
    page = said_on(client, f"/needs/{need.reference}/")
    assert "0 delivered 40 agreed" in page and "Delivery of 10 items is not reported yet." in page
    assert "items not reported 10 0" in page  # in the table: delivered, agreed, offered
    listed = said_on(client, "/matches/")
    assert "0 of 40 expert-days delivered" in listed and "10 items agreed, delivery not reported yet" in listed
    client.force_login(people["desk"])
    for address in (f"/needs/{need.reference}/confirm/delivery/", "/responses/"):
        page = said_on(client, address)
        assert "0 of 40 expert-days delivered" in page and "10 items agreed, delivery not reported yet" in page, address
    boxes = client.get(f"/needs/{need.reference}/delivered/").context["form"]
    assert [boxes[str(a.pk)].value() for a in (design, sensors)] == ["0", None]
    told = [
        client.get(f"/api/v1/responses/{a.response.reference}/").json()["answers"][0]["delivered"]
        for a in (design, sensors)
    ]
    assert told == ["0.00", None]


def test_what_nobody_reported_counts_as_not_delivered_when_the_need_closes_and_is_said(triangular, people, client):
    need = in_delivery(triangular, people)
    design = Answer.objects.get(response__need=need, line__text="Network design")
    agreement.record_delivered(need, {design.pk: 40}, by=people["ghana"])
    rule = "What nobody has reported counts as not delivered when the need is closed."
    client.force_login(people["desk"])
    assert rule in said_on(client, f"/needs/{need.reference}/confirm/delivery/")
    for name in ("ghana", "partner_lead", "fao", "desk"):
        agreement.confirm(Need.objects.get(pk=need.pk), ConfirmedStep.DELIVERY, by=people[name])
    client.force_login(people["focal_point"])
    for action in ("close", "close_partly"):
        page = said_on(client, f"/needs/{need.reference}/move/{action}/")
        assert rule in page and "10 items agreed, delivery not reported yet" in page
    said = {"outcome": "A", "rating": 3, "lessons": "B"}
    child = actions.close_partly(Need.objects.get(pk=need.pk), by=people["focal_point"], note="because", **said)
    assert [(line.text, line.quantity) for line in child.lines.all()] == [("Sensors", 10)]
    line = client.get(f"/api/v1/needs/{need.reference}/").json()["lines"][1]
    told = {name: line[name] for name in ("delivered", "not_delivered", "carried_over", "not_reported")}
    assert told == {"delivered": None, "not_delivered": "10.00", "carried_over": "0.00", "not_reported": "10.00"}
    page = said_on(client, f"/needs/{need.reference}/")
    assert "Nobody reported what was delivered of 10 items: it counts as not delivered." in page


def test_the_project_and_the_need_make_no_zero_of_what_the_other_leaves_open(people):
    """UNDP answers the first line twice and reports of one: of the other neither the project nor the need says anything."""
    need, undp = NeedFactory(in_state=NeedState.OPEN), Partner.objects.get(slug="undp")
    for quantity in (10, 6):
        actions.accept_response(
            ResponseFactory(need=need, partner=undp, answers={0: quantity}), by=people["focal_point"]
        )
    need.refresh_from_db()
    agreement.write_plan(need, plan_of(need), by=people["focal_point"])
    for name in ("focal_point", "partner_lead", "desk"):
        agreement.confirm(need, ConfirmedStep.PLAN, by=people[name])
    need.refresh_from_db()
    project = agreement.start(need, None, by=people["desk"])
    need.refresh_from_db()
    one, other = Answer.objects.filter(response__need=need).order_by("pk")

    def told() -> tuple:
        rows = project.contributions.filter(activity__line__isnull=False).order_by("activity__position")
        answers = Answer.objects.filter(response__need=need).order_by("pk")
        return [row.delivered for row in rows], [answer.delivered for answer in answers]

    for given, expected in (({other.pk: 3}, ([3, None], [None, 3])), ({one.pk: 10}, ([10, 3], [10, 3]))):
        agreement.record_delivered(need, given, by=people["partner_lead"])
        assert told() == expected
        agreement.follow(project)
        assert told() == expected  # and the project's word changes nothing of it
    project.contributions.update(delivered=None)
    agreement.follow(project)
    assert told() == ([None, None], [10, 3])  # what was entered at the need stays
    project.contributions.filter(quantity=10).update(delivered=7)
    agreement.follow(project)
    assert told() == ([7, None], [7, 0])
    project.contributions.update(delivered=None)
    agreement.follow(project)
    assert told() == ([None, None], [None, None])  # what came from the project goes with it


# --- answers written before what is known now was kept --------------------------------------------------------------------
ZEROS = import_module("projects.migrations.0015_what_nobody_reported")
PLANS = import_module("projects.migrations.0016_agreed_in_plans_confirmed_before")


def test_a_zero_that_nobody_entered_becomes_not_reported(triangular, people):
    silent = ResponseFactory(state=ResponseState.AGREED).need
    need = in_delivery(triangular, people)
    design, sensors = (Answer.objects.get(response__need=need, line__text=t) for t in ("Network design", "Sensors"))
    agreement.record_delivered(need, {design.pk: 0}, by=people["ghana"])
    back = NeedFactory(in_state=NeedState.IN_DELIVERY)  # 30, then 0 again
    Answer.objects.filter(delivered=None).update(delivered=0)  # as it was stored then
    Answer.objects.filter(response__need=back).update(delivered=0)
    Answer.objects.filter(response__need=silent).update(delivered=0)
    with connection.cursor() as cursor:
        cursor.execute(ZEROS.NOT_REPORTED)
    assert [Answer.objects.get(pk=a.pk).delivered for a in (design, sensors)] == [0, None]
    assert Answer.objects.get(response__need=silent).delivered is None
    assert Answer.objects.get(response__need=back).delivered == 0


def test_plans_confirmed_before_tell_how_much_is_agreed(triangular, people):
    """As a plan does that is confirmed now, where it says how much; a line that it leaves out was no word on it then."""
    planned_with(triangular, 25, people)
    need = confirmed(triangular, people)
    written = NeedFactory(in_state=NeedState.PLAN_AGREED)
    written.confirmations.filter(step=ConfirmedStep.PLAN, side="unep").delete()
    Answer.objects.update(agreed=None)
    need.activities.filter(line__text="Sensors").update(line=None)

    def kept(one: Need) -> list:
        PLANS.keep_agreed(apps, None)
        return list(
            Answer.objects.filter(response__need=one).order_by("line__position").values_list("agreed", flat=True)
        )

    assert kept(need) == [25, None]
    assert kept(written) == [None]  # not all have confirmed it
    Answer.objects.update(agreed=None)
    need.activities.filter(line__text="Network design").update(unit="visits")
    assert kept(need) == [None, None]


# --- the confirmed plan decides what is agreed ---------------------------------------------------------------------------
def planned_with(need: Need, quantity, people, **more) -> dict:
    """Writes a plan in which Ghana does this much of the first line."""
    plan = plan_of(need)
    plan["activities"][0] |= {"quantity": quantity} | more
    agreement.write_plan(need, plan, by=people["focal_point"])
    return plan


def confirmed(need: Need, people) -> Need:
    for name in ("focal_point", "ghana", "partner_lead", "fao", "desk"):
        agreement.confirm(Need.objects.get(pk=need.pk), ConfirmedStep.PLAN, by=people[name])
    return Need.objects.get(pk=need.pk)


def agreed_of(need: Need) -> list:
    return [row.agreed for row in coverage_of(Need.objects.get(pk=need.pk))]


def test_the_confirmed_plan_decides_how_much_is_agreed(triangular, people, client):
    """Ghana's 40 were accepted; the plan that all confirmed says 25. A later plan counts once all have confirmed that one."""
    plan = planned_with(triangular, 25, people)
    assert agreed_of(triangular) == [40, 10]  # not confirmed yet
    need = confirmed(triangular, people)
    assert agreed_of(need) == [25, 10]
    lines = client.get(f"/api/v1/needs/{need.reference}/").json()["lines"]
    assert [(line["agreed"], line["open"]) for line in lines] == [("25.00", "15.00"), ("10.00", "0.00")]
    client.force_login(people["ghana"])
    answer = Answer.objects.get(response__need=need, line__text="Network design")
    told = client.get(f"/api/v1/responses/{answer.response.reference}/").json()["answers"]
    assert [(a["quantity"], a["agreed"]) for a in told] == [("40.00", "25.00")]
    agreement.write_plan(need, {"plan": "Another word."}, by=people["focal_point"])
    assert agreed_of(need) == [40, 10]  # back in the dialogue
    need = confirmed(need, people)
    agreement.start(need, None, by=people["desk"])
    assert "of 25 expert-days agreed" in client.get(f"/needs/{need.reference}/delivered/").content.decode()
    plan["activities"][0]["quantity"] = 30
    need = Need.objects.get(pk=need.pk)
    agreement.write_plan(need, {"activities": plan["activities"]}, by=people["ghana"])
    assert agreed_of(need) == [25, 10]  # a change of what is under way holds once all have confirmed it
    assert agreed_of(confirmed(need, people)) == [30, 10]


def test_what_a_closed_need_leaves_is_told_by_the_confirmed_plan(triangular, people):
    need = triangular
    planned_with(need, 25, people)
    agreement.start(confirmed(need, people), None, by=people["desk"])
    need = Need.objects.get(pk=need.pk)
    agreement.record_delivered(
        need, {Answer.objects.get(response__need=need, line__text="Network design").pk: 9}, by=people["ghana"]
    )
    for name in ("ghana", "partner_lead", "fao", "desk"):
        agreement.confirm(Need.objects.get(pk=need.pk), ConfirmedStep.DELIVERY, by=people[name])
    said = {"outcome": "A", "rating": 3, "lessons": "B"}
    actions.close_partly(Need.objects.get(pk=need.pk), by=people["focal_point"], note="because", **said)
    row = coverage_of(Need.objects.get(pk=need.pk))[0]
    assert (row.delivered, row.not_delivered, row.carried_over) == (9, 16, 15)


def test_a_plan_that_does_not_say_how_much_of_a_line_leaves_what_was_accepted(triangular, people):
    """An activity in another unit, or without a line, is no word on the quantity of the line; a line left out is."""
    planned_with(triangular, 3, people, unit="visits")
    assert agreed_of(confirmed(triangular, people)) == [40, 10]
    plan = plan_of(triangular)
    plan["activities"][0] |= {"line_id": None}
    agreement.write_plan(triangular, plan, by=people["fao"])
    assert agreed_of(confirmed(triangular, people)) == [40, 10]
    line = triangular.lines.get(text="Network design")
    for row in plan["activities"]:  # FAO does something for Ghana's line now, and nothing for its own
        row["line_id"] = line.pk
    agreement.write_plan(triangular, {"activities": plan["activities"]}, by=people["fao"])
    assert agreed_of(confirmed(triangular, people)) == [40, 0]


def test_more_than_was_agreed_can_have_been_delivered(triangular, people):
    """Ghana offered 40, the plan says 25, the project delivers 28: nothing of it is lost on the way."""
    planned_with(triangular, 25, people)
    project = agreement.start(confirmed(triangular, people), None, by=people["desk"])
    project.contributions.filter(text="Network design").update(delivered=28)
    agreement.follow(project)
    row = coverage_of(Need.objects.get(pk=triangular.pk))[0]
    assert (row.delivered, row.agreed, row.open) == (28, 0, 12)


# --- who says what -------------------------------------------------------------------------------------------------------
def test_each_provider_states_its_own_deliveries(triangular, people, client):
    """FAO can't say what Ghana delivered, nor takes what it says of its own for a word on Ghana's; UNEP's desk states any."""
    agreement.start(agreed(triangular, people), None, by=people["desk"])
    need = Need.objects.get(pk=triangular.pk)
    design, sensors = (Answer.objects.get(response__need=need, line__text=t) for t in ("Network design", "Sensors"))
    with pytest.raises(PermissionDenied, match="Each provider enters what it delivered itself"):
        agreement.record_delivered(need, {design.pk: 15, sensors.pk: 4}, by=people["fao"])
    client.force_login(people["fao"])
    address = f"/needs/{need.reference}/delivered/"
    assert f'name="{design.pk}"' not in client.get(address).content.decode()
    client.post(address, {str(design.pk): "15", str(sensors.pk): "4"})
    assert [Answer.objects.get(pk=a.pk).delivered for a in (design, sensors)] == [None, 4]
    told = {c.text: c.delivered for c in Project.objects.get(needs=need).contributions.all()}
    assert (told["Network design"], told["Sensors"]) == (None, 4)  # of Ghana's nobody has said anything
    for name in ("partner_member", "ghana writer", "desk"):  # the second provider, any of the first's people, UNEP
        agreement.record_delivered(need, {design.pk: 20}, by=people[name])
    agreement.record_delivered(need, {sensors.pk: 5}, by=people["desk"])


def test_whose_confirmation_is_missing_is_said(triangular, people, client):
    agreement.write_plan(triangular, plan_of(triangular), by=people["focal_point"])
    for name in ("focal_point", "ghana"):
        agreement.confirm(triangular, ConfirmedStep.PLAN, by=people[name])
    client.force_login(people["fao"])
    page = client.post(f"/needs/{triangular.reference}/confirm/plan/", follow=True).content.decode()
    assert "Confirmed. Still to confirm: United Nations Development Programme (UNDP); UNEP." in page


# --- from when until when ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rows", "span"),
    [
        ([(None, "2027-06-30"), (None, "2027-01-31")], (None, "2027-06-30")),
        ([("2026-03-01", "2027-06-30"), (None, "2027-01-31")], ("2026-03-01", "2027-06-30")),
        ([("2027-03-01", "2027-06-30"), (None, "2027-01-31")], (None, "2027-06-30")),
    ],
)
def test_a_project_begins_when_its_plan_says_and_not_when_something_ends(triangular, people, rows, span):
    plan = plan_of(triangular)
    for activity, (start, end) in zip(plan["activities"], [*rows, rows[-1]], strict=True):
        activity |= {"starts_on": start, "ends_on": end}
    agreement.write_plan(triangular, plan, by=people["focal_point"])
    project = agreement.start(confirmed(triangular, people), None, by=people["desk"])
    project.refresh_from_db()
    assert tuple(day and str(day) for day in (project.planned_start, project.planned_end)) == span
    assert (project.actual_start, project.actual_end) == (None, None)
