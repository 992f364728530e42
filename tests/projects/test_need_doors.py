"""Roles x states x moves of a need through page, API and admin: the same result and Event, or the same refusal.

Then writing through the API, and corrections in admin.
"""

import json
from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from typing import NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from lxml import html

from partners.choices import Role
from projects.choices import Criterion, NeedState, ResponseState, Status
from projects.lifecycle.need import MOVES
from projects.models import Event, Need, Response
from tests.admin_form import shown
from tests.factories import OPENED, MembershipFactory, NeedFactory, OfferFactory, ProjectFactory, ResponseFactory
from tests.one_of_each import one_of_each
from tests.projects.test_need_life import MAY

pytestmark = pytest.mark.django_db
FORMS = sorted(action for action, move in MOVES.items() if move.is_for_forms)
STAFF = {"desk", "publisher", "administrator"}
OWN = {"contributor", "focal_point"}
NO_ROLE = ("nobody", "stranger", "former")
TAKES = {  # what these moves need besides
    "start": ("project", lambda: ProjectFactory(published=True, status=Status.IMPLEMENTATION)),
    "merge": ("merged_into", lambda: NeedFactory(in_state=NeedState.OPEN)),
}
ENDING = ("close", "close_partly")


def door(client, name: str, need: Need, action: str, body: dict):
    if name == "page":
        return client.post(f"/needs/{need.reference}/move/{action}/", body)
    if name == "admin":
        return client.post(reverse("admin:projects_need_move", args=[need.pk, action]), body)
    return client.post(
        f"/api/v1/needs/{need.reference}/moves/{action}/", json.dumps(body), content_type="application/json"
    )


def outcome(client, name, need, action, body, person) -> str:
    """What came of it; a move is undone at once, so that all cases of a state share one need."""
    with transaction.atomic():
        answer = door(client, name, need, action, body)
        code = answer.status_code
        if code == 404:
            return "hidden"
        if code in (401, 403) or (code == 302 and "/login/" in answer["Location"]):
            return "forbidden"
        if code in (400, 409):
            assert name != "api" or answer["Content-Type"] == "application/problem+json"
            return "refused"
        assert code == (200 if name == "api" else 302), (name, code, answer.content[:300])
        events = list(Event.objects.filter(need=need).values_list("action", "from_state", "to_state", "by", "note"))
        to_state = MOVES[action].to_state or NeedState.SUBMITTED
        assert events == [(action, need.state, to_state, person.pk, "because")], name
        assert Need.objects.values_list("state", flat=True).get(pk=need.pk) == to_state
        transaction.set_rollback(True)
        return "moved"


def wanted(name: str, state: str, action: str) -> str:
    """What the table says. A country's drafts are hidden from all others; what was never open is hidden from outsiders."""
    move = MOVES[action]
    sees = state in OPENED or name in OWN or (name in STAFF and state not in (NeedState.DRAFT, NeedState.ARCHIVED))
    if not sees:
        return "forbidden" if name == "nobody" else "hidden"
    if name not in MAY[action]:
        return "forbidden"
    if state not in move.from_states or action in ("find_not_eligible", "close"):
        return "refused"  # a criterion has to fail, no line may be open
    return "moved"


class Case(NamedTuple):
    door: str
    state: str
    name: str
    action: str
    want: str


def every_case() -> Iterator[Case]:
    for state in NeedState.values:
        for action in FORMS:
            for name in (*NO_ROLE, *Role.values):
                if name in NO_ROLE and action != FORMS[0]:
                    continue  # what holds of one move for people without a role holds of all; the rule of each is in test_need_life
                want = wanted(name, state, action)
                yield Case("page", state, name, action, want)
                yield Case("api", state, name, action, want)
                if name in STAFF:
                    yield Case("admin", state, name, action, want)
                elif action == FORMS[0]:  # to others admin is closed, whatever they ask for
                    yield Case("admin", state, name, action, "forbidden")


@cache
def cases() -> list[Case]:
    """At each door each move is made, refused by the rule, by the state, and hidden; so it is in each state, and for each role."""
    kinds = (("door", "action", "want"), ("door", "state", "want"), ("door", "name", "want"))
    return one_of_each(every_case(), *(attrgetter(*kind) for kind in kinds))


@pytest.mark.ignore_template_errors  # Django's own admin templates
@pytest.mark.parametrize("state", NeedState.values)
def test_every_door_moves_a_need_as_the_table_says(state, people):
    need, clients, taken = NeedFactory(in_state=state), {}, {}
    assert need.is_published == (state in OPENED) and set(people) == {*NO_ROLE, *Role.values}
    for case in cases():
        if case.state != state:
            continue
        action, person = case.action, people[case.name]
        if case.name not in clients:
            clients[case.name] = Client()
            if person:
                clients[case.name].force_login(person)
        body = {"note": "because"}
        if action in TAKES:
            name, make = TAKES[action]
            taken[name] = body[name] = taken.get(name) or make().reference
        if action in ENDING:
            body |= {"outcome": "x", "rating": 3, "lessons": "y"}
        assert outcome(clients[case.name], case.door, need, action, body, person) == case.want, case
    assert not Event.objects.filter(need=need).exists()  # nobody who was refused left anything behind
    assert Need.objects.get(pk=need.pk).state == state


# --- writing through the API -----------------------------------------------------------------------------------------------
class Api:
    def __init__(self, person):
        self.client = Client()
        if person:
            self.client.force_login(person)

    def __call__(self, method, address, body=None, **headers):
        send = getattr(self.client, method)
        if method in ("patch", "put"):
            headers.setdefault("If-Match", "*")
        return send(f"/api/v1/{address}", json.dumps(body or {}), content_type="application/json", headers=headers)

    def get(self, address):
        return self.client.get(f"/api/v1/{address}")


def fields(answer) -> set[str]:
    return {error.get("field") for error in answer.json()["errors"]}


NEW = {
    "country": "KEN", "title": "Clean rivers", "kind": "capacity", "problem": "P", "gap": "G", "terms": ["bsp-theme:freshwater"],
    "lines": [{"text": "Course", "assistance": "training", "quantity": "20", "unit": "people", "by_when": "2027-06-30"}],
    "national_plan": "Plan", "institution": "Ministry", "contact_name": "A", "contact_email": "a@example.org", "scope": "national",
    "monitoring": "Stations that report", "existing_initiatives": "none", "same_request": "no", "endorsed_by_name": "B", "endorsed_on": "2026-03-01",
    "public_summary": "S", "languages": ["en"],
}  # fmt: skip


def test_a_whole_life_through_the_api(people):
    writer, focal, desk, publisher, lead = (Api(people[n]) for n in ("contributor", "focal_point", "desk", "publisher", "partner_lead"))  # fmt: skip
    begun = writer("post", "needs/", NEW, **{"Idempotency-Key": "k1"})
    assert begun.status_code == 201, begun.content
    again = writer("post", "needs/", NEW, **{"Idempotency-Key": "k1"})
    assert again.status_code == 201 and again.json()["reference"] == begun.json()["reference"]
    address = f"needs/{begun.json()['reference']}/"
    line = begun.json()["lines"][0]
    assert (line["text"], line["assistance"], begun.json()["terms"]) == ("Course", "training", ["bsp-theme:freshwater"])
    assert "submit" not in begun.json()["moves"]

    changed = writer("patch", address, {"lines": [{**{k: line[k] for k in ("id", "text", "assistance", "unit", "by_when")}, "quantity": "25"}]})  # fmt: skip
    assert changed.json()["lines"][0]["quantity"] == "25.00" and changed.json()["lines"][0]["id"] == line["id"]

    assert focal("post", address + "moves/submit/").json()["state"] == "submitted"
    answers = {c: {"is_met": True, "note": "yes"} for c in Criterion.values}
    assert desk("post", address + "screening/", answers).status_code == 200
    assert desk("post", address + "moves/find_eligible/").json()["state"] == "eligible"
    assert publisher("post", address + "moves/publish/").status_code == 409  # not approved yet
    assert focal("post", address + "approve-summary/").status_code == 200
    assert publisher("post", address + "moves/publish/").json()["state"] == "open"

    offer = {"partner": "undp", "text": "A course", "cost": "free", "answers": [{"line": line["id"], "quantity": "25"}]}
    response = lead("post", address + "responses/", offer, **{"Idempotency-Key": "r1"})
    assert response.status_code == 201, response.content
    lead("post", address + "responses/", offer, **{"Idempotency-Key": "r1"})
    assert Response.objects.count() == 1
    accepted = focal("post", f"responses/{response.json()['reference']}/accept/")
    assert accepted.json()["state"] == "accepted"
    plan = {
        "plan": "One course in May.",
        "activities": [{"text": "Course", "partner": "undp", "line": line["id"], "quantity": "25", "unit": "people", "ends_on": "2027-06-30"}],
        "indicators": [{"text": "People who pass", "unit": "people", "baseline": "0", "target": "20"}],
    }  # fmt: skip
    assert (
        focal("put", address + "plan/", {"activities": [{**plan["activities"][0], "partner": "fao"}]}).status_code
        == 400
    )
    written = focal("put", address + "plan/", plan)
    assert written.status_code == 200, written.content
    assert {(r["country"], r["partner"], r["role"]) for r in written.json()["roles"]} == {("KEN", None, "recipient"), (None, "undp", "implementing")}  # fmt: skip
    for side in (focal, lead, desk):
        assert side("post", address + "confirm/plan/").status_code == 200
    running = ProjectFactory(published=True, status=Status.IMPLEMENTATION)
    assert desk("post", address + "moves/start/", {"project": running.reference}).json()["state"] == "in_delivery"
    assert Response.objects.get().state == ResponseState.CONVERTED
    assert lead("post", address + "progress/", {"note": "Half done"}).status_code == 200
    Response.objects.get().answers.update(delivered=25)
    for side in (lead, desk):
        assert side("post", address + "confirm/delivery/").status_code == 200
    end = focal("post", address + "moves/close/", {"outcome": "Done", "rating": 5, "lessons": "Early"})
    assert end.json()["state"] == "closed"
    assert "closes it." in [e["what"] for e in end.json()["history"]][:2]


def test_bad_bodies_are_told_by_field_and_nothing_is_written(people):
    writer = Api(people["contributor"])
    bad = writer("post", "needs/", {"title": "", "country": "XXX"})
    assert bad.status_code == 400 and fields(bad) == {"title", "country"}
    bad = writer("post", "needs/", NEW | {"terms": ["bsp-theme:nothing"], "no_such": 1})
    assert bad.status_code == 400 and "no_such" in fields(bad)
    assert writer("post", "needs/", NEW | {"terms": ["bsp-theme:nothing"]}).status_code == 400
    half = writer("post", "needs/", NEW | {"lines": [{"text": "x", "quantity": "5"}]})  # no unit
    assert half.status_code == 400
    assert not Need.objects.exists()
    for body in ("[]", "{", "null", '"x"'):
        answer = writer.client.post("/api/v1/needs/", body, content_type="application/json")
        assert answer.status_code == 400, body
        assert answer["Content-Type"] == "application/problem+json"


def test_what_was_changed_meanwhile_is_not_overwritten(people):
    need = NeedFactory()
    writer = Api(people["contributor"])
    read = writer.get(f"needs/{need.reference}/")
    etag = read["ETag"]
    ok = writer("patch", f"needs/{need.reference}/", {"gap": "Mine"}, **{"If-Match": etag})
    assert ok.status_code == 200, ok.content
    late = writer("patch", f"needs/{need.reference}/", {"gap": "Late"}, **{"If-Match": etag})
    assert late.status_code == 412 and late["Content-Type"] == "application/problem+json"
    assert Need.objects.get(pk=need.pk).gap == "Mine"


def test_fields_are_written_in_their_states_only(people):
    need = NeedFactory(in_state=NeedState.OPEN)
    answer = Api(people["focal_point"])("patch", f"needs/{need.reference}/", {"problem": "x"})
    assert answer.status_code == 409 and "can't be changed" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["nobody", "stranger", "partner_lead", "publisher"])
def test_others_write_nothing(name, people):
    need = NeedFactory(in_state=NeedState.OPEN)
    api, refused = Api(people[name]), 403 if people[name] else 401
    assert api("post", "needs/", NEW).status_code == refused
    assert api("patch", f"needs/{need.reference}/", {"problem": "x"}).status_code == refused
    assert api("post", f"needs/{need.reference}/approve-summary/").status_code == refused
    assert api("put", f"needs/{need.reference}/plan/", {"plan": "x"}).status_code == refused
    assert api("delete", f"needs/{need.reference}/").status_code in (401, 403, 405)


def test_writing_asks_for_the_token_of_the_session(people):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["contributor"])
    assert client.post("/api/v1/needs/", json.dumps(NEW), content_type="application/json").status_code == 403


def test_responses_are_read_by_their_parties_only(people):
    response = ResponseFactory()
    seen = {n for n, p in people.items() if Api(p).get(f"responses/{response.reference}/").status_code == 200}
    assert seen == {"contributor", "focal_point", "partner_member", "partner_lead", *STAFF}
    assert Api(None).get("responses/").status_code == 401
    foreign = Api(people["partner_lead"])(
        "post", f"needs/{response.need.reference}/responses/",
        {"partner": "fao", "text": "x", "cost": "free", "answers": [{"line": response.need.lines.first().pk, "quantity": "1"}]},
    )  # fmt: skip
    assert foreign.status_code == 403
    wrong = Api(people["partner_lead"])(
        "post", f"needs/{response.need.reference}/responses/",
        {"partner": "undp", "text": "x", "cost": "free", "answers": [{"line": 0, "quantity": "1"}]},
    )  # fmt: skip
    assert wrong.status_code == 400
    both = Api(people["partner_lead"])(
        "post", f"needs/{response.need.reference}/responses/",
        {"partner": "undp", "country": "UGA", "text": "x", "cost": "free",
         "answers": [{"line": response.need.lines.first().pk, "quantity": "1"}]},
    )  # fmt: skip
    assert both.status_code in (400, 403)


def test_lists_of_responses_cost_the_same(people, count_queries):
    costs = []
    for n in (1, 3, 9):
        for _n in range(n):
            ResponseFactory()
        api = Api(people["desk"])
        with count_queries() as count:
            assert api.get("responses/").status_code == 200
        costs.append(count())
    assert costs == [costs[0]] * 3


# --- corrections in admin ------------------------------------------------------------------------------------------------
def admin_form(client, need) -> dict:
    """The change form as it is shown, ready to be sent back."""
    return shown(client.get(reverse("admin:projects_need_change", args=[need.pk])))


@pytest.mark.ignore_template_errors
def test_a_correction_needs_its_reason_and_is_told(people):
    need = NeedFactory(in_state=NeedState.SUBMITTED)
    client = Client()
    client.force_login(people["desk"])
    address = reverse("admin:projects_need_change", args=[need.pk])
    data = admin_form(client, need) | {"title": "Corrected"}
    assert client.post(address, data).status_code == 200
    assert Need.objects.get(pk=need.pk).title != "Corrected"
    saved = client.post(address, data | {"reason": "A typing error"})
    assert saved.status_code == 302, saved.context["errors"]
    need.refresh_from_db()
    event = need.events.get()
    assert (need.title, event.action, event.note, event.is_public) == ("Corrected", "correct", "A typing error", False)
    stale = client.post(address, data | {"reason": "again", "title": "Other"})  # made from the former version
    assert stale.status_code == 200 and Need.objects.get(pk=need.pk).title == "Corrected"
    client.post(address, admin_form(client, need) | {"reason": "x", "state": "closed"})
    assert Need.objects.get(pk=need.pk).state == NeedState.SUBMITTED  # the state is read-only


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize("reason", ["", "A typing error"])
@pytest.mark.parametrize(
    "make",
    [lambda: NeedFactory(in_state="submitted"), lambda: OfferFactory(in_state="submitted")],
    ids=["need", "offer"],
)
def test_a_correction_that_changes_nothing_is_none(people, sign_in, make, reason):
    record, client = make(), sign_in(people["desk"])
    address = reverse(f"admin:projects_{record._meta.model_name}_change", args=[record.pk])
    stored, kept = type(record).objects.values().get(), (record.events.count(), record.history.count())
    page = client.post(address, shown(client.get(address)) | {"reason": reason}, follow=True).content.decode()
    assert "Nothing was changed, so nothing was saved" in page and "changed successfully" not in page
    assert reason in page
    assert type(record).objects.values().get() == stored
    assert (record.events.count(), record.history.count()) == kept
    act = shown(client.get(address)) | {"reason": reason, "_then": "return"}
    moved = client.post(address, act)
    assert "/move/return/" in moved["Location"] and record.events.count() == kept[0]
    assert not reason or f"“{reason}”" in client.get(moved["Location"]).content.decode()


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize(("change", "stays"), [({"title": "Corrected"}, True), ({"public_summary": "Other"}, False)])
def test_a_corrected_summary_needs_another_approval(change, stays, people):
    need = NeedFactory(in_state=NeedState.ELIGIBLE)
    assert need.summary_approved_at
    client = Client()
    client.force_login(people["desk"])
    address = reverse("admin:projects_need_change", args=[need.pk])
    saved = client.post(address, admin_form(client, need) | change | {"reason": "Clearer"})
    assert saved.status_code == 302, saved.context["errors"]
    assert (Need.objects.get(pk=need.pk).summary_approved_at is not None) is stays


@pytest.mark.ignore_template_errors
def test_admin_of_needs_and_mail_is_for_staff_and_costs_the_same(people, count_queries):
    costs = []
    for n in (1, 3, 20):
        for _n in range(n):
            NeedFactory(in_state=NeedState.SUBMITTED)
        client = Client()
        client.force_login(people["desk"])
        with count_queries() as count:
            assert client.get("/admin/projects/need/").status_code == 200
        costs.append(count())
    assert costs == [costs[0]] * 3
    NeedFactory()
    for name, person in people.items():
        client = Client()
        if person:
            client.force_login(person)
        for address in ("/admin/projects/need/", "/admin/projects/notice/", "/admin/"):
            assert (client.get(address).status_code == 200) is (name in STAFF), (name, address)
    client = Client()
    client.force_login(people["desk"])
    draft = Need.objects.get(state=NeedState.DRAFT)
    assert client.get(reverse("admin:projects_need_change", args=[draft.pk])).status_code == 302  # a country's draft
    assert draft.reference not in client.get("/admin/projects/need/").content.decode()


@pytest.mark.ignore_template_errors
def test_actions_on_several_needs_call_the_moves(people):
    needs = [NeedFactory(in_state=NeedState.SUBMITTED), NeedFactory(in_state=NeedState.CLOSED)]
    client = Client()
    client.force_login(people["desk"])
    data = {"action": "hold_selected", "_selected_action": [n.pk for n in needs]}
    page = client.post("/admin/projects/need/", data, follow=True)
    assert [Need.objects.get(pk=n.pk).state for n in needs] == [NeedState.ON_HOLD, NeedState.CLOSED]
    assert "no longer possible" in page.content.decode()


# --- closing in full, and in part ----------------------------------------------------------------------------------------
def test_closing_in_full_is_offered_where_all_was_delivered_alone(people):
    """Else it would be refused, and what was typed would have to be typed again."""
    need, full = NeedFactory(in_state=NeedState.DELIVERED), NeedFactory(in_state=NeedState.DELIVERED)
    for line in full.lines.all():
        line.quantity = sum(answer.delivered for answer in line.answers.all())
        line.save() if line.quantity else line.delete()
    client = Client()
    client.force_login(people["focal_point"])
    for record, offered in ((need, ["close_partly"]), (full, ["close", "close_partly"])):
        page = client.get(f"/needs/{record.reference}/").content.decode()
        assert [one for one in ENDING if f"/move/{one}/" in page] == offered
        moves = client.get(f"/api/v1/needs/{record.reference}/").json()["moves"]
        assert [one for one in ENDING if one in moves] == offered
    address = f"/needs/{need.reference}/move/close/"
    assert client.get(f"{address}?seen=1")["Location"] == f"/needs/{need.reference}/move/close_partly/?seen=1"


@pytest.mark.parametrize("name", ["page", "admin"])
def test_what_was_typed_to_close_in_full_goes_on_to_close_in_part(name, people):
    need = NeedFactory(in_state=NeedState.DELIVERED)
    client = Client()
    client.force_login(people["focal_point" if name == "page" else "administrator"])
    if name == "admin":
        MembershipFactory(user=people["administrator"], role=Role.FOCAL_POINT, country=need.country)
    answer = door(
        client,
        name,
        need,
        "close",
        {"outcome": "Typed outcome", "rating": "4", "lessons": "Typed lessons", "note": "Because"},
    )
    assert answer.status_code == 400
    page = html.fromstring(answer.content.decode())
    (button,) = page.xpath("//*[@formaction]")
    form = next(form for form in page.forms if button in form.iter())
    assert (button.get("value") or button.text_content()) == "Close as met in part"
    data = {key: value.removeprefix("\n") for key, value in form.form_values()}
    done = client.post(button.get("formaction"), data)
    assert done.status_code == 302
    need.refresh_from_db()
    assert (need.state, need.outcome, need.lessons) == ("partially_met", "Typed outcome", "Typed lessons")
