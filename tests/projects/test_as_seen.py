"""Approved, confirmed and published is what the second person read: what was changed meanwhile is shown, not approved unseen."""

import re
import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from outreach import mailings, stories
from outreach.models import Issue, IssueText, StoryText
from projects import actions, agreement, deliveries, drafting, recording
from projects.choices import Criterion, NeedState, State
from projects.lifecycle import as_seen, mark_of
from projects.models import Answer, Confirmation, CriterionAnswer, Need, Offer, Project, RecordCheck
from tests import factories
from tests.factories import NeedFactory, OfferFactory, ProjectFactory
from tests.outreach.test_stories import story_of
from tests.projects.test_need_doors import Api

CHANGED = "It was changed since you opened this page."
NEW_TEXT = "Everybody's secrets are for sale."


def hidden_mark(page) -> str:
    return re.search(r'name="seen" value="([^"]*)"', page.content.decode())[1]


def write(record, text=NEW_TEXT, **values):
    """Somebody changes a text, as every door does it."""
    name = "public_summary" if isinstance(record, Need) else "summary"
    fresh = type(record).objects.get(pk=record.pk)
    drafting.save(fresh, {name: text, **values}, by=fresh.created_by)


@pytest.fixture
def need(people):
    return NeedFactory(
        in_state=NeedState.SUBMITTED,
        created_by=people["contributor"],
        summary_approved_at=None,
        summary_approved_by=None,
    )


# --- the pages -------------------------------------------------------------------------------------------------------------
def test_a_summary_that_was_changed_meanwhile_is_shown_and_not_approved(need, people, sign_in):
    client = sign_in(people["focal_point"])
    address = f"/needs/{need.reference}/approve/"
    page = client.get(address)
    assert need.public_summary in page.content.decode()
    write(need)
    refused = client.post(address, {"seen": hidden_mark(page)})
    assert refused.status_code == 409 and CHANGED in refused.content.decode()
    assert NEW_TEXT in refused.content.decode().replace("&#x27;", "'")
    assert Need.objects.get(pk=need.pk).summary_approved_at is None
    assert client.post(address, {"seen": hidden_mark(refused)}).status_code == 302
    assert Need.objects.get(pk=need.pk).summary_approved_by == people["focal_point"]


def test_the_page_of_a_record_says_to_its_moves_what_was_read(people, sign_in):
    need = NeedFactory(in_state=NeedState.ELIGIBLE, created_by=people["contributor"])
    client = sign_in(people["publisher"])
    page = client.get(need.get_absolute_url()).content.decode()
    address = re.search(r'href="([^"]*/move/publish/[^"]*)"', page)[1]
    assert address.endswith(f"?seen={need.version}")
    Need.objects.filter(pk=need.pk).update(public_summary=NEW_TEXT, version=need.version + 1)
    asked = client.get(address)  # opened after the change, from a page of before it
    refused = client.post(address, {"seen": hidden_mark(asked), "note": ""})
    assert refused.status_code == 409 and CHANGED in refused.content.decode()
    assert Need.objects.get(pk=need.pk).state == NeedState.ELIGIBLE
    assert client.post(address, {"seen": hidden_mark(refused), "note": ""}).status_code == 302


def test_what_was_screened_anew_meanwhile_is_not_found_eligible(need, people, sign_in):
    client = sign_in(people["desk"])
    actions.screen(need, dict.fromkeys(Criterion.values, (True, "yes")), by=people["desk"])
    address = f"/needs/{need.reference}/move/find_eligible/"
    page = client.get(address)
    actions.screen(need, {Criterion.values[0]: (True, "on second thoughts just so")}, by=people["desk"])
    assert client.post(address, {"seen": hidden_mark(page), "note": ""}).status_code == 409
    form = client.get(f"/needs/{need.reference}/screen/")
    write(need)
    before = set(CriterionAnswer.objects.values_list("note", flat=True))
    sent = {"seen": hidden_mark(form), "referral": ""}
    for criterion in Criterion.values:
        sent |= {
            f"{criterion}_met": "yes",
            f"{criterion}_note": "of another text",
            criterion: "True",
            f"{criterion}-note": "x",
        }
    client.post(f"/needs/{need.reference}/screen/", sent)
    assert set(CriterionAnswer.objects.values_list("note", flat=True)) == before


@pytest.mark.parametrize("step", ["plan", "delivery"])
def test_a_plan_or_delivery_that_was_changed_meanwhile_is_not_confirmed(people, sign_in, step):
    need = NeedFactory(in_state=NeedState.IN_DIALOGUE if step == "plan" else NeedState.IN_DELIVERY)
    if step == "delivery":
        deliver(need, 1, people)
    need.refresh_from_db()
    own = people["focal_point"] if step == "plan" else people["partner_lead"]
    client = sign_in(own)
    address = f"/needs/{need.reference}/confirm/{step}/"
    mark = hidden_mark(client.get(address))
    if step == "plan":
        agreement.write_plan(need, {"plan": NEW_TEXT}, by=people["partner_lead"])
    else:
        deliver(need, 2, people)
    refused = client.post(address, {"seen": mark})
    assert refused.status_code == 409 and CHANGED in refused.content.decode()
    if step == "plan":
        assert NEW_TEXT in refused.content.decode().replace("&#x27;", "'")
    assert not Confirmation.objects.filter(need=need, step=step, by=own).exists()


def deliver(need, quantity, people):
    answer = Answer.objects.filter(response__need=need).first()
    deliveries.record_delivered(Need.objects.get(pk=need.pk), {answer.pk: quantity}, by=people["partner_lead"])


def test_an_offer_that_was_changed_meanwhile_is_not_made_active(people):
    offer = OfferFactory(in_state="submitted")
    seen = as_seen(Offer.objects.get(pk=offer.pk), mark_of(offer))
    Offer.objects.filter(pk=offer.pk).update(summary=NEW_TEXT, version=offer.version + 1)
    with pytest.raises(drafting.ValidationError, match=CHANGED):
        actions.move(seen, "verify", by=people["desk"])
    assert Offer.objects.get(pk=offer.pk).state == "submitted"


def test_a_project_that_was_changed_meanwhile_is_not_published(people, sign_in):
    project = ProjectFactory(state=State.REVIEW)
    client = sign_in(people["publisher"])
    address = f"/admin/projects/project/{project.pk}/move/publish/"
    mark = hidden_mark(client.get(address))
    recording.change(project, {"summary": NEW_TEXT}, by=people["desk"])
    refused = client.post(address, {"seen": mark, "note": ""})
    assert refused.status_code == 409 and CHANGED in refused.content.decode()
    assert Project.objects.get(pk=project.pk).state == State.REVIEW
    assert client.post(address, {"seen": hidden_mark(refused), "note": ""}).status_code == 302
    assert Project.objects.get(pk=project.pk).state == State.PUBLISHED


def test_a_record_that_was_changed_meanwhile_is_not_confirmed_as_right(people, sign_in):
    project = ProjectFactory(published=True)
    client = sign_in(people["focal_point"])
    address = f"/projects/{project.reference}/check/"
    page = client.get(address)
    Project.objects.filter(pk=project.pk).update(summary=NEW_TEXT, modified_at=timezone.now())
    sent = {"seen": hidden_mark(page), "is_right": "yes", "text": ""}
    refused = client.post(address, sent)
    assert refused.status_code == 409 and CHANGED in refused.content.decode()
    assert not RecordCheck.objects.exists()


def test_a_story_that_was_changed_meanwhile_is_not_published(people, sign_in):
    story = stories.move(story_of(), "ask", by=people["desk"])
    client = sign_in(people["publisher"])
    page = client.get(f"/admin/outreach/story/{story.pk}/change/")
    StoryText.objects.filter(story=story).update(body=NEW_TEXT)
    story.save()  # as the form of admin does it
    answer = client.post(
        f"/admin/outreach/story/{story.pk}/move/publish/",
        {"seen": re.findall(r'name="seen" value="([^"]*)"', page.content.decode())[-1]},
        follow=True,
    )
    assert CHANGED in answer.content.decode() and NEW_TEXT in answer.content.decode().replace("&#x27;", "'")
    story.refresh_from_db()
    assert not story.is_public
    assert stories.move(story, "publish", by=people["publisher"]).is_public


def test_an_issue_that_was_changed_meanwhile_is_not_sent(people, sign_in):
    issue = Issue.objects.create(slug="2027-04")
    IssueText.objects.create(issue=issue, language="en", title="The month", lede="L", body="B")
    client = sign_in(people["desk"])
    address = f"/admin/outreach/issue/{issue.pk}/send/"
    mark = hidden_mark(client.get(address))
    issue.save()
    assert CHANGED in client.post(address, {"seen": mark}, follow=True).content.decode()
    assert not mailings.Mailing.objects.filter(issue=issue).exists()


def test_a_page_that_asks_for_a_yes_leads_to_the_record_as_it_is_now(need, people, sign_in):
    client = sign_in(people["desk"])
    for address in (f"/needs/{need.reference}/move/return/", f"/needs/{need.reference}/screen/"):
        page = client.get(address).content.decode()
        assert f'<a href="{need.get_absolute_url()}" target="_blank" rel="noopener">Read it as it is now</a>' in page


def test_who_confirms_the_delivery_reads_the_figures(people, sign_in):
    need = NeedFactory(in_state=NeedState.IN_DELIVERY)
    deliver(need, 7, people)
    client = sign_in(people["partner_lead"])
    address = f"/needs/{need.reference}/confirm/delivery/"
    page = client.get(address)
    assert "7 of " in page.content.decode()
    deliver(need, 9, people)
    refused = client.post(address, {"seen": hidden_mark(page)})
    assert refused.status_code == 409 and "9 of " in refused.content.decode()


# --- the API ---------------------------------------------------------------------------------------------------------------
def test_a_program_approves_what_it_read(need, people):
    api = Api(people["focal_point"])
    address = f"needs/{need.reference}/"
    etag = api.get(address)["ETag"]
    write(need)
    refused = api("post", f"{address}approve-summary/", **{"If-Match": etag})
    assert refused.status_code == 412 and refused.json()["code"] == "changed"
    assert Need.objects.get(pk=need.pk).summary_approved_at is None
    assert api("post", f"{address}approve-summary/", **{"If-Match": api.get(address)["ETag"]}).status_code == 200


# --- two at once -----------------------------------------------------------------------------------------------------------
def test_a_change_that_is_stored_while_the_button_is_pressed_is_not_approved(reference_again, client):
    people = factories.people()
    need = NeedFactory(
        in_state=NeedState.SUBMITTED,
        created_by=people["contributor"],
        summary_approved_at=None,
        summary_approved_by=None,
    )
    client.force_login(people["focal_point"])
    address, answers = f"/needs/{need.reference}/approve/", []
    mark = hidden_mark(client.get(address))

    def press():
        answers.append(client.post(address, {"seen": mark}).status_code)
        connection.close()

    presser = threading.Thread(target=press)
    with transaction.atomic():
        write(need)  # holds the row, and is not there yet for others
        presser.start()
        deadline = time.monotonic() + 30
        while not _somebody_waits() and time.monotonic() < deadline:
            time.sleep(0.05)
    presser.join(30)
    assert answers == [409]
    assert Need.objects.get(pk=need.pk).summary_approved_at is None


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0
