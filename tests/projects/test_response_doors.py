"""Roles x states x moves of responses, plans and confirmations through page, API and admin; races; random dialogues."""

import json
import threading
from functools import cache
from itertools import product
from operator import attrgetter
from typing import NamedTuple

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partners.choices import Role
from partners.models import Country, Partner
from projects import actions, agreement, deliveries
from projects.choices import ConfirmedStep, NeedState, ResponseState, Side
from projects.coverage import coverage_of
from projects.lifecycle import transition
from projects.lifecycle.response import ENDED, MOVES
from projects.models import Answer, Confirmation, Event, Need, PlanActivity, Response
from tests import THOROUGH
from tests.factories import OPENED, MembershipFactory, NeedFactory, ProjectFactory, ResponseFactory
from tests.one_of_each import one_of_each

pytestmark = pytest.mark.django_db
STAFF = {"desk", "publisher", "administrator"}
COUNTRY, UNDP, DESK = {"focal_point"}, {"partner_member", "partner_lead"}, {"desk", "administrator"}
READS = {"contributor", *COUNTRY, *UNDP, *STAFF}  # of a response of UNDP to Kenya
NAMES = ("nobody", "stranger", "former", *Role.values)
R = ResponseState


def may(act: str, state: str) -> set[str]:
    """Who may do it to a response of UNDP to a need of Kenya that is open."""
    suggested = state == R.SUGGESTED
    return {
        "accept": COUNTRY,
        "decline": UNDP if suggested else COUNTRY,
        "take_back": COUNTRY | DESK if suggested else UNDP,
        "express": UNDP,
        "ask": COUNTRY | UNDP | DESK,
    }[act]


FROM = {
    "accept": {R.EXPRESSED}, "decline": {R.EXPRESSED, R.SUGGESTED}, "take_back": {R.SUGGESTED, R.EXPRESSED, R.ACCEPTED},
    "express": {R.SUGGESTED}, "ask": set(R) - set(ENDED),
}  # fmt: skip


def wanted(name: str, act: str, state: str) -> str:
    if name not in READS:
        return "forbidden" if name == "nobody" else "hidden"
    if name not in may(act, state):
        return "forbidden"
    return "moved" if state in FROM[act] else "refused"


def outcome(client: Client, door: str, response: Response, act: str) -> str:
    """What one press does; whatever it wrote is taken back."""
    line, before = response.need.lines.first(), Event.objects.count()
    with transaction.atomic():
        if door == "page":
            data = {"note": "because", "text": "Twenty days", "cost": "free", f"line_{line.pk}": "20"}
            answer = client.post(f"/responses/{response.reference}/" + ("" if act == "ask" else f"{act}/"), data)
        else:
            body = {"text": "Twenty days"} if act == "ask" else {"note": "because"}
            if act == "express":
                body = {"text": "Twenty days", "answers": [{"line": line.pk, "quantity": "20"}]}
            address = f"/api/v1/responses/{response.reference}/{'questions' if act == 'ask' else act}/"
            answer = client.post(address, json.dumps(body), content_type="application/json")
        code, wrote = answer.status_code, Event.objects.count() > before
        transaction.set_rollback(True)
    if code == 404:
        assert not wrote
        return "hidden"
    if code in (401, 403) or (code == 302 and "/accounts/login/" in answer["Location"]):
        assert not wrote
        return "forbidden"
    if code in (400, 409):
        assert not wrote
        return "refused"
    assert code in (200, 302) and wrote, (code, answer.content[:300])
    return "moved"


def a_response(state: str) -> Response:
    return ResponseFactory(state=state, suggested_by=Side.COUNTRY if state == R.SUGGESTED else "")


@pytest.mark.parametrize("state", R.values)
def test_each_act_on_a_response_is_allowed_to_these_roles_and_nobody_else(state, people):
    response = a_response(state)
    assert set(people) == set(NAMES) and set(MOVES) >= set(FROM) - {"ask"}
    users = people | {"nobody": AnonymousUser()}
    assert {name for name, user in users.items() if user.has_perm("projects.view_response", response)} == READS
    for act in FROM:
        holders = {name for name, user in users.items() if user.has_perm(f"projects.{act}_response", response)}
        assert holders == may(act, state), act


class Case(NamedTuple):
    door: str
    state: str
    name: str
    act: str

    @property
    def want(self) -> str:
        return wanted(self.name, self.act, self.state)


@cache
def cases() -> list[Case]:
    kinds = (("door", "act", "want"), ("door", "state", "want"), ("door", "name", "want"))
    table = (Case(*each) for each in product(("page", "api"), R.values, NAMES, FROM))
    return one_of_each(table, *(attrgetter(*kind) for kind in kinds))


@cache
def looks() -> list[tuple[str, str]]:
    """(state, name)"""
    return one_of_each(product(R.values, NAMES), lambda case: (case[0], case[1] in STAFF), lambda case: case[1])


@pytest.mark.ignore_template_errors  # Django's own admin templates
@pytest.mark.parametrize("state", R.values)
def test_every_door_acts_on_a_response_as_the_table_says(state, people):
    response, clients = a_response(state), {}

    def client_of(name: str) -> Client:
        if name not in clients:
            clients[name] = Client()
            if people[name]:
                clients[name].force_login(people[name])
        return clients[name]

    for case in cases():
        if case.state == state:
            assert outcome(client_of(case.name), case.door, response, case.act) == case.want, case
    for where, name in looks():
        if where == state:  # in admin it is only looked at
            address = f"/admin/projects/response/{response.pk}/change/"
            assert (client_of(name).get(address).status_code == 200) is (name in STAFF), name
            assert client_of(name).post(address, {"state": "accepted"}).status_code in (302, 403), name
    assert Response.objects.get(pk=response.pk).state == state


PLAN_STATES = {NeedState.IN_DIALOGUE, NeedState.PLAN_AGREED, NeedState.IN_DELIVERY}
OF_A_PLAN = [NeedState.OPEN, *sorted(PLAN_STATES), NeedState.DELIVERED, NeedState.CLOSED, NeedState.ON_HOLD]
READY = {"plan": {NeedState.IN_DIALOGUE, NeedState.IN_DELIVERY}, "delivery": {NeedState.IN_DELIVERY}}


class Act(NamedTuple):
    """Somebody opens or writes a plan, or confirms it or its delivery."""

    what: str
    door: str
    state: str
    name: str

    @property
    def want(self) -> str:
        has_response = self.state in OPENED[1:-1]
        takes_part = COUNTRY | DESK | (UNDP if has_response else set())
        if self.name not in takes_part:
            return "forbidden"
        if self.what == "write":
            return "done" if self.state in PLAN_STATES else "refused" if self.door == "api" else "forbidden"
        if self.state not in READY[self.what]:
            return "refused"
        return "done" if self.what == "plan" or self.name in DESK | UNDP else "forbidden"


@cache
def acts() -> list[Act]:
    pairs = [*product(ConfirmedStep.values, ("page", "api")), ("write", "page"), ("write", "api")]
    table = (Act(*pair, *each) for pair in pairs for each in product(OF_A_PLAN, NAMES))
    kinds = (("what", "door", "want"), ("what", "state", "want"), ("what", "name", "want"))
    return one_of_each(table, *(attrgetter(*kind) for kind in kinds))


def pressed(client: Client, need: Need, act: Act) -> str:
    """What one press does; whatever it wrote is taken back. The page of a plan is only opened."""
    address = f"/needs/{need.reference}/" + ("plan/" if act.what == "write" else f"confirm/{act.what}/")
    with transaction.atomic():
        if act.door == "api":
            send, body = (client.put, {"plan": "Otherwise"}) if act.what == "write" else (client.post, {})
            answer = send(f"/api/v1{address}", json.dumps(body), "application/json", headers={"If-Match": "*"})
        elif act.what == "write":
            answer = client.get(address)
        else:
            answer = client.post(address, {})
        code, where = answer.status_code, answer.get("Location", "")
        transaction.set_rollback(True)
    if code in (401, 403) or "/accounts/login/" in where:
        return "forbidden"
    return "refused" if code in (400, 409) else "done" if code in (200, 302) else str(code)


@pytest.mark.parametrize("state", OF_A_PLAN)
def test_a_plan_is_written_and_confirmed_as_the_rules_say(state, people, sign_in):
    need = NeedFactory(in_state=state)
    if not need.published_at:
        Need.objects.filter(pk=need.pk).update(published_at=need.created_at, published_by=people["publisher"])
    assert need.responses.accepted().exists() == need.activities.exists() == (state in OPENED[1:-1])
    Confirmation.objects.filter(need=need).delete()
    for act in acts():
        if act.state == state:
            assert pressed(sign_in(people[act.name]), need, act) == act.want, act
    assert not Event.objects.filter(need=need).exists()


@pytest.mark.parametrize("name", ["nobody", "stranger", "former", "contributor", "partner_member", "publisher"])
def test_only_the_country_and_the_desk_ask_for_an_offer(name, people):
    from tests.factories import OfferFactory

    need, offer = NeedFactory(in_state=NeedState.OPEN), OfferFactory(in_state="active")
    client = Client()
    if people[name]:
        client.force_login(people[name])
    body = {"offer": offer.reference, "text": "x", "answers": [{"line": need.lines.first().pk, "quantity": "1"}]}
    assert client.post(f"/api/v1/needs/{need.reference}/suggestions/", json.dumps(body), content_type="application/json").status_code in (401, 403)  # fmt: skip
    page = client.post(f"/needs/{need.reference}/ask/", {"offer": offer.reference, "text": "x"})
    assert page.status_code == 403 or "/accounts/login/" in page.get("Location", "")
    assert not Response.objects.exists()


# --- races -----------------------------------------------------------------------------------------------------------------
def at_once(*presses) -> list[str]:
    """All of these at the same moment, each on a connection of its own: what became of each."""
    outcomes, start = [""] * len(presses), threading.Barrier(len(presses), timeout=20)

    def press(n):
        try:
            start.wait()
            presses[n]()
            outcomes[n] = "done"
        except ValidationError as error:
            outcomes[n] = error.error_list[0].code
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[n]) for n in range(len(presses))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.django_db(transaction=True, serialized_rollback=False)
def test_acceptance_against_taking_back_has_one_winner(reference_again):
    for _n in range(5 if THOROUGH else 2):
        need = NeedFactory(in_state=NeedState.OPEN)
        response = ResponseFactory(need=need)
        focal = MembershipFactory(role=Role.FOCAL_POINT, country=need.country).user
        lead = MembershipFactory(role=Role.PARTNER_LEAD, partner=response.partner).user
        got = at_once(
            lambda r=response, f=focal: actions.accept_response(Response.objects.get(pk=r.pk), by=f),
            lambda r=response, f=focal: transition(Response.objects.get(pk=r.pk), "decline", by=f, note="no"),
            lambda r=response, p=lead: transition(Response.objects.get(pk=r.pk), "take_back", by=p, note="sorry"),
        )
        response.refresh_from_db()
        need.refresh_from_db()
        # Taking back may follow an acceptance; otherwise exactly one of the three wins.
        if got == ["done", "state", "done"]:
            assert response.state == R.TAKEN_BACK
        else:
            assert sorted(got) == ["done", "state", "state"], got
        assert response.state == {0: R.ACCEPTED, 1: R.DECLINED}.get(got.index("done"), R.TAKEN_BACK) or got[2] == "done"
        assert (need.state == NeedState.IN_DIALOGUE) is (got[0] == "done")


@pytest.mark.django_db(transaction=True, serialized_rollback=False)
def test_two_acceptances_and_two_writers_of_a_plan(reference_again):
    need = NeedFactory(in_state=NeedState.OPEN)
    one, other = ResponseFactory(need=need), ResponseFactory(need=need, partner=Partner.objects.get(slug="fao"))
    focals = [MembershipFactory(role=Role.FOCAL_POINT, country=need.country).user for _n in range(2)]
    got = at_once(*(lambda r=r, f=f: actions.accept_response(Response.objects.get(pk=r.pk), by=f) for r, f in zip((one, other), focals, strict=True)))  # fmt: skip
    assert got == ["done", "done"]  # two different responses: both are accepted, the dialogue begins once
    assert need.events.filter(action="begin_dialogue").count() == 1
    seen = agreement.fingerprint(need)
    got = at_once(*(lambda f=f, n=n: agreement.write_plan(Need.objects.get(pk=need.pk), {"plan": f"Text {n}"}, by=f, seen=seen) for n, f in enumerate(focals)))  # fmt: skip
    assert sorted(got) == ["conflict", "done"]


# --- random dialogues ------------------------------------------------------------------------------------------------------
ACTS = ("respond", "suggest", "express", "accept", "decline", "take_back", "ask", "plan", "confirm", "start", "delivered", "confirm_delivery", "change")  # fmt: skip


@settings(max_examples=100 if THOROUGH else 6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 11), st.integers(0, 3)), min_size=4, max_size=22))
def test_random_dialogues_break_no_rule(people, steps):
    """Whoever presses what: nothing is covered twice, confirmations belong to those who take part, events are continuous."""
    need = NeedFactory(in_state=NeedState.OPEN)
    ghana = MembershipFactory(role=Role.FOCAL_POINT, country=Country.objects.get(iso3="GHA")).user
    who = [p for p in people.values() if p] + [ghana]
    lines = list(need.lines.all())
    for act, person, n in steps:
        by, fresh = who[person % len(who)], Need.objects.get(pk=need.pk)
        responses = list(fresh.responses.order_by("pk"))
        response = responses[n % len(responses)] if responses else None
        held = next(iter(by.memberships.all()), None)
        side = (
            {"partner": held.partner, "country": held.country}
            if held
            else {"partner": Partner.objects.get(slug="undp")}
        )
        answers = [Answer(line=lines[n % 2], quantity=n + 1)]
        try:
            with transaction.atomic():
                if act in ("respond", "suggest"):
                    {"respond": actions.respond, "suggest": actions.suggest}[act](Response(need=fresh, text="x", **side), answers, by=by)  # fmt: skip
                elif act == "plan":
                    agreement.write_plan(fresh, agreement.proposed(fresh) | {"indicators": [{"text": "i", "unit": "items", "target": n}]}, by=by)  # fmt: skip
                elif act == "change":
                    agreement.write_plan(fresh, {"plan": f"Text {n}"}, by=by)
                elif act in ("confirm", "confirm_delivery"):
                    agreement.confirm(fresh, "plan" if act == "confirm" else "delivery", by=by)
                elif act == "start":
                    agreement.start(fresh, None, by=by)
                elif act == "delivered":
                    deliveries.record_delivered(
                        fresh, {a.pk: a.quantity for r in responses for a in r.answers.all()}, by=by
                    )
                elif response is None:
                    continue
                elif act == "express":
                    actions.respond(response, answers, by=by)
                elif act == "accept":
                    actions.accept_response(response, by=by)
                elif act == "ask":
                    actions.ask(response, "?", by=by)
                else:
                    transition(response, act, by=by, note="x")
        except (ValidationError, PermissionDenied):
            continue
    fresh = Need.objects.for_page().get(pk=need.pk)
    for row in coverage_of(fresh):
        assert sum(value for _name, value in row.parts) == row.wanted and min(value for _n, value in row.parts) >= 0
    parties = {(Side.PARTNER, who) for who in fresh.providers} | {(Side.COUNTRY, None), (Side.UNEP, None)}
    assert {(c.side, c.who) for c in fresh.confirmations.all()} <= parties
    if fresh.state in (NeedState.PLAN_AGREED, NeedState.IN_DELIVERY, NeedState.DELIVERED):
        assert fresh.activities.exists() and fresh.indicators.exists()
    assert (fresh.project_id is not None) is (fresh.state in (NeedState.IN_DELIVERY, NeedState.DELIVERED))
    for record in (fresh, *fresh.responses.all()):
        chain = list(Event.objects.filter(**{record._meta.model_name: record}).order_by("pk").values_list("from_state", "to_state"))  # fmt: skip
        assert all(a[1] == b[0] for a, b in zip(chain, chain[1:], strict=False)), chain


def test_a_visitor_is_nobody():
    response = ResponseFactory()
    assert not AnonymousUser().has_perm("projects.view_response", response)


# --- what pages cost --------------------------------------------------------------------------------------------------------
def test_pages_of_responses_and_plans_cost_the_same_at_any_length(people, count_queries, sign_in):
    client, found = sign_in(people["desk"]), []
    for more in (1, 2, 9):
        need = NeedFactory(in_state=NeedState.IN_DIALOGUE)
        response = need.responses.get()
        for _n in range(more):
            ResponseFactory(need=need, partner=Partner.objects.get(slug="fao"))
            actions.ask(response, "?", by=people["desk"])
            PlanActivity.objects.create(need=need, text="More", partner=response.partner, quantity=1, unit="items")
        addresses = ("/responses/", f"/responses/{response.reference}/", f"/needs/{need.reference}/plan/", f"/needs/{need.reference}/", "/matches/demand/", f"/api/v1/responses/{response.reference}/", f"/api/v1/needs/{need.reference}/")  # fmt: skip
        counts = []
        for address in addresses:
            client.get(address)
            with count_queries() as n:
                assert client.get(address).status_code == 200, address
            counts.append(n())
        found.append(counts)
    assert found[0] == found[1] == found[2]


def test_project_pages_with_checks_cost_the_same(client, count_queries):
    costs = []
    for n in (1, 3):
        project = ProjectFactory(published=True)
        for code in ("BRA", "KEN", "UGA")[:n]:
            project.checks.create(country=Country.objects.get(iso3=code), is_right=True, by=MembershipFactory().user)
        with count_queries() as count:
            assert client.get(project.get_absolute_url()).status_code == 200
        costs.append(count())
    assert costs[0] == costs[1]


def test_the_list_as_a_file_holds_what_its_reader_may_read(people):
    need = NeedFactory(in_state=NeedState.OPEN)
    mine = ResponseFactory(need=need, partner=Partner.objects.get(slug="undp"), country=None)
    other = ResponseFactory(partner=Partner.objects.get(slug="fao"), country=None, need__country__iso3="FJI")
    for name, person in people.items():
        client = Client()
        if person:
            client.force_login(person)
        for kind in ("csv", "jsonl"):
            answer = client.get(f"/api/v1/responses/?format={kind}")
            if person is None:
                assert answer.status_code == 401
                continue
            told = b"".join(answer.streaming_content).decode()
            for response in (mine, other):
                may = person.has_perm("projects.view_response", response)
                assert (response.reference in told) == may, (name, kind)
    client.force_login(people["partner_lead"])
    answer = client.get("/api/v1/responses/?format=csv&state=declined")
    assert mine.reference not in b"".join(answer.streaming_content).decode()
    page = client.get("/responses/?state=expressed").content.decode()
    assert "/api/v1/responses/?state=expressed&amp;format=csv" in page
    assert "geojson" not in page
    assert client.get("/api/v1/responses/?state=nonsense").status_code == 400
    assert client.get("/responses/?state=nonsense").status_code == 400
