"""Nothing that is sent to the API is lost or taken for something else: other content under one key, ids of nobody, a state that
was another, names twice."""

import threading

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from lxml import html

from partners.models import Membership
from projects import drafting
from projects.choices import Criterion, NeedState
from projects.models import Need, Offer, Response
from tests import THOROUGH
from tests.api_calls import call, is_problem, token_of
from tests.factories import (
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    ResponseFactory,
)
from tests.factories import (
    people as everybody,
)
from tests.projects.test_need_doors import NEW

pytestmark = pytest.mark.sql

JSON = "application/json"


@pytest.fixture
def secrets(people):
    """Tokens that write, by the role of the person."""
    return {name: token_of(person)[1] for name, person in people.items() if person}


def fields(answer) -> list[str]:
    return [error.get("field") for error in answer.json()["errors"]]


def test_a_change_is_answered_with_the_state_that_it_made(reference_again):
    """Also where the call is one transaction, at whose end only the change is told."""
    secret = token_of(everybody()["desk"])[1]
    project, need = ProjectFactory(published=True), NeedFactory(in_state=NeedState.OPEN)
    project, need = f"projects/{project.reference}/", f"needs/{need.reference}/"
    calls = [
        (project, "patch", "", {"summary": "One."}, {}),
        (project, "patch", "", {"summary": "Two."}, {"Idempotency-Key": "one"}),
        (need, "post", "moves/hold/", {"note": "Until May."}, {}),
        (need, "post", "moves/resume/", {"note": "May."}, {"Idempotency-Key": "two"}),
    ]
    seen = {address: call("get", address, secret)["ETag"] for address in (project, need)}
    for address, method, path, body, more in calls:
        answer = call(method, address + path, secret, body, **{"If-Match": seen[address]}, **more)
        assert answer.status_code == 200, answer.content
        read = call("get", address, secret)
        assert (answer["ETag"], answer.json()["modified_at"]) == (read["ETag"], read.json()["modified_at"])
        seen[address] = answer["ETag"]


# --- what replaces says what it replaces ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("put", "plan/", {"plan": "Mine"}), ("post", "progress/", {"note": "Ten stations run."})],
)
def test_the_second_writer_of_a_plan_or_of_progress_is_told(method, path, body, secrets):
    need = NeedFactory(in_state=NeedState.IN_DELIVERY)
    address, secret = f"needs/{need.reference}/", secrets["desk"]
    if method == "put":  # what stands there is replaced
        assert is_problem(call(method, address + path, secret, body), 428)
    seen = call("get", address, secret)["ETag"]
    first = call(method, address + path, secret, body, **{"If-Match": seen})
    assert first.status_code == 200, first.content
    late = call(method, address + path, secret, dict.fromkeys(body, "Late"), **{"If-Match": seen})
    assert is_problem(late, 412) and late.json()["code"] == "changed"
    again = call(method, address + path, secret, dict.fromkeys(body, "Later"), **{"If-Match": first["ETag"]})
    assert again.status_code == 200, again.content


def test_every_call_that_changes_a_record_heeds_what_it_was_read_as(secrets):
    """Whatever the call does and whether or not it asks for If-Match: a stale one is refused, and nothing is done."""
    opened, running = NeedFactory(in_state=NeedState.OPEN), NeedFactory(in_state=NeedState.IN_DELIVERY)
    submitted, draft = NeedFactory(in_state=NeedState.SUBMITTED), NeedFactory()
    offer, response = OfferFactory(in_state="active"), ResponseFactory(need=NeedFactory(in_state=NeedState.OPEN))
    project, said = ProjectFactory(published=True), f"responses/{response.reference}/"
    lines = [{"line": opened.lines.first().pk, "quantity": "1"}]
    calls = [
        ("contributor", "patch", f"needs/{draft.reference}/", {"title": "x"}),
        ("desk", "post", f"needs/{submitted.reference}/moves/find_not_eligible/", {"note": "x"}),
        ("desk", "post", f"needs/{submitted.reference}/screening/", {c: {"is_met": True, "note": "x"} for c in Criterion.values}),
        ("focal_point", "post", f"needs/{submitted.reference}/approve-summary/", {}),
        ("desk", "put", f"needs/{running.reference}/plan/", {"plan": "x"}),
        ("desk", "post", f"needs/{running.reference}/confirm/plan/", {}),
        ("desk", "post", f"needs/{running.reference}/progress/", {"note": "x"}),
        ("partner_lead", "post", f"needs/{opened.reference}/responses/", {"partner": "undp", "text": "x", "cost": "free", "answers": lines}),
        ("desk", "post", f"needs/{opened.reference}/suggestions/", {"offer": offer.reference, "text": "x", "answers": lines}),
        ("partner_lead", "patch", f"offers/{offer.reference}/", {"title": "x"}),
        ("partner_lead", "post", f"offers/{offer.reference}/moves/withdraw/", {"note": "x"}),
        ("focal_point", "post", f"{said}accept/", {}),
        ("focal_point", "post", f"{said}decline/", {"note": "x"}),
        ("partner_lead", "post", f"{said}take_back/", {"note": "x"}),
        ("partner_lead", "post", f"{said}questions/", {"text": "x"}),
        ("desk", "patch", f"projects/{project.reference}/", {"title": "x"}),
        ("publisher", "post", f"projects/{project.reference}/moves/unpublish/", {"note": "x"}),
    ]  # fmt: skip
    found, before = {}, Response.objects.count()
    for name, method, address, body in calls:
        answer = call(method, address, secrets[name], body, **{"If-Match": '"of-nothing"'})
        found[f"{name} {method} {address}"] = answer.status_code
    assert {address: code for address, code in found.items() if code != 412} == {}
    assert [Response.objects.count(), Need.objects.filter(title="x").count()] == [before, 0]


def test_what_answers_a_response_may_say_what_it_read(secrets):
    response = ResponseFactory(need=NeedFactory(in_state=NeedState.OPEN))
    address, secret = f"responses/{response.reference}/", secrets["focal_point"]
    seen = call("get", address + "?fields=reference", secret)["ETag"]
    asked = call("post", address + "questions/", secret, {"text": "When?"}, **{"If-Match": seen})
    assert asked.status_code == 200, asked.content
    assert is_problem(call("post", address + "accept/", secret, {}, **{"If-Match": seen}), 412)
    assert call("post", address + "accept/", secret, {}, **{"If-Match": asked["ETag"]}).json()["state"] == "accepted"


def test_what_makes_a_new_record_is_no_change_of_a_state(secrets):
    body = {"country": "KEN", "title": "Clean rivers", "kind": "capacity"}
    assert is_problem(call("post", "needs/", secrets["contributor"], body, **{"If-Match": '"x"'}), 412)
    assert call("post", "needs/", secrets["contributor"], body, **{"If-Match": "*"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_two_plans_sent_at_once_from_one_reading_one_is_written(reference_again):
    person = everybody()["desk"]
    need = NeedFactory(in_state=NeedState.IN_DIALOGUE)
    _token, secret = token_of(person)
    seen, found = call("get", f"needs/{need.reference}/", secret)["ETag"], []

    def send(text):
        try:
            found.append(call("put", f"needs/{need.reference}/plan/", secret, {"plan": text}, **{"If-Match": seen}))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(f"Plan {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in found) == [200, 412, 412, 412]


# --- by which ETag -----------------------------------------------------------------------------------------------------------
READ = [("", {}), ("?fields=title", {}), ("?omit=title", {}), ("", {"Accept": "application/json; indent=4"}), ("?fields=title", {"Accept": "application/json; indent=2"})]  # fmt: skip


@pytest.mark.parametrize(("query", "headers"), READ)
def test_a_change_may_name_the_etag_of_any_way_to_read(query, headers, secrets):
    kinds = (
        ("needs", "contributor", NeedFactory), ("offers", "partner_lead", OfferFactory), ("projects", "desk", lambda: ProjectFactory(published=True)),
    )  # fmt: skip
    n = READ.index((query, headers)) % 3  # each kind in one way at least, each way of one kind
    for kind, name, make in kinds if THOROUGH else kinds[n : n + 1]:
        record = make()
        address, secret = f"{kind}/{record.reference}/", secrets[name]
        read = call("get", address + query, secret, **headers)
        assert read.status_code == 200, read.content
        same = call("get", address + query, secret, **headers, **{"If-None-Match": read["ETag"]})
        assert same.status_code == 304
        written = call("patch", address, secret, {"title": "Mine"}, **{"If-Match": read["ETag"]})
        assert written.status_code == 200, (kind, written.content)
        assert is_problem(call("patch", address, secret, {"title": "Late"}, **{"If-Match": read["ETag"]}), 412)
        next_one = call("patch", address, secret, {"title": "Next"}, **{"If-Match": written["ETag"]})
        assert next_one.status_code == 200, (kind, next_one.content)


def test_each_way_to_read_has_an_etag_of_its_own(secrets):
    """A copy of one is no copy of another."""
    address = f"needs/{NeedFactory().reference}/"
    found = {call("get", address + query, secrets["contributor"], **headers)["ETag"] for query, headers in READ}
    assert len(found) == len(READ)


def test_an_etag_is_told_without_the_record(secrets):
    address, bearer = f"/api/v1/needs/{NeedFactory().reference}/", {"Authorization": f"Bearer {secrets['contributor']}"}
    told = Client().head(address, headers=bearer)
    assert (told.content, told["ETag"]) == (b"", Client().get(address, headers=bearer)["ETag"])
    assert Client().head("/api/v1/needs/")["ETag"] == Client().get("/api/v1/needs/")["ETag"]


def test_what_a_move_answers_is_the_record_under_its_address(secrets):
    need = NeedFactory(in_state=NeedState.SUBMITTED)
    answer = call("post", f"needs/{need.reference}/approve-summary/", secrets["focal_point"])
    assert answer["Content-Location"] == f"/api/v1/needs/{need.reference}/"
    assert answer["ETag"] == call("get", f"needs/{need.reference}/", secrets["focal_point"])["ETag"]


# --- one key, one content ----------------------------------------------------------------------------------------------------
def test_a_key_that_comes_with_other_content_is_refused(secrets, undp):
    need, offer = {**NEW, "key": "k"}, {"partner": "undp", "kind": "training", "title": "One", "key": "k"}
    for address, name, body, kind in (("needs/", "contributor", need, Need), ("offers/", "partner_lead", offer, Offer)):
        first = call("post", address, secrets[name], body)
        assert first.status_code == 201, first.content
        again = call("post", address, secrets[name], body)
        assert (again.status_code, again.json()["reference"]) == (200, first.json()["reference"])
        other = call("post", address, secrets[name], body | {"title": "Another"})
        assert is_problem(other, 409) and other.json()["code"] == "key"
        assert kind.objects.count() == 1


def test_a_key_still_stands_for_its_record_after_that_was_changed(secrets):
    body = {**NEW, "key": "k"}
    reference = call("post", "needs/", secrets["contributor"], body).json()["reference"]
    call("patch", f"needs/{reference}/", secrets["contributor"], {"title": "Otherwise"}, **{"If-Match": "*"})
    again = call("post", "needs/", secrets["contributor"], body)
    assert (again.status_code, again.json()["reference"]) == (200, reference)


def test_a_key_of_a_response_stands_for_one_need(secrets):
    needs = [NeedFactory(in_state=NeedState.OPEN) for _n in range(2)]

    def respond(need, **more):
        lines = [{"line": need.lines.first().pk, "quantity": "1"}]
        body = {"partner": "undp", "text": "We help", "cost": "free", "key": "k", "answers": lines, **more}
        return call("post", f"needs/{need.reference}/responses/", secrets["partner_lead"], body)

    first, again, other, words = respond(needs[0]), respond(needs[0]), respond(needs[1]), respond(needs[0], text="No")
    assert (first.status_code, again.json()["reference"]) == (201, first.json()["reference"])
    for refused in (other, words):
        assert is_problem(refused, 409) and refused.json()["code"] == "key"
    assert Response.objects.count() == 1


def test_a_page_sent_again_with_other_words_is_handled_as_before(people, kenya):
    """Its key is no promise of the same content: the press before was kept, and nothing is refused."""
    made = drafting.begin(Need(country=kenya, title="One"), by=people["contributor"], key="p")
    again = drafting.begin(Need(country=kenya, title="Two"), by=people["contributor"], key="p")
    assert (made[0], made[1], again[1]) == (again[0], True, False)


# --- ids of lines and rows ------------------------------------------------------------------------------------------------------
def lines_of(record) -> list[tuple[int, str]]:
    return list(record.lines.values_list("pk", "text"))


def test_a_line_of_an_id_that_is_not_there_is_refused(secrets):
    foreign = NeedFactory(in_state=NeedState.OPEN).lines.first().pk
    for kind, name, factory in (("needs", "contributor", NeedFactory), ("offers", "partner_lead", OfferFactory)):
        record = factory()
        before, own = lines_of(record), record.lines.first().pk
        for ids in ([own + 100_000], [foreign + 500_000], [own, own], [99999999999999999999]):
            rows = [{"id": key, "text": "Mine"} for key in ids]
            answer = call("patch", f"{kind}/{record.reference}/", secrets[name], {"lines": rows}, **{"If-Match": "*"})
            assert is_problem(answer, 400), (kind, ids, answer.content)
            assert fields(answer) == [f"lines.{len(ids) - 1}.id"]
            assert lines_of(record) == before
        mixed = [{"id": own, "text": "Kept"}, {"text": "New"}]
        answer = call("patch", f"{kind}/{record.reference}/", secrets[name], {"lines": mixed}, **{"If-Match": "*"})
        assert answer.status_code == 200, answer.content
        assert [line["id"] == own for line in answer.json()["lines"]] == [True, False]


def test_a_line_of_another_need_is_not_taken(secrets):
    need, foreign = NeedFactory(), NeedFactory(in_state=NeedState.OPEN).lines.first()
    rows = [{"id": foreign.pk, "text": foreign.text}]
    answer = call("patch", f"needs/{need.reference}/", secrets["contributor"], {"lines": rows}, **{"If-Match": "*"})
    assert is_problem(answer, 400) and fields(answer) == ["lines.0.id"]
    begun = call("post", "needs/", secrets["contributor"], NEW | {"lines": [{"id": foreign.pk, "text": "Mine"}]})
    assert is_problem(begun, 400) and fields(begun) == ["lines.0.id"]


def test_a_row_of_a_plan_with_an_id_that_is_not_there_is_refused(secrets):
    need = NeedFactory(in_state=NeedState.IN_DELIVERY)
    address, before = f"needs/{need.reference}/plan/", list(need.activities.values_list("pk", "text"))
    own = before[0][0]
    for body, at in (
        ({"activities": [{"id": own + 100_000, "text": "x", "partner": "undp"}]}, "activities.0.id"),
        ({"activities": [{"id": own, "text": "x", "partner": "undp"}] * 2}, "activities.1.id"),
        ({"indicators": [{"id": 10**9, "text": "x", "unit": "people"}]}, "indicators.0.id"),
    ):
        answer = call("put", address, secrets["desk"], body, **{"If-Match": "*"})
        assert is_problem(answer, 400) and fields(answer) == [at], answer.content
    assert list(need.activities.values_list("pk", "text")) == before


def test_an_answer_names_a_line_of_the_need_and_once(secrets):
    need, foreign = NeedFactory(in_state=NeedState.OPEN), NeedFactory(in_state=NeedState.OPEN).lines.first()
    own = need.lines.first()
    for rows, at in (([own, foreign], "answers.1.line"), ([own, own], "answers.1.line")):
        answers = [{"line": line.pk, "quantity": "1"} for line in rows]
        body = {"partner": "undp", "text": "x", "cost": "free", "answers": answers}
        answer = call("post", f"needs/{need.reference}/responses/", secrets["partner_lead"], body)
        assert is_problem(answer, 400) and fields(answer) == [at], answer.content
    assert not Response.objects.exists()


def test_a_page_keeps_a_row_that_somebody_else_removed_meanwhile(people, sign_in):
    """Whoever saves over the other's change keeps the row; it is a new one."""
    need = NeedFactory(in_state=NeedState.IN_DELIVERY)
    client, address = sign_in(people["desk"]), f"/needs/{need.reference}/plan/"
    page = html.fromstring(client.get(address).content)
    form = next(one for one in page.forms if "plan" in one.fields)
    sent = {name: value for name, value in form.fields.items() if value is not None and "DELETE" not in name}
    kept = need.activities.first().text
    need.activities.all().delete()
    answer = client.post(address, sent | {"plan": "Mine", "seen": ""})
    assert answer.status_code == 302, answer.content.decode()
    assert kept in need.activities.values_list("text", flat=True)


# --- once more, by somebody who may no more ----------------------------------------------------------------------------------
def test_a_call_sent_again_after_the_role_has_ended_is_refused(people, secrets):
    sent = ("post", "needs/", secrets["contributor"], NEW)
    assert call(*sent, **{"Idempotency-Key": "k"}).status_code == 201
    Membership.objects.filter(user=people["contributor"]).update(
        revoked_at=timezone.now(), revoked_by=people["administrator"]
    )
    again = call(*sent, **{"Idempotency-Key": "k"})
    assert is_problem(again, 403), again.content
    assert Need.objects.count() == 1


def test_a_call_sent_again_by_somebody_with_another_role_more_is_answered_the_same(people, secrets, undp):
    need = NeedFactory(in_state=NeedState.SUBMITTED)
    sent = ("post", f"needs/{need.reference}/approve-summary/", secrets["focal_point"])
    first = call(*sent, **{"Idempotency-Key": "k"})
    Membership.objects.create(user=people["focal_point"], partner=undp, role="partner_member")
    again = call(*sent, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (200, first.json(), "true")
    assert need.events.filter(action="approve_summary").count() == 1


# --- names twice, parameters of nothing ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "name"),
    [('{"country": "KEN", "title": "A", "title": "B"}', "title"), ('{"lines": [{"text": "A", "text": "A"}]}', "text")],
)
def test_a_name_that_stands_twice_in_an_object_is_refused(body, name, secrets):
    bearer = {"Authorization": f"Bearer {secrets['contributor']}"}
    answer = Client().post("/api/v1/needs/", body, content_type=JSON, headers=bearer)
    assert is_problem(answer, 400) and fields(answer) == [name]
    assert not Need.objects.exists()


LISTS = [
    "needs",
    "offers",
    "projects",
    "responses",
    "countries",
    "regions",
    "groups",
    "partners",
    "terms",
    "changes",
    "tossd",
    "quantities",
    "matches",
]


@pytest.mark.parametrize("kind", LISTS)
def test_every_list_refuses_what_it_does_not_know(kind, secrets):
    need = NeedFactory(in_state=NeedState.OPEN)
    more = f"&need={need.reference}" if kind == "matches" else ""
    shapes = [] if kind in LISTS[:9] else ["fields=x", "omit=x", "expand=x", "fields=", "expand="]
    for query in ("colour=red", *shapes, "fields=no_such", "omit=no_such", "expand=no_such"):
        answer = call("get", f"{kind}/?{query}{more}", secrets["desk"])
        assert is_problem(answer, 400), (kind, query, answer.status_code)
        assert fields(answer) == [query.partition("=")[0]]
    if kind != "changes":
        table = call("get", f"{kind}/?format=csv&fields=no_such{more}", secrets["desk"])
        assert is_problem(table, 400) and fields(table) == ["fields"], kind
    assert (
        call("get", f"{kind}/?page_size=1" if kind != "matches" else f"{kind}/?{more}", secrets["desk"]).status_code
        == 200
    )


def test_a_write_refuses_parameters_that_have_no_effect(secrets):
    need = NeedFactory()
    for method, address, body in (("post", "needs/", NEW), ("patch", f"needs/{need.reference}/", {"title": "x"})):
        for query in ("?colour=red", "?fields=title"):
            answer = call(method, address + query, secrets["contributor"], body, **{"If-Match": "*"})
            assert is_problem(answer, 400), (method, query)
    assert Need.objects.get().title != "x"


# --- other methods ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["schema", "docs"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_description_of_the_api_is_only_read(address, method, secrets):
    answer = call(method, f"{address}/", secrets["contributor"])
    assert is_problem(answer, 405)
    assert (answer.json()["code"], answer["Allow"]) == ("method_not_allowed", "GET, HEAD")
