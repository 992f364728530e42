"""From accepted responses to their delivery: the plan, its confirmation, and the project that carries it out."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from partners.choices import Role
from partners.models import Country, Partner
from projects import actions, agreement, deliveries
from projects.choices import ConfirmedStep, Modality, NeedState, ResponseState, Side, State, Status
from projects.coverage import coverage_of
from projects.drafting import Conflict
from projects.forms.draft import MonthField
from projects.lifecycle.need import unconfirmed
from projects.models import (
    Answer,
    Confirmation,
    Contribution,
    Need,
)
from tests.factories import MembershipFactory, NeedFactory, ProjectFactory, ResponseFactory
from tests.projects.plans import agreed, confirmed, plan_of, planned_with

pytestmark = pytest.mark.django_db


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


PLANS = import_module("projects.migrations.0016_agreed_in_plans_confirmed_before")


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
    deliveries.record_delivered(
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
