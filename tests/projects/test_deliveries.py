"""What was delivered: who says it, in which project it is known, and that what nobody reported is not zero."""

import re
from importlib import import_module

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from partners.choices import Role
from partners.models import Country, Partner
from projects import actions, agreement, deliveries
from projects.choices import ConfirmedStep, NeedState, ResponseState, Status, counted
from projects.coverage import coverage_of
from projects.lifecycle import as_seen, mark_of, transition
from projects.models import (
    Answer,
    Need,
    Project,
    Response,
)
from tests.factories import MembershipFactory, NeedFactory, ProjectFactory, ResponseFactory
from tests.projects.plans import agreed, confirmed, in_delivery, plan_of, planned_with

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def test_what_is_delivered_flows_both_ways(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])
    need.refresh_from_db()
    design = Answer.objects.get(response__need=need, line__text="Network design")
    deliveries.record_delivered(need, {design.pk: 15}, by=people["ghana"])
    assert project.contributions.get(text="Network design").delivered == 15
    agreement.confirm(need, ConfirmedStep.DELIVERY, by=people["fao"])
    project.contributions.filter(text="Sensors").update(delivered=8)  # entered with the project
    deliveries.follow(project)
    assert {row.letter: row.delivered for row in coverage_of(Need.objects.get(pk=need.pk))} == {"A": 15, "B": 8}
    assert not need.confirmations.filter(step=ConfirmedStep.DELIVERY).exists()  # other figures, another word
    events = need.events.count()
    deliveries.follow(project)
    assert need.events.count() == events  # nothing new, nothing told


def test_what_the_project_changed_meanwhile_is_not_confirmed_unseen(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])
    read = Need.objects.get(pk=need.pk)
    as_seen(read, mark_of(read))
    project.contributions.filter(text="Sensors").update(delivered=8)
    deliveries.follow(project)
    with pytest.raises(ValidationError, match="changed since"):
        agreement.confirm(read, ConfirmedStep.DELIVERY, by=people["fao"])
    assert not need.confirmations.filter(step=ConfirmedStep.DELIVERY).exists()


def test_the_same_quantities_again_keep_the_confirmations_of_the_delivery(triangular, people):
    need = agreed(triangular, people)
    agreement.start(need, None, by=people["desk"])
    need.refresh_from_db()
    design = Answer.objects.get(response__need=need, line__text="Network design")
    deliveries.record_delivered(need, {design.pk: 15}, by=people["ghana"])
    agreement.confirm(need, ConfirmedStep.DELIVERY, by=people["fao"])
    events = need.events.count()
    deliveries.record_delivered(need, {design.pk: 15}, by=people["ghana"])
    assert need.confirmations.filter(step=ConfirmedStep.DELIVERY).count() == 1
    assert need.events.count() == events
    deliveries.record_delivered(need, {design.pk: 16}, by=people["ghana"])
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
    deliveries.record_delivered(need, given, by=people["desk"])
    told = {(c.who, c.quantity): c.delivered for c in project.contributions.filter(activity__line__position=0)}
    assert told == {(ghana, 20): 12, (undp, 10): 10, (undp, 6): 3}
    events = need.events.count()
    deliveries.follow(project)
    assert need.events.count() == events  # what was entered here is what the project says
    assert {a.pk: a.delivered for a in Answer.objects.filter(pk__in=given)} == given
    project.contributions.filter(partner=undp, quantity=6).update(delivered=6)
    deliveries.follow(project)
    assert [a.delivered for a in Answer.objects.filter(response__in=others).order_by("response_id")] == [10, 6]


def test_a_need_follows_its_project(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])

    def now(status) -> str:
        Project.objects.filter(pk=project.pk).update(status=status)
        deliveries.follow(Project.objects.get(pk=project.pk))
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
    emptied = client.post(address, {str(answer.pk): "", str(others.get().pk): "2"})
    assert emptied.status_code == 400 and "3 is reported already" in emptied.content.decode()
    assert Answer.objects.get(pk=answer.pk).delivered == 3 and others.get().delivered is None


def test_what_is_entered_of_one_line_states_nothing_of_the_others_in_the_project(triangular, people):
    need = agreed(triangular, people)
    project = agreement.start(need, None, by=people["desk"])
    answer = Answer.objects.filter(response__need=need).order_by("pk").first()
    deliveries.record_delivered(Need.objects.get(pk=need.pk), {answer.pk: 15}, by=people["ghana"])
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


def said_on(client, address: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", client.get(address, follow=True).content.decode()).split())


def test_what_nobody_reported_is_shown_as_not_reported_everywhere(triangular, people, client):
    """Ghana reports that none of its 40 days were given; of FAO's sensors nobody says anything."""
    need = in_delivery(triangular, people)
    design, sensors = (Answer.objects.get(response__need=need, line__text=t) for t in ("Network design", "Sensors"))
    deliveries.record_delivered(need, {design.pk: 0}, by=people["ghana"])
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
    deliveries.record_delivered(need, {design.pk: 40}, by=people["ghana"])
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
        deliveries.record_delivered(need, given, by=people["partner_lead"])
        assert told() == expected
        deliveries.follow(project)
        assert told() == expected  # and the project's word changes nothing of it
    project.contributions.update(delivered=None)
    deliveries.follow(project)
    assert told() == ([None, None], [10, 3])  # what was entered at the need stays
    project.contributions.filter(quantity=10).update(delivered=7)
    deliveries.follow(project)
    assert told() == ([7, None], [7, 0])
    project.contributions.update(delivered=None)
    deliveries.follow(project)
    assert told() == ([None, None], [None, None])  # what came from the project goes with it


ZEROS = import_module("projects.migrations.0015_what_nobody_reported")


def test_a_zero_that_nobody_entered_becomes_not_reported(triangular, people):
    silent = ResponseFactory(state=ResponseState.AGREED).need
    need = in_delivery(triangular, people)
    design, sensors = (Answer.objects.get(response__need=need, line__text=t) for t in ("Network design", "Sensors"))
    deliveries.record_delivered(need, {design.pk: 0}, by=people["ghana"])
    back = NeedFactory(in_state=NeedState.IN_DELIVERY)  # 30, then 0 again
    Answer.objects.filter(delivered=None).update(delivered=0)  # as it was stored then
    Answer.objects.filter(response__need=back).update(delivered=0)
    Answer.objects.filter(response__need=silent).update(delivered=0)
    with connection.cursor() as cursor:
        cursor.execute(ZEROS.NOT_REPORTED)
    assert [Answer.objects.get(pk=a.pk).delivered for a in (design, sensors)] == [0, None]
    assert Answer.objects.get(response__need=silent).delivered is None
    assert Answer.objects.get(response__need=back).delivered == 0


def test_more_than_was_agreed_can_have_been_delivered(triangular, people):
    """Ghana offered 40, the plan says 25, the project delivers 28: nothing of it is lost on the way."""
    planned_with(triangular, 25, people)
    project = agreement.start(confirmed(triangular, people), None, by=people["desk"])
    project.contributions.filter(text="Network design").update(delivered=28)
    deliveries.follow(project)
    row = coverage_of(Need.objects.get(pk=triangular.pk))[0]
    assert (row.delivered, row.agreed, row.open) == (28, 0, 12)


def test_each_provider_states_its_own_deliveries(triangular, people, client):
    """FAO can't say what Ghana delivered, nor takes what it says of its own for a word on Ghana's; UNEP's desk states any."""
    agreement.start(agreed(triangular, people), None, by=people["desk"])
    need = Need.objects.get(pk=triangular.pk)
    design, sensors = (Answer.objects.get(response__need=need, line__text=t) for t in ("Network design", "Sensors"))
    with pytest.raises(PermissionDenied, match="Each provider enters what it delivered itself"):
        deliveries.record_delivered(need, {design.pk: 15, sensors.pk: 4}, by=people["fao"])
    client.force_login(people["fao"])
    address = f"/needs/{need.reference}/delivered/"
    assert f'name="{design.pk}"' not in client.get(address, follow=True).content.decode()
    client.post(address, {str(design.pk): "15", str(sensors.pk): "4"})
    assert [Answer.objects.get(pk=a.pk).delivered for a in (design, sensors)] == [None, 4]
    told = {c.text: c.delivered for c in Project.objects.get(needs=need).contributions.all()}
    assert (told["Network design"], told["Sensors"]) == (None, 4)  # of Ghana's nobody has said anything
    for name in ("partner_member", "ghana writer", "desk"):  # the second provider, any of the first's people, UNEP
        deliveries.record_delivered(need, {design.pk: 20}, by=people[name])
    deliveries.record_delivered(need, {sensors.pk: 5}, by=people["desk"])


def test_whose_confirmation_is_missing_is_said(triangular, people, client):
    agreement.write_plan(triangular, plan_of(triangular), by=people["focal_point"])
    for name in ("focal_point", "ghana"):
        agreement.confirm(triangular, ConfirmedStep.PLAN, by=people[name])
    client.force_login(people["fao"])
    page = client.post(f"/needs/{triangular.reference}/confirm/plan/", follow=True).content.decode()
    assert "Confirmed. Still to confirm: United Nations Development Programme (UNDP); UNEP." in page


# --- the project's doors -------------------------------------------------------------------------------------------------
@pytest.fixture
def carried(triangular, people):
    """(need, project, key of the first answer): Ghana has reported 30 of its 40 days at the need."""
    need = in_delivery(triangular, people)
    design = Answer.objects.get(response__need=need, line__text="Network design")
    deliveries.record_delivered(need, {design.pk: 30}, by=people["ghana"])
    return Need.objects.get(pk=need.pk), need.project, design.pk


REPORTED = "30 is reported already. Enter what was delivered instead; 0 says that nothing was."


def both(carried) -> tuple:
    """(what the project says, what the need says)."""
    _need, project, answer = carried
    told = [row.delivered for row in project.contributions.filter(activity__line__text="Network design")]
    return (told[0] if told else "gone"), Answer.objects.get(pk=answer).delivered


def sent_again(client, project) -> list[dict]:
    return client.get(f"/api/v1/projects/{project.reference}/").json()["contributions"]


def patched(client, project, rows: list[dict]):
    address = f"/api/v1/projects/{project.reference}/"
    seen = {"If-Match": client.get(address)["ETag"]}
    return client.patch(address, {"contributions": rows}, content_type="application/json", headers=seen)


@pytest.mark.parametrize(
    ("change", "said", "expected"),
    [
        ({"delivered": None}, REPORTED, (30, 30)),
        ({"text": "Another text"}, "30 is reported as delivered for the need", (30, 30)),
        ({"unit": "people"}, "its unit and its provider stay", (30, 30)),
        ({"delivered": "41"}, "This must be 40 or less.", (30, 30)),
        ({"delivered": "20"}, "", (20, 20)),
        ({"delivered": "0"}, "", (0, 0)),
        ({"quantity": "39"}, "", (30, 30)),
    ],
)
def test_the_api_of_a_project_and_its_need_never_disagree(change, said, expected, carried, people, sign_in):
    client, project = sign_in(people["desk"]), carried[1]
    rows = sent_again(client, project)
    row = next(one for one in rows if one["text"] == "Network design")
    row |= change
    answer = patched(client, project, rows)
    assert answer.status_code == (400 if said else 200), answer.content
    problem = answer.content.decode()
    assert said in problem and (not said or '"contributions"' in problem)
    assert (REPORTED not in said) or "delivered: " in problem
    assert both(carried) == expected


def test_neither_a_figure_nor_its_row_is_taken_back_by_leaving_it_out(carried, people, sign_in):
    client, project = sign_in(people["desk"]), carried[1]
    rows = sent_again(client, project)
    bare = [{name: value for name, value in row.items() if name != "delivered"} for row in rows]
    answer = patched(client, project, bare)
    assert answer.status_code == 400 and REPORTED in answer.content.decode() and both(carried) == (30, 30)
    others = [row for row in rows if row["text"] != "Network design"]
    answer = patched(client, project, others)
    assert answer.status_code == 400 and "Keep this row" in answer.content.decode() and both(carried) == (30, 30)
    silent = [row for row in rows if row["text"] != "Sensors"]  # of which nothing is reported
    assert patched(client, project, silent).status_code == 200 and both(carried) == (30, 30)


def test_no_less_is_agreed_than_was_delivered(carried, people, sign_in):
    client, project = sign_in(people["desk"]), carried[1]
    rows = sent_again(client, project)
    row = next(one for one in rows if one["text"] == "Network design")
    row["quantity"] = "10"
    answer = patched(client, project, rows)
    assert answer.status_code == 400 and "can’t be less" in answer.content.decode()
    row["quantity"] = "30"
    assert patched(client, project, rows).status_code == 200 and both(carried) == (30, 30)


def test_more_that_came_than_was_agreed_is_said(client):
    project = ProjectFactory(published=True)
    ghana = Country.objects.get(iso3="GHA")
    project.contributions.create(country=ghana, kind="D011", text="Days", quantity=10, delivered=15, unit="expert-days")
    page = client.get(project.get_absolute_url()).content.decode()
    assert "<b>15</b> delivered" in page and "<b>10</b> delivered" not in page


def test_a_need_on_hold_says_what_its_project_says_and_an_ended_one_keeps_its_figures(carried, people, sign_in):
    need, project, _answer = carried
    client = sign_in(people["desk"])
    transition(need, "hold", by=people["desk"], note="Elections")
    rows = sent_again(client, project)
    row = next(one for one in rows if one["text"] == "Network design")
    row["delivered"] = "25"
    assert patched(client, project, rows).status_code == 200 and both(carried) == (25, 25)
    Need.objects.filter(pk=need.pk).update(state=NeedState.CLOSED, held_from="")
    row["delivered"] = "20"
    answer = patched(client, project, rows)
    assert answer.status_code == 400 and "any more" in answer.content.decode() and both(carried) == (25, 25)


def form_of(client, address: str) -> dict:
    """The fields of a form of admin, as it shows them."""
    context = client.get(address).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    found = {box.html_name: box.value() for form in forms for box in form}
    return {name: value for name, value in found.items() if value is not None} | {"_as_shown": context["as_shown"]}


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize(
    ("name", "value", "said", "expected"),
    [
        ("delivered", "", REPORTED, (30, 30)),
        ("delivered", "41", "This must be 40 or less.", (30, 30)),
        ("unit", "people", "its unit and its provider stay", (30, 30)),
        ("DELETE", "on", "Keep this row", (30, 30)),
        ("delivered", "20", "", (20, 20)),
    ],
)
def test_the_form_of_a_project_and_its_need_never_disagree(name, value, said, expected, carried, people, sign_in):
    client, project = sign_in(people["desk"]), carried[1]
    address = f"/admin/projects/project/{project.pk}/change/"
    form = form_of(client, address)
    row = project.contributions.get(text="Network design")
    prefix = next(key for key, v in form.items() if key.startswith("contributions-") and key.endswith("-id") and v == row.pk)  # fmt: skip
    answer = client.post(address, form | {prefix.removesuffix("id") + name: value})
    assert answer.status_code == (200 if said else 302)
    if said:
        rows = next(i.formset for i in answer.context["inline_admin_formsets"] if i.formset.prefix == "contributions")
        told = rows.non_form_errors() if name == "DELETE" else rows.forms[int(prefix.split("-")[1])].errors[name]
        assert said in " ".join(told)
    assert both(carried) == expected


def test_a_table_neither_empties_what_was_delivered_nor_leaves_out_its_row(carried, bring):
    project = carried[1]
    head = "reference,title,contribution,contribution_by,contribution_kind,quantity,delivered,unit,women,men,amount,spent,currency\n"
    row = project.contributions.get(text="Network design")

    def table(text: str, delivered: str) -> str:
        return f"{head}{project.reference},{project.title},{text},GHA,{row.kind},40,{delivered},expert-days,,,,,\n"

    for content, said in ((table("Network design", ""), REPORTED), (table("Another", "30"), "Keep this row")):
        run = bring("projects", content)
        assert said in str([one.problems for one in run.rows.all()]), run.message
        assert both(carried) == (30, 30)
    run = bring("projects", table("Network design", "20"))
    assert run.progress == "done" and both(carried) == (20, 20)


def test_more_than_was_offered_is_told_in_the_house_s_numbers(people, sign_in):
    need = NeedFactory(in_state=NeedState.IN_DELIVERY)
    answer = Answer.objects.filter(response__need=need).first()
    client, address = sign_in(people["partner_lead"]), f"/needs/{need.reference}/delivered/"
    for most in (10, 1):
        Answer.objects.filter(pk=answer.pk).update(quantity=most, agreed=None, delivered=None)
        page = client.post(address, {str(answer.pk): "99999"}).content.decode()
        assert f"This must be {most} or less." in page
        assert f"of {most} {counted(answer.line.unit, most)} agreed" in page
