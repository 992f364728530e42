"""Buttons of admin that do something with a record save first what was typed in its form."""

import pytest
from django.urls import reverse
from lxml import html
from procrastinate.contrib.django.models import ProcrastinateJob

from outreach import stories
from outreach.models import ContactMessage, Issue, IssueText, Story, Topic
from projects.models import Need, Project
from tests.admin_form import shown
from tests.factories import NeedFactory, ProjectFactory
from tests.outreach.test_stories import story_of

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]
LEDE = "texts-0-lede"


def page_of(record) -> str:
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def pressed(client, record, act: str, **typed):
    """(the form as it was sent, the answer)."""
    page = client.get(page_of(record))
    assert f'name="_then" value="{act}"' in page.content.decode()
    data = shown(page) | {name: [value] for name, value in typed.items()} | {"_then": [act]}
    return data, client.post(page_of(record), data)


def said(answer) -> str:
    return answer.content.decode()


def test_a_story_is_saved_and_then_sent_on(people, sign_in):
    story = story_of()
    client = sign_in(people["desk"])
    assert "/move/ask/" not in said(client.get(page_of(story)))
    data, answer = pressed(client, story, "ask", **{LEDE: "Typed beside the button."})
    assert answer["Location"] == page_of(story)
    story = Story.objects.with_texts().get()
    assert story.asked_at and story.texts.get().lede == "Typed beside the button."
    assert client.post(page_of(story), data)["Location"] == page_of(story)  # pressed twice
    client = sign_in(people["publisher"])
    _data, answer = pressed(client, story, "publish", **{LEDE: "And by the second person."})
    assert answer.status_code == 302
    story.refresh_from_db()
    assert story.is_public and story.texts.get().lede == "And by the second person."


@pytest.mark.parametrize("why", ["lacks", "moved on", "invalid", "no note"])
def test_what_is_refused_is_not_saved_and_comes_back(why, people, sign_in):
    story = story_of(words={"lessons": ""} if why == "lacks" else None)
    act, note = "ask", ""
    if why in ("moved on", "no note"):
        stories.move(story, "ask", by=people["desk"])
        act, note = "send_back", "" if why == "no note" else "Typed note"
    client = sign_in(people["publisher"])
    page = client.get(page_of(story))
    data = shown(page) | {"_then": [act], LEDE: ["Typed beside the button."]}
    if act == "send_back":
        data["send_back_note"] = [note]
    if why == "moved on":
        stories.move(story, "publish", by=people["administrator"])
    if why == "invalid":
        data["slug"] = ["not a slug"]
    answer = client.post(page_of(story), data)
    assert answer.status_code == 200
    text = {
        "lacks": "lacks",
        "moved on": "changed since you opened this page",
        "invalid": "slug",
        "no note": "Say what to change",
    }[why]
    assert text in said(answer) and shown(answer)[LEDE] == ["Typed beside the button."]
    if note:
        assert shown(answer)["send_back_note"] == [note]
    story.refresh_from_db()
    assert story.texts.get().lede == "Short." and story.is_public == (why == "moved on")


def test_an_issue_is_saved_before_its_test_mail_and_before_it_is_sent(people, sign_in):
    issue = Issue.objects.create(slug="2027-03")
    IssueText.objects.create(issue=issue, language="en", title="News", lede="Short.", body="Body.")
    client = sign_in(people["desk"])
    _data, answer = pressed(client, issue, "test", **{LEDE: "Typed beside the button."})
    assert answer["Location"] == page_of(issue)
    assert issue.texts.get().lede == "Typed beside the button."
    (job,) = ProcrastinateJob.objects.filter(task_name="partners.send_mail")
    assert "Typed beside the button." in str(job.args)
    _data, answer = pressed(client, issue, "send", **{LEDE: "Typed once more."})
    assert answer["Location"] == reverse("admin:outreach_issue_send", args=[issue.pk])
    assert issue.texts.get().lede == "Typed once more."


def test_a_correction_is_saved_before_a_move(people, sign_in):
    need = NeedFactory(in_state="submitted")
    client, move = sign_in(people["desk"]), reverse("admin:projects_need_move", args=[need.pk, "return"])
    _data, answer = pressed(client, need, "return", title="Typed title")
    assert answer.status_code == 200 and shown(answer)["title"] == ["Typed title"]  # its reason is missing
    _data, answer = pressed(client, need, "return", title="Typed title", reason="Misspelt.")
    need.refresh_from_db()
    assert need.title == "Typed title" and answer["Location"] == f"{move}?seen={need.version}"
    assert client.get(answer["Location"]).status_code == 200
    before = need.history.count()
    _data, answer = pressed(client, need, "return")  # nothing was typed, so nothing is saved
    assert answer["Location"] == f"{move}?seen={need.version}" and need.history.count() == before


def test_a_project_is_moved_as_it_was_seen(people, sign_in):
    project = ProjectFactory(in_review=True, title="Wells")
    client = sign_in(people["publisher"])
    page = client.get(page_of(project))
    Project.objects.get(pk=project.pk).save()  # somebody else, meanwhile
    answer = client.post(page_of(project), shown(page) | {"_then": ["publish"]})
    assert answer.status_code == 200 and "changed since you opened this page" in said(answer)
    _data, answer = pressed(client, project, "publish", title="Deeper wells")
    assert "/move/publish/?seen=" in answer["Location"] and Project.objects.get().title == "Deeper wells"
    assert (
        client.post(page_of(project), shown(client.get(page_of(project))) | {"_then": ["nothing"]}).status_code == 404
    )
    assert not Need.objects.exists()


def message_to_us() -> ContactMessage:
    topic = Topic.objects.first()
    return ContactMessage.objects.create(topic=topic, email="a@example.org", text="Which pumps?", submission_key="k")


def move_of(message: ContactMessage, act: str) -> str:
    return reverse("admin:outreach_contactmessage_move", args=[message.pk, act])


def test_no_button_of_a_message_drops_what_was_written_beside_it(people, sign_in):
    message = message_to_us()
    client, page = sign_in(people["desk"]), reverse("admin:outreach_contactmessage_change", args=[message.pk])
    buttons = [one.get("formaction") for one in html.fromstring(said(client.get(page))).xpath("//button[@formaction]")]
    assert [address.split("/")[-2] for address in buttons] == ["take", "answer", "close", "spam"]
    take, answer, close, spam = buttons
    written = {"text": "Solar pumps.", "note": ""}
    found = client.post(take, written)
    assert found.status_code == 200 and "Solar pumps." in said(found) and "It is in your hands." in said(found)
    for address, words in (
        (close, written | {"note": "Asked twice."}),
        (spam, written),
        (answer, written | {"note": "x"}),
    ):
        found = client.post(address, words)
        assert "Only one of them can be used" in said(found), address
        assert "Solar pumps." in said(found) and words["note"] in said(found)
    message.refresh_from_db()
    assert message.state == "taken"
    assert client.post(close, {"text": "", "note": "Asked twice."})["Location"] == page
    message.refresh_from_db()
    assert (message.state, message.note) == ("closed", "Asked twice.")


@pytest.mark.parametrize("draft", ["Solar pumps.", "Solar pumps, " * 40])
def test_a_draft_of_an_answer_is_neither_stored_nor_in_the_way_when_the_message_is_taken(draft, people, sign_in):
    message = message_to_us()
    page = sign_in(people["desk"]).post(move_of(message, "take"), {"text": draft, "note": ""})
    assert "It is in your hands." in said(page) and draft in said(page)
    message.refresh_from_db()
    assert (message.state, message.note, message.answer) == ("taken", "", "")


def test_a_note_is_kept_with_a_message_that_is_marked_as_unwanted(people, sign_in):
    message = message_to_us()
    answer = sign_in(people["desk"]).post(move_of(message, "spam"), {"text": "", "note": "Sells pumps."})
    message.refresh_from_db()
    assert (answer.status_code, message.state, message.note) == (302, "spam", "Sells pumps.")
