"""A need that two countries and two partners carry out: its plan, agreed and in delivery."""

from partners.choices import Role
from partners.models import Country, Partner
from projects import actions, agreement
from projects.choices import ConfirmedStep, NeedState
from projects.models import (
    Need,
)
from tests.factories import MembershipFactory, NeedFactory, ResponseFactory

INDICATOR = {"text": "Stations that run", "unit": "items", "baseline": 0, "target": 10}


def triangular_need(people) -> Need:
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
    return confirmed(need, people)


def in_delivery(need: Need, people) -> Need:
    agreement.start(agreed(need, people), None, by=people["desk"])
    return Need.objects.get(pk=need.pk)


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
