"""The life of a need: the table, roles x states x moves, the acts, one whole life, random lives (laws 2 and 3)."""

import threading
from functools import cache

import pytest
import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from partners.choices import Role
from partners.models import Country, Partner, User
from projects import actions, agreement, charts, deliveries, lifecycle
from projects.choices import ConfirmedStep, Criterion, NeedState, ResponseState, Side, Status
from projects.coverage import OVER, PARTS, coverage_of, letter_of
from projects.lifecycle import transition
from projects.lifecycle.need import DUE, HOLDER, MOVES, TO_SUBMIT, working_days
from projects.models import Answer, CriterionAnswer, Event, LineItem, Need, Response
from tests import THOROUGH
from tests.factories import OPENED, MembershipFactory, NeedFactory, ProjectFactory, ResponseFactory
from tests.one_of_each import one_of_each

pytestmark = pytest.mark.django_db


def attempt(need, action, by, note="because") -> str:
    try:
        transition(need, action, by=by or AnonymousUser(), note=note)
    except PermissionDenied:
        return "forbidden"
    except ValidationError as error:
        return error.error_list[0].code
    return "moved"


# Who may make a move of a need of Kenya, entered by somebody else, with UNDP's response accepted where there is one.
FOCAL, DESK, ADMIN = "focal_point", "desk", "administrator"
MAY = {
    "submit": {FOCAL},
    "return": {DESK, ADMIN},
    "find_eligible": {DESK, ADMIN},
    "find_not_eligible": {DESK, ADMIN},
    "publish": {"publisher", ADMIN, "system"},
    "begin_dialogue": {FOCAL},
    "reopen": {FOCAL, DESK, ADMIN, "system"},
    "agree": {FOCAL, DESK, ADMIN},
    "revise": {FOCAL, DESK, ADMIN},
    "start": {DESK, "publisher", ADMIN, "system"},
    "deliver": {DESK, ADMIN},
    "close": {FOCAL},
    "close_partly": {FOCAL},
    "withdraw": {FOCAL},
    "hold": {DESK, ADMIN, "system"},
    "resume": {DESK, ADMIN, "system"},
    "expire": {"system"},
    "renew": {FOCAL},
    "merge": {DESK, ADMIN},
    "archive": {"system"},
    "restore": {FOCAL, "contributor"},
}
PARTNER = {"partner_member", "partner_lead"}  # of UNDP, whose response was accepted


def test_every_move_has_a_rule_and_every_state_is_reachable_and_can_end():
    assert set(MAY) == set(MOVES)
    assert all(rules.perm_exists(move.permission) for move in MOVES.values())
    assert {NeedState.DRAFT} | {m.to_state for m in MOVES.values() if m.to_state} == set(NeedState)
    ends = {NeedState.NOT_ELIGIBLE, NeedState.CLOSED, NeedState.PARTIALLY_MET, NeedState.WITHDRAWN, NeedState.MERGED}
    leads = {s: {m.to_state for m in MOVES.values() if s in m.from_states} for s in NeedState}
    for state in NeedState:
        seen, ahead = set(), [state]
        while ahead:
            seen.add(now := ahead.pop())
            ahead += leads[now] - seen - {""}
        assert seen & ends, state
    assert set(HOLDER) == set(NeedState) - {NeedState.NOT_ELIGIBLE, NeedState.WITHDRAWN, NeedState.MERGED}


def outcome_of(need, move, person) -> str:
    """What comes of one press of a button; undone at once, so that all cases of a state share one need."""
    values = {"merged_into": need.country.needs.exclude(pk=need.pk).first()} if move.action == "merge" else {}
    record = Need.objects.get(pk=need.pk)
    try:
        with transaction.atomic():
            event = transition(record, move.action, by=person, note="because", **values)
            stored = Need.objects.get(pk=need.pk)
            assert (event.from_state, event.to_state, event.by) == (need.state, stored.state, person)
            assert stored.state == record.state == (move.to_state or NeedState.SUBMITTED)
            transaction.set_rollback(True)
        return "moved"
    except PermissionDenied:
        return "forbidden"
    except ValidationError as error:
        return error.error_list[0].code
    finally:
        assert not Event.objects.filter(need=need).exists()


def may(action: str, state: str) -> set[str]:
    """Partners have a part in the plan and what follows once their response was accepted."""
    has_response = action in ("agree", "deliver", "revise") and state in OPENED[1:-1]
    return MAY[action] | (PARTNER if has_response else set())


@pytest.mark.parametrize("state", NeedState.values)
def test_each_move_is_allowed_to_these_roles_and_nobody_else(state, people):
    need = NeedFactory(in_state=state)
    everybody = people | {"nobody": AnonymousUser(), "system": User.objects.system()}
    for action, move in MOVES.items():
        holders = {name for name, person in everybody.items() if person.has_perm(move.permission, need)}
        assert holders == may(action, state), action


def wanted(state: str, action: str, name: str) -> str:
    if name not in may(action, state):
        return "forbidden"
    if state not in MOVES[action].from_states:
        return "state"
    # every criterion is met; a line is still open; nobody has responded
    return "incomplete" if action in ("find_not_eligible", "close", "begin_dialogue") else "moved"


@cache
def presses() -> list[tuple[str, str, str]]:
    """(state, action, name): each move in each state by somebody who may, by all who may, and refused to each role."""
    everybody = ("nobody", "stranger", "former", "system", *Role.values)
    table = [(state, action, name) for state in NeedState.values for action in MOVES for name in everybody]
    return one_of_each(
        table,
        lambda case: wanted(*case) == "forbidden" or case[:2],
        lambda case: (case[1], case[2] if wanted(*case) == "moved" else wanted(*case)),
        lambda case: (case[2], wanted(*case)),
    )


@pytest.mark.parametrize("state", NeedState.values)
def test_every_move_from_every_state(state, people):
    people["system"] = User.objects.system()
    NeedFactory()  # to merge into
    need = NeedFactory(in_state=state)
    for case in presses():
        if case[0] == state:
            _state, action, name = case
            assert outcome_of(need, MOVES[action], people[name] or AnonymousUser()) == wanted(*case), case


def test_what_endorsement_requires_is_told_field_by_field():
    need = NeedFactory(terms=[], lines=[], **dict.fromkeys(("title", "problem", "gap", "national_plan", "institution", "contact_name", "contact_email", "scope", "monitoring", "existing_initiatives", "same_request", "endorsed_by_name"), ""), endorsed_on=None)  # fmt: skip
    fields = {r.field for r in lifecycle.missing_for(need, NeedState.SUBMITTED)}
    assert fields == {r.field for r in TO_SUBMIT if not r.only_for} - {"documents", "same_request_text"}
    focal = MembershipFactory(role=Role.FOCAL_POINT).user
    with pytest.raises(ValidationError) as refusal:
        transition(need, "submit", by=focal)
    assert "Describe the problem." in refusal.value.messages
    need.kind = "technology"
    assert {"technology_sought", "maturity"} <= {r.field for r in lifecycle.missing_for(need, NeedState.SUBMITTED)}


def test_unep_submits_on_behalf_only_with_the_letter():
    desk = MembershipFactory(role=Role.DESK).user
    need = NeedFactory(is_on_behalf=True, created_by=desk)
    assert attempt(need, "submit", desk) == "incomplete"
    need.documents.create(kind="letter", title="Letter", file="x.pdf", media_type="application/pdf", size=1)
    assert attempt(need, "submit", desk) == "moved"
    assert attempt(need, "find_eligible", desk) == "forbidden"  # the author is never the screener
    other = MembershipFactory(role=Role.DESK).user
    actions.screen(need, dict.fromkeys(Criterion.values, (True, "yes")), by=other)
    assert attempt(need, "find_eligible", other) == "moved"


def test_screener_is_not_the_publisher():
    both = MembershipFactory(role=Role.ADMINISTRATOR).user
    need = NeedFactory(in_state=NeedState.ELIGIBLE, screened_by=both, screened_at="2026-01-01T00:00Z")
    assert attempt(need, "publish", both) == "forbidden"
    assert attempt(need, "publish", MembershipFactory(role=Role.ADMINISTRATOR).user) == "moved"


def test_working_days_leave_weekends_out():
    import datetime as dt

    assert working_days(15)(dt.date(2026, 3, 20)) == dt.date(2026, 4, 10)
    assert working_days(1)(dt.date(2026, 3, 20)) == dt.date(2026, 3, 23)


def test_letters_of_lines():
    assert [letter_of(n) for n in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]


def test_coverage_never_exceeds_what_is_wanted():
    need = NeedFactory(in_state=NeedState.OPEN)
    ResponseFactory(need=need, answers={0: 30}, state=ResponseState.ACCEPTED).answers.update(delivered=10)
    ResponseFactory(need=need, answers={0: 30, 1: 4})
    ResponseFactory(need=need, answers={1: 9}, state=ResponseState.DECLINED)
    design, sensors = coverage_of(Need.objects.for_page().get(pk=need.pk))
    assert dict(design.parts) == NOTHING | {"delivered": 10, "agreed": 20, "offered": 10}
    assert dict(sensors.parts) == NOTHING | {"offered": 4, "open": 6}


NOTHING = dict.fromkeys(PARTS, 0)


@pytest.mark.parametrize(
    ("state", "first", "second"),
    [
        (NeedState.DELIVERED, {"delivered": 20, "agreed": 4, "offered": 6, "open": 10}, {"open": 10}),
        (NeedState.CLOSED, {"delivered": 20, "not_delivered": 4, "open": 16}, {"open": 10}),
        (NeedState.PARTIALLY_MET, {"delivered": 20, "not_delivered": 4, "carried_over": 16}, {"carried_over": 10}),
        (NeedState.WITHDRAWN, {"delivered": 20, "not_delivered": 4, "open": 16}, {"open": 10}),
    ],
)
def test_nothing_stays_agreed_when_the_need_is_over(state, first, second):
    need = NeedFactory(in_state=NeedState.OPEN)
    ResponseFactory(need=need, answers={0: 24}, state=ResponseState.CONVERTED).answers.update(delivered=20)
    ResponseFactory(need=need, answers={0: 6})
    need.state = state
    one, two = coverage_of(need)
    assert dict(one.parts) == NOTHING | first
    assert dict(two.parts) == NOTHING | second


def test_a_need_is_not_closed_in_full_while_something_is_only_offered_or_agreed(people):
    """20 of 24 delivered: it is met in part, and the rest is asked for by the need that continues it."""
    need = NeedFactory(in_state=NeedState.IN_DELIVERY)
    need.lines.filter(position=0).update(quantity=24)
    need.lines.filter(position=1).delete()
    Response.objects.filter(need=need).delete()
    ResponseFactory(need=need, answers={0: 24}, state=ResponseState.CONVERTED).answers.update(delivered=20)
    Need.objects.filter(pk=need.pk).update(state=NeedState.DELIVERED, outcome="A", rating=4, lessons="B")
    need = Need.objects.get(pk=need.pk)
    assert attempt(need, "close", people["focal_point"]) == "incomplete"
    child = actions.close_partly(need, by=people["focal_point"], note="Four people were ill.")
    assert [line.quantity for line in child.lines.all()] == [4]


def test_of_a_line_without_a_quantity_no_figure_is_told(client):
    """Nobody said how much: nothing is open in figures, nothing is drawn, and what was never reported is not 0."""
    need = NeedFactory(in_state=NeedState.OPEN)
    line = LineItem.objects.create(need=need, position=2, text="A place to meet")
    need.lines.exclude(pk=line.pk).delete()

    def told() -> dict:
        found = client.get(f"/api/v1/needs/{need.reference}/").json()["lines"][0]
        return {name: found[name] for name in (*PARTS, "over")}

    assert told() == dict.fromkeys((*PARTS, "over"))
    page = client.get(f"/needs/{need.reference}/").content.decode()
    lines = page.split('id="h-lines"')[1].split('id="h-words"')[0]
    assert "quantity not stated" in lines and "<rect" not in lines
    for zero in ("<b>1</b>", '<td class="n">0</td>', '<td class="n">1</td>'):
        assert zero not in lines
    ResponseFactory(need=need, answers={0: 3}, state=ResponseState.ACCEPTED)
    assert told() == dict.fromkeys((*PARTS, "over")) | {"agreed": "3.00"}  # what was stated is told as it was stated
    assert charts.need_swatch(Need.objects.get(pk=need.pk)).strips == [(0, [])]


def test_a_need_met_in_part_leads_to_the_one_that_continues_it(people, client):
    need = NeedFactory(in_state=NeedState.IN_DELIVERY, languages=["en"])
    Response.objects.filter(need=need).delete()
    ResponseFactory(need=need, answers={0: 30}, state=ResponseState.CONVERTED).answers.update(delivered=9)
    Need.objects.filter(pk=need.pk).update(state=NeedState.DELIVERED, outcome="A", rating=4, lessons="B")
    child = actions.close_partly(Need.objects.get(pk=need.pk), by=people["focal_point"], note="Four were ill.")
    sentence = "What was not delivered, promised or not, goes on in a new need"
    page = client.get(f"/needs/{need.reference}/").content.decode()
    assert sentence in page and child.reference not in page  # a draft is its country's own
    client.force_login(people["focal_point"])
    page = client.get(f"/needs/{need.reference}/").content.decode()
    assert f'{sentence}: <a href="{child.get_absolute_url()}">' in page
    tasks = client.get(f"/needs/{child.reference}/draft/").content.decode().split("Public summary and languages</a>")[1]
    assert tasks.startswith('<span class="st">Optional</span>')  # its languages came along, a summary did not


AMOUNTS = st.integers(1, 60)
LIVES = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 2), AMOUNTS, min_size=1), st.sampled_from(["accept", "decline", "leave"]), AMOUNTS),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=100 if THOROUGH else 5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    LIVES, st.sampled_from(["close", "withdraw", "hold"]), st.lists(st.none() | AMOUNTS, min_size=12, max_size=12),
    st.sets(st.integers(1, 3)),
)  # fmt: skip
def test_what_was_asked_is_accounted_for_through_every_life(people, responses, end, planned, silent):
    """Asked = open + offered + agreed + delivered + not delivered + carried over, after every act; in the end nothing is
    offered or agreed any more, and the child need asks for exactly what was not delivered. The plan that all confirmed
    decides what was agreed: `planned` are its quantities, None as was accepted. Of the responses at the places in `silent` nobody
    reports what was delivered: told as not reported, and not delivered in the end."""
    focal, desk, lead = (people[name] for name in ("focal_point", "desk", "partner_lead"))
    with transaction.atomic():
        need = NeedFactory(in_state=NeedState.OPEN)
        LineItem.objects.create(need=need, position=2, text="A place to meet")  # without a quantity
        lines = list(need.lines.all())

        def account() -> list:
            rows = coverage_of(Need.objects.get(pk=need.pk))
            for row in rows:
                assert sum(amount for _name, amount in row.parts) == row.wanted
                assert min(amount for _name, amount in row.parts) >= 0
                assert 0 <= row.not_reported <= row.agreed + row.not_delivered
            return rows

        for amounts, answer, _part in responses:
            response = Response(need=need, partner=lead.memberships.get().partner, text="Some of it")
            actions.respond(response, [Answer(line=lines[at], quantity=n) for at, n in amounts.items()], by=lead)
            account()
            if answer != "leave":
                actions.answer_response(response, answer, by=focal, note="because")
                account()
        need.refresh_from_db()
        if need.state == NeedState.IN_DIALOGUE:
            indicators = [{"text": "Stations that run", "unit": "items", "target": 10}]
            plan = agreement.proposed(need) | {"indicators": indicators}
            for activity, quantity in zip(plan["activities"], planned, strict=False):
                activity["quantity"] = quantity if quantity and activity["unit"] else activity["quantity"]
                if not activity["quantity"]:
                    activity |= {"quantity": 1, "unit": "items"}
            agreement.write_plan(need, plan, by=focal)
            need.activities.filter(ends_on=None).update(ends_on=lifecycle.today())
            for person in (focal, lead, desk):
                agreement.confirm(need, ConfirmedStep.PLAN, by=person)
            need.refresh_from_db()
            for row in account():
                said = [a for a in plan["activities"] if a["line_id"] == row.line.pk]
                promised = sum(a["quantity"] for a in said) if row.line.unit else row.agreed
                assert row.agreed == min(promised, row.wanted)
            actions.move(need, "start", by=desk)
            delivered = {
                row.pk: min(row.most, responses[place][2])
                for place, response in enumerate(need.responses.order_by("pk"))
                for row in response.answers.all()
                if response.is_accepted and place not in silent
            }
            deliveries.record_delivered(need, delivered, by=lead)
            for row in account():
                given = [delivered[answer.pk] for answer in row.line.answers.all() if answer.pk in delivered]
                assert row.figures["delivered"] == (
                    None if not given else min(sum(given), row.wanted) if row.is_counted else sum(given)
                )
            if end == "close" and any(delivered.values()):
                for person in (lead, desk):
                    agreement.confirm(need, ConfirmedStep.DELIVERY, by=person)
                need.refresh_from_db()
                said = {"outcome": "A", "rating": 3, "lessons": "B"}
                left = {row.line.text: row.left for row in account() if row.left}
                child = actions.move(need, "close_partly" if left else "close", by=focal, note="because", **said)
                assert {line.text: line.wanted for line in (child.lines.all() if child else ())} == left
        need.refresh_from_db()
        if end in ("withdraw", "hold") and need.state != NeedState.DELIVERED:
            transition(need, end, by=focal if end == "withdraw" else desk, note="because")
        rows = account()
        if need.state in (NeedState.CLOSED, NeedState.PARTIALLY_MET):
            assert all(row.wanted == row.delivered + row.not_delivered + row.carried_over for row in rows)
        if need.state in OVER:
            assert not any(row.agreed or row.offered for row in rows)
        transaction.set_rollback(True)


def test_a_whole_life(people):
    """From a country's draft to its closing, by all the people it takes."""
    focal, desk, publisher, lead = (people[n] for n in ("focal_point", "desk", "publisher", "partner_lead"))
    need = NeedFactory(created_by=people["contributor"])
    transition(need, "submit", by=focal)
    assert need.due_on == DUE[NeedState.SUBMITTED](lifecycle.today())
    transition(need, "return", by=desk, note="Who pays for power?")
    transition(need, "submit", by=focal)
    actions.screen(need, dict.fromkeys(Criterion.values, (True, "Said in the plan.")), by=desk)
    transition(need, "find_eligible", by=desk)
    actions.approve_summary(need, by=focal)
    transition(need, "publish", by=publisher)
    assert need.published_at and need.expires_on

    lines = list(need.lines.all())
    response = Response(need=need, partner=lead.memberships.get().partner, text="Twenty days")
    actions.respond(response, [Answer(line=lines[0], quantity=40)], by=lead)
    assert [row.offered for row in coverage_of(Need.objects.get(pk=need.pk))] == [40, 0]
    actions.accept_response(response, by=focal)
    need.refresh_from_db()
    assert need.state == NeedState.IN_DIALOGUE

    with pytest.raises(ValidationError):
        agreement.confirm(need, ConfirmedStep.PLAN, by=focal)  # nothing is written yet
    plan = agreement.proposed(need) | {"indicators": [{"text": "Stations that run", "unit": "items", "target": 10}]}
    assert agreement.write_plan(need, plan, by=focal)
    assert not agreement.confirm(need, ConfirmedStep.PLAN, by=focal)
    assert not agreement.confirm(need, ConfirmedStep.PLAN, by=lead)
    assert agreement.confirm(need, ConfirmedStep.PLAN, by=desk)
    need.refresh_from_db()
    response.refresh_from_db()
    assert (need.state, response.state) == (NeedState.PLAN_AGREED, ResponseState.AGREED)

    assert attempt(need, "start", desk) == "incomplete"
    Need.objects.filter(pk=need.pk).update(project=ProjectFactory(status=Status.IMPLEMENTATION))
    transition(need, "start", by=desk)
    response.answers.update(delivered=40)
    assert not agreement.confirm(need, ConfirmedStep.DELIVERY, by=lead)
    assert agreement.confirm(need, ConfirmedStep.DELIVERY, by=desk)
    Need.objects.filter(pk=need.pk).update(outcome="It runs.", rating=4, lessons="Start small.")
    need.refresh_from_db()
    assert attempt(need, "close", focal) == "incomplete"  # the sensors are still open
    child = actions.close_partly(need, by=focal, note="No sensors yet.")
    assert (child.parent, child.state, child.country) == (need, NeedState.DRAFT, need.country)
    assert [(line.text, line.quantity) for line in child.lines.all()] == [("Sensors", 10)]

    moves = list(need.events.order_by("pk").values_list("from_state", "to_state"))
    assert all(a[1] == b[0] for a, b in zip(moves, moves[1:], strict=False)), moves
    assert moves[0][0] == NeedState.DRAFT and moves[-1][1] == NeedState.PARTIALLY_MET


def test_on_hold_goes_back_to_where_it_was(people):
    need = NeedFactory(in_state=NeedState.IN_DIALOGUE)
    transition(need, "hold", by=people["desk"], note="Elections")
    assert (need.state, need.held_from, need.due_on) == (NeedState.ON_HOLD, NeedState.IN_DIALOGUE, None)
    transition(need, "resume", by=people["desk"])
    assert (need.state, need.held_from) == (NeedState.IN_DIALOGUE, "")
    assert need.due_on is not None


def test_merge_keeps_both_and_takes_only_needs_of_the_same_country(people):
    need, other = NeedFactory(in_state=NeedState.OPEN), NeedFactory(in_state=NeedState.OPEN)
    elsewhere = NeedFactory(country=Country.objects.get(iso3="UGA"))
    with pytest.raises(ValidationError):
        actions.merge(need, elsewhere, by=people["desk"], note="same")
    with pytest.raises(ValidationError):
        actions.merge(need, need, by=people["desk"], note="same")
    with pytest.raises(PermissionDenied):
        actions.merge(need, other, by=people["focal_point"], note="same")
    actions.merge(need, other, by=people["desk"], note="Both ask for the same stations.")
    need.refresh_from_db()
    assert (need.state, need.merged_into) == (NeedState.MERGED, other)


def test_responses_are_refused_where_they_do_not_belong(people):
    need = NeedFactory(in_state=NeedState.DRAFT)
    lead = people["partner_lead"]
    undp = lead.memberships.get().partner
    with pytest.raises(ValidationError):
        actions.respond(Response(need=need, partner=undp, text="x"), [Answer(line=need.lines.first())], by=lead)
    opened = NeedFactory(in_state=NeedState.OPEN)
    with pytest.raises(ValidationError, match="at least one line"):
        actions.respond(Response(need=opened, partner=undp, text="x"), [], by=lead)
    with pytest.raises(ValidationError):  # a line of another need; nothing half-written
        actions.respond(Response(need=opened, partner=undp, text="x"), [Answer(line=need.lines.first())], by=lead)
    assert not Response.objects.exists()
    with pytest.raises(PermissionDenied):
        actions.respond(
            Response(need=opened, partner=undp, text="x"), [Answer(line=opened.lines.first())], by=people["focal_point"]
        )
    with pytest.raises(PermissionDenied):  # one's own country's need
        country = Response(need=opened, country=opened.country, text="x")
        actions.respond(country, [Answer(line=opened.lines.first())], by=people["contributor"])


def test_has_perm_agrees_with_visible_to(people):
    for state in NeedState.values:
        NeedFactory(in_state=state)
        NeedFactory(in_state=state, country=Country.objects.get(iso3="UGA"))
    NeedFactory(is_on_behalf=True)
    needs = list(Need.objects.all())
    for name, person in people.items():
        user = person or AnonymousUser()
        seen = set(Need.objects.visible_to(user).values_list("pk", flat=True))
        assert seen == {n.pk for n in needs if user.has_perm("projects.view_need", n)}, name


@settings(max_examples=100 if THOROUGH else 5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 7)), max_size=25))
def test_random_people_make_no_illegal_state(people, steps):
    """Whoever presses what: states stay known, every chain of events is continuous, an end stays in reach."""
    who = [*people.values(), User.objects.system()][1:]
    need = NeedFactory()
    for action, person in steps:
        current = Need.objects.get(pk=need.pk)
        if current.state == NeedState.SUBMITTED:
            for criterion in Criterion:
                CriterionAnswer.objects.update_or_create(
                    need=need, criterion=criterion, defaults={"is_met": True, "note": "y"}
                )
        if current.state == NeedState.OPEN and not need.responses.exists():
            ResponseFactory(need=need, state=ResponseState.ACCEPTED)
        attempt(current, action, who[person % len(who)])
    need.refresh_from_db()
    chain = list(Event.objects.filter(need=need).order_by("pk").values_list("from_state", "to_state"))
    assert [a for a, _b in chain] == [NeedState.DRAFT, *[b for _a, b in chain]][: len(chain)]
    assert need.state == (chain[-1][1] if chain else NeedState.DRAFT)


def test_side_of_each_person(people):
    need = NeedFactory(in_state=NeedState.IN_DIALOGUE)
    sides = {name: agreement.sides_of(person, need) for name, person in people.items() if person}
    assert sides["focal_point"] == [(Side.COUNTRY, None)]
    assert sides["partner_lead"] == [(Side.PARTNER, Partner.objects.get(slug="undp"))]
    assert sides["desk"] == [(Side.UNEP, None)]
    assert sides["stranger"] == sides["contributor"] == []


@pytest.mark.django_db(transaction=True, serialized_rollback=False)
@pytest.mark.parametrize("act", ["submit", "accept", "confirm"])
def test_of_ten_people_at_one_button_one_wins(act, reference_again):
    """One event, one job that tells of it, and a clear word for the nine others; a confirmation is there once."""
    focals = [MembershipFactory(role=Role.FOCAL_POINT).user for _n in range(5)]
    need = NeedFactory(
        in_state={"submit": NeedState.DRAFT, "accept": NeedState.OPEN, "confirm": NeedState.IN_DIALOGUE}[act]
    )
    response = ResponseFactory(need=need) if act == "accept" else None
    need.confirmations.all().delete()
    presses = {
        "submit": lambda by: transition(Need.objects.get(pk=need.pk), "submit", by=by),
        "accept": lambda by: actions.accept_response(Response.objects.get(pk=response.pk), by=by),
        "confirm": lambda by: agreement.confirm(need, ConfirmedStep.PLAN, by=by),
    }
    outcomes, start = [], threading.Barrier(10, timeout=20)

    def press(n):
        try:
            start.wait()
            presses[act](focals[n % 5])
            outcomes.append("won")
        except ValidationError as error:
            outcomes.append(error.error_list[0].code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[n]) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted(["won", *["state"] * 9])
    events = sorted(Event.objects.values_list("action", flat=True))
    assert events == {"submit": ["submit"], "accept": ["accept", "begin_dialogue"], "confirm": ["confirm_plan"]}[act]
    told = ProcrastinateJob.objects.filter(task_name="projects.tell_of_event").values_list("args__event_id", flat=True)
    assert sorted(key for key in told if key in set(Event.objects.values_list("pk", flat=True))) == sorted(
        Event.objects.values_list("pk", flat=True)
    )
